/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Places in a recording, so that a replay can begin in the middle:
 *
 *   recorder, or replay ──> position, and beside it the state that the machine has there
 *   position ── seek ──> a replay at that place; the state ──> its machine; then it plays the rest
 *
 * docs/trace_format.md says what the digest is of.
 */

#include "vmrig/trace.h"

VMR_BEGIN_DECLS

/* A place between two records of a trace, however that is stored. */
struct vmr_trace_position {
    uint64_t records, exits; /* before it */
    uint64_t digest;         /* of those records: which trace it is a place of */
};

/*
 * Where the recording is. VPs stopped: a snapshot of the machine that is taken
 * here can be played on from here (vmr_replay_seek). VMR_E_STATE once something
 * was not recorded.
 */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_recorder_position(struct vmr_recorder *recorder, struct vmr_trace_position *ret_position, struct vmr_error *err);
/* Where the replay is: as vmr_recorder_position. VPs stopped; VMR_E_USAGE without options.positions. */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_replay_position(const struct vmr_replay *replay, struct vmr_trace_position *ret_position, struct vmr_error *err);
/*
 * Passes over what was recorded up to `position`, which may come from a file.
 * Call it once the partition is made and its memory mapped, before a VP is bound;
 * then give the partition the state that it had there. Until the first run, reading and writing state
 * takes nothing from the trace, and time stands at the last that was recorded.
 *
 * VMR_E_CONFIG, with both sides named, for a position of another trace, one behind the end, and one from before the
 * partition was made; VMR_E_UNSUPPORTED for a trace without reactions, whose records are others; VMR_E_CORRUPT for
 * damage on the way. The replay is over then.
 */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_replay_seek(struct vmr_replay *replay, const struct vmr_trace_position *position, struct vmr_error *err);

VMR_END_DECLS
