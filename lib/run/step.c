/* SPDX-License-Identifier: MIT */
/*
 * One exit at a time, for embedders with their own loop. The VP keeps a copy of
 * the exit so that it knows whether one is pending; the caller's copy carries
 * the answer. [RUN-13]
 */

#include "lib/partition/hold.h"
#include "lib/partition/lifecycle.h"
#include "lib/partition/reset.h"
#include "lib/partition/start.h"
#include "lib/run/run.h"

static void copy_cpuid(struct vmr_exit_cpuid *to, const struct vmr_exit_cpuid *from)
{
    to->eax = from->eax;
    to->ebx = from->ebx;
    to->ecx = from->ecx;
    to->edx = from->edx;
}

static void copy_msr(struct vmr_exit_msr *to, const struct vmr_exit_msr *from)
{
    to->fault = from->fault;
    if (to->direction == VMR_READ)
        to->value = from->value;
}

/* What the caller filled in, but only where an answer belongs: the rest of the exit is not the caller's to change. */
static void take_answer(struct vmr_vp *vp, const struct vmr_exit *vp_exit)
{
    struct vmr_exit *to = &vp->exit;

    if (!vp->exit_pending || vp_exit->kind != to->kind)
        return;
    /* The bytes of string I/O are the backend's own: the answer is in them already. */
    if (to->kind == VMR_EXIT_IO && to->u.io.direction == VMR_READ && !to->u.io.string)
        to->u.io.value = vp_exit->u.io.value;
    if (to->kind == VMR_EXIT_MMIO && to->u.mmio.direction == VMR_READ)
        to->u.mmio.value = vp_exit->u.mmio.value;
    if (to->kind == VMR_EXIT_MSR)
        copy_msr(&to->u.msr, &vp_exit->u.msr);
    if (to->kind == VMR_EXIT_CPUID)
        copy_cpuid(&to->u.cpuid, &vp_exit->u.cpuid);
    if (to->kind == VMR_EXIT_HYPERCALL)
        to->u.hypercall.result = vp_exit->u.hypercall.result;
}

/* Hands the exit out. One that is never resumed ends the VP. [EXIT-2] */
static enum vmr_status step_return(struct vmr_vp *vp, struct vmr_exit *ret_exit)
{
    *ret_exit = vp->exit;
    return lifecycle_move(vp, vp->exit.kind == VMR_EXIT_FAIL ? VP_OP_FAIL : VP_OP_RETURN);
}

static void complete_once(struct vmr_vp *vp)
{
    const struct vmr_backend *backend = vp->partition->backend;

    if (backend->vp_complete)
        backend->vp_complete(vp->backend_vp, &vp->exit);
    else
        vp->exit = (struct vmr_exit){0};
    vp->exit_pending = vmr_exit_is_pending(&vp->exit);
}

/* A kick asks for CANCEL, which consumes it and must not swallow an exit that is still pending. */
static bool step_cancelled(struct vmr_vp *vp)
{
    const struct vmr_host *host = vp->partition->host;

    if (!(sync_load_u32(host, &vp->requests) & REQUEST_KICK))
        return false;
    if (vp->exit_pending) {
        complete_once(vp);
        if (vp->exit.kind != VMR_EXIT_NONE)
            return true; /* a further exit of the same instruction; the kick waits */
    }
    vp->exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
    return true;
}

static enum vmr_status take_for_others(struct vmr_vp *vp, uint32_t requests)
{
    const struct vmr_partition *partition = vp->partition;
    enum vmr_status status = VMR_OK;

    if (requests & REQUEST_HOLD)
        partition_wait_for_release(vp);
    (void)sync_fetch_and_u32(partition->host, &vp->requests, ~(requests & (REQUEST_FLUSH | REQUEST_START)));
    if (requests & REQUEST_FLUSH)
        status = partition->backend->vp_flush(vp->backend_vp);
    if (!status && (requests & REQUEST_START))
        status = start_take(vp);
    return status;
}

/*
 * What even a step loop owes to others: to stay out while somebody holds the
 * VPs, to flush, to be started. False: not entered.
 */
static bool step_enter(struct vmr_vp *vp)
{
    const uint32_t owed = REQUEST_HOLD | REQUEST_FLUSH | REQUEST_START;
    uint32_t requests = sync_load_u32(vp->partition->host, &vp->requests) & owed;

    if (requests && take_for_others(vp, requests)) {
        vp->exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL, .u.fail.cause = VMR_FAIL_INTERNAL};
        vp->exit_pending = false;
        return true;
    }
    return run_enter_guest(vp, REQUEST_KICK | owed);
}

enum vmr_status vmr_vp_step(struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    enum vmr_status status = partition_is_managed(vp->partition) ? VMR_E_UNSUPPORTED : reset_enter_run(vp);

    if (status)
        return status;
    take_answer(vp, vp_exit);
    run_begin(vp);
    bool kicked;

    /* Yields, stops and wakes are not for a step loop: they stay set for the next run. */
    while (!(kicked = step_cancelled(vp)) && !step_enter(vp))
        ;
    /* A kick that reached the guest is reported by this very exit, and by no other. [RUN-2] */
    if (vp->exit.kind == VMR_EXIT_CANCEL)
        kicked |= (sync_fetch_and_u32(vp->partition->host, &vp->requests, ~REQUEST_KICK) & REQUEST_KICK) != 0;
    /* A replay kicks where the recording says that a kick was seen: without, this step would enter the guest. */
    run_end(vp, kicked ? VMR_LEAVE_KICK : VMR_LEAVE_STEP);
    return step_return(vp, vp_exit);
}

enum vmr_status vmr_vp_step_complete(struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    enum vmr_status status = partition_is_managed(vp->partition) ? VMR_E_UNSUPPORTED : lifecycle_move(vp, VP_OP_RUN);

    if (status)
        return status;
    take_answer(vp, vp_exit);
    if (vp->exit_pending) {
        run_begin(vp);
        complete_once(vp);
        run_end(vp, VMR_LEAVE_STEP);
    } else {
        vp->exit = (struct vmr_exit){0};
    }
    return step_return(vp, vp_exit);
}

enum vmr_status vmr_vp_dispatch(struct vmr_vp *vp, struct vmr_exit *vp_exit, const struct vmr_vp_io *io,
                                enum vmr_halt_reason *ret_reason)
{
    struct vmr_run_result result = {0};
    enum vmr_status status = io ? lifecycle_move(vp, VP_OP_ACCESS) : VMR_E_USAGE;

    if (status)
        return status;
    if (!vmr_exit_is_valid(vp_exit))
        return VMR_E_USAGE; /* it is the caller's copy: sizes and counts may be anything */
    /* Devices work for this VP now, and a recorder has to know; inside a run it does. */
    bool inside = atomic_load(&vp->state) == VP_RUNNING;

    if (!inside)
        run_begin(vp);
    *ret_reason = dispatch_one(vp, io, vp_exit, &result);
    if (!inside)
        run_end(vp, VMR_LEAVE_STEP);
    return VMR_OK;
}

/* Where the library runs the VP too: what is injected ends HLT. */
static void leave_hlt(struct vmr_vp *vp)
{
    if (vp->activity == VMR_ACTIVITY_HALTED)
        vp->activity = VMR_ACTIVITY_RUNNING;
}

enum vmr_status vmr_vp_inject(struct vmr_vp *vp, uint8_t vector)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_ACCESS);

    if (status)
        return status;
    if (!vp->interrupt_ready)
        return VMR_E_STATE;
    vp->interrupt_ready = false;
    leave_hlt(vp);
    return vp->partition->backend->vp_interrupt(vp->backend_vp, vector);
}

enum vmr_status vmr_vp_inject_nmi(struct vmr_vp *vp)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_ACCESS);

    if (status)
        return status;
    leave_hlt(vp);
    return vp->partition->backend->vp_nmi(vp->backend_vp);
}

void vmr_vp_request_window(struct vmr_vp *vp, bool wanted)
{
    if (lifecycle_move(vp, VP_OP_ACCESS) == VMR_OK)
        vp->partition->backend->vp_request_window(vp->backend_vp, wanted);
}
