/* SPDX-License-Identifier: MIT */
/*
 * Synthetic timers: when they fire, what a guest finds then, and what holds
 * them up (TLFS, Synthetic Timers). Time is the reference time, which begins at
 * 0 with the partition; scenarios that need a past set it. What a real clock may
 * do meanwhile is allowed for: a timer may be late, but never early or twice.
 */

#include "conformance/scenarios/hv_call_words.h"
#include "conformance/scenarios/synic_words.h"
#include "conformance/scenarios/vpset_vm.h"

#define MS UINT64_C(10000)     /* in units of 100 ns */
#define PAST UINT64_C(1)       /* once the time has been set to LATER */
#define LATER UINT64_C(100000) /* 10 ms */

#define CONFIG(timer) (HV_MSR_STIMER0_CONFIG + 2u * (timer))
#define COUNT(timer) (HV_MSR_STIMER0_COUNT + 2u * (timer))
#define TO(sint) ((uint64_t)(sint) << HV_STIMER_SINT_SHIFT)
#define ON (HV_STIMER_ENABLE | TO(SINT))
#define DIRECT(vector) (HV_STIMER_DIRECT | (uint64_t)(vector) << HV_STIMER_VECTOR_SHIFT)

/* Two steps. */
#define ARM(timer, config, count) VMR_WRMSR(COUNT(timer), count), VMR_WRMSR(CONFIG(timer), config)
/* A message of timer `index`, set for `time`; eight steps. */
#define EXPECT_TIMER_AT(simp, index, time)                                                                             \
    EXPECT_AT(SLOT_AT(simp, SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED),                                                  \
        EXPECT_AT(SLOT_AT(simp, SINT) + HV_MESSAGE_LENGTH_OFFSET, 1, HV_TIMER_PAYLOAD_BYTES),                          \
        EXPECT_AT(SLOT_AT(simp, SINT) + HV_MESSAGE_PAYLOAD_OFFSET, 8, index), EXPECT_AT(EXPIRATION(simp), 8, time)
#define EXPECT_TIMER(index, time) EXPECT_TIMER_AT(HV_SIMP, index, time)
#define EXPIRATION(simp) (SLOT_AT(simp, SINT) + HV_MESSAGE_PAYLOAD_OFFSET + HV_TIMER_EXPIRATION_OFFSET)
#define DELIVERY(simp) (SLOT_AT(simp, SINT) + HV_MESSAGE_PAYLOAD_OFFSET + HV_TIMER_DELIVERY_OFFSET)
/* The guest keeps what is at `gpa` in word n, for the host. Two steps. */
#define KEEP(n, gpa) VMR_LOAD(4, gpa, 8), VMR_STORE_VAR(WORD(n), 8, 4)
#define KEEP_TIME(n) VMR_RDMSR(4, HV_MSR_TIME_REF_COUNT), VMR_STORE_VAR(WORD(n), 8, 4)
/* Timer 3 ticks every 3 ms on V2, so that a guest can let time pass: SLEEP(n) after n of them. */
#define TICK() ARM(3, HV_STIMER_ENABLE | HV_STIMER_PERIODIC | DIRECT(V2), 3 * MS)
#define SLEEP(n) VMR_WAIT_VECTOR(V2, n)

/* A VM at reference time LATER. NULL: failed. */
static struct conf_vm *late_vm(struct conf *conf, uint32_t vps, const struct vmr_program *program,
                               void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    struct conf_vm *vm = synic_vm(conf, vps, program, act);

    if (vm)
        vmr_synic_time_set(synic_of(vm), LATER);
    return vm;
}

static void late_run(struct conf *conf, const struct vmr_program *program,
                     void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    struct conf_vm *vm = late_vm(conf, 1, program, act);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

static void let_time_pass(struct conf *conf, uint64_t ms)
{
    const struct vmr_host *host = conf->host;
    uint64_t until_ns = host->ops->now_ns(host->context) + ms * 1000000;

    while (host->ops->now_ns(host->context) < until_ns && !conf_over(conf))
        conf_pause(conf);
}

/* --- one-shot --- */

static void a_one_shot_fires_once_at_its_time(struct conf *conf)
{
    APIC_PROGRAM(one_shot, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON, 5 * MS), VMR_WAIT_VECTOR(V, 1), KEEP_TIME(0),
                 EXPECT_TIMER(0, 5 * MS), KEEP(1, DELIVERY(HV_SIMP)), HV_EXPECT_MSR(CONFIG(0), TO(SINT)),
                 HV_EXPECT_MSR(COUNT(0), 5 * MS), FREE_SLOT(SINT), EOM(), TICK(), SLEEP(2), EXPECT_COUNT(V, 1),
                 EXPECT_EMPTY(SINT), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &one_shot, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "no end");
    uint64_t seen = word(vm, 0), delivered = word(vm, 1);

    CONF_CHECK(conf, delivered >= 5 * MS && seen >= delivered, "set for %llu, delivered at %llu, seen at %llu",
               (unsigned long long)(5 * MS), (unsigned long long)delivered, (unsigned long long)seen);
    CONF_CHECK(conf, !conf->host->ops->schedule || delivered == 5 * MS, "late on a clock that stands still: %llu",
               (unsigned long long)delivered);
}

static void a_time_in_the_past_fires_at_once(struct conf *conf)
{
    APIC_PROGRAM(past, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(1, ON, PAST), EXPECT_TIMER(1, PAST),
                 HV_EXPECT_MSR(CONFIG(1), TO(SINT)), VMR_WAIT_VECTOR(V, 1), FREE_SLOT(SINT), EOM(),
                 EXPECT_TAKEN(9, V, 1), EXPECT_EMPTY(SINT), VMR_END());

    late_run(conf, &past, NULL);
}

static void half_the_range_ahead_is_the_past(struct conf *conf)
{
    APIC_PROGRAM(wraps, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON, UINT64_MAX), EXPECT_TIMER(0, UINT64_MAX),
                 FREE_SLOT(SINT), EOM(), ARM(0, ON, UINT64_C(1) << 62), VMR_CHECKPOINT(9), EXPECT_EMPTY(SINT),
                 VMR_END());

    late_run(conf, &wraps, NULL);
}

/* A register that a call writes arms the timer as its MSR does: it is looked at before the guest goes on. */
static void a_timer_that_a_call_arms_fires_at_once(struct conf *conf)
{
    APIC_PROGRAM(by_call, VMR_EOI_XAPIC, HV_OPEN(), SYNIC_ON(SINT, V), HV_SET_OK(HV_REGISTER_STIMER0_CONFIG + 1, PAST),
                 HV_SET_OK(HV_REGISTER_STIMER0_CONFIG, ON), EXPECT_TIMER(0, PAST), VMR_WAIT_VECTOR(V, 1), VMR_END());

    late_run(conf, &by_call, NULL);
}

/* --- counts --- */

static void a_count_of_zero_never_fires(struct conf *conf)
{
    APIC_PROGRAM(zero, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON, 0), ARM(1, ON | HV_STIMER_PERIODIC, 0), TICK(),
                 SLEEP(2), HV_EXPECT_MSR(CONFIG(0), ON), HV_EXPECT_MSR(CONFIG(1), ON | HV_STIMER_PERIODIC),
                 EXPECT_COUNT(V, 0), EXPECT_EMPTY(SINT), ARM(0, ON, PAST), EXPECT_TIMER(0, PAST), VMR_END());

    late_run(conf, &zero, NULL);
}

static void a_count_turns_on_a_timer_that_enables_itself(struct conf *conf)
{
    APIC_PROGRAM(by_itself, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(CONFIG(0), HV_STIMER_AUTO_ENABLE | TO(SINT)),
                 VMR_WRMSR(COUNT(0), 0), HV_EXPECT_MSR(CONFIG(0), HV_STIMER_AUTO_ENABLE | TO(SINT)), EXPECT_EMPTY(SINT),
                 VMR_WRMSR(COUNT(0), PAST), EXPECT_TIMER(0, PAST),
                 HV_EXPECT_MSR(CONFIG(0), HV_STIMER_AUTO_ENABLE | TO(SINT)), FREE_SLOT(SINT), EOM(), EXPECT_EMPTY(SINT),
                 VMR_WRMSR(COUNT(0), PAST + 1), EXPECT_TIMER(0, PAST + 1), VMR_WRMSR(CONFIG(1), TO(SINT)),
                 VMR_WRMSR(COUNT(1), PAST), HV_EXPECT_MSR(CONFIG(1), TO(SINT)), VMR_END());

    late_run(conf, &by_itself, NULL);
}

/* --- periodic --- */

static void a_periodic_timer_keeps_its_phase(struct conf *conf)
{
    APIC_PROGRAM(periodic, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), KEEP_TIME(0), ARM(2, ON | HV_STIMER_PERIODIC, 2 * MS),
                 VMR_WAIT_VECTOR(V, 1), KEEP(1, EXPIRATION(HV_SIMP)), FREE_SLOT(SINT), EOM(), VMR_WAIT_VECTOR(V, 2),
                 KEEP(2, EXPIRATION(HV_SIMP)), FREE_SLOT(SINT), EOM(), VMR_WAIT_VECTOR(V, 3),
                 KEEP(3, EXPIRATION(HV_SIMP)), HV_EXPECT_MSR(CONFIG(2), ON | HV_STIMER_PERIODIC),
                 VMR_WRMSR(CONFIG(2), 0), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &periodic, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "no end");
    uint64_t begun = word(vm, 0), first = word(vm, 1), second = word(vm, 2), third = word(vm, 3);

    CONF_CHECK(conf, first >= begun + 2 * MS, "written at %llu, first due at %llu", (unsigned long long)begun,
               (unsigned long long)first);
    CONF_CHECK(conf, second > first && third > second, "times that do not rise");
    CONF_CHECK_EQ(conf, (second - first) % (2 * MS), 0, "the second's phase");
    CONF_CHECK_EQ(conf, (third - first) % (2 * MS), 0, "the third's phase");
}

static void missed_periods_are_one_firing(struct conf *conf)
{
    APIC_PROGRAM(absent, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON | HV_STIMER_PERIODIC, 20 * MS), VMR_POWER_OFF(),
                 VMR_WAIT_VECTOR(V, 1), KEEP(1, EXPIRATION(HV_SIMP)), KEEP(2, DELIVERY(HV_SIMP)), FREE_SLOT(SINT),
                 EOM(), VMR_WAIT_VECTOR(V, 2), KEEP(3, EXPIRATION(HV_SIMP)), VMR_WRMSR(CONFIG(0), 0), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &absent, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    let_time_pass(conf, 160); /* periods in whose first any machine stops: one that is emulated takes 5 ms */
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    uint64_t first = word(vm, 1), delivered = word(vm, 2), second = word(vm, 3);

    CONF_CHECK(conf, delivered >= first + 100 * MS, "the first was not late: %llu, %llu", (unsigned long long)first,
               (unsigned long long)delivered);
    CONF_CHECK(conf, second > delivered && (second - first) % (20 * MS) == 0,
               "the second was due at %llu, the first at %llu", (unsigned long long)second, (unsigned long long)first);
}

static void a_huge_step_of_time_is_one_firing(struct conf *conf)
{
    APIC_PROGRAM(leaps, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON | HV_STIMER_PERIODIC, 1), VMR_POWER_OFF(),
                 VMR_WRMSR(CONFIG(0), 0), EXPECT_TIMER(0, LATER + 1), KEEP(1, DELIVERY(HV_SIMP)), FREE_SLOT(SINT),
                 EOM(), EXPECT_TAKEN(9, V, 1), EXPECT_EMPTY(SINT), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &leaps, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    vmr_synic_time_pause(synic_of(vm));
    vmr_synic_time_set(synic_of(vm), LATER);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_synic_time_set(synic_of(vm), UINT64_C(1) << 62);
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, word(vm, 1), UINT64_C(1) << 62, "the time of delivery");
}

static void the_longest_period_is_in_the_future(struct conf *conf)
{
    APIC_PROGRAM(longest, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON | HV_STIMER_PERIODIC, UINT64_MAX), TICK(),
                 SLEEP(2), EXPECT_COUNT(V, 0), EXPECT_EMPTY(SINT), VMR_END());

    late_run(conf, &longest, NULL);
}

/* --- direct --- */

static void a_direct_timer_asks_neither_sint_nor_slot(struct conf *conf)
{
    APIC_PROGRAM(direct, VMR_EOI_XAPIC, APIC_ON(), ARM(0, HV_STIMER_ENABLE | DIRECT(V) | TO(SINT), PAST),
                 VMR_WAIT_VECTOR(V, 1), HV_EXPECT_MSR(CONFIG(0), DIRECT(V) | TO(SINT)), EXPECT_TAKEN(9, V, 1),
                 VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), EXPECT_EMPTY(SINT), VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(3, HV_FEATURE_DIRECT_TIMERS, HV_FEATURE_DIRECT_TIMERS), VMR_END());

    late_run(conf, &direct, NULL);
}

static void a_direct_timer_without_a_local_apic_harms_nobody(struct conf *conf)
{
    CONF_PROGRAM(bare, ARM(0, HV_STIMER_ENABLE | DIRECT(V), PAST), HV_EXPECT_MSR(CONFIG(0), DIRECT(V)),
                 VMR_CHECKPOINT(1), VMR_END());

    late_run(conf, &bare, NULL);
}

static void post_and_signal(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number != 1)
        return;
    post_to(vm, SINT, 1);
    signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
}

#define CLUSTER_IPI (HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI | FAST)

/* Everything that raises an interrupt, where none can be raised. */
static void without_a_local_apic_all_but_the_interrupt_arrives(struct conf *conf)
{
    CONF_PROGRAM(no_apic, HV_OPEN(), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u),
                 VMR_WRMSR(HV_MSR_SCONTROL, 1), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_STI(), VMR_CHECKPOINT(1),
                 EXPECT_MESSAGE(SINT, 1, 1), EXPECT_AT(FLAGS(SINT), 8, 8), FREE_SLOT(SINT), EOM(), ARM(0, ON, PAST),
                 EXPECT_TIMER(0, PAST), FREE_SLOT(SINT), EOM(), ARM(1, ON | HV_STIMER_PERIODIC, MS),
                 ARM(2, HV_STIMER_ENABLE | HV_STIMER_PERIODIC | DIRECT(V), MS), HV_EXPECT_CALL(CLUSTER_IPI, V, 3, 0),
                 VMR_CHECKPOINT(2), VMR_CLI(), EXPECT_COUNT(V, 0), VMR_END());

    late_run(conf, &no_apic, post_and_signal);
}

/* --- what holds a timer up --- */

static void post_first(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        post_to(vm, SINT, 1);
}

static void a_busy_slot_holds_a_timer_up(struct conf *conf)
{
    APIC_PROGRAM(busy, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), ARM(0, ON, PAST), VMR_CHECKPOINT(2),
                 EXPECT_MESSAGE(SINT, 1, 1), EXPECT_MARK(SINT, 1), HV_EXPECT_MSR(CONFIG(0), ON), FREE_SLOT(SINT), EOM(),
                 EXPECT_TIMER(0, PAST), EXPECT_MARK(SINT, 0), HV_EXPECT_MSR(CONFIG(0), TO(SINT)), VMR_END());

    late_run(conf, &busy, post_first);
}

static void post_twice(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1) {
        post_to(vm, SINT, 1);
        post_to(vm, SINT, 2);
    }
}

static void messages_go_before_timers(struct conf *conf)
{
    APIC_PROGRAM(waits, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), ARM(0, ON, PAST), FREE_SLOT(SINT), EOM(),
                 EXPECT_MESSAGE(SINT, 1, 2), EXPECT_MARK(SINT, 1), FREE_SLOT(SINT), EOM(), EXPECT_TIMER(0, PAST),
                 VMR_END());

    late_run(conf, &waits, post_twice);
}

static void a_masked_sint_holds_a_timer_up(struct conf *conf)
{
    APIC_PROGRAM(masked, VMR_EOI_XAPIC, SYNIC_ON(SINT, V | HV_SINT_MASKED), ARM(0, ON, PAST), VMR_CHECKPOINT(1),
                 EXPECT_EMPTY(SINT), HV_EXPECT_MSR(CONFIG(0), ON), VMR_WRMSR(HV_MSR_SINT0 + SINT, V | HV_SINT_PROXY),
                 EXPECT_EMPTY(SINT), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), EXPECT_TIMER(0, PAST), VMR_WAIT_VECTOR(V, 1),
                 VMR_END());

    late_run(conf, &masked, NULL);
}

static void a_timer_for_a_page_that_is_off_is_there_when_it_is_on(struct conf *conf)
{
    APIC_PROGRAM(pageless, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), ARM(0, ON, PAST),
                 VMR_WAIT_VECTOR(V, 1), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), EXPECT_TIMER(0, PAST), VMR_END());

    late_run(conf, &pageless, NULL);
}

static void a_timer_that_runs_out_while_its_page_is_off_leaves_ram_alone(struct conf *conf)
{
    APIC_PROGRAM(page_off, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP),
                 VMR_STORE(SLOT(SINT), 8, 0x5555), ARM(0, ON, LATER + MS), VMR_POWER_OFF(), EXPECT_TAKEN(9, V, 1),
                 EXPECT_AT(SLOT(SINT), 8, 0x5555), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), EXPECT_TIMER(0, LATER + MS),
                 VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &page_off, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    vmr_synic_time_pause(synic_of(vm));
    vmr_synic_time_set(synic_of(vm), LATER);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_synic_time_set(synic_of(vm), LATER + 2 * MS);
    (void)conf_run_to_end(vm, 0);
}

static void four_timers_share_a_slot(struct conf *conf)
{
    APIC_PROGRAM(four, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(3, ON, 4), EXPECT_TIMER(3, 4), ARM(2, ON, 3),
                 ARM(1, ON, 2), ARM(0, ON, 1), EXPECT_TIMER(3, 4), FREE_SLOT(SINT), EOM(), EXPECT_TIMER(0, 1),
                 FREE_SLOT(SINT), EOM(), EXPECT_TIMER(1, 2), FREE_SLOT(SINT), EOM(), EXPECT_TIMER(2, 3),
                 FREE_SLOT(SINT), EOM(), EXPECT_EMPTY(SINT), VMR_END());

    late_run(conf, &four, NULL);
}

/* --- writing anew --- */

static void a_timer_that_is_turned_off_does_not_fire(struct conf *conf)
{
    APIC_PROGRAM(off, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON, UINT64_C(1) << 40), VMR_WRMSR(CONFIG(0), TO(SINT)),
                 VMR_WRMSR(COUNT(0), PAST), ARM(1, ON | HV_STIMER_PERIODIC, 4 * MS), VMR_WRMSR(CONFIG(1), 0), TICK(),
                 SLEEP(3), EXPECT_COUNT(V, 0), EXPECT_EMPTY(SINT), VMR_WRMSR(CONFIG(0), ON), EXPECT_TIMER(0, PAST),
                 VMR_END());

    late_run(conf, &off, NULL);
}

/* The time stands still, and is moved by the host: 3 ms into a period of 5 the guest writes the same again. */
static void a_write_begins_the_period_anew(struct conf *conf)
{
    APIC_PROGRAM(anew, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON | HV_STIMER_PERIODIC, 5 * MS), VMR_POWER_OFF(),
                 VMR_WRMSR(CONFIG(0), ON | HV_STIMER_PERIODIC), VMR_POWER_OFF(), EXPECT_EMPTY(SINT), VMR_POWER_OFF(),
                 EXPECT_TIMER(0, LATER + 8 * MS), VMR_END());
    static const uint64_t steps[] = {LATER, LATER + 3 * MS, LATER + 7 * MS};
    struct conf_vm *vm = synic_vm(conf, 1, &anew, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    vmr_synic_time_pause(synic_of(vm));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        vmr_synic_time_set(synic_of(vm), steps[i]);
        CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    }
    vmr_synic_time_set(synic_of(vm), LATER + 8 * MS);
    (void)conf_run_to_end(vm, 0);
}

static void a_reset_disarms_timers(struct conf *conf)
{
    APIC_PROGRAM(armed, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON, LATER + 5 * MS),
                 ARM(1, HV_STIMER_ENABLE | HV_STIMER_PERIODIC | DIRECT(V), 5 * MS), VMR_POWER_OFF(),
                 VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), HV_EXPECT_MSR(CONFIG(0), 0),
                 HV_EXPECT_MSR(COUNT(0), 0), HV_EXPECT_MSR(CONFIG(1), 0), TICK(), SLEEP(3), EXPECT_COUNT(V, 0),
                 EXPECT_EMPTY(SINT), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &armed, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    vmr_synic_time_pause(synic_of(vm));
    vmr_synic_time_set(synic_of(vm), LATER);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_hv_guest_reset(vmr_partition_hv(vm->partition));
    vmr_synic_time_resume(synic_of(vm));
    (void)conf_run_to_end(vm, 0);
}

static void time_that_stands_still_fires_nothing(struct conf *conf)
{
    APIC_PROGRAM(still, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON, LATER + MS), VMR_POWER_OFF(), VMR_CHECKPOINT(1),
                 EXPECT_EMPTY(SINT), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 1), EXPECT_TIMER(0, LATER + MS), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &still, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    vmr_synic_time_pause(synic_of(vm));
    vmr_synic_time_set(synic_of(vm), LATER);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    let_time_pass(conf, 4);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no second power off");
    vmr_synic_time_resume(synic_of(vm));
    (void)conf_run_to_end(vm, 0);
}

/* --- bits --- */

static void the_lazy_bit_changes_nothing(struct conf *conf)
{
    APIC_PROGRAM(lazy, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, ON | HV_STIMER_LAZY, PAST), EXPECT_TIMER(0, PAST),
                 HV_EXPECT_MSR(CONFIG(0), HV_STIMER_LAZY | TO(SINT)), VMR_END());

    late_run(conf, &lazy, NULL);
}

static void reserved_bits_are_refused(struct conf *conf)
{
    CONF_PROGRAM(reserved, HV_REFUSED_MSR(CONFIG(0), UINT64_C(1) << 13), HV_REFUSED_MSR(CONFIG(0), UINT64_C(1) << 20),
                 HV_REFUSED_MSR(CONFIG(0), UINT64_C(1) << 63), HV_REFUSED_MSR(CONFIG(3), DIRECT(15)),
                 HV_EXPECT_MSR(CONFIG(0), 0), HV_EXPECT_MSR(CONFIG(3), 0), HV_ACCEPTED_MSR(CONFIG(3), DIRECT(16)),
                 HV_ACCEPTED_MSR(CONFIG(3), HV_STIMER_DEFINED), HV_EXPECT_MSR(CONFIG(3), HV_STIMER_DEFINED),
                 HV_ACCEPTED_MSR(COUNT(0), UINT64_MAX), HV_EXPECT_MSR(COUNT(0), UINT64_MAX),
                 VMR_RDMSR(6, HV_MSR_STIMER0_CONFIG + 8), HV_FAULT(), VMR_END());

    hv_run(conf, &reserved);
}

/* --- whatever the VP does --- */

struct count_wait {
    const struct conf_vm *vm;
    uint32_t count;
};

static bool is_counted(void *argument)
{
    const struct count_wait *wait = argument;

    return guest_word(wait->vm, COUNT_OF(0, V)) >= wait->count;
}

static void a_timer_reaches_a_vp_that_spins_in_a_set(struct conf *conf)
{
    APIC_PROGRAM(spins_for_ever, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_STI(),
                 ARM(0, HV_STIMER_ENABLE | HV_STIMER_PERIODIC | DIRECT(V), MS), VMR_SPIN());
    static const struct vmr_program *const programs[] = {&spins_for_ever};
    const struct conf_vm_options options = {.hv = &hv_all};
    struct vpset_vm group;

    if (!vpset_begin(&group, conf, &options, programs))
        return;
    struct count_wait wait = {.vm = group.vm, .count = 3};

    vpset_start(&group);
    CONF_CHECK(conf, conf_wait(conf, is_counted, &wait, "the third interrupt"), "the VP that spins got none");
    vpset_stop(&group);
    vpset_end(&group);
}

/* Without a set: where the VP may sleep inside the hypervisor, somebody watches its timers. */
static void a_timer_reaches_a_vp_that_spins_in_the_hypervisor(struct conf *conf)
{
    APIC_PROGRAM(spins, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_STI(), ARM(0, ON, 2 * MS), SPIN_FOR(0, V, 1), VMR_CLI(),
                 EXPECT_TIMER(0, 2 * MS), VMR_END());

    synic_run(conf, &spins, NULL);
}

static void each_vp_has_its_timers(struct conf *conf)
{
    APIC_PROGRAM(first, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(0), 4, 1),
                 EXPECT_TAKEN(9, V, 0), EXPECT_EMPTY(SINT), HV_EXPECT_MSR(CONFIG(0), 0), VMR_END());
    APIC_PROGRAM(second, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SIMP, HV_PAGE_1 | 1u),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), ARM(0, ON, PAST), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_TIMER_AT(HV_PAGE_1, 0, PAST), VMR_STORE(WORD(0), 4, 1), VMR_END());
    struct conf_vm *vm = late_vm(conf, 2, &first, NULL);

    if (vm)
        run_pair(vm, &second);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "stimer", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_one_shot_fires_once_at_its_time), .clauses = "STM-1 STM-6 STM-8", .ids = "S15"},
    {SCENARIO(a_time_in_the_past_fires_at_once), .clauses = "STM-1 STM-6", .ids = "S15"},
    {SCENARIO(a_timer_that_a_call_arms_fires_at_once), .clauses = "STM-1 HC-9", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(half_the_range_ahead_is_the_past), .clauses = "STM-1", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(a_count_of_zero_never_fires), .clauses = "STM-3", .ids = "S15"},
    {SCENARIO(a_count_turns_on_a_timer_that_enables_itself), .clauses = "STM-3"},
    {SCENARIO(a_periodic_timer_keeps_its_phase), .clauses = "STM-2 STM-6", .ids = "S15"},
    {SCENARIO(missed_periods_are_one_firing), .clauses = "STM-2"},
    {SCENARIO(a_huge_step_of_time_is_one_firing), .clauses = "STM-2 TIME-2", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(the_longest_period_is_in_the_future), .clauses = "STM-2"},
    {SCENARIO(a_direct_timer_asks_neither_sint_nor_slot), .clauses = "STM-4", .ids = "S15"},
    {.name = "a_direct_timer_without_a_local_apic_harms_nobody",
     .family = "stimer",
     .clauses = "STM-4",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_NONE,
     .run = a_direct_timer_without_a_local_apic_harms_nobody},
    {.name = "without_a_local_apic_all_but_the_interrupt_arrives",
     .family = "stimer",
     .ids = "CVE-2022-2153",
     .clauses = "STM-1 STM-4 SYN-2 SYN-8",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_NONE,
     .run = without_a_local_apic_all_but_the_interrupt_arrives},
    {SCENARIO(a_busy_slot_holds_a_timer_up), .clauses = "STM-5", .ids = "S15"},
    {SCENARIO(messages_go_before_timers), .clauses = "STM-5"},
    {SCENARIO(a_masked_sint_holds_a_timer_up), .clauses = "STM-5", .ids = "S15", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(a_timer_for_a_page_that_is_off_is_there_when_it_is_on), .clauses = "STM-5",
     .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(a_timer_that_runs_out_while_its_page_is_off_leaves_ram_alone), .clauses = "STM-5 OVL-1",
     .ids = "CVE-2025-58142", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(four_timers_share_a_slot), .clauses = "STM-5 STM-6"},
    {SCENARIO(a_timer_that_is_turned_off_does_not_fire), .clauses = "STM-7"},
    {SCENARIO(a_write_begins_the_period_anew), .clauses = "STM-2 STM-7", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(a_reset_disarms_timers), .clauses = "STM-7 SYN-1", .ids = "S15", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(time_that_stands_still_fires_nothing), .clauses = "TIME-2", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(the_lazy_bit_changes_nothing), .clauses = "STM-9"},
    {SCENARIO(reserved_bits_are_refused), .clauses = "STM-9"},
    {SCENARIO(a_timer_reaches_a_vp_that_spins_in_a_set), .clauses = "STM-8"},
    {.name = "a_timer_reaches_a_vp_that_spins_in_the_hypervisor",
     .family = "stimer",
     .clauses = "STM-8",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_timer_reaches_a_vp_that_spins_in_the_hypervisor},
    {SCENARIO(each_vp_has_its_timers), .clauses = "STM-1"},
};

CONF_FAMILY(stimer, scenarios);
