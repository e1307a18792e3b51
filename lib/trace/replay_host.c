/* SPDX-License-Identifier: MIT */
/*
 * The host that the library gets in a replay: for the thread that has the turn,
 * time and the ends of waits come from the trace; for all others the
 * underlying host's.
 */

#include "lib/trace/replay.h"

static const struct vmr_host *inner(void *context)
{
    return &((struct vmr_replay *)context)->host;
}

static uint64_t replay_now(void *context)
{
    struct vmr_replay *replay = context;

    if (replay_is_standing(replay))
        return replay->time_ns;
    if (!replay_owns(replay) && !replay_is_setting_up(replay))
        return replay->host.ops->now_ns(replay->host.context);
    if (replay_expect(replay, TRACE_TIME, "asks for the time")) {
        replay->time_ns = replay->head.value[0];
        replay_advance(replay);
    }
    /* Over: time stands still. */
    return replay->time_ns;
}

static enum vmr_park_result park_over(struct vmr_replay *replay, struct vmr_parker *parker)
{
    replay_tell_end(replay);
    return replay->host.ops->park(replay->host.context, parker, VMR_NEVER);
}

static enum vmr_park_result replay_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct vmr_replay *replay = context;
    enum vmr_park_result result;

    if (!replay_owns(replay))
        return replay->host.ops->park(replay->host.context, parker, deadline_ns);
    struct replay_vp *vp = replay->turn < replay->vp_count ? replay->vps[replay->turn] : NULL;

    replay_give(replay);
    if (!vp || !replay_take(replay, vp))
        return park_over(replay, parker);
    if (!replay_expect(replay, TRACE_PARK, "waits")) {
        replay_give(replay);
        return park_over(replay, parker);
    }
    result = (enum vmr_park_result)replay->head.value[0];
    replay_advance(replay);
    return result;
}

static void replay_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    inner(context)->ops->log(inner(context)->context, level, culprit, message);
}

static enum vmr_status replay_thread_start(void *context, const char *name, void (*body)(void *argument),
                                           void *argument, struct vmr_thread **ret_thread)
{
    return inner(context)->ops->thread_start(inner(context)->context, name, body, argument, ret_thread);
}

static void replay_thread_join(void *context, struct vmr_thread *thread)
{
    inner(context)->ops->thread_join(inner(context)->context, thread);
}

static enum vmr_status replay_parker_create(void *context, struct vmr_parker **ret_parker)
{
    return inner(context)->ops->parker_create(inner(context)->context, ret_parker);
}

static void replay_parker_destroy(void *context, struct vmr_parker *parker)
{
    inner(context)->ops->parker_destroy(inner(context)->context, parker);
}

static void replay_unpark(void *context, struct vmr_parker *parker)
{
    inner(context)->ops->unpark(inner(context)->context, parker);
}

static void replay_point(void *context, const void *object)
{
    inner(context)->ops->schedule->point(inner(context)->context, object);
}

static bool replay_block(void *context, const void *object)
{
    return inner(context)->ops->schedule->block(inner(context)->context, object);
}

static void replay_wake(void *context, const void *object)
{
    inner(context)->ops->schedule->wake(inner(context)->context, object);
}

static const void *replay_self(void *context)
{
    return (const void *)sync_self(inner(context));
}

static const struct vmr_schedule_ops replay_schedule = {
    .point = replay_point,
    .block = replay_block,
    .wake = replay_wake,
    .self = replay_self,
};

static enum vmr_status replay_event_create(void *context, int *ret_fd)
{
    return inner(context)->ops->events->create(inner(context)->context, ret_fd);
}

static void replay_event_destroy(void *context, int fd)
{
    inner(context)->ops->events->destroy(inner(context)->context, fd);
}

static void replay_event_signal(void *context, int fd)
{
    inner(context)->ops->events->signal(inner(context)->context, fd);
}

static bool replay_event_take(void *context, int fd)
{
    return inner(context)->ops->events->take(inner(context)->context, fd);
}

static enum vmr_status replay_event_watch(void *context, int fd, void (*ready)(void *argument), void *argument,
                                          struct vmr_event_watch **ret_watch)
{
    return inner(context)->ops->events->watch(inner(context)->context, fd, ready, argument, ret_watch);
}

static void replay_event_unwatch(void *context, struct vmr_event_watch *watch)
{
    inner(context)->ops->events->unwatch(inner(context)->context, watch);
}

static const struct vmr_event_ops replay_events = {
    .create = replay_event_create,
    .destroy = replay_event_destroy,
    .signal = replay_event_signal,
    .take = replay_event_take,
    .watch = replay_event_watch,
    .unwatch = replay_event_unwatch,
};

void replay_host_init(struct vmr_replay *replay, struct vmr_host *ret_host)
{
    replay->host_ops = (struct vmr_host_ops){
        .now_ns = replay_now,
        .log = replay_log,
        .thread_start = replay_thread_start,
        .thread_join = replay_thread_join,
        .parker_create = replay_parker_create,
        .parker_destroy = replay_parker_destroy,
        .park = replay_park,
        .unpark = replay_unpark,
        .schedule = replay->host.ops->schedule ? &replay_schedule : NULL,
        .events = replay->host.ops->events ? &replay_events : NULL,
    };
    *ret_host = (struct vmr_host){.ops = &replay->host_ops, .context = replay};
}
