/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls to the Hyper-V guest interface. The instruction that makes one
 * exits; it is finished first, so that the VP is at a clean point whose
 * registers can be read and written, and only then is the call served. A call
 * that is to be repeated has its instruction pointer moved back.
 */

#include "lib/run/run.h"

#define VECTOR_UD 6u
#define VMCALL_BYTES 3u
#define OUT_IMM8_BYTES 2u
#define RFLAGS_IF (UINT64_C(1) << 9)

bool hypercall_is(const struct vmr_vp *vp, const struct vmr_exit *vp_exit)
{
    const struct vmr_hv_guest *hv = vp->partition->hv;
    const struct vmr_exit_io *io = &vp_exit->u.io;

    if (!hv)
        return false;
    if (vp_exit->kind == VMR_EXIT_IO)
        return io->port == VMR_HV_PORT && io->direction == VMR_WRITE && io->size == 1 && !io->string &&
               vmr_hv_guest_is_calling(hv, vp_exit->vtl);
    return vp_exit->kind == VMR_EXIT_HYPERCALL && vmr_hv_guest_is_calling(hv, vp_exit->vtl);
}

/*
 * The answer of VMCALL goes to RAX, which the call itself sets; until it has
 * been read, it must stay: EAX of a 32-bit caller is half of the control word.
 */
static bool finish_instruction(struct vmr_vp *vp, const struct vmr_exit *vp_exit)
{
    const struct vmr_backend *backend = vp->partition->backend;
    struct vmr_exit answered = {0};

    if (vp_exit->kind == VMR_EXIT_HYPERCALL && backend->vp_complete) {
        answered = *vp_exit;
        answered.u.hypercall.result = answered.u.hypercall.number;
    }
    vp->exit = answered;
    if (vp->exit_pending && backend->vp_complete)
        backend->vp_complete(vp->backend_vp, &vp->exit);
    vp->exit_pending = vmr_exit_is_pending(&vp->exit);
    return vp->exit.kind == VMR_EXIT_NONE;
}

/* The call may have changed what the last exit said of the VP: its task priority, and whether it takes interrupts. */
static void note_registers(struct vmr_vp *vp, const struct vmr_x86_regs *regs, uint64_t cr8_before)
{
    if (regs->cr8 != cr8_before)
        vp->guest_tpr = (uint8_t)regs->cr8;
    if ((regs->rflags & RFLAGS_IF) == 0)
        vp->interrupt_ready = false;
}

static enum vmr_halt_reason call(struct vmr_vp *vp, struct vmr_hv_site *site)
{
    struct vmr_partition *partition = vp->partition;
    const struct vmr_backend *backend = partition->backend;

    if (backend->vp_get_regs(vp->backend_vp, site->regs))
        return VMR_HALT_FATAL;
    uint64_t cr8 = site->regs->cr8;
    enum vmr_hv_site_end end = vmr_hv_guest_call(partition->hv, site);

    note_registers(vp, site->regs, cr8);
    if (end == VMR_HV_SITE_FAILED || backend->vp_set_regs(vp->backend_vp, site->regs))
        return VMR_HALT_FATAL;
    if (end == VMR_HV_SITE_SERVED)
        return VMR_HALT_NONE;
    if (end == VMR_HV_SITE_SWITCHED)
        return vp_enter_vtl(vp, &site->entry) ? VMR_HALT_NONE : VMR_HALT_FATAL;
    /* Without a way to raise it, going on would run the instruction for ever. */
    if (!backend->vp_exception || backend->vp_exception(vp->backend_vp, VECTOR_UD))
        return VMR_HALT_FATAL;
    return VMR_HALT_NONE;
}

enum vmr_halt_reason hypercall_serve(struct vmr_vp *vp, struct vmr_exit *vp_exit)
{
    struct vmr_x86_regs regs;
    struct vmr_hv_site site = {
        .vp = vp->index,
        .vtl = vp_exit->vtl,
        .instruction_length = vp_exit->kind == VMR_EXIT_IO ? OUT_IMM8_BYTES : VMCALL_BYTES,
        .regs = &regs,
    };
    bool finished = finish_instruction(vp, vp_exit);
    enum vmr_halt_reason reason = finished ? call(vp, &site) : VMR_HALT_FATAL;

    if (finished && reason == VMR_HALT_FATAL) {
        vp->exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL, .vtl = site.vtl};
        vp->exit.u.fail.cause = VMR_FAIL_INTERNAL;
    }
    *vp_exit = vp->exit; /* nothing of it is left to answer */
    vp->recheck = true;
    return reason;
}
