/* SPDX-License-Identifier: MIT */
#pragma once

/* Random compositions on the mock, one after another, until one fails or time is up: `vmrig certify --soak`. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conformance/progress.h"

struct vmr_backend_set;

struct soak_options {
    uint64_t seed;                     /* the first; of run n it is seed + n */
    uint64_t runs;                     /* at most; 0: no limit */
    uint64_t ns;                       /* at most; 0: no limit */
    uint32_t left_out;                 /* operations, by their bits: of a failure that is run again */
    const char *spec;                  /* NULL: the mock's profiles in turn */
    const struct vmr_backend_set *set; /* what it is looked up in; NULL: the library's own */
    enum conf_progress_form progress;
    bool (*is_over)(void *context); /* NULL: never */
    void *context;
    FILE *out, *err;
};

struct soak_result {
    uint64_t runs;
    uint64_t elapsed_ns;
    bool failed;
    uint64_t seed;     /* of the failure */
    uint32_t left_out; /* what need not be in it */
};

/* Gives the exit status; a failure is made small, and told with the command that has it again. */
int soak_main(const struct soak_options *options, struct soak_result *ret_result);

/* "10m", "30s", "2h": into ns; "1000x": into runs. False: none of these. */
bool soak_parse(const char *text, uint64_t *ret_runs, uint64_t *ret_ns);
