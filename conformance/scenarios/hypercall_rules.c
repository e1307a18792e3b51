/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a hypercall, and which of two wrong things is told (TLFS,
 * Hypercall Interface). Each row is a call: one that breaks a single rule shows
 * the rule, one that breaks two shows which comes first. Every row is made
 * by a 64-bit and by a 32-bit caller, to whom the same holds.
 */

#include <stdlib.h>

#include "conformance/scenarios/hypercall_words.h"

#define CODE HV_STATUS_INVALID_HYPERCALL_CODE
#define DENIED HV_STATUS_ACCESS_DENIED
#define INPUT HV_STATUS_INVALID_HYPERCALL_INPUT
#define ALIGNMENT HV_STATUS_INVALID_ALIGNMENT
#define GOOD HV_STATUS_SUCCESS

#define RESERVED(bit) (UINT64_C(1) << (bit))
#define PAGE_END (VMR_PAGE_SIZE)

enum callers {
    ONLY_64 = 1,
    ONLY_32 = 2,
    BOTH = ONLY_64 | ONLY_32
};

struct row {
    const char *what;
    uint64_t control, input, output;
    uint16_t status;
    uint8_t callers; /* enum callers */
};

#define STEPS_A_CALL 5u
#define ROW_MAX 24u
#define STEP_MAX (3u + 2u * STEPS_A_CALL * ROW_MAX)

struct rules {
    struct conf *conf;
    const struct row *rows;
    unsigned count;
    unsigned served; /* calls that came through */
    struct vmr_step steps[STEP_MAX];
};

static enum hv_status serve(void *context, struct vmr_hv_call *call)
{
    struct rules *rules = context;

    (void)call;
    rules->served++;
    return HV_STATUS_SUCCESS;
}

static uint64_t expected(const struct row *row)
{
    return row->status ? row->status : HV_RESULT(0, row->control >> HV_CONTROL_REP_COUNT_SHIFT & HV_CONTROL_REP_MAX);
}

static uint32_t add_call(struct vmr_step *steps, const struct row *row, bool narrow)
{
    const struct vmr_step call[STEPS_A_CALL] = {
        VMR_SET(0, row->input),
        VMR_SET(1, row->output),
        {.op = VMR_STEP_HV_CALL, .size = narrow ? 4 : 8, .var = 6, .address = HV_CODE_PAGE, .value = row->control},
        HV_NO_FAULT(),
        VMR_EXPECT(6, expected(row)),
    };

    memcpy(steps, call, sizeof(call));
    return STEPS_A_CALL;
}

/* What came through must be what was right, as often as it was made. */
static unsigned write_program(struct rules *rules, struct vmr_program *ret_program)
{
    const struct vmr_step open[] = {HV_OPEN()}, end = VMR_END();
    uint32_t count = sizeof(open) / sizeof(open[0]);
    unsigned right = 0;

    memcpy(rules->steps, open, sizeof(open));
    for (unsigned i = 0; i < rules->count; i++) {
        const struct row *row = &rules->rows[i];
        uint32_t before = count;

        if (row->callers & ONLY_64)
            count += add_call(&rules->steps[count], row, false);
        if (row->callers & ONLY_32)
            count += add_call(&rules->steps[count], row, true);
        right += row->status == GOOD ? (count - before) / STEPS_A_CALL : 0;
    }
    rules->steps[count++] = end;
    *ret_program = (struct vmr_program){.name = "rows", .steps = rules->steps, .count = count};
    return right;
}

static const char *row_of_step(const struct rules *rules, uint32_t step)
{
    uint32_t count = 2;

    for (unsigned i = 0; i < rules->count; i++) {
        count += rules->rows[i].callers == BOTH ? 2 * STEPS_A_CALL : STEPS_A_CALL;
        if (step < count)
            return rules->rows[i].what;
    }
    return "the end";
}

static void run_rows(struct rules *rules, const struct vmr_hv_config *config, uint64_t unhandled)
{
    static const uint16_t codes[] = {HC_IN_8,           HC_IN_16_OUT_8,        HC_IN_56_WORDS,
                                     HC_IN_256,         HC_IN_16_EACH_4_OUT_4, HC_IN_32_WORDS_EACH_8,
                                     HC_NEEDS_ISOLATION};
    struct conf *conf = rules->conf;
    const struct conf_vm_options options = {.hv = config};
    const struct vmr_hv_call_handler handler = {serve, rules};
    struct vmr_program program;
    unsigned right = write_program(rules, &program);
    struct conf_vm *vm = vm_about_to_run(conf, &options, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (!hc_handle(vm, codes[i], codes[i] == unhandled ? NULL : &handler))
            return;
    }
    if (!conf_run_to_end(vm, 0))
        CONF_CHECK(conf, false, "wrong: %s", row_of_step(rules, vm->reports[0].mismatch_step));
    CONF_CHECK_EQ(conf, rules->served, right, "calls that came through");
    conf_vm_destroy(vm);
}

static void check_rows(struct conf *conf, const struct vmr_hv_config *config, uint64_t unhandled,
                       const struct row *rows, size_t count)
{
    struct rules *rules = calloc(1, sizeof(*rules));

    CONF_REQUIRE(conf, rules && count <= ROW_MAX, "no room for %zu rows", count);
    rules->conf = conf;
    rules->rows = rows;
    rules->count = (unsigned)count;
    run_rows(rules, config, unhandled);
    free(rules);
}

#define CHECK_ROWS(conf, rows) check_rows((conf), &hv_all, 0, (rows), sizeof(rows) / sizeof((rows)[0]))

/* --- code, then privilege, then control word --- */

static void an_unknown_code_comes_before_everything(struct conf *conf)
{
    static const struct row rows[] = {
        {"unknown", HC_UNKNOWN, HV_INPUT, HV_OUTPUT, CODE, BOTH},
        {"unknown, reserved bit", HC_UNKNOWN | RESERVED(60), HV_INPUT, HV_OUTPUT, CODE, BOTH},
        {"unknown, elements", HC_UNKNOWN | HC_REPS(2) | HC_START(3), HV_INPUT, HV_OUTPUT, CODE, BOTH},
        {"unknown, input not aligned", HC_UNKNOWN, HV_INPUT + 1, HV_OUTPUT, CODE, BOTH},
        {"unknown, input not in RAM", HC_UNKNOWN, HV_NO_RAM, HV_OUTPUT, CODE, BOTH},
        {"unknown, fast", HC_UNKNOWN | HC_FAST, 1, 2, CODE, BOTH},
        {"code 0", 0, HV_INPUT, HV_OUTPUT, CODE, BOTH},
        {"the last code", 0xffff, HV_INPUT, HV_OUTPUT, CODE, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void a_call_that_nobody_handles_is_unknown(struct conf *conf)
{
    static const struct row rows[] = {
        {"not handled, not allowed", HC_NEEDS_ISOLATION | HC_REPS(1), HV_INPUT, 0, CODE, BOTH},
        {"handled", HC_IN_8, HV_INPUT, 0, GOOD, BOTH},
    };

    check_rows(conf, &hv_all, HC_NEEDS_ISOLATION, rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_missing_privilege_comes_before_the_control_word(struct conf *conf)
{
    static const struct row rows[] = {
        {"not allowed", HC_NEEDS_ISOLATION | HC_REPS(1), HV_INPUT, 0, DENIED, BOTH},
        {"not allowed, reserved bit", HC_NEEDS_ISOLATION | HC_REPS(1) | RESERVED(44), HV_INPUT, 0, DENIED, BOTH},
        {"not allowed, no elements", HC_NEEDS_ISOLATION, HV_INPUT, 0, DENIED, BOTH},
        {"not allowed, variable header", HC_NEEDS_ISOLATION | HC_REPS(1) | HC_WORDS(1), HV_INPUT, 0, DENIED, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void a_missing_privilege_comes_before_the_input(struct conf *conf)
{
    static const struct vmr_hv_config config = {.privileges_off = HV_SIGNAL_EVENTS};
    static const struct row rows[] = {
        {"off", HC_IN_8, HV_INPUT, 0, DENIED, BOTH},
        {"off, straddles", HC_IN_8, HV_INPUT + PAGE_END - 4, 0, DENIED, BOTH},
        {"off, not aligned", HC_IN_8, HV_INPUT + 1, 0, DENIED, BOTH},
        {"off, not in RAM", HC_IN_8, HV_NO_RAM, 0, DENIED, BOTH},
        {"off, fast", HC_IN_8 | HC_FAST, 1, 2, DENIED, BOTH},
        {"off, too long for fast", HC_IN_16_OUT_8 | HC_FAST, 1, 2, DENIED, BOTH},
        {"another is on", HC_IN_256, HV_INPUT, 0, GOOD, BOTH},
    };

    check_rows(conf, &config, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

static void reserved_bits_are_refused(struct conf *conf)
{
    static const struct row rows[] = {
        {"bit 27", HC_IN_8 | RESERVED(27), HV_INPUT, 0, INPUT, BOTH},
        {"bit 28", HC_IN_8 | RESERVED(28), HV_INPUT, 0, INPUT, BOTH},
        {"bit 29", HC_IN_8 | RESERVED(29), HV_INPUT, 0, INPUT, BOTH},
        {"bit 30", HC_IN_8 | RESERVED(30), HV_INPUT, 0, INPUT, BOTH},
        {"bit 31, which asks for the outermost hypervisor", HC_IN_8 | RESERVED(31), HV_INPUT, 0, GOOD, BOTH},
        {"bit 44", HC_IN_8 | RESERVED(44), HV_INPUT, 0, INPUT, BOTH},
        {"bit 45", HC_IN_8 | RESERVED(45), HV_INPUT, 0, INPUT, BOTH},
        {"bit 46", HC_IN_8 | RESERVED(46), HV_INPUT, 0, INPUT, BOTH},
        {"bit 47", HC_IN_8 | RESERVED(47), HV_INPUT, 0, INPUT, BOTH},
        {"bit 60", HC_IN_8 | RESERVED(60), HV_INPUT, 0, INPUT, BOTH},
        {"bit 61", HC_IN_8 | RESERVED(61), HV_INPUT, 0, INPUT, BOTH},
        {"bit 62", HC_IN_8 | RESERVED(62), HV_INPUT, 0, INPUT, BOTH},
        {"bit 63", HC_IN_8 | RESERVED(63), HV_INPUT, 0, INPUT, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void elements_go_with_calls_that_take_them(struct conf *conf)
{
    static const struct row rows[] = {
        {"simple, count", HC_IN_8 | HC_REPS(1), HV_INPUT, 0, INPUT, BOTH},
        {"simple, start", HC_IN_8 | HC_START(1), HV_INPUT, 0, INPUT, BOTH},
        {"list, none", HC_IN_16_EACH_4_OUT_4, HV_INPUT, HV_OUTPUT, INPUT, BOTH},
        {"list, start without count", HC_IN_16_EACH_4_OUT_4 | HC_START(1), HV_INPUT, HV_OUTPUT, INPUT, BOTH},
        {"list, start behind the last", HC_IN_16_EACH_4_OUT_4 | HC_REPS(2) | HC_START(2), HV_INPUT, HV_OUTPUT, INPUT,
         BOTH},
        {"list, start far behind", HC_IN_16_EACH_4_OUT_4 | HC_REPS(2) | HC_START(4095), HV_INPUT, HV_OUTPUT, INPUT,
         BOTH},
        {"list, start at the last", HC_IN_16_EACH_4_OUT_4 | HC_REPS(2) | HC_START(1), HV_INPUT, HV_OUTPUT, GOOD, BOTH},
        {"list, all", HC_IN_16_EACH_4_OUT_4 | HC_REPS(2), HV_INPUT, HV_OUTPUT, GOOD, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void a_variable_header_goes_with_calls_that_take_one(struct conf *conf)
{
    static const struct row rows[] = {
        {"simple without", HC_IN_8 | HC_WORDS(1), HV_INPUT, 0, INPUT, BOTH},
        {"list without", HC_IN_16_EACH_4_OUT_4 | HC_REPS(1) | HC_WORDS(1), HV_INPUT, HV_OUTPUT, INPUT, BOTH},
        {"simple with", HC_IN_56_WORDS | HC_WORDS(3), HV_INPUT, 0, GOOD, BOTH},
        {"simple with, unused", HC_IN_56_WORDS, HV_INPUT, 0, GOOD, BOTH},
        {"list with", HC_IN_32_WORDS_EACH_8 | HC_REPS(2) | HC_WORDS(3), HV_INPUT, 0, GOOD, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void the_control_word_comes_before_the_input(struct conf *conf)
{
    static const struct row rows[] = {
        {"not aligned", HC_IN_8, HV_INPUT + 1, 0, ALIGNMENT, BOTH},
        {"reserved bit, not aligned", HC_IN_8 | RESERVED(63), HV_INPUT + 1, 0, INPUT, BOTH},
        {"count, not aligned", HC_IN_8 | HC_REPS(1), HV_INPUT + 1, 0, INPUT, BOTH},
        {"header, not aligned", HC_IN_8 | HC_WORDS(1), HV_INPUT + 1, 0, INPUT, BOTH},
        {"no elements, not aligned", HC_IN_16_EACH_4_OUT_4, HV_INPUT + 1, HV_OUTPUT, INPUT, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

/* --- input and output in memory --- */

static void input_lies_in_one_page(struct conf *conf)
{
    static const struct row rows[] = {
        {"ends with its page", HC_IN_8, HV_INPUT + PAGE_END - 8, 0, GOOD, BOTH},
        {"256 bytes end with their page", HC_IN_256, HV_INPUT + PAGE_END - 256, 0, GOOD, BOTH},
        {"256 bytes go 8 beyond", HC_IN_256, HV_INPUT + PAGE_END - 248, 0, INPUT, BOTH},
        {"the header ends with the page", HC_IN_56_WORDS | HC_WORDS(505), HV_INPUT, 0, GOOD, BOTH},
        {"the header goes beyond", HC_IN_56_WORDS | HC_WORDS(506), HV_INPUT, 0, INPUT, BOTH},
        {"the longest header", HC_IN_56_WORDS | HC_WORDS(1023), HV_INPUT, 0, INPUT, BOTH},
        {"elements go beyond", HC_IN_32_WORDS_EACH_8 | HC_REPS(509), HV_INPUT, 0, INPUT, BOTH},
        {"elements before the start count", HC_IN_32_WORDS_EACH_8 | HC_REPS(509) | HC_START(508), HV_INPUT, 0, INPUT,
         BOTH},
        {"the most elements", HC_IN_32_WORDS_EACH_8 | HC_REPS(4095), HV_INPUT, 0, INPUT, BOTH},
        {"the last page there is", HC_IN_16_OUT_8, UINT64_MAX - 7, HV_OUTPUT, INPUT, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void input_is_aligned_to_8(struct conf *conf)
{
    static const struct row rows[] = {
        {"+ 1", HC_IN_8, HV_INPUT + 1, 0, ALIGNMENT, BOTH}, {"+ 2", HC_IN_8, HV_INPUT + 2, 0, ALIGNMENT, BOTH},
        {"+ 3", HC_IN_8, HV_INPUT + 3, 0, ALIGNMENT, BOTH}, {"+ 4", HC_IN_8, HV_INPUT + 4, 0, ALIGNMENT, BOTH},
        {"+ 5", HC_IN_8, HV_INPUT + 5, 0, ALIGNMENT, BOTH}, {"+ 6", HC_IN_8, HV_INPUT + 6, 0, ALIGNMENT, BOTH},
        {"+ 7", HC_IN_8, HV_INPUT + 7, 0, ALIGNMENT, BOTH}, {"+ 8", HC_IN_8, HV_INPUT + 8, 0, GOOD, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void straddling_comes_before_alignment(struct conf *conf)
{
    static const struct row rows[] = {
        {"input straddles, not aligned", HC_IN_8, HV_INPUT + PAGE_END - 7, 0, INPUT, BOTH},
        {"input fits, not aligned", HC_IN_8, HV_INPUT + PAGE_END - 9, 0, ALIGNMENT, BOTH},
        {"output straddles, not aligned", HC_IN_16_OUT_8, HV_INPUT, HV_OUTPUT + PAGE_END - 4, INPUT, BOTH},
        {"output fits, not aligned", HC_IN_16_OUT_8, HV_INPUT, HV_OUTPUT + PAGE_END - 12, ALIGNMENT, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void the_place_of_input_comes_before_that_of_output(struct conf *conf)
{
    static const struct row rows[] = {
        {"output straddles", HC_IN_16_OUT_8, HV_INPUT, HV_OUTPUT + PAGE_END - 4, INPUT, BOTH},
        {"output not aligned", HC_IN_16_OUT_8, HV_INPUT, HV_OUTPUT + 4, ALIGNMENT, BOTH},
        {"input not aligned, output straddles", HC_IN_16_OUT_8, HV_INPUT + 4, HV_OUTPUT + PAGE_END - 4, ALIGNMENT,
         BOTH},
        {"input straddles, output not aligned", HC_IN_16_OUT_8, HV_INPUT + PAGE_END - 8, HV_OUTPUT + 4, INPUT, BOTH},
        {"elements of output straddle", HC_IN_16_EACH_4_OUT_4 | HC_REPS(3), HV_INPUT, HV_OUTPUT + PAGE_END - 8, INPUT,
         BOTH},
        {"elements before the start count", HC_IN_16_EACH_4_OUT_4 | HC_REPS(3) | HC_START(2), HV_INPUT,
         HV_OUTPUT + PAGE_END - 8, INPUT, BOTH},
        {"elements of output end with the page", HC_IN_16_EACH_4_OUT_4 | HC_REPS(2), HV_INPUT, HV_OUTPUT + PAGE_END - 8,
         GOOD, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void places_come_before_reading(struct conf *conf)
{
    static const struct row rows[] = {
        {"input not in RAM", HC_IN_16_OUT_8, HV_NO_RAM, HV_OUTPUT, INPUT, BOTH},
        {"input not in RAM, not aligned", HC_IN_16_OUT_8, HV_NO_RAM + 4, HV_OUTPUT, ALIGNMENT, BOTH},
        {"input not in RAM, output not aligned", HC_IN_16_OUT_8, HV_NO_RAM, HV_OUTPUT + 4, ALIGNMENT, BOTH},
        {"input beyond every address", HC_IN_8, UINT64_C(1) << 60, 0, INPUT, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void what_has_no_bytes_is_nowhere(struct conf *conf)
{
    static const struct row rows[] = {
        {"no output: not in RAM", HC_IN_8, HV_INPUT, HV_NO_RAM, GOOD, BOTH},
        {"no output: not aligned", HC_IN_8, HV_INPUT, 1, GOOD, BOTH},
        {"no output: at the very end", HC_IN_32_WORDS_EACH_8 | HC_REPS(1), HV_INPUT, UINT64_MAX, GOOD, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

/* --- input in registers --- */

static void a_fast_call_has_as_many_registers_as_its_caller(struct conf *conf)
{
    static const struct row rows[] = {
        {"words are no addresses", HC_IN_8 | HC_FAST, HV_INPUT + 1, HV_NO_RAM + 3, GOOD, BOTH},
        {"256 bytes", HC_IN_256 | HC_FAST, HV_INPUT, HV_OUTPUT, INPUT, BOTH},
        {"16 bytes in, 8 out, in 32-bit registers", HC_IN_16_OUT_8 | HC_FAST, 1, 2, INPUT, ONLY_32},
        {"56 bytes, in 32-bit registers", HC_IN_56_WORDS | HC_FAST, 1, 2, INPUT, ONLY_32},
        {"reserved bit", HC_IN_8 | HC_FAST | RESERVED(45), 1, 2, INPUT, BOTH},
        {"elements beyond every register", HC_IN_32_WORDS_EACH_8 | HC_FAST | HC_REPS(4095), 1, 2, INPUT, BOTH},
        {"a header beyond every register", HC_IN_56_WORDS | HC_FAST | HC_WORDS(1023), 1, 2, INPUT, BOTH},
    };

    CHECK_ROWS(conf, rows);
}

static void xmm_registers_are_six_more_pairs(struct conf *conf)
{
    static const struct row rows[] = {
        {"16 bytes in, 8 out", HC_IN_16_OUT_8 | HC_FAST, 1, 2, GOOD, ONLY_64},
        {"56 bytes", HC_IN_56_WORDS | HC_FAST, 1, 2, GOOD, ONLY_64},
        {"112 bytes, all pairs", HC_IN_56_WORDS | HC_FAST | HC_WORDS(7), 1, 2, GOOD, ONLY_64},
        {"120 bytes", HC_IN_56_WORDS | HC_FAST | HC_WORDS(8), 1, 2, INPUT, ONLY_64},
        {"7 pairs of input and output", HC_IN_16_EACH_4_OUT_4 | HC_FAST | HC_REPS(12), 1, 2, GOOD, ONLY_64},
        {"9 pairs of input and output", HC_IN_16_EACH_4_OUT_4 | HC_FAST | HC_REPS(13), 1, 2, INPUT, ONLY_64},
    };

    CHECK_ROWS(conf, rows);
}

static const struct conf_scenario scenarios[] = {
    {HC_SCENARIO(an_unknown_code_comes_before_everything), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(a_call_that_nobody_handles_is_unknown), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(a_missing_privilege_comes_before_the_control_word), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(a_missing_privilege_comes_before_the_input), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(reserved_bits_are_refused), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(elements_go_with_calls_that_take_them), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(a_variable_header_goes_with_calls_that_take_one), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(the_control_word_comes_before_the_input), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(input_lies_in_one_page), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(input_is_aligned_to_8), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(straddling_comes_before_alignment), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(the_place_of_input_comes_before_that_of_output), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(places_come_before_reading), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(what_has_no_bytes_is_nowhere), .clauses = "HC-2", .needs = HC_NEEDS},
    {HC_SCENARIO(a_fast_call_has_as_many_registers_as_its_caller), .clauses = "HC-2 HC-3", .needs = HC_NEEDS},
    {HC_SCENARIO(xmm_registers_are_six_more_pairs), .clauses = "HC-2 HC-3", .needs = HC_NEEDS | CONF_CAP(XMM)},
};

CONF_FAMILY(hypercall_rules, scenarios);
