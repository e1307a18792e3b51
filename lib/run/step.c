/* SPDX-License-Identifier: MIT */
/*
 * One exit at a time, for embedders with their own loop. The VP keeps a copy of
 * the exit so that it knows whether one is pending; the caller's copy carries
 * the answer. [RUN-13]
 */

#include "lib/partition/lifecycle.h"
#include "lib/run/run.h"

/* What the caller filled in, but only where an answer belongs: the rest of the exit is not the caller's to change. */
static void take_answer(struct vmr_vp *vp, const struct vmr_exit *vp_exit)
{
    if (vp->exit_pending && vp_exit->kind == vp->exit.kind) {
        uint8_t *bytes = vp->exit.u.io.bytes;

        vp->exit.u = vp_exit->u;
        if (vp->exit.kind == VMR_EXIT_IO)
            vp->exit.u.io.bytes = bytes;
    }
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

/* A kick asks for CANCEL, which must not swallow an exit that is still pending. */
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
    (void)sync_fetch_and_u32(host, &vp->requests, ~REQUEST_KICK);
    vp->exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
    return true;
}

enum vmr_status vmr_vp_step(struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_RUN);

    if (status)
        return status;
    take_answer(vp, vp_exit);
    run_begin(vp);
    /* Yields, stops and wakes are not for a step loop: they stay set for the next run. */
    while (!step_cancelled(vp) && !run_enter_guest(vp, REQUEST_KICK))
        ;
    run_end(vp, VMR_LEAVE_STEP);
    *vp_exit = vp->exit;
    return lifecycle_move(vp, VP_OP_RETURN);
}

enum vmr_status vmr_vp_step_complete(struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_RUN);

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
    *vp_exit = vp->exit;
    return lifecycle_move(vp, VP_OP_RETURN);
}

enum vmr_status vmr_vp_dispatch(struct vmr_vp *vp, struct vmr_exit *vp_exit, const struct vmr_vp_io *io,
                                enum vmr_halt_reason *ret_reason)
{
    struct vmr_run_result result = {0};
    enum vmr_status status = io ? lifecycle_move(vp, VP_OP_ACCESS) : VMR_E_USAGE;

    if (status)
        return status;
    /* Devices work for this VP now, and a recorder has to know; inside a run it does. */
    bool inside = atomic_load(&vp->state) == VP_RUNNING;

    if (!inside)
        run_begin(vp);
    *ret_reason = dispatch_one(vp, io, vp_exit, &result);
    if (!inside)
        run_end(vp, VMR_LEAVE_STEP);
    return VMR_OK;
}

enum vmr_status vmr_vp_inject(struct vmr_vp *vp, uint8_t vector)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_ACCESS);

    if (status)
        return status;
    if (!vp->interrupt_ready)
        return VMR_E_STATE;
    vp->interrupt_ready = false;
    return vp->partition->backend->vp_interrupt(vp->backend_vp, vector);
}

enum vmr_status vmr_vp_inject_nmi(struct vmr_vp *vp)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_ACCESS);

    return status ? status : vp->partition->backend->vp_nmi(vp->backend_vp);
}

void vmr_vp_request_window(struct vmr_vp *vp, bool wanted)
{
    if (lifecycle_move(vp, VP_OP_ACCESS) == VMR_OK)
        vp->partition->backend->vp_request_window(vp->backend_vp, wanted);
}
