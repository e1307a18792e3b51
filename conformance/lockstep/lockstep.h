/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Two backends, one guest: programs made up from seeds run on both, and what the
 * guest did and saw is compared field by field. `vmrig certify --lockstep A,B`.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conformance/progress.h"

struct vmr_backend_set;

struct lockstep_options {
    const char *specs[2];
    const struct vmr_backend_set *set; /* what they are looked up in; NULL: the library's own */
    uint64_t seed, runs;               /* of run n the seed is seed + n */
    const char *folder;                /* a divergence is written there as a .vmtx; NULL: here */
    enum conf_progress_form progress;
    bool (*is_over)(void *context); /* NULL: never */
    void *context;
    FILE *out, *err;
};

struct lockstep_result {
    uint64_t runs, events; /* events that were compared */
    bool diverged;
    uint64_t seed;  /* of the divergence */
    uint32_t steps; /* that are left of its program */
};

/* Gives the exit status. */
int lockstep_main(const struct lockstep_options *options, struct lockstep_result *ret_result);
