/* SPDX-License-Identifier: MIT */
/*
 * Guest time over a host: host time less `behind_ns`, or `floor_ns` while it
 * stands.
 *
 * Reading takes no lock. It looks at the host first, then at `state`, at
 * `behind_ns` and at `floor_ns`; what a pause or a resume in between does to the
 * later ones can only make the difference fall below the floor, and then the
 * floor is the answer: a time between those at which the call began and ended.
 * So no two calls, one after the other, go back. A pause looks at the host when
 * nobody takes the running clock's answer any more: CLOCK_PAUSING.
 *
 * Parking goes through a parker of the clock's own. The host's permit only says
 * "look again": it also comes from a resume, which a caller must not take for an
 * unpark.
 */

#include "vmrig/clock.h"

#include <stdlib.h>

#include "lib/base/sync.h"

struct vmr_parker {
    struct vmr_parker *below; /* the host's */
    _Atomic uint32_t permit;
    struct vmr_parker *next; /* of those that wait for a deadline, under the lock */
};

enum clock_state {
    CLOCK_RUNS,
    CLOCK_PAUSING, /* the lock is held: whoever reads waits for it */
    CLOCK_PAUSED
};

struct vmr_vm_clock {
    struct vmr_host below, host;
    struct vmr_host_ops ops;
    struct sync_mutex lock;     /* of pause, resume, set, and the list */
    _Atomic uint32_t state;     /* enum clock_state */
    _Atomic uint64_t behind_ns; /* modulo 2^64: a clock that was set may be ahead */
    _Atomic uint64_t floor_ns;  /* guest time at the last pause, or what it was set to since */
    struct vmr_parker *waiting;
};

static uint64_t below_now(const struct vmr_vm_clock *clock)
{
    return clock->below.ops->now_ns(clock->below.context);
}

/* What a clock that runs shows at `host_ns`. */
static uint64_t guest_time(const struct vmr_vm_clock *clock, uint64_t host_ns)
{
    uint64_t guest_ns = host_ns - sync_load_u64(&clock->below, &clock->behind_ns);
    uint64_t floor_ns = sync_load_u64(&clock->below, &clock->floor_ns);

    /* Compared as a distance: both may have wrapped. */
    return (int64_t)(guest_ns - floor_ns) < 0 ? floor_ns : guest_ns;
}

uint64_t vmr_vm_clock_now(struct vmr_vm_clock *clock)
{
    for (;;) {
        uint64_t host_ns = below_now(clock);
        uint32_t state = sync_load_u32(&clock->below, &clock->state);

        if (state == CLOCK_RUNS)
            return guest_time(clock, host_ns);
        if (state == CLOCK_PAUSED)
            return sync_load_u64(&clock->below, &clock->floor_ns);
        sync_mutex_lock(&clock->lock);
        sync_mutex_unlock(&clock->lock);
    }
}

bool vmr_vm_clock_is_paused(struct vmr_vm_clock *clock)
{
    return sync_load_u32(&clock->below, &clock->state) != CLOCK_RUNS;
}

enum vmr_status vmr_vm_clock_pause(struct vmr_vm_clock *clock)
{
    enum vmr_status status = VMR_E_STATE;

    sync_mutex_lock(&clock->lock);
    if (!vmr_vm_clock_is_paused(clock)) {
        sync_store_u32(&clock->below, &clock->state, CLOCK_PAUSING);
        sync_store_u64(&clock->below, &clock->floor_ns, guest_time(clock, below_now(clock)));
        sync_store_u32(&clock->below, &clock->state, CLOCK_PAUSED);
        status = VMR_OK;
    }
    sync_mutex_unlock(&clock->lock);
    return status;
}

/* Those that wait for a deadline work out anew when it comes. Under the lock. */
static void wake_waiting(struct vmr_vm_clock *clock)
{
    for (struct vmr_parker *parker = clock->waiting; parker; parker = parker->next)
        clock->below.ops->unpark(clock->below.context, parker->below);
}

enum vmr_status vmr_vm_clock_resume(struct vmr_vm_clock *clock)
{
    enum vmr_status status = VMR_E_STATE;

    sync_mutex_lock(&clock->lock);
    if (vmr_vm_clock_is_paused(clock)) {
        uint64_t floor_ns = sync_load_u64(&clock->below, &clock->floor_ns);

        sync_store_u64(&clock->below, &clock->behind_ns, below_now(clock) - floor_ns);
        sync_store_u32(&clock->below, &clock->state, CLOCK_RUNS);
        wake_waiting(clock);
        status = VMR_OK;
    }
    sync_mutex_unlock(&clock->lock);
    return status;
}

enum vmr_status vmr_vm_clock_set(struct vmr_vm_clock *clock, uint64_t now_ns)
{
    enum vmr_status status = VMR_E_STATE;

    if (now_ns == VMR_NEVER)
        return VMR_E_USAGE;
    sync_mutex_lock(&clock->lock);
    if (vmr_vm_clock_is_paused(clock)) {
        sync_store_u64(&clock->below, &clock->floor_ns, now_ns);
        status = VMR_OK;
    }
    sync_mutex_unlock(&clock->lock);
    return status;
}

/* --- parking --- */

static enum vmr_status clock_parker_create(void *context, struct vmr_parker **ret_parker)
{
    const struct vmr_vm_clock *clock = context;
    struct vmr_parker *parker = calloc(1, sizeof(*parker));

    if (!parker)
        return VMR_E_NOMEM;
    enum vmr_status status = clock->below.ops->parker_create(clock->below.context, &parker->below);

    if (status != VMR_OK) {
        free(parker);
        return status;
    }
    *ret_parker = parker;
    return VMR_OK;
}

static void clock_parker_destroy(void *context, struct vmr_parker *parker)
{
    const struct vmr_vm_clock *clock = context;

    if (!parker)
        return;
    clock->below.ops->parker_destroy(clock->below.context, parker->below);
    free(parker);
}

static void clock_unpark(void *context, struct vmr_parker *parker)
{
    struct vmr_vm_clock *clock = context;

    sync_store_u32(&clock->below, &parker->permit, 1);
    clock->below.ops->unpark(clock->below.context, parker->below);
}

static void begin_waiting(struct vmr_vm_clock *clock, struct vmr_parker *parker)
{
    sync_mutex_lock(&clock->lock);
    parker->next = clock->waiting;
    clock->waiting = parker;
    sync_mutex_unlock(&clock->lock);
}

static void end_waiting(struct vmr_vm_clock *clock, struct vmr_parker *parker)
{
    struct vmr_parker **link = &clock->waiting;

    sync_mutex_lock(&clock->lock);
    while (*link != parker)
        link = &(*link)->next;
    *link = parker->next;
    sync_mutex_unlock(&clock->lock);
}

/* On the host's clock, as things stand; a resume says when they change. */
static uint64_t deadline_below(struct vmr_vm_clock *clock, uint64_t deadline_ns)
{
    if (deadline_ns == VMR_NEVER || vmr_vm_clock_is_paused(clock))
        return VMR_NEVER;
    uint64_t behind_ns = sync_load_u64(&clock->below, &clock->behind_ns);
    bool ahead = (int64_t)behind_ns < 0;

    /* Of a clock that is ahead, what is not due yet lies behind its lead. */
    return !ahead && deadline_ns > VMR_NEVER - behind_ns ? VMR_NEVER : deadline_ns + behind_ns;
}

static bool take_permit(struct vmr_vm_clock *clock, struct vmr_parker *parker)
{
    return sync_exchange_u32(&clock->below, &parker->permit, 0) != 0;
}

static enum vmr_park_result wait_below(struct vmr_vm_clock *clock, struct vmr_parker *parker, uint64_t deadline_ns)
{
    const struct vmr_host *below = &clock->below;

    while (!take_permit(clock, parker)) {
        if (deadline_ns != VMR_NEVER && vmr_vm_clock_now(clock) >= deadline_ns)
            return VMR_PARK_TIMEOUT;
        if (below->ops->park(below->context, parker->below, deadline_below(clock, deadline_ns)) == VMR_PARK_DEADLOCK)
            return VMR_PARK_DEADLOCK;
    }
    return VMR_PARK_WOKEN;
}

static enum vmr_park_result clock_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct vmr_vm_clock *clock = context;

    if (deadline_ns == VMR_NEVER)
        return wait_below(clock, parker, deadline_ns);
    begin_waiting(clock, parker);
    enum vmr_park_result result = wait_below(clock, parker, deadline_ns);

    end_waiting(clock, parker);
    return result;
}

/* --- what passes through --- */

static const struct vmr_host *below_of(void *context)
{
    return &((struct vmr_vm_clock *)context)->below;
}

static uint64_t clock_now(void *context)
{
    return vmr_vm_clock_now(context);
}

static void clock_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    below_of(context)->ops->log(below_of(context)->context, level, culprit, message);
}

static enum vmr_status clock_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                          struct vmr_thread **ret_thread)
{
    return below_of(context)->ops->thread_start(below_of(context)->context, name, body, argument, ret_thread);
}

static void clock_thread_join(void *context, struct vmr_thread *thread)
{
    below_of(context)->ops->thread_join(below_of(context)->context, thread);
}

static void clock_point(void *context, const void *object)
{
    below_of(context)->ops->schedule->point(below_of(context)->context, object);
}

static bool clock_block(void *context, const void *object)
{
    return below_of(context)->ops->schedule->block(below_of(context)->context, object);
}

static void clock_wake(void *context, const void *object)
{
    below_of(context)->ops->schedule->wake(below_of(context)->context, object);
}

static const void *clock_self(void *context)
{
    return below_of(context)->ops->schedule->self(below_of(context)->context);
}

static const struct vmr_schedule_ops clock_schedule = {
    .point = clock_point,
    .block = clock_block,
    .wake = clock_wake,
    .self = clock_self,
};

static enum vmr_status clock_event_create(void *context, int *ret_fd)
{
    return below_of(context)->ops->events->create(below_of(context)->context, ret_fd);
}

static void clock_event_destroy(void *context, int fd)
{
    below_of(context)->ops->events->destroy(below_of(context)->context, fd);
}

static void clock_event_signal(void *context, int fd)
{
    below_of(context)->ops->events->signal(below_of(context)->context, fd);
}

static bool clock_event_take(void *context, int fd)
{
    return below_of(context)->ops->events->take(below_of(context)->context, fd);
}

static enum vmr_status clock_event_watch(void *context, int fd, void (*ready)(void *argument), void *argument,
                                         struct vmr_event_watch **ret_watch)
{
    return below_of(context)->ops->events->watch(below_of(context)->context, fd, ready, argument, ret_watch);
}

static void clock_event_unwatch(void *context, struct vmr_event_watch *watch)
{
    below_of(context)->ops->events->unwatch(below_of(context)->context, watch);
}

static const struct vmr_event_ops clock_events = {
    .create = clock_event_create,
    .destroy = clock_event_destroy,
    .signal = clock_event_signal,
    .take = clock_event_take,
    .watch = clock_event_watch,
    .unwatch = clock_event_unwatch,
};

/* --- life --- */

enum vmr_status vmr_vm_clock_create(const struct vmr_host *host, struct vmr_vm_clock **ret_clock, struct vmr_error *err)
{
    if (!host)
        return vmr_error_set(err, VMR_E_USAGE, "clock: no host was given");

    struct vmr_vm_clock *clock = calloc(1, sizeof(*clock));

    if (!clock)
        return vmr_error_set(err, VMR_E_NOMEM, "clock: out of memory");
    clock->below = *host;
    if (sync_mutex_init(&clock->lock, &clock->below) != VMR_OK) {
        free(clock);
        return vmr_error_set(err, VMR_E_NOMEM, "clock: out of memory");
    }
    clock->ops = (struct vmr_host_ops){
        .now_ns = clock_now,
        .log = clock_log,
        .thread_start = clock_thread_start,
        .thread_join = clock_thread_join,
        .parker_create = clock_parker_create,
        .parker_destroy = clock_parker_destroy,
        .park = clock_park,
        .unpark = clock_unpark,
        .schedule = host->ops->schedule ? &clock_schedule : NULL,
        .events = host->ops->events ? &clock_events : NULL,
    };
    clock->host = (struct vmr_host){.ops = &clock->ops, .context = clock};
    *ret_clock = clock;
    return VMR_OK;
}

void vmr_vm_clock_destroy(struct vmr_vm_clock *clock)
{
    if (!clock)
        return;
    sync_mutex_finish(&clock->lock);
    free(clock);
}

const struct vmr_host *vmr_vm_clock_host(const struct vmr_vm_clock *clock)
{
    return &clock->host;
}
