/* SPDX-License-Identifier: MIT */
/*
 * Turns: which thread may take records now. A VP whose turn has not come
 * sleeps on its own parker; whoever gives up the turn wakes the next. A request
 * of another thread is carried out by a VP that waits, since the thread that
 * made it when recording is not there. [RUN-3]
 *
 * A trace may say anything, and an embedder may have stopped a VP that the
 * trace goes on with. Still every wait has an end. Whoever waits (in `wait`,
 * nowhere else) does so because
 *
 *   a thread has the turn                    it runs library code, and gives the turn back where the VP enters the
 *                                            guest, parks, or leaves; it never waits itself while it has it
 *   the next record is of a VP in a run      that VP waits here as well, and is woken (wake_next), or is the one above
 *   it is of a VP in no run, or a change     the embedder may be about to begin one, or to make it: `patience` ends
 *   that only the embedder can make          this (awaits_embedder)
 *
 * and everything else is found out at once (is_stuck), carried out (make_async)
 * or passed over. Each of these takes a record or ends the replay, and traces
 * end. Who finds the replay over on the way out wakes all that still wait.
 *
 * A thread that waits for VPs to leave the guest (replay_wait) gives the turn up.
 * If it has it again before they have left, the trace holds no order in which
 * they could, and the replay has diverged.
 */

#include "lib/trace/replay.h"

#include <string.h>

#include "lib/base/checked.h"
#include "vmrig/hv_guest.h"
#include "vmrig/run.h"

_Static_assert(HV_MESSAGE_PAYLOAD_MAX <= VMR_INPUT_BYTES_MAX, "what comes in fits");

/* How long the embedder may take to do what the trace expects of it while a VP waits for that. */
#define PATIENCE_DEFAULT_NS UINT64_C(10000000000)
/* The same once a VP has halted: most embedders stop the others then. */
#define PATIENCE_HALTED_NS UINT64_C(2000000000)

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
    replay->ran = true;
    replay->has_turn = true;
    replay->turn = vp;
    atomic_store_explicit(&replay->owner, sync_self(&replay->host), memory_order_relaxed);
}

static void release(struct vmr_replay *replay)
{
    replay->has_turn = false;
    atomic_store_explicit(&replay->owner, 0, memory_order_relaxed);
}

static void wake(const struct vmr_replay *replay, const struct replay_seat *seat)
{
    if (seat->waiting)
        replay->host.ops->unpark(replay->host.context, seat->parker);
}

static void wake_waiting(struct vmr_replay *replay)
{
    for (uint32_t i = 0; i < replay->vp_count; i++) {
        if (replay->vps[i])
            wake(replay, &replay->vps[i]->seat);
    }
    for (const struct replay_seat *seat = replay->outside; seat; seat = seat->next)
        wake(replay, seat);
}

/* The VP whose record is next, if it waits; if not, any that waits may have to act for another. */
static void wake_next(struct vmr_replay *replay)
{
    uint32_t next = replay->head.vp;
    struct replay_vp *vp = next < replay->vp_count ? replay->vps[next] : NULL;

    if (!replay_is_over(replay) && vp && (vp->seat.waiting || vp->entered)) {
        wake(replay, &vp->seat);
        return;
    }
    wake_waiting(replay);
}

static bool is_synic(unsigned kind)
{
    return kind == TRACE_MESSAGE || kind == TRACE_EVENT;
}

/* What came to a SINT. Where there is no interface it was not recorded so. */
static void send_again(struct vmr_replay *replay, const struct trace_record *sent)
{
    struct vmr_hv_guest *hv = vmr_partition_hv(replay->partition);
    struct vmr_synic *synic = hv ? vmr_hv_guest_synic(hv) : NULL;
    const uint64_t *value = sent->value;
    enum vmr_status status = VMR_OK;
    const struct vmr_synic_target target = {
        .vp = (vmr_vp_index)value[0], .vtl = (uint8_t)value[1], .sint = (uint8_t)value[2]};
    const struct vmr_synic_message message = {
        .type = (uint32_t)value[3], .origin = value[4], .payload = replay->received, .length = sent->length};

    if (synic && sent->kind == TRACE_MESSAGE)
        status = vmr_synic_post_message(synic, &target, &message);
    else if (synic)
        (void)vmr_synic_signal_event(synic, &target, (uint16_t)value[3]);
    (void)status; /* neither was recorded: both follow from the state of the library */
}

static void request_again(struct vmr_partition *partition, const uint64_t *value)
{
    const struct vmr_msi msi = {.address = value[1], .data = (uint32_t)value[2]};
    enum vmr_status status = VMR_OK;

    switch (value[0]) {
    case VMR_ASYNC_IRQ:
        status = vmr_partition_irq(partition, (uint32_t)value[1], value[2] != 0);
        break;
    case VMR_ASYNC_MSI:
        status = vmr_partition_msi(partition, &msi);
        break;
    case VMR_ASYNC_LINT:
        status = vmr_partition_lint(partition, (vmr_vp_index)value[1], (unsigned)value[2]);
        break;
    case VMR_ASYNC_NMI:
        status = vmr_partition_nmi(partition, (vmr_vp_index)value[1]);
        break;
    default:
        vmr_partition_wake(partition, (vmr_vp_index)value[1]);
    }
    (void)status; /* not recorded: it follows from the state of the library */
}

/* Makes the recorded request again. The lock is given up meanwhile. */
static void make_async(struct vmr_replay *replay)
{
    struct vmr_partition *partition = replay->partition;
    /* The record, and what it points to, are gone as soon as the request has begun. */
    const struct trace_record made = replay->head;
    uint64_t before = replay->records;

    if (!partition) {
        (void)vmr_error_set(&replay->result.error, VMR_E_STATE,
                            "exit %llu: a request of another thread is to be made again, but "
                            "vmr_replay_set_partition was not called",
                            (unsigned long long)replay->exits);
        replay_finish_with(replay, VMR_E_STATE);
        return;
    }
    if (made.length > 0)
        memcpy(replay->received, made.bytes, made.length);
    hold(replay, TRACE_NO_VP);
    replay->async_depth = 0;
    sync_mutex_unlock(&replay->lock);
    if (is_synic(made.kind))
        send_again(replay, &made);
    else if (made.kind == TRACE_INPUT)
        (void)vmr_partition_input(partition, (uint32_t)made.value[0], replay->received, made.length);
    else
        request_again(partition, made.value);
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
           kind == TRACE_HALT || kind == TRACE_TIME || kind == TRACE_READ || kind == TRACE_FETCH_OR ||
           kind == TRACE_WAIT;
}

/*
 * Nobody can take the next record: it is the partition's, and no request; or of
 * a VP that is not there, or has ended its run where the trace goes on with it.
 */
static bool is_stuck(const struct vmr_replay *replay)
{
    uint32_t next = replay->head.vp;

    if (next == TRACE_NO_VP)
        return !trace_kind_is_async(replay->head.kind) && replay->head.kind != TRACE_WAIT;
    const struct replay_vp *vp = next < replay->vp_count ? replay->vps[next] : NULL;

    return !vp || (!vp->entered && !vp->away && is_of_a_run(replay->head.kind));
}

/* A request that the replay can make: the others are the embedder's, or its thread's that goes on. */
static bool can_make(const struct vmr_replay *replay)
{
    return trace_kind_is_async(replay->head.kind) && replay->head.kind != TRACE_CALL;
}

/*
 * The trace goes on with a VP that is in no run: with a new one, or with what
 * is done between runs; or with another thread of the embedder's. It may be about
 * to do it; an embedder that stops all VPs first, as a VP set does, never will
 * while another waits here for its turn.
 */
static bool awaits_embedder(const struct vmr_replay *replay)
{
    /* Whoever has the turn goes from record to record without the lock. */
    if (replay->has_turn)
        return false;
    uint32_t next = replay->head.vp;

    if (next == TRACE_NO_VP)
        return !can_make(replay);
    return next < replay->vp_count && replay->vps[next] && !replay->vps[next]->entered;
}

static uint64_t patience(const struct vmr_replay *replay)
{
    uint64_t patience_ns = replay->options.patience_ns ? replay->options.patience_ns : PATIENCE_DEFAULT_NS;

    return replay->halted && patience_ns > PATIENCE_HALTED_NS ? PATIENCE_HALTED_NS : patience_ns;
}

static void wait(struct vmr_replay *replay, struct replay_seat *seat)
{
    const struct vmr_host *host = &replay->host;
    uint64_t deadline_ns = VMR_NEVER;

    if (awaits_embedder(replay) && !checked_add_u64(host->ops->now_ns(host->context), patience(replay), &deadline_ns))
        deadline_ns = VMR_NEVER;

    seat->waiting = true;
    sync_mutex_unlock(&replay->lock);
    enum vmr_park_result result = host->ops->park(host->context, seat->parker, deadline_ns);

    sync_mutex_lock(&replay->lock);
    seat->waiting = false;
    if ((result == VMR_PARK_DEADLOCK && !replay->has_turn) || (result == VMR_PARK_TIMEOUT && awaits_embedder(replay)))
        replay_diverge(replay, "has no VP that could go on");
}

static bool is_turn_of(const struct vmr_replay *replay, const struct replay_seat *seat)
{
    return seat->request ? trace_record_equal(seat->request, &replay->head) : replay->head.vp == seat->vp;
}

static bool take_locked(struct vmr_replay *replay, struct replay_seat *seat)
{
    while (!replay_is_over(replay)) {
        if (replay->has_turn) {
            wait(replay, seat);
        } else if (is_turn_of(replay, seat)) {
            hold(replay, seat->vp);
            return true;
        } else if (can_make(replay)) {
            make_async(replay);
        } else if (is_stuck(replay)) {
            replay_diverge(replay, "goes on with a VP");
        } else if (!pass_over(replay)) {
            wait(replay, seat);
        }
    }
    /* Perhaps it was this one that found out. */
    wake_waiting(replay);
    return false;
}

bool replay_take(struct vmr_replay *replay, struct replay_vp *vp)
{
    sync_store_u32(&replay->host, &replay->standing, 0);
    sync_mutex_lock(&replay->lock);
    bool taken = take_locked(replay, &vp->seat);

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

    if (!trace_kind_is_async(replay->head.kind))
        return false;
    trace_reader_peek_begin(replay->reader, &peek);
    while (trace_reader_peek(replay->reader, &peek, &seen)) {
        if (seen.vp != TRACE_NO_VP)
            return false;
    }
    return peek.end;
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
        while (!replay_is_over(replay) && can_make(replay))
            make_async(replay);
    }
    wake_next(replay);
    sync_mutex_unlock(&replay->lock);
}

void replay_left(struct vmr_replay *replay, struct replay_vp *vp)
{
    sync_mutex_lock(&replay->lock);
    vp->entered = false;
    wake_waiting(replay);
    sync_mutex_unlock(&replay->lock);
}

/* With the lock: a thread that runs no VP waits until `request` is next. */
static bool take_from_outside(struct vmr_replay *replay, const struct trace_record *request)
{
    struct replay_seat seat = {.vp = TRACE_NO_VP, .request = request, .next = replay->outside};
    struct replay_seat **link = &replay->outside;

    if (replay->host.ops->parker_create(replay->host.context, &seat.parker)) {
        (void)vmr_error_set(&replay->result.error, VMR_E_NOMEM, "replay: out of memory");
        replay_finish_with(replay, VMR_E_NOMEM);
        wake_waiting(replay);
        return false;
    }
    replay->outside = &seat;
    bool taken = take_locked(replay, &seat);

    while (*link != &seat)
        link = &(*link)->next;
    *link = seat.next;
    replay->host.ops->parker_destroy(replay->host.context, seat.parker);
    return taken;
}

bool replay_take_async(struct vmr_replay *replay, const struct trace_record *request)
{
    sync_mutex_lock(&replay->lock);
    bool fits = !replay->has_turn && !replay_is_over(replay) && trace_record_equal(request, &replay->head);

    if (fits)
        hold(replay, TRACE_NO_VP);
    else if (request->kind == TRACE_CALL && replay->knows_waits)
        fits = take_from_outside(replay, request);
    if (fits) {
        replay->async_taken = true;
        replay->async_depth = 1;
    }
    sync_mutex_unlock(&replay->lock);
    return fits;
}

/* --- waiting for VPs --- */

/* The trace goes on with who waits: nobody else moves any more. */
static bool is_due(struct vmr_replay *replay, uint32_t turn)
{
    sync_mutex_lock(&replay->lock);
    bool due = !replay->has_turn && !replay_is_over(replay) && replay->head.vp == turn &&
               (turn != TRACE_NO_VP || replay->head.kind == TRACE_WAIT);

    sync_mutex_unlock(&replay->lock);
    return due;
}

/* Whether it is due comes first: what is looked at then does not change. */
static bool poll_for(struct vmr_replay *replay, uint32_t turn, bool (*is_over)(void *context), void *context)
{
    for (;;) {
        bool due = is_due(replay, turn);

        if (is_over(context))
            return true;
        if (due) {
            replay_diverge(replay, "waits for VPs that do not come");
            replay_wake_all(replay);
        }
        if (!sync_relax(&replay->host))
            return false;
    }
}

static bool take_again(struct vmr_replay *replay, uint32_t turn)
{
    static const struct trace_record over = {.kind = TRACE_WAIT, .vp = TRACE_NO_VP};

    if (turn != TRACE_NO_VP)
        return replay_take(replay, replay->vps[turn]);
    sync_mutex_lock(&replay->lock);
    bool taken = take_from_outside(replay, &over);

    sync_mutex_unlock(&replay->lock);
    return taken;
}

bool replay_wait(struct vmr_replay *replay, bool (*is_over)(void *context), void *context)
{
    uint32_t turn = replay->turn, depth = replay->async_depth;
    bool taken = replay->async_taken;

    replay->async_taken = false;
    replay_give(replay);
    bool goes_on = poll_for(replay, turn, is_over, context);

    if (!take_again(replay, turn))
        return goes_on;
    replay->async_taken = taken;
    replay->async_depth = depth;
    if (replay->knows_waits && replay_expect(replay, TRACE_WAIT, "waits for other VPs"))
        replay_advance(replay);
    return goes_on;
}

/* --- the ends of requests, and of everything --- */

void replay_end_async(struct vmr_replay *replay)
{
    if (!replay_owns(replay) || replay->turn != TRACE_NO_VP || --replay->async_depth > 0 || !replay->async_taken)
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
