/* SPDX-License-Identifier: MIT */
/*
 * Guest time: a VM on the host of a vmr_vm_clock, which stands still, goes on
 * and is set. What the guest sees of time, the reference counter and its local
 * APIC's timer, is held against that clock and against the host's below.
 */

#include "conformance/scenarios/synic_words.h"

#include <stdatomic.h>

#define MS UINT64_C(1000000)
#define UNIT_NS 100u /* of the reference counter */
#define PAUSE_NS(conf) ((conf)->is_mock ? 5000 * MS : 400 * MS)
#define TIMER 0x71u
#define TIMER_MS 150u
#define HOUR_NS (UINT64_C(3600) * 1000 * MS)

#define KEEP_TIME(n) VMR_RDMSR(4, HV_MSR_TIME_REF_COUNT), VMR_STORE_VAR(WORD(n), 8, 4)

/* From the beginning on the scenario's host is the clock's. */
struct guest_time {
    struct conf *conf;
    const struct vmr_host *below;
    struct vmr_vm_clock *clock;
};

static void destroy_clock(void *clock)
{
    vmr_vm_clock_destroy(clock);
}

static bool time_begin(struct guest_time *time, struct conf *conf)
{
    *time = (struct guest_time){.conf = conf, .below = conf->host};
    enum vmr_status status = vmr_vm_clock_create(conf->host, &time->clock, NULL);

    CONF_CHECK(conf, status == VMR_OK, "no clock: %s", vmr_status_name(status));
    if (status != VMR_OK)
        return false;
    if (!conf_defer(conf, destroy_clock, time->clock))
        return false;
    conf->host = vmr_vm_clock_host(time->clock);
    return true;
}

static uint64_t below_now(const struct guest_time *time)
{
    return time->below->ops->now_ns(time->below->context);
}

/* On the host's clock, whatever the guest's does. */
static void sleep_below(const struct guest_time *time, uint64_t ns)
{
    const struct vmr_host *below = time->below;
    struct vmr_parker *parker = NULL;

    CONF_REQUIRE(time->conf, below->ops->parker_create(below->context, &parker) == VMR_OK, "no parker");
    (void)below->ops->park(below->context, parker, below_now(time) + ns);
    below->ops->parker_destroy(below->context, parker);
}

/* The clock stands for a while: it must not move, and the host's must. */
static void pass_a_pause(const struct guest_time *time)
{
    struct conf *conf = time->conf;
    uint64_t before_ns = below_now(time);

    CONF_CHECK_EQ(conf, vmr_vm_clock_pause(time->clock), VMR_OK, "pause");
    uint64_t paused_ns = vmr_vm_clock_now(time->clock);

    sleep_below(time, PAUSE_NS(conf));
    CONF_CHECK_EQ(conf, vmr_vm_clock_now(time->clock), paused_ns, "the time while it is paused");
    CONF_CHECK_EQ(conf, vmr_vm_clock_resume(time->clock), VMR_OK, "resume");
    CONF_CHECK(conf, below_now(time) - before_ns >= PAUSE_NS(conf), "the host's clock stood still as well");
}

/* --- what the guest reads --- */

static void the_counter_does_not_count_a_pause(struct conf *conf)
{
    CONF_PROGRAM(reads_twice, KEEP_TIME(0), VMR_POWER_OFF(), KEEP_TIME(1), VMR_END());
    struct guest_time time;

    if (!time_begin(&time, conf))
        return;
    struct conf_vm *vm = synic_vm(conf, 1, &reads_twice, NULL);
    uint64_t before_ns = vmr_vm_clock_now(time.clock), host_ns = below_now(&time);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    pass_a_pause(&time);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    uint64_t passed_ns = vmr_vm_clock_now(time.clock) - before_ns;
    uint64_t counted = word(vm, 1) - word(vm, 0);

    CONF_CHECK(conf, word(vm, 1) >= word(vm, 0) && counted <= passed_ns / UNIT_NS + 1,
               "the guest counts %llu units, and %llu ns have passed for it", (unsigned long long)counted,
               (unsigned long long)passed_ns);
    CONF_CHECK(conf, below_now(&time) - host_ns >= passed_ns + PAUSE_NS(conf), "the pause was guest time");
}

static void time_is_set_before_the_first_entry(struct conf *conf)
{
    CONF_PROGRAM(reads_thrice, KEEP_TIME(0), KEEP_TIME(1), KEEP_TIME(2), VMR_END());
    struct guest_time time;

    if (!time_begin(&time, conf))
        return;
    struct conf_vm *vm = synic_vm(conf, 1, &reads_thrice, NULL);
    uint64_t created_ns = vmr_vm_clock_now(time.clock);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_vm_clock_set(time.clock, HOUR_NS), VMR_E_STATE, "set while it runs");
    CONF_CHECK_EQ(conf, vmr_vm_clock_pause(time.clock), VMR_OK, "pause");
    CONF_CHECK_EQ(conf, vmr_vm_clock_set(time.clock, VMR_NEVER), VMR_E_USAGE, "set to never");
    CONF_CHECK_EQ(conf, vmr_vm_clock_set(time.clock, created_ns + HOUR_NS), VMR_OK, "set");
    sleep_below(&time, MS);
    CONF_CHECK_EQ(conf, vmr_vm_clock_now(time.clock), created_ns + HOUR_NS, "the time it was set to");
    CONF_CHECK_EQ(conf, vmr_vm_clock_resume(time.clock), VMR_OK, "resume");
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    CONF_CHECK(conf, word(vm, 0) >= HOUR_NS / UNIT_NS, "the guest begins at %llu units",
               (unsigned long long)word(vm, 0));
    for (unsigned i = 0; i < 2; i++)
        CONF_CHECK(conf, word(vm, i) <= word(vm, i + 1), "reading %u went back", i + 1);
}

/* --- what comes by itself --- */

static void finish(void *argument)
{
    struct conf_vm *vm = argument;

    if (conf_bind(vm, 0))
        (void)conf_run_to_end(vm, 0);
    conf_unbind(vm, 0);
}

/* The VP sleeps for its timer when time is stopped under it: nobody stops the VP. */
static void a_sleeping_vp_wakes_when_guest_time_has_come(struct conf *conf)
{
    APIC_PROGRAM(naps, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER), VMR_STORE(APIC_TIMER_INITIAL, 4, TIMER_MS * MS),
                 VMR_STORE(WORD(0), 8, 1), VMR_WAIT_VECTOR(TIMER, 1), VMR_STORE(WORD(1), 8, 1), VMR_END());
    const struct conf_vm_options options = {.vps = 1};
    struct guest_time time;

    if (conf->handle->irqchip != VMR_IRQCHIP_USER) {
        conf_skip(conf, "the timer is the hypervisor's");
        return;
    }
    if (!time_begin(&time, conf))
        return;
    struct conf_vm *vm = conf_vm_create(conf, &options);

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &naps), "no VM");
    uint64_t before_ns = vmr_vm_clock_now(time.clock);
    struct vmr_thread *thread = conf_thread(conf, finish, vm);

    while (thread && word(vm, 0) == 0 && !conf_over(conf))
        conf_pause(conf);
    pass_a_pause(&time);
    CONF_CHECK(conf, word(vm, 1) == 0 || vmr_vm_clock_now(time.clock) - before_ns >= TIMER_MS * MS,
               "the timer came in the pause");
    if (thread)
        conf_join(conf, thread);
    uint64_t passed_ns = vmr_vm_clock_now(time.clock) - before_ns;

    CONF_CHECK_EQ(conf, word(vm, 1), 1, "the guest woke");
    CONF_CHECK(conf, passed_ns >= TIMER_MS * MS, "it woke after %llu ns of its time", (unsigned long long)passed_ns);
}

/* What became due as long as time stood comes at once; what did not, in its time. */
static void a_park_that_is_due_ends_at_the_resume(struct conf *conf)
{
    struct guest_time time;
    struct vmr_parker *parker = NULL;

    if (!time_begin(&time, conf))
        return;
    const struct vmr_host *guest = conf->host;

    CONF_REQUIRE(conf, guest->ops->parker_create(guest->context, &parker) == VMR_OK, "no parker");
    uint64_t due_ns = vmr_vm_clock_now(time.clock) + 20 * MS;

    CONF_CHECK_EQ(conf, vmr_vm_clock_pause(time.clock), VMR_OK, "pause");
    CONF_CHECK_EQ(conf, vmr_vm_clock_set(time.clock, due_ns), VMR_OK, "set");
    CONF_CHECK_EQ(conf, guest->ops->park(guest->context, parker, due_ns), VMR_PARK_TIMEOUT, "due while paused");
    CONF_CHECK_EQ(conf, vmr_vm_clock_resume(time.clock), VMR_OK, "resume");
    CONF_CHECK_EQ(conf, guest->ops->park(guest->context, parker, due_ns + 5 * MS), VMR_PARK_TIMEOUT, "due later");
    CONF_CHECK(conf, vmr_vm_clock_now(time.clock) >= due_ns + 5 * MS, "it came too early");
    guest->ops->parker_destroy(guest->context, parker);
}

/* --- never back --- */

struct reader {
    struct vmr_vm_clock *clock;
    unsigned rounds, went_back;
};

static void read_on(void *argument)
{
    struct reader *reader = argument;
    uint64_t last_ns = 0;

    for (unsigned i = 0; i < reader->rounds; i++) {
        uint64_t seen_ns = vmr_vm_clock_now(reader->clock);

        reader->went_back += seen_ns < last_ns;
        last_ns = seen_ns;
    }
}

static void guest_time_never_goes_back(struct conf *conf)
{
    struct guest_time time;

    if (!time_begin(&time, conf))
        return;
    struct reader reader = {.clock = time.clock, .rounds = conf->is_mock ? 4 : 100000};
    struct vmr_thread *thread = conf_thread(conf, read_on, &reader);
    uint64_t last_ns = vmr_vm_clock_now(time.clock);

    for (unsigned i = 0; i < (conf->is_mock ? 2u : 2000u); i++) {
        CONF_CHECK_EQ(conf, vmr_vm_clock_pause(time.clock), VMR_OK, "pause");
        uint64_t paused_ns = vmr_vm_clock_now(time.clock);

        if (conf->is_mock)
            sleep_below(&time, 1);
        CONF_CHECK_EQ(conf, vmr_vm_clock_now(time.clock), paused_ns, "the time while it is paused");
        CONF_CHECK_EQ(conf, vmr_vm_clock_resume(time.clock), VMR_OK, "resume");
        CONF_CHECK(conf, paused_ns >= last_ns, "it went back");
        last_ns = paused_ns;
    }
    if (thread)
        conf_join(conf, thread);
    CONF_CHECK_EQ(conf, reader.went_back, 0, "readings that went back");
}

#define SCENARIO(function) .name = #function, .family = "clock", .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(the_counter_does_not_count_a_pause), .ids = "CLK-02 HVF-19", .clauses = "CLK-1", .needs = HV_NEEDS,
     .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(time_is_set_before_the_first_entry), .ids = "CLK-01", .clauses = "CLK-2 CLK-3", .needs = HV_NEEDS,
     .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(a_sleeping_vp_wakes_when_guest_time_has_come), .ids = "CLK-02", .clauses = "CLK-1"},
    {SCENARIO(a_park_that_is_due_ends_at_the_resume), .clauses = "CLK-1 HOST-1"},
    {SCENARIO(guest_time_never_goes_back), .ids = "CLK-03", .clauses = "CLK-2", .flags = CONF_EXPLORE},
};

CONF_FAMILY(clock, scenarios);
