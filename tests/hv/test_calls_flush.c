/* SPDX-License-Identifier: MIT */
/* Flush calls: whom they name. [HC-5] */

#include "lib/hv/calls.h"

#include "tests/hv/guest_rig.h"

struct flushed {
    unsigned count;
    struct vmr_hv_vp_set set;
    vmr_vp_index caller;
};

static void note_flush(void *context, const struct vmr_hv_vp_set *vps, vmr_vp_index caller)
{
    struct flushed *flushed = context;

    flushed->count++;
    flushed->set = *vps;
    flushed->caller = caller;
}

struct rig {
    struct guest_rig guest;
    struct flushed flushed;
    uint8_t input[32], words[16];
    struct vmr_hv_caller caller;
    struct vmr_hv_call call;
};

static void rig_init(struct rig *rig, uint64_t flags, uint64_t third, uint64_t fourth)
{
    *rig = (struct rig){.caller = {.vp = 3}};
    guest_rig_prepare(&rig->guest);
    rig->guest.options.target.flush = note_flush;
    rig->guest.options.target.context = &rig->flushed;
    guest_rig_create(&rig->guest);
    rig->call = (struct vmr_hv_call){.caller = &rig->caller, .input = rig->input, .variable = rig->words};
    store_le64(rig->input + 8, flags);
    store_le64(rig->input + 16, third);
    store_le64(rig->input + 24, fourth);
}

/* One call, after which nothing is left. */
static enum hv_status make_call(struct rig *rig, enum hv_status (*run)(void *context, struct vmr_hv_call *call))
{
    enum hv_status status = run(rig->guest.guest, &rig->call);

    guest_rig_finish(&rig->guest);
    return status;
}

static void a_mask_names_its_processors(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, 2, 0x9, 0);
    assert_int_equal(make_call(&rig, calls_flush), HV_STATUS_SUCCESS);
    assert_int_equal(rig.flushed.count, 1);
    assert_int_equal(rig.flushed.caller, 3);
    assert_true(vmr_hv_vp_set_has(&rig.flushed.set, 0) && vmr_hv_vp_set_has(&rig.flushed.set, 3));
    assert_false(vmr_hv_vp_set_has(&rig.flushed.set, 1) || rig.flushed.set.all);
}

static void all_processors_outranks_the_set(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, 1, 0, 0);
    assert_int_equal(make_call(&rig, calls_flush), HV_STATUS_SUCCESS);
    assert_true(rig.flushed.set.all);
    rig_init(&rig, 1, HV_GENERIC_SET_SPARSE_4K, 0);
    assert_int_equal(make_call(&rig, calls_flush_ex), HV_STATUS_SUCCESS);
    assert_true(rig.flushed.set.all);
}

static void banks_name_processors_far_away(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, 0, HV_GENERIC_SET_SPARSE_4K, 0x3);
    store_le64(rig.words, 0x1);
    store_le64(rig.words + 8, 0x4);
    rig.call.variable_words = 2;
    assert_int_equal(make_call(&rig, calls_flush_ex), HV_STATUS_SUCCESS);
    assert_true(vmr_hv_vp_set_has(&rig.flushed.set, 0) && vmr_hv_vp_set_has(&rig.flushed.set, 66));
}

static void a_set_of_all_needs_no_banks(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, 0, HV_GENERIC_SET_ALL, 0);
    assert_int_equal(make_call(&rig, calls_flush_ex), HV_STATUS_SUCCESS);
    assert_true(rig.flushed.set.all);
}

static void what_is_reserved_flushes_nobody(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, 0x10, 1, 0);
    assert_int_equal(make_call(&rig, calls_flush), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(rig.flushed.count, 0);
    rig_init(&rig, 0, HV_GENERIC_SET_ALL + 1, 0);
    assert_int_equal(make_call(&rig, calls_flush_ex), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(rig.flushed.count, 0);
    rig_init(&rig, 0, HV_GENERIC_SET_SPARSE_4K, 1);
    assert_int_equal(make_call(&rig, calls_flush_ex), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(rig.flushed.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_names_its_processors),     cmocka_unit_test(all_processors_outranks_the_set),
        cmocka_unit_test(banks_name_processors_far_away),  cmocka_unit_test(a_set_of_all_needs_no_banks),
        cmocka_unit_test(what_is_reserved_flushes_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
