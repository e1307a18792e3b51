/* SPDX-License-Identifier: MIT */
/*
 * Reset as guests and devices see it: the Hyper-V interface, timers, who waits
 * for whom, and what is posted between the partition's part and the VPs'.
 *
 * Guest RAM stays, and with it the counts of vectors that were taken.
 */

#include "conformance/scenarios/state_words.h"
#include "conformance/scenarios/synic_words.h"

#define TIMER_VECTOR 0x71u
#define APIC_TIMER_INITIAL (VMR_LAPIC_GPA + 0x380u)
#define APIC_TIMER_DIVIDE (VMR_LAPIC_GPA + 0x3e0u)
#define SINT_AT_POWER_UP 0x10000u
#define MS UINT64_C(10000) /* in units of 100 ns */
#define CONFIG(timer) (HV_MSR_STIMER0_CONFIG + 2u * (timer))
#define COUNT(timer) (HV_MSR_STIMER0_COUNT + 2u * (timer))
#define TO(sint) ((uint64_t)(sint) << HV_STIMER_SINT_SHIFT)
/* Two steps. */
#define ARM(timer, config, count) VMR_WRMSR(COUNT(timer), count), VMR_WRMSR(CONFIG(timer), HV_STIMER_ENABLE | (config))

/* Whether this can be said at all: the state is reached, and local APICs, if they are the library's, can be reset. */
static bool can_reset(struct conf *conf)
{
    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return false;
    if (conf->handle->irqchip != VMR_IRQCHIP_USER || vmr_irqchip_builtin_ops()->reset)
        return true;
    conf_skip(conf, "the library's interrupt controllers are not reset");
    return false;
}

/* A reset, and VP 0 is about to run `program`. */
static bool reset_into(struct conf_vm *vm, const struct vmr_program *program)
{
    return conf_reset(vm) && conf_load(vm, 0, program) && conf_begin_again(vm);
}

/* --- the Hyper-V interface --- */

static void its_registers_go_back_to_power_up(struct conf *conf)
{
    CONF_PROGRAM(sets_up, HV_OPEN(), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u),
                 VMR_WRMSR(HV_MSR_SCONTROL, 0), VMR_WRMSR(HV_MSR_SINT0, 0x40), VMR_WRMSR(HV_MSR_SINT0 + 15, 0x4f),
                 VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u), VMR_WRMSR(COUNT(2), 1000000),
                 VMR_WRMSR(CONFIG(2), HV_STIMER_ENABLE | TO(SINT)), VMR_CHECKPOINT(1), VMR_END());
    CONF_PROGRAM(looks, HV_EXPECT_MSR(HV_MSR_GUEST_OS_ID, 0), HV_EXPECT_MSR(HV_MSR_HYPERCALL, 0),
                 HV_EXPECT_MSR(HV_MSR_SIMP, 0), HV_EXPECT_MSR(HV_MSR_SIEFP, 0), HV_EXPECT_MSR(HV_MSR_SCONTROL, 1),
                 HV_EXPECT_MSR(HV_MSR_SINT0, SINT_AT_POWER_UP), HV_EXPECT_MSR(HV_MSR_SINT0 + 15, SINT_AT_POWER_UP),
                 HV_EXPECT_MSR(HV_MSR_VP_ASSIST_PAGE, 0), HV_EXPECT_MSR(COUNT(2), 0), HV_EXPECT_MSR(CONFIG(2), 0),
                 VMR_CHECKPOINT(2), VMR_END());

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = synic_vm(conf, 1, &sets_up, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0) && reset_into(vm, &looks), "the guest, or the reset");
    (void)conf_run_to_end(vm, 0);
}

static void reference_time_begins_again(struct conf *conf)
{
    CONF_PROGRAM(ends, VMR_END());
    const uint64_t long_ago = UINT64_C(10000000) * 1000000; /* a million seconds */

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = synic_vm(conf, 1, &ends, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest");
    vmr_synic_time_set(synic_of(vm), long_ago);
    CONF_CHECK(conf, vmr_synic_time(synic_of(vm)) >= long_ago, "the time cannot be set");
    CONF_REQUIRE(conf, reset_into(vm, &ends), "the reset");
    CONF_CHECK(conf, vmr_synic_time(synic_of(vm)) < long_ago, "the time goes on");
}

static void post_three(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 2)
        post_to(vm, SINT, 3);
}

/* The first message waits behind another that its guest never takes: it belongs to a guest that is no more. */
static void messages_of_before_are_gone(struct conf *conf)
{
    APIC_PROGRAM(opens, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_END());
    APIC_PROGRAM(hears_one, VMR_EOI_XAPIC, VMR_STORE(SLOT(SINT), 4, 0), SYNIC_ON(SINT, V2), VMR_CHECKPOINT(2),
                 VMR_WAIT_VECTOR(V2, 1), EXPECT_MESSAGE(SINT, HV_MESSAGE_TYPE_VMBUS, 3), FREE_SLOT(SINT), EOM(),
                 EXPECT_TAKEN(3, V2, 1), EXPECT_EMPTY(SINT), VMR_END());

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = synic_vm(conf, 1, &opens, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest");
    post_to(vm, SINT, 1);
    post_to(vm, SINT, 2);
    CONF_REQUIRE(conf, reset_into(vm, &hears_one), "the reset");
    vm->on_checkpoint = post_three;
    (void)conf_run_to_end(vm, 0);
}

/* --- in the window between the parts --- */

static void an_nmi_of_before_is_forgotten(struct conf *conf)
{
    CONF_PROGRAM(takes_none, VMR_RESET(), VMR_NOP(), VMR_NOP(), EXPECT_COUNT(VECTOR_NMI, 0), VMR_END());
    struct vmr_x86_regs regs;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, &(struct conf_vm_options){.without_chip = true}, &takes_none);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "reading");
    CONF_CHECK_EQ(conf, vmr_partition_nmi(vm->partition, 0), VMR_OK, "an NMI before");
    CONF_REQUIRE(conf, conf_reset(vm) && vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "the reset");
    (void)conf_run_to_end(vm, 0);
}

static void an_nmi_of_the_window_comes_after_it(struct conf *conf)
{
    CONF_PROGRAM(takes_one, VMR_RESET(), VMR_WAIT_VECTOR(VECTOR_NMI, 1), VMR_NOP(), VMR_NOP(),
                 EXPECT_COUNT(VECTOR_NMI, 1), VMR_END());
    struct vmr_x86_regs regs;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, &(struct conf_vm_options){.without_chip = true}, &takes_one);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "reading");
    CONF_CHECK_EQ(conf, vmr_partition_nmi(vm->partition, 0), VMR_OK, "an NMI before");
    CONF_REQUIRE(conf, vmr_partition_reset(vm->partition, NULL) == VMR_OK, "the partition's part");
    CONF_CHECK_EQ(conf, vmr_partition_nmi(vm->partition, 0), VMR_OK, "an NMI in the window");
    CONF_REQUIRE(conf, vmr_vp_reset(vm->vps[0], NULL) == VMR_OK, "the VP's part");
    /* The guest goes on where it was, with its tables: RAM is as it left it. */
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "writing");
    (void)conf_run_to_end(vm, 0);
}

static void expect_activity(struct conf_vm *vm, vmr_vp_index vp, enum vmr_activity expected, const char *when)
{
    enum vmr_activity activity = VMR_ACTIVITY_COUNT;

    vmr_partition_wake(vm->partition, vp);
    CONF_CHECK_EQ(vm->conf, vmr_vp_flush_async_requests(vm->vps[vp]), VMR_OK, "taking in what was sent");
    CONF_CHECK_EQ(vm->conf, vmr_vp_get_activity(vm->vps[vp], &activity), VMR_OK, "the activity");
    CONF_CHECK(vm->conf, activity == expected, "VP %u, %s: activity %d", vp, when, (int)activity);
}

static void init_and_sipi_of_before_are_forgotten(struct conf *conf)
{
    APIC_PROGRAM(starts_another, VMR_EOI_XAPIC, APIC_ON(), VMR_START_VP(1), VMR_END());
    CONF_PROGRAM(is_started, VMR_END());

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 2});

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &starts_another) && conf_load(vm, 1, &is_started), "no VM");
    CONF_REQUIRE(conf, conf_bind(vm, 0) && conf_bind(vm, 1), "no VPs");
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0) && conf_reset(vm), "the guest, or the reset");
    expect_activity(vm, 1, VMR_ACTIVITY_WAIT_FOR_SIPI, "started by an IPI of before");
    CONF_REQUIRE(conf, conf_load(vm, 0, &starts_another) && conf_load(vm, 1, &is_started), "no programs");
    CONF_REQUIRE(conf, conf_begin_again(vm) && conf_run_to_end(vm, 0) && conf_run_to_end(vm, 1), "the second guest");
    CONF_REQUIRE(conf, conf_reset(vm), "the reset");
    expect_activity(vm, 1, VMR_ACTIVITY_WAIT_FOR_SIPI, "after it had run");
    expect_activity(vm, 0, VMR_ACTIVITY_RUNNING, "the boot processor");
}

/* --- timers --- */

static void let_time_pass(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct vmr_host *host = vm->conf->host;
    uint64_t until_ns = host->ops->now_ns(host->context) + UINT64_C(30000000);

    (void)vp;
    while (number == 2 && host->ops->now_ns(host->context) < until_ns && !conf_over(vm->conf))
        conf_pause(vm->conf);
}

static void no_timer_of_the_local_apic_fires_after_it(struct conf *conf)
{
    APIC_PROGRAM(arms, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, 0xb),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER_VECTOR), VMR_STORE(APIC_TIMER_INITIAL, 4, 10000000), VMR_END());
    APIC_PROGRAM(listens, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_LVT_TIMER, 4, TIMER_VECTOR), VMR_CHECKPOINT(2),
                 OPEN(3), EXPECT_COUNT(TIMER_VECTOR, 0), VMR_END());

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &arms);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0) && reset_into(vm, &listens), "the guest, or the reset");
    vm->on_checkpoint = let_time_pass;
    (void)conf_run_to_end(vm, 0);
}

static void no_synthetic_timer_fires_after_it(struct conf *conf)
{
    APIC_PROGRAM(arms, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), ARM(0, TO(SINT), 10 * MS),
                 ARM(1, HV_STIMER_PERIODIC | TO(SINT), 10 * MS), VMR_END());
    APIC_PROGRAM(listens, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(2), EXPECT_TAKEN(3, V, 0),
                 EXPECT_EMPTY(SINT), VMR_END());

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = synic_vm(conf, 1, &arms, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0) && reset_into(vm, &listens), "the guest, or the reset");
    vm->on_checkpoint = let_time_pass;
    (void)conf_run_to_end(vm, 0);
}

/* --- interrupts --- */

static void raise_at_one_or_four(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    if (number == 1 || number == 4)
        raise_msi(vm, vp, TIMER_VECTOR);
}

/* Requested, not taken, and masked by the guest's flag: it is the old guest's. */
static void no_interrupt_of_before_is_taken_after_it(struct conf *conf)
{
    APIC_PROGRAM(leaves_it, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_NOP(), VMR_END());
    APIC_PROGRAM(listens, VMR_EOI_XAPIC, APIC_ON(), OPEN(3), EXPECT_COUNT(TIMER_VECTOR, 0), VMR_CHECKPOINT(4),
                 VMR_WAIT_VECTOR(TIMER_VECTOR, 1), VMR_END());

    if (!can_reset(conf))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &leaves_it);

    CONF_REQUIRE(conf, vm, "no VM");
    vm->on_checkpoint = raise_at_one_or_four;
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0) && reset_into(vm, &listens), "the guest, or the reset");
    (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "its_registers_go_back_to_power_up",
     .family = "reset_guest",
     .ids = "RST-03",
     .clauses = "RST-1",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_ANY,
     .run = its_registers_go_back_to_power_up},
    {.name = "reference_time_begins_again",
     .family = "reset_guest",
     .ids = "RST-02",
     .clauses = "RST-1",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_ANY,
     .run = reference_time_begins_again},
    {.name = "messages_of_before_are_gone",
     .family = "reset_guest",
     .ids = "RST-04",
     .clauses = "RST-1",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_ANY,
     .run = messages_of_before_are_gone},
    {.name = "an_nmi_of_before_is_forgotten",
     .family = "reset_guest",
     .ids = "RST-04",
     .clauses = "RST-1",
     .chip = CONF_CHIP_ANY,
     .run = an_nmi_of_before_is_forgotten},
    {.name = "an_nmi_of_the_window_comes_after_it",
     .family = "reset_guest",
     .ids = "RST-04",
     .clauses = "RST-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = an_nmi_of_the_window_comes_after_it},
    {.name = "init_and_sipi_of_before_are_forgotten",
     .family = "reset_guest",
     .ids = "RST-04",
     .clauses = "RST-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = init_and_sipi_of_before_are_forgotten},
    {.name = "no_timer_of_the_local_apic_fires_after_it",
     .family = "reset_guest",
     .ids = "RST-07",
     .clauses = "RST-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = no_timer_of_the_local_apic_fires_after_it},
    {.name = "no_synthetic_timer_fires_after_it",
     .family = "reset_guest",
     .ids = "RST-07",
     .clauses = "RST-1",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_ANY,
     .run = no_synthetic_timer_fires_after_it},
    {.name = "no_interrupt_of_before_is_taken_after_it",
     .family = "reset_guest",
     .clauses = "RST-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = no_interrupt_of_before_is_taken_after_it},
};
CONF_FAMILY(reset_guest, scenarios);
