/* SPDX-License-Identifier: MIT */

/* Lists of elements: where they start, where they stop, and what of their output reaches the guest. */

#include "tests/hv/fixture.h"

#define GET_REGISTERS HV_CALL_GET_VP_REGISTERS                   /* 16 bytes, 4 an element, 16 out */
#define GET_INDICES HV_CALL_GET_VP_INDEX_FROM_APIC_ID            /* 16 bytes, 4 an element, 4 out */
#define FLUSH HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST                 /* 24 bytes, 8 an element */
#define FLUSH_EX HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX           /* 32 bytes, variable header, 8 an element */
#define VISIBILITY HV_CALL_QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY /* 8 bytes, 8 an element, 1 out */

static const struct {
    const char *name;
    unsigned count, start;
    enum hv_status status;
    uint32_t reps_done;
    uint8_t outcome;
    unsigned completed;
    unsigned written_first, written; /* elements of output */
} stops[] = {
    {"all of them", 5, 0, HV_STATUS_SUCCESS, 0, VMR_HV_DONE, 5, 0, 5},
    {"from the third on", 5, 2, HV_STATUS_SUCCESS, 0, VMR_HV_DONE, 5, 2, 3},
    {"the last alone", 5, 4, HV_STATUS_SUCCESS, 0, VMR_HV_DONE, 5, 4, 1},
    {"fails at the first", 5, 0, HV_STATUS_INVALID_PARAMETER, 0, VMR_HV_DONE, 0, 0, 0},
    {"fails at the fourth", 5, 0, HV_STATUS_INVALID_PARAMETER, 3, VMR_HV_DONE, 3, 0, 3},
    {"fails later, counted from the first of the list", 5, 2, HV_STATUS_INVALID_PARAMETER, 1, VMR_HV_DONE, 3, 2, 1},
    {"fails at once behind some", 5, 2, HV_STATUS_INVALID_PARAMETER, 0, VMR_HV_DONE, 2, 2, 0},
    {"retry at the first", 5, 0, HV_STATUS_TIMEOUT, 0, VMR_HV_RETRY, 0, 0, 0},
    {"retry at the fourth", 5, 0, HV_STATUS_TIMEOUT, 3, VMR_HV_RETRY, 3, 0, 3},
    {"retry at the last", 5, 3, HV_STATUS_TIMEOUT, 1, VMR_HV_RETRY, 4, 3, 1},
};

/* What the registers or memory must say after row `i` of the table. */
static void check_stop(struct rig *rig, size_t i, uint64_t control)
{
    uint64_t result = stops[i].status | (uint64_t)stops[i].completed << 32;
    uint64_t start = UINT64_C(0xfff) << 48, next = (control & ~start) | (uint64_t)stops[i].completed << 48;

    if (rig->result.outcome != stops[i].outcome || rig->result.completed != stops[i].completed)
        fail_msg("%s: %u done", stops[i].name, rig->result.completed);
    if (stops[i].outcome == VMR_HV_DONE) {
        assert_int_equal(rig->registers.gpr[VMR_X86_RAX], result);
        assert_int_equal(rig->registers.gpr[VMR_X86_RCX], control);
    } else {
        assert_int_equal(rig->registers.gpr[VMR_X86_RAX], 0);
        assert_int_equal(rig->registers.gpr[VMR_X86_RCX], next);
    }
    for (unsigned element = 0; element < 8; element++) {
        bool out = element - stops[i].written_first < stops[i].written;

        if (byte_at(rig, OUTPUT_GPA + 4 * element) != (out ? 0x5c : 0))
            fail_msg("%s: output of element %u", stops[i].name, element);
    }
}

static void a_list_stops_where_its_handler_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        uint64_t control = control_of(GET_INDICES, false, 0, stops[i].count, stops[i].start);
        struct rig rig;

        rig_init(&rig);
        rig.status = stops[i].status;
        rig.reps_done = stops[i].reps_done;
        rig.fill = 0x5c;
        rig.fill_bytes = 4 * (size_t)(stops[i].count - stops[i].start);
        rig_set(&rig, control, INPUT_GPA, OUTPUT_GPA);
        must_dispatch(&rig);
        assert_int_equal(rig.rep_first, stops[i].start);
        assert_int_equal(rig.rep_count, stops[i].count - stops[i].start);
        check_stop(&rig, i, control);
        rig_finish(&rig);
    }
}

static void a_handler_sees_the_elements_from_rep_start_on(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t input[32 + 16 + 5 * 8];

    rig_init(&rig);
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)(i + 1);
    must_write(&rig, INPUT_GPA, input, sizeof(input));
    rig_set(&rig, control_of(FLUSH_EX, false, 2, 5, 3), INPUT_GPA, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.rep_count, 2);
    assert_memory_equal(rig.input, input, 32 + 16);
    assert_memory_equal(rig.input + 32 + 16, input + 32 + 16 + 3 * 8, 2 * 8);
    rig_finish(&rig);
}

static const struct {
    const char *name;
    unsigned code, count, start;
    uint64_t input, output;
    enum hv_status status;
} places[] = {
    {"509 entries fill a page", FLUSH, 509, 0, INPUT_GPA, 0, HV_STATUS_SUCCESS},
    {"510 do not fit", FLUSH, 510, 0, INPUT_GPA, 0, HV_STATUS_INVALID_HYPERCALL_INPUT},
    {"nor if only the last is left", FLUSH, 510, 509, INPUT_GPA, 0, HV_STATUS_INVALID_HYPERCALL_INPUT},
    {"256 registers fill the output", GET_REGISTERS, 256, 255, INPUT_GPA, OUTPUT_GPA, HV_STATUS_SUCCESS},
    {"257 do not fit", GET_REGISTERS, 257, 256, INPUT_GPA, OUTPUT_GPA, HV_STATUS_INVALID_HYPERCALL_INPUT},
    {"output from the middle of a page", GET_REGISTERS, 255, 254, INPUT_GPA, OUTPUT_GPA + 16, HV_STATUS_SUCCESS},
    {"output one too many", GET_REGISTERS, 255, 254, INPUT_GPA, OUTPUT_GPA + 24, HV_STATUS_INVALID_HYPERCALL_INPUT},
    {"4095 elements", FLUSH, 4095, 0, INPUT_GPA, 0, HV_STATUS_INVALID_HYPERCALL_INPUT},
};

static void a_list_takes_its_whole_length_wherever_it_starts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct rig rig;

        rig_init(&rig);
        rig_set(&rig, control_of(places[i].code, false, 0, places[i].count, places[i].start), places[i].input,
                places[i].output);
        do
            must_dispatch(&rig);
        while (rig.result.outcome == VMR_HV_RETRY);
        if (rig.result.status != places[i].status)
            fail_msg("%s: %#x", places[i].name, rig.result.status);
        rig_finish(&rig);
    }
}

static void one_dispatch_does_a_bounded_number_of_elements(void **state)
{
    (void)state;
    struct rig rig;
    unsigned dispatches = 0;

    rig_init(&rig);
    rig_set(&rig, control_of(FLUSH, false, 0, 500, 0), INPUT_GPA, 0);
    do {
        must_dispatch(&rig);
        dispatches++;
        assert_in_range(rig.rep_count, 1, VMR_HV_REP_MAX);
        assert_int_equal(rig.registers.pc, rig.result.outcome == VMR_HV_RETRY ? 0x100 : 0x103);
    } while (rig.result.outcome == VMR_HV_RETRY);
    assert_int_equal(dispatches, (500 + VMR_HV_REP_MAX - 1) / VMR_HV_REP_MAX);
    assert_int_equal(rig.reps_seen, 500);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], UINT64_C(500) << 32);
    rig_finish(&rig);
}

static void a_list_of_exactly_the_bound_is_done_at_once(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_set(&rig, control_of(FLUSH, false, 0, VMR_HV_REP_MAX, 0), INPUT_GPA, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.result.outcome, VMR_HV_DONE);
    rig_finish(&rig);
}

/* One byte an element, behind three pairs of input: five done before, in the first word of XMM2. */
static void output_of_earlier_dispatches_stays_in_its_registers(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig.registers.xmm[2] = (struct vmr_hv_xmm){.low = UINT64_C(0x8877665544332211), .high = 7};
    rig.fill = 0x5c;
    rig.fill_bytes = 1;
    rig_set(&rig, control_of(VISIBILITY, true, 0, 5, 4), 0, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.result.status, HV_STATUS_SUCCESS);
    assert_int_equal(rig.registers.xmm[2].low, UINT64_C(0x8877665c44332211));
    assert_int_equal(rig.registers.xmm[2].high, 7);
    assert_int_equal(rig.registers.xmm_modified, 1u << 2);
    rig_finish(&rig);
}

static void output_that_cannot_be_written_is_no_progress(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig.status = HV_STATUS_TIMEOUT;
    rig.reps_done = 1;
    rig_set(&rig, control_of(GET_INDICES, false, 0, 5, 2), INPUT_GPA, HOLE_GPA);
    must_dispatch(&rig);
    assert_int_equal(rig.result.outcome, VMR_HV_DONE);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], HV_STATUS_INVALID_HYPERCALL_INPUT);
    rig.status = HV_STATUS_NO_DATA;
    rig.reps_done = 0;
    must_dispatch(&rig);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], HV_STATUS_NO_DATA | UINT64_C(2) << 32);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_stops_where_its_handler_says),
        cmocka_unit_test(a_handler_sees_the_elements_from_rep_start_on),
        cmocka_unit_test(a_list_takes_its_whole_length_wherever_it_starts),
        cmocka_unit_test(one_dispatch_does_a_bounded_number_of_elements),
        cmocka_unit_test(a_list_of_exactly_the_bound_is_done_at_once),
        cmocka_unit_test(output_of_earlier_dispatches_stays_in_its_registers),
        cmocka_unit_test(output_that_cannot_be_written_is_no_progress),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
