/* SPDX-License-Identifier: MIT */
/* Aiming a device's interrupt: every rule of the input. [HC-15] */

#include "lib/hv/calls.h"

#include "tests/hv/calls_rig.h"

#define DEVICE UINT64_C(0xabcdef)

struct rig {
    struct calls_rig calls;
    struct vmr_msi msi;
    uint8_t words[24];
};

static void put(struct rig *rig, uint64_t vector_and_flags, uint64_t set)
{
    uint8_t *input = rig->calls.input;

    store_le64(input, HV_PARTITION_ID_SELF);
    store_le64(input + 8, DEVICE);
    store_le64(input + 16, 1);
    store_le32(input + 24, (uint32_t)rig->msi.address);
    store_le32(input + 28, rig->msi.data);
    store_le64(input + 32, 0);
    store_le64(input + 40, vector_and_flags);
    store_le64(input + 48, set);
}

static void rig_init(struct rig *rig)
{
    struct vmr_hv_interrupt interrupt = {.vector = 0x40};

    calls_rig_init(&rig->calls);
    vmr_hv_vp_set_init(&interrupt.vps, 1);
    assert_int_equal(vmr_hv_guest_map_interrupt(rig->calls.guest.guest, DEVICE, &interrupt, &rig->msi, NULL), VMR_OK);
    rig->calls.call.variable = rig->words;
    rig->calls.call.variable_words = 0;
    put(rig, 0x50, 2);
}

/* What a signal reaches now. */
static uint64_t signalled(struct rig *rig)
{
    rig->calls.interrupted = 0;
    assert_int_equal(vmr_hv_guest_signal_interrupt(rig->calls.guest.guest, DEVICE, &rig->msi), VMR_OK);
    return rig->calls.interrupted;
}

static void a_mask_or_a_set_aims_it(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    assert_int_equal(signalled(&rig), 1);
    assert_int_equal(calls_rig_run(&rig.calls, calls_retarget), HV_STATUS_SUCCESS);
    assert_int_equal(signalled(&rig), 2);
    assert_int_equal(rig.calls.vector, 0x50);
    put(&rig, 0x60 | UINT64_C(3) << 32, HV_GENERIC_SET_SPARSE_4K);
    store_le64(rig.words, 1);
    store_le64(rig.words + 8, 3);
    rig.calls.call.variable_words = 2;
    assert_int_equal(calls_rig_run(&rig.calls, calls_retarget), HV_STATUS_SUCCESS);
    assert_int_equal(signalled(&rig), 3);
    put(&rig, 0x60 | UINT64_C(2) << 32, HV_GENERIC_SET_SPARSE_4K);
    assert_int_equal(calls_rig_run(&rig.calls, calls_retarget), HV_STATUS_SUCCESS);
    assert_int_equal(signalled(&rig), 1); /* the first alone */
    calls_rig_finish(&rig.calls);
}

static void each_bad_field_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        unsigned offset;
        uint64_t value;
        enum hv_status status;
    } rows[] = {
        {0, 0, HV_STATUS_INVALID_PARTITION_ID},
        {8, DEVICE + 1, HV_STATUS_INVALID_DEVICE_ID},
        {16, 0, HV_STATUS_INVALID_PARAMETER},
        {16, 2, HV_STATUS_INVALID_PARAMETER},
        {16, UINT64_C(1) << 32 | 1, HV_STATUS_INVALID_PARAMETER},
        {24, 0xfee00000 | UINT64_C(1) << 32, HV_STATUS_INVALID_DEVICE_ID},
        {24, 0xfee00000 | UINT64_C(2048) << 32, HV_STATUS_INVALID_DEVICE_ID},
        {24, 0xfee01000, HV_STATUS_INVALID_DEVICE_ID},
        {32, 1, HV_STATUS_INVALID_PARAMETER},
        {40, 15, HV_STATUS_INVALID_PARAMETER},
        {40, 256, HV_STATUS_INVALID_PARAMETER},
        {40, 0x50 | UINT64_C(4) << 32, HV_STATUS_INVALID_PARAMETER},
        {40, 0x50 | UINT64_C(2) << 32, HV_STATUS_INVALID_PARAMETER}, /* a set without its banks */
        {48, 0, HV_STATUS_INVALID_PARAMETER},
        {48, UINT64_C(1) << 63, HV_STATUS_INVALID_PARAMETER},
    };
    struct rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put(&rig, 0x50, 2);
        store_le64(rig.calls.input + rows[i].offset, rows[i].value);
        assert_int_equal(calls_rig_run(&rig.calls, calls_retarget), rows[i].status);
        assert_int_equal(signalled(&rig), 1);
        assert_int_equal(rig.calls.vector, 0x40);
    }
    put(&rig, 0x50, 2);
    rig.calls.call.variable_words = 1; /* a mask has no header */
    assert_int_equal(calls_rig_run(&rig.calls, calls_retarget), HV_STATUS_INVALID_PARAMETER);
    calls_rig_finish(&rig.calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_or_a_set_aims_it),
        cmocka_unit_test(each_bad_field_is_refused_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
