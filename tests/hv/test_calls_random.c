/* SPDX-License-Identifier: MIT */
/*
 * Every handler of the library with bytes of chance: it ends, answers as handlers
 * may, stays inside its buffers, and leaves the VP with registers that a
 * processor can hold. Each round repeats by its number.
 */

#include "lib/hv/calls.h"

#include "lib/hv/x86_state.h"
#include "tests/hv/calls_rig.h"

#define ROUNDS 20000u
#define GUARD 64u
#define GUARD_BYTE 0xa5u

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Numbers that mean something, so that more than the first check is reached. */
static uint64_t a_word(uint64_t *seed)
{
    static const uint64_t words[] = {HV_PARTITION_ID_SELF,
                                     HV_VP_INDEX_SELF,
                                     0,
                                     1,
                                     2,
                                     0x40,
                                     HV_REGISTER_RAX,
                                     HV_REGISTER_CR0,
                                     HV_REGISTER_CR3,
                                     HV_REGISTER_CR4,
                                     HV_REGISTER_EFER,
                                     HV_REGISTER_CS,
                                     HV_REGISTER_SS,
                                     HV_REGISTER_TR,
                                     HV_REGISTER_GDTR,
                                     HV_REGISTER_RFLAGS,
                                     HV_REGISTER_SINT0,
                                     HV_REGISTER_SIMP,
                                     HV_REGISTER_STIMER0_CONFIG,
                                     HV_REGISTER_CRASH_CTL,
                                     0x80000011,
                                     UINT64_C(0xa09b0008ffffffff),
                                     UINT64_C(0xc0930010ffffffff)};
    uint64_t choice = next(seed);

    return choice % 3 ? words[choice / 3 % (sizeof(words) / sizeof(words[0]))] : next(seed);
}

static void fill(uint8_t *bytes, size_t length, uint64_t *seed)
{
    for (size_t i = 0; i < length; i += 8)
        store_le64(bytes + i, a_word(seed));
}

struct buffers {
    uint8_t input[VMR_PAGE_SIZE + 8], output[VMR_PAGE_SIZE + GUARD];
};

static size_t output_bytes(const struct vmr_hv_call_definition *definition, const struct vmr_hv_call *call)
{
    return definition->kind == VMR_HV_CALL_REP ? (size_t)definition->x86.rep_output * call->rep_count
                                               : definition->x86.output;
}

/* The layout of the dispatcher: fixed input, variable header, elements. */
static void prepare(const struct vmr_hv_call_definition *definition, struct vmr_hv_call *call, struct buffers *buffers,
                    uint64_t *seed)
{
    bool rep = definition->kind == VMR_HV_CALL_REP;

    call->code = definition->code;
    call->variable_words = definition->variable ? next(seed) % 66 : 0;
    call->rep_count = rep ? 1 + (uint32_t)(next(seed) % VMR_HV_REP_MAX) : 0;
    call->reps_done = 0;
    call->input = buffers->input;
    call->variable = buffers->input + definition->x86.input;
    call->reps = call->variable + 8 * call->variable_words;
    call->output = buffers->output;
    fill(buffers->input, VMR_PAGE_SIZE, seed);
    memset(buffers->output, GUARD_BYTE, sizeof(buffers->output));
    memset(buffers->output, 0, output_bytes(definition, call));
}

static void check(const struct vmr_hv_call_definition *definition, const struct vmr_hv_call *call,
                  enum hv_status status, const struct buffers *buffers)
{
    assert_in_range(status, 0, UINT16_MAX);
    if (definition->kind == VMR_HV_CALL_REP && status != HV_STATUS_SUCCESS)
        assert_in_range(call->reps_done, 0, call->rep_count - 1);
    for (size_t i = output_bytes(definition, call); i < sizeof(buffers->output); i++)
        assert_int_equal(buffers->output[i], GUARD_BYTE);
}

static void every_handler_takes_every_input(void **state)
{
    (void)state;
    static struct buffers buffers;
    struct calls_rig rig;
    unsigned handled = 0, succeeded = 0;
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

    calls_rig_init(&rig);
    const struct x86_limits limits = calls_limits(rig.guest.guest);

    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t row = round % vmr_hv_call_count();
        const struct vmr_hv_call_definition *definition = vmr_hv_call_at(row);
        const struct vmr_hv_call_handler *handler = &rig.guest.guest->calls.calls[row];

        if (!handler->run)
            continue;
        rig.caller.vtl = (uint8_t)(next(&seed) % VMR_VTL_COUNT);
        prepare(definition, &rig.call, &buffers, &seed);
        enum hv_status status = handler->run(handler->context, &rig.call);

        check(definition, &rig.call, status, &buffers);
        assert_true(x86_state_is_possible(&rig.regs, &limits));
        handled++;
        succeeded += status == HV_STATUS_SUCCESS;
    }
    assert_true(handled > ROUNDS / 4 && succeeded > 100);
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_handler_takes_every_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
