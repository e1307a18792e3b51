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
};

/* Gives the exit status: 0 if all of it was played without a divergence. Else the reason was one line on stderr. */
int player_play(const struct player_options *options, struct vmr_replay_result *ret_result);
