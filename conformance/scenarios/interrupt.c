/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and the VP that takes them: whatever it is doing, exactly once,
 * when it allows it, the more urgent first. How they get there is in
 * interrupt_line.c and interrupt_ipi.c.
 */

#include <stdlib.h>
#include <string.h>

#include "conformance/scenarios/apic_words.h"

#define V 0x41u

/* --- whatever the VP is doing --- */

static void raise_at_once(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)number;
    raise_msi(vm, vp, V);
}

/* From another thread, once the guest has passed checkpoint 1, and a little later. */
static void raise_later(void *argument)
{
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    for (unsigned i = 0; i < 3 && !vm->conf->exploring; i++)
        conf_pause(vm->conf);
    raise_msi(vm, 0, V);
}

static void run_with_raiser(struct conf *conf, const struct vmr_program *program)
{
    struct conf_vm *vm = interrupt_vm(conf, 1, program, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, raise_later, vm);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
}

static void while_stopped(struct conf *conf)
{
    APIC_PROGRAM(stops, VMR_EOI_XAPIC, APIC_ON(), VMR_STI(), VMR_POWER_OFF(), SPIN_FOR(0, V, 1), VMR_CLI(),
                 VMR_POWER_OFF(), EXPECT_COUNT(V, 1), VMR_WAIT_VECTOR(V, 2), EXPECT_COUNT(V, 2), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &stops, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no VM");
    raise_msi(vm, 0, V);
    CONF_REQUIRE(conf, run_to_power_off(vm), "the first was not taken");
    raise_msi(vm, 0, V);
    (void)conf_run_to_end(vm, 0);
}

static void while_asleep(struct conf *conf)
{
    APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), EXPECT_COUNT(V, 1),
                 VMR_END());

    run_with_raiser(conf, &sleeps);
}

static void while_running(struct conf *conf)
{
    APIC_PROGRAM(runs, VMR_EOI_XAPIC, APIC_ON(), VMR_STI(), VMR_CHECKPOINT(1), SPIN_FOR(0, V, 1), VMR_CLI(),
                 EXPECT_COUNT(V, 1), VMR_END());

    run_with_raiser(conf, &runs);
}

static void from_its_own_exit(struct conf *conf)
{
    APIC_PROGRAM(asks, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), VMR_STI(), VMR_CHECKPOINT(2),
                 SPIN_FOR(0, V, 2), VMR_CLI(), EXPECT_COUNT(V, 2), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &asks, raise_at_once);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* --- exactly once --- */

#define ASK_AND_WAIT(n) VMR_CHECKPOINT(n), VMR_WAIT_VECTOR(V, n), EXPECT_COUNT(V, n)

static void raise_up_to_ten(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    if (number <= 10)
        raise_msi(vm, vp, V);
}

static void one_at_a_time(struct conf *conf)
{
    APIC_PROGRAM(ten, VMR_EOI_XAPIC, APIC_ON(), ASK_AND_WAIT(1), ASK_AND_WAIT(2), ASK_AND_WAIT(3), ASK_AND_WAIT(4),
                 ASK_AND_WAIT(5), ASK_AND_WAIT(6), ASK_AND_WAIT(7), ASK_AND_WAIT(8), ASK_AND_WAIT(9), ASK_AND_WAIT(10),
                 OPEN(11), OPEN(12), EXPECT_COUNT(V, 10), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &ten, raise_up_to_ten);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
    conf_note(conf, "ten interrupts, each taken once");
}

#define VECTORS 32u
#define FIRST 0x40u

static void raise_all(void *argument)
{
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    for (uint32_t i = 0; i < VECTORS; i++)
        raise_msi(vm, 0, (uint8_t)(FIRST + i * 5 % VECTORS)); /* 5 and 32 have no common divisor: each once */
}

static void many_vectors(struct conf *conf)
{
    struct vmr_step steps[3 + 3 * VECTORS] = {VMR_STORE(APIC_SPURIOUS, 4, APIC_ENABLE), VMR_CHECKPOINT(1)};
    struct vmr_program program = {.name = "many", .steps = steps, .count = 3 + 3 * VECTORS, .eoi = VMR_EOI_XAPIC};

    for (uint32_t i = 0; i < VECTORS; i++) {
        struct vmr_step *step = &steps[2 + 3 * (size_t)i];

        step[0] = (struct vmr_step)VMR_WAIT_VECTOR(FIRST + i, 1);
        step[1] = (struct vmr_step)VMR_READ_COUNT(0, FIRST + i);
        step[2] = (struct vmr_step)VMR_EXPECT(0, 1);
    }
    steps[2 + 3 * VECTORS] = (struct vmr_step)VMR_END();
    struct conf_vm *vm = interrupt_vm(conf, 1, &program, NULL);
    struct vmr_thread *thread = vm ? conf_thread(conf, raise_all, vm) : NULL;

    if (thread) {
        (void)conf_run_to_end(vm, 0);
        conf_join(conf, thread);
    }
    conf_vm_destroy(vm);
}

/* --- when it allows it --- */

static void raise_at_one(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    if (number == 1)
        raise_msi(vm, vp, V);
}

static void held_back(struct conf *conf)
{
    APIC_PROGRAM(off_and_on, VMR_EOI_XAPIC, APIC_ON(), VMR_CLI(), VMR_CHECKPOINT(1), VMR_NOP(), EXPECT_COUNT(V, 0),
                 VMR_CHECKPOINT(2), VMR_NOP(), EXPECT_COUNT(V, 0), VMR_STI(), VMR_CHECKPOINT(3), SPIN_FOR(0, V, 1),
                 VMR_CLI(), EXPECT_COUNT(V, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &off_and_on, raise_at_one);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* An interrupt leaves HLT alone while they are off; an NMI does not. */
static void wake_by_nmi(void *argument)
{
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    raise_msi(vm, 0, V);
    for (unsigned i = 0; i < 5; i++)
        conf_pause(vm->conf);
    CONF_CHECK_EQ(vm->conf, word(vm, 0), 0, "what the guest did behind HLT, with interrupts off");
    /* One that comes before HLT is taken there, and does not end it: again, until the guest has gone on. */
    for (unsigned i = 0; i < 1000 && word(vm, 0) == 0 && !conf_over(vm->conf); i++) {
        CONF_CHECK(vm->conf, vmr_partition_nmi(vm->partition, 0) == VMR_OK, "no NMI");
        conf_pause(vm->conf);
    }
}

static void asleep_with_interrupts_off(struct conf *conf)
{
    APIC_PROGRAM(deaf, VMR_EOI_XAPIC, APIC_ON(), VMR_CLI(), VMR_CHECKPOINT(1), VMR_HLT(), VMR_STORE(WORD(0), 8, 1),
                 EXPECT_COUNT(V, 0), VMR_CHECKPOINT(2), VMR_STI(), VMR_CHECKPOINT(3), SPIN_FOR(0, V, 1), VMR_CLI(),
                 EXPECT_COUNT(V, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &deaf, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, wake_by_nmi, vm);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
}

static void nmi_once(struct conf *conf)
{
    APIC_PROGRAM(nmi, VMR_EOI_XAPIC, VMR_CLI(), VMR_POWER_OFF(), VMR_NOP(), VMR_CHECKPOINT(1), VMR_NOP(),
                 EXPECT_COUNT(VECTOR_NMI, 1), VMR_POWER_OFF(), VMR_NOP(), VMR_CHECKPOINT(2), VMR_NOP(),
                 EXPECT_COUNT(VECTOR_NMI, 2), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &nmi, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (unsigned i = 0; i < 2; i++) {
        CONF_REQUIRE(conf, run_to_power_off(vm), "part %u", i);
        CONF_CHECK(conf, vmr_partition_nmi(vm->partition, 0) == VMR_OK, "no NMI");
    }
    (void)conf_run_to_end(vm, 0);
}

/* --- the more urgent first --- */

static void raise_three(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    for (unsigned i = 0; number == 1 && i < 3; i++)
        raise_msi(vm, vp, (uint8_t)(0x41 + 0x10 * i));
}

static void by_priority(struct conf *conf)
{
    static const uint8_t order[3] = {0x61, 0x51, 0x41};
    APIC_PROGRAM(levels, VMR_EOI_XAPIC, APIC_ON(), VMR_CLI(), VMR_STORE(APIC_TPR, 4, 0x50), VMR_CHECKPOINT(1),
                 VMR_STI(), VMR_CHECKPOINT(2), SPIN_FOR(0, 0x61, 1), EXPECT_COUNT(0x51, 0), EXPECT_COUNT(0x41, 0),
                 VMR_STORE(APIC_TPR, 4, 0x40), VMR_CHECKPOINT(3), SPIN_FOR(0, 0x51, 1), EXPECT_COUNT(0x41, 0),
                 VMR_STORE(APIC_TPR, 4, 0), VMR_CHECKPOINT(4), SPIN_FOR(0, 0x41, 1), VMR_CLI(), EXPECT_COUNT(0x61, 1),
                 EXPECT_COUNT(0x51, 1), EXPECT_COUNT(0x41, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &levels, raise_three);
    uint8_t log[4] = {0};

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
    conf_note(conf, "0x61, 0x51, 0x41");
    if (conf_mock(vm))
        CONF_CHECK(conf, vmr_mock_injected(conf_mock(vm), 0, log, 4) == 3 && memcmp(log, order, 3) == 0,
                   "the order: %#x %#x %#x", log[0], log[1], log[2]);
}

/* --- not taken --- */

static void nobody_takes_it(struct conf *conf)
{
    APIC_PROGRAM(enables, VMR_EOI_XAPIC, VMR_POWER_OFF(), APIC_ON(), VMR_STI(), VMR_CHECKPOINT(1), VMR_NOP(),
                 VMR_POWER_OFF(), EXPECT_COUNT(V, 0), SPIN_FOR(0, V + 1, 1), VMR_CLI(), EXPECT_COUNT(V, 0), VMR_END());
    const struct vmr_msi disabled = {.address = VMR_LAPIC_GPA, .data = V};
    const struct vmr_msi nobody = {.address = VMR_LAPIC_GPA | 0x9000, .data = V};
    struct conf_vm *vm = interrupt_vm(conf, 1, &enables, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no VM");
    CONF_CHECK(conf, vmr_partition_msi(vm->partition, &disabled) == VMR_E_GUEST, "a disabled local APIC took it");
    CONF_REQUIRE(conf, run_to_power_off(vm), "the guest failed");
    CONF_CHECK(conf, vmr_partition_msi(vm->partition, &nobody) == VMR_E_GUEST, "VP 9 took it");
    raise_msi(vm, 0, V + 1);
    (void)conf_run_to_end(vm, 0);
}

static void no_controllers(struct conf *conf)
{
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = V};
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.without_chip = true});

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    CONF_CHECK(conf, vmr_partition_irq(vm->partition, 4, true) == VMR_E_UNSUPPORTED, "a line to nowhere");
    CONF_CHECK(conf, vmr_partition_msi(vm->partition, &msi) == VMR_E_UNSUPPORTED, "an MSI to nowhere");
    CONF_CHECK(conf, vmr_partition_lint(vm->partition, 0, 0) == VMR_E_UNSUPPORTED, "a local pin of nothing");
    CONF_CHECK(conf, vmr_partition_set_route(vm->partition, 30, &msi) == VMR_E_UNSUPPORTED, "a route to nowhere");
    CONF_CHECK(conf, vmr_partition_irq(vm->partition, VMR_GSI_MAX, true) == VMR_E_USAGE, "line %u", VMR_GSI_MAX);
    CONF_CHECK(conf, vmr_partition_lint(vm->partition, 1, 0) == VMR_E_USAGE, "a pin of VP 1");
    CONF_CHECK(conf, vmr_partition_lint(vm->partition, 0, 2) == VMR_E_USAGE, "local pin 2");
    CONF_CHECK(conf, vmr_partition_nmi(vm->partition, 1) == VMR_E_USAGE, "an NMI for VP 1");
}

/* --- by hand --- */

/* Steps, answering every exit, until an interrupt could be injected. */
static bool step_until_ready(struct conf_vm *vm, struct vmr_exit *vp_exit)
{
    enum vmr_halt_reason reason;

    for (unsigned i = 0; i < 50 && !conf_over(vm->conf); i++) {
        if (vmr_vp_step(vm->vps[0], vp_exit))
            return false;
        if (vp_exit->interrupt_ready)
            return true;
        if (vmr_vp_inject(vm->vps[0], V) != VMR_E_STATE || vmr_vp_dispatch(vm->vps[0], vp_exit, &vm->io, &reason))
            return false;
    }
    return false;
}

static void by_hand(struct conf *conf)
{
    CONF_PROGRAM(opens, VMR_CLI(), VMR_CHECKPOINT(1), VMR_NOP(), VMR_CHECKPOINT(2), VMR_STI(), VMR_NOP(),
                 VMR_CHECKPOINT(3), SPIN_FOR(0, V, 1), VMR_CLI(), EXPECT_COUNT(V, 1), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.without_chip = true});
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &opens) && conf_bind(vm, 0), "no VM");
    vmr_vp_request_window(vm->vps[0], true);
    CONF_REQUIRE(conf, step_until_ready(vm, &vp_exit), "the guest was never ready");
    CONF_CHECK(conf, vm->reports[0].checkpoint >= 2, "ready with interrupts off, behind checkpoint %u",
               vm->reports[0].checkpoint);
    vmr_vp_request_window(vm->vps[0], false);
    CONF_REQUIRE(conf, vmr_vp_dispatch(vm->vps[0], &vp_exit, &vm->io, &reason) == VMR_OK, "not dispatched");
    CONF_CHECK(conf, vmr_vp_inject(vm->vps[0], V) == VMR_OK, "not injected");
    CONF_CHECK(conf, vmr_vp_inject(vm->vps[0], V) == VMR_E_STATE, "a second one over the first");
    while (!vm->reports[0].ended && !conf_over(conf)) {
        CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK && vp_exit.kind != VMR_EXIT_FAIL,
                     "a step failed");
        CONF_REQUIRE(conf, vmr_vp_dispatch(vm->vps[0], &vp_exit, &vm->io, &reason) == VMR_OK, "not dispatched");
    }
    CONF_CHECK(conf, !vm->reports[0].mismatch, "step %u: %u times", vm->reports[0].mismatch_step,
               (unsigned)vm->reports[0].mismatch_value);
}

static const struct conf_scenario scenarios[] = {
    {.name = "one_raised_while_its_vp_is_stopped_waits",
     .family = "interrupt",
     .clauses = "INT-1 EXIT-10",
     .chip = CONF_CHIP_ANY,
     .run = while_stopped},
    {.name = "one_raised_while_its_vp_falls_asleep_wakes_it",
     .family = "interrupt",
     .clauses = "INT-1 RUN-11",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = while_asleep},
    {.name = "one_raised_while_its_vp_runs_is_taken",
     .family = "interrupt",
     .clauses = "INT-1",
     .chip = CONF_CHIP_ANY,
     .run = while_running},
    {.name = "one_raised_by_a_device_in_its_vps_exit_is_taken",
     .family = "interrupt",
     .clauses = "INT-1",
     .chip = CONF_CHIP_ANY,
     .run = from_its_own_exit},
    {.name = "each_of_ten_is_taken_exactly_once",
     .family = "interrupt",
     .clauses = "INT-1 EXIT-10 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = one_at_a_time},
    {.name = "thirty_two_vectors_from_another_thread_all_arrive",
     .family = "interrupt",
     .clauses = "INT-1 INT-4",
     .chip = CONF_CHIP_ANY,
     .run = many_vectors},
    {.name = "interrupts_wait_while_they_are_off",
     .family = "interrupt",
     .clauses = "INT-2",
     .chip = CONF_CHIP_ANY,
     .run = held_back},
    {.name = "hlt_with_interrupts_off_is_left_for_an_nmi_alone",
     .family = "interrupt",
     .clauses = "INT-2 INT-4 RUN-11",
     .chip = CONF_CHIP_ANY,
     .run = asleep_with_interrupts_off},
    {.name = "each_nmi_is_taken_once_interrupts_on_or_off",
     .family = "interrupt",
     .clauses = "INT-1 INT-4",
     .chip = CONF_CHIP_ANY,
     .run = nmi_once},
    {.name = "the_task_priority_holds_back_what_is_less_urgent",
     .family = "interrupt",
     .clauses = "INT-2 EXIT-10 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = by_priority},
    {.name = "an_msi_that_nobody_takes_is_dropped_and_said",
     .family = "interrupt",
     .clauses = "INT-4 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = nobody_takes_it},
    {.name = "without_controllers_interrupts_are_refused",
     .family = "interrupt",
     .clauses = "INT-4 ERR-1",
     .chip = CONF_CHIP_NONE,
     .run = no_controllers},
    {.name = "a_stepper_injects_when_the_window_opens",
     .family = "interrupt",
     .clauses = "INT-2 EXIT-10 RUN-13",
     .chip = CONF_CHIP_NONE,
     .run = by_hand},
};

CONF_FAMILY(interrupt, scenarios);
