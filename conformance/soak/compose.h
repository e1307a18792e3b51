/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Compositions: guests and what a host does to them, made up from a seed, and
 * held against a model that knows of each request how often it must be answered.
 *
 * Guests count into ports of their own, in step with a device that knows the next
 * number: an access that is lost, doubled or done for another one is seen at once.
 */

#include <stdio.h>

#include "conformance/conformance.h"

#define SOAK_OPS_MAX 24u
#define SOAK_VPS_MAX 3u
#define SOAK_BODY_MAX 6u

enum soak_op_kind {
    SOAK_KICK,
    SOAK_YIELD,
    SOAK_STOP,   /* of the VP's runs, or of the whole set */
    SOAK_BURST,  /* kicks and yields, without waiting for the answers in between */
    SOAK_REGION, /* added and removed again */
    SOAK_READ,   /* guest memory, as the host sees it */
    SOAK_WRITE,
    SOAK_NMI,
    SOAK_PAUSE,
    SOAK_CALL, /* on a VP's thread: its registers, read and written back. Of sets alone */
    SOAK_OP_KINDS
};
const char *soak_op_name(enum soak_op_kind kind);

struct soak_op {
    enum soak_op_kind kind;
    vmr_vp_index vp;
    uint32_t amount;
};

struct soak_composition {
    bool in_set; /* its VPs are a VP set's; otherwise each is run in a loop of the scenario's */
    uint32_t vps;
    uint32_t op_count;
    struct soak_op ops[SOAK_OPS_MAX];
    struct vmr_step steps[SOAK_VPS_MAX][SOAK_BODY_MAX + 8u];
    struct vmr_program programs[SOAK_VPS_MAX];
    uint64_t spurious; /* the step before which the mock cancels for no reason; 0: none */
    uint64_t delayed;  /* the step that takes its time; 0: none */
};

/* The same for the same seed, wherever. */
void soak_compose(uint64_t seed, struct soak_composition *ret_composition);
/* Runs it, but for the operations whose bits of `left_out` are set. */
void soak_run(struct conf *conf, const struct soak_composition *composition, uint32_t left_out);
void soak_print(const struct soak_composition *composition, uint32_t left_out, FILE *out);
