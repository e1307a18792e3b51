/* SPDX-License-Identifier: MIT */
/* What a translation answers, and where. The tables themselves: test_page_walk.c. [HC-16] */

#include "lib/hv/calls.h"

#include "lib/hv/x86_state.h"
#include "tests/hv/calls_rig.h"

#define WRITE 2u
#define ROM UINT64_C(0x100000)

static enum hv_status translate(struct calls_rig *rig, uint64_t flags, uint64_t page, bool ex)
{
    memset(rig->output, 0, sizeof(rig->output));
    store_le64(rig->input + 16, flags);
    store_le64(rig->input + 24, page);
    return calls_rig_run(rig, ex ? calls_translate_ex : calls_translate);
}

/* Without paging: what matters here is the answer's form. */
static void rig_init(struct calls_rig *rig)
{
    const struct vmr_memory_region rom = {.gpa = ROM, .size = PAGE, .read_only = true};

    calls_rig_init(rig);
    rig->regs.cr0 = 1;
    assert_int_equal(vmr_memory_region_add(rig->guest.memory, &rom, NULL), VMR_OK);
}

static void both_forms_give_code_type_and_page(void **state)
{
    (void)state;
    struct calls_rig rig;

    rig_init(&rig);
    assert_int_equal(translate(&rig, 0, 5, false), HV_STATUS_SUCCESS);
    assert_int_equal(load_le64(rig.output), UINT64_C(6) << 32);
    assert_int_equal(load_le64(rig.output + 8), 5);
    assert_int_equal(translate(&rig, 0, 5, true), HV_STATUS_SUCCESS);
    assert_int_equal(load_le64(rig.output), UINT64_C(6) << 32);
    assert_int_equal(load_le64(rig.output + 8), 0);
    assert_int_equal(load_le64(rig.output + 48), 5);
    calls_rig_finish(&rig);
}

static void what_the_page_forbids_is_said(void **state)
{
    (void)state;
    struct calls_rig rig;

    rig_init(&rig);
    assert_int_equal(translate(&rig, 0, ROM >> 12, false), HV_STATUS_SUCCESS);
    assert_int_equal(load_le32(rig.output), 0);
    assert_int_equal(translate(&rig, WRITE, ROM >> 12, false), HV_STATUS_SUCCESS);
    assert_int_equal(load_le32(rig.output), 6);
    assert_int_equal(translate(&rig, 0, 0x5000, false), HV_STATUS_SUCCESS);
    assert_int_equal(load_le32(rig.output), 4);
    assert_int_equal(translate(&rig, 0, UINT64_C(1) << 20, false), HV_STATUS_SUCCESS);
    assert_int_equal(load_le32(rig.output), 1);
    calls_rig_finish(&rig);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    struct calls_rig rig;

    rig_init(&rig);
    for (unsigned bit = 10; bit < 56; bit++)
        assert_int_equal(translate(&rig, UINT64_C(1) << bit, 0, false), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(translate(&rig, 0xc0, 0, false), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(translate(&rig, 0x300, 0, false), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(translate(&rig, 0, UINT64_C(1) << 52, false), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(translate(&rig, UINT64_C(0x11) << 56, 0, false), HV_STATUS_ACCESS_DENIED);
    rig.caller.vtl = 2;
    assert_int_equal(translate(&rig, UINT64_C(0x11) << 56, 0, false), HV_STATUS_INVALID_VTL_STATE);
    store_le32(rig.input + 8, 1);
    assert_int_equal(translate(&rig, 0, 0, false), HV_STATUS_ACCESS_DENIED);
    store_le32(rig.input + 8, 2);
    assert_int_equal(translate(&rig, 0, 0, false), HV_STATUS_INVALID_VP_INDEX);
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_give_code_type_and_page),
        cmocka_unit_test(what_the_page_forbids_is_said),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
