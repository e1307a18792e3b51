/* SPDX-License-Identifier: MIT */
/*
 * Guest time over a host's: it stands still while paused, never goes back, can be
 * set; deadlines are in guest time, and permits are permits.
 */

#include "vmrig/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/sync.h"
#include "tests/support/fake_host.h"

#define BEGIN UINT64_C(5000)

static struct fake_host fake;
static struct vmr_vm_clock *vm_clock;
static const struct vmr_host *host;

static int setup(void **state)
{
    (void)state;
    fake_host_init(&fake, BEGIN);
    assert_int_equal(vmr_vm_clock_create(&fake.host, &vm_clock, NULL), VMR_OK);
    host = vmr_vm_clock_host(vm_clock);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmr_vm_clock_destroy(vm_clock);
    return 0;
}

static uint64_t now(void)
{
    return host->ops->now_ns(host->context);
}

static void paused_time_is_not_guest_time(void **state)
{
    (void)state;
    assert_int_equal(now(), BEGIN);
    for (unsigned round = 1; round <= 3; round++) {
        fake.now_ns += 100;
        assert_int_equal(now(), BEGIN + 100 * round);
        assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK);
        assert_true(vmr_vm_clock_is_paused(vm_clock));
        fake.now_ns += 1000000;
        assert_int_equal(now(), BEGIN + 100 * round);
        assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_OK);
        assert_false(vmr_vm_clock_is_paused(vm_clock));
        assert_int_equal(now(), BEGIN + 100 * round);
    }
    assert_int_equal(vmr_vm_clock_now(vm_clock), now());
}

static void wrong_order_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_E_STATE);
    assert_int_equal(vmr_vm_clock_set(vm_clock, 1), VMR_E_STATE);
    assert_int_equal(now(), BEGIN);
    assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK);
    fake.now_ns += 10;
    assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_E_STATE);
    assert_int_equal(vmr_vm_clock_set(vm_clock, VMR_NEVER), VMR_E_USAGE);
    assert_int_equal(now(), BEGIN);
    assert_int_equal(vmr_vm_clock_create(NULL, &vm_clock, NULL), VMR_E_USAGE);
    vmr_vm_clock_destroy(NULL);
}

static void clock_goes_on_from_where_it_was_set(void **state)
{
    static const uint64_t times[] = {0, 1, BEGIN - 1, BEGIN + 1000000, UINT64_C(1) << 62};

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK);
        assert_int_equal(vmr_vm_clock_set(vm_clock, times[i]), VMR_OK);
        fake.now_ns += 77;
        assert_int_equal(now(), times[i]);
        assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_OK);
        assert_int_equal(now(), times[i]);
        fake.now_ns += 5;
        assert_int_equal(now(), times[i] + 5);
    }
}

/* --- parking: what the host below is asked, on one thread --- */

static uint64_t asked_ns[8];
static unsigned asked;
static enum vmr_park_result (*park_below)(void *context, struct vmr_parker *parker, uint64_t deadline_ns);

/* Sleeping takes no time: the clock jumps to the deadline. At the second sleep without one somebody resumes. */
static enum vmr_park_result park_and_look(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    assert_true(asked < 8);
    asked_ns[asked++] = deadline_ns;
    if (deadline_ns == VMR_NEVER) {
        fake.now_ns += 1000;
        assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_OK);
        return park_below(context, parker, 0); /* the permit of the resume */
    }
    fake.now_ns = deadline_ns;
    if (asked == 1)
        assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK); /* at the last moment... */
    return VMR_PARK_TIMEOUT;
}

static void deadline_is_guest_time(void **state)
{
    struct vmr_parker *parker = NULL;

    (void)state;
    assert_int_equal(host->ops->parker_create(host->context, &parker), VMR_OK);
    park_below = fake.ops.park;
    fake.ops.park = park_and_look;
    asked = 0;
    assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK);
    fake.now_ns += 500;
    assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_OK);
    /* Paused before its deadline by one: it waits for the resume, and then for what is left. */
    fake.now_ns += 1;
    assert_int_equal(host->ops->park(host->context, parker, BEGIN + 100), VMR_PARK_TIMEOUT);
    assert_int_equal(asked, 1);
    assert_int_equal(asked_ns[0], BEGIN + 600);
    assert_int_equal(now(), BEGIN + 100); /* paused, just when it was due */
    assert_int_equal(host->ops->park(host->context, parker, BEGIN + 150), VMR_PARK_TIMEOUT);
    assert_int_equal(asked, 3);
    assert_int_equal(asked_ns[1], VMR_NEVER);
    assert_int_equal(asked_ns[2], BEGIN + 600 + 1000 + 50);
    fake.ops.park = park_below;
    host->ops->parker_destroy(host->context, parker);
}

static void deadlines_far_away_do_not_wrap(void **state)
{
    struct vmr_parker *parker = NULL;

    (void)state;
    assert_int_equal(host->ops->parker_create(host->context, &parker), VMR_OK);
    /* Due already, of a clock that is ahead of the host and of one that is behind. */
    assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK);
    assert_int_equal(vmr_vm_clock_set(vm_clock, UINT64_C(1) << 62), VMR_OK);
    assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_OK);
    assert_int_equal(host->ops->park(host->context, parker, 1), VMR_PARK_TIMEOUT);
    assert_int_equal(vmr_vm_clock_pause(vm_clock), VMR_OK);
    assert_int_equal(vmr_vm_clock_set(vm_clock, 0), VMR_OK);
    assert_int_equal(vmr_vm_clock_resume(vm_clock), VMR_OK);
    assert_int_equal(host->ops->park(host->context, parker, 0), VMR_PARK_TIMEOUT);
    host->ops->unpark(host->context, parker);
    assert_int_equal(host->ops->park(host->context, parker, VMR_NEVER - 1), VMR_PARK_WOKEN);
    host->ops->parker_destroy(host->context, parker);
    host->ops->parker_destroy(host->context, NULL);
}

static void a_permit_is_taken_once(void **state)
{
    struct vmr_parker *parker = NULL;

    (void)state;
    assert_int_equal(host->ops->parker_create(host->context, &parker), VMR_OK);
    host->ops->unpark(host->context, parker);
    host->ops->unpark(host->context, parker);
    assert_int_equal(host->ops->park(host->context, parker, VMR_NEVER), VMR_PARK_WOKEN);
    assert_int_equal(host->ops->park(host->context, parker, now()), VMR_PARK_TIMEOUT);
    host->ops->parker_destroy(host->context, parker);
}

/* --- threads --- */

static _Atomic uint32_t stop, went_back;

static void watch_the_clock(void *argument)
{
    struct vmr_vm_clock *watched = argument;
    uint64_t last = 0;

    while (!atomic_load(&stop)) {
        uint64_t seen = vmr_vm_clock_now(watched);

        if (seen < last)
            atomic_store(&went_back, 1);
        last = seen;
    }
}

static void clock_never_goes_back(void **state)
{
    struct vmr_thread *threads[2];
    struct vmr_vm_clock *real;
    struct vmr_host posix;

    (void)state;
    vmr_host_posix(&posix, NULL);
    assert_int_equal(vmr_vm_clock_create(&posix, &real, NULL), VMR_OK);
    const struct vmr_host *guest = vmr_vm_clock_host(real);

    stop = 0;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(guest->ops->thread_start(guest->context, "watch", watch_the_clock, real, &threads[i]), VMR_OK);
    for (unsigned i = 0; i < 20000; i++) {
        assert_int_equal(vmr_vm_clock_pause(real), VMR_OK);
        uint64_t paused_ns = vmr_vm_clock_now(real);

        assert_int_equal(vmr_vm_clock_now(real), paused_ns);
        assert_int_equal(vmr_vm_clock_resume(real), VMR_OK);
    }
    atomic_store(&stop, 1);
    for (unsigned i = 0; i < 2; i++)
        guest->ops->thread_join(guest->context, threads[i]);
    assert_int_equal(went_back, 0);
    vmr_vm_clock_destroy(real);
}

struct sleeper {
    const struct vmr_host *host;
    struct vmr_parker *parker;
    uint64_t deadline_ns;
    _Atomic uint32_t result; /* 1 + what park said */
};

static void sleep_until_the_deadline(void *argument)
{
    struct sleeper *sleeper = argument;
    const struct vmr_host *guest = sleeper->host;

    atomic_store(&sleeper->result, 1u + guest->ops->park(guest->context, sleeper->parker, sleeper->deadline_ns));
}

static void resume_wakes_who_is_due(void **state)
{
    struct sleeper sleeper = {.result = 0};
    struct vmr_parker *nap = NULL;
    struct vmr_thread *thread;
    struct vmr_vm_clock *real;
    struct vmr_host posix;

    (void)state;
    vmr_host_posix(&posix, NULL);
    assert_int_equal(vmr_vm_clock_create(&posix, &real, NULL), VMR_OK);
    sleeper.host = vmr_vm_clock_host(real);
    assert_int_equal(sleeper.host->ops->parker_create(sleeper.host->context, &sleeper.parker), VMR_OK);
    assert_int_equal(posix.ops->parker_create(posix.context, &nap), VMR_OK);
    assert_int_equal(vmr_vm_clock_pause(real), VMR_OK);
    sleeper.deadline_ns = vmr_vm_clock_now(real) + 1000000;
    assert_int_equal(
        sleeper.host->ops->thread_start(sleeper.host->context, "sleeper", sleep_until_the_deadline, &sleeper, &thread),
        VMR_OK);
    (void)posix.ops->park(posix.context, nap, posix.ops->now_ns(posix.context) + 20000000);
    assert_int_equal(sleeper.result, 0); /* 20 times as long, and no time at all */
    assert_int_equal(vmr_vm_clock_set(real, sleeper.deadline_ns), VMR_OK);
    assert_int_equal(vmr_vm_clock_resume(real), VMR_OK);
    sleeper.host->ops->thread_join(sleeper.host->context, thread);
    assert_int_equal(sleeper.result, 1 + VMR_PARK_TIMEOUT);
    posix.ops->parker_destroy(posix.context, nap);
    sleeper.host->ops->parker_destroy(sleeper.host->context, sleeper.parker);
    vmr_vm_clock_destroy(real);
}

static void the_rest_is_the_hosts(void **state)
{
    int fd = -1;

    (void)state;
    host->ops->log(host->context, VMR_LOG_INFO, VMR_CULPRIT_HOST, "a line");
    assert_int_equal(fake.log_lines, 1);
    assert_null(host->ops->schedule);
    assert_int_equal(host->ops->events != NULL, fake.host.ops->events != NULL);
    assert_int_equal(host->ops->events->create(host->context, &fd), VMR_OK);
    assert_false(host->ops->events->take(host->context, fd));
    host->ops->events->signal(host->context, fd);
    assert_true(host->ops->events->take(host->context, fd));
    host->ops->events->destroy(host->context, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paused_time_is_not_guest_time, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_order_is_refused_and_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(clock_goes_on_from_where_it_was_set, setup, teardown),
        cmocka_unit_test_setup_teardown(deadline_is_guest_time, setup, teardown),
        cmocka_unit_test_setup_teardown(deadlines_far_away_do_not_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_permit_is_taken_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rest_is_the_hosts, setup, teardown),
        cmocka_unit_test(clock_never_goes_back),
        cmocka_unit_test(resume_wakes_who_is_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
