/* SPDX-License-Identifier: MIT */
/* One VP asks, another's thread answers: the word in between, and what a start does to a VP. */

#include "lib/partition/start.h"

enum start_state {
    START_FREE,
    START_CLAIMED, /* the registers are being written */
    START_ASKED,
    START_DONE,
    START_REFUSED
};

/* Whose it is goes with it in one word, so that an answer is nobody else's. */
#define STATE(kind, caller) ((uint32_t)(kind) | (uint32_t)(caller) << 8)
#define KIND(state) ((enum start_state)((state)&0xffu))
#define CALLER(state) ((vmr_vp_index)((state) >> 8))

#define MSR_PAT 0x277u

/* --- the calling VP's thread --- */

static enum vmr_hv_start_end ask(struct vmr_vp *vp, uint32_t seen, struct vmr_vp *caller,
                                 const struct vmr_hv_initial *start)
{
    const struct vmr_host *host = vp->partition->host;

    if (!sync_compare_exchange_u32(host, &vp->start_state, &seen, STATE(START_CLAIMED, caller->index)))
        return VMR_HV_START_ASKED;
    caller->starts = vp->index + 1;
    vp->start = *start;
    sync_store_u32(host, &vp->start_state, STATE(START_ASKED, caller->index));
    (void)vp_request(vp, REQUEST_START, NULL);
    return VMR_HV_START_ASKED;
}

/* The caller's own question is under way, or answered. */
static enum vmr_hv_start_end collect(struct vmr_vp *vp, uint32_t state, struct vmr_vp *caller)
{
    const struct vmr_host *host = vp->partition->host;

    if (KIND(state) == START_CLAIMED || KIND(state) == START_ASKED) {
        (void)sync_relax(host);
        return VMR_HV_START_ASKED;
    }
    caller->starts = 0;
    /* Failing: somebody else asks already, which only a refusal allows. */
    (void)sync_compare_exchange_u32(host, &vp->start_state, &state, STATE(START_FREE, 0));
    return KIND(state) == START_DONE ? VMR_HV_START_DONE : VMR_HV_START_REFUSED;
}

enum vmr_hv_start_end start_ask(struct vmr_vp *vp, struct vmr_vp *caller, const struct vmr_hv_initial *start)
{
    const struct vmr_host *host = vp->partition->host;
    uint32_t state = sync_load_u32(host, &vp->start_state);

    if (KIND(state) != START_FREE && CALLER(state) == caller->index)
        return collect(vp, state, caller);
    /* It has asked, and the answer is no more: a refusal, over which another has asked. */
    if (caller->starts == vp->index + 1) {
        caller->starts = 0;
        return VMR_HV_START_REFUSED;
    }
    if (KIND(state) == START_DONE)
        return VMR_HV_START_REFUSED; /* another was first */
    if (KIND(state) == START_CLAIMED || KIND(state) == START_ASKED) {
        (void)sync_relax(host);
        return VMR_HV_START_ASKED;
    }
    return ask(vp, state, caller, start);
}

void start_forget(struct vmr_vp *vp)
{
    sync_store_u32(vp->partition->host, &vp->start_state, STATE(START_FREE, 0));
}

/* --- the VP's thread --- */

enum vmr_status start_registers(struct vmr_vp *vp, const struct vmr_x86_regs *initial)
{
    const struct vmr_backend *backend = vp->partition->backend;
    struct vmr_x86_regs regs = *initial, old = {0};
    enum vmr_status status = backend->vp_get_regs(vp->backend_vp, &old);

    regs.apic_base = old.apic_base;
    return status ? status : backend->vp_set_regs(vp->backend_vp, &regs);
}

static enum vmr_status get_activity(struct vmr_vp *vp, enum vmr_activity *ret_activity)
{
    if (partition_apic_in_hypervisor(vp->partition))
        return vp->partition->backend->vp_get_activity(vp->backend_vp, ret_activity);
    *ret_activity = vp->activity;
    return VMR_OK;
}

static enum vmr_status begin(struct vmr_vp *vp)
{
    const struct vmr_backend *backend = vp->partition->backend;
    enum vmr_status status = start_registers(vp, &vp->start.regs);

    if (!status)
        status = backend->vp_set_msr(vp->backend_vp, MSR_PAT, vp->start.pat);
    if (!status && partition_apic_in_hypervisor(vp->partition))
        status = backend->vp_set_activity(vp->backend_vp, VMR_ACTIVITY_RUNNING);
    vp->activity = VMR_ACTIVITY_RUNNING;
    vp->interrupt_ready = false; /* until an exit says so */
    vp->guest_tpr = (uint8_t)vp->start.regs.cr8;
    vp->recheck = true;
    return status;
}

enum vmr_status start_take(struct vmr_vp *vp)
{
    const struct vmr_host *host = vp->partition->host;
    uint32_t state = sync_load_u32(host, &vp->start_state);
    enum vmr_activity activity = VMR_ACTIVITY_RUNNING;

    if (KIND(state) != START_ASKED)
        return VMR_OK;
    enum vmr_status status = get_activity(vp, &activity);
    bool waits = !status && activity == VMR_ACTIVITY_WAIT_FOR_SIPI;

    if (waits)
        status = begin(vp);
    sync_store_u32(host, &vp->start_state, STATE(waits ? START_DONE : START_REFUSED, CALLER(state)));
    return status;
}
