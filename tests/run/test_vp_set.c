/* SPDX-License-Identifier: MIT */
/*
 * What callers do with a VP set, on real threads: create as a whole, start and
 * stop, waits, halts from device threads. [SET-1] [SET-3] [SET-4] [SET-5] [SET-6]
 */

#include "tests/run/set_fixture.h"

/* --- creating --- */

static enum vmr_status fail_to_prepare(void *context, struct vmr_vp *vp, struct vmr_error *err)
{
    if (vmr_vp_get_index(vp) != *(vmr_vp_index *)context)
        return VMR_OK;
    return vmr_error_set_host(err, 5, "no registers today");
}

static void a_set_needs_its_callbacks(void **state)
{
    (void)state;
    struct set_fixture fixture;

    set_fixture_prepare(&fixture);
    fixture.options.io = NULL;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_E_USAGE);
    assert_null(fixture.set);
    set_fixture_finish(&fixture);
}

static void a_vp_that_cannot_be_prepared_fails_the_whole_and_is_named(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct vmr_error err = {0};
    vmr_vp_index bad = 1;

    set_fixture_prepare(&fixture);
    fixture.options.prepare = fail_to_prepare;
    fixture.options.context = &bad;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "VP 1"));
    assert_non_null(strstr(err.message, "no registers today"));
    assert_int_equal(err.host_errno, 5);
    assert_null(fixture.set);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_BIND), fake_count(&fixture.fake, FAKE_VP_UNBIND));
    fixture.options.prepare = NULL;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, &err), VMR_OK);
    set_fixture_finish(&fixture);
}

static void a_vp_that_is_bound_elsewhere_fails_the_whole(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct vmr_error err = {0};
    struct vmr_vp *vp;

    set_fixture_prepare(&fixture);
    assert_int_equal(vmr_partition_bind(fixture.rig.partition, 2, &vp, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "VP 2"));
    vmr_vp_unbind(vp);
    set_fixture_finish(&fixture);
}

/* Parkers and threads are refused one by one, then allocations, until a create goes through. */
static void each_failing_step_of_a_create_leaves_nothing(void **state)
{
    (void)state;
    for (int by_memory = 0; by_memory < 2; by_memory++) {
        enum vmr_status status = VMR_E_NOMEM;
        uint32_t nth;

        for (nth = 1; status != VMR_OK; nth++) {
            struct set_fixture fixture;
            struct vmr_error err = {0};

            set_fixture_prepare(&fixture);
            if (by_memory)
                fail_allocation(nth);
            else
                fixture.counting.fail_at = atomic_load(&fixture.counting.calls) + nth;
            status = vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, &err);
            fail_allocation(0);
            fixture.counting.fail_at = 0;
            assert_int_equal(err.status, status);
            assert_int_equal(fixture.set == NULL, status != VMR_OK);
            set_fixture_finish(&fixture); /* counts threads, parkers and bound VPs */
        }
        assert_in_range(nth, 2 * SET_VPS + 2, 40);
    }
}

/* --- starting and stopping --- */

static void start_and_stop_follow_each_other(void **state)
{
    (void)state;
    struct set_fixture fixture;

    set_fixture_init(&fixture);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK); /* from any state */
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    set_fixture_finish(&fixture); /* destroys a running set */
}

static void no_vp_runs_after_a_stop(void **state)
{
    (void)state;
    static const struct fake_step busy[] = {STEP_READ(1), STEP_READ(2), STEP_BLOCK, STEP_OF(VMR_EXIT_HALT)};
    struct set_fixture fixture;

    set_fixture_prepare(&fixture);
    for (vmr_vp_index i = 0; i < SET_VPS; i++) {
        fake_script(&fixture.fake, i, busy, COUNT(busy));
        fixture.fake.scripts[i].endless = true;
    }
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
        assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
        uint32_t runs = fake_count(&fixture.fake, FAKE_VP_RUN), enters = fake_count(&fixture.fake, FAKE_VP_ENTER);

        for (vmr_vp_index vp = 0; vp < SET_VPS; vp++)
            assert_int_equal(partition_vp(fixture.rig.partition, vp)->place, PLACE_OUT);
        assert_int_equal(fake_count(&fixture.fake, FAKE_VP_LEAVE), enters);
        assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), runs);
    }
    set_fixture_finish(&fixture);
}

static void a_stop_that_fails_has_stopped_nothing(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct vmr_vp_set_halt halt = {.vp = 99};

    set_fixture_init(&fixture);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    fixture.counting.fail_at = atomic_load(&fixture.counting.calls) + 1;
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_E_NOMEM);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE); /* it runs still */
    fixture.counting.fail_at = atomic_load(&fixture.counting.calls) + 1;
    assert_int_equal(vmr_vp_set_wait(fixture.set, VMR_NEVER, &halt), VMR_E_NOMEM);
    assert_int_equal(halt.vp, 99);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    set_fixture_finish(&fixture);
}

/* --- reset --- */

static void a_reset_that_cannot_begin_has_done_nothing(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct vmr_error err = {0};

    set_fixture_init(&fixture);
    fixture.counting.fail_at = atomic_load(&fixture.counting.calls) + 1;
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_E_NOMEM);
    fixture.counting.fail_at = 0;
    fail_allocation(1);
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_E_NOMEM);
    fail_allocation(0);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_E_STATE);
    assert_string_equal(err.message, "VP set: it runs");
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    fixture.set->resetting = true;
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE);
    fixture.set->resetting = false;
    assert_int_equal(fake_count(&fixture.fake, FAKE_VM_RESET), 0);
    assert_true(vmr_partition_is_usable(fixture.rig.partition));
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_OK);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RESET), SET_VPS);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    set_fixture_finish(&fixture);
}

/* Of the partition and each VP one fails: the others have their part, and the error is the one that was first. */
static void each_part_that_fails_is_reported_and_the_others_are_done(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct vmr_error err;

    set_fixture_init(&fixture);
    fixture.fake.fail_always = FAKE_VM_RESET;
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_E_HOST);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RESET), 0);
    fixture.fake.fail_always = FAKE_VP_RESET;
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "VP reset"));
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RESET), SET_VPS);
    fixture.fake.fail_always = FAKE_OPEN;
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    set_fixture_finish(&fixture);
}

static void a_set_with_a_vp_that_has_failed_starts_after_a_reset(void **state)
{
    (void)state;
    static const struct fake_step fail[] = {{.exit = {.kind = VMR_EXIT_FAIL}}};
    struct set_fixture fixture;
    struct vmr_error err;

    set_fixture_prepare(&fixture);
    fake_script(&fixture.fake, 1, fail, COUNT(fail));
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    (void)must_wait(&fixture);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_reset(fixture.set, &err), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    set_fixture_finish(&fixture);
}

/* --- waiting --- */

static void a_wait_ends_with_the_deadline_or_a_state_error(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct vmr_vp_set_halt halt = {.vp = 99};

    set_fixture_init(&fixture);
    assert_int_equal(vmr_vp_set_wait(fixture.set, VMR_NEVER, &halt), VMR_E_STATE);
    assert_int_equal(halt.vp, 99);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_wait(fixture.set, 1, &halt), VMR_OK); /* long past */
    assert_int_equal(halt.result.reason, VMR_HALT_NONE);
    set_fixture_finish(&fixture);
}

static void the_halt_stays_until_the_next_start(void **state)
{
    (void)state;
    static const struct fake_step off[] = {STEP_POWER_OFF};
    struct set_fixture fixture;
    struct vmr_vp_set_halt halt = {.vp = 99};

    set_fixture_prepare(&fixture);
    fake_script(&fixture.fake, 1, off, COUNT(off));
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    for (unsigned i = 0; i < 2; i++) {
        halt = must_wait(&fixture);
        assert_int_equal(halt.vp, 1);
        assert_int_equal(halt.result.reason, VMR_HALT_POWER_OFF);
    }
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE); /* halted, not stopped */
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    assert_int_equal(must_wait(&fixture).vp, 1);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_wait(fixture.set, 1, &halt), VMR_OK);
    assert_int_equal(halt.result.reason, VMR_HALT_NONE);
    set_fixture_finish(&fixture);
}

static void the_first_halt_wins_and_then_nothing_moves(void **state)
{
    (void)state;
    static const struct fake_step off[] = {STEP_READ(1), STEP_POWER_OFF};
    static const struct fake_step fault[] = {STEP_READ(1), STEP_OF(VMR_EXIT_SHUTDOWN)};

    for (unsigned i = 0; i < 100; i++) {
        struct set_fixture fixture;

        set_fixture_prepare(&fixture);
        fake_script(&fixture.fake, 0, off, COUNT(off));
        fake_script(&fixture.fake, 1, fault, COUNT(fault));
        assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
        struct vmr_vp_set_halt halt = must_wait(&fixture);
        uint32_t runs = fake_count(&fixture.fake, FAKE_VP_RUN);

        assert_in_range(halt.vp, 0, 1);
        assert_int_equal(halt.result.reason, halt.vp == 0 ? VMR_HALT_POWER_OFF : VMR_HALT_TRIPLE_FAULT);
        for (vmr_vp_index vp = 0; vp < SET_VPS; vp++)
            assert_int_equal(partition_vp(fixture.rig.partition, vp)->place, PLACE_OUT);
        assert_int_equal(must_wait(&fixture).vp, halt.vp);
        assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), runs);
        set_fixture_finish(&fixture);
    }
}

/* --- device threads --- */

struct waiter {
    struct set_fixture *fixture;
    enum vmr_halt_reason reason; /* to halt with */
    _Atomic uint32_t *firsts;
    struct vmr_vp_set_halt halt;
    enum vmr_status status;
};

static void wait_in_thread(void *argument)
{
    struct waiter *waiter = argument;

    waiter->status = vmr_vp_set_wait(waiter->fixture->set, VMR_NEVER, &waiter->halt);
}

static void halt_in_thread(void *argument)
{
    struct waiter *waiter = argument;

    if (vmr_vp_set_halt_all(waiter->fixture->set, 2, waiter->reason))
        (void)atomic_fetch_add(waiter->firsts, 1);
}

static struct vmr_thread *must_thread(struct set_fixture *fixture, void (*body)(void *argument), void *argument)
{
    struct vmr_thread *thread = NULL;

    assert_int_equal(fixture->host.ops->thread_start(fixture->host.context, "other", body, argument, &thread), VMR_OK);
    return thread;
}

static void of_many_halts_one_is_first_and_holds_for_all(void **state)
{
    (void)state;
    struct set_fixture fixture;

    set_fixture_init(&fixture);
    for (unsigned i = 0; i < 100; i++) {
        _Atomic uint32_t firsts = 0;
        struct waiter halters[] = {{&fixture, VMR_HALT_RESET, &firsts, {0}, VMR_OK},
                                   {&fixture, VMR_HALT_POWER_OFF, &firsts, {0}, VMR_OK}};
        struct vmr_thread *threads[COUNT(halters)];

        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
        for (size_t j = 0; j < COUNT(halters); j++)
            threads[j] = must_thread(&fixture, halt_in_thread, &halters[j]);
        struct vmr_vp_set_halt halt = must_wait(&fixture);

        for (size_t j = 0; j < COUNT(halters); j++)
            fixture.host.ops->thread_join(fixture.host.context, threads[j]);
        assert_int_equal(firsts, 1);
        assert_int_equal(halt.vp, 2);
        assert_true(halt.result.reason == VMR_HALT_RESET || halt.result.reason == VMR_HALT_POWER_OFF);
        assert_int_equal(must_wait(&fixture).result.reason, halt.result.reason);
        assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    }
    set_fixture_finish(&fixture);
}

static void a_halt_needs_a_reason(void **state)
{
    (void)state;
    struct set_fixture fixture;

    set_fixture_init(&fixture);
    assert_false(vmr_vp_set_halt_all(fixture.set, 0, VMR_HALT_NONE));
    assert_false(vmr_vp_set_halt_all(fixture.set, 0, VMR_HALT_REASON_COUNT));
    assert_true(vmr_vp_set_halt_all(fixture.set, 0, VMR_HALT_HIBERNATE));
    assert_false(vmr_vp_set_halt_all(fixture.set, 1, VMR_HALT_RESET));
    assert_int_equal(must_wait(&fixture).result.reason, VMR_HALT_HIBERNATE);
    set_fixture_finish(&fixture);
}

/* VP 1 stays in the guest until the test lets it go. */
static void hold_back(void *context, vmr_vp_index vp)
{
    while (vp == 1 && !atomic_load((_Atomic bool *)context))
        ;
}

static void a_vp_that_dies_wakes_every_waiter(void **state)
{
    (void)state;
    static const struct fake_step fail[] = {{.exit = {.kind = VMR_EXIT_FAIL, .native_reason = 77}}};
    _Atomic bool released = false;
    struct set_fixture fixture;
    struct waiter waiters[3];
    struct vmr_thread *threads[COUNT(waiters)];

    set_fixture_prepare(&fixture);
    fake_script(&fixture.fake, 1, fail, COUNT(fail));
    fixture.fake.in_guest = hold_back;
    fixture.fake.in_guest_context = (void *)&released;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    for (size_t i = 0; i < COUNT(waiters); i++) {
        waiters[i] = (struct waiter){.fixture = &fixture};
        threads[i] = must_thread(&fixture, wait_in_thread, &waiters[i]);
    }
    atomic_store(&released, true);
    for (size_t i = 0; i < COUNT(waiters); i++) {
        fixture.host.ops->thread_join(fixture.host.context, threads[i]);
        assert_int_equal(waiters[i].status, VMR_OK);
        assert_int_equal(waiters[i].halt.vp, 1);
        assert_int_equal(waiters[i].halt.result.reason, VMR_HALT_FATAL);
        assert_int_equal(waiters[i].halt.result.exit.native_reason, 77);
    }
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK); /* it counts as acknowledged */
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE);
    set_fixture_finish(&fixture);
}

static void a_stop_ends_a_wait_that_has_nothing_left_to_wait_for(void **state)
{
    (void)state;
    struct set_fixture fixture;

    set_fixture_init(&fixture);
    for (unsigned i = 0; i < 100; i++) {
        struct waiter waiter = {.fixture = &fixture};

        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
        struct vmr_thread *thread = must_thread(&fixture, wait_in_thread, &waiter);

        assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
        fixture.host.ops->thread_join(fixture.host.context, thread);
        assert_int_equal(waiter.status, VMR_E_STATE);
    }
    set_fixture_finish(&fixture);
}

/* What a wait has seen is not taken back by a start that follows: a halt is told as a halt, never as an error. */
static void a_start_behind_a_halt_does_not_spoil_the_wait(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct wait_probe {
        struct waiter waiter;
        struct vmr_thread *thread;
    } probe;

    set_fixture_init(&fixture);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
        probe.waiter = (struct waiter){.fixture = &fixture};
        probe.thread = must_thread(&fixture, wait_in_thread, &probe.waiter);
        assert_true(vmr_vp_set_halt_all(fixture.set, 0, VMR_HALT_RESET));
        assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
        /* It came too late for the first halt, or has it; the second is for the late ones. */
        assert_true(vmr_vp_set_halt_all(fixture.set, 1, VMR_HALT_POWER_OFF));
        fixture.host.ops->thread_join(fixture.host.context, probe.thread);
        assert_int_equal(probe.waiter.status, VMR_OK);
        assert_int_equal(probe.waiter.halt.result.reason,
                         probe.waiter.halt.vp == 0 ? VMR_HALT_RESET : VMR_HALT_POWER_OFF);
        assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    }
    set_fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_needs_its_callbacks),
        cmocka_unit_test(a_vp_that_cannot_be_prepared_fails_the_whole_and_is_named),
        cmocka_unit_test(a_vp_that_is_bound_elsewhere_fails_the_whole),
        cmocka_unit_test(each_failing_step_of_a_create_leaves_nothing),
        cmocka_unit_test(start_and_stop_follow_each_other),
        cmocka_unit_test(no_vp_runs_after_a_stop),
        cmocka_unit_test(a_stop_that_fails_has_stopped_nothing),
        cmocka_unit_test(a_reset_that_cannot_begin_has_done_nothing),
        cmocka_unit_test(each_part_that_fails_is_reported_and_the_others_are_done),
        cmocka_unit_test(a_set_with_a_vp_that_has_failed_starts_after_a_reset),
        cmocka_unit_test(a_wait_ends_with_the_deadline_or_a_state_error),
        cmocka_unit_test(the_halt_stays_until_the_next_start),
        cmocka_unit_test(the_first_halt_wins_and_then_nothing_moves),
        cmocka_unit_test(of_many_halts_one_is_first_and_holds_for_all),
        cmocka_unit_test(a_halt_needs_a_reason),
        cmocka_unit_test(a_vp_that_dies_wakes_every_waiter),
        cmocka_unit_test(a_stop_ends_a_wait_that_has_nothing_left_to_wait_for),
        cmocka_unit_test(a_start_behind_a_halt_does_not_spoil_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
