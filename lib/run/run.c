/* SPDX-License-Identifier: MIT */
/*
 * The run loop: the VP's half of the protocol in lib/partition/request.c.
 *
 * The order is the contract [RUN-12]: requests first; a pending exit is
 * finished before anything is reported; the guest is entered only if no request
 * came between the last look and the entry.
 */

#include "lib/run/run.h"

#include "lib/base/plant.h"
#include "lib/partition/hold.h"
#include "lib/partition/lifecycle.h"
#include "lib/partition/reset.h"
#include "lib/partition/start.h"
#include "lib/run/stop.h"

void run_halt(struct run *run, enum vmr_halt_reason reason)
{
    run->result.kind = VMR_RUN_HALTED;
    run->result.reason = reason;
    run->leave = reason == VMR_HALT_STOP ? VMR_LEAVE_STOP : reason == VMR_HALT_CANCEL ? VMR_LEAVE_KICK : VMR_LEAVE_HALT;
    run->done = true;
}

void run_begin(struct vmr_vp *vp)
{
    const struct vmr_partition *partition = vp->partition;

    if (partition->backend->vp_enter)
        partition->backend->vp_enter(vp->backend_vp);
    sync_store_u32(partition->host, &vp->place, PLACE_LOOP);
}

void run_end(struct vmr_vp *vp, enum vmr_leave why)
{
    const struct vmr_partition *partition = vp->partition;

    /* A kick in progress ends first: the backend is not kicked after vp_leave. */
    sync_mutex_lock(&vp->kick_lock);
    sync_store_u32(partition->host, &vp->place, PLACE_OUT);
    sync_mutex_unlock(&vp->kick_lock);
    if (partition->backend->vp_leave)
        partition->backend->vp_leave(vp->backend_vp, why);
}

bool run_enter_guest(struct vmr_vp *vp, uint32_t mask)
{
    const struct vmr_partition *partition = vp->partition;
    bool entered = false;

    sync_store_u32(partition->host, &vp->place, PLACE_GUEST);
    if (PLANT(LOST_KICK) || (sync_load_u32(partition->host, &vp->requests) & mask) == 0) {
        partition->backend->vp_run(vp->backend_vp, &vp->exit);
        entered = true;
    }
    /* No order needed: a sender that still sees GUEST kicks once too often. */
    sync_point(partition->host, &vp->place);
    atomic_store_explicit(&vp->place, PLACE_LOOP, memory_order_release);
    if (entered) {
        vp->exit_pending = vmr_exit_is_pending(&vp->exit);
        vp->interrupt_ready = vp->exit.interrupt_ready;
        vp->guest_tpr = vp->exit.tpr;
    }
    return entered;
}

void run_complete(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_backend *backend = vp->partition->backend;

    for (unsigned i = 0; vp->exit_pending; i++) {
        if (i == VMR_COMPLETION_EXIT_MAX) {
            vp->exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL, .u.fail.cause = VMR_FAIL_INTERNAL};
            vp->exit_pending = false;
        } else if (backend->vp_complete) {
            backend->vp_complete(vp->backend_vp, &vp->exit);
            vp->exit_pending = vmr_exit_is_pending(&vp->exit);
        } else {
            vp->exit = (struct vmr_exit){0};
            vp->exit_pending = false;
        }
        if (vp->exit.kind != VMR_EXIT_NONE)
            dispatch_further(run);
    }
}

void run_fail(struct run *run, enum vmr_status status)
{
    struct vmr_vp *vp = run->vp;

    run_complete(run);
    vp->exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL, .u.fail.cause = VMR_FAIL_INTERNAL};
    vp->exit.u.fail.code = status;
    dispatch_further(run);
}

void run_nmi(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    enum vmr_status status = vp->partition->backend->vp_nmi(vp->backend_vp);

    if (vp->activity == VMR_ACTIVITY_HALTED)
        vp->activity = VMR_ACTIVITY_RUNNING;
    if (status)
        run_fail(run, status);
}

static void run_flush(struct run *run)
{
    struct vmr_vp *vp = run->vp;

    run_complete(run);
    if (run->done && run->result.reason == VMR_HALT_FATAL)
        return;
    enum vmr_status status = vp->partition->backend->vp_flush(vp->backend_vp);

    if (status)
        run_fail(run, status);
}

static void run_start(struct run *run)
{
    enum vmr_status status;

    run->vp->start_due = false;
    status = start_take(run->vp);
    if (status)
        run_fail(run, status);
}

/* A kick is consumed once it is certain that this run reports it. */
static void consume(struct vmr_vp *vp, uint32_t seen, uint32_t bit)
{
    const struct vmr_host *host = vp->partition->host;

    if (PLANT(STALE_CANCEL)) {
        (void)sync_compare_exchange_u32(host, &vp->requests, &seen, seen & ~bit);
        return;
    }
    (void)sync_fetch_and_u32(host, &vp->requests, ~bit);
}

static void take_endings(struct run *run, uint32_t requests)
{
    struct vmr_vp *vp = run->vp;

    /* Before the latch is looked at, so that a stop that comes now sets it again. */
    if (requests & REQUEST_STOP)
        (void)sync_fetch_and_u32(vp->partition->host, &vp->requests, ~REQUEST_STOP);
    run_complete(run);
    if (run->done)
        return; /* what the rest of the exit caused comes first; the request stays for the next run */
    if ((requests & REQUEST_STOP) && run->stop && vmr_stop_is_set(run->stop)) {
        run_halt(run, VMR_HALT_STOP);
    } else if (requests & REQUEST_KICK) {
        consume(vp, requests, REQUEST_KICK);
        run_halt(run, VMR_HALT_CANCEL);
    } else if (requests & REQUEST_YIELD) {
        consume(vp, requests, REQUEST_YIELD);
        run->result.kind = VMR_RUN_YIELDED;
        run->leave = VMR_LEAVE_YIELD;
        run->done = true;
    }
}

static void take_requests(struct run *run, uint32_t requests)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_partition *partition = vp->partition;
    uint32_t taken = requests & (REQUEST_WAKE | REQUEST_NMI | REQUEST_FLUSH | REQUEST_START);

    if (requests & (REQUEST_STOP | REQUEST_KICK | REQUEST_YIELD)) {
        take_endings(run, requests);
        if (run->done)
            return;
    }
    if (requests & REQUEST_HOLD)
        partition_wait_for_release(vp);
    if (!taken)
        return;
    /* Only what was seen: a request that has come since is for the next look. [RUN-3] */
    (void)sync_fetch_and_u32(partition->host, &vp->requests, ~taken);
    if (taken & REQUEST_FLUSH)
        run_flush(run);
    if (taken & (REQUEST_WAKE | REQUEST_START))
        vp->recheck = true;
    if (taken & REQUEST_START)
        vp->start_due = true; /* behind an INIT that was sent before it */
    if (taken & REQUEST_NMI)
        run_nmi(run);
}

/* HLT, or waiting for a start-up IPI: nothing to do until somebody unparks, or the next timer. [RUN-11] */
static void sleep_vp(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_host *host = vp->partition->host;
    enum vmr_park_result result = VMR_PARK_WOKEN;

    sync_store_u32(host, &vp->place, PLACE_PARKED);
    if (sync_load_u32(host, &vp->requests) == 0)
        result = host->ops->park(host->context, vp->parker, vp->deadline_ns);
    sync_store_u32(host, &vp->place, PLACE_LOOP);
    vp->recheck = true;
    if (result == VMR_PARK_DEADLOCK) {
        run->status = VMR_E_DEADLOCK;
        run->leave = VMR_LEAVE_HALT;
        run->done = true;
    }
}

/* Without a clock (lib/partition/clock.c) nobody else watches the timers while the guest runs. */
static void watch_deadline(struct vmr_vp *vp)
{
    const struct vmr_partition *partition = vp->partition;

    if (vp->deadline_ns != VMR_NEVER && !partition->clock.deadline &&
        partition->host->ops->now_ns(partition->host->context) >= vp->deadline_ns)
        vp->recheck = true;
}

static void run_once(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_host *host = vp->partition->host;

    run_seam(vp, VMR_SEAM_BEFORE_CHECK);
    uint32_t requests = sync_load_u32(host, &vp->requests);

    if (requests) {
        take_requests(run, requests);
        if (run->done)
            return;
    }
    run_seam(vp, VMR_SEAM_AFTER_CHECK);
    watch_deadline(vp);
    if (vp->recheck)
        interrupts_take(run);
    if (vp->start_due && !run->done)
        run_start(run);
    if (run->done)
        return;
    if (vp_sleeps(vp))
        sleep_vp(run);
    else if (run_enter_guest(vp, UINT32_MAX))
        dispatch_exit(run);
}

enum vmr_status vmr_vp_run(struct vmr_vp *vp, struct vmr_stop_source *stop, const struct vmr_vp_io *io,
                           struct vmr_run_result *ret_result)
{
    return partition_is_managed(vp->partition) ? VMR_E_UNSUPPORTED : run_vp(vp, stop, io, ret_result);
}

enum vmr_status run_vp(struct vmr_vp *vp, struct vmr_stop_source *stop, const struct vmr_vp_io *io,
                       struct vmr_run_result *ret_result)
{
    enum vmr_status status = io ? reset_enter_run(vp) : VMR_E_USAGE;

    if (status)
        return status;
    struct run run = {.vp = vp, .stop = stop, .io = io};

    struct stop_link link;

    run_begin(vp);
    stop_attach(stop, &link, vp);
    while (!run.done)
        run_once(&run);
    stop_detach(stop, &link);
    run_end(vp, run.leave);
    (void)lifecycle_move(vp, run.result.reason == VMR_HALT_FATAL ? VP_OP_FAIL : VP_OP_RETURN);
    if (run.status)
        return run.status;
    *ret_result = run.result;
    return VMR_OK;
}

/* --- between runs --- */

/* The hypervisor's local APIC has its own queue; asking for the activity empties it. */
static void flush_hypervisor(struct run *run)
{
    const struct vmr_backend *backend = run->vp->partition->backend;
    enum vmr_activity activity;

    if (run->done || !partition_apic_in_hypervisor(run->vp->partition))
        return;
    enum vmr_status status = backend->vp_get_activity(run->vp->backend_vp, &activity);

    if (status)
        run_fail(run, status);
}

/* What the loop does before it enters the guest, and no more. */
static void flush_requests(struct run *run)
{
    const uint32_t mask = REQUEST_WAKE | REQUEST_NMI | REQUEST_FLUSH | REQUEST_START;
    struct vmr_vp *vp = run->vp;
    uint32_t requests = sync_load_u32(vp->partition->host, &vp->requests) & mask;

    if (requests)
        take_requests(run, requests);
    /* Also without a request: what a run would do at its beginning is done, so that once more changes nothing. */
    if (vp->recheck && !run->done)
        interrupts_take(run);
    if (vp->start_due && !run->done)
        run_start(run);
    flush_hypervisor(run);
}

enum vmr_status vmr_vp_flush_async_requests(struct vmr_vp *vp)
{
    static const struct vmr_vp_io nothing = {0}; /* no exit is dispatched, but for one that failed */
    enum vmr_status status = reset_enter(vp, RESET_USABLE);

    if (status)
        return status;
    if (vp->exit_pending) {
        (void)lifecycle_move(vp, VP_OP_RETURN);
        return VMR_E_STATE;
    }
    struct run run = {.vp = vp, .io = &nothing};

    run_begin(vp);
    flush_requests(&run);
    run_end(vp, VMR_LEAVE_STEP);
    (void)lifecycle_move(vp, run.done ? VP_OP_FAIL : VP_OP_RETURN);
    return run.done ? VMR_E_HOST : VMR_OK;
}
