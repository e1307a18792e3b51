/* SPDX-License-Identifier: MIT */
/*
 * Events of the host by themselves: signals, takes and watches; and what no
 * hypervisor does with them.
 */

#include "conformance/scenarios/event_words.h"

#include <stdatomic.h>

#define PORT EVENT_PORT

/* --- events by themselves --- */

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
    enum vmr_status status = events->watch(conf->host->context, watched.fd, count_call, &watched, &watch);

    conf_join(conf, thread); /* it uses what is here */
    CONF_REQUIRE(conf, status == VMR_OK, "no watch");
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

/* A backend that needs them declares nothing that it could not keep. */
static void host_without_events(struct conf *conf)
{
    const uint64_t with_events = CONF_CAP(IRQFD) | CONF_CAP(DOORBELL);
    bool needs_them = (conf->handle->backend->flags & VMR_BACKEND_HOST_EVENTS) != 0;
    struct vmr_host_ops ops = *conf->host->ops;
    const struct vmr_host poor = {.ops = &ops, .context = conf->host->context};
    struct vmr_proto *proto;
    struct vmr_error err = {.message = ""};

    ops.events = NULL;
    CONF_REQUIRE(conf,
                 vmr_proto_create(conf->handle, &(struct vmr_proto_options){.host = &poor}, &proto, &err) == VMR_OK,
                 "%s", err.message);
    CONF_CHECK_EQ(conf, vmr_proto_caps(proto)->bits, needs_them ? conf->caps.bits & ~with_events : conf->caps.bits,
                  "capabilities on a host without events");
    vmr_proto_destroy(proto);
}

/* --- what nobody can do, and what does not exist --- */

static void refused_by_name(struct conf *conf)
{
    static const struct vmr_doorbell sound = {.address = PORT, .size = 2};
    static const struct vmr_doorbell bad[] = {
        {.address = PORT, .size = 3},
        {.address = PORT, .size = 8},
        {.address = 0x10000, .size = 1},
        {.address = 0xffff, .size = 2},
        {.address = PORT, .size = 1, .match_value = true, .value = 256},
    };
    const struct vmr_doorbell privileged = {.address = PORT, .size = 2, .minimum_vtl = VMR_VTL1};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    bool has_bells = vmr_caps_have(&conf->caps, VMR_CAP_DOORBELL);
    struct vmr_error err = {.message = ""};
    int fd;

    CONF_REQUIRE(conf, vm && event_create(conf, &fd), "no VM");
    if (!has_bells)
        doorbell_refused(vm, &sound, fd, true, VMR_E_UNSUPPORTED);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) && has_bells; i++)
        doorbell_refused(vm, &bad[i], fd, true, VMR_E_CONFIG);
    doorbell_refused(vm, &privileged, fd, true, VMR_E_UNSUPPORTED);
    doorbell_refused(vm, &sound, -1, true, VMR_E_USAGE);
    CONF_CHECK(conf, vmr_partition_irqfd(vm->partition, -1, 4, true, &err) == VMR_E_USAGE, "no event is watched");
    CONF_CHECK(conf, vmr_partition_irqfd(vm->partition, fd, VMR_GSI_MAX, true, &err) == VMR_E_USAGE,
               "a line that does not exist");
    if (!vmr_caps_have(&conf->caps, VMR_CAP_IRQFD))
        CONF_CHECK(conf, vmr_partition_irqfd(vm->partition, fd, 4, true, &err) == VMR_E_UNSUPPORTED && err.message[0],
                   "an irqfd where there are none");
    conf_vm_destroy(vm);
    event_destroy(conf, fd);
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
    {.name = "a_host_without_events_takes_what_needs_them",
     .family = "events",
     .clauses = "EVT-3 BACK-1",
     .chip = CONF_CHIP_ANY,
     .run = host_without_events},
    {.name = "what_cannot_be_signalled_or_watched_is_refused_by_name",
     .family = "events",
     .clauses = "EVT-6 IO-7 INT-4 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = refused_by_name},
};

CONF_FAMILY(events, scenarios);
