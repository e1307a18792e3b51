/* SPDX-License-Identifier: MIT */
/*
 * Irqfds: events of the host that raise a line.
 */

#include "conformance/scenarios/event_words.h"

#define V 0x61u
#define PIN 20u /* no PIC line */
#define ROUTED_GSI 30u
#define PORT EVENT_PORT

static const struct vmr_doorbell port_bell = {.address = PORT + 2, .size = 2};

struct wired {
    struct conf *conf;
    struct conf_vm *vm;
    int fd;
    uint32_t gsi;
};

static enum vmr_status set_irqfd(struct conf_vm *vm, int fd, uint32_t gsi, bool add)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_partition_irqfd(vm->partition, fd, gsi, add, &err);

    CONF_CHECK(vm->conf, status == VMR_OK || err.message[0], "an error without a message");
    return status;
}

/* A VM of one VP, with an event on a line that is an MSI with vector V. NULL: failed. */
static struct conf_vm *wired_vm(struct conf *conf, struct wired *wired, const struct vmr_program *program,
                                void (*on_checkpoint)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = V};
    struct conf_vm *vm = interrupt_vm(conf, 1, program, on_checkpoint);

    *wired = (struct wired){.conf = conf, .vm = vm, .gsi = ROUTED_GSI};
    if (!vm || !event_create(conf, &wired->fd))
        return NULL;
    vm->user = wired;
    CONF_CHECK(conf, vmr_partition_set_route(vm->partition, ROUTED_GSI, &msi) == VMR_OK, "no route");
    CONF_CHECK(conf, set_irqfd(vm, wired->fd, ROUTED_GSI, true) == VMR_OK, "no irqfd");
    return conf_failed(conf) ? NULL : vm;
}

static void wired_finish(const struct wired *wired)
{
    conf_vm_destroy(wired->vm);
    event_destroy(wired->conf, wired->fd);
}

static void signal_at_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct wired *wired = vm->user;

    (void)vp;
    if (number <= 2)
        event_signal(vm->conf, wired->fd);
}

/* About to sleep, running with interrupts on, and between two runs. */
static void in_each_state(struct conf *conf)
{
    APIC_PROGRAM(takes, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), VMR_STI(),
                 VMR_CHECKPOINT(2), SPIN_FOR(0, V, 2), VMR_CLI(), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 3), OPEN(3),
                 EXPECT_COUNT(V, 3), VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &takes, signal_at_checkpoint);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "the guest failed");
    event_signal(conf, wired.fd);
    (void)conf_run_to_end(vm, 0);
    wired_finish(&wired);
}

static bool guest_is_there(void *argument)
{
    const struct wired *wired = argument;

    return word(wired->vm, 0) == 1;
}

static void signal_in_the_guest(void *argument)
{
    struct wired *wired = argument;

    if (conf_wait(wired->conf, guest_is_there, wired, "the guest to run"))
        event_signal(wired->conf, wired->fd);
}

/* The guest says in memory that it is there, and does not leave until it is interrupted. */
static void in_the_guest(struct conf *conf)
{
    APIC_PROGRAM(spins, VMR_EOI_XAPIC, APIC_ON(), VMR_STI(), VMR_STORE(WORD(0), 8, 1), SPIN_FOR(0, V, 1), VMR_CLI(),
                 VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &spins, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, signal_in_the_guest, &wired);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    wired_finish(&wired);
}

static void signal_when_on(void *argument)
{
    const struct wired *wired = argument;

    if (conf_wait_checkpoint(wired->vm, 0, 1))
        event_signal(wired->conf, wired->fd);
}

/* The signal comes before, while or after the VP goes to sleep: it wakes up, once. */
static void against_sleep(struct conf *conf)
{
    APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), EXPECT_COUNT(V, 1),
                 VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &sleeps, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, signal_when_on, &wired);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    wired_finish(&wired);
}

/* Taken away at 1, signalled, and an MSI comes in its place; the signal is there for whoever else takes it. */
static void take_away(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct wired *wired = vm->user;

    (void)vp;
    if (number != 1)
        return;
    CONF_CHECK(vm->conf, set_irqfd(vm, wired->fd, wired->gsi, false) == VMR_OK, "it stays");
    event_signal(vm->conf, wired->fd);
    raise_msi(vm, 0, V + 1);
}

static void silent_when_gone(struct conf *conf)
{
    APIC_PROGRAM(hears_none, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V + 1, 1), OPEN(2),
                 EXPECT_COUNT(V, 0), VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &hears_none, take_away);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, event_take(conf, wired.fd), "somebody else took a signal");
    wired_finish(&wired);
}

/* Raised and lowered: the second signal is an edge again. */
static void pulses_a_pin(struct conf *conf)
{
    APIC_PROGRAM(pinned, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 2), OPEN(3), EXPECT_COUNT(V, 2), VMR_END());
    struct wired wired;
    struct conf_vm *vm;

    if (conf->handle->irqchip != VMR_IRQCHIP_KERNEL) {
        conf_skip(conf, "the IO-APIC is not in the hypervisor");
        return;
    }
    vm = wired_vm(conf, &wired, &pinned, signal_at_checkpoint);
    CONF_REQUIRE(conf, vm && set_irqfd(vm, wired.fd, wired.gsi, false) == VMR_OK, "no VM");
    CONF_REQUIRE(conf, set_irqfd(vm, wired.fd, PIN, true) == VMR_OK, "no irqfd");
    (void)conf_run_to_end(vm, 0);
    wired_finish(&wired);
}

/* One event raises one line, though two may raise the same. */
static void one_line_an_event(struct conf *conf)
{
    APIC_PROGRAM(takes, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), VMR_POWER_OFF(),
                 VMR_WAIT_VECTOR(V, 2), VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &takes, signal_at_checkpoint);
    int second;

    CONF_REQUIRE(conf, vm && event_create(conf, &second), "no VM");
    CONF_CHECK(conf, set_irqfd(vm, wired.fd, wired.gsi, true) == VMR_E_CONFIG, "it raises the line twice");
    CONF_CHECK(conf, set_irqfd(vm, wired.fd, wired.gsi + 1, true) == VMR_E_CONFIG, "it raises a second line");
    CONF_CHECK(conf, set_irqfd(vm, second, wired.gsi, true) == VMR_OK, "the line has one event already");
    CONF_CHECK(conf, set_irqfd(vm, INT32_MAX, wired.gsi, true) == VMR_E_USAGE, "what is no event raises a line");
    /* Of another line, or never added: nothing changes. */
    CONF_CHECK(conf, set_irqfd(vm, wired.fd, wired.gsi + 1, false) == VMR_OK, "taken away from a line it is not on");
    CONF_REQUIRE(conf, run_to_power_off(vm), "the guest failed");
    event_signal(conf, second);
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, set_irqfd(vm, second, wired.gsi, false) == VMR_OK, "it stays");
    CONF_CHECK(conf, set_irqfd(vm, second, wired.gsi, false) == VMR_OK, "taken away twice");
    wired_finish(&wired);
    event_destroy(conf, second);
}

/* A doorbell's event that is an irqfd's as well: a write interrupts the guest, and nobody outside has part in it. */
static void bell_to_line(struct conf *conf)
{
    APIC_PROGRAM(calls_itself, VMR_EOI_XAPIC, APIC_ON(), VMR_OUT(PORT + 2, 2, 1), VMR_WAIT_VECTOR(V, 1),
                 VMR_OUT(PORT + 2, 2, 1), VMR_WAIT_VECTOR(V, 2), EXPECT_COUNT(V, 2), VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &calls_itself, NULL);

    CONF_REQUIRE(conf, vm && set_doorbell(vm, VMR_BUS_PORTS, &port_bell, wired.fd, true), "no VM");
    (void)conf_run_to_end(vm, 0);
    wired_finish(&wired);
}

static void signal_twice(void *argument)
{
    const struct wired *wired = argument;

    event_signal(wired->conf, wired->fd);
    event_signal(wired->conf, wired->fd);
}

/* What is still wired goes with the partition, while its event is signalled. */
static void goes_with_its_wires(struct conf *conf)
{
    APIC_PROGRAM(idle, VMR_EOI_XAPIC, APIC_ON(), VMR_END());
    struct wired wired;
    struct conf_vm *vm = wired_vm(conf, &wired, &idle, NULL);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "no VM");
    CONF_REQUIRE(conf, set_doorbell(vm, VMR_BUS_PORTS, &port_bell, wired.fd, true), "no doorbell");
    struct vmr_thread *thread = conf_thread(conf, signal_twice, &wired);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    conf_vm_destroy(vm);
    conf_join(conf, thread);
    (void)event_take(conf, wired.fd);
    event_signal(conf, wired.fd);
    CONF_CHECK(conf, event_take(conf, wired.fd), "a partition that is gone took a signal");
    event_destroy(conf, wired.fd);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_signal_interrupts_a_running_a_sleeping_and_a_stopped_vp",
     .family = "events",
     .clauses = "EVT-4 INT-1 INT-4",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(MSI),
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = in_each_state},
    {.name = "a_signal_interrupts_a_guest_that_does_not_leave",
     .family = "events",
     .clauses = "EVT-4 INT-1",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(MSI),
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = in_the_guest},
    {.name = "a_signal_that_meets_a_sleep_is_not_lost",
     .family = "events",
     .clauses = "EVT-4 INT-1 RUN-11",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(MSI),
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = against_sleep},
    {.name = "an_irqfd_that_is_gone_is_silent",
     .family = "events",
     .clauses = "EVT-4",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(MSI),
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = silent_when_gone},
    {.name = "an_irqfd_pulses_an_io_apic_pin",
     .family = "events",
     .clauses = "EVT-4 INT-4",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(IRQCHIP_KERNEL),
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = pulses_a_pin},
    {.name = "an_event_raises_one_line",
     .family = "events",
     .clauses = "EVT-6 EVT-4 ERR-1 ERR-2",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(MSI),
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = one_line_an_event},
    {.name = "a_doorbell_wired_to_a_line_interrupts_the_guest",
     .family = "events",
     .clauses = "EVT-4 EVT-5",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(DOORBELL) | CONF_CAP(MSI),
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = bell_to_line},
    {.name = "a_partition_goes_with_its_wires",
     .family = "events",
     .clauses = "LIFE-5 EVT-4 EVT-5",
     .needs = CONF_CAP(IRQFD) | CONF_CAP(DOORBELL) | CONF_CAP(MSI),
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = goes_with_its_wires},
};

CONF_FAMILY(events_irqfd, scenarios);
