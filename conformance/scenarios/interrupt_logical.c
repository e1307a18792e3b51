/* SPDX-License-Identifier: MIT */
/*
 * Local APICs that many name at once, and what their timers count: logical
 * destinations in both modes, the least busy of several, the current count, and
 * deadlines by the time-stamp counter.
 */

#include "conformance/scenarios/apic_words.h"

#define APIC_LDR (VMR_LAPIC_GPA + 0xd0u)
#define APIC_DFR (VMR_LAPIC_GPA + 0xe0u)
#define DFR_CLUSTER 0x0fffffffu
#define DFR_FLAT 0xffffffffu
#define ICR_LOGICAL 0x800u
#define MSR_X2APIC_LDR 0x80du
#define MSR_X2APIC_ICR 0x830u
#define BOTH 0x61u
#define SECOND 0x62u
#define NOBODY 0x63u
#define LAST 0x41u /* the least urgent: when it is taken, the others have been */

/* A logical ID, and in which model; two steps, before the APIC is enabled. */
#define LOGICAL_ID(model, id) VMR_STORE(APIC_DFR, 4, (model)), VMR_STORE(APIC_LDR, 4, (uint64_t)(id) << 24)
/* An IPI to a logical destination; two steps. */
#define SEND_LOGICAL(id, vector)                                                                                       \
    VMR_STORE(APIC_ICR_HIGH, 4, (uint64_t)(id) << 24), VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | ICR_LOGICAL | (vector))
#define SEND_X2APIC_LOGICAL(id, vector)                                                                                \
    VMR_WRMSR(MSR_X2APIC_ICR, (uint64_t)(id) << 32 | ICR_ASSERT | ICR_LOGICAL | (vector))

/* VP 1's part: it is there, and takes the last. */
#define HEARS() VMR_STORE(WORD(0), 8, 1), VMR_WAIT_VECTOR(LAST, 1), OPEN(1)
#define HEARD()                                                                                                        \
    EXPECT_COUNT(BOTH, 1), EXPECT_COUNT(SECOND, 1), EXPECT_COUNT(NOBODY, 0), VMR_STORE(WORD(1), 8, 1), VMR_END()
/* VP 0's: nothing but what went to both. */
#define WAITS() VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(0), 8, 1)
#define HAS_SENT()                                                                                                     \
    VMR_SPIN_UNTIL(WORD(1), 8, 1), OPEN(2), EXPECT_COUNT(BOTH, 1), EXPECT_COUNT(SECOND, 0), EXPECT_COUNT(NOBODY, 0),   \
        VMR_END()

static void run_both(struct conf *conf, const struct vmr_program *first, const struct vmr_program *second)
{
    struct conf_vm *vm = interrupt_vm(conf, 2, first, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    run_pair(vm, second);
}

static void logical_flat(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, LOGICAL_ID(DFR_FLAT, 0x01), APIC_ON(), WAITS(), SEND_LOGICAL(0x03, BOTH),
                 SEND_LOGICAL(0x02, SECOND), SEND_LOGICAL(0x44, NOBODY), SEND_LOGICAL(0x82, LAST), HAS_SENT());
    APIC_PROGRAM(hears, VMR_EOI_XAPIC, LOGICAL_ID(DFR_FLAT, 0x02), APIC_ON(), HEARS(), HEARD());

    run_both(conf, &sends, &hears);
}

/* 0x33 has a bit of each, and is another cluster's. */
static void logical_cluster(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, LOGICAL_ID(DFR_CLUSTER, 0x11), APIC_ON(), WAITS(), SEND_LOGICAL(0x13, BOTH),
                 SEND_LOGICAL(0x12, SECOND), SEND_LOGICAL(0x33, NOBODY), SEND_LOGICAL(0x1e, LAST), HAS_SENT());
    APIC_PROGRAM(hears, VMR_EOI_XAPIC, LOGICAL_ID(DFR_CLUSTER, 0x12), APIC_ON(), HEARS(), HEARD());

    run_both(conf, &sends, &hears);
}

static void logical_x2apic(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_X2APIC, X2APIC_ON(APIC_BASE_BSP), VMR_RDMSR(0, MSR_X2APIC_LDR), VMR_EXPECT(0, 1),
                 WAITS(), SEND_X2APIC_LOGICAL(0x3, BOTH), SEND_X2APIC_LOGICAL(0x2, SECOND),
                 SEND_X2APIC_LOGICAL(0x10003, NOBODY), SEND_X2APIC_LOGICAL(0x2, LAST), HAS_SENT());
    APIC_PROGRAM(hears, VMR_EOI_X2APIC, X2APIC_ON(0), VMR_RDMSR(0, MSR_X2APIC_LDR), VMR_EXPECT(0, 2), HEARS(), HEARD());

    run_both(conf, &sends, &hears);
}

static void broadcast(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, APIC_ON(), WAITS(), VMR_STORE(APIC_ICR_HIGH, 4, 0xff000000),
                 VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | BOTH), VMR_SEND_IPI(1, SECOND), VMR_SEND_IPI(1, LAST),
                 HAS_SENT());
    APIC_PROGRAM(hears, VMR_EOI_XAPIC, APIC_ON(), HEARS(), HEARD());

    run_both(conf, &sends, &hears);
}

/* --- the least busy --- */

#define LOWEST_FIRST 0x71u
#define LOWEST_COUNT 4u

static uint32_t times_taken(struct conf_vm *vm, vmr_vp_index vp, uint32_t vector)
{
    uint8_t count = 0;

    CONF_CHECK(vm->conf, vmr_memory_read(vm->memory, COUNT_OF(vp, vector), &count, 1) == VMR_OK, "no count");
    return count;
}

static bool all_have_come(void *argument)
{
    struct conf_vm *vm = argument;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < LOWEST_COUNT; i++)
        sum += times_taken(vm, 0, LOWEST_FIRST + i) + times_taken(vm, 1, LOWEST_FIRST + i);
    return sum >= LOWEST_COUNT;
}

static void send_to_the_least_busy(void *argument)
{
    static const uint8_t one = 1;
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    for (uint32_t i = 0; i < LOWEST_COUNT; i++) {
        const struct vmr_msi msi = {.address = VMR_LAPIC_GPA | 3u << 12 | 4, .data = 0x100 | (LOWEST_FIRST + i)};

        CONF_CHECK(vm->conf, vmr_partition_msi(vm->partition, &msi) == VMR_OK, "nobody takes MSI %u", i);
    }
    (void)conf_wait(vm->conf, all_have_come, vm, "one of two VPs to take each");
    CONF_CHECK(vm->conf, vmr_memory_write(vm->memory, WORD(1), &one, 1) == VMR_OK, "no RAM");
}

static void lowest_priority(struct conf *conf)
{
    APIC_PROGRAM(one, VMR_EOI_XAPIC, LOGICAL_ID(DFR_FLAT, 0x01), APIC_ON(), WAITS(), VMR_STI(), VMR_CHECKPOINT(1),
                 VMR_SPIN_UNTIL(WORD(1), 8, 1), VMR_CLI(), VMR_END());
    APIC_PROGRAM(other, VMR_EOI_XAPIC, LOGICAL_ID(DFR_FLAT, 0x02), APIC_ON(), VMR_STORE(WORD(0), 8, 1), VMR_STI(),
                 VMR_SPIN_UNTIL(WORD(1), 8, 1), VMR_CLI(), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 2, &one, NULL);
    struct vmr_thread *thread = vm ? conf_thread(conf, send_to_the_least_busy, vm) : NULL;

    CONF_REQUIRE(conf, vm && thread, "no VM, or no thread");
    run_pair(vm, &other);
    conf_join(conf, thread);
    for (uint32_t i = 0; i < LOWEST_COUNT; i++)
        CONF_CHECK_EQ(conf, times_taken(vm, 0, LOWEST_FIRST + i) + times_taken(vm, 1, LOWEST_FIRST + i), 1,
                      "how many took an interrupt for one of them");
}

/* --- timers --- */

#define TIMER 0x72u
#define LONG_COUNT 0xfffffff0u
#define DIVIDE_BY_128 0xau
#define TSC_DEADLINE 0x40000u
#define MSR_TSC_DEADLINE 0x6e0u

/* Long enough for the timers of a host that has much else to do: one that is late is due when it comes. */
static void a_while(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    for (unsigned i = 0; number == 1 && i < 50; i++)
        conf_pause(vm->conf);
}

/* Minutes remain when it is looked at: how fast a host is does not matter. */
static void counts_down(struct conf *conf)
{
    APIC_PROGRAM(counts, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_LVT_TIMER, 4, TIMER),
                 VMR_STORE(APIC_TIMER_DIVIDE, 4, DIVIDE_BY_128), VMR_STORE(APIC_TIMER_INITIAL, 4, LONG_COUNT),
                 VMR_CHECKPOINT(1), VMR_LOAD(0, APIC_TIMER_CURRENT, 4), VMR_STORE_VAR(WORD(0), 8, 0),
                 VMR_LOAD(0, APIC_TIMER_INITIAL, 4), VMR_EXPECT(0, LONG_COUNT), VMR_STORE(APIC_TIMER_INITIAL, 4, 0),
                 VMR_LOAD(0, APIC_TIMER_CURRENT, 4), VMR_EXPECT(0, 0), OPEN(2), EXPECT_COUNT(TIMER, 0), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &counts, a_while);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, word(vm, 0) < LONG_COUNT && word(vm, 0) > LONG_COUNT / 2, "the count went down to %#llx",
               (unsigned long long)word(vm, 0));
}

/* One that is due while its entry is masked is lost, and not held back. */
static void masked(struct conf *conf)
{
    APIC_PROGRAM(masks, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER | APIC_MASKED), VMR_STORE(APIC_TIMER_INITIAL, 4, 1000),
                 VMR_CHECKPOINT(1), VMR_LOAD(0, APIC_TIMER_CURRENT, 4), VMR_EXPECT(0, 0),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER), OPEN(2), OPEN(3), EXPECT_COUNT(TIMER, 0),
                 VMR_STORE(APIC_TIMER_INITIAL, 4, 1000), VMR_WAIT_VECTOR(TIMER, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &masks, a_while);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* A VP that polls instead of sleeping: the library sees its own timers only when a VP comes out. */
static void while_polling(struct conf *conf)
{
    APIC_PROGRAM(polls, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER), VMR_STORE(APIC_TIMER_INITIAL, 4, 2000000), VMR_STI(),
                 SPIN_FOR(0, TIMER, 1), VMR_CLI(), OPEN(1), EXPECT_COUNT(TIMER, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &polls, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* What the guest is told. */
static bool declares_deadlines(struct conf *conf)
{
    CONF_PROGRAM(asks, VMR_CPUID(1, 0), VMR_STORE_VAR(WORD(0), 8, 2), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &asks, NULL);
    bool declared = vm && conf_run_to_end(vm, 0) && (word(vm, 0) >> 24 & 1u) != 0;

    conf_vm_destroy(vm);
    return declared;
}

/* One that has passed is due at once, one in a thousand years is not, 0 is none. */
static void by_deadline(struct conf *conf)
{
    APIC_PROGRAM(deadlines, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(MSR_TSC_DEADLINE, 1), VMR_RDMSR(0, MSR_TSC_DEADLINE),
                 VMR_EXPECT(0, 0), VMR_STORE(APIC_LVT_TIMER, 4, TIMER | TSC_DEADLINE),
                 VMR_WRMSR(MSR_TSC_DEADLINE, UINT64_C(1) << 62), VMR_RDMSR(0, MSR_TSC_DEADLINE),
                 VMR_EXPECT(0, UINT64_C(1) << 62), OPEN(2), EXPECT_COUNT(TIMER, 0), VMR_WRMSR(MSR_TSC_DEADLINE, 0),
                 VMR_RDMSR(0, MSR_TSC_DEADLINE), VMR_EXPECT(0, 0), VMR_WRMSR(MSR_TSC_DEADLINE, 1),
                 VMR_WAIT_VECTOR(TIMER, 1), VMR_RDMSR(0, MSR_TSC_DEADLINE), VMR_EXPECT(0, 0), OPEN(3),
                 EXPECT_COUNT(TIMER, 1), VMR_WRMSR(MSR_TSC_DEADLINE, UINT64_C(1) << 62),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER), VMR_STORE(APIC_LVT_TIMER, 4, TIMER | TSC_DEADLINE),
                 VMR_RDMSR(0, MSR_TSC_DEADLINE), VMR_EXPECT(0, 0), VMR_END());

    if (!declares_deadlines(conf)) {
        conf_skip(conf, "CPUID declares no deadline timer");
        return;
    }
    struct conf_vm *vm = interrupt_vm(conf, 1, &deadlines, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_flat_logical_destination_names_vps_by_bit",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = logical_flat},
    {.name = "a_logical_cluster_is_told_from_another",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = logical_cluster},
    {.name = "logical_destinations_of_x2apics_follow_their_ids",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = logical_x2apic},
    {.name = "a_broadcast_reaches_every_vp",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = broadcast},
    {.name = "one_for_the_least_busy_is_taken_by_one_vp",
     .family = "interrupt",
     .clauses = "INT-1 INT-4",
     .chip = CONF_CHIP_ANY,
     .run = lowest_priority},
    {.name = "a_timers_count_goes_down_until_it_is_stopped",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = counts_down},
    {.name = "a_timer_due_while_it_is_masked_is_lost",
     .family = "interrupt",
     .clauses = "INT-4 INT-1",
     .quirks = CONF_QUIRK_MASKED_TIMER,
     .chip = CONF_CHIP_ANY,
     .run = masked},
    {.name = "a_timer_interrupts_a_vp_that_polls",
     .family = "interrupt",
     .clauses = "INT-1 INT-4",
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = while_polling},
    {.name = "a_deadline_timer_goes_by_the_time_stamp_counter",
     .family = "interrupt",
     .clauses = "INT-1 INT-4",
     .chip = CONF_CHIP_ANY,
     .run = by_deadline},
};

CONF_FAMILY(interrupt_logical, scenarios);
