/* SPDX-License-Identifier: MIT */

/*
 * Good calls, made in every form there is: each must do the same work and give
 * the same bytes, in registers or in memory, at once or in pieces, begun at
 * every element, on every convention, and touch no register but those of its
 * result and output.
 */

#include "tests/hv/differential.h"

#define SAME_CALLS 2000
#define SPLIT_CALLS 150
#define SPLIT_ELEMENTS_MAX 6
#define INPUT_GPA UINT64_C(0)
#define OUTPUT_GPA PAGE
#define INSTRUCTION_BYTES 4

struct good_call {
    const struct reference_shape *shape;
    unsigned count, variable_words;
    size_t input_bytes, output_bytes;
    uint8_t input[4096];
};

enum split {
    WHOLE,
    BY_TIMEOUT, /* the handler asks for a retry */
    BY_FAILURE, /* the handler fails once; the guest calls again from there */
    SPLIT_COUNT
};

/* How a call is made. */
struct way {
    bool fast;
    enum split split;
    unsigned start, split_at; /* elements */
    const uint8_t *whole;     /* the output of all elements, to compare with on the way; NULL: unknown */
    uint8_t before[4096];     /* what was where the output goes */
};

struct outcome {
    uint64_t result, log;
    uint8_t output[4096];
};

static void make_good_call(struct bench *bench, struct good_call *call, bool only_lists, unsigned most)
{
    unsigned shape_count = 0;

    while (reference_shape_at(shape_count))
        shape_count++;
    do
        call->shape = reference_shape_at(bench_pick(bench, shape_count));
    while (only_lists && !call->shape->rep);
    const struct reference_shape *shape = call->shape;

    call->count = shape->rep ? 1 + bench_pick(bench, most) : 0;
    call->variable_words = shape->variable ? bench_pick(bench, 8) : 0;
    for (size_t i = 0; i < sizeof(call->input); i++)
        call->input[i] = (uint8_t)bench_next(bench);
}

static bool differs_by_architecture(const struct good_call *call)
{
    return call->shape->fixed_arm64 != 0 || call->shape->output_arm64 != 0;
}

/* The call as one of this convention makes it. */
static void be_caller(struct bench *bench, struct good_call *call, unsigned abi)
{
    const struct reference_shape *shape = call->shape;
    bool arm64 = abi >= VMR_HV_ABI_ARM64_HVC;
    unsigned fixed = arm64 && shape->fixed_arm64 ? shape->fixed_arm64 : shape->fixed;
    unsigned output = arm64 && shape->output_arm64 ? shape->output_arm64 : shape->output;

    bench->caller = (struct vmr_hv_caller){.abi = (uint8_t)abi,
                                           .vtl = (uint8_t)bench_pick(bench, 2),
                                           .instruction_length = INSTRUCTION_BYTES,
                                           .pc_advanced = bench_pick(bench, 2),
                                           .privileges = UINT64_MAX};
    call->input_bytes = fixed + 8u * call->variable_words + (size_t)call->count * shape->element;
    call->output_bytes = output + (size_t)call->count * shape->element_output;
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
        words[i] = bench_next(bench);
    memcpy(words, call->input, call->input_bytes);
    bench_set_parameters(bench, control, words[0], words[1]);
    if (bench->caller.abi == VMR_HV_ABI_X86)
        return;
    for (unsigned i = 0; i < (bench->caller.abi == VMR_HV_ABI_X64 ? 14u : 16u); i++)
        *word_at(bench, i) = words[i];
}

static void place_in_memory(struct bench *bench, const struct good_call *call, uint64_t control)
{
    memcpy(bench->ram + INPUT_GPA, call->input, call->input_bytes);
    assert_int_equal(vmr_memory_write(bench->memory, INPUT_GPA, call->input, call->input_bytes), VMR_OK);
    bench_set_parameters(bench, control, INPUT_GPA, OUTPUT_GPA);
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

static void take_output(struct bench *bench, const struct good_call *call, bool fast, uint8_t *ret_output)
{
    if (!fast) {
        assert_int_equal(vmr_memory_read(bench->memory, OUTPUT_GPA, ret_output, call->output_bytes), VMR_OK);
        return;
    }
    for (size_t at = 0; at < call->output_bytes; at++)
        ret_output[at] =
            (uint8_t)(*word_at(bench, first_output_word(bench, call) + (unsigned)(at / 8)) >> (8 * (at % 8)));
}

/* Output of elements from `start` on and below `end` is what it must be; elsewhere is what was there. */
static void check_output(struct bench *bench, const struct good_call *call, const struct way *way, unsigned end)
{
    size_t size = call->shape->element_output;
    uint8_t now[4096];

    if (!way->whole || size == 0)
        return;
    take_output(bench, call, way->fast, now);
    assert_memory_equal(now, way->before, way->start * size);
    assert_memory_equal(now + way->start * size, way->whole + way->start * size, (end - way->start) * size);
    assert_memory_equal(now + end * size, way->before + end * size, (call->count - end) * size);
}

/* As a guest does: until there is a result, and again from where a call failed. */
static void call_until_done(struct bench *bench, const struct good_call *call, const struct way *way, uint64_t control)
{
    uint64_t start = UINT64_C(0xfff) << 48, pc = bench->registers.pc;

    for (;;) {
        bench_execute(bench);
        while (bench->result.outcome == VMR_HV_RETRY) {
            check_output(bench, call, way, bench->result.completed);
            bench->registers.pc = pc; /* behind the instruction again, where the processor sees to that */
            bench_execute(bench);
        }
        assert_int_equal(bench->result.outcome, VMR_HV_DONE);
        if (bench->result.status == HV_STATUS_SUCCESS)
            return;
        assert_int_equal(bench->result.status, HV_STATUS_INSUFFICIENT_MEMORY);
        assert_int_equal(bench->result.completed, way->split_at);
        check_output(bench, call, way, way->split_at);
        set_control(bench, (control & ~start) | (uint64_t)way->split_at << 48);
        bench->registers.pc = pc;
        bench->ours.fail_at = bench->theirs.fail_at = REFERENCE_NEVER;
    }
}

/* --- registers that are nobody's but the caller's --- */

/* Bit n: general register n may change. The control's may where a guest calls again. */
static uint32_t may_change(const struct bench *bench, const struct good_call *call, bool fast)
{
    static const uint32_t result_and_control[VMR_HV_ABI_COUNT] = {
        [VMR_HV_ABI_X64] = 1u << 0 | 1u << 1,        /* RAX, RCX */
        [VMR_HV_ABI_X86] = 1u << 0 | 1u << 2,        /* EAX, EDX: both */
        [VMR_HV_ABI_ARM64_HVC] = 1u << 0,            /* X0: both */
        [VMR_HV_ABI_ARM64_SMCCC] = 1u << 0 | 1u << 1 /* X0, X1 */
    };
    unsigned abi = bench->caller.abi, pairs = fast ? (unsigned)(call->output_bytes + 15) / 16 : 0;
    uint32_t bits = result_and_control[abi];

    for (unsigned i = 0; i < 2 * pairs; i++) {
        unsigned word = first_output_word(bench, call) + i;

        if (abi == VMR_HV_ABI_X64 && word < 2)
            bits |= 1u << (word == 0 ? 2 : 8); /* RDX, R8 */
        else if (abi != VMR_HV_ABI_X64)
            bits |= 1u << (word + (abi == VMR_HV_ABI_ARM64_HVC ? 1 : 2));
    }
    return bits;
}

static void check_others(struct bench *bench, const struct good_call *call, bool fast,
                         const struct vmr_hv_call_registers *before)
{
    uint32_t allowed = may_change(bench, call, fast);
    unsigned pairs = fast && bench->caller.abi == VMR_HV_ABI_X64 ? (unsigned)(call->output_bytes + 15) / 16 : 0;
    unsigned first = pairs != 0 ? first_output_word(bench, call) / 2 : 0; /* pair 0 is no XMM register */
    uint64_t length = bench->caller.pc_advanced ? 0 : INSTRUCTION_BYTES;

    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        assert_true((allowed >> i & 1) != 0 || before->gpr[i] == bench->registers.gpr[i]);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++) {
        if (i + 1 < first || i + 1 >= first + pairs)
            assert_memory_equal(&before->xmm[i], &bench->registers.xmm[i], sizeof(before->xmm[i]));
    }
    assert_int_equal(bench->registers.pc,
                     bench->caller.abi == VMR_HV_ABI_X86 ? (uint32_t)(before->pc + length) : before->pc + length);
}

/* --- one call --- */

static void make_call(struct bench *bench, const struct good_call *call, struct way *way, struct outcome *ret_outcome)
{
    uint64_t control = call->shape->code | (way->fast ? HV_CONTROL_FAST : 0) | (uint64_t)call->variable_words << 17 |
                       (uint64_t)call->count << 32 | (uint64_t)way->start << 48;

    bench->ours = (struct reference_handler){
        .fail_at = way->split == BY_FAILURE ? way->split_at : REFERENCE_NEVER,
        .fail_status = HV_STATUS_INSUFFICIENT_MEMORY,
        .timeout_at = way->split == BY_TIMEOUT ? way->split_at : REFERENCE_NEVER,
    };
    bench->theirs = bench->ours;
    bench_scramble(bench);
    if (way->fast)
        place_in_registers(bench, call, control);
    else
        place_in_memory(bench, call, control);
    assert_int_equal(control_now(bench), control);
    take_output(bench, call, way->fast, way->before);
    const struct vmr_hv_call_registers before = bench->registers;

    call_until_done(bench, call, way, control);
    check_others(bench, call, way->fast, &before);
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    ret_outcome->result = result_now(bench);
    ret_outcome->log = bench->ours.log;
    take_output(bench, call, way->fast, ret_outcome->output);
    bench->forms++;
}

/* --- the same call in every form --- */

static void make_call_in_every_form(struct bench *bench, struct good_call *call)
{
    struct outcome first, other;
    bool have_first = false;
    unsigned split_at = call->shape->rep ? bench_pick(bench, call->count) : 0;

    for (unsigned abi = 0; abi < VMR_HV_ABI_COUNT; abi++) {
        if (call->shape->x86_only && abi >= VMR_HV_ABI_ARM64_HVC)
            continue;
        be_caller(bench, call, abi);
        if (abi == VMR_HV_ABI_ARM64_HVC && differs_by_architecture(call))
            have_first = false;
        for (unsigned form = 0; form < 2 * SPLIT_COUNT; form++) {
            struct way way = {.fast = form % 2 == 1, .split = (enum split)(form / 2), .split_at = split_at};

            if (way.fast && !fits_registers(bench, call))
                continue;
            make_call(bench, call, &way, have_first ? &other : &first);
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

    bench_init(&bench, 20260808);
    for (unsigned i = 0; i < SAME_CALLS; i++) {
        make_good_call(&bench, &call, false, bench_pick(&bench, 4) == 0 ? 120 : 10);
        make_call_in_every_form(&bench, &call);
        if (i % 32 == 0)
            bench_compare_memory(&bench);
    }
    bench_compare_memory(&bench);
    assert_true(bench.forms > 12 * SAME_CALLS);
    print_message("%u calls in %u forms, %u instructions\n", SAME_CALLS, bench.forms, bench.instructions);
    bench_finish(&bench);
}

/* --- a list begun at every element, and stopped before every other --- */

static void make_call_in_every_split(struct bench *bench, const struct good_call *call, bool fast)
{
    static struct outcome whole, part;
    struct way way = {.fast = fast};

    make_call(bench, call, &way, &whole);
    way.whole = whole.output;
    for (way.start = 0; way.start < call->count; way.start++) {
        for (way.split_at = way.start; way.split_at < call->count; way.split_at++) {
            for (unsigned split = 0; split < SPLIT_COUNT; split++) {
                way.split = (enum split)split;
                make_call(bench, call, &way, &part);
                assert_int_equal(part.result, (uint64_t)call->count << 32);
                check_output(bench, call, &way, call->count);
            }
        }
    }
}

static void a_list_may_be_begun_and_stopped_anywhere(void **state)
{
    (void)state;
    static struct bench bench;
    static struct good_call call;

    bench_init(&bench, 20260809);
    for (unsigned i = 0; i < SPLIT_CALLS; i++) {
        make_good_call(&bench, &call, true, SPLIT_ELEMENTS_MAX);
        for (unsigned abi = 0; abi < VMR_HV_ABI_COUNT; abi++) {
            be_caller(&bench, &call, abi);
            make_call_in_every_split(&bench, &call, false);
            if (fits_registers(&bench, &call))
                make_call_in_every_split(&bench, &call, true);
        }
        bench_compare_memory(&bench);
    }
    assert_true(bench.forms > 100 * SPLIT_CALLS);
    print_message("%u lists in %u calls, %u instructions\n", SPLIT_CALLS, bench.forms, bench.instructions);
    bench_finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_call_does_the_same),
        cmocka_unit_test(a_list_may_be_begun_and_stopped_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
