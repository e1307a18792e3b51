/* SPDX-License-Identifier: MIT */
/*
 * The scheduler as a host: threads, parkers and time for the library.
 *
 * Outside a run the caller is the only thread there is, so a wait that it does
 * not end itself is a deadlock, and says so at once.
 */

#include "backends/mock/scheduler.h"

#include <stdlib.h>

struct vmr_parker {
    bool permit;
};

static uint64_t host_now_ns(void *context)
{
    const struct vmr_scheduler *scheduler = context;

    return scheduler->now_ns;
}

static void host_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    const struct vmr_scheduler *scheduler = context;

    if (scheduler->log.sink)
        scheduler->log.sink(scheduler->log.context, level, culprit, message);
}

static enum vmr_status host_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                         struct vmr_thread **ret_thread)
{
    struct vmr_scheduler *scheduler = context;

    (void)name;
    if (!scheduler->current)
        return VMR_E_STATE; /* nobody would ever give it a turn */
    return scheduler_thread_create(scheduler, body, argument, ret_thread);
}

static void host_thread_join(void *context, struct vmr_thread *thread)
{
    (void)context;
    scheduler_thread_join(thread);
}

static enum vmr_status host_parker_create(void *context, struct vmr_parker **ret_parker)
{
    struct vmr_parker *parker = calloc(1, sizeof(*parker));

    (void)context;
    if (!parker)
        return VMR_E_NOMEM;
    *ret_parker = parker;
    return VMR_OK;
}

static void host_parker_destroy(void *context, struct vmr_parker *parker)
{
    (void)context;
    free(parker);
}

static enum vmr_park_result host_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct vmr_scheduler *scheduler = context;

    while (!parker->permit) {
        if (scheduler->now_ns >= deadline_ns)
            return VMR_PARK_TIMEOUT;
        if (scheduler->current)
            (void)scheduler_block(scheduler, parker, deadline_ns);
        else if (deadline_ns == VMR_NEVER)
            return VMR_PARK_DEADLOCK;
        else
            scheduler_set_time(scheduler, deadline_ns);
    }
    parker->permit = false;
    return VMR_PARK_WOKEN;
}

static void host_unpark(void *context, struct vmr_parker *parker)
{
    parker->permit = true;
    scheduler_wake(context, parker);
}

static void host_point(void *context, const void *object)
{
    struct vmr_scheduler *scheduler = context;

    (void)object;
    if (scheduler->current)
        scheduler_point(scheduler);
}

static bool host_block(void *context, const void *object)
{
    struct vmr_scheduler *scheduler = context;

    if (!scheduler->current)
        return false;
    if (object)
        (void)scheduler_block(scheduler, object, VMR_NEVER);
    else
        scheduler_spin(scheduler, VMR_NEVER);
    return true;
}

static void host_wake(void *context, const void *object)
{
    scheduler_wake(context, object);
}

/* Outside a run the caller is the only thread; the scheduler itself is its name. */
static const void *host_self(void *context)
{
    const struct vmr_scheduler *scheduler = context;

    return scheduler->current ? (const void *)scheduler->current : scheduler;
}

static const struct vmr_schedule_ops schedule_ops = {
    .point = host_point,
    .block = host_block,
    .wake = host_wake,
    .self = host_self,
};

static const struct vmr_host_ops host_ops = {
    .now_ns = host_now_ns,
    .log = host_log,
    .thread_start = host_thread_start,
    .thread_join = host_thread_join,
    .parker_create = host_parker_create,
    .parker_destroy = host_parker_destroy,
    .park = host_park,
    .unpark = host_unpark,
    .schedule = &schedule_ops,
    .events = &scheduler_events,
};

void vmr_scheduler_host(struct vmr_scheduler *scheduler, struct vmr_host *ret_host)
{
    *ret_host = (struct vmr_host){.ops = &host_ops, .context = scheduler};
}

void vmr_scheduler_pause(struct vmr_scheduler *scheduler, uint64_t ns)
{
    uint64_t left = VMR_NEVER - 1 - scheduler->now_ns;
    uint64_t deadline_ns = scheduler->now_ns + (ns < left ? ns : left);

    if (scheduler->current)
        scheduler_spin(scheduler, deadline_ns);
    else
        scheduler_set_time(scheduler, deadline_ns);
}

void vmr_scheduler_advance(struct vmr_scheduler *scheduler, uint64_t ns)
{
    uint64_t left = VMR_NEVER - 1 - scheduler->now_ns; /* VMR_NEVER never comes */

    scheduler_set_time(scheduler, scheduler->now_ns + (ns < left ? ns : left));
}
