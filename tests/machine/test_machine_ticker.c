/* SPDX-License-Identifier: MIT */
/*
 * The timer thread, on a host where sleeping takes no time: parking moves the
 * clock to the deadline.
 */

#include "lib/machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_platform *platform;
static unsigned parks_left;
static bool fail_thread;
static void (*thread_body)(void *argument);
static void *thread_argument;

static enum vmr_park_result park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct fake_host *fake = context;

    (void)parker;
    if (deadline_ns == VMR_NEVER || parks_left == 0)
        return VMR_PARK_DEADLOCK;
    parks_left--;
    fake->now_ns = deadline_ns;
    return VMR_PARK_TIMEOUT;
}

/* The thread runs when the test says so, to its end, so that nothing is at the same time. */
static enum vmr_status thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                    struct vmr_thread **ret_thread)
{
    (void)context;
    (void)name;
    if (fail_thread)
        return VMR_E_HOST;
    thread_body = body;
    thread_argument = argument;
    *ret_thread = argument;
    return VMR_OK;
}

static void thread_join(void *context, struct vmr_thread *thread)
{
    (void)context;
    (void)thread;
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    rig.fake.ops.park = park;
    rig.fake.ops.thread_start = thread_start;
    rig.fake.ops.thread_join = thread_join;
    parks_left = 5;
    fail_thread = false;
    const struct vmr_platform_options options = {.host = &rig.fake.host, .irq = rig_irq(&rig)};

    return vmr_platform_create(&options, rig.ports, &platform, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_platform_destroy(platform);
    rig_finish(&rig);
    return 0;
}

static void run_ticker(bool held)
{
    struct machine_ticker *ticker = NULL;

    assert_int_equal(machine_ticker_create(&rig.fake.host, platform, &ticker, NULL), VMR_OK);
    machine_ticker_hold(ticker, false);
    if (held)
        machine_ticker_hold(ticker, true);
    thread_body(thread_argument);
    machine_ticker_wake(ticker);
    machine_ticker_destroy(ticker);
}

static void ticker_raises_a_line_for_each_deadline(void **state)
{
    (void)state;
    rig_out(&rig, 0x43, 0x34);
    rig_out(&rig, 0x40, 0xa9);
    rig_out(&rig, 0x40, 0x04);
    run_ticker(false);
    assert_int_equal(parks_left, 0);
    assert_int_equal(rig.lines[0].rises, 5);
}

static void a_ticker_that_is_held_polls_nothing(void **state)
{
    struct machine_ticker *ticker = NULL;

    (void)state;
    rig_out(&rig, 0x43, 0x34);
    rig_out(&rig, 0x40, 0xa9);
    rig_out(&rig, 0x40, 0x04);
    run_ticker(true);
    assert_int_equal(machine_ticker_create(&rig.fake.host, platform, &ticker, NULL), VMR_OK);
    thread_body(thread_argument); /* as it begins */
    machine_ticker_destroy(ticker);
    assert_int_equal(parks_left, 5);
    assert_int_equal(rig.lines[0].rises, 0);
    machine_ticker_hold(NULL, true);
}

static void idle_platform_lets_the_ticker_sleep(void **state)
{
    (void)state;
    run_ticker(false);
    assert_int_equal(parks_left, 5);
}

static void thread_that_cannot_start_is_reported(void **state)
{
    struct machine_ticker *ticker = NULL;
    struct vmr_error err = {0};

    (void)state;
    fail_thread = true;
    assert_int_equal(machine_ticker_create(&rig.fake.host, platform, &ticker, &err), VMR_E_HOST);
    assert_null(ticker);
    assert_string_not_equal(err.message, "");
    machine_ticker_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ticker_raises_a_line_for_each_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ticker_that_is_held_polls_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_platform_lets_the_ticker_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(thread_that_cannot_start_is_reported, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
