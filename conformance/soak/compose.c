/* SPDX-License-Identifier: MIT */
/* Making up a composition, and saying what it is. */

#include "conformance/soak/compose.h"

#include <string.h>

#include "conformance/scenarios/guest_words.h"
#include "conformance/soak/words.h"

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* 0 to count - 1. */
static uint32_t pick(uint64_t *state, uint32_t count)
{
    return (uint32_t)(next(state) % count);
}

const char *soak_op_name(enum soak_op_kind kind)
{
    static const char *const names[SOAK_OP_KINDS] = {
        [SOAK_KICK] = "kick",     [SOAK_YIELD] = "yield", [SOAK_STOP] = "stop",   [SOAK_BURST] = "burst",
        [SOAK_REGION] = "region", [SOAK_READ] = "read",   [SOAK_WRITE] = "write", [SOAK_NMI] = "nmi",
        [SOAK_PAUSE] = "pause",   [SOAK_CALL] = "call"};

    return (unsigned)kind < SOAK_OP_KINDS ? names[kind] : "unknown";
}

/* One step of a guest's loop, which leaves variables 4 and 6 alone. */
static struct vmr_step body_step(uint64_t *state, vmr_vp_index vp)
{
    const struct vmr_step steps[] = {
        VMR_NOP(),
        VMR_STORE(SOAK_WORD(vp), 4, 0x5a5a),
        VMR_LOAD(5, SOAK_WORD(vp), 4),
        VMR_OR(SOAK_WORD(vp), 4, 0x100),
        VMR_STORE(SOAK_HOLE, 4, 7),
        VMR_LOAD(5, SOAK_HOLE, 4),
        VMR_IN(5, SOAK_PORT(vp) + 4, 4),
        VMR_CPUID(0, 0),
    };

    return steps[pick(state, sizeof(steps) / sizeof(steps[0]))];
}

/*
 * Counts, tells its device, does this and that, and begins again, until the host
 * says that it may end: that word is 1, and then the device is told nothing more.
 */
static void compose_guest(struct soak_composition *composition, uint64_t *state, vmr_vp_index vp)
{
    struct vmr_step *steps = composition->steps[vp];
    const struct vmr_step begin[] = {VMR_SET(6, 0), VMR_ADD(6, 1), VMR_OUT_VAR(SOAK_PORT(vp), 4, 6)};
    uint32_t body = 1 + pick(state, SOAK_BODY_MAX), count = sizeof(begin) / sizeof(begin[0]);

    memcpy(steps, begin, sizeof(begin));
    for (uint32_t i = 0; i < body; i++)
        steps[count++] = body_step(state, vp);
    const struct vmr_step end[] = {VMR_LOAD(4, WORD_GO, 4), VMR_JUMP_EQ(4, 1, count + 3), VMR_JUMP(1), VMR_END()};

    memcpy(steps + count, end, sizeof(end));
    composition->programs[vp] =
        (struct vmr_program){.name = "soak", .steps = steps, .count = count + (uint32_t)(sizeof(end) / sizeof(end[0]))};
}

/* Swarm: of all kinds of operations a composition uses some, so that few at a time get deep. */
static void compose_ops(struct soak_composition *composition, uint64_t *state)
{
    uint32_t swarm = (uint32_t)next(state) | 1u << SOAK_KICK;

    if (!composition->in_set)
        swarm &= ~(1u << SOAK_CALL);
    composition->op_count = 1 + pick(state, SOAK_OPS_MAX);
    for (uint32_t i = 0; i < composition->op_count; i++) {
        struct soak_op *op = &composition->ops[i];

        do
            op->kind = (enum soak_op_kind)pick(state, SOAK_OP_KINDS);
        while ((swarm >> op->kind & 1u) == 0);
        op->vp = pick(state, composition->vps);
        op->amount = 1 + pick(state, 4);
    }
}

void soak_compose(uint64_t seed, struct soak_composition *ret_composition)
{
    uint64_t state = seed;

    *ret_composition = (struct soak_composition){.in_set = pick(&state, 2) == 1, .vps = 1 + pick(&state, SOAK_VPS_MAX)};
    for (vmr_vp_index vp = 0; vp < ret_composition->vps; vp++)
        compose_guest(ret_composition, &state, vp);
    compose_ops(ret_composition, &state);
    ret_composition->spurious = pick(&state, 2) ? 1 + pick(&state, 200) : 0;
    ret_composition->delayed = pick(&state, 4) == 0 ? 1 + pick(&state, 200) : 0;
}

void soak_print(const struct soak_composition *composition, uint32_t left_out, FILE *out)
{
    fprintf(out, "%u VPs, %s\n", composition->vps, composition->in_set ? "in a set" : "each run in a loop");
    if (composition->spurious)
        fprintf(out, "  a spurious cancel before step %llu\n", (unsigned long long)composition->spurious);
    if (composition->delayed)
        fprintf(out, "  step %llu takes a millisecond\n", (unsigned long long)composition->delayed);
    for (uint32_t i = 0; i < composition->op_count; i++) {
        const struct soak_op *op = &composition->ops[i];

        if ((left_out >> i & 1u) == 0)
            fprintf(out, "  %2u: %s vp%u x%u\n", i, soak_op_name(op->kind), op->vp, op->amount);
    }
}
