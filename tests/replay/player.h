/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A recorded machine, played in this process from memory; recorded once more
 * meanwhile, if wanted. Uses the public interface only, as `vmrig replay` does.
 */

#include "tests/replay/bytes.h"

struct player_options {
    bool record; /* what the replay does, into ret_played->recording */
};

struct played {
    enum vmr_status status;          /* as result.status, or why the machine could not be made */
    struct vmr_error err;            /* unless VMR_OK */
    struct vmr_replay_result result; /* zero if the replay could not begin */
    struct bytes console;            /* of both consoles, as it came */
    struct bytes recording;          /* a whole trace, compressed as the one that was played */
};

/* Never fails otherwise than through ret_played; played_finish in any case. */
void player_play(const struct bytes *trace, const struct player_options *options, struct played *ret_played);
void played_finish(struct played *played);
/* All of it was played and finished, without a divergence. */
bool played_well(const struct played *played);
