/* SPDX-License-Identifier: MIT */
/*
 * Events of an ordinary process: signals are neither lost nor taken twice, a
 * watch sees each and ends when it is told to, and an eventfd of one's own does
 * as well.
 */

#include "vmrig/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define SIGNALS 2000u

struct rig {
    struct vmr_host host;
    const struct vmr_event_ops *events;
    int fd;
    struct vmr_event_watch *watch;
    struct vmr_parker *parker; /* a permit after each call */
    unsigned plain;            /* written by the caller of `signal`, read by `ready`: handed over with the signal */
    unsigned seen;             /* what `ready` read */
    _Atomic unsigned calls;
    _Atomic int other; /* another event that `ready` signals, or -1 */
    bool slow;         /* `ready` takes its time, */
    bool closes;       /* or closes the event */
    _Atomic bool left; /* it has come to its end */
};

static void rig_init(struct rig *rig)
{
    *rig = (struct rig){.fd = -1, .other = -1};
    vmr_host_posix(&rig->host, NULL);
    rig->events = rig->host.ops->events;
    assert_non_null(rig->events);
    assert_int_equal(rig->events->create(NULL, &rig->fd), VMR_OK);
    assert_true(rig->fd >= 0);
    assert_int_equal(rig->host.ops->parker_create(NULL, &rig->parker), VMR_OK);
}

static void rig_finish(struct rig *rig)
{
    rig->host.ops->parker_destroy(NULL, rig->parker);
    rig->events->destroy(NULL, rig->fd);
}

static void wait_a_while(void)
{
    const struct timespec while_ns = {.tv_nsec = (long)(200 * MS)};

    (void)nanosleep(&while_ns, NULL);
}

static void on_ready(void *argument)
{
    struct rig *rig = argument;
    int other = atomic_load(&rig->other);

    rig->seen = rig->plain;
    (void)atomic_fetch_add(&rig->calls, 1);
    if (other >= 0)
        rig->events->signal(NULL, other);
    if (rig->closes)
        rig->events->destroy(NULL, rig->fd);
    rig->host.ops->unpark(NULL, rig->parker);
    if (rig->slow)
        wait_a_while();
    atomic_store(&rig->left, true);
}

static void must_watch(struct rig *rig)
{
    assert_int_equal(rig->events->watch(NULL, rig->fd, on_ready, rig, &rig->watch), VMR_OK);
}

/* Waits for the next call. */
static void must_be_called(struct rig *rig)
{
    uint64_t deadline = rig->host.ops->now_ns(NULL) + 30000 * MS;

    assert_int_equal(rig->host.ops->park(NULL, rig->parker, deadline), VMR_PARK_WOKEN);
}

static void signals_add_up_and_are_taken_at_once(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_false(rig.events->take(NULL, rig.fd));
    rig.events->signal(NULL, rig.fd);
    rig.events->signal(NULL, rig.fd);
    assert_true(rig.events->take(NULL, rig.fd));
    assert_false(rig.events->take(NULL, rig.fd));
    rig_finish(&rig);
}

static void an_event_is_not_inherited_and_does_not_block(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_true((fcntl(rig.fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(rig.fd, F_GETFL) & O_NONBLOCK) != 0);
    rig_finish(&rig);
}

/* The count has an end, at which a signal is one already. */
static void a_full_event_stays_signalled(void **state)
{
    const uint64_t most = UINT64_MAX - 1;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_int_equal(write(rig.fd, &most, sizeof(most)), sizeof(most));
    rig.events->signal(NULL, rig.fd);
    assert_true(rig.events->take(NULL, rig.fd));
    assert_false(rig.events->take(NULL, rig.fd));
    rig_finish(&rig);
}

static void a_foreign_event_is_taken_and_never_waited_for(void **state)
{
    struct rig rig;
    int fd = eventfd(3, 0);

    (void)state;
    assert_true(fd >= 0);
    rig_init(&rig);
    assert_true(rig.events->take(NULL, fd));
    assert_false(rig.events->take(NULL, fd)); /* a read would wait for ever */
    rig.events->signal(NULL, fd);
    assert_true(rig.events->take(NULL, fd));
    rig.events->destroy(NULL, fd);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    rig_finish(&rig);
}

static void a_watch_sees_what_was_written_before_each_signal(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    must_watch(&rig);
    for (unsigned i = 1; i <= SIGNALS; i++) {
        rig.plain = i;
        rig.events->signal(NULL, rig.fd);
        must_be_called(&rig);
        assert_int_equal(rig.seen, i);
    }
    rig.events->unwatch(NULL, rig.watch);
    assert_int_equal(atomic_load(&rig.calls), SIGNALS);
    assert_false(rig.events->take(NULL, rig.fd)); /* the watch took them */
    rig_finish(&rig);
}

static void a_watch_sees_a_signal_from_before_it(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig.events->signal(NULL, rig.fd);
    must_watch(&rig);
    must_be_called(&rig);
    rig.events->unwatch(NULL, rig.watch);
    assert_int_equal(atomic_load(&rig.calls), 1);
    rig_finish(&rig);
}

static void after_unwatch_no_call_comes_and_signals_stay(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (unsigned i = 0; i < 200; i++) {
        must_watch(&rig);
        rig.events->signal(NULL, rig.fd); /* may or may not be seen by this watch */
        rig.events->unwatch(NULL, rig.watch);
        unsigned calls = atomic_load(&rig.calls);

        (void)rig.events->take(NULL, rig.fd);
        rig.events->signal(NULL, rig.fd);
        assert_true(rig.events->take(NULL, rig.fd));
        assert_int_equal(atomic_load(&rig.calls), calls);
    }
    rig_finish(&rig);
}

static void a_call_may_signal_another_event(void **state)
{
    struct rig rig, next;

    (void)state;
    rig_init(&rig);
    rig_init(&next);
    must_watch(&rig);
    must_watch(&next);
    atomic_store(&rig.other, next.fd);
    rig.events->signal(NULL, rig.fd);
    must_be_called(&next);
    rig.events->unwatch(NULL, rig.watch);
    next.events->unwatch(NULL, next.watch);
    rig_finish(&rig);
    rig_finish(&next);
}

static void hammer(void *argument)
{
    struct rig *rig = argument;

    for (unsigned i = 0; i < SIGNALS; i++)
        rig->events->signal(NULL, rig->fd);
}

static void signals_of_two_threads_are_not_lost(void **state)
{
    struct rig rig;
    struct vmr_thread *threads[2];

    (void)state;
    rig_init(&rig);
    must_watch(&rig);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rig.host.ops->thread_start(NULL, "hammer", hammer, &rig, &threads[i]), VMR_OK);
    for (unsigned i = 0; i < 2; i++)
        rig.host.ops->thread_join(NULL, threads[i]);
    must_be_called(&rig);
    rig.events->unwatch(NULL, rig.watch);
    assert_true(atomic_load(&rig.calls) >= 1 && atomic_load(&rig.calls) <= 2 * SIGNALS);
    rig_finish(&rig);
}

static void what_is_no_event_is_not_watched(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_int_equal(rig.events->watch(NULL, -1, on_ready, &rig, &rig.watch), VMR_E_USAGE);
    assert_null(rig.watch);
    assert_false(rig.events->take(NULL, -1));
    rig.events->signal(NULL, -1); /* nobody hears it */
    rig_finish(&rig);
}

static void unwatch_waits_for_a_call_under_way(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig.slow = true;
    must_watch(&rig);
    rig.events->signal(NULL, rig.fd);
    must_be_called(&rig);
    rig.events->unwatch(NULL, rig.watch);
    assert_true(atomic_load(&rig.left));
    rig_finish(&rig);
}

static uint64_t processor_time_ns(void)
{
    struct timespec used;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (uint64_t)used.tv_sec * 1000 * MS + (uint64_t)used.tv_nsec;
}

/* The rule forbids to close it; all the same the watch must not spin for it, and must end. */
static void a_watch_whose_event_is_closed_rests_and_ends(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig.closes = true;
    must_watch(&rig);
    rig.events->signal(NULL, rig.fd);
    must_be_called(&rig);
    uint64_t before = processor_time_ns();

    wait_a_while();
    assert_true(processor_time_ns() - before < 40 * MS);
    rig.events->unwatch(NULL, rig.watch);
    assert_int_equal(atomic_load(&rig.calls), 1);
    assert_int_equal(rig.events->create(NULL, &rig.fd), VMR_OK);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_add_up_and_are_taken_at_once),
        cmocka_unit_test(an_event_is_not_inherited_and_does_not_block),
        cmocka_unit_test(a_full_event_stays_signalled),
        cmocka_unit_test(a_foreign_event_is_taken_and_never_waited_for),
        cmocka_unit_test(a_watch_sees_what_was_written_before_each_signal),
        cmocka_unit_test(a_watch_sees_a_signal_from_before_it),
        cmocka_unit_test(after_unwatch_no_call_comes_and_signals_stay),
        cmocka_unit_test(a_call_may_signal_another_event),
        cmocka_unit_test(signals_of_two_threads_are_not_lost),
        cmocka_unit_test(what_is_no_event_is_not_watched),
        cmocka_unit_test(unwatch_waits_for_a_call_under_way),
        cmocka_unit_test(a_watch_whose_event_is_closed_rests_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
