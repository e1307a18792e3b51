/* SPDX-License-Identifier: MIT */
/* Which VTLs there are, who may enable them, in which a VP is, and vectors that wait. [VTL-2] [VTL-3] [VTL-4] [VTL-8]
 */

#include "lib/hv/vtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"

struct rig {
    struct fake_host fake;
    struct vtls vtls;
};

static void init(struct rig *rig, uint8_t highest, uint8_t first)
{
    *rig = (struct rig){0};
    fake_host_init(&rig->fake, 0);
    rig->vtls = (struct vtls){.host = &rig->fake.host, .vp_count = 2, .highest = highest, .first = first};
    assert_int_equal(vtls_init(&rig->vtls), VMR_OK);
}

static const struct vmr_hv_initial initial = {.regs.rip = 0x1234, .pat = 6};

static void a_vtl_is_enabled_by_the_next_below(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig, VMR_VTL2, VMR_VTL0);
    assert_int_equal(vtls_enable(&rig.vtls, 0, 3), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(vtls_enable(&rig.vtls, 0, 0), HV_STATUS_VTL_ALREADY_ENABLED);
    assert_int_equal(vtls_enable(&rig.vtls, 0, 1), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable(&rig.vtls, 0, 2), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(vtls_enable(&rig.vtls, 1, 2), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable(&rig.vtls, 1, 2), HV_STATUS_VTL_ALREADY_ENABLED);
    assert_int_equal(vtls_enabled(&rig.vtls), 7);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 0, 2, &initial), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 0, 3, &initial), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 2, 1, &initial), HV_STATUS_INVALID_VP_INDEX);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 0, 1, &initial), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 1, 1, &initial), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 2, 1, 1, &initial), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enabled_on(&rig.vtls, 1), 3);
    vtls_reset(&rig.vtls);
    assert_int_equal(vtls_enabled(&rig.vtls), 1);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 0, 1, &initial), HV_STATUS_INVALID_VTL_STATE);
    vtls_finish(&rig.vtls);
}

static void calls_and_returns_skip_what_is_not_enabled(void **state)
{
    struct vmr_hv_entry entry = {0};
    struct rig rig;

    (void)state;
    init(&rig, VMR_VTL2, VMR_VTL2);
    assert_int_equal(vtls_active(&rig.vtls, 0), 2);
    assert_false(vtls_call(&rig.vtls, 0, &entry));
    assert_true(vtls_return(&rig.vtls, 0, &entry));
    assert_int_equal(entry.vtl, 0);
    assert_true(entry.first);
    assert_int_equal(entry.initial.regs.rip, 0xfff0);
    assert_int_equal(entry.initial.pat, UINT64_C(0x0007040600070406));
    assert_false(vtls_return(&rig.vtls, 0, &entry));
    assert_true(vtls_call(&rig.vtls, 0, &entry));
    assert_int_equal(entry.vtl, 2);
    assert_false(entry.first);
    assert_int_equal(vtls_enable(&rig.vtls, 2, 1), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 2, 0, 1, &initial), HV_STATUS_SUCCESS);
    assert_true(vtls_return(&rig.vtls, 0, &entry));
    assert_int_equal(entry.vtl, 1);
    assert_true(entry.first);
    assert_int_equal(entry.initial.regs.rip, 0x1234);
    assert_false(vtls_enter(&rig.vtls, 1, 1, &entry)); /* the other VP has none */
    vtls_finish(&rig.vtls);
}

static void vectors_wait_for_their_vtl_highest_first(void **state)
{
    struct vmr_hv_entry entry;
    struct rig rig;
    uint8_t vector = 0;

    (void)state;
    init(&rig, VMR_VTL1, VMR_VTL0);
    vtls_raise(&rig.vtls, 0, 2, 0x40); /* there is no such VTL */
    vtls_raise(&rig.vtls, 9, 1, 0x40); /* nor VP */
    vtls_raise(&rig.vtls, 0, 1, 0x3f); /* it is not enabled on the VP */
    assert_int_equal(vtls_enable(&rig.vtls, 0, 1), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable_vp(&rig.vtls, 0, 0, 1, &initial), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_wanted(&rig.vtls, 0), 0);
    vtls_raise(&rig.vtls, 0, 1, 0x40);
    assert_int_equal(vtls_wanted(&rig.vtls, 0), 1);
    assert_int_equal(vtls_wanted(&rig.vtls, 1), 0);
    assert_false(vtls_vector(&rig.vtls, 0, &vector));
    assert_true(vtls_enter(&rig.vtls, 0, 1, &entry));
    assert_int_equal(vtls_wanted(&rig.vtls, 0), 0);
    vtls_raise(&rig.vtls, 0, 1, 0xff);
    vtls_raise(&rig.vtls, 0, 1, 0xff);
    assert_true(vtls_vector(&rig.vtls, 0, &vector));
    assert_int_equal(vector, 0xff);
    vtls_vector_taken(&rig.vtls, 0, 0xff);
    assert_true(vtls_vector(&rig.vtls, 0, &vector));
    assert_int_equal(vector, 0x40);
    vtls_vector_taken(&rig.vtls, 0, 0x40);
    assert_false(vtls_vector(&rig.vtls, 0, &vector));
    vtls_raise(&rig.vtls, 0, 1, 0x41);
    vtls_drop_vectors(&rig.vtls, 1);
    assert_false(vtls_vector(&rig.vtls, 0, &vector));
    vtls_finish(&rig.vtls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vtl_is_enabled_by_the_next_below),
        cmocka_unit_test(calls_and_returns_skip_what_is_not_enabled),
        cmocka_unit_test(vectors_wait_for_their_vtl_highest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
