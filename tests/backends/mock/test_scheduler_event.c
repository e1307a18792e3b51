/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's events: no order loses a signal, delivers one after unwatch or
 * runs two calls of a watch at once, and all of these orders are tried.
 */

#include "vmrig/mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/sync.h"

struct world {
    struct vmr_scheduler *scheduler;
    struct vmr_host host;
    const struct vmr_event_ops *events;
    int fd;
    unsigned calls, inside;
    bool at_once; /* `ready` ran twice at the same time */
    bool over;    /* unwatch has returned */
    bool late;    /* `ready` ran after it */
    _Atomic uint32_t word;
    struct vmr_event_watch *forgotten;
    unsigned outcomes; /* a bit for each number of calls, of all orders */
};

static void world_init(struct world *world, enum vmr_schedule_mode mode, unsigned preemptions)
{
    const struct vmr_scheduler_options options = {.mode = mode, .preemptions = preemptions, .step_max = 20000};

    *world = (struct world){.fd = -1};
    assert_int_equal(vmr_scheduler_create(&options, &world->scheduler, NULL), VMR_OK);
    vmr_scheduler_host(world->scheduler, &world->host);
    world->events = world->host.ops->events;
    assert_non_null(world->events);
}

static void must_create(struct world *world)
{
    assert_int_equal(world->events->create(world->host.context, &world->fd), VMR_OK);
}

static void signal(struct world *world)
{
    world->events->signal(world->host.context, world->fd);
}

static bool take(struct world *world)
{
    return world->events->take(world->host.context, world->fd);
}

/* Passes two points, so that others come between. */
static void on_ready(void *argument)
{
    struct world *world = argument;

    world->at_once |= world->inside++ > 0;
    world->late |= world->over;
    sync_point(&world->host, world);
    world->calls++;
    sync_point(&world->host, world);
    world->inside--;
}

static struct vmr_event_watch *must_watch(struct world *world)
{
    struct vmr_event_watch *watch = NULL;

    assert_int_equal(world->events->watch(world->host.context, world->fd, on_ready, world, &watch), VMR_OK);
    return watch;
}

static void unwatch(struct world *world, struct vmr_event_watch *watch)
{
    world->events->unwatch(world->host.context, watch);
    world->over = true;
    assert_int_equal(world->inside, 0);
}

/* Runs `body` in every order. */
static void explore(struct world *world, void (*body)(void *argument))
{
    do {
        world->calls = world->inside = 0;
        world->over = false;
        assert_int_equal(vmr_scheduler_run(world->scheduler, body, world), VMR_SCHEDULE_DONE);
        world->outcomes |= 1u << world->calls;
    } while (vmr_scheduler_next(world->scheduler));
    assert_true(vmr_scheduler_explored(world->scheduler) > 1);
    assert_false(world->at_once || world->late);
}

static void signals_add_up_and_are_taken_at_once(void **state)
{
    struct world world;
    int other;

    (void)state;
    world_init(&world, VMR_SCHEDULE_SEEDED, 0);
    must_create(&world);
    assert_int_equal(world.events->create(world.host.context, &other), VMR_OK);
    assert_true(world.fd >= 1 << 20 && other != world.fd); /* no descriptor of the process */
    assert_false(take(&world));
    signal(&world);
    signal(&world);
    assert_false(world.events->take(world.host.context, other));
    assert_true(take(&world));
    assert_false(take(&world));
    world.events->destroy(world.host.context, world.fd);
    signal(&world);
    assert_false(take(&world));
    /* A number that is gone is not given again. */
    int gone = world.fd;

    must_create(&world);
    assert_true(world.fd != gone && world.fd != other);
    world.events->destroy(world.host.context, gone);
    vmr_scheduler_destroy(world.scheduler); /* and the events that are left with it */
}

static void a_watch_outside_a_run_and_of_no_event_is_refused(void **state)
{
    struct world world;
    struct vmr_event_watch *watch = NULL;

    (void)state;
    world_init(&world, VMR_SCHEDULE_SEEDED, 0);
    must_create(&world);
    assert_int_equal(world.events->watch(world.host.context, 5, on_ready, &world, &watch), VMR_E_USAGE);
    assert_int_equal(world.events->watch(world.host.context, world.fd, on_ready, &world, &watch), VMR_E_STATE);
    assert_null(watch);
    vmr_scheduler_destroy(world.scheduler);
}

static void signal_from_a_thread(void *argument)
{
    signal(argument);
}

/* Two signals, one of them from before the watch; then gives the watch the time it needs. */
static void signal_twice_and_wait(void *argument)
{
    struct world *world = argument;
    struct vmr_thread *thread = NULL;

    must_create(world);
    signal(world);
    struct vmr_event_watch *watch = must_watch(world);

    assert_int_equal(
        world->host.ops->thread_start(world->host.context, "signaller", signal_from_a_thread, world, &thread), VMR_OK);
    world->host.ops->thread_join(world->host.context, thread);
    vmr_scheduler_pause(world->scheduler, 1); /* until all wait */
    while (world->calls == 0 || world->inside > 0)
        vmr_scheduler_pause(world->scheduler, 1);
    unwatch(world, watch);
    assert_false(take(world)); /* nothing is left */
    world->events->destroy(world->host.context, world->fd);
}

static void no_order_loses_a_signal_and_two_may_come_as_one(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 2);
    explore(&world, signal_twice_and_wait);
    assert_int_equal(world.outcomes, 1u << 1 | 1u << 2);
    vmr_scheduler_destroy(world.scheduler);
}

static void unwatch_while_it_is_signalled(void *argument)
{
    struct world *world = argument;
    struct vmr_thread *thread = NULL;

    must_create(world);
    struct vmr_event_watch *watch = must_watch(world);

    assert_int_equal(
        world->host.ops->thread_start(world->host.context, "signaller", signal_from_a_thread, world, &thread), VMR_OK);
    unwatch(world, watch);
    world->host.ops->thread_join(world->host.context, thread);
    assert_true(take(world) == (world->calls == 0)); /* either the watch took it or it is still there */
    world->events->destroy(world->host.context, world->fd);
}

static void after_unwatch_no_call_comes_in_any_order(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 2);
    explore(&world, unwatch_while_it_is_signalled);
    assert_int_equal(world.outcomes, 1u << 0 | 1u << 1); /* both were seen */
    vmr_scheduler_destroy(world.scheduler);
}

/* Whether what was written before a signal is seen by whoever takes it is a matter of the points only. */
static void take_until_there(void *argument)
{
    struct world *world = argument;

    while (!take(world))
        (void)world->host.ops->schedule->block(world->host.context, NULL);
    assert_int_equal(sync_load_u32(&world->host, &world->word), 7);
}

static void write_and_signal(void *argument)
{
    struct world *world = argument;
    struct vmr_thread *thread = NULL;

    must_create(world);
    sync_store_u32(&world->host, &world->word, 0);
    assert_int_equal(world->host.ops->thread_start(world->host.context, "taker", take_until_there, world, &thread),
                     VMR_OK);
    sync_store_u32(&world->host, &world->word, 7);
    signal(world);
    world->host.ops->thread_join(world->host.context, thread);
    world->events->destroy(world->host.context, world->fd);
}

static void who_polls_an_event_gets_it_in_every_order(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 2);
    explore(&world, write_and_signal);
    vmr_scheduler_destroy(world.scheduler);
}

static void watch_and_forget(void *argument)
{
    struct world *world = argument;

    must_create(world);
    world->forgotten = must_watch(world);
}

static void a_forgotten_watch_is_a_deadlock(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_SEEDED, 0);
    assert_int_equal(vmr_scheduler_run(world.scheduler, watch_and_forget, &world), VMR_SCHEDULE_DEADLOCK);
    vmr_scheduler_destroy(world.scheduler);
    free(world.forgotten); /* its thread was dropped where it stood */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_add_up_and_are_taken_at_once),
        cmocka_unit_test(a_watch_outside_a_run_and_of_no_event_is_refused),
        cmocka_unit_test(no_order_loses_a_signal_and_two_may_come_as_one),
        cmocka_unit_test(after_unwatch_no_call_comes_in_any_order),
        cmocka_unit_test(who_polls_an_event_gets_it_in_every_order),
        cmocka_unit_test(a_forgotten_watch_is_a_deadlock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
