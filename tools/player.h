/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A recording of `vmrig run`, played once.
 */

#include "vmrig/trace.h"

struct player_options {
    const char *command; /* for messages */
    const char *name;    /* the file; "-" is stdin */
    bool show;           /* the console on stdout */
    const char *from;    /* a snapshot to begin at; NULL: the beginning */
};

/* `ret_from`: the exits that were passed over. Gives the exit status: 0 if all of it was played without a divergence.
 * Else the reason was one line on stderr. */
int player_play(const struct player_options *options, struct vmr_replay_result *ret_result, uint64_t *ret_from);
