/* SPDX-License-Identifier: MIT */
/*
 * What waits for a VP: the library's interrupt controllers are asked, and their
 * answer is carried into the guest. Only called when something may have changed
 * (vmr_vp.recheck), so that an exit that concerns no interrupt pays nothing.
 *
 * Readiness is tested after every exit, never only in an interrupt window: a
 * hypervisor may miss the window right behind STI and say "ready" with the next
 * exit instead.
 */

#include "lib/run/run.h"

#include "lib/partition/start.h"

/* INIT and SIPI (Intel SDM vol. 3, 9.4.1). */
static bool begin_anew(struct run *run, const struct vmr_x86_regs *initial)
{
    struct vmr_vp *vp = run->vp;
    enum vmr_status status = start_registers(vp, initial);

    vp->interrupt_ready = false; /* both leave interrupts off */
    if (status)
        run_fail(run, status);
    return !status;
}

/* An edge is told once: a run that ends by finishing its exit still has to act on it. */
static bool has_failed(const struct run *run)
{
    return run->done && run->result.reason == VMR_HALT_FATAL;
}

static void init_vp(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    struct vmr_x86_regs regs;

    run_complete(run);
    if (has_failed(run))
        return;
    vmr_x86_regs_reset(&regs);
    if (!begin_anew(run, &regs))
        return;
    /* Intel SDM vol. 3, 9.4.1: after INIT the boot processor begins at the reset vector, all others wait. [INT-3] */
    vp->activity = vp->index == 0 ? VMR_ACTIVITY_RUNNING : VMR_ACTIVITY_WAIT_FOR_SIPI;
}

static void start_vp(struct run *run, uint8_t vector)
{
    struct vmr_vp *vp = run->vp;
    struct vmr_x86_regs regs;

    if (vp->activity != VMR_ACTIVITY_WAIT_FOR_SIPI)
        return; /* a second SIPI is ignored [INT-3] */
    vmr_x86_regs_sipi(&regs, vector);
    if (begin_anew(run, &regs))
        vp->activity = VMR_ACTIVITY_RUNNING;
}

void interrupts_window(struct vmr_vp *vp, bool wanted)
{
    if (vp->window_requested == wanted)
        return;
    vp->window_requested = wanted;
    vp->partition->backend->vp_request_window(vp->backend_vp, wanted);
}

/* Returns whether another interrupt may wait behind the one that was injected. */
static bool inject(struct run *run, const struct vmr_irq_pending *pending)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_partition *partition = vp->partition;
    uint8_t vector;

    if (!pending->interrupt || vp->activity == VMR_ACTIVITY_WAIT_FOR_SIPI) {
        interrupts_window(vp, false);
        return false;
    }
    if (!vp->interrupt_ready) {
        /* A VP that sleeps with interrupts off goes on sleeping: it has nothing to open a window with. [INT-2] */
        interrupts_window(vp, vp->activity == VMR_ACTIVITY_RUNNING);
        return false;
    }
    interrupts_window(vp, false);
    if (!partition->chip_ops->acknowledge(partition->chip, vp->index, &vector))
        return false;
    enum vmr_status status = partition->backend->vp_interrupt(vp->backend_vp, vector);

    vp->interrupt_ready = false;
    vp->activity = VMR_ACTIVITY_RUNNING;
    if (status)
        run_fail(run, status);
    return true;
}

static void set_deadline(struct vmr_vp *vp, uint64_t deadline_ns)
{
    const struct partition_clock *clock = &vp->partition->clock;

    if (vp->deadline_ns == deadline_ns)
        return;
    vp->deadline_ns = deadline_ns;
    if (clock->deadline)
        clock->deadline(clock->context, vp->index, deadline_ns);
}

/* CR8 and the local APIC's TPR are one register (Intel SDM vol. 3, 11.8.6): whoever changed it last has it. */
static uint8_t newest_tpr(const struct vmr_vp *vp)
{
    const struct vmr_partition *partition = vp->partition;

    if (vp->guest_tpr != vp->tpr)
        return vp->guest_tpr;
    return partition->chip_ops->get_tpr(partition->chip, vp->index);
}

static void sync_tpr(struct vmr_vp *vp)
{
    const struct vmr_partition *partition = vp->partition;
    uint8_t tpr = partition->chip_ops->get_tpr(partition->chip, vp->index);

    if (tpr != vp->tpr)
        partition->backend->vp_set_tpr(vp->backend_vp, tpr);
    vp->tpr = tpr;
    vp->guest_tpr = tpr; /* seen: not news any more */
}

/* Returns whether an interrupt was injected. */
static bool take_pending(struct run *run, uint64_t now_ns, uint64_t hv_deadline_ns)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_partition *partition = vp->partition;
    bool user_apic = !partition_apic_in_hypervisor(partition);
    struct vmr_irq_pending pending = {.deadline_ns = VMR_NEVER};

    partition->chip_ops->poll(partition->chip, vp->index, now_ns, user_apic ? newest_tpr(vp) : 0, &pending);
    if (user_apic)
        sync_tpr(vp);
    set_deadline(vp, pending.deadline_ns < hv_deadline_ns ? pending.deadline_ns : hv_deadline_ns);
    if (pending.init)
        init_vp(run);
    if (pending.sipi && !has_failed(run))
        start_vp(run, pending.sipi_vector);
    if (pending.nmi && !has_failed(run))
        run_nmi(run);
    return !run->done && inject(run, &pending);
}

/*
 * What waits behind an interrupt that was injected needs its window now: the
 * guest may take that one, and sleep where local APICs are in the hypervisor,
 * without an exit. One injection leaves the VP not ready for another. [INT-1]
 */
static void take_chip(struct run *run, uint64_t now_ns, uint64_t hv_deadline_ns)
{
    bool injected = false;

    while (!run->done && take_pending(run, now_ns, hv_deadline_ns))
        injected = true;
    run->vp->recheck = run->done || injected;
}

void interrupts_take(struct run *run)
{
    struct vmr_vp *vp = run->vp;
    const struct vmr_partition *partition = vp->partition;
    uint64_t hv_deadline_ns = VMR_NEVER;

    vp->recheck = false;
    if (!partition->chip_ops && !partition->hv)
        return;
    uint64_t now_ns = partition->host->ops->now_ns(partition->host->context);

    /* First, since what it raises goes to the controllers. */
    if (partition->hv) {
        hv_deadline_ns = vmr_hv_guest_poll(partition->hv, vp->index, now_ns);
        vp->hv_waits = vmr_hv_guest_waits(partition->hv, vp->index);
    }
    bool higher_vtl = partition->hv && vtl_take(run);

    if (partition->chip_ops && !higher_vtl)
        take_chip(run, now_ns, hv_deadline_ns);
    else
        set_deadline(vp, hv_deadline_ns);
}
