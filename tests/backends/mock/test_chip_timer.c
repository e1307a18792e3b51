/* SPDX-License-Identifier: MIT */
/*
 * The timers of the local APICs inside the mock, under virtual time: what they
 * count is exact.
 */

#include "tests/backends/mock/rig.h"

#define APIC(offset) (0xfee00000u + (offset))
#define LVT APIC(0x320)
#define INITIAL APIC(0x380)
#define CURRENT APIC(0x390)
#define DIVIDE APIC(0x3e0)
#define BY_1 0xbu
#define BY_16 0x3u
#define PERIODIC 0x20000u
#define DEADLINE 0x40000u
#define MASKED 0x10000u
#define TIMER 0x71u
#define PORT 0x10u
#define MSR_TSC 0x10u
#define MSR_TSC_DEADLINE 0x6e0u
#define MS UINT64_C(1000000)
#define SOFTWARE_ENABLE VMR_STORE(APIC(0xf0), 4, 0x1ff)
#define STOP_HERE(n) VMR_OUT(PORT, 1, (n))

/* Runs `program` under a scheduler, with `at_stop` at each of its writes to the port, in virtual time. */
struct timed {
    struct vmr_scheduler *scheduler;
    struct rig rig;
    const struct vmr_program *program;
    void (*at_stop)(struct timed *timed, uint64_t number);
    uint64_t stops;
};

static uint64_t now_ns(struct timed *timed)
{
    return timed->rig.host.ops->now_ns(timed->rig.host.context);
}

static void body(void *argument)
{
    struct timed *timed = argument;
    struct vmr_exit vp_exit = {0};

    rig_init(&timed->rig, timed->scheduler, "mock:irqchip=split", 1);
    rig_load(&timed->rig, 0, timed->program);
    (void)rig_bind(&timed->rig, 0);
    for (;;) {
        assert_int_equal(vmr_vp_step(timed->rig.vps[0], &vp_exit), VMR_OK);
        assert_int_equal(vp_exit.kind, VMR_EXIT_IO);
        if (vp_exit.u.io.port == VMR_PROGRAM_PORT_END)
            break;
        if (vp_exit.u.io.port != PORT)
            fail_msg("a mismatch: %#llx", (unsigned long long)vp_exit.u.io.value);
        timed->stops++;
        timed->at_stop(timed, vp_exit.u.io.value);
    }
    rig_finish(&timed->rig);
}

static void run_timed(const struct vmr_program *program, void (*at_stop)(struct timed *timed, uint64_t number),
                      uint64_t stops)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = 1};
    struct timed timed = {.program = program, .at_stop = at_stop};

    assert_int_equal(vmr_scheduler_create(&options, &timed.scheduler, NULL), VMR_OK);
    assert_int_equal(vmr_scheduler_run(timed.scheduler, body, &timed), VMR_SCHEDULE_DONE);
    assert_int_equal(timed.stops, stops);
    vmr_scheduler_destroy(timed.scheduler);
}

/* --- one shot --- */

RIG_PROGRAM(shoots, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(DIVIDE, 4, BY_16), VMR_STORE(LVT, 4, TIMER),
            VMR_STORE(INITIAL, 4, 1000000), STOP_HERE(1), VMR_LOAD(0, CURRENT, 4), VMR_EXPECT(0, 750000),
            VMR_STORE(DIVIDE, 4, BY_1), VMR_LOAD(0, CURRENT, 4), VMR_EXPECT(0, 750000), VMR_WAIT_VECTOR(TIMER, 1),
            STOP_HERE(2), VMR_LOAD(0, CURRENT, 4), VMR_EXPECT(0, 0), VMR_END());

static void at_shot(struct timed *timed, uint64_t number)
{
    if (number == 1)
        vmr_scheduler_advance(timed->scheduler, 4 * MS);
    else
        assert_int_equal(now_ns(timed), 4 * MS + 750000); /* the rest, at the faster rate */
}

static void a_shot_comes_when_its_count_is_over(void **state)
{
    (void)state;
    run_timed(&shoots, at_shot, 2);
}

/* --- periods --- */

RIG_PROGRAM(ticks, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(DIVIDE, 4, BY_1), VMR_STORE(LVT, 4, TIMER | PERIODIC),
            VMR_STORE(INITIAL, 4, MS), VMR_WAIT_VECTOR(TIMER, 5), STOP_HERE(1), VMR_STI(), VMR_NOP(), VMR_NOP(),
            VMR_CLI(), VMR_READ_COUNT(0, TIMER), VMR_EXPECT(0, 6), VMR_LOAD(0, CURRENT, 4), VMR_EXPECT(0, 750000),
            VMR_WAIT_VECTOR(TIMER, 7), STOP_HERE(2), VMR_STORE(INITIAL, 4, 0), VMR_LOAD(0, CURRENT, 4),
            VMR_EXPECT(0, 0), VMR_END());

static void at_tick(struct timed *timed, uint64_t number)
{
    assert_int_equal(now_ns(timed), number == 1 ? 5 * MS : 11 * MS);
    if (number == 1)
        vmr_scheduler_advance(timed->scheduler, 5 * MS + MS / 4); /* five are missed, and are one */
}

static void missed_periods_are_one_and_the_beat_is_kept(void **state)
{
    (void)state;
    run_timed(&ticks, at_tick, 2);
}

RIG_PROGRAM(races, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(DIVIDE, 4, BY_1), VMR_STORE(LVT, 4, TIMER | PERIODIC),
            VMR_STORE(INITIAL, 4, 1), VMR_LOAD(0, CURRENT, 4), VMR_EXPECT(0, 1), VMR_WAIT_VECTOR(TIMER, 10),
            STOP_HERE(1), VMR_END());

static void at_race(struct timed *timed, uint64_t number)
{
    (void)number;
    assert_int_equal(now_ns(timed), 10 * MS / 5); /* 200 microseconds each */
}

static void a_period_has_a_least_length(void **state)
{
    (void)state;
    run_timed(&races, at_race, 1);
}

/* --- masked, polled --- */

RIG_PROGRAM(masks, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(DIVIDE, 4, BY_1), VMR_STORE(LVT, 4, TIMER | MASKED),
            VMR_STORE(INITIAL, 4, 1000), STOP_HERE(1), VMR_STORE(LVT, 4, TIMER), VMR_STI(), VMR_NOP(), VMR_NOP(),
            VMR_READ_COUNT(0, TIMER), VMR_EXPECT(0, 0), VMR_STORE(INITIAL, 4, 500000),
            VMR_SPIN_UNTIL(VMR_PROGRAM_COUNTS + 4 * TIMER, 4, 1), STOP_HERE(2), VMR_END());

static void at_mask(struct timed *timed, uint64_t number)
{
    if (number == 1)
        vmr_scheduler_advance(timed->scheduler, MS);
    else
        assert_int_equal(now_ns(timed), MS + MS / 2); /* a guest that polls lets time go on */
}

static void a_masked_shot_is_lost_and_a_polling_vp_gets_the_next(void **state)
{
    (void)state;
    run_timed(&masks, at_mask, 2);
}

/* --- by the time-stamp counter --- */

RIG_PROGRAM(deadlines, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_WRMSR(MSR_TSC_DEADLINE, 5), VMR_RDMSR(0, MSR_TSC_DEADLINE),
            VMR_EXPECT(0, 0), VMR_STORE(INITIAL, 4, 1000), VMR_STORE(LVT, 4, TIMER | DEADLINE), VMR_LOAD(0, INITIAL, 4),
            VMR_EXPECT(0, 0), VMR_STORE(INITIAL, 4, 1000), VMR_LOAD(0, INITIAL, 4), VMR_EXPECT(0, 0),
            VMR_WRMSR(MSR_TSC, 1000000000), VMR_WRMSR(MSR_TSC_DEADLINE, 1003000000), STOP_HERE(1),
            VMR_RDMSR(0, MSR_TSC), VMR_EXPECT(0, 1001000000), VMR_LOAD(0, CURRENT, 4), VMR_EXPECT(0, 0),
            VMR_WAIT_VECTOR(TIMER, 1), VMR_RDMSR(0, MSR_TSC_DEADLINE), VMR_EXPECT(0, 0), STOP_HERE(2),
            VMR_WRMSR(MSR_TSC_DEADLINE, 1005000000), VMR_WRMSR(MSR_TSC, 1004000000), VMR_WAIT_VECTOR(TIMER, 2),
            STOP_HERE(3), VMR_WRMSR(MSR_TSC_DEADLINE, UINT64_MAX), VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_CLI(),
            VMR_RDMSR(0, MSR_TSC_DEADLINE), VMR_EXPECT(0, UINT64_MAX), VMR_STORE(LVT, 4, TIMER),
            VMR_RDMSR(0, MSR_TSC_DEADLINE), VMR_EXPECT(0, 0), VMR_READ_COUNT(0, TIMER), VMR_EXPECT(0, 2), VMR_END());

static void at_deadline(struct timed *timed, uint64_t number)
{
    static const uint64_t due_ms[4] = {0, 0, 3, 4}; /* the counter was set forward by a millisecond on the way */

    assert_int_equal(now_ns(timed), due_ms[number] * MS);
    if (number == 1)
        vmr_scheduler_advance(timed->scheduler, MS);
}

static void a_deadline_follows_the_counter(void **state)
{
    (void)state;
    run_timed(&deadlines, at_deadline, 3);
}

/* --- INIT --- */

RIG_PROGRAM(arms, VMR_EOI_XAPIC, SOFTWARE_ENABLE, VMR_STORE(DIVIDE, 4, BY_1), VMR_STORE(LVT, 4, TIMER),
            VMR_STORE(INITIAL, 4, 1000), STOP_HERE(1), VMR_END());

static void at_arm(struct timed *timed, uint64_t number)
{
    const struct vmr_msi init = {.address = 0xfee00000, .data = 0x500};

    (void)number;
    if (timed->stops == 1)
        assert_int_equal(vmr_partition_msi(timed->rig.partition, &init), VMR_OK);
}

static void init_stops_a_timer(void **state)
{
    (void)state;
    run_timed(&arms, at_arm, 2); /* it begins anew, and arms it again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shot_comes_when_its_count_is_over),
        cmocka_unit_test(missed_periods_are_one_and_the_beat_is_kept),
        cmocka_unit_test(a_period_has_a_least_length),
        cmocka_unit_test(a_masked_shot_is_lost_and_a_polling_vp_gets_the_next),
        cmocka_unit_test(a_deadline_follows_the_counter),
        cmocka_unit_test(init_stops_a_timer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
