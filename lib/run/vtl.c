/* SPDX-License-Identifier: MIT */
/*
 * A VP among its VTLs: entering one, accesses that a VTL may not make, and the
 * interrupts of those that have no local APIC.
 */

#include "lib/run/run.h"

#define VECTOR_GP 13u

static uint8_t access_type(const struct vmr_exit_memory_fault *fault)
{
    if (fault->flags & VMR_FAULT_EXECUTE)
        return HV_INTERCEPT_EXECUTE;
    return fault->flags & VMR_FAULT_WRITE ? HV_INTERCEPT_WRITE : HV_INTERCEPT_READ;
}

bool vtl_fault_is(const struct vmr_vp *vp, const struct vmr_exit *vp_exit)
{
    return vp_exit->kind == VMR_EXIT_MEMORY_FAULT && (vp_exit->u.memory_fault.flags & VMR_FAULT_VTL) != 0 &&
           vp->partition->hv && vmr_caps_have(&vp->partition->caps, VMR_CAP_VTL);
}

enum vmr_halt_reason vtl_fault_serve(struct vmr_vp *vp, const struct vmr_exit *vp_exit)
{
    const struct vmr_backend *backend = vp->partition->backend;
    struct vmr_x86_regs regs;
    struct vmr_hv_entry entry;
    const struct vmr_hv_fault fault = {.vp = vp->index,
                                       .vtl = vp_exit->vtl,
                                       .gpa = vp_exit->u.memory_fault.gpa,
                                       .access_type = access_type(&vp_exit->u.memory_fault),
                                       .regs = &regs};
    bool done = false;

    if (backend->vp_get_regs(vp->backend_vp, &regs))
        return VMR_HALT_FATAL;
    switch (vmr_hv_guest_fault(vp->partition->hv, &fault, &entry)) {
    case VMR_HV_FAULT_RETRY:
        done = true;
        break;
    case VMR_HV_FAULT_PASS:
        done = backend->vp_pass_fault(vp->backend_vp) == VMR_OK;
        break;
    case VMR_HV_FAULT_EXCEPTION:
        done = backend->vp_exception && backend->vp_exception(vp->backend_vp, VECTOR_GP) == VMR_OK;
        break;
    case VMR_HV_FAULT_ENTER:
        done = vp_enter_vtl(vp, &entry);
        break;
    case VMR_HV_FAULT_HALT:
        break;
    }
    return done ? VMR_HALT_NONE : VMR_HALT_FATAL;
}

/* A VTL that sleeps takes it at once; one that runs has to say that it can. */
static void inject(struct run *run, uint8_t vector)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_partition *partition = vp->partition;

    if (!vp->interrupt_ready) {
        interrupts_window(vp, vp->activity == VMR_ACTIVITY_RUNNING);
        return;
    }
    interrupts_window(vp, false);
    enum vmr_status status = partition->backend->vp_interrupt(vp->backend_vp, vector);

    vmr_hv_guest_vector_taken(partition->hv, vp->index, vector);
    vp->interrupt_ready = false;
    vp->activity = VMR_ACTIVITY_RUNNING;
    vp->recheck = true; /* another may wait behind it */
    if (status)
        run_fail(run, status);
}

bool vtl_take(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    struct vmr_hv_guest *hv = vp->partition->hv;
    struct vmr_hv_entry entry;
    uint8_t vector;

    if (vmr_hv_guest_restarted(hv, vp->index) || vmr_hv_guest_preempts(hv, vp->index)) {
        run_complete(run); /* at a clean point */
        if (run->done) {
            vp->recheck = true;
            return true;
        }
        if (vp_follow_reset(vp)) {
            run_fail(run, VMR_E_HOST);
            return true;
        }
        if (vmr_hv_guest_preempt(hv, vp->index, &entry) && !vp_enter_vtl(vp, &entry)) {
            run_fail(run, VMR_E_HOST);
            return true;
        }
    }
    if (vp->vtl == VMR_VTL0 || vp->activity == VMR_ACTIVITY_WAIT_FOR_SIPI)
        return false;
    if (vmr_hv_guest_vector(hv, vp->index, &vector))
        inject(run, vector);
    else
        interrupts_window(vp, false);
    return true;
}
