/* SPDX-License-Identifier: MIT */
/*
 * The clock thread: a guest that never exits still gets its timers, deadlines
 * of earlier runs are known, and each step of its making can fail. [INT-1]
 */

#include "lib/partition/clock.h"

#include "tests/run/fixture.h"

#include "tests/run/fake_chip.h"
#include "tests/support/counting_host.h"

#define MILLISECOND UINT64_C(1000000)

struct setup {
    struct fixture fixture;
    struct fake_chip chip;
    struct counting_host counting;
    struct vmr_host host;
};

static void set_up(struct setup *setup, const struct fake_step *steps, size_t count, bool attach)
{
    struct fixture *fixture = &setup->fixture;

    *setup = (struct setup){.chip.pending.deadline_ns = VMR_NEVER};
    counting_host_init(&setup->counting, &setup->host);
    fake_init(&fixture->fake);
    fake_script(&fixture->fake, 0, steps, count);
    fake_rig_init(&fixture->rig, &fixture->fake, &setup->host, 1);
    if (attach)
        assert_int_equal(vmr_partition_attach_irqchip(fixture->rig.partition, &fake_chip_ops, &setup->chip, NULL),
                         VMR_OK);
    assert_int_equal(vmr_partition_bind(fixture->rig.partition, 0, &fixture->vp, NULL), VMR_OK);
}

static void tear_down(struct setup *setup)
{
    fixture_finish(&setup->fixture);
    assert_int_equal(setup->counting.live_parkers, 0);
    assert_int_equal(setup->counting.live_threads, 0);
}

static void a_partition_without_controllers_needs_none(void **state)
{
    (void)state;
    struct setup setup;
    struct vp_clock *clock = (struct vp_clock *)&setup;

    set_up(&setup, NULL, 0, false);
    assert_int_equal(vp_clock_create(setup.fixture.rig.partition, &clock), VMR_OK);
    assert_null(clock);
    vp_clock_destroy(clock);
    assert_int_equal(setup.counting.live_threads, 0);
    tear_down(&setup);
}

static void each_failing_step_leaves_nothing(void **state)
{
    (void)state;
    struct setup setup;
    struct vp_clock *clock = NULL;

    for (uint32_t nth = 1; nth <= 2; nth++) {
        set_up(&setup, NULL, 0, true);
        setup.counting.fail_at = atomic_load(&setup.counting.calls) + nth;
        assert_int_not_equal(vp_clock_create(setup.fixture.rig.partition, &clock), VMR_OK);
        assert_null(clock);
        assert_null(setup.fixture.rig.partition->clock.deadline);
        tear_down(&setup);
    }
    set_up(&setup, NULL, 0, true);
    fail_allocation(1);
    assert_int_equal(vp_clock_create(setup.fixture.rig.partition, &clock), VMR_E_NOMEM);
    fail_allocation(0);
    assert_null(clock);
    tear_down(&setup);
}

/*
 * Once in the guest, the wake of the clock is the only way out, and the last
 * one. One that came earlier, on a slow machine, has made a new deadline.
 */
static void wait_for_the_clock(void *context, vmr_vp_index vp)
{
    struct setup *setup = context;

    (void)vp;
    setup->chip.period_ns = 0;
    setup->chip.pending.deadline_ns = VMR_NEVER;
}

static void a_guest_that_never_exits_gets_its_timer(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_BLOCK, STEP_POWER_OFF};
    struct setup setup;
    struct vp_clock *clock = NULL;

    set_up(&setup, steps, COUNT(steps), true);
    assert_int_equal(vp_clock_create(setup.fixture.rig.partition, &clock), VMR_OK);
    setup.fixture.fake.in_guest = wait_for_the_clock;
    setup.fixture.fake.in_guest_context = &setup;
    uint64_t begin = setup.host.ops->now_ns(setup.host.context);

    setup.chip.period_ns = 2 * MILLISECOND;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_true(setup.chip.polls >= 2);
    assert_true(setup.chip.polled_ns >= begin + 2 * MILLISECOND);
    assert_true(fake_count(&setup.fixture.fake, FAKE_VP_KICK) >= 1);
    vp_clock_destroy(clock);
    tear_down(&setup);
}

/* The deadline was published to nobody, or to a clock that is gone; the next one must know it all the same. */
static void a_deadline_of_an_earlier_run_is_not_lost(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_OF(VMR_EXIT_SHUTDOWN), STEP_BLOCK, STEP_POWER_OFF};
    struct setup setup;
    struct vp_clock *clock = NULL;

    set_up(&setup, steps, COUNT(steps), true);
    setup.chip.period_ns = 20 * MILLISECOND;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_TRIPLE_FAULT);
    assert_int_equal(vp_clock_create(setup.fixture.rig.partition, &clock), VMR_OK);
    setup.fixture.fake.in_guest = wait_for_the_clock;
    setup.fixture.fake.in_guest_context = &setup;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    vp_clock_destroy(clock);
    tear_down(&setup);
}

static void without_a_clock_the_vp_watches_its_deadline_between_exits(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_READ(2), STEP_POWER_OFF};
    struct setup setup;

    set_up(&setup, steps, COUNT(steps), true);
    atomic_store(&setup.counting.now, 100);
    setup.chip.pending.deadline_ns = 100; /* due at once, at each exit */
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(setup.chip.polls, 3);
    tear_down(&setup);
}

static void a_timer_ends_hlt(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {{.exit = {.kind = VMR_EXIT_HALT, .interrupt_ready = true}},
                                             STEP_POWER_OFF};
    struct setup setup;

    set_up(&setup, steps, COUNT(steps), true);
    setup.chip.pending.deadline_ns = setup.host.ops->now_ns(setup.host.context) + MILLISECOND;
    setup.chip.vectors[0] = 0x50;
    setup.chip.vector_count = 1;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(setup.fixture.fake.values[FAKE_INTERRUPT], 0x50);
    tear_down(&setup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_without_controllers_needs_none),
        cmocka_unit_test(each_failing_step_leaves_nothing),
        cmocka_unit_test(a_guest_that_never_exits_gets_its_timer),
        cmocka_unit_test(a_deadline_of_an_earlier_run_is_not_lost),
        cmocka_unit_test(without_a_clock_the_vp_watches_its_deadline_between_exits),
        cmocka_unit_test(a_timer_ends_hlt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
