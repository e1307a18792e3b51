/* SPDX-License-Identifier: MIT */
/*
 * Events of the host by themselves: signals, takes and watches.
 */

#include "conformance/scenarios/event_words.h"

#include <stdatomic.h>

static void adds_up(struct conf *conf)
{
    int fd, other;

    if (!event_create(conf, &fd) || !event_create(conf, &other))
        return;
    CONF_CHECK(conf, fd >= 0 && other >= 0 && fd != other, "events %d and %d", fd, other);
    CONF_CHECK(conf, !event_take(conf, fd), "a new event is signalled");
    event_signal(conf, fd);
    event_signal(conf, fd);
    CONF_CHECK(conf, !event_take(conf, other), "another event was signalled");
    CONF_CHECK(conf, event_take(conf, fd), "a signal was lost");
    CONF_CHECK(conf, !event_take(conf, fd), "a signal was taken twice");
    event_destroy(conf, fd);
    event_destroy(conf, other);
}

struct watched {
    struct conf *conf;
    int fd;
    struct conf_latch first, second;
    _Atomic uint32_t calls;
};

static void count_call(void *argument)
{
    struct watched *watched = argument;

    (void)atomic_fetch_add(&watched->calls, 1);
    conf_latch_set(&watched->first);
    if (event_take(watched->conf, watched->fd)) /* a call has it taken already */
        conf_latch_set(&watched->second);
}

static void signal_watched(void *argument)
{
    struct watched *watched = argument;

    event_signal(watched->conf, watched->fd);
}

/* One signal: it was given before, while or after the watch was begun, by another thread. */
static void calls_once(struct conf *conf)
{
    const struct vmr_event_ops *events = conf->host->ops->events;
    struct watched watched = {.conf = conf};
    struct vmr_event_watch *watch;

    if (!event_create(conf, &watched.fd))
        return;
    struct vmr_thread *thread = conf_thread(conf, signal_watched, &watched);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    CONF_REQUIRE(conf, events->watch(conf->host->context, watched.fd, count_call, &watched, &watch) == VMR_OK,
                 "no watch");
    conf_join(conf, thread);
    (void)conf_latch_wait(conf, &watched.first, "the watch to be called");
    events->unwatch(conf->host->context, watch);
    CONF_CHECK_EQ(conf, atomic_load(&watched.calls), 1, "calls for one signal");
    CONF_CHECK_EQ(conf, atomic_load(&watched.second.value), 0, "signals that a call left to be taken");
    event_signal(conf, watched.fd);
    CONF_CHECK(conf, event_take(conf, watched.fd), "a signal after the watch went elsewhere");
    CONF_CHECK_EQ(conf, atomic_load(&watched.calls), 1, "calls after the watch");
    event_destroy(conf, watched.fd);
}

/* The watch is ended while it is signalled: there was a call, or the signal is there to be taken. */
static void ends_in_time(struct conf *conf)
{
    const struct vmr_event_ops *events = conf->host->ops->events;
    struct watched watched = {.conf = conf};
    struct vmr_event_watch *watch;

    if (!event_create(conf, &watched.fd))
        return;
    CONF_REQUIRE(conf, events->watch(conf->host->context, watched.fd, count_call, &watched, &watch) == VMR_OK,
                 "no watch");
    struct vmr_thread *thread = conf_thread(conf, signal_watched, &watched);

    events->unwatch(conf->host->context, watch);
    uint32_t calls = atomic_load(&watched.calls);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, atomic_load(&watched.calls), calls, "calls when the watch was over");
    CONF_CHECK(conf, event_take(conf, watched.fd) == (calls == 0), "%u calls, and the signal is %s", calls,
               calls ? "still there" : "gone");
    event_destroy(conf, watched.fd);
}

static const struct conf_scenario scenarios[] = {
    {.name = "signals_add_up_until_they_are_taken",
     .family = "events",
     .clauses = "EVT-1",
     .chip = CONF_CHIP_ANY,
     .run = adds_up},
    {.name = "a_watch_is_called_for_a_signal_and_takes_it",
     .family = "events",
     .clauses = "EVT-1 EVT-2 HOST-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = calls_once},
    {.name = "no_call_comes_when_a_watch_is_over",
     .family = "events",
     .clauses = "EVT-2 HOST-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = ends_in_time},
};

CONF_FAMILY(events, scenarios);
