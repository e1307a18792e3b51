/* SPDX-License-Identifier: MIT */
/*
 * The local APIC timer (Intel SDM vol. 3, 11.5.4), one-shot and periodic.
 *
 * Expiries lie on whole nanoseconds: a period that is not a whole number is
 * rounded up. At the default clock of 1 GHz nothing is rounded. Only the shortest
 * period is a limit's, and not the guest's: one write sets off any number of
 * expiries. [INT-6]
 *
 * There is no TSC-deadline mode [INT-5]. It compares with the TSC that the guest
 * reads, and that is the processor's: a host has no clock for it that a recording
 * could bring again, and a hypervisor may move it under the guest, or not move it
 * though the guest has written it.
 */

#include "lib/devices/lapic_timer.h"

#include "vmrig/limits.h"
#include "vmrig/types.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* Bits 0, 1 and 3 name 2, 4, ... 128, and then 1 (Intel SDM vol. 3, figure 11-10). */
static uint64_t divisor(const struct lapic_timer *timer)
{
    unsigned code = (timer->divide & 3u) | (timer->divide >> 1 & 4u);

    return UINT64_C(1) << ((code + 1) & 7u);
}

/* The count's duration, rounded up. Below 2^39 ticks of at most a millisecond: below 2^60. */
static uint64_t duration_ns(const struct lapic_timer *timer, uint32_t count)
{
    uint64_t ticks = count * divisor(timer);
    uint64_t part = ticks % timer->hz * NS_PER_SECOND;

    return ticks / timer->hz * NS_PER_SECOND + part / timer->hz + (part % timer->hz != 0);
}

/* What lies between two expiries, but for the first, which the guest has to write for. */
static uint64_t period_ns(const struct lapic_timer *timer)
{
    uint64_t period = duration_ns(timer, timer->initial);

    return period < VMR_LAPIC_PERIOD_NS_MIN ? VMR_LAPIC_PERIOD_NS_MIN : period;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > VMR_NEVER - b ? VMR_NEVER : a + b;
}

void lapic_timer_reset(struct lapic_timer *timer, uint64_t hz)
{
    *timer = (struct lapic_timer){.hz = hz, .due_ns = VMR_NEVER};
}

void lapic_timer_start(struct lapic_timer *timer, uint32_t count, uint64_t now_ns)
{
    timer->initial = count;
    timer->due_ns = count == 0 ? VMR_NEVER : add_saturating(now_ns, duration_ns(timer, count));
}

void lapic_timer_set_divide(struct lapic_timer *timer, uint32_t value, uint64_t now_ns)
{
    uint32_t left = lapic_timer_current(timer, now_ns);

    timer->divide = value & 0xbu;
    if (left != 0)
        timer->due_ns = add_saturating(now_ns, duration_ns(timer, left));
}

bool lapic_timer_advance(struct lapic_timer *timer, bool periodic, uint64_t now_ns)
{
    if (timer->due_ns == VMR_NEVER || now_ns < timer->due_ns)
        return false;
    if (!periodic) {
        timer->due_ns = VMR_NEVER;
        return true;
    }
    /* However late this is, the work is the same: missed expiries count as one. */
    uint64_t period = period_ns(timer);

    timer->due_ns = add_saturating(now_ns, period - (now_ns - timer->due_ns) % period);
    return true;
}

uint32_t lapic_timer_current(const struct lapic_timer *timer, uint64_t now_ns)
{
    if (timer->due_ns == VMR_NEVER || now_ns >= timer->due_ns)
        return 0;
    uint64_t left_ns = timer->due_ns - now_ns;

    /* A clock that was read before the start was: the count is still whole. It also keeps the product small. */
    if (left_ns >= duration_ns(timer, timer->initial))
        return timer->initial;
    uint64_t ticks = left_ns / NS_PER_SECOND * timer->hz + left_ns % NS_PER_SECOND * timer->hz / NS_PER_SECOND;
    uint64_t count = (ticks + divisor(timer) - 1) / divisor(timer);

    /* Rounding must not show zero before the expiry. */
    if (count == 0)
        return 1;
    return count < timer->initial ? (uint32_t)count : timer->initial;
}
