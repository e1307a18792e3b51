/* SPDX-License-Identifier: MIT */
/*
 * Stop sources and vmr_stop_wait: the latch, who is reached, and waiting inside
 * a run without taking anything from it. [RUN-1] [RUN-4] [RUN-5]
 */

#include "tests/run/fixture.h"

#include "tests/support/counting_host.h"

static const struct fake_step read_then_off[] = {STEP_READ(1), STEP_POWER_OFF};

static void a_new_source_is_clear_and_latches(void **state)
{
    (void)state;
    struct vmr_host host;
    struct vmr_stop_source *source = NULL;

    vmr_host_posix(&host, NULL);
    fail_allocation(1);
    assert_int_equal(vmr_stop_create(&host, &source), VMR_E_NOMEM);
    assert_null(source);
    fail_allocation(0);
    assert_int_equal(vmr_stop_create(&host, &source), VMR_OK);
    assert_false(vmr_stop_is_set(source));
    vmr_stop_set(source);
    vmr_stop_set(source);
    assert_true(vmr_stop_is_set(source));
    vmr_stop_destroy(source);
    vmr_stop_destroy(NULL);
}

static void a_stop_reaches_no_run_of_another_source(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_stop_source *mine = NULL, *other = NULL;

    fixture_init(&fixture, read_then_off, COUNT(read_then_off));
    assert_int_equal(vmr_stop_create(&fixture.rig.host, &mine), VMR_OK);
    assert_int_equal(vmr_stop_create(&fixture.rig.host, &other), VMR_OK);
    vmr_stop_set(other);
    assert_int_equal(must_run(&fixture, mine), VMR_HALT_POWER_OFF);
    assert_int_equal(fixture.vp->requests, 0);
    vmr_stop_destroy(mine);
    vmr_stop_destroy(other);
    fixture_finish(&fixture);
}

/* --- waiting between runs --- */

static bool yes(void *event)
{
    (void)event;
    return true;
}

static bool no(void *event)
{
    (void)event;
    return false;
}

static void an_event_that_is_ready_beats_a_stop(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_stop_source *source = NULL;

    fixture_init(&fixture, read_then_off, COUNT(read_then_off));
    assert_int_equal(vmr_stop_create(&fixture.rig.host, &source), VMR_OK);
    vmr_stop_set(source);
    assert_int_equal(vmr_stop_wait(source, fixture.vp, yes, NULL), VMR_STOP_WAIT_READY);
    assert_int_equal(vmr_stop_wait(source, fixture.vp, no, NULL), VMR_STOP_WAIT_STOPPED);
    assert_int_equal(fixture.vp->place, PLACE_OUT);
    assert_int_equal(fixture.vp->requests, 0);
    vmr_stop_destroy(source);
    fixture_finish(&fixture);
}

static void a_wait_that_nothing_can_end_is_a_deadlock(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct counting_host counting;
    struct vmr_host host;
    struct vmr_stop_source *source = NULL;

    counting_host_init(&counting, &host);
    fake_init(&fixture.fake);
    fake_rig_init(&fixture.rig, &fixture.fake, &host, 1);
    assert_int_equal(vmr_partition_bind(fixture.rig.partition, 0, &fixture.vp, NULL), VMR_OK);
    assert_int_equal(vmr_stop_create(&host, &source), VMR_OK);
    counting.deadlocks = true;
    assert_int_equal(vmr_stop_wait(source, fixture.vp, no, NULL), VMR_STOP_WAIT_DEADLOCK);
    vmr_stop_destroy(source);
    fixture_finish(&fixture);
}

/* A kick meanwhile is for the next run, and says so. */
static bool kick_once(void *event)
{
    struct fixture *fixture = event;
    enum vmr_kick_result result = vmr_partition_kick(fixture->rig.partition, 0);

    assert_true(result == VMR_KICK_LATCHED || result == VMR_KICK_COALESCED);
    return result == VMR_KICK_COALESCED;
}

static void a_kick_while_waiting_is_for_the_next_run(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_stop_source *source = NULL;

    fixture_init(&fixture, read_then_off, COUNT(read_then_off));
    assert_int_equal(vmr_stop_create(&fixture.rig.host, &source), VMR_OK);
    assert_false(kick_once(&fixture));
    assert_int_equal(vmr_stop_wait(source, fixture.vp, kick_once, &fixture), VMR_STOP_WAIT_READY);
    assert_int_equal(must_run(&fixture, source), VMR_HALT_CANCEL);
    assert_int_equal(must_run(&fixture, source), VMR_HALT_POWER_OFF);
    vmr_stop_destroy(source);
    fixture_finish(&fixture);
}

/* --- waiting inside a run --- */

struct nested {
    struct fixture fixture;
    struct vmr_stop_source *of_run, *of_wait;
    bool set_run, set_wait; /* during the wait */
    enum vmr_stop_wait_result result;
};

static bool set_and_look(void *event)
{
    struct nested *nested = event;

    if (nested->set_run)
        vmr_stop_set(nested->of_run);
    if (nested->set_wait)
        vmr_stop_set(nested->of_wait);
    return !nested->set_wait && nested->of_wait != nested->of_run;
}

static enum vmr_exit_action wait_in_exit(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                         enum vmr_halt_reason *ret_reason)
{
    struct nested *nested = context;

    (void)ret_reason;
    if (vp_exit->kind == VMR_EXIT_IO)
        nested->result = vmr_stop_wait(nested->of_wait, vp, set_and_look, nested);
    return VMR_EXIT_DEFAULT;
}

static const struct {
    const char *name;
    bool same, set_run, set_wait;
    enum vmr_stop_wait_result result;
    enum vmr_halt_reason reason;
} nestings[] = {
    {"the run's own source, set in the wait", true, true, false, VMR_STOP_WAIT_STOPPED, VMR_HALT_STOP},
    {"the run's source, set while another is waited for", false, true, false, VMR_STOP_WAIT_READY, VMR_HALT_STOP},
    {"another source stops the wait alone", false, false, true, VMR_STOP_WAIT_STOPPED, VMR_HALT_POWER_OFF},
    {"both", false, true, true, VMR_STOP_WAIT_STOPPED, VMR_HALT_STOP},
    {"neither", false, false, false, VMR_STOP_WAIT_READY, VMR_HALT_POWER_OFF},
};

static void a_wait_inside_a_run_takes_no_stop_from_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nestings); i++) {
        struct nested nested = {.set_run = nestings[i].set_run, .set_wait = nestings[i].set_wait};
        struct vmr_stop_source *second = NULL;

        print_message("%s\n", nestings[i].name);
        fixture_init(&nested.fixture, read_then_off, COUNT(read_then_off));
        assert_int_equal(vmr_stop_create(&nested.fixture.rig.host, &nested.of_run), VMR_OK);
        assert_int_equal(vmr_stop_create(&nested.fixture.rig.host, &second), VMR_OK);
        nested.of_wait = nestings[i].same ? nested.of_run : second;
        nested.fixture.io = (struct vmr_vp_io){.exit = wait_in_exit, .context = &nested};
        assert_int_equal(must_run(&nested.fixture, nested.of_run), nestings[i].reason);
        assert_int_equal(nested.result, nestings[i].result);
        /* Nobody is left in a list: these would follow a link into the run's stack. */
        vmr_stop_set(nested.of_run);
        vmr_stop_set(second);
        vmr_stop_destroy(second);
        vmr_stop_destroy(nested.of_run);
        fixture_finish(&nested.fixture);
    }
}

/* --- another thread makes the event ready, or stops --- */

struct waker {
    struct vmr_partition *partition;
    struct vmr_stop_source *source;
    _Atomic bool waiting, ready;
    bool stops;
};

static bool is_ready(void *event)
{
    struct waker *waker = event;

    atomic_store(&waker->waiting, true);
    return atomic_load(&waker->ready);
}

static void wake_or_stop(void *argument)
{
    struct waker *waker = argument;

    while (!atomic_load(&waker->waiting))
        ;
    if (waker->stops) {
        vmr_stop_set(waker->source);
        return;
    }
    atomic_store(&waker->ready, true);
    vmr_partition_wake(waker->partition, 0);
}

static void a_wait_is_ended_by_another_thread(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture, NULL, 0);
    const struct vmr_host *host = &fixture.rig.host;

    for (unsigned i = 0; i < 300; i++) {
        struct waker waker = {.partition = fixture.rig.partition, .stops = i % 2 == 0};
        struct vmr_thread *thread;

        assert_int_equal(vmr_stop_create(host, &waker.source), VMR_OK);
        assert_int_equal(host->ops->thread_start(host->context, "waker", wake_or_stop, &waker, &thread), VMR_OK);
        assert_int_equal(vmr_stop_wait(waker.source, fixture.vp, is_ready, &waker),
                         waker.stops ? VMR_STOP_WAIT_STOPPED : VMR_STOP_WAIT_READY);
        host->ops->thread_join(host->context, thread);
        vmr_stop_destroy(waker.source);
    }
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_source_is_clear_and_latches),
        cmocka_unit_test(a_stop_reaches_no_run_of_another_source),
        cmocka_unit_test(an_event_that_is_ready_beats_a_stop),
        cmocka_unit_test(a_wait_that_nothing_can_end_is_a_deadlock),
        cmocka_unit_test(a_kick_while_waiting_is_for_the_next_run),
        cmocka_unit_test(a_wait_inside_a_run_takes_no_stop_from_it),
        cmocka_unit_test(a_wait_is_ended_by_another_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
