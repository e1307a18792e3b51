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

#include "vmrig/state_access.h"
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
 * Call it once the partition is made and its memory mapped, before a VP has run;
 * then give the partition the state that it had there. Until the first run, reading and writing state
 * takes nothing from the trace, and time stands at the last that was recorded.
 *
 * VMR_E_CONFIG, with both sides named, for a position of another trace, one behind the end, and one from before the
 * partition was made; VMR_E_UNSUPPORTED for a trace without reactions, whose records are others; VMR_E_CORRUPT for
 * damage on the way. The replay is over then.
 */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_replay_seek(struct vmr_replay *replay, const struct vmr_trace_position *position, struct vmr_error *err);

/*
 * Lets the VP take in what other threads asked of it (vmr_vp_flush_async_requests) if the recorded one did so here:
 * saving a machine does, and then lets it go on. Else nothing happens. On the VP's thread, between two runs: the
 * `yielded` of a VP set or a machine. May wait for the VP's turn.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_replay_follow_flush(struct vmr_replay *replay, struct vmr_vp *vp);

/* --- the place of a machine --- */

/* Where the recording is, and what the run loop of its one VP goes by there, beside the machine's state. */
struct vmr_trace_place {
    struct vmr_trace_position position;
    struct vmr_loop_state loop;
};
/* As bytes, for a snapshot's blob of that name. docs/snapshot_format.md describes them. */
#define VMR_TRACE_PLACE_NAME "trace-place"
#define VMR_TRACE_PLACE_BYTES 35u

/*
 * The machine's place, and from here on it stays there until vmr_recorder_let_go, which the same thread calls: other
 * threads that ask something of the machine wait. VPs stopped and flushed (vmr_vp_flush_async_requests): a snapshot's
 * `flushed` callback. VMR_E_UNSUPPORTED for a partition of several VPs, or with the Hyper-V interface; else as
 * vmr_recorder_position. After an error nothing is held. [TRC-11]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_recorder_hold(struct vmr_recorder *recorder, struct vmr_partition *partition,
                                                         uint8_t ret_bytes[VMR_TRACE_PLACE_BYTES],
                                                         struct vmr_error *err);
/* Nothing happens if it is not held. */
VMR_API void vmr_recorder_let_go(struct vmr_recorder *recorder);
/*
 * Back. Then vmr_replay_seek to the position; the state; vmr_partition_set_loop_state, as the last.
 * VMR_E_CORRUPT, with the field named: no recorder made them.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_trace_place_decode(const void *bytes, size_t length,
                                                              struct vmr_trace_place *ret_place, struct vmr_error *err);

VMR_END_DECLS
