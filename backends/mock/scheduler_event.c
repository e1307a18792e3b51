/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's events. A signal and a take are scheduling points, and a watch
 * is a thread like any other: its calls come when it is given a turn, so that a
 * search also tries those orders in which what was signalled is noticed late.
 * [EVT-1] [EVT-2] [HOST-2]
 */

#include <limits.h>
#include <stdlib.h>

#include "backends/mock/scheduler.h"

/* Above what Linux gives a process by default (fs.nr_open): given to the system by mistake, it is no descriptor. */
#define EVENT_FIRST (1 << 20)

struct scheduler_event {
    struct scheduler_event *next;
    int number;
    bool signalled;
};

struct vmr_event_watch {
    struct vmr_scheduler *scheduler;
    struct scheduler_event *event;
    void (*ready)(void *argument);
    void *argument;
    struct vmr_thread *thread;
    bool over;
};

static void point(struct vmr_scheduler *scheduler)
{
    if (scheduler->current)
        scheduler_point(scheduler);
}

/* Where the event hangs; where NULL hangs if there is none. */
static struct scheduler_event **place_of(struct vmr_scheduler *scheduler, int fd)
{
    struct scheduler_event **place = &scheduler->events;

    while (*place && (*place)->number != fd)
        place = &(*place)->next;
    return place;
}

static enum vmr_status event_create(void *context, int *ret_fd)
{
    struct vmr_scheduler *scheduler = context;
    struct scheduler_event *event = calloc(1, sizeof(*event));

    if (!event || scheduler->event_count == INT_MAX - EVENT_FIRST) {
        free(event);
        return VMR_E_NOMEM;
    }
    /* Not used again, so that one that is gone is never another's. */
    event->number = EVENT_FIRST + scheduler->event_count++;
    event->next = scheduler->events;
    scheduler->events = event;
    *ret_fd = event->number;
    return VMR_OK;
}

static void event_destroy(void *context, int fd)
{
    struct scheduler_event **place = place_of(context, fd);
    struct scheduler_event *event = *place;

    if (!event)
        return;
    *place = event->next;
    free(event);
}

void scheduler_events_destroy(struct vmr_scheduler *scheduler)
{
    while (scheduler->events)
        event_destroy(scheduler, scheduler->events->number);
}

static void event_signal(void *context, int fd)
{
    point(context);
    struct scheduler_event *event = *place_of(context, fd);

    if (!event)
        return;
    event->signalled = true;
    scheduler_wake(context, event);
}

static bool event_take(void *context, int fd)
{
    point(context);
    struct scheduler_event *event = *place_of(context, fd);
    bool signalled = event && event->signalled;

    if (signalled)
        event->signalled = false;
    return signalled;
}

static void watch_main(void *argument)
{
    struct vmr_event_watch *watch = argument;
    struct scheduler_event *event = watch->event;

    while (!watch->over) {
        if (event->signalled) {
            event->signalled = false;
            watch->ready(watch->argument);
        } else {
            (void)scheduler_block(watch->scheduler, event, VMR_NEVER);
        }
    }
}

static enum vmr_status event_watch(void *context, int fd, void (*ready)(void *argument), void *argument,
                                   struct vmr_event_watch **ret_watch)
{
    struct vmr_scheduler *scheduler = context;
    struct scheduler_event *event = *place_of(scheduler, fd);
    struct vmr_event_watch *watch;

    if (!event)
        return VMR_E_USAGE;
    if (!scheduler->current)
        return VMR_E_STATE; /* as for any thread: nobody would ever give it a turn */
    watch = calloc(1, sizeof(*watch));
    if (!watch)
        return VMR_E_NOMEM;
    *watch = (struct vmr_event_watch){.scheduler = scheduler, .event = event, .ready = ready, .argument = argument};
    enum vmr_status status = scheduler_thread_create(scheduler, watch_main, watch, &watch->thread);

    if (status) {
        free(watch);
        return status;
    }
    *ret_watch = watch;
    return VMR_OK;
}

static void event_unwatch(void *context, struct vmr_event_watch *watch)
{
    point(context);
    watch->over = true;
    scheduler_wake(context, watch->event);
    scheduler_thread_join(watch->thread);
    free(watch);
}

const struct vmr_event_ops scheduler_events = {
    .create = event_create,
    .destroy = event_destroy,
    .signal = event_signal,
    .take = event_take,
    .watch = event_watch,
    .unwatch = event_unwatch,
};
