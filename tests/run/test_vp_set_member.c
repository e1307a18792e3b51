/* SPDX-License-Identifier: MIT */
/*
 * What each VP's thread does in a set: calls at a clean point and in order,
 * yields, kicks that end nothing, the end of a thread. [SET-7] [HALT-2] [SET-4]
 */

#include "tests/run/set_fixture.h"

struct call {
    struct set_fixture *fixture;
    uint32_t seen; /* calls so far */
    uint32_t order[64];
    vmr_vp_index index;
    uint32_t place;
    struct vmr_x86_regs regs;
};

static enum vmr_status look(void *argument, struct vmr_vp *vp)
{
    struct call *call = argument;

    call->seen++;
    call->index = vmr_vp_get_index(vp);
    call->place = atomic_load(&vp->place);
    return vmr_vp_get_regs(vp, &call->regs); /* only at a clean point */
}

static void calls_run_on_the_vps_thread_in_every_state(void **state)
{
    (void)state;
    static const struct fake_step busy[] = {STEP_READ(1), STEP_BLOCK};
    struct set_fixture fixture;
    struct call call = {0};

    set_fixture_prepare(&fixture);
    fake_script(&fixture.fake, 1, busy, COUNT(busy));
    fixture.fake.scripts[1].endless = true;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_call(fixture.set, 1, look, &call), VMR_OK); /* stopped */
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(vmr_vp_set_call(fixture.set, 1, look, &call), VMR_OK);
        assert_int_equal(call.index, 1);
        assert_int_equal(call.place, PLACE_OUT);
    }
    assert_int_equal(call.seen, 201);
    struct vmr_vp_set_halt halt;

    /* The running guest has gone on unharmed: nothing halted. */
    assert_int_equal(vmr_vp_set_wait(fixture.set, 1, &halt), VMR_OK);
    assert_int_equal(halt.result.reason, VMR_HALT_NONE);
    assert_int_equal(vmr_vp_set_call(fixture.set, SET_VPS, look, &call), VMR_E_USAGE);
    assert_int_equal(call.seen, 201);
    set_fixture_finish(&fixture);
}

static enum vmr_status give_status(void *argument, struct vmr_vp *vp)
{
    (void)vp;
    return *(enum vmr_status *)argument;
}

static void a_call_gives_back_the_functions_status(void **state)
{
    (void)state;
    struct set_fixture fixture;
    enum vmr_status status = VMR_E_GUEST;

    set_fixture_init(&fixture);
    assert_int_equal(vmr_vp_set_call(fixture.set, 0, give_status, &status), VMR_E_GUEST);
    fixture.counting.fail_at = atomic_load(&fixture.counting.calls) + 1;
    status = VMR_OK;
    assert_int_equal(vmr_vp_set_call(fixture.set, 0, give_status, &status), VMR_E_NOMEM);
    assert_int_equal(vmr_vp_set_call(fixture.set, 0, give_status, &status), VMR_OK);
    set_fixture_finish(&fixture);
}

static void a_vp_that_failed_can_still_be_called(void **state)
{
    (void)state;
    static const struct fake_step fail[] = {STEP_OF(VMR_EXIT_FAIL)};
    struct set_fixture fixture;
    struct call call = {0};

    set_fixture_prepare(&fixture);
    fake_script(&fixture.fake, 2, fail, COUNT(fail));
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    assert_int_equal(must_wait(&fixture).vp, 2);
    assert_int_equal(vmr_vp_set_call(fixture.set, 2, look, &call), VMR_OK);
    assert_int_equal(vmr_vp_set_call(fixture.set, 0, look, &call), VMR_OK);
    assert_int_equal(call.seen, 2);
    set_fixture_finish(&fixture);
}

/* --- order --- */

#define CALLER_COUNT 3u
#define CALLS_EACH 100u

struct caller {
    struct set_fixture *fixture;
    _Atomic bool *inside;
    _Atomic uint32_t *overlaps;
    uint32_t next; /* of this caller, in its order */
    uint32_t disorder;
    uint32_t number;
};

static enum vmr_status check_order(void *argument, struct vmr_vp *vp)
{
    struct caller *caller = argument;

    (void)vp;
    if (atomic_exchange(caller->inside, true))
        (void)atomic_fetch_add(caller->overlaps, 1);
    caller->disorder += caller->next != caller->number;
    caller->next++;
    atomic_store(caller->inside, false);
    return VMR_OK;
}

static void call_often(void *argument)
{
    struct caller *caller = argument;

    for (caller->number = 0; caller->number < CALLS_EACH; caller->number++) {
        if (vmr_vp_set_call(caller->fixture->set, 0, check_order, caller) != VMR_OK)
            caller->disorder++;
    }
}

static void calls_of_many_threads_exclude_each_other(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct caller callers[CALLER_COUNT];
    struct vmr_thread *threads[CALLER_COUNT];
    _Atomic bool inside = false;
    _Atomic uint32_t overlaps = 0;

    set_fixture_init(&fixture);
    const struct vmr_host *host = &fixture.host;

    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    for (size_t i = 0; i < CALLER_COUNT; i++) {
        callers[i] = (struct caller){.fixture = &fixture, .inside = &inside, .overlaps = &overlaps};
        assert_int_equal(host->ops->thread_start(host->context, "caller", call_often, &callers[i], &threads[i]),
                         VMR_OK);
    }
    for (unsigned i = 0; i < 20; i++) { /* while the set comes and goes */
        assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
        assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    }
    for (size_t i = 0; i < CALLER_COUNT; i++) {
        host->ops->thread_join(host->context, threads[i]);
        assert_int_equal(callers[i].next, CALLS_EACH);
        assert_int_equal(callers[i].disorder, 0);
    }
    assert_int_equal(overlaps, 0);
    set_fixture_finish(&fixture);
}

/* --- yields and kicks --- */

static void count_yields(void *context, struct vmr_vp *vp)
{
    (void)vp;
    (void)atomic_fetch_add((_Atomic uint32_t *)context, 1);
}

static void a_yield_is_told_and_a_kick_ends_nothing(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct call call = {0};
    struct vmr_vp_set_halt halt;
    _Atomic uint32_t yields = 0;

    set_fixture_prepare(&fixture);
    fixture.options.yielded = count_yields;
    fixture.options.context = (void *)&yields;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_true(vmr_partition_request_yield(fixture.rig.partition, 0)); /* waits for the run */
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    while (atomic_load(&yields) == 0)
        assert_int_equal(vmr_vp_set_call(fixture.set, 1, look, &call), VMR_OK);
    (void)vmr_partition_kick(fixture.rig.partition, 0);
    assert_int_equal(vmr_vp_set_call(fixture.set, 0, look, &call), VMR_OK);
    assert_int_equal(vmr_vp_set_wait(fixture.set, 1, &halt), VMR_OK);
    assert_int_equal(halt.result.reason, VMR_HALT_NONE);
    set_fixture_finish(&fixture);
}

/* --- a run that is an error, and a thread that ends --- */

static bool has_ended(struct set_fixture *fixture, vmr_vp_index vp)
{
    sync_mutex_lock(&fixture->set->lock);
    bool ended = fixture->set->members[vp].ended;

    sync_mutex_unlock(&fixture->set->lock);
    return ended;
}

/* A virtual host that knows that nobody will ever wake this VP: its run is an error, and the waiters must learn of it.
 */
static void deadlock_from_now_on(void *context, vmr_vp_index vp)
{
    struct set_fixture *fixture = context;

    if (vp == 0)
        atomic_store(&fixture->counting.deadlocks, true);
}

static void a_run_that_is_an_error_is_a_fatal_halt(void **state)
{
    (void)state;
    static const struct fake_step hlt[] = {STEP_OF(VMR_EXIT_HALT)};
    struct set_fixture fixture;

    set_fixture_prepare(&fixture);
    fake_script(&fixture.fake, 0, hlt, COUNT(hlt));
    fixture.fake.in_guest = deadlock_from_now_on;
    fixture.fake.in_guest_context = &fixture;
    assert_int_equal(vmr_vp_set_create(fixture.rig.partition, &fixture.options, &fixture.set, NULL), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_OK);
    while (!has_ended(&fixture, 0))
        ;
    atomic_store(&fixture.counting.deadlocks, false);
    struct vmr_vp_set_halt halt = must_wait(&fixture);

    assert_int_equal(halt.result.reason, VMR_HALT_FATAL);
    assert_int_equal(halt.result.exit.u.fail.code, VMR_E_DEADLOCK);
    assert_int_equal(halt.vp, 0);
    set_fixture_finish(&fixture);
}

static void a_thread_that_has_ended_is_waited_for_by_nobody(void **state)
{
    (void)state;
    struct set_fixture fixture;
    struct call call = {0};

    set_fixture_init(&fixture);
    atomic_store(&fixture.counting.deadlocks, true); /* as a virtual host where nobody can wake anybody */
    for (vmr_vp_index vp = 0; vp < SET_VPS; vp++) {
        fixture.host.ops->unpark(fixture.host.context, fixture.set->members[vp].parker);
        while (!has_ended(&fixture, vp))
            ;
    }
    atomic_store(&fixture.counting.deadlocks, false);
    assert_int_equal(vmr_vp_set_stop(fixture.set), VMR_OK);
    assert_int_equal(vmr_vp_set_start(fixture.set), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_call(fixture.set, 0, look, &call), VMR_E_STATE);
    set_fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_run_on_the_vps_thread_in_every_state),
        cmocka_unit_test(a_call_gives_back_the_functions_status),
        cmocka_unit_test(a_vp_that_failed_can_still_be_called),
        cmocka_unit_test(calls_of_many_threads_exclude_each_other),
        cmocka_unit_test(a_yield_is_told_and_a_kick_ends_nothing),
        cmocka_unit_test(a_run_that_is_an_error_is_a_fatal_halt),
        cmocka_unit_test(a_thread_that_has_ended_is_waited_for_by_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
