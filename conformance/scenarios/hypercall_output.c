/* SPDX-License-Identifier: MIT */
/*
 * What a hypercall gives back: output in memory, the elements of a list that
 * stops on the way, and calls that are made in several pieces (TLFS, Hypercall
 * Interface).
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/hypercall_words.h"

#define PAIR HC_IN_16_OUT_8
#define LIST HC_IN_16_EACH_4_OUT_4
#define LIST_INPUT (HV_INPUT + 16) /* behind the fixed part */
#define FILLED UINT64_C(0xeeeeeeeeeeeeeeee)
#define NEVER UINT32_MAX
#define VECTOR 0x51u

/* A handler that complements what it gets, and stops where it is told to. */
struct scribe {
    struct conf_vm *vm;
    uint32_t fail_at; /* the element before which it fails; a simple call: 0 */
    uint16_t status;
    uint32_t timeout_at; /* likewise, once, to be called again */
    bool timed_out, raises;
    unsigned calls, elements;
    uint32_t most;                   /* elements of one call */
    uint32_t taken;                  /* interrupts the guest had taken by the last call */
    uint8_t times[HC_ELEMENTS_MAX];  /* how often each element was done */
    uint32_t first[HC_ELEMENTS_MAX]; /* of each call */
    uint8_t bytes[4 * HC_ELEMENTS_MAX];
};

static void complement(const uint8_t *from, uint8_t *ret_to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ret_to[i] = (uint8_t)~from[i];
}

static enum hv_status scribe_stop(struct scribe *scribe, uint32_t element)
{
    if (element == scribe->fail_at)
        return (enum hv_status)scribe->status;
    if (element != scribe->timeout_at || scribe->timed_out)
        return HV_STATUS_SUCCESS;
    scribe->timed_out = true;
    return HV_STATUS_TIMEOUT;
}

static void scribe_begin(struct scribe *scribe, const struct vmr_hv_call *call)
{
    if (scribe->calls < HC_ELEMENTS_MAX)
        scribe->first[scribe->calls] = call->rep_first;
    scribe->calls++;
    if (call->rep_count > scribe->most)
        scribe->most = call->rep_count;
    scribe->taken = guest_word(scribe->vm, COUNT_OF(0, VECTOR));
    if (scribe->raises && scribe->calls == 1)
        raise_msi(scribe->vm, 0, VECTOR);
}

static enum hv_status write_list(void *context, struct vmr_hv_call *call)
{
    struct scribe *scribe = context;

    scribe_begin(scribe, call);
    for (uint32_t i = 0; i < call->rep_count; i++) {
        uint32_t element = call->rep_first + i;
        enum hv_status status = scribe_stop(scribe, element);

        call->reps_done = i;
        if (status)
            return status;
        complement(call->reps + 4u * i, call->output + 4u * i, 4);
        scribe->elements++;
        if (element < HC_ELEMENTS_MAX)
            scribe->times[element]++;
    }
    return HV_STATUS_SUCCESS;
}

/* Writes its output before it decides, so that one that fails has written all of it. */
static enum hv_status write_pair(void *context, struct vmr_hv_call *call)
{
    struct scribe *scribe = context;

    scribe_begin(scribe, call);
    complement(call->input, call->output, 8);
    scribe->elements++;
    return scribe_stop(scribe, 0);
}

/* A VM about to run `program`, whose calls go to `scribe`. NULL: failed. */
static struct conf_vm *writing_vm(struct conf *conf, struct scribe *scribe, const struct vmr_program *program)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    const struct vmr_hv_call_handler list = {write_list, scribe}, pair = {write_pair, scribe};

    scribe->vm = vm_about_to_run(conf, &options, program);
    return scribe->vm && hc_handle(scribe->vm, LIST, &list) && hc_handle(scribe->vm, PAIR, &pair) ? scribe->vm : NULL;
}

static void run_writing(struct conf *conf, struct scribe *scribe, const struct vmr_program *program)
{
    if (writing_vm(conf, scribe, program))
        (void)conf_run_to_end(scribe->vm, 0);
}

/* [gpa], 4 bytes, must be `x`; two steps, variable 5. */
#define EXPECT_WORD(gpa, x) VMR_LOAD(5, gpa, 4), VMR_EXPECT(5, x)
#define EXPECT_LONG(gpa, x) VMR_LOAD(5, gpa, 8), VMR_EXPECT(5, x)
/* Four elements and the page they go to; six steps. */
#define FOUR_ELEMENTS()                                                                                                \
    VMR_STORE(LIST_INPUT, 4, 0x10), VMR_STORE(LIST_INPUT + 4, 4, 0x11), VMR_STORE(LIST_INPUT + 8, 4, 0x12),            \
        VMR_STORE(LIST_INPUT + 12, 4, 0x13), VMR_STORE(HV_OUTPUT, 8, FILLED), VMR_STORE(HV_OUTPUT + 8, 8, FILLED)
#define UNTOUCHED 0xeeeeeeeeu

/* The same as HV_EXPECT_CALL, from a 32-bit segment. */
#define EXPECT_CALL32(control, input, output, x)                                                                       \
    VMR_SET(0, input), VMR_SET(1, output), VMR_HV_CALL32(6, HV_CODE_PAGE, control), HV_NO_FAULT(), VMR_EXPECT(6, x)

/* --- one output --- */

static void output_goes_where_the_guest_says_and_nowhere_else(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = NEVER};
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, 0xff00ff00ff00ff00), VMR_STORE(HV_OUTPUT + 8, 8, FILLED),
                 VMR_STORE(HV_OUTPUT + 16, 8, FILLED), VMR_STORE(HV_OUTPUT + 24, 8, FILLED),
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_OUTPUT + 16, 0), EXPECT_LONG(HV_OUTPUT + 8, FILLED),
                 EXPECT_LONG(HV_OUTPUT + 16, 0x00ff00ff00ff00ff), EXPECT_LONG(HV_OUTPUT + 24, FILLED),
                 /* The last bytes of a page. */
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_OUTPUT + 0xff8, 0),
                 EXPECT_LONG(HV_OUTPUT + 0xff8, 0x00ff00ff00ff00ff), VMR_END());

    run_writing(conf, &scribe, &program);
}

static void output_may_lie_over_the_input(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = NEVER};
    /* The handler gets what was there before; in a list, the first elements written lie over the last ones read. */
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, 0x0123456789abcdef), VMR_STORE(HV_INPUT + 8, 8, 1),
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_INPUT, 0), EXPECT_LONG(HV_INPUT, 0xfedcba9876543210),
                 EXPECT_LONG(HV_INPUT + 8, 1), FOUR_ELEMENTS(),
                 HV_EXPECT_CALL(LIST | HC_REPS(4), HV_INPUT, LIST_INPUT + 8, HV_RESULT(0, 4)),
                 EXPECT_WORD(LIST_INPUT, 0x10), EXPECT_WORD(LIST_INPUT + 4, 0x11),
                 EXPECT_WORD(LIST_INPUT + 8, 0xffffffef), EXPECT_WORD(LIST_INPUT + 12, 0xffffffee),
                 EXPECT_WORD(LIST_INPUT + 16, 0xffffffed), EXPECT_WORD(LIST_INPUT + 20, 0xffffffec), VMR_END());

    run_writing(conf, &scribe, &program);
}

static void a_simple_call_that_fails_writes_nothing(struct conf *conf)
{
    struct scribe scribe = {.fail_at = 0, .status = HV_STATUS_OPERATION_DENIED, .timeout_at = NEVER};
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, 5), VMR_STORE(HV_OUTPUT, 8, FILLED),
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_OUTPUT, HV_STATUS_OPERATION_DENIED), EXPECT_LONG(HV_OUTPUT, FILLED),
                 EXPECT_CALL32(PAIR, HV_INPUT, HV_OUTPUT, HV_STATUS_OPERATION_DENIED), EXPECT_LONG(HV_OUTPUT, FILLED),
                 VMR_END());

    run_writing(conf, &scribe, &program);
    CONF_CHECK_EQ(conf, scribe.calls, 2, "calls");
}

static void output_that_cannot_be_written_is_told_after_the_call(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = NEVER};
    const vmr_gpa rom = HV_NO_RAM + 0x10000;
    const struct vmr_memory_region region = {.gpa = rom, .size = VMR_PAGE_SIZE, .read_only = true};
    uint64_t kept = FILLED, seen = 0;
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, 5),
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_NO_RAM + 0x10000, HV_STATUS_INVALID_HYPERCALL_INPUT),
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_NO_RAM, HV_STATUS_INVALID_HYPERCALL_INPUT),
                 HV_EXPECT_CALL(LIST | HC_REPS(2), HV_INPUT, HV_NO_RAM + 0x10000, HV_STATUS_INVALID_HYPERCALL_INPUT),
                 /* To read from it is fine. */
                 HV_EXPECT_CALL(PAIR, HV_NO_RAM + 0x10000, HV_OUTPUT, 0), EXPECT_LONG(HV_OUTPUT, 0x1111111111111111),
                 VMR_END());
    struct conf_vm *vm = writing_vm(conf, &scribe, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf, vmr_memory_region_add(vm->memory, &region, NULL) == VMR_OK, "no read-only region");
    CONF_CHECK(conf, vmr_memory_write(vm->memory, rom, &kept, sizeof(kept)) == VMR_OK, "the host cannot write");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, scribe.calls, 4, "calls");
    CONF_CHECK(conf, vmr_memory_read(vm->memory, rom, &seen, sizeof(seen)) == VMR_OK && seen == kept,
               "read-only memory was written");
}

/* --- lists --- */

static void elements_done_before_an_error_are_written(struct conf *conf)
{
    struct scribe scribe = {.fail_at = 2, .status = HV_STATUS_INSUFFICIENT_MEMORY, .timeout_at = NEVER};
    CONF_PROGRAM(program, HV_OPEN(), FOUR_ELEMENTS(),
                 HV_EXPECT_CALL(LIST | HC_REPS(4), HV_INPUT, HV_OUTPUT, HV_RESULT(HV_STATUS_INSUFFICIENT_MEMORY, 2)),
                 EXPECT_WORD(HV_OUTPUT, 0xffffffef), EXPECT_WORD(HV_OUTPUT + 4, 0xffffffee),
                 EXPECT_WORD(HV_OUTPUT + 8, UNTOUCHED), EXPECT_WORD(HV_OUTPUT + 12, UNTOUCHED), VMR_END());

    run_writing(conf, &scribe, &program);
}

static void completed_counts_from_the_first_element_of_the_list(struct conf *conf)
{
    struct scribe scribe = {.fail_at = 3, .status = HV_STATUS_INSUFFICIENT_MEMORY, .timeout_at = NEVER};
    CONF_PROGRAM(program, HV_OPEN(), FOUR_ELEMENTS(),
                 HV_EXPECT_CALL(LIST | HC_REPS(4) | HC_START(1), HV_INPUT, HV_OUTPUT,
                                HV_RESULT(HV_STATUS_INSUFFICIENT_MEMORY, 3)),
                 EXPECT_WORD(HV_OUTPUT, UNTOUCHED), EXPECT_WORD(HV_OUTPUT + 4, 0xffffffee),
                 EXPECT_WORD(HV_OUTPUT + 8, 0xffffffed), EXPECT_WORD(HV_OUTPUT + 12, UNTOUCHED),
                 EXPECT_CALL32(LIST | HC_REPS(3) | HC_START(2), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 3)), VMR_END());

    run_writing(conf, &scribe, &program);
}

static void a_list_may_be_begun_at_every_element(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = NEVER};
    /* From the last to the first: each call overwrites what is behind its start, and nothing before. */
    CONF_PROGRAM(program, HV_OPEN(), FOUR_ELEMENTS(),
                 HV_EXPECT_CALL(LIST | HC_REPS(4) | HC_START(3), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 4)),
                 EXPECT_WORD(HV_OUTPUT + 8, UNTOUCHED), EXPECT_WORD(HV_OUTPUT + 12, 0xffffffec),
                 HV_EXPECT_CALL(LIST | HC_REPS(4) | HC_START(2), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 4)),
                 EXPECT_WORD(HV_OUTPUT + 4, UNTOUCHED), EXPECT_WORD(HV_OUTPUT + 8, 0xffffffed),
                 HV_EXPECT_CALL(LIST | HC_REPS(4) | HC_START(1), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 4)),
                 EXPECT_WORD(HV_OUTPUT, UNTOUCHED), EXPECT_WORD(HV_OUTPUT + 4, 0xffffffee),
                 HV_EXPECT_CALL(LIST | HC_REPS(4), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 4)),
                 EXPECT_WORD(HV_OUTPUT, 0xffffffef), VMR_END());

    run_writing(conf, &scribe, &program);
    CONF_CHECK_EQ(conf, scribe.elements, 1 + 2 + 3 + 4, "elements done");
}

/* --- calls in pieces --- */

static void check_each_element_once(struct conf *conf, const struct scribe *scribe, uint32_t count)
{
    CONF_CHECK_EQ(conf, scribe->elements, count, "elements done");
    for (uint32_t i = 0; i < count; i++)
        CONF_CHECK_EQ(conf, scribe->times[i], 1, "times an element was done");
    CONF_CHECK(conf, scribe->most <= VMR_HV_REP_MAX, "%u elements in one call", scribe->most);
}

static void a_call_that_is_to_be_repeated_goes_on_from_where_it_was(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = 3};
    CONF_PROGRAM(program, HV_OPEN(), FOUR_ELEMENTS(),
                 HV_EXPECT_CALL(LIST | HC_REPS(4), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 4)), VMR_EXPECT(0, HV_INPUT),
                 VMR_EXPECT(1, HV_OUTPUT), EXPECT_WORD(HV_OUTPUT, 0xffffffef), EXPECT_WORD(HV_OUTPUT + 8, 0xffffffed),
                 EXPECT_WORD(HV_OUTPUT + 12, 0xffffffec), VMR_END());

    run_writing(conf, &scribe, &program);
    check_each_element_once(conf, &scribe, 4);
    CONF_CHECK(conf, scribe.calls == 2 && scribe.first[1] == 3, "%u calls, the second from element %u", scribe.calls,
               scribe.first[1]);
}

static void a_simple_call_is_repeated_as_a_whole(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = 0};
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, 0), VMR_STORE(HV_OUTPUT, 8, FILLED),
                 HV_EXPECT_CALL(PAIR, HV_INPUT, HV_OUTPUT, 0), EXPECT_LONG(HV_OUTPUT, UINT64_MAX), VMR_END());

    run_writing(conf, &scribe, &program);
    CONF_CHECK_EQ(conf, scribe.calls, 2, "calls");
}

static void a_32_bit_caller_repeats_its_call_too(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = 2};
    CONF_PROGRAM(program, HV_OPEN(), FOUR_ELEMENTS(),
                 EXPECT_CALL32(LIST | HC_REPS(200), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 200)), VMR_EXPECT(0, HV_INPUT),
                 VMR_EXPECT(1, HV_OUTPUT), EXPECT_WORD(HV_OUTPUT + 8, 0xffffffed),
                 EXPECT_WORD(HV_OUTPUT + 796, 0xffffffff), VMR_END());

    run_writing(conf, &scribe, &program);
    check_each_element_once(conf, &scribe, 200);
    CONF_CHECK_EQ(conf, scribe.calls, 5, "calls");
}

static void fill_elements(struct conf_vm *vm, struct scribe *scribe, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        hc_store32(scribe->bytes + 4u * i, i * 0x01010101u);
    CONF_CHECK(vm->conf, vmr_memory_write(vm->memory, LIST_INPUT, scribe->bytes, 4u * count) == VMR_OK, "no input");
}

static void check_elements(struct conf_vm *vm, struct scribe *scribe, uint32_t count)
{
    CONF_CHECK(vm->conf, vmr_memory_read(vm->memory, HV_OUTPUT, scribe->bytes, 4u * count) == VMR_OK, "no output");
    for (uint32_t i = 0; i < count; i++)
        CONF_CHECK_EQ(vm->conf, hc_load32(scribe->bytes + 4u * i), ~(i * 0x01010101u), "an element");
}

static void a_page_of_elements_is_done_in_bounded_pieces(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = NEVER};
    CONF_PROGRAM(
        program, HV_OPEN(),
        HV_EXPECT_CALL(LIST | HC_REPS(HC_ELEMENTS_MAX), HV_INPUT, HV_OUTPUT, HV_RESULT(0, HC_ELEMENTS_MAX)),
        HV_EXPECT_CALL(LIST | HC_REPS(HC_ELEMENTS_MAX + 1), HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_HYPERCALL_INPUT),
        VMR_END());
    struct conf_vm *vm = writing_vm(conf, &scribe, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    fill_elements(vm, &scribe, HC_ELEMENTS_MAX);
    (void)conf_run_to_end(vm, 0);
    check_elements(vm, &scribe, HC_ELEMENTS_MAX);
    check_each_element_once(conf, &scribe, HC_ELEMENTS_MAX);
    CONF_CHECK_EQ(conf, scribe.calls, (HC_ELEMENTS_MAX + VMR_HV_REP_MAX - 1) / VMR_HV_REP_MAX, "calls");
}

/* Raised during the first piece, it must have been taken before the second. */
static void interrupts_come_between_the_pieces(struct conf *conf)
{
    struct scribe scribe = {.fail_at = NEVER, .timeout_at = NEVER, .raises = true};
    APIC_PROGRAM(program, VMR_EOI_XAPIC, APIC_ON(), HV_OPEN(), VMR_STI(), VMR_SET(0, HV_INPUT), VMR_SET(1, HV_OUTPUT),
                 VMR_HV_CALL(6, HV_CODE_PAGE, LIST | HC_REPS(2 * VMR_HV_REP_MAX)), VMR_CLI(),
                 VMR_EXPECT(6, HV_RESULT(0, 2 * VMR_HV_REP_MAX)), EXPECT_COUNT(VECTOR, 1), VMR_END());

    run_writing(conf, &scribe, &program);
    check_each_element_once(conf, &scribe, 2 * VMR_HV_REP_MAX);
    CONF_CHECK(conf, scribe.calls == 2 && scribe.taken == 1, "%u calls, %u interrupts before the last", scribe.calls,
               scribe.taken);
}

static void a_caller_from_32_bits_meets_its_own_faults(struct conf *conf)
{
    /* UD2 where the code should be: the guest finds its stack and its segment again. */
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_PAGE_1, 2, 0x0b0f), VMR_SET(0, 0x1122334455667788), VMR_SET(1, 9),
                 VMR_HV_CALL32(6, HV_PAGE_1, 1), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, 7),
                 VMR_EXPECT(0, 0x1122334455667788), VMR_EXPECT(1, 9),
                 EXPECT_CALL32(HC_UNKNOWN, 1, 2, HV_STATUS_INVALID_HYPERCALL_CODE), VMR_END());

    hv_run(conf, &program);
}

static const struct conf_scenario scenarios[] = {
    {HC_SCENARIO(output_goes_where_the_guest_says_and_nowhere_else), .clauses = "HC-1 HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(output_may_lie_over_the_input), .clauses = "HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(a_simple_call_that_fails_writes_nothing), .clauses = "HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(output_that_cannot_be_written_is_told_after_the_call), .clauses = "HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(elements_done_before_an_error_are_written), .clauses = "HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(completed_counts_from_the_first_element_of_the_list), .clauses = "HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(a_list_may_be_begun_at_every_element), .clauses = "HC-7", .needs = HC_NEEDS},
    {HC_SCENARIO(a_call_that_is_to_be_repeated_goes_on_from_where_it_was), .clauses = "HC-8", .needs = HC_NEEDS},
    {HC_SCENARIO(a_simple_call_is_repeated_as_a_whole), .clauses = "HC-8", .needs = HC_NEEDS},
    {HC_SCENARIO(a_32_bit_caller_repeats_its_call_too), .clauses = "HC-6 HC-8", .needs = HC_NEEDS},
    {HC_SCENARIO(a_page_of_elements_is_done_in_bounded_pieces), .clauses = "HC-8", .needs = HC_NEEDS},
    {HC_SCENARIO(interrupts_come_between_the_pieces), .clauses = "HC-8", .needs = HC_NEEDS},
    {HC_SCENARIO(a_caller_from_32_bits_meets_its_own_faults), .clauses = "PROG-1 HC-6", .needs = HC_NEEDS},
};

CONF_FAMILY(hypercall_output, scenarios);
