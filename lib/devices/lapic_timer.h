/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The counter of a local APIC timer, on the host's nanoseconds. It runs only in
 * calls: nothing here waits or wakes. What an expiry raises is lapic.c's.
 */

#include <stdbool.h>
#include <stdint.h>

/* Outside these, nanoseconds times the clock, or the longest count in nanoseconds, would not fit 64 bits. */
#define LAPIC_TIMER_HZ_MIN UINT64_C(1000)
#define LAPIC_TIMER_HZ_MAX UINT64_C(10000000000)

struct lapic_timer {
    uint64_t hz;
    uint64_t due_ns; /* of the next expiry; VMR_NEVER: stopped */
    uint32_t initial;
    uint32_t divide; /* the divide configuration register: bits 0, 1, 3 */
};

void lapic_timer_reset(struct lapic_timer *timer, uint64_t hz);
/* Writes the initial count; 0 stops the timer. */
void lapic_timer_start(struct lapic_timer *timer, uint32_t count, uint64_t now_ns);
void lapic_timer_set_divide(struct lapic_timer *timer, uint32_t value, uint64_t now_ns);
/*
 * Whether the timer expired, once or more. A periodic one goes on with the first
 * expiry after `now_ns`, and with no less than VMR_LAPIC_PERIOD_NS_MIN between two.
 */
bool lapic_timer_advance(struct lapic_timer *timer, bool periodic, uint64_t now_ns);
/* The current count. The timer has been advanced to `now_ns`. */
uint32_t lapic_timer_current(const struct lapic_timer *timer, uint64_t now_ns);
