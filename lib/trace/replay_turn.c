/* SPDX-License-Identifier: MIT */
/*
 * Turns: which thread may take records now. A VP whose turn has not come
 * sleeps on its own parker; whoever gives up the turn wakes the next. A request
 * of another thread is carried out by a VP that waits, since the thread that
 * made it when recording is not there. [RUN-3]
 */

#include "lib/trace/replay.h"

#include "vmrig/run.h"

/* How long an embedder may take to do what the trace expects of a VP that is in no run while another one is. */
#define EMBEDDER_WAIT_NS UINT64_C(2000000000)

bool replay_owns(const struct vmr_replay *replay)
{
    /* Only this thread can have stored its own name: no scheduling point. */
    return atomic_load_explicit(&replay->owner, memory_order_relaxed) == sync_self(&replay->host);
}

bool replay_is_setting_up(const struct vmr_replay *replay)
{
    return sync_load_u32(&replay->host, &replay->setting_up) != 0;
}

bool replay_is_over(const struct vmr_replay *replay)
{
    return atomic_load(&replay->over) != 0;
}

/* --- with the lock held --- */

static void hold(struct vmr_replay *replay, uint32_t vp)
{
    replay->has_turn = true;
    replay->turn = vp;
    atomic_store_explicit(&replay->owner, sync_self(&replay->host), memory_order_relaxed);
}

static void release(struct vmr_replay *replay)
{
    replay->has_turn = false;
    atomic_store_explicit(&replay->owner, 0, memory_order_relaxed);
}

static void wake_waiting(struct vmr_replay *replay)
{
    for (uint32_t i = 0; i < replay->vp_count; i++) {
        struct replay_vp *vp = replay->vps[i];

        if (vp && vp->waiting)
            replay->host.ops->unpark(replay->host.context, vp->parker);
    }
}

/* The VP whose record is next, if it waits; if not, any that waits may have to act for another. */
static void wake_next(struct vmr_replay *replay)
{
    uint32_t next = replay->head.vp;
    struct replay_vp *vp = next < replay->vp_count ? replay->vps[next] : NULL;

    if (!replay_is_over(replay) && vp && (vp->waiting || vp->entered)) {
        if (vp->waiting)
            replay->host.ops->unpark(replay->host.context, vp->parker);
        return;
    }
    wake_waiting(replay);
}

/* Makes the recorded request again. The lock is given up meanwhile. */
static void make_async(struct vmr_replay *replay)
{
    struct vmr_partition *partition = replay->partition;
    const uint64_t *value = replay->head.value;
    uint64_t what = value[0], a = value[1], b = value[2];
    uint64_t before = replay->records;

    if (!partition) {
        (void)vmr_error_set(&replay->result.error, VMR_E_STATE,
                            "exit %llu: an interrupt request is to be made again, but vmr_replay_set_partition was "
                            "not called",
                            (unsigned long long)replay->exits);
        replay_finish_with(replay, VMR_E_STATE);
        return;
    }
    const struct vmr_msi msi = {.address = a, .data = (uint32_t)b};

    hold(replay, TRACE_NO_VP);
    sync_mutex_unlock(&replay->lock);
    enum vmr_status status = VMR_OK;

    if (what == VMR_ASYNC_IRQ)
        status = vmr_partition_irq(partition, (uint32_t)a, b != 0);
    else if (what == VMR_ASYNC_MSI)
        status = vmr_partition_msi(partition, &msi);
    else if (what == VMR_ASYNC_LINT)
        status = vmr_partition_lint(partition, (vmr_vp_index)a, (unsigned)b);
    else if (what == VMR_ASYNC_NMI)
        status = vmr_partition_nmi(partition, (vmr_vp_index)a);
    else
        vmr_partition_wake(partition, (vmr_vp_index)a);
    (void)status; /* not recorded: it follows from the state of the library */
    if (replay->records == before)
        replay_diverge(replay, "refused the request");
    sync_mutex_lock(&replay->lock);
    release(replay);
    wake_next(replay);
}

/*
 * The VP that is next has left earlier than recorded, because the embedder
 * stops its VPs after a halt when it pleases: what the trace says of it up to
 * where it left then is passed over.
 */
static bool pass_over(struct vmr_replay *replay)
{
    uint32_t next = replay->head.vp;
    struct replay_vp *vp = next < replay->vp_count ? replay->vps[next] : NULL;

    if (!replay->halted || !vp || !vp->away || vp->entered)
        return false;
    vp->away = replay->head.kind != TRACE_LEAVE && replay->head.kind != TRACE_HALT;
    replay_advance(replay);
    return true;
}

/* --- taking and giving --- */

/* What a VP can only do in a run. Its registers, and what is injected, are touched outside as well. */
static bool is_of_a_run(unsigned kind)
{
    return kind == TRACE_EXIT || kind == TRACE_COMPLETE || kind == TRACE_PARK || kind == TRACE_LEAVE ||
           kind == TRACE_HALT || kind == TRACE_TIME || kind == TRACE_READ || kind == TRACE_FETCH_OR;
}

/*
 * Nobody can take the next record: it is the partition's, and no request; or of
 * a VP that is not there, or has ended its run where the trace goes on with it.
 */
static bool is_stuck(const struct vmr_replay *replay)
{
    uint32_t next = replay->head.vp;

    if (next == TRACE_NO_VP)
        return replay->head.kind != TRACE_ASYNC;
    const struct replay_vp *vp = next < replay->vp_count ? replay->vps[next] : NULL;

    return !vp || (!vp->entered && !vp->away && is_of_a_run(replay->head.kind));
}

/*
 * A VP has halted, and the trace goes on with one that is in no run: with a new
 * run, or with its registers between two. An embedder may be about to do that;
 * one that stops all VPs first, as a VP set does, never will while another VP
 * waits here for its turn.
 */
static bool awaits_embedder(const struct vmr_replay *replay)
{
    uint32_t next = replay->head.vp;

    return replay->halted && !replay->has_turn && next < replay->vp_count && replay->vps[next] &&
           !replay->vps[next]->entered;
}

static void wait(struct vmr_replay *replay, struct replay_vp *vp)
{
    const struct vmr_host *host = &replay->host;
    uint64_t deadline_ns = awaits_embedder(replay) ? host->ops->now_ns(host->context) + EMBEDDER_WAIT_NS : VMR_NEVER;

    vp->waiting = true;
    sync_mutex_unlock(&replay->lock);
    enum vmr_park_result result = host->ops->park(host->context, vp->parker, deadline_ns);

    sync_mutex_lock(&replay->lock);
    vp->waiting = false;
    if ((result == VMR_PARK_DEADLOCK && !replay->has_turn) || (result == VMR_PARK_TIMEOUT && awaits_embedder(replay)))
        replay_diverge(replay, "has no VP that could go on");
}

bool replay_take(struct vmr_replay *replay, struct replay_vp *vp)
{
    bool taken = false;

    sync_mutex_lock(&replay->lock);
    while (!taken && !replay_is_over(replay)) {
        if (replay->has_turn) {
            wait(replay, vp);
        } else if (replay->head.vp == vp->index) {
            hold(replay, vp->index);
            taken = true;
        } else if (replay->head.kind == TRACE_ASYNC) {
            make_async(replay);
        } else if (is_stuck(replay)) {
            replay_diverge(replay, "goes on with a VP");
        } else if (!pass_over(replay)) {
            wait(replay, vp);
        }
    }
    if (!taken)
        wake_waiting(replay); /* that it is over may have been found out here, and nobody else would tell them */
    sync_mutex_unlock(&replay->lock);
    return taken;
}

void replay_give(struct vmr_replay *replay)
{
    sync_mutex_lock(&replay->lock);
    release(replay);
    wake_next(replay);
    sync_mutex_unlock(&replay->lock);
}

static bool any_entered(const struct vmr_replay *replay)
{
    for (uint32_t i = 0; i < replay->vp_count; i++) {
        if (replay->vps[i] && replay->vps[i]->entered)
            return true;
    }
    return false;
}

/* All that is left are requests of other threads and what they did. False also if the end is too far to be seen. */
static bool only_requests_are_left(const struct vmr_replay *replay)
{
    struct trace_peek peek;
    struct trace_peeked seen;

    if (replay->head.kind != TRACE_ASYNC)
        return false;
    trace_reader_peek_begin(replay->reader, &peek);
    while (trace_reader_peek(replay->reader, &peek, &seen)) {
        if (seen.vp != TRACE_NO_VP)
            return false;
    }
    return !peek.in_next;
}

/*
 * A thread that wakes a VP may come after the VP has halted for good. No run
 * follows that would make the request again, so it is made here.
 */
void replay_end_run(struct vmr_replay *replay)
{
    sync_mutex_lock(&replay->lock);
    release(replay);
    if (replay->partition && !replay_is_over(replay) && !any_entered(replay) && only_requests_are_left(replay)) {
        while (!replay_is_over(replay) && replay->head.kind == TRACE_ASYNC)
            make_async(replay);
    }
    wake_next(replay);
    sync_mutex_unlock(&replay->lock);
}

bool replay_enter(struct vmr_replay *replay, struct replay_vp *vp, bool *ret_had)
{
    *ret_had = replay_owns(replay);
    return *ret_had ? !replay_is_over(replay) : replay_take(replay, vp);
}

void replay_leave(struct vmr_replay *replay, bool had)
{
    if (!had && replay_owns(replay))
        replay_give(replay);
}

bool replay_take_async(struct vmr_replay *replay, const struct trace_record *request)
{
    sync_mutex_lock(&replay->lock);
    bool fits = !replay->has_turn && !replay_is_over(replay) && trace_record_equal(request, &replay->head);

    if (fits) {
        hold(replay, TRACE_NO_VP);
        replay->async_taken = true;
    }
    sync_mutex_unlock(&replay->lock);
    return fits;
}

void replay_end_async(struct vmr_replay *replay)
{
    if (!replay_owns(replay) || !replay->async_taken)
        return;
    replay->async_taken = false;
    replay_give(replay);
}

void replay_wake_all(struct vmr_replay *replay)
{
    sync_mutex_lock(&replay->lock);
    wake_waiting(replay);
    sync_mutex_unlock(&replay->lock);
}

void replay_tell_end(struct vmr_replay *replay)
{
    if (sync_exchange_u32(&replay->host, &replay->end_told, 1) == 0 && replay->options.end)
        replay->options.end(replay->options.context);
}
