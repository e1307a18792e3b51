/* SPDX-License-Identifier: MIT */
/*
 * The local APIC's timer, and the time-stamp counter that its third mode goes
 * by. Both count the host's nanoseconds: bus and processor run at 1 GHz. Intel
 * SDM vol. 3, 11.5.4.
 *
 * Nothing here waits: the VP looks between instructions and sleeps no longer
 * than until it is due. However late it looks, expiries missed are one. A period
 * has a least length, or a guest's timer of one tick would leave its host no
 * time for anything else.
 */

#include "backends/mock/chip_state.h"

#define PERIOD_NS_MIN UINT64_C(200000)
/* Over a century away is never: sums of times stay far from overflow. */
#define DELAY_NS_MAX (UINT64_C(1) << 62)

#define LVT_MODES 0x60000u
#define LVT_PERIODIC 0x20000u
#define LVT_TSC_DEADLINE 0x40000u

static uint64_t now_ns(const struct vmr_backend_vp *vp)
{
    const struct vmr_host *host = vp->vm->host;

    return host->ops->now_ns(host->context);
}

static struct lapic *lapic_of(const struct vmr_backend_vp *vp)
{
    return &vp->vm->chip->lapics[vp->index];
}

static bool is_tsc_deadline(uint32_t lvt)
{
    return (lvt & LVT_MODES) == LVT_TSC_DEADLINE;
}

/* The divide configuration register's value as a shift: bits 0, 1 and 3; 7 stands for 1, 0 for 2 and so on. */
static unsigned divide_shift(uint32_t divide)
{
    return ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
}

static uint64_t period_ns(const struct lapic *lapic)
{
    uint64_t period = (uint64_t)lapic->regs[LAPIC_TIMER_INITIAL] << divide_shift(lapic->regs[LAPIC_TIMER_DIVIDE]);
    bool periodic = (lapic->regs[LAPIC_LVT_TIMER] & LVT_MODES) == LVT_PERIODIC;

    return periodic && period < PERIOD_NS_MIN ? PERIOD_NS_MIN : period;
}

static void expire(struct vmr_backend_vp *vp, uint64_t now)
{
    struct lapic *lapic = lapic_of(vp);
    uint32_t lvt = lapic->regs[LAPIC_LVT_TIMER];
    const struct chip_message message = {.vector = (uint8_t)lvt};

    if (lapic->timer.due_ns > now)
        return;
    if ((lvt & LVT_MODES) == LVT_PERIODIC) {
        uint64_t period = period_ns(lapic);

        lapic->timer.due_ns += ((now - lapic->timer.due_ns) / period + 1) * period;
    } else {
        lapic->timer = (struct chip_timer){.due_ns = VMR_NEVER};
    }
    if ((lvt & LVT_MASKED) == 0)
        (void)chip_lapic_deliver(vp->vm, vp->index, &message);
    vp->chip_pending = true;
}

uint64_t chip_timer_due(const struct vmr_backend_vp *vp)
{
    return vp->vm->chip ? lapic_of(vp)->timer.due_ns : VMR_NEVER;
}

void chip_run_timer(struct vmr_backend_vp *vp)
{
    uint64_t due_ns = chip_timer_due(vp);

    if (due_ns == VMR_NEVER || due_ns > now_ns(vp))
        return;
    sync_mutex_lock(&vp->vm->chip->lock);
    expire(vp, now_ns(vp));
    chip_unlock(vp->vm);
}

/* --- counting --- */

uint32_t chip_timer_current(struct vmr_backend_vp *vp)
{
    struct lapic *lapic = lapic_of(vp);
    uint64_t now = now_ns(vp);

    expire(vp, now);
    if (lapic->timer.due_ns == VMR_NEVER || is_tsc_deadline(lapic->regs[LAPIC_LVT_TIMER]))
        return 0;
    uint64_t count = (lapic->timer.due_ns - now) >> divide_shift(lapic->regs[LAPIC_TIMER_DIVIDE]);
    uint32_t initial = lapic->regs[LAPIC_TIMER_INITIAL];

    return count < initial ? (uint32_t)count : initial; /* a period that was made longer begins later */
}

static void start(struct vmr_backend_vp *vp, struct lapic *lapic)
{
    if (is_tsc_deadline(lapic->regs[LAPIC_LVT_TIMER]))
        lapic->regs[LAPIC_TIMER_INITIAL] = 0; /* the write is ignored (11.5.4.1) */
    else
        lapic->timer.due_ns =
            lapic->regs[LAPIC_TIMER_INITIAL] != 0 ? now_ns(vp) + period_ns(lapic) : (uint64_t)VMR_NEVER;
}

/* What is left to count goes on at the new rate. */
static void change_divide(struct vmr_backend_vp *vp, struct lapic *lapic, uint32_t old)
{
    uint64_t now = now_ns(vp);

    if (lapic->timer.due_ns == VMR_NEVER || is_tsc_deadline(lapic->regs[LAPIC_LVT_TIMER]))
        return;
    uint64_t left = lapic->timer.due_ns > now ? lapic->timer.due_ns - now : 0;

    lapic->timer.due_ns = now + (left >> divide_shift(old) << divide_shift(lapic->regs[LAPIC_TIMER_DIVIDE]));
}

void chip_timer_changed(struct vmr_backend_vp *vp, uint32_t reg, uint32_t old)
{
    struct lapic *lapic = lapic_of(vp);

    switch (reg) {
    case LAPIC_TIMER_INITIAL:
        start(vp, lapic);
        break;
    case LAPIC_TIMER_DIVIDE:
        change_divide(vp, lapic, old);
        break;
    default: /* to or from the deadline mode disarms what the other had armed (11.5.4.1) */
        if (is_tsc_deadline(old) == is_tsc_deadline(lapic->regs[LAPIC_LVT_TIMER]))
            break;
        lapic->timer = (struct chip_timer){.due_ns = VMR_NEVER};
        lapic->regs[LAPIC_TIMER_INITIAL] = 0;
        break;
    }
}

/* --- by the time-stamp counter --- */

static void arm_deadline(struct vmr_backend_vp *vp, struct lapic *lapic)
{
    uint64_t now = now_ns(vp), tsc = now + vp->tsc_offset, deadline = lapic->timer.deadline;
    uint64_t delay_ns = deadline > tsc ? deadline - tsc : 0;

    lapic->timer.due_ns = deadline != 0 && delay_ns < DELAY_NS_MAX ? now + delay_ns : (uint64_t)VMR_NEVER;
}

uint64_t chip_read_tsc(const struct vmr_backend_vp *vp)
{
    return now_ns(vp) + vp->tsc_offset;
}

void chip_write_tsc(struct vmr_backend_vp *vp, uint64_t value)
{
    struct lapic *lapic = vp->vm->chip ? lapic_of(vp) : NULL;

    vp->tsc_offset = value - now_ns(vp);
    if (lapic && is_tsc_deadline(lapic->regs[LAPIC_LVT_TIMER]))
        arm_deadline(vp, lapic);
}

uint64_t chip_read_deadline(const struct vmr_backend_vp *vp)
{
    return lapic_of(vp)->timer.deadline;
}

void chip_write_deadline(struct vmr_backend_vp *vp, uint64_t value)
{
    struct lapic *lapic = lapic_of(vp);

    if (!is_tsc_deadline(lapic->regs[LAPIC_LVT_TIMER]))
        return; /* ignored, and reads as 0 (11.5.4.1) */
    lapic->timer.deadline = value;
    arm_deadline(vp, lapic);
}
