/* SPDX-License-Identifier: MIT */
/* Finding and starting processors. [HC-12] [HC-13] */

#include "lib/hv/calls.h"

#include "lib/hv/x86_state.h"
#include "tests/hv/calls_rig.h"

static void ids_are_indices_until_one_is_nobodys(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    store_le32(rig.input + 16, 1);
    store_le32(rig.input + 20, 0);
    store_le32(rig.input + 24, GUEST_VPS);
    rig.call.reps = rig.input + 16;
    rig.call.rep_count = 2;
    assert_int_equal(calls_rig_run(&rig, calls_vp_index), HV_STATUS_SUCCESS);
    assert_int_equal(load_le64(rig.output), 1);
    rig.call.rep_count = 3;
    assert_int_equal(calls_rig_run(&rig, calls_vp_index), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(rig.call.reps_done, 2);
    rig.input[8] = 1;
    assert_int_equal(calls_rig_run(&rig, calls_vp_index), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(rig.call.reps_done, 0);
    rig.input[8] = 0;
    rig.input[15] = 1;
    assert_int_equal(calls_rig_run(&rig, calls_vp_index), HV_STATUS_INVALID_PARAMETER);
    calls_rig_finish(&rig);
}

/* A start of VP 1 in 64-bit mode. */
static void put_start(struct calls_rig *rig)
{
    uint8_t *context = rig->input + 16;
    struct vmr_x86_regs regs;
    const struct vmr_x86_segment *const segments[] = {&regs.cs, &regs.ds, &regs.es, &regs.fs,
                                                      &regs.gs, &regs.ss, &regs.tr, &regs.ldtr};

    calls_rig_regs(&regs);
    store_le64(rig->input + 8, 1);
    store_le64(context + HV_INITIAL_RIP, 0x123456);
    store_le64(context + HV_INITIAL_RSP, 0x9000);
    store_le64(context + HV_INITIAL_RFLAGS, 0);
    for (unsigned i = 0; i < 8; i++)
        x86_segment_store(segments[i], context + HV_INITIAL_SEGMENTS + (size_t)16 * i);
    store_le64(context + HV_INITIAL_EFER, regs.efer);
    store_le64(context + HV_INITIAL_CR0, regs.cr0);
    store_le64(context + HV_INITIAL_CR3, 0x5000);
    store_le64(context + HV_INITIAL_CR4, regs.cr4);
    store_le64(context + HV_INITIAL_PAT, UINT64_C(0x0007040600070406));
}

static void the_target_gets_the_context(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    put_start(&rig);
    assert_int_equal(calls_rig_run(&rig, calls_start_vp), HV_STATUS_SUCCESS);
    assert_int_equal(rig.starts, 1);
    assert_int_equal(rig.start.regs.rip, 0x123456);
    assert_int_equal(rig.start.regs.gpr[VMR_X86_RSP], 0x9000);
    assert_int_equal(rig.start.regs.rflags, 2);
    assert_int_equal(rig.start.regs.cr3, 0x5000);
    assert_int_equal(rig.start.pat, UINT64_C(0x0007040600070406));
    calls_rig_finish(&rig);
}

static void the_targets_answer_is_the_guests(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    put_start(&rig);
    rig.start_end = VMR_HV_START_ASKED;
    assert_int_equal(calls_rig_run(&rig, calls_start_vp), HV_STATUS_TIMEOUT);
    rig.start_end = VMR_HV_START_REFUSED;
    assert_int_equal(calls_rig_run(&rig, calls_start_vp), HV_STATUS_INVALID_VP_STATE);
    calls_rig_finish(&rig);
}

static void a_bad_start_never_reaches_the_target(void **state)
{
    (void)state;
    static const struct {
        unsigned offset;
        uint64_t value;
        enum hv_status status;
    } rows[] = {
        {0, 0, HV_STATUS_INVALID_PARTITION_ID},
        {8, 2, HV_STATUS_INVALID_VP_INDEX},
        {8, 0, HV_STATUS_INVALID_VP_STATE},
        {8, HV_VP_INDEX_SELF, HV_STATUS_INVALID_VP_STATE},
        {8, 1 | UINT64_C(1) << 32, HV_STATUS_ACCESS_DENIED},
        {8, 1 | UINT64_C(1) << 40, HV_STATUS_INVALID_PARAMETER},
        {16 + HV_INITIAL_CR0, UINT64_C(1) << 31, HV_STATUS_INVALID_REGISTER_VALUE},
        {16 + HV_INITIAL_PAT, 3, HV_STATUS_INVALID_REGISTER_VALUE},
        {16 + HV_INITIAL_RIP, UINT64_C(1) << 50, HV_STATUS_INVALID_REGISTER_VALUE},
    };
    struct calls_rig rig;

    calls_rig_init(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        store_le64(rig.input, HV_PARTITION_ID_SELF);
        put_start(&rig);
        store_le64(rig.input + rows[i].offset, rows[i].value);
        assert_int_equal(calls_rig_run(&rig, calls_start_vp), rows[i].status);
    }
    assert_int_equal(rig.starts, 0);
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_indices_until_one_is_nobodys),
        cmocka_unit_test(the_target_gets_the_context),
        cmocka_unit_test(the_targets_answer_is_the_guests),
        cmocka_unit_test(a_bad_start_never_reaches_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
