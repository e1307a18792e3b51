/* SPDX-License-Identifier: MIT */
/* Whom a call names. [HC-11] */

#include "lib/hv/calls.h"

#include "lib/hv/x86_state.h"
#include "tests/hv/calls_rig.h"

static void only_the_own_partition_is_found(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    assert_int_equal(calls_check_partition(&rig.call), HV_STATUS_SUCCESS);
    store_le64(rig.input, 0);
    assert_int_equal(calls_check_partition(&rig.call), HV_STATUS_INVALID_PARTITION_ID);
    calls_rig_finish(&rig);
}

static void self_is_the_caller(void **state)
{
    (void)state;
    struct calls_rig rig;
    vmr_vp_index vp = 77;

    calls_rig_init(&rig);
    rig.caller.vp = 1;
    assert_int_equal(calls_find_vp(rig.guest.guest, &rig.call, HV_VP_INDEX_SELF, &vp), HV_STATUS_SUCCESS);
    assert_int_equal(vp, 1);
    assert_int_equal(calls_find_vp(rig.guest.guest, &rig.call, 0, &vp), HV_STATUS_SUCCESS);
    assert_int_equal(vp, 0);
    assert_int_equal(calls_find_vp(rig.guest.guest, &rig.call, GUEST_VPS, &vp), HV_STATUS_INVALID_VP_INDEX);
    assert_int_equal(calls_find_vp(rig.guest.guest, &rig.call, HV_ANY_VP, &vp), HV_STATUS_INVALID_VP_INDEX);
    assert_int_equal(vp, 0);
    calls_rig_finish(&rig);
}

static void a_vtl_is_the_callers_or_below(void **state)
{
    (void)state;
    static const struct {
        uint8_t caller, input, vtl;
        enum hv_status status;
    } rows[] = {
        {0, 0, 0, HV_STATUS_SUCCESS},
        {2, 0, 2, HV_STATUS_SUCCESS}, /* without the bit, a number means nothing */
        {2, 1, 2, HV_STATUS_SUCCESS},
        {2, HV_INPUT_VTL_USE_TARGET | 1, 1, HV_STATUS_SUCCESS},
        {0, HV_INPUT_VTL_USE_TARGET, 0, HV_STATUS_SUCCESS},
        {0, HV_INPUT_VTL_USE_TARGET | 1, 9, HV_STATUS_ACCESS_DENIED},
        {2, HV_INPUT_VTL_USE_TARGET | 3, 9, HV_STATUS_INVALID_PARAMETER},
        {2, 0x20, 9, HV_STATUS_INVALID_PARAMETER},
        {2, 0x80, 9, HV_STATUS_INVALID_PARAMETER},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vmr_hv_caller caller = {.vtl = rows[i].caller};
        const struct vmr_hv_call call = {.caller = &caller};
        uint8_t vtl = 9;

        assert_int_equal(calls_find_vtl(&call, rows[i].input, &vtl), rows[i].status);
        assert_int_equal(vtl, rows[i].vtl);
    }
}

static void limits_are_the_targets_or_every_processors(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    assert_int_equal(calls_limits(rig.guest.guest).physical_bits, 40);
    assert_int_equal(calls_limits(rig.guest.guest).cr4, 0x7ff);
    rig.guest.guest->target.cr4 = 0x107ff;
    rig.guest.guest->target.physical_bits = 0;
    assert_int_equal(calls_limits(rig.guest.guest).physical_bits, VMR_PHYSICAL_BITS_MAX);
    assert_int_equal(calls_limits(rig.guest.guest).cr4, 0x107ff);
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_own_partition_is_found),
        cmocka_unit_test(self_is_the_caller),
        cmocka_unit_test(a_vtl_is_the_callers_or_below),
        cmocka_unit_test(limits_are_the_targets_or_every_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
