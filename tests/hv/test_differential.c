/* SPDX-License-Identifier: MIT */

/*
 * The dispatcher against the model of reference.c, over calls made by a fixed
 * seed. First any call at all, hostile ones too, one instruction each. Then
 * good calls, made in every form there is: each must do the same work and give
 * the same bytes, in registers or in memory, at once or in pieces, on every
 * convention.
 */

#include "tests/hv/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define INSTRUCTIONS 30000
#define SAME_CALLS 1500
#define PAGE UINT64_C(4096)
#define INPUT_GPA UINT64_C(0)
#define OUTPUT_GPA PAGE
#define INSTRUCTION_BYTES 4

struct bench {
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_hv_calls calls;
    struct vmr_hv_caller caller;
    struct reference_handler ours, theirs;
    struct vmr_hv_call_registers registers, model;
    struct vmr_hv_result result;
    uint8_t ram[REFERENCE_RAM_BYTES]; /* the model's */
    uint64_t seed;
    unsigned instructions, outcomes[4], successes, forms;
};

static uint64_t next(struct bench *bench)
{
    bench->seed ^= bench->seed << 13;
    bench->seed ^= bench->seed >> 7;
    bench->seed ^= bench->seed << 17;
    return bench->seed * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned pick(struct bench *bench, unsigned below)
{
    return (unsigned)(next(bench) >> 33) % below;
}

static enum hv_status handle(void *context, struct vmr_hv_call *call)
{
    struct bench *bench = context;
    const struct vmr_hv_call_definition *definition = vmr_hv_call_find(call->code);
    const struct vmr_hv_call_sizes *sizes =
        bench->caller.abi >= VMR_HV_ABI_ARM64_HVC ? &definition->arm64 : &definition->x86;
    struct reference_item item = {.code = call->code,
                                  .fixed = call->input,
                                  .fixed_bytes = sizes->input,
                                  .variable = call->variable,
                                  .variable_bytes = 8 * call->variable_words,
                                  .element_bytes = sizes->rep_input};
    bool rep = definition->kind == VMR_HV_CALL_REP;

    for (uint32_t done = 0; done < (rep ? call->rep_count : 1); done++) {
        item.index = call->rep_first + done;
        item.element = call->reps + (size_t)done * sizes->rep_input;
        call->reps_done = done;
        enum hv_status status = reference_decide(&bench->ours, item.index);

        if (status)
            return status;
        reference_work(&bench->ours, &item, call->output + (size_t)done * sizes->rep_output,
                       rep ? sizes->rep_output : sizes->output);
    }
    return HV_STATUS_SUCCESS;
}

static bool allow(void *context, const struct vmr_hv_vtl_switch *request)
{
    (void)context, (void)request;
    return true;
}

static void must_add(struct bench *bench, vmr_gpa gpa, uint64_t size, bool read_only)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size, .read_only = read_only};

    assert_int_equal(vmr_memory_region_add(bench->memory, &region, NULL), VMR_OK);
}

/* The same bytes on both sides; the hole is none. */
static void fill_memory(struct bench *bench)
{
    for (size_t at = 0; at < sizeof(bench->ram); at += 8) {
        uint64_t word = next(bench);

        memcpy(bench->ram + at, &word, 8);
    }
    assert_int_equal(vmr_memory_write(bench->memory, 0, bench->ram, 2 * PAGE), VMR_OK);
    assert_int_equal(vmr_memory_write(bench->memory, 3 * PAGE, bench->ram + 3 * PAGE, PAGE), VMR_OK);
}

static void bench_init(struct bench *bench)
{
    const struct vmr_hv_call_handler handler = {handle, bench};

    memset(bench, 0, sizeof(*bench));
    bench->seed = 20260807;
    vmr_host_posix(&bench->host, NULL);
    assert_int_equal(vmr_memory_create(&bench->host, &bench->memory, NULL), VMR_OK);
    must_add(bench, 0, 2 * PAGE, false);
    must_add(bench, 3 * PAGE, PAGE, true);
    for (size_t i = 0; reference_shape_at(i); i++)
        assert_int_equal(vmr_hv_calls_set(&bench->calls, reference_shape_at(i)->code, &handler), VMR_OK);
    vmr_hv_calls_set_vtl_switch(&bench->calls, &(struct vmr_hv_vtl_switch_handler){allow, NULL});
    fill_memory(bench);
}

static void bench_finish(struct bench *bench)
{
    vmr_memory_destroy(bench->memory);
}

static void compare_memory(struct bench *bench)
{
    uint8_t page[4096];

    for (uint64_t gpa = 0; gpa < sizeof(bench->ram); gpa += PAGE) {
        if (gpa == 2 * PAGE)
            continue;
        assert_int_equal(vmr_memory_read(bench->memory, gpa, page, sizeof(page)), VMR_OK);
        assert_memory_equal(page, bench->ram + gpa, sizeof(page));
    }
}

static void compare_registers(const struct vmr_hv_call_registers *ours, const struct vmr_hv_call_registers *theirs)
{
    assert_memory_equal(ours->gpr, theirs->gpr, sizeof(ours->gpr));
    assert_memory_equal(ours->xmm, theirs->xmm, sizeof(ours->xmm));
    assert_int_equal(ours->pc, theirs->pc);
    assert_int_equal(ours->gpr_modified, theirs->gpr_modified);
    assert_int_equal(ours->xmm_modified, theirs->xmm_modified);
    assert_int_equal(ours->pc_modified, theirs->pc_modified);
}

/* What the mask does not name is as it was. */
static void check_mask(const struct vmr_hv_call_registers *before, const struct vmr_hv_call_registers *after)
{
    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        assert_true((after->gpr_modified >> i & 1) != 0 || before->gpr[i] == after->gpr[i]);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        assert_true((after->xmm_modified >> i & 1) != 0 ||
                    memcmp(&before->xmm[i], &after->xmm[i], sizeof(after->xmm[i])) == 0);
    assert_true(after->pc_modified || before->pc == after->pc);
}

/* One hypercall instruction, on both sides. */
static void execute(struct bench *bench)
{
    const struct vmr_hv_call_registers before = bench->registers;
    const struct reference_call call = {&bench->caller, &bench->theirs, &bench->model, bench->ram};
    struct vmr_hv_result want;

    bench->model = before;
    assert_int_equal(vmr_hv_dispatch(&bench->calls, &bench->caller, bench->memory, &bench->registers, &bench->result),
                     VMR_OK);
    reference_dispatch(&call, &want);
    compare_registers(&bench->registers, &bench->model);
    check_mask(&before, &bench->registers);
    assert_int_equal(bench->result.outcome, want.outcome);
    assert_int_equal(bench->result.code, want.code);
    assert_int_equal(bench->result.status, want.status);
    assert_int_equal(bench->result.completed, want.completed);
    assert_int_equal(bench->ours.log, bench->theirs.log);
    bench->instructions++;
    bench->outcomes[want.outcome]++;
    bench->successes += want.outcome == VMR_HV_DONE && want.status == HV_STATUS_SUCCESS;
}

/* --- any call at all --- */

static void scramble_registers(struct bench *bench)
{
    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        bench->registers.gpr[i] = next(bench);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        bench->registers.xmm[i] = (struct vmr_hv_xmm){.low = next(bench), .high = next(bench)};
    bench->registers.pc = next(bench);
    if (bench->caller.abi == VMR_HV_ABI_X86)
        bench->registers.pc &= UINT32_MAX;
}

/* Control and the first two words, where the convention wants them. */
static void set_parameters(struct bench *bench, uint64_t control, uint64_t first, uint64_t second)
{
    static const unsigned controls[] = {[VMR_HV_ABI_X64] = 1, [VMR_HV_ABI_ARM64_SMCCC] = 1};
    static const unsigned words[][2] = {
        [VMR_HV_ABI_X64] = {2, 8}, [VMR_HV_ABI_ARM64_HVC] = {1, 2}, [VMR_HV_ABI_ARM64_SMCCC] = {2, 3}};
    unsigned abi = bench->caller.abi;
    uint64_t *gpr = bench->registers.gpr;

    if (abi != VMR_HV_ABI_X86) {
        gpr[controls[abi]] = control;
        gpr[words[abi][0]] = first;
        gpr[words[abi][1]] = second;
        return;
    }
    uint64_t junk = next(bench) << 32; /* above 32 bits, which nobody may look at */

    gpr[2] = junk | control >> 32;
    gpr[0] = junk | (uint32_t)control;
    gpr[3] = junk | first >> 32;
    gpr[1] = junk | (uint32_t)first;
    gpr[7] = junk | second >> 32;
    gpr[6] = junk | (uint32_t)second;
}

static uint64_t any_address(struct bench *bench)
{
    static const uint64_t pages[] = {0, 0, 0, 1, 1, 1, 2, 3, 4, UINT64_C(1) << 40, UINT64_MAX >> 12};
    uint64_t page = pages[pick(bench, sizeof(pages) / sizeof(pages[0]))] * PAGE;

    switch (pick(bench, 6)) {
    case 0:
        return page + pick(bench, 4096);
    case 1:
        return page + 4096 - 8 * (uint64_t)(1 + pick(bench, 64));
    case 2:
        return page + 8 * (uint64_t)pick(bench, 512);
    default:
        return page;
    }
}

/* Mostly right for the call; sometimes one bit is not. */
static uint64_t any_control(struct bench *bench)
{
    unsigned shape_count = 0;

    while (reference_shape_at(shape_count))
        shape_count++;
    const struct reference_shape *shape = reference_shape_at(pick(bench, shape_count));
    uint64_t control = shape->code;
    unsigned most = pick(bench, 3) == 0 ? 560 : 8;

    if (pick(bench, 30) == 0)
        control = pick(bench, 2) ? next(bench) & 0xffff : 0x11 + pick(bench, 2);
    if (shape->rep) {
        unsigned count = 1 + pick(bench, most);

        control |= (uint64_t)count << 32;
        if (pick(bench, 2))
            control |= (uint64_t)pick(bench, count + 1) << 48;
    }
    if (shape->variable)
        control |= (uint64_t)pick(bench, most) << 17;
    if (pick(bench, 2))
        control |= HV_CONTROL_FAST;
    if (pick(bench, 12) == 0)
        control ^= UINT64_C(1) << pick(bench, 64);
    return control;
}

static struct reference_handler any_handler(struct bench *bench)
{
    static const uint16_t statuses[] = {0x05, 0x06, 0x0b, 0x0e, 0x13, 0x78, 0xffff};
    struct reference_handler handler = {.fail_at = REFERENCE_NEVER, .timeout_at = REFERENCE_NEVER};

    if (pick(bench, 3) == 0) {
        handler.fail_at = pick(bench, 6);
        handler.fail_status = statuses[pick(bench, sizeof(statuses) / sizeof(statuses[0]))];
    }
    if (pick(bench, 4) == 0)
        handler.timeout_at = pick(bench, 6);
    return handler;
}

static void any_call_does_what_the_model_does(void **state)
{
    (void)state;
    static struct bench bench;

    bench_init(&bench);
    for (unsigned i = 0; i < INSTRUCTIONS; i++) {
        bench.caller = (struct vmr_hv_caller){.abi = (uint8_t)pick(&bench, VMR_HV_ABI_COUNT),
                                              .instruction_length = (uint8_t)(1 + pick(&bench, 15)),
                                              .pc_advanced = pick(&bench, 2),
                                              .privileges = UINT64_MAX};
        if (pick(&bench, 8) == 0)
            bench.caller.privileges &= next(&bench);
        scramble_registers(&bench);
        uint64_t control = any_control(&bench);

        set_parameters(&bench, control, any_address(&bench), any_address(&bench));
        bench.ours = bench.theirs = any_handler(&bench);
        execute(&bench);
        if (i % 16 == 0)
            compare_memory(&bench);
    }
    compare_memory(&bench);
    for (size_t i = 0; i < sizeof(bench.outcomes) / sizeof(bench.outcomes[0]); i++)
        assert_true(bench.outcomes[i] > 50);
    assert_true(bench.successes > 3000);
    print_message("%u instructions: %u done (%u with success), %u to be repeated, %u undefined, %u VTL switches\n",
                  bench.instructions, bench.outcomes[0], bench.successes, bench.outcomes[1], bench.outcomes[2],
                  bench.outcomes[3]);
    bench_finish(&bench);
}

/* --- the same call in every form --- */

struct good_call {
    const struct reference_shape *shape;
    unsigned count, variable_words;
    size_t input_bytes, output_bytes;
    uint8_t input[4096];
    unsigned split_at; /* an element, for the forms that stop on the way */
};

enum split {
    WHOLE,
    BY_TIMEOUT, /* the handler asks for a retry */
    BY_FAILURE, /* the handler fails once; the guest calls again from there */
    SPLIT_COUNT
};

struct outcome {
    uint64_t result, log;
    uint8_t output[4096];
};

static void make_good_call(struct bench *bench, struct good_call *call)
{
    unsigned shape_count = 0;

    while (reference_shape_at(shape_count))
        shape_count++;
    do
        call->shape = reference_shape_at(pick(bench, shape_count));
    while (call->shape->fixed_arm64 || call->shape->output_arm64); /* these differ by architecture */
    const struct reference_shape *shape = call->shape;
    unsigned most = pick(bench, 4) == 0 ? 120 : 10;

    call->count = shape->rep ? 1 + pick(bench, most) : 0;
    call->variable_words = shape->variable ? pick(bench, 8) : 0;
    call->split_at = shape->rep ? pick(bench, call->count) : 0;
    call->input_bytes = shape->fixed + 8u * call->variable_words + (size_t)call->count * shape->element;
    call->output_bytes = shape->output + (size_t)call->count * shape->element_output;
    for (size_t i = 0; i < call->input_bytes; i++)
        call->input[i] = (uint8_t)next(bench);
}

static unsigned first_output_word(const struct bench *bench, const struct good_call *call)
{
    unsigned in = (unsigned)(call->input_bytes + 15) / 16, out = (unsigned)(call->output_bytes + 15) / 16;

    return 2 * (bench->caller.abi == VMR_HV_ABI_ARM64_HVC ? 8 - out : in);
}

static bool fits_registers(const struct bench *bench, const struct good_call *call)
{
    size_t pairs = (call->input_bytes + 15) / 16 + (call->output_bytes + 15) / 16;

    switch ((enum vmr_hv_abi)bench->caller.abi) {
    case VMR_HV_ABI_X64:
        return pairs <= 7;
    case VMR_HV_ABI_X86:
        return pairs <= 1 && call->output_bytes == 0;
    case VMR_HV_ABI_ARM64_HVC:
    case VMR_HV_ABI_ARM64_SMCCC:
        return pairs <= 8;
    case VMR_HV_ABI_COUNT:
        break;
    }
    return false;
}

/* The word that a 64-bit convention has at `index`. */
static uint64_t *word_at(struct bench *bench, unsigned index)
{
    struct vmr_hv_call_registers *registers = &bench->registers;

    if (bench->caller.abi != VMR_HV_ABI_X64)
        return &registers->gpr[index + (bench->caller.abi == VMR_HV_ABI_ARM64_HVC ? 1 : 2)];
    if (index < 2)
        return &registers->gpr[index == 0 ? 2 : 8];
    return index % 2 == 0 ? &registers->xmm[index / 2 - 1].low : &registers->xmm[index / 2 - 1].high;
}

static void place_in_registers(struct bench *bench, const struct good_call *call, uint64_t control)
{
    uint64_t words[16];

    for (unsigned i = 0; i < 16; i++)
        words[i] = next(bench);
    memcpy(words, call->input, call->input_bytes);
    set_parameters(bench, control, words[0], words[1]);
    if (bench->caller.abi == VMR_HV_ABI_X86)
        return;
    for (unsigned i = 0; i < (bench->caller.abi == VMR_HV_ABI_X64 ? 14u : 16u); i++)
        *word_at(bench, i) = words[i];
}

static void place_in_memory(struct bench *bench, const struct good_call *call, uint64_t control)
{
    memcpy(bench->ram + INPUT_GPA, call->input, call->input_bytes);
    assert_int_equal(vmr_memory_write(bench->memory, INPUT_GPA, call->input, call->input_bytes), VMR_OK);
    set_parameters(bench, control, INPUT_GPA, OUTPUT_GPA);
}

static uint64_t control_now(const struct bench *bench)
{
    const uint64_t *gpr = bench->registers.gpr;

    switch ((enum vmr_hv_abi)bench->caller.abi) {
    case VMR_HV_ABI_X86:
        return gpr[2] << 32 | (uint32_t)gpr[0];
    case VMR_HV_ABI_ARM64_HVC:
        return gpr[0];
    case VMR_HV_ABI_X64:
    case VMR_HV_ABI_ARM64_SMCCC:
    case VMR_HV_ABI_COUNT:
        break;
    }
    return gpr[1];
}

static uint64_t result_now(const struct bench *bench)
{
    const uint64_t *gpr = bench->registers.gpr;

    return bench->caller.abi == VMR_HV_ABI_X86 ? gpr[2] << 32 | (uint32_t)gpr[0] : gpr[0];
}

static void set_control(struct bench *bench, uint64_t control)
{
    uint64_t *gpr = bench->registers.gpr;

    if (bench->caller.abi == VMR_HV_ABI_X86) {
        gpr[2] = control >> 32;
        gpr[0] = (uint32_t)control;
    } else {
        gpr[bench->caller.abi == VMR_HV_ABI_ARM64_HVC ? 0 : 1] = control;
    }
}

/* As a guest does: until there is a result, and again from where a call failed. */
static void call_until_done(struct bench *bench, const struct good_call *call, uint64_t control)
{
    uint64_t start = UINT64_C(0xfff) << 48;

    for (;;) {
        do
            execute(bench);
        while (bench->result.outcome == VMR_HV_RETRY);
        assert_int_equal(bench->result.outcome, VMR_HV_DONE);
        if (bench->result.status == HV_STATUS_SUCCESS)
            return;
        assert_int_equal(bench->result.status, HV_STATUS_INSUFFICIENT_MEMORY);
        assert_int_equal(bench->result.completed, call->split_at);
        set_control(bench, (control & ~start) | (uint64_t)call->split_at << 48);
        bench->ours.fail_at = bench->theirs.fail_at = REFERENCE_NEVER;
    }
}

static void take_output(struct bench *bench, const struct good_call *call, bool fast, struct outcome *ret_outcome)
{
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    ret_outcome->result = result_now(bench);
    ret_outcome->log = bench->ours.log;
    if (!fast) {
        assert_int_equal(vmr_memory_read(bench->memory, OUTPUT_GPA, ret_outcome->output, call->output_bytes), VMR_OK);
        return;
    }
    for (size_t at = 0; at < call->output_bytes; at++)
        ret_outcome->output[at] =
            (uint8_t)(*word_at(bench, first_output_word(bench, call) + (unsigned)(at / 8)) >> (8 * (at % 8)));
}

static void make_call(struct bench *bench, const struct good_call *call, bool fast, enum split split,
                      struct outcome *ret_outcome)
{
    uint64_t control = call->shape->code | (fast ? HV_CONTROL_FAST : 0) | (uint64_t)call->variable_words << 17 |
                       (uint64_t)call->count << 32;

    bench->ours = (struct reference_handler){
        .fail_at = split == BY_FAILURE ? call->split_at : REFERENCE_NEVER,
        .fail_status = HV_STATUS_INSUFFICIENT_MEMORY,
        .timeout_at = split == BY_TIMEOUT ? call->split_at : REFERENCE_NEVER,
    };
    bench->theirs = bench->ours;
    scramble_registers(bench);
    if (fast)
        place_in_registers(bench, call, control);
    else
        place_in_memory(bench, call, control);
    assert_int_equal(control_now(bench), control);
    call_until_done(bench, call, control);
    take_output(bench, call, fast, ret_outcome);
    bench->forms++;
}

static void make_call_in_every_form(struct bench *bench, const struct good_call *call)
{
    struct outcome first, other;
    bool have_first = false;

    for (unsigned abi = 0; abi < VMR_HV_ABI_COUNT; abi++) {
        if (call->shape->x86_only && abi >= VMR_HV_ABI_ARM64_HVC)
            continue;
        bench->caller = (struct vmr_hv_caller){
            .abi = (uint8_t)abi, .instruction_length = INSTRUCTION_BYTES, .privileges = UINT64_MAX};
        for (unsigned form = 0; form < 2 * SPLIT_COUNT; form++) {
            bool fast = form % 2 == 1;

            if (fast && !fits_registers(bench, call))
                continue;
            make_call(bench, call, fast, (enum split)(form / 2), have_first ? &other : &first);
            if (have_first && memcmp(&other, &first, sizeof(first)) != 0)
                fail_msg("call %#x: convention %u, form %u", call->shape->code, abi, form);
            have_first = true;
        }
    }
    assert_int_equal(first.result, (uint64_t)call->count << 32);
}

static void every_form_of_a_call_does_the_same(void **state)
{
    (void)state;
    static struct bench bench;
    static struct good_call call;

    bench_init(&bench);
    for (unsigned i = 0; i < SAME_CALLS; i++) {
        make_good_call(&bench, &call);
        make_call_in_every_form(&bench, &call);
        if (i % 32 == 0)
            compare_memory(&bench);
    }
    compare_memory(&bench);
    assert_true(bench.forms > 12 * SAME_CALLS);
    print_message("%u calls in %u forms, %u instructions\n", SAME_CALLS, bench.forms, bench.instructions);
    bench_finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_does_what_the_model_does),
        cmocka_unit_test(every_form_of_a_call_does_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
