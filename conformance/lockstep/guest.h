/* SPDX-License-Identifier: MIT */
#pragma once

/* The guests of lockstep runs, and what is noted of them. */

#include <stdio.h>

#include "conformance/conformance.h"

#define LOCKSTEP_STEPS_MAX 64u
#define LOCKSTEP_EVENTS_MAX 1024u

enum lockstep_kind {
    LOCKSTEP_PORT,
    LOCKSTEP_MMIO,
    LOCKSTEP_CHECKPOINT,
    LOCKSTEP_VARIABLE, /* at the end */
    LOCKSTEP_MEMORY,   /* a word of it, at the end */
    LOCKSTEP_END       /* how it ended: a halt reason, and the step of a mismatch */
};

struct lockstep_event {
    enum lockstep_kind kind;
    bool write;
    uint32_t size;
    uint64_t place, value;
};

/* What a guest did and saw on one backend, in order. */
struct lockstep_script {
    size_t count; /* more than LOCKSTEP_EVENTS_MAX: the rest is not kept */
    struct lockstep_event events[LOCKSTEP_EVENTS_MAX];
};

struct lockstep_guest {
    struct vmr_step steps[LOCKSTEP_STEPS_MAX + 1];
    struct vmr_program program; /* points into the above: not to be copied */
};

/* The same for the same seed, wherever. */
void lockstep_compose(uint64_t seed, struct lockstep_guest *ret_guest);
/* The step does nothing any more. */
void lockstep_leave_out(struct lockstep_guest *guest, uint32_t step);
/* Runs it once on the scenario's backend, and notes what it does. `recorder`: around that backend; NULL: none is. */
void lockstep_run(struct conf *conf, struct vmr_recorder *recorder, const struct lockstep_guest *guest,
                  struct lockstep_script *ret_script);
/* The first event that differs; as many as both have if none does. */
size_t lockstep_compare(const struct lockstep_script *a, const struct lockstep_script *b);
/* `index` may lie behind the last. */
void lockstep_print_event(const struct lockstep_script *script, size_t index, FILE *out);
void lockstep_print_guest(const struct lockstep_guest *guest, FILE *out);
