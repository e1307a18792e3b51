/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls made up by a seed, each in every form it has: in memory and in
 * registers, from 64-bit and from 32-bit code. The host puts the input where
 * the guest will take it, the guest calls and stores what its registers hold
 * then, and the host compares that, and memory, with what the call must do.
 * Sizes and registers are written down here anew (TLFS, Hypercall Interface).
 */

#include <stdlib.h>

#include "conformance/scenarios/hypercall_words.h"

#define CALLS 16u
#define ROUNDS 8u
#define SEEDS 4u
#define FORMS 5u
#define SITE_MAX (CALLS * FORMS)
#define STEPS_A_SITE 8u
#define STEP_MAX (8u + SITE_MAX * STEPS_A_SITE)
#define PAGE 4096u
#define WORD_MAX 14u /* RDX, R8, and two for each XMM register */
#define NEVER UINT32_MAX

/* Where guest and host pass words to each other: both parameters; behind the call also result and fault. */
#define PASS(n) (HV_PAGE_1 + 8u * (n))

enum form {
    MEMORY,
    FAST,
    EXTENDED, /* with XMM registers */
    MEMORY_32,
    FAST_32
};

struct shape {
    uint16_t code;
    bool list, variable;
    uint16_t fixed, element, element_output, output;
};

struct site {
    const struct shape *shape;
    enum form form;
    uint32_t call, words, count, start;
};

/* One call under way, as the host knows it. */
struct expectation {
    const struct site *site;
    uint32_t fail_at, timeout_at, done; /* elements; of a simple call, 0 or 1 */
    bool timed_out;
    uint16_t status;
    uint32_t input_at, output_at; /* in their pages */
    uint32_t input_bytes, output_bytes;
    uint64_t words[WORD_MAX];
    uint8_t input[PAGE], output[PAGE]; /* the pages, before; then what output must be */
    uint64_t log;                      /* of what the handler must be given */
};

struct bench {
    struct conf *conf;
    struct conf_vm *vm;
    uint64_t seed, random;
    uint32_t site_count, round, calls;
    struct site sites[SITE_MAX];
    struct vmr_step steps[STEP_MAX];
    struct expectation now;
    uint64_t log; /* of what the handler was given */
    uint8_t page[PAGE];
};

static uint64_t next(struct bench *bench)
{
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    bench->random ^= bench->random << 17;
    return bench->random * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t pick(struct bench *bench, uint32_t below)
{
    return (uint32_t)(next(bench) >> 33) % below;
}

/* --- what a call does, to both sides --- */

static uint64_t digest(uint64_t hash, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return (hash ^ length) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Element `index` of a call with these fixed and variable bytes; a simple call is its own only element. */
static uint64_t work(uint64_t head, uint32_t index, const uint8_t *element, size_t element_bytes, uint8_t *ret_output,
                     size_t output_bytes)
{
    uint64_t hash = digest(head + index, element, element_bytes), stream = hash;

    for (size_t i = 0; i < output_bytes; i++) {
        stream = stream * UINT64_C(6364136223846793005) + 1442695040888963407;
        ret_output[i] = (uint8_t)(stream >> 56);
    }
    return hash;
}

static uint64_t add_to_log(uint64_t log, uint64_t hash)
{
    return (log ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static enum hv_status serve(void *context, struct vmr_hv_call *call)
{
    struct bench *bench = context;
    struct expectation *now = &bench->now;
    const struct shape *shape = now->site->shape;
    uint64_t head = digest(digest(call->code, call->input, shape->fixed), call->variable, 8 * call->variable_words);
    uint32_t first = shape->list ? call->rep_first : 0, count = shape->list ? call->rep_count : 1;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = first + i;

        call->reps_done = i;
        if (index == now->fail_at)
            return (enum hv_status)now->status;
        if (index == now->timeout_at && !now->timed_out) {
            now->timed_out = true;
            return HV_STATUS_TIMEOUT;
        }
        uint64_t hash =
            work(head, index, call->reps + (size_t)i * shape->element, shape->element,
                 call->output + (size_t)i * shape->element_output, shape->list ? shape->element_output : shape->output);

        bench->log = add_to_log(bench->log, hash);
    }
    return HV_STATUS_SUCCESS;
}

/* --- what it must come to --- */

static uint32_t pairs(uint32_t bytes)
{
    return (bytes + 15) / 16;
}

static bool in_registers(const struct site *site)
{
    return site->form == FAST || site->form == EXTENDED || site->form == FAST_32;
}

static void expect_output(struct expectation *now, const uint8_t *input, uint8_t *output)
{
    const struct site *site = now->site;
    const struct shape *shape = site->shape;
    uint32_t header = 8 * site->words, last = shape->list ? site->count : 1;
    uint64_t head = digest(digest(shape->code, input, shape->fixed), input + shape->fixed, header);

    now->log = 0;
    for (now->done = site->start; now->done < last && now->done != now->fail_at; now->done++) {
        const uint8_t *element = input + shape->fixed + header + (size_t)now->done * shape->element;
        uint64_t hash =
            work(head, now->done, element, shape->element, output + (size_t)now->done * shape->element_output,
                 shape->list ? shape->element_output : shape->output);

        now->log = add_to_log(now->log, hash);
    }
}

/* In bytes, so that output can go between them as it goes into a page. */
static void expect_in_registers(struct expectation *now)
{
    uint8_t bytes[8 * WORD_MAX], input[8 * WORD_MAX];

    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(now->words[i / 8] >> 8 * (i % 8));
    memcpy(input, bytes, sizeof(input));
    expect_output(now, input, bytes + (now->output_bytes != 0 ? 16 * pairs(now->input_bytes) : 0));
    for (uint32_t i = 0; i < WORD_MAX; i++)
        now->words[i] = hc_load32(bytes + 8 * i) | (uint64_t)hc_load32(bytes + 8 * i + 4) << 32;
}

static uint64_t expected_result(const struct expectation *now)
{
    bool failed = now->fail_at != NEVER;

    return HV_RESULT(failed ? now->status : 0, now->site->shape->list ? now->done : 0);
}

/* --- before and after --- */

static void write_ram(struct bench *bench, vmr_gpa gpa, const void *bytes, size_t length)
{
    CONF_CHECK(bench->conf, vmr_memory_write(bench->vm->memory, gpa, bytes, length) == VMR_OK, "no RAM");
}

static uint64_t read_word(struct bench *bench, vmr_gpa gpa)
{
    uint8_t bytes[8] = {0};

    CONF_CHECK(bench->conf, vmr_memory_read(bench->vm->memory, gpa, bytes, sizeof(bytes)) == VMR_OK, "no RAM");
    return hc_load32(bytes) | (uint64_t)hc_load32(bytes + 4) << 32;
}

static void write_word(struct bench *bench, vmr_gpa gpa, uint64_t value)
{
    uint8_t bytes[8];

    hc_store32(bytes, (uint32_t)value);
    hc_store32(bytes + 4, (uint32_t)(value >> 32));
    write_ram(bench, gpa, bytes, sizeof(bytes));
}

/* The same for every form of a call in a round: they must do the same. */
static void plan(struct bench *bench, const struct site *site)
{
    struct expectation *now = &bench->now;
    const struct shape *shape = site->shape;
    uint32_t last = shape->list ? site->count : 1;

    *now = (struct expectation){.site = site, .fail_at = NEVER, .timeout_at = NEVER};
    bench->random = digest(bench->seed + site->call, (const uint8_t[]){(uint8_t)bench->round}, 1) | 1;
    now->input_bytes = shape->fixed + 8 * site->words + site->count * shape->element;
    now->output_bytes = shape->output + site->count * shape->element_output;
    now->input_at = 8 * pick(bench, (PAGE - now->input_bytes) / 8 + 1);
    now->output_at = 8 * pick(bench, (PAGE - now->output_bytes) / 8 + 1);
    if (pick(bench, 3) == 0)
        now->fail_at = site->start + pick(bench, last - site->start);
    if (pick(bench, 3) == 0)
        now->timeout_at = site->start + pick(bench, last - site->start);
    now->status = pick(bench, 2) ? HV_STATUS_INSUFFICIENT_MEMORY : HV_STATUS_OPERATION_DENIED;
    for (uint32_t i = 0; i < PAGE; i++)
        now->input[i] = (uint8_t)next(bench);
    for (uint32_t i = 0; i < PAGE; i++)
        now->output[i] = (uint8_t)next(bench);
}

static void prepare(struct bench *bench, const struct site *site)
{
    struct expectation *now = &bench->now;
    const uint8_t *input = now->input;

    plan(bench, site);
    write_ram(bench, HV_INPUT, now->input, PAGE);
    write_ram(bench, HV_OUTPUT, now->output, PAGE);
    /* The fast forms take the same bytes; what is behind them belongs to nobody. */
    for (uint32_t i = 0; i < WORD_MAX; i++) {
        const uint8_t *word = input + (now->input_at + 8 * i) % (PAGE - 8);

        now->words[i] = hc_load32(word) | (uint64_t)hc_load32(word + 4) << 32;
    }
    if (in_registers(site)) {
        for (uint32_t i = 2; i < WORD_MAX; i++)
            write_word(bench, HV_XMM + 8 * (i - 2), now->words[i]);
    } else {
        now->words[0] = HV_INPUT + now->input_at;
        now->words[1] = HV_OUTPUT + now->output_at;
    }
    write_word(bench, PASS(0), now->words[0]);
    write_word(bench, PASS(1), now->words[1]);
    bench->log = 0;
    if (in_registers(site))
        expect_in_registers(now);
    else
        expect_output(now, now->input + now->input_at, now->output + now->output_at);
}

static void check_page(struct bench *bench, vmr_gpa gpa, const uint8_t *page, const char *what)
{
    CONF_CHECK(bench->conf,
               vmr_memory_read(bench->vm->memory, gpa, bench->page, PAGE) == VMR_OK &&
                   memcmp(bench->page, page, PAGE) == 0,
               "call %#x, form %d: %s is another", bench->now.site->shape->code, bench->now.site->form, what);
}

static void check(struct bench *bench)
{
    const struct expectation *now = &bench->now;
    struct conf *conf = bench->conf;

    if (!now->site)
        return;
    bench->calls++;
    CONF_CHECK_EQ(conf, read_word(bench, PASS(2)), expected_result(now), "the result");
    CONF_CHECK_EQ(conf, read_word(bench, PASS(3)), 0, "the fault");
    CONF_CHECK_EQ(conf, read_word(bench, PASS(0)), now->words[0], "the first parameter register");
    CONF_CHECK_EQ(conf, read_word(bench, PASS(1)), now->words[1], "the second parameter register");
    for (uint32_t i = 2; i < WORD_MAX && now->site->form == EXTENDED; i++)
        CONF_CHECK_EQ(conf, read_word(bench, HV_XMM + 8 * (i - 2)), now->words[i], "a word of the XMM registers");
    CONF_CHECK_EQ(conf, bench->log, now->log, "what the handler was given");
    check_page(bench, HV_INPUT, now->input, "the page of the input");
    check_page(bench, HV_OUTPUT, now->output, "the page of the output");
}

/* Each checkpoint is behind one call and before the next. */
static void between_calls(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct bench *bench = vm->user;

    (void)vp;
    check(bench);
    bench->now.site = NULL;
    bench->round += number == 0;
    if (number < bench->site_count)
        prepare(bench, &bench->sites[number]);
}

/* --- the guest --- */

static const struct shape shapes[] = {
    {HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE, false, false, 24, 0, 0, 0},
    {HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, true, false, 24, 8, 0, 0},
    {HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI, false, false, 16, 0, 0, 0},
    {HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX, true, true, 32, 8, 0, 0},
    {HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI_EX, false, true, 24, 0, 0, 0},
    {HV_CALL_POST_MESSAGE, false, false, 256, 0, 0, 0},
    {HV_CALL_SIGNAL_EVENT, false, false, 8, 0, 0, 0},
    {HV_CALL_RETARGET_DEVICE_INTERRUPT, false, true, 56, 0, 0, 0},
    {HV_CALL_GET_VP_INDEX_FROM_APIC_ID, true, false, 16, 4, 4, 0},
    {HV_CALL_SIGNAL_EVENT_DIRECT, false, false, 16, 0, 0, 8},
};
#define SHAPE_COUNT (sizeof(shapes) / sizeof(shapes[0]))

static bool has_form(const struct bench *bench, const struct site *site, enum form form)
{
    const struct shape *shape = site->shape;
    uint32_t input = pairs(shape->fixed + 8 * site->words + site->count * shape->element);
    uint32_t output = pairs(shape->output + site->count * shape->element_output);
    bool small = input <= 1 && output == 0;

    if (form == FAST || form == FAST_32)
        return small;
    if (form == EXTENDED)
        return !small && input + output <= WORD_MAX / 2 && vmr_caps_have(&bench->conf->caps, VMR_CAP_XMM);
    return true;
}

static void make_sites(struct bench *bench)
{
    bench->random = bench->seed;
    for (uint32_t call = 0; call < CALLS; call++) {
        /* Each shape once, then any. */
        const struct shape *shape = &shapes[call < SHAPE_COUNT ? call : pick(bench, SHAPE_COUNT)];
        uint32_t most = pick(bench, 2) ? 200 : 8;
        struct site site = {.shape = shape, .call = call};

        site.count = shape->list ? 1 + pick(bench, most) : 0;
        site.start = shape->list && pick(bench, 2) ? pick(bench, site.count) : 0;
        site.words = shape->variable ? pick(bench, 8) : 0;
        for (unsigned form = 0; form < FORMS; form++) {
            site.form = (enum form)form;
            if (has_form(bench, &site, site.form))
                bench->sites[bench->site_count++] = site;
        }
    }
}

static uint64_t control_of(const struct site *site)
{
    return site->shape->code | (in_registers(site) ? HC_FAST : 0) | HC_WORDS(site->words) | HC_REPS(site->count) |
           HC_START(site->start);
}

static void write_program(struct bench *bench, struct vmr_program *ret_program)
{
    const struct vmr_step begin[] = {HV_OPEN(), VMR_SET(5, ROUNDS)};
    uint32_t count = sizeof(begin) / sizeof(begin[0]), loop = count;

    memcpy(bench->steps, begin, sizeof(begin));
    for (uint32_t i = 0; i < bench->site_count; i++) {
        const struct site *site = &bench->sites[i];
        const struct vmr_step steps[STEPS_A_SITE] = {
            VMR_CHECKPOINT(i),
            VMR_LOAD(0, PASS(0), 8),
            VMR_LOAD(1, PASS(1), 8),
            {.op = VMR_STEP_HV_CALL,
             .size = site->form >= MEMORY_32 ? 4 : 8,
             .var = 6,
             .address = HV_CODE_PAGE,
             .value = control_of(site),
             .count = site->form == EXTENDED ? HV_XMM : 0},
            VMR_STORE_VAR(PASS(0), 8, 0),
            VMR_STORE_VAR(PASS(1), 8, 1),
            VMR_STORE_VAR(PASS(2), 8, 6),
            VMR_STORE_VAR(PASS(3), 8, VMR_PROGRAM_FAULT_VAR),
        };

        memcpy(&bench->steps[count], steps, sizeof(steps));
        count += STEPS_A_SITE;
    }
    const struct vmr_step end[] = {VMR_LOOP(5, loop), VMR_CHECKPOINT(SITE_MAX), VMR_END()};

    memcpy(&bench->steps[count], end, sizeof(end));
    *ret_program = (struct vmr_program){.name = "generated", .steps = bench->steps, .count = count + 3};
}

static void run_seed(struct bench *bench)
{
    struct conf *conf = bench->conf;
    const struct conf_vm_options options = {.hv = &hv_all};
    const struct vmr_hv_call_handler handler = {serve, bench};
    struct vmr_program program;

    make_sites(bench);
    write_program(bench, &program);
    bench->vm = vm_about_to_run(conf, &options, &program);
    CONF_REQUIRE(conf, bench->vm, "no VM");
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        if (!hc_handle(bench->vm, shapes[i].code, &handler))
            return;
    }
    bench->vm->user = bench;
    bench->vm->on_checkpoint = between_calls;
    (void)conf_run_to_end(bench->vm, 0);
    conf_vm_destroy(bench->vm);
    CONF_CHECK_EQ(conf, bench->calls, ROUNDS * bench->site_count, "calls made");
}

static void every_form_of_a_generated_call_does_what_it_must(struct conf *conf)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    CONF_REQUIRE(conf, bench, "out of memory");
    for (unsigned i = 0; i < SEEDS && !conf_failed(conf); i++) {
        *bench = (struct bench){.conf = conf, .seed = UINT64_C(0x9e3779b97f4a7c15) * (i + 1)};
        run_seed(bench);
    }
    free(bench);
}

static const struct conf_scenario scenarios[] = {
    {HC_SCENARIO(every_form_of_a_generated_call_does_what_it_must), .clauses = "HC-1 HC-3 HC-6 HC-7 HC-8",
     .needs = HC_NEEDS},
};

CONF_FAMILY(hypercall_generated, scenarios);
