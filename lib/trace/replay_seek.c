/* SPDX-License-Identifier: MIT */
/*
 * Beginning in the middle. The records up to there are read and counted as if
 * they had been played, and of what they say only that is kept which the player
 * itself goes by; everything else is in the snapshot.
 */

#include <inttypes.h>

#include "lib/trace/replay.h"

static enum vmr_status keep_nothing(void *context, const void *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
    return VMR_OK;
}

enum vmr_status replay_count(struct vmr_replay *replay, struct vmr_error *err)
{
    const struct trace_writer_options options = {
        .sink = {.write = keep_nothing},
        .codec = VMR_TRACE_CODEC_NONE,
        .minor = replay->info.minor,
        .plain_blocks = true,
    };

    return trace_writer_create(&options, &replay->counter, err);
}

bool replay_is_standing(const struct vmr_replay *replay)
{
    return atomic_load_explicit(&replay->standing, memory_order_relaxed) != 0;
}

enum vmr_status vmr_replay_position(const struct vmr_replay *replay, struct vmr_trace_position *ret_position,
                                    struct vmr_error *err)
{
    if (!replay->counter)
        return vmr_error_set(err, VMR_E_USAGE, "replay: it was made without options.positions");
    if (replay->uncounted)
        return vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");
    trace_writer_position(replay->counter, ret_position);
    return VMR_OK;
}

static void note(struct vmr_replay *replay, struct replay_vp *vp)
{
    const struct trace_record *head = &replay->head;

    switch (head->kind) {
    case TRACE_REGS:
    case TRACE_SET_REGS:
        vp->regs = *head->regs;
        break;
    case TRACE_WINDOW:
        vp->window_known = true;
        vp->window = head->value[0] != 0;
        break;
    case TRACE_TPR:
        vp->tpr_known = true;
        vp->tpr = (uint8_t)head->value[0];
        break;
    default:
        break;
    }
}

static void pass(struct vmr_replay *replay)
{
    const struct trace_record *head = &replay->head;

    if (head->vp < replay->vp_count && replay->vps[head->vp])
        note(replay, replay->vps[head->vp]);
    if (head->kind == TRACE_TIME)
        replay->time_ns = head->value[0];
    if (head->kind == TRACE_EXIT)
        replay->exits++;
    replay_advance(replay);
}

/* Also where the trace has come to its end: nothing of it was played. */
static void refuse(struct vmr_replay *replay, enum vmr_status status, const struct vmr_error *err)
{
    replay_finish_with(replay, status);
    replay->result.status = status;
    replay->result.ended = false;
    replay->result.error = *err;
}

/* The VP has the turn: what it did next was to enter no guest, but to take in requests. */
static bool is_flush(struct vmr_replay *replay)
{
    struct trace_peek peek;
    struct trace_peeked seen;

    if (replay->head.kind != TRACE_ENTER)
        return false;
    trace_reader_peek_begin(replay->reader, &peek);
    while (trace_reader_peek(replay->reader, &peek, &seen)) {
        if (seen.vp != replay->head.vp)
            continue;
        if (seen.kind == TRACE_LEAVE)
            return seen.first == VMR_LEAVE_STEP;
        if (seen.kind == TRACE_EXIT || seen.kind == TRACE_COMPLETE || seen.kind == TRACE_PARK ||
            seen.kind == TRACE_HALT)
            return false;
    }
    return false;
}

static bool flushes_next(struct vmr_replay *replay, vmr_vp_index index)
{
    if (!replay_take(replay, replay->vps[index]))
        return false;
    bool flushes = is_flush(replay);

    replay_give(replay);
    return flushes;
}

enum vmr_status vmr_replay_follow_flush(struct vmr_replay *replay, struct vmr_vp *vp)
{
    enum vmr_status status = VMR_OK;

    while (!status && flushes_next(replay, vmr_vp_get_index(vp)))
        status = vmr_vp_flush_async_requests(vp);
    return status;
}

static enum vmr_status check(struct vmr_replay *replay, const struct vmr_trace_position *position,
                             struct vmr_error *err)
{
    struct vmr_trace_position here;
    enum vmr_status status = vmr_replay_position(replay, &here, err);

    if (status)
        return status;
    if (replay->result.status)
        return vmr_error_set(err, replay->result.status, "%s", replay->result.error.message);
    if (here.records < position->records)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "trace: the position is behind %" PRIu64 " records, and the trace ends after %" PRIu64,
                             position->records, here.records);
    if (here.exits != position->exits || here.digest != position->digest)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "trace: the position is of another recording: the first %" PRIu64 " records have %" PRIu64
                             " exits and the digest %#" PRIx64 ", here %" PRIu64 " and %#" PRIx64,
                             position->records, position->exits, position->digest, here.exits, here.digest);
    return VMR_OK;
}

enum vmr_status vmr_replay_seek(struct vmr_replay *replay, const struct vmr_trace_position *position,
                                struct vmr_error *err)
{
    struct vmr_error own = {0};
    enum vmr_status status = VMR_OK;

    if (!replay->counter)
        return vmr_error_set(err, VMR_E_USAGE, "replay: it was made without options.positions");
    if (!replay->vps || replay->ran)
        return vmr_error_set(err, VMR_E_STATE, "replay: a seek is for a partition that is made and has not run");
    if (replay->inputs_only)
        status =
            vmr_error_set(&own, VMR_E_UNSUPPORTED, "trace: it holds inputs only, and a position counts all records");
    else if (position->records < replay->records)
        status =
            vmr_error_set(&own, VMR_E_CONFIG,
                          "trace: the position is behind %" PRIu64 " records, and making the machine took %" PRIu64,
                          position->records, replay->records);
    while (!status && replay->records < position->records && !replay_is_over(replay))
        pass(replay);
    if (!status)
        status = check(replay, position, &own);
    if (status) {
        refuse(replay, status, &own);
        return vmr_error_set(err, status, "%s", own.message);
    }
    sync_store_u32(&replay->host, &replay->standing, 1);
    return VMR_OK;
}
