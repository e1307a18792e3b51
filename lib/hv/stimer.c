/* SPDX-License-Identifier: MIT */
/*
 * Synthetic timers. Periods that were missed are coalesced: one message, and
 * the next due time is the first whole period past now, so that a timer keeps
 * its phase and a VP that slept is not flooded.
 */

#include "lib/hv/stimer.h"

#include "lib/base/bytes.h"

static uint8_t vector_of(uint64_t config)
{
    return (uint8_t)(config >> HV_STIMER_VECTOR_SHIFT);
}

bool stimer_set_config(struct stimer *timer, uint64_t guest_config)
{
    if ((guest_config & ~HV_STIMER_DEFINED) != 0)
        return false;
    if ((guest_config & HV_STIMER_DIRECT) != 0 && vector_of(guest_config) < HV_SINT_VECTOR_MIN)
        return false;
    timer->config = guest_config;
    timer->changed = true;
    return true;
}

void stimer_set_count(struct stimer *timer, uint64_t count)
{
    timer->count = count;
    if ((timer->config & HV_STIMER_AUTO_ENABLE) != 0 && count != 0)
        timer->config |= HV_STIMER_ENABLE;
    timer->changed = true;
}

/* A due time half the range ahead counts as past, so that a longer period would never be over. */
static uint64_t period_of(const struct stimer *timer)
{
    return timer->count < INT64_MAX ? timer->count : INT64_MAX;
}

/* A count of 0 arms nothing, but leaves the timer enabled. */
static void arm(struct stimer *timer, uint64_t now)
{
    timer->changed = false;
    timer->stalled = false;
    timer->armed = (timer->config & HV_STIMER_ENABLE) != 0 && timer->count != 0;
    timer->due = (timer->config & HV_STIMER_PERIODIC) != 0 ? now + period_of(timer) : timer->count;
}

static bool has_expired(const struct stimer *timer, uint64_t now)
{
    return timer->armed && (int64_t)(timer->due - now) <= 0;
}

static bool deliver(const struct stimer *timer, unsigned index, uint64_t now, const struct stimer_sink *sink)
{
    uint8_t payload[HV_TIMER_PAYLOAD_BYTES] = {0};

    if ((timer->config & HV_STIMER_DIRECT) != 0) {
        sink->direct(sink->context, vector_of(timer->config));
        return true;
    }
    store_le32(payload + HV_TIMER_INDEX_OFFSET, index);
    store_le64(payload + HV_TIMER_EXPIRATION_OFFSET, timer->due);
    store_le64(payload + HV_TIMER_DELIVERY_OFFSET, now);
    return sink->message(sink->context, (unsigned)(timer->config >> HV_STIMER_SINT_SHIFT) & 0xfu, payload);
}

/* To the first whole period after `now`. */
static void advance(struct stimer *timer, uint64_t now)
{
    uint64_t periods = (now - timer->due) / period_of(timer) + 1;

    timer->due += periods * period_of(timer);
}

static void fire(struct stimer *timer, unsigned index, uint64_t now, const struct stimer_sink *sink)
{
    timer->stalled = !deliver(timer, index, now, sink);
    if (timer->stalled)
        return;
    if ((timer->config & HV_STIMER_PERIODIC) != 0) {
        advance(timer, now);
        return;
    }
    timer->config &= ~HV_STIMER_ENABLE;
    timer->armed = false;
}

uint64_t stimers_scan(struct stimers *timers, uint64_t now, const struct stimer_sink *sink)
{
    uint64_t next = VMR_NEVER;

    for (unsigned i = 0; i < HV_STIMER_COUNT; i++) {
        struct stimer *timer = &timers->timers[i];

        if (timer->changed)
            arm(timer, now);
        if (has_expired(timer, now))
            fire(timer, i, now, sink);
        /* One that is due only after the count has wrapped, in 58,000 years, has no deadline. */
        if (timer->armed && !timer->stalled && timer->due > now && timer->due < next)
            next = timer->due;
    }
    return next;
}

bool stimers_are_stalled(const struct stimers *timers)
{
    for (unsigned i = 0; i < HV_STIMER_COUNT; i++) {
        if (timers->timers[i].stalled)
            return true;
    }
    return false;
}

/* --- saving and restoring --- */

static bool should_be_armed(uint64_t config, uint64_t count)
{
    return (config & HV_STIMER_ENABLE) != 0 && count != 0;
}

void stimer_save(const struct stimer *timer, struct vmr_hv_stimer_state *ret_state)
{
    bool armed = timer->armed && !timer->changed;

    *ret_state = (struct vmr_hv_stimer_state){.config = timer->config,
                                              .count = timer->count,
                                              .due = armed ? timer->due : 0,
                                              .changed = timer->changed,
                                              .stalled = armed && timer->stalled};
}

/* Of a timer that has not changed, being armed follows from its registers, and so does when, unless it is periodic. */
bool stimer_restore(struct stimer *timer, const struct vmr_hv_stimer_state *state)
{
    struct stimer next = {0};
    bool armed = !state->changed && should_be_armed(state->config, state->count);
    bool periodic = (state->config & HV_STIMER_PERIODIC) != 0;

    if (!stimer_set_config(&next, state->config) || (!armed && (state->due != 0 || state->stalled)) ||
        (armed && !periodic && state->due != state->count))
        return false;
    next.count = state->count;
    next.due = state->due;
    next.armed = armed;
    next.changed = state->changed;
    next.stalled = state->stalled;
    *timer = next;
    return true;
}
