/* SPDX-License-Identifier: MIT */
/*
 * What a local APIC and an IO-APIC have beyond vectors: modes of delivery,
 * errors, the timer's limits, and what the library's do not have.
 */

#include "conformance/scenarios/apic_words.h"

#define TIMER 0x71u
#define ERROR 0x72u
#define PIN 20u /* no PIC line */
#define PIC_PIN 0u
#define GP (13u + 1u)
#define FAULTS(x) VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, (x))
#define CPUID_DEADLINE UINT64_C(0x1000000)
#define STARTUP (ICR_ASSERT | ICR_STARTUP | VMR_PROGRAM_BASE >> 12)

/* Of scenarios about the library's own controllers. */
static bool has_others(struct conf *conf)
{
    bool others = conf->handle->irqchip != VMR_IRQCHIP_USER;

    if (others)
        conf_skip(conf, "the local APICs are the hypervisor's");
    return others;
}

static void pulse_pin(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number <= 2)
        pulse_line(vm, PIN);
}

/* --- modes --- */

/* With interrupts off, and by no vector. */
static void pin_is_nmi(struct conf *conf)
{
    APIC_PROGRAM(takes, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, APIC_MODE_NMI), VMR_CHECKPOINT(1),
                 SPIN_FOR(0, VECTOR_NMI, 1), IOAPIC_ENTRY(PIN, 0, APIC_MODE_NMI | APIC_MASKED), VMR_CHECKPOINT(2),
                 OPEN(3), EXPECT_COUNT(VECTOR_NMI, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &takes, pulse_pin);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* VP 1 is started by IPIs, taken back to waiting by a pin, and started again. */
static void pin_is_init(struct conf *conf)
{
    APIC_PROGRAM(restarts, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 1, APIC_MODE_INIT), VMR_START_VP(1),
                 VMR_SPIN_UNTIL(WORD(2), 8, 1), VMR_CHECKPOINT(1), VMR_STORE(APIC_ICR_HIGH, 4, 1u << 24),
                 VMR_STORE(APIC_ICR_LOW, 4, STARTUP), VMR_SPIN_UNTIL(WORD(2), 8, 2), VMR_END());
    APIC_PROGRAM(counts, VMR_EOI_XAPIC, VMR_LOAD(0, WORD(2), 8), VMR_ADD(0, 1), VMR_STORE_VAR(WORD(2), 8, 0),
                 VMR_JUMP_EQ(0, 2, 5), VMR_SPIN(), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 2, &restarts, pulse_pin);

    if (!vm)
        return;
    run_pair(vm, &counts);
    CONF_CHECK_EQ(conf, word(vm, 2), 2, "starts of VP 1");
}

static void pic_lines(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number <= 3)
        pulse_line(vm, number == 2 ? 12 : 4);
}

/* The local pin is shut: what comes of the PIC comes by the pin, and as the PIC's vectors. */
static void pin_is_extint(struct conf *conf)
{
    APIC_PROGRAM(wired, VMR_EOI_PIC, PIC_ON(), APIC_ON(), VMR_STORE(APIC_LVT_LINT0, 4, APIC_MASKED),
                 IOAPIC_ENTRY(PIC_PIN, 0, APIC_MODE_EXTINT), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(PIC_VECTOR(4), 1),
                 VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(PIC_VECTOR(12), 1), OPEN(4), EXPECT_COUNT(PIC_VECTOR(4), 1),
                 IOAPIC_ENTRY(PIC_PIN, 0, APIC_MODE_EXTINT | APIC_MASKED), VMR_CHECKPOINT(3), OPEN(5),
                 EXPECT_COUNT(PIC_VECTOR(4), 1), EXPECT_COUNT(PIC_VECTOR(12), 1), EXPECT_COUNT(PIC_VECTOR(7), 0),
                 VMR_END());
    struct conf_vm *vm = has_others(conf) ? NULL : interrupt_vm(conf, 1, &wired, pic_lines);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* --- errors --- */

/* The ESR shows what came before it was last written, and each error interrupts once. */
static void errors(struct conf *conf)
{
    APIC_PROGRAM(errs, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_LVT_ERROR, 4, ERROR), VMR_LOAD(0, APIC_RESERVED, 4),
                 VMR_LOAD(0, APIC_ESR, 4), VMR_EXPECT(0, 0), VMR_WAIT_VECTOR(ERROR, 1), VMR_LOAD(0, APIC_RESERVED, 4),
                 OPEN(2), EXPECT_COUNT(ERROR, 1), VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | ICR_SELF | 5),
                 VMR_WAIT_VECTOR(ERROR, 2), VMR_STORE(APIC_ESR, 4, 0), VMR_LOAD(0, APIC_ESR, 4), VMR_EXPECT(0, 0xa0),
                 VMR_STORE(APIC_ESR, 4, 0), VMR_LOAD(0, APIC_ESR, 4), VMR_EXPECT(0, 0), OPEN(1), EXPECT_COUNT(ERROR, 2),
                 VMR_END());
    struct conf_vm *vm = has_others(conf) ? NULL : interrupt_vm(conf, 1, &errs, NULL);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* --- the timer --- */

#define EXPIRIES 6u

struct stopwatch {
    uint64_t begin_ns, end_ns;
};

static void stop_the_time(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct stopwatch *watch = vm->user;
    uint64_t now_ns = vm->conf->host->ops->now_ns(vm->conf->host->context);

    (void)vp;
    *(number == 1 ? &watch->begin_ns : &watch->end_ns) = now_ns;
}

/* A period of one tick, a nanosecond: what would be no time between two expiries is the limit's time. */
static void shortest_period(struct conf *conf)
{
    APIC_PROGRAM(rushes, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER | APIC_PERIODIC), VMR_CHECKPOINT(1),
                 VMR_STORE(APIC_TIMER_INITIAL, 4, 1), VMR_WAIT_VECTOR(TIMER, EXPIRIES), VMR_CHECKPOINT(2),
                 VMR_STORE(APIC_TIMER_INITIAL, 4, 0), VMR_END());
    struct conf_vm *vm = has_others(conf) ? NULL : interrupt_vm(conf, 1, &rushes, stop_the_time);
    struct stopwatch watch = {0};

    if (!vm)
        return;
    vm->user = &watch;
    (void)conf_run_to_end(vm, 0);
    uint64_t least_ns = (EXPIRIES - 1) * (uint64_t)VMR_LAPIC_PERIOD_NS_MIN;

    CONF_CHECK(conf, watch.end_ns - watch.begin_ns >= least_ns, "%u expiries in %llu ns", EXPIRIES,
               (unsigned long long)(watch.end_ns - watch.begin_ns));
    conf_vm_destroy(vm);
}

/* --- what is not there --- */

static bool offers_deadline(struct conf *conf)
{
    struct vmr_cpuid_entry features;

    return conf_cpuid(conf, 1, 0, &features) && (features.ecx & CPUID_DEADLINE) != 0;
}

/* A deadline that has passed is due at once, whatever the TSC is; then the MSR is zero again. */
static void deadline_timer(struct conf *conf)
{
    APIC_PROGRAM(has_one, VMR_EOI_XAPIC, APIC_ON(), VMR_CPUID(1, 0), VMR_EXPECT_MASK(2, CPUID_DEADLINE, CPUID_DEADLINE),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER | APIC_DEADLINE), VMR_WRMSR(MSR_TSC_DEADLINE, 1), FAULTS(0),
                 VMR_WAIT_VECTOR(TIMER, 1), VMR_RDMSR(0, MSR_TSC_DEADLINE), FAULTS(0), VMR_EXPECT(0, 0), VMR_END());
    APIC_PROGRAM(has_none, VMR_EOI_XAPIC, APIC_ON(), VMR_CPUID(1, 0), VMR_EXPECT_MASK(2, CPUID_DEADLINE, 0),
                 VMR_WRMSR(MSR_TSC_DEADLINE, 1), FAULTS(GP), VMR_RDMSR(0, MSR_TSC_DEADLINE), FAULTS(GP), VMR_END());
    bool offered = offers_deadline(conf);

    CONF_CHECK(conf, !offered || conf->handle->irqchip != VMR_IRQCHIP_USER, "the library's local APICs have none");
    struct conf_vm *vm = interrupt_vm(conf, 1, offered ? &has_one : &has_none, NULL);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* Neither moved nor anything changed by trying: the APIC still answers where it was. */
static void stays_in_place(struct conf *conf)
{
    APIC_PROGRAM(moves, VMR_EOI_XAPIC, APIC_ON(), VMR_RDMSR(1, MSR_APIC_BASE),
                 VMR_EXPECT(1, VMR_LAPIC_GPA | APIC_BASE_BSP | 0x800), VMR_WRMSR(MSR_APIC_BASE, 0xd0000900), FAULTS(GP),
                 VMR_RDMSR(1, MSR_APIC_BASE), VMR_EXPECT(1, VMR_LAPIC_GPA | APIC_BASE_BSP | 0x800),
                 VMR_LOAD(0, APIC_SPURIOUS, 4), VMR_EXPECT(0, APIC_ENABLE), VMR_LOAD(0, 0xd00000f0, 4),
                 VMR_EXPECT(0, UINT32_MAX), VMR_END());
    struct conf_vm *vm = has_others(conf) ? NULL : interrupt_vm(conf, 1, &moves, NULL);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_pin_can_be_an_nmi",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = pin_is_nmi},
    {.name = "a_pin_can_be_an_init",
     .family = "interrupt",
     .clauses = "INT-3 INT-4",
     .chip = CONF_CHIP_ANY,
     .run = pin_is_init},
    {.name = "an_extint_pin_brings_what_the_pic_has",
     .family = "interrupt",
     .clauses = "INT-7",
     .chip = CONF_CHIP_ANY,
     .run = pin_is_extint},
    {.name = "a_local_apic_keeps_its_errors_and_tells_each_once",
     .family = "interrupt",
     .clauses = "INT-1",
     .chip = CONF_CHIP_ANY,
     .run = errors},
    {.name = "a_period_of_no_time_is_the_shortest_there_is",
     .family = "interrupt",
     .clauses = "INT-6",
     .chip = CONF_CHIP_ANY,
     .run = shortest_period},
    {.name = "a_deadline_timer_is_there_where_cpuid_says_so",
     .family = "interrupt",
     .clauses = "INT-5 MSR-1 LIFE-4",
     .chip = CONF_CHIP_ANY,
     .run = deadline_timer},
    {.name = "the_librarys_local_apic_stays_in_its_place",
     .family = "interrupt",
     .clauses = "INT-5",
     .chip = CONF_CHIP_ANY,
     .run = stays_in_place},
};

CONF_FAMILY(interrupt_apic, scenarios);
