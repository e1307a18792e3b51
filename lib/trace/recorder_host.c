/* SPDX-License-Identifier: MIT */
/*
 * The host that the library gets while it is recorded: what the holder of the
 * baton learns from it is recorded, everything else passes through. Waiting
 * gives up the baton, or nobody else could end the wait.
 */

#include "lib/trace/recorder.h"

#include "lib/base/checked.h"

static const struct vmr_host *inner(void *context)
{
    return &((struct vmr_recorder *)context)->host;
}

static uint64_t recorder_now(void *context)
{
    struct vmr_recorder *recorder = context;
    uint64_t exact = recorder->host.ops->now_ns(recorder->host.context) - recorder->epoch_ns;
    uint64_t beyond = exact % recorder->time_step_ns;
    uint64_t now = beyond == 0 ? exact : exact + (recorder->time_step_ns - beyond);
    struct trace_record record = {.kind = TRACE_TIME, .value = {now}};
    bool owns = recorder_owns(recorder);

    if (owns) {
        recorder_append(recorder, &record);
    } else if (recorder_is_setting_up(recorder)) {
        recorder_take(recorder, TRACE_NO_VP);
        recorder_append(recorder, &record);
        recorder_give(recorder);
    }
    return now;
}

/* The host's own clock again; what does not fit is never. */
static uint64_t host_deadline(const struct vmr_recorder *recorder, uint64_t deadline_ns)
{
    uint64_t on_host;

    return checked_add_u64(deadline_ns, recorder->epoch_ns, &on_host) ? on_host : VMR_NEVER;
}

static enum vmr_park_result recorder_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct vmr_recorder *recorder = context;
    const struct vmr_host *host = &recorder->host;
    uint64_t until_ns = host_deadline(recorder, deadline_ns);

    if (!recorder_owns(recorder))
        return host->ops->park(host->context, parker, until_ns);
    uint32_t vp = recorder->holder;

    recorder_give(recorder);
    enum vmr_park_result result = host->ops->park(host->context, parker, until_ns);
    struct trace_record record = {.kind = TRACE_PARK, .value = {(uint64_t)result}};

    recorder_take(recorder, vp);
    recorder_append(recorder, &record);
    return result;
}

static void recorder_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    inner(context)->ops->log(inner(context)->context, level, culprit, message);
}

static enum vmr_status recorder_thread_start(void *context, const char *name, void (*body)(void *argument),
                                             void *argument, struct vmr_thread **ret_thread)
{
    return inner(context)->ops->thread_start(inner(context)->context, name, body, argument, ret_thread);
}

static void recorder_thread_join(void *context, struct vmr_thread *thread)
{
    inner(context)->ops->thread_join(inner(context)->context, thread);
}

static enum vmr_status recorder_parker_create(void *context, struct vmr_parker **ret_parker)
{
    return inner(context)->ops->parker_create(inner(context)->context, ret_parker);
}

static void recorder_parker_destroy(void *context, struct vmr_parker *parker)
{
    inner(context)->ops->parker_destroy(inner(context)->context, parker);
}

static void recorder_unpark(void *context, struct vmr_parker *parker)
{
    inner(context)->ops->unpark(inner(context)->context, parker);
}

static void recorder_point(void *context, const void *object)
{
    inner(context)->ops->schedule->point(inner(context)->context, object);
}

static bool recorder_block(void *context, const void *object)
{
    return inner(context)->ops->schedule->block(inner(context)->context, object);
}

static void recorder_wake(void *context, const void *object)
{
    inner(context)->ops->schedule->wake(inner(context)->context, object);
}

static const void *recorder_self(void *context)
{
    return (const void *)sync_self(inner(context));
}

static const struct vmr_schedule_ops recorder_schedule = {
    .point = recorder_point,
    .block = recorder_block,
    .wake = recorder_wake,
    .self = recorder_self,
};

static enum vmr_status recorder_event_create(void *context, int *ret_fd)
{
    return inner(context)->ops->events->create(inner(context)->context, ret_fd);
}

static void recorder_event_destroy(void *context, int fd)
{
    inner(context)->ops->events->destroy(inner(context)->context, fd);
}

static void recorder_event_signal(void *context, int fd)
{
    inner(context)->ops->events->signal(inner(context)->context, fd);
}

static bool recorder_event_take(void *context, int fd)
{
    return inner(context)->ops->events->take(inner(context)->context, fd);
}

static enum vmr_status recorder_event_watch(void *context, int fd, void (*ready)(void *argument), void *argument,
                                            struct vmr_event_watch **ret_watch)
{
    return inner(context)->ops->events->watch(inner(context)->context, fd, ready, argument, ret_watch);
}

static void recorder_event_unwatch(void *context, struct vmr_event_watch *watch)
{
    inner(context)->ops->events->unwatch(inner(context)->context, watch);
}

/*
 * Not recorded: no library code takes an event for a VP, and a watch's call is a
 * thread from outside, whose requests are recorded where they take effect.
 */
static const struct vmr_event_ops recorder_events = {
    .create = recorder_event_create,
    .destroy = recorder_event_destroy,
    .signal = recorder_event_signal,
    .take = recorder_event_take,
    .watch = recorder_event_watch,
    .unwatch = recorder_event_unwatch,
};

void recorder_host_init(struct vmr_recorder *recorder, bool from_zero, struct vmr_host *ret_host)
{
    /* A trace says how much time passed, not what the host's clock said: that would be the host's uptime. */
    recorder->epoch_ns = from_zero ? recorder->host.ops->now_ns(recorder->host.context) : 0;
    recorder->host_ops = (struct vmr_host_ops){
        .now_ns = recorder_now,
        .log = recorder_log,
        .thread_start = recorder_thread_start,
        .thread_join = recorder_thread_join,
        .parker_create = recorder_parker_create,
        .parker_destroy = recorder_parker_destroy,
        .park = recorder_park,
        .unpark = recorder_unpark,
        .schedule = recorder->host.ops->schedule ? &recorder_schedule : NULL,
        .events = recorder->host.ops->events ? &recorder_events : NULL,
    };
    *ret_host = (struct vmr_host){.ops = &recorder->host_ops, .context = recorder};
}
