/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * In which orders of their threads scenarios run on the mock.
 *
 *   exhaustive:K        each scenario in every order with at most K preemptions
 *   random:N            each scenario in N random orders, seeds S, S + 1, ...
 *   replay:K:CHOICES    in one order: what a failure has printed
 *
 * Without: four seeds, and scenarios marked for it in every order with at most two.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum conf_schedule_mode {
    CONF_SCHEDULES_USUAL,
    CONF_SCHEDULES_EXHAUSTIVE,
    CONF_SCHEDULES_RANDOM,
    CONF_SCHEDULES_REPLAY
};

/* The bound under which each thread may be taken over anywhere. */
#define CONF_PREEMPTIONS_ANY 1000000u
#define CONF_PREEMPTIONS_MAX 8u
#define CONF_RANDOM_MAX UINT64_C(1000000000)

struct conf_schedules {
    enum conf_schedule_mode mode;
    unsigned preemptions; /* exhaustive, replay */
    uint64_t runs, seed;  /* random */
    const char *choices;  /* replay; the caller's */
    bool as_found;        /* an order that fails is not made simpler, nor told */
};

/* False, and a rule in `*ret_rule`: it is none of the above. `seed` is for random ones. */
bool conf_schedules_parse(const char *text, uint64_t seed, struct conf_schedules *ret_schedules, const char **ret_rule);
