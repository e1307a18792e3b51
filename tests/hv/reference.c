/* SPDX-License-Identifier: MIT */

/* The model. Nothing here is shared with lib/hv: where both are wrong alike, it is by two mistakes. */

#include "tests/hv/reference.h"

#include <string.h>

#define PAGE 4096u

/* clang-format off */
static const struct reference_shape shapes[] = {
    /* code  rep    var    x86   bit  fix  el  out output  arm64 */
    {0x0002, false, false, false,  0,  24,  0,  0,    0,  0,   0},
    {0x0003, true,  false, false,  0,  24,  8,  0,    0,  0,   0},
    {0x000b, false, false, false,  0,  16,  0,  0,    0,  0,   0},
    {0x000c, true,  false, false, 48,  16,  8,  0,    0,  0,   0},
    {0x000d, false, false, false, 48,  16,  0,  0,    0,  0,   0},
    {0x000f, false, false, false, 48, 240,  0,  0,    0, 88,   0},
    {0x0013, false, true,  false,  0,  32,  0,  0,    0,  0,   0},
    {0x0014, true,  true,  false,  0,  32,  8,  0,    0,  0,   0},
    {0x0015, false, true,  false,  0,  24,  0,  0,    0,  0,   0},
    {0x004d, false, false, false, 48,  24,  0,  0,    0,  0,   0},
    {0x0050, true,  false, false, 49,  16,  4, 16,    0,  0,   0},
    {0x0051, true,  false, false, 49,  16, 32,  0,    0,  0,   0},
    {0x0052, false, false, true,  49,  32,  0,  0,   16,  0,   0},
    {0x005c, false, false, false, 36, 256,  0,  0,    0,  0,   0},
    {0x005d, false, false, false, 37,   8,  0,  0,    0,  0,   0},
    {0x007e, false, true,  false,  0,  56,  0,  0,    0,  0,   0},
    {0x0094, false, false, false, 48,  32,  0,  0,    0,  0,   0},
    {0x0099, false, false, false, 53, 240,  0,  0,    0, 88,   0},
    {0x009a, true,  false, false,  6,  16,  4,  4,    0,  0,   0},
    {0x00ac, false, false, false, 49,  32,  0,  0,   64,  0,  16},
    {0x00c0, false, false, false, 37,  16,  0,  0,    8,  0,   0},
    {0x00c1, false, false, false, 36, 280,  0,  0,    0,  0,   0},
    {0x00d9, true,  false, false, 54,  24,  8,  0,    0,  0,   0},
    {0x00db, true,  false, false, 54,  16,  8,  0,    0,  0,   0},
    {0x0103, false, false, false, 48,  32,  0,  0,    0,  0,   0},
    {0x011c, true,  false, false, 54,   8,  8,  1,    0,  0,   0},
    {0x8001, false, false, false, 52,   0,  0,  0,    8,  0,   0},
    {0xc001, false, false, false, 54,  64,  0,  0, 2048,  0,   0},
};
/* clang-format on */

const struct reference_shape *reference_shape_at(size_t index)
{
    return index < sizeof(shapes) / sizeof(shapes[0]) ? &shapes[index] : NULL;
}

static const struct reference_shape *shape_of(unsigned code)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (shapes[i].code == code)
            return &shapes[i];
    }
    return NULL;
}

/* --- the handler that both sides use --- */

static uint64_t digest(uint64_t hash, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return (hash ^ length) * UINT64_C(0x9e3779b97f4a7c15);
}

enum hv_status reference_decide(struct reference_handler *handler, uint32_t index)
{
    if (index == handler->fail_at)
        return (enum hv_status)handler->fail_status;
    if (index == handler->timeout_at && !handler->timed_out) {
        handler->timed_out = true;
        return HV_STATUS_TIMEOUT;
    }
    return HV_STATUS_SUCCESS;
}

void reference_work(struct reference_handler *handler, const struct reference_item *item, uint8_t *ret_output,
                    size_t output_bytes)
{
    uint64_t hash = digest(item->code, item->fixed, item->fixed_bytes);

    hash = digest(hash, item->variable, item->variable_bytes);
    hash = digest(hash + item->index, item->element, item->element_bytes);
    handler->log = (handler->log ^ hash) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < output_bytes; i++) {
        hash = hash * UINT64_C(6364136223846793005) + 1442695040888963407;
        ret_output[i] = (uint8_t)(hash >> 56);
    }
}

/* --- registers: a value of 8 bytes lives in one place, or in two halves --- */

enum {
    XMM = 100,
    NOWHERE = -1
}; /* places: a register's number; XMM + 2n and XMM + 2n + 1 are the halves of XMM n */

struct place {
    int high, low; /* high NOWHERE: all 64 bits are in low */
};

struct convention {
    struct place control, result, words[16];
    unsigned word_count, vtl_input;
    bool output, output_last, has_vtl_input, narrow, arm64;
};

/* x86 registers: 0 A, 1 C, 2 D, 3 B, 6 SI, 7 DI. */
static void convention_of(unsigned abi, struct convention *ret)
{
    *ret = (struct convention){.output = true, .has_vtl_input = true};
    if (abi == VMR_HV_ABI_X86) {
        *ret = (struct convention){.control = {2, 0}, .result = {2, 0}, .words = {{3, 1}, {7, 6}}, .word_count = 2};
        ret->has_vtl_input = ret->narrow = true;
        ret->vtl_input = 1;
        return;
    }
    for (unsigned i = 0; i < 16; i++)
        ret->words[i].high = NOWHERE;
    ret->control.high = ret->result.high = NOWHERE;
    if (abi == VMR_HV_ABI_X64) {
        ret->control.low = 1;
        ret->words[0].low = 2;
        ret->words[1].low = 8;
        for (int i = 0; i < 12; i++)
            ret->words[2 + i].low = XMM + i;
        ret->word_count = 14;
        return;
    }
    int first = abi == VMR_HV_ABI_ARM64_SMCCC ? 1 : 0;

    ret->control.low = first;
    for (int i = 0; i < 16; i++)
        ret->words[i].low = first + 1 + i;
    ret->word_count = 16;
    ret->output_last = abi == VMR_HV_ABI_ARM64_HVC;
    ret->has_vtl_input = false;
    ret->arm64 = true;
}

static uint64_t *storage(struct vmr_hv_call_registers *registers, int place)
{
    if (place < XMM)
        return &registers->gpr[place];
    struct vmr_hv_xmm *xmm = &registers->xmm[(place - XMM) / 2];

    return place % 2 == 0 ? &xmm->low : &xmm->high;
}

static void mark(struct vmr_hv_call_registers *registers, int place)
{
    if (place < XMM)
        registers->gpr_modified |= 1u << place;
    else
        registers->xmm_modified |= (uint8_t)(1u << (place - XMM) / 2);
}

static uint64_t get(struct vmr_hv_call_registers *registers, struct place place)
{
    if (place.high == NOWHERE)
        return *storage(registers, place.low);
    return (*storage(registers, place.high) & 0xffffffff) << 32 | (*storage(registers, place.low) & 0xffffffff);
}

static void set(struct vmr_hv_call_registers *registers, struct place place, uint64_t value)
{
    mark(registers, place.low);
    if (place.high == NOWHERE) {
        *storage(registers, place.low) = value;
        return;
    }
    mark(registers, place.high);
    *storage(registers, place.high) = value >> 32;
    *storage(registers, place.low) = value & 0xffffffff;
}

/* --- one call --- */

struct state {
    const struct reference_call *call;
    struct convention convention;
    const struct reference_shape *shape;
    uint64_t control, input_gpa, output_gpa;
    unsigned count, start, variable_bytes, fixed, output_fixed, input_bytes, output_bytes;
    bool fast;
    uint8_t input[PAGE], output[PAGE];
};

static uint64_t bits(uint64_t value, unsigned first, unsigned count)
{
    return value >> first & ((UINT64_C(1) << count) - 1);
}

static void add_to_pc(const struct state *state, int64_t by)
{
    struct vmr_hv_call_registers *registers = state->call->registers;

    registers->pc += (uint64_t)by;
    if (state->convention.narrow)
        registers->pc &= 0xffffffff;
    registers->pc_modified = true;
}

static struct vmr_hv_result end(const struct state *state, unsigned status, unsigned completed)
{
    set(state->call->registers, state->convention.result, status | (uint64_t)completed << 32);
    if (!state->call->caller->pc_advanced)
        add_to_pc(state, state->call->caller->instruction_length);
    return (struct vmr_hv_result){VMR_HV_DONE, (uint16_t)bits(state->control, 0, 16), (uint16_t)status,
                                  (uint16_t)completed};
}

static void step_back(const struct state *state)
{
    if (state->call->caller->pc_advanced)
        add_to_pc(state, -(int64_t)state->call->caller->instruction_length);
}

static struct vmr_hv_result again(const struct state *state, unsigned completed)
{
    uint64_t control = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        bool in_start = bit >= 48 && bit < 60;

        control |= (in_start ? (uint64_t)completed >> (bit - 48) & 1 : state->control >> bit & 1) << bit;
    }
    set(state->call->registers, state->convention.control, control);
    step_back(state);
    return (struct vmr_hv_result){VMR_HV_RETRY, (uint16_t)bits(state->control, 0, 16), 0x78, (uint16_t)completed};
}

static bool page_is(uint64_t gpa, bool to_write)
{
    uint64_t page = gpa / PAGE;

    return page < 2 || (page == 3 && !to_write);
}

static unsigned buffer_error(uint64_t gpa, unsigned length)
{
    if (length == 0)
        return 0;
    if ((gpa + length - 1) / PAGE != gpa / PAGE || length > PAGE)
        return 3;
    return gpa % 8 != 0 ? 4 : 0;
}

static unsigned fetch_from_memory(struct state *state)
{
    unsigned error = buffer_error(state->input_gpa, state->input_bytes);

    if (!error)
        error = buffer_error(state->output_gpa, state->output_bytes);
    if (!error && state->input_bytes != 0 && !page_is(state->input_gpa, false))
        error = 3;
    for (unsigned i = 0; !error && i < state->input_bytes; i++)
        state->input[i] = state->call->ram[state->input_gpa + i];
    return error;
}

static unsigned output_word(const struct state *state)
{
    unsigned in_pairs = (state->input_bytes + 15) / 16, out_pairs = (state->output_bytes + 15) / 16;

    return 2 * (state->convention.output_last ? state->convention.word_count / 2 - out_pairs : in_pairs);
}

static unsigned fetch_from_registers(struct state *state)
{
    unsigned in_pairs = (state->input_bytes + 15) / 16, out_pairs = (state->output_bytes + 15) / 16;

    if (2 * (in_pairs + out_pairs) > state->convention.word_count || (out_pairs != 0 && !state->convention.output))
        return 3;
    for (unsigned i = 0; i < state->input_bytes; i++)
        state->input[i] = (uint8_t)(get(state->call->registers, state->convention.words[i / 8]) >> (8 * (i % 8)));
    return 0;
}

static void put_in_registers(const struct state *state, unsigned at)
{
    struct place place = state->convention.words[output_word(state) + at / 8];
    uint64_t word = get(state->call->registers, place);

    word &= ~(UINT64_C(0xff) << (8 * (at % 8)));
    set(state->call->registers, place, word | (uint64_t)state->output[at] << (8 * (at % 8)));
}

/* Bytes [from, to) of the output. */
static bool put(const struct state *state, unsigned from, unsigned to)
{
    if (from < to && !state->fast && !page_is(state->output_gpa, true))
        return false;
    for (unsigned at = from; at < to; at++) {
        if (state->fast)
            put_in_registers(state, at);
        else
            state->call->ram[state->output_gpa + at] = state->output[at];
    }
    return true;
}

static void work(struct state *state, unsigned index)
{
    const struct reference_shape *shape = state->shape;
    unsigned elements = state->fixed + state->variable_bytes;
    struct reference_item item = {.code = shape->code,
                                  .index = index,
                                  .fixed = state->input,
                                  .fixed_bytes = state->fixed,
                                  .variable = state->input + state->fixed,
                                  .variable_bytes = state->variable_bytes,
                                  .element = state->input + elements + index * shape->element,
                                  .element_bytes = shape->element};

    if (shape->rep)
        reference_work(state->call->handler, &item, state->output + index * shape->element_output,
                       shape->element_output);
    else
        reference_work(state->call->handler, &item, state->output, state->output_fixed);
}

static struct vmr_hv_result do_simple(struct state *state)
{
    unsigned status = reference_decide(state->call->handler, 0);

    if (status == 0)
        work(state, 0);
    if (status == 0 && !put(state, 0, state->output_bytes))
        return end(state, 3, 0);
    return status == 0x78 ? again(state, 0) : end(state, status, 0);
}

/* At most 64 elements at a time. */
static struct vmr_hv_result do_reps(struct state *state)
{
    unsigned done = state->start, status = 0, size = state->shape->element_output;

    while (done < state->count && done < state->start + 64) {
        status = reference_decide(state->call->handler, done);
        if (status != 0)
            break;
        work(state, done++);
    }
    if (!put(state, state->start * size, done * size))
        return end(state, 3, 0);
    if (status == 0x78 || (status == 0 && done < state->count))
        return again(state, done);
    return end(state, status, done);
}

static struct vmr_hv_result do_switch(const struct state *state, unsigned code)
{
    struct vmr_hv_call_registers *registers = state->call->registers;
    uint64_t input = state->convention.has_vtl_input ? registers->gpr[state->convention.vtl_input] : 0;
    bool allowed = (state->call->caller->privileges >> 48 & 1) != 0;

    if (state->convention.narrow)
        input &= 0xffffffff;
    if (allowed && state->control == code && (input == 0 || (input == 1 && code == 0x12)))
        return (struct vmr_hv_result){VMR_HV_SWITCHED, (uint16_t)code, 0, 0};
    step_back(state);
    return (struct vmr_hv_result){VMR_HV_UNDEFINED, (uint16_t)code, 0, 0};
}

static bool control_is_wrong(const struct state *state)
{
    uint64_t reserved = bits(state->control, 27, 4) | bits(state->control, 44, 4) | bits(state->control, 60, 4);
    bool wrong = reserved != 0 || (state->variable_bytes != 0 && !state->shape->variable);

    if (state->shape->rep)
        return wrong || state->count == 0 || state->start >= state->count;
    return wrong || state->count != 0 || state->start != 0;
}

static void measure(struct state *state)
{
    const struct reference_shape *shape = state->shape;
    bool arm64 = state->convention.arm64;

    state->fixed = arm64 && shape->fixed_arm64 ? shape->fixed_arm64 : shape->fixed;
    state->output_fixed = arm64 && shape->output_arm64 ? shape->output_arm64 : shape->output;
    state->count = (unsigned)bits(state->control, 32, 12);
    state->start = (unsigned)bits(state->control, 48, 12);
    state->variable_bytes = 8 * (unsigned)bits(state->control, 17, 10);
    state->fast = bits(state->control, 16, 1) != 0;
    state->input_bytes = state->fixed + state->variable_bytes + state->count * shape->element;
    state->output_bytes = state->output_fixed + state->count * shape->element_output;
}

/* The order of the specification, step by step and in one place: this is what the library is held against. */
void reference_dispatch(const struct reference_call *call, struct vmr_hv_result *ret_result)
{
    struct state state = {.call = call};

    convention_of(call->caller->abi, &state.convention);
    if (call->caller->without_xmm && call->caller->abi == VMR_HV_ABI_X64) {
        state.convention.word_count = 2;
        state.convention.output = false;
    }
    call->registers->gpr_modified = 0;
    call->registers->xmm_modified = 0;
    call->registers->pc_modified = false;
    state.control = get(call->registers, state.convention.control);
    state.input_gpa = get(call->registers, state.convention.words[0]);
    state.output_gpa = get(call->registers, state.convention.words[1]);

    unsigned code = (unsigned)bits(state.control, 0, 16);

    if (code == 0x11 || code == 0x12) {
        *ret_result = do_switch(&state, code);
        return;
    }
    state.shape = shape_of(code);
    if (!state.shape || (state.shape->x86_only && state.convention.arm64)) {
        *ret_result = end(&state, 2, 0);
        return;
    }
    measure(&state);
    if (state.shape->privilege_bit && !(call->caller->privileges >> state.shape->privilege_bit & 1)) {
        *ret_result = end(&state, 6, 0);
        return;
    }
    unsigned error = control_is_wrong(&state) ? 3
                     : state.fast             ? fetch_from_registers(&state)
                                              : fetch_from_memory(&state);

    if (error)
        *ret_result = end(&state, error, 0);
    else
        *ret_result = state.shape->rep ? do_reps(&state) : do_simple(&state);
}
