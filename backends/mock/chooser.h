/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which thread goes next: from a seed, by trying every order in turn, or as a
 * string of earlier choices says. Knows nothing of threads: a choice is one
 * alternative out of a number of them.
 */

#include "vmrig/mock.h"

/* One character a choice: 0-9, a-z, A-Z. */
#define CHOOSER_ALTERNATIVES_MAX 62u

struct chooser {
    enum vmr_schedule_mode mode;
    uint64_t seed, random;
    unsigned preemptions, preemptions_used;
    char *text;      /* the choices made; ends with a NUL once the run is over */
    uint8_t *counts; /* how many alternatives each had */
    size_t length, capacity;
    size_t planned; /* how many of `text` the run is to repeat */
    bool no_memory; /* a choice could not be noted: the search is over */
};

/* False: out of memory. */
bool chooser_init(struct chooser *chooser, const struct vmr_scheduler_options *options);
void chooser_finish(struct chooser *chooser);
/* Around each run. What next or replay prepared holds for one run. */
void chooser_begin(struct chooser *chooser);
void chooser_end(struct chooser *chooser);
/*
 * 0 to count - 1. With `forced`, alternative 0 is to go on as before and any
 * other is a preemption, of which an exhaustive search allows few.
 */
size_t chooser_choose(struct chooser *chooser, size_t count, bool forced);
/* Whether an order is left to try, which the next run will then follow. */
bool chooser_next(struct chooser *chooser);
enum vmr_status chooser_replay(struct chooser *chooser, const char *choices, struct vmr_error *err);
