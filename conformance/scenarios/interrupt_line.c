/* SPDX-License-Identifier: MIT */
/*
 * Interrupts by wire: PIC and IO-APIC lines, local pins and routes.
 */

#include "conformance/scenarios/apic_words.h"

#define V 0x61u
#define PIN 20u /* no PIC line */
#define LAST_PIN 23u
#define PAGE UINT64_C(0xd0000000)
#define PORT 0x700u
#define ROUTED_GSI 30u
#define OFTEN 4u

/* --- PIC --- */

static void pic_lines(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1 || number == 3)
        pulse_line(vm, 4);
    if (number == 2)
        pulse_line(vm, 12);
}

static void through_the_pic(struct conf *conf)
{
    APIC_PROGRAM(wired, VMR_EOI_PIC, PIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(PIC_VECTOR(4), 1), VMR_CHECKPOINT(2),
                 VMR_WAIT_VECTOR(PIC_VECTOR(12), 1), VMR_STI(), VMR_CHECKPOINT(3), SPIN_FOR(0, PIC_VECTOR(4), 2),
                 VMR_CLI(), EXPECT_COUNT(PIC_VECTOR(4), 2), EXPECT_COUNT(PIC_VECTOR(12), 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &wired, pic_lines);

    if (vm)
        CONF_CHECK(conf, conf_run_to_end(vm, 0), "the PIC's interrupts did not arrive");
}

static void hold_line(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    raise_line(vm, 5, number == 1);
}

static void masked_at_the_pic(struct conf *conf)
{
    APIC_PROGRAM(masks, VMR_EOI_PIC, PIC_ON(), VMR_OUT(PIC_MASTER_MASK, 1, 0x20), VMR_CHECKPOINT(1), VMR_STI(),
                 VMR_OUT(PIC_SLAVE_MASK, 1, 0), VMR_NOP(), VMR_CLI(), EXPECT_COUNT(PIC_VECTOR(5), 0),
                 VMR_OUT(PIC_MASTER_MASK, 1, 0), VMR_WAIT_VECTOR(PIC_VECTOR(5), 1), VMR_CHECKPOINT(2), OPEN(3),
                 EXPECT_COUNT(PIC_VECTOR(5), 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &masks, hold_line);

    if (vm)
        CONF_CHECK(conf, conf_run_to_end(vm, 0), "a masked line was not held back");
}

/* --- IO-APIC --- */

static void edge_lines(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    switch (number) {
    case 1: /* one edge */
        pulse_line(vm, PIN);
        break;
    case 2: /* one edge, though it is raised twice */
        raise_line(vm, PIN, true);
        raise_line(vm, PIN, true);
        break;
    case 4: /* down, and masked: nothing */
        raise_line(vm, PIN, false);
        break;
    case 5:
        pulse_line(vm, PIN);
        break;
    case 7: /* open again */
        pulse_line(vm, PIN);
        break;
    default:
        break;
    }
}

static void by_edge(struct conf *conf)
{
    APIC_PROGRAM(edges, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 2), OPEN(3), EXPECT_COUNT(V, 2), VMR_CHECKPOINT(4),
                 IOAPIC_ENTRY(PIN, 0, V | APIC_MASKED), VMR_CHECKPOINT(5), OPEN(6), EXPECT_COUNT(V, 2),
                 IOAPIC_ENTRY(PIN + 1, 0, V + 1), IOAPIC_ENTRY(PIN, 0, V + 2), VMR_CHECKPOINT(7),
                 VMR_WAIT_VECTOR(V + 2, 1), OPEN(8), EXPECT_COUNT(V, 2), EXPECT_COUNT(V + 1, 0), EXPECT_COUNT(V + 2, 1),
                 VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &edges, edge_lines);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
    conf_note(conf, "edges: 2 and 1");
}

static uint32_t times_taken(struct conf_vm *vm)
{
    uint8_t bytes[4] = {0};

    CONF_CHECK(vm->conf, vmr_memory_read(vm->memory, COUNT_OF(0, V), bytes, sizeof(bytes)) == VMR_OK, "no count");
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool has_come_often(void *argument)
{
    return times_taken(argument) >= OFTEN;
}

/* While the line is up the guest may do nothing but take it: who lets go of it is another. */
static void hold_and_let_go(void *argument)
{
    static const uint8_t one = 1;
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    raise_line(vm, PIN, true);
    (void)conf_wait(vm->conf, has_come_often, vm, "the line to interrupt again");
    raise_line(vm, PIN, false);
    CONF_CHECK(vm->conf, vmr_memory_write(vm->memory, WORD(2), &one, 1) == VMR_OK, "no RAM");
}

/* Runs VP 0 to its end while another thread moves the line. */
static bool run_held(struct conf *conf, struct conf_vm *vm)
{
    struct vmr_thread *thread = vm ? conf_thread(conf, hold_and_let_go, vm) : NULL;
    bool ended = thread && conf_run_to_end(vm, 0);

    if (thread)
        conf_join(conf, thread);
    return ended;
}

/*
 * Up, it comes again after each EOI; down, no more than what had been accepted
 * before. The guest leaves now and then: a hypervisor that interprets it may not
 * see the EOI until then.
 */
static void by_level(struct conf *conf)
{
    APIC_PROGRAM(levels, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, V | IOAPIC_LEVEL), VMR_CHECKPOINT(1), VMR_STI(),
                 VMR_OUT(PORT, 1, 0), VMR_LOAD(0, WORD(2), 1), VMR_JUMP_EQ(0, 0, 7), VMR_CLI(), OPEN(2),
                 VMR_READ_COUNT(0, V), VMR_STORE_VAR(WORD(0), 8, 0), OPEN(3), OPEN(4), VMR_READ_COUNT(0, V),
                 VMR_STORE_VAR(WORD(1), 8, 0), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &levels, NULL);

    if (!run_held(conf, vm))
        return;
    CONF_CHECK(conf, word(vm, 0) >= OFTEN, "a line that was held came %u times", (unsigned)word(vm, 0));
    CONF_CHECK_EQ(conf, word(vm, 1), word(vm, 0), "how often a line that was let go of came");
}

/* The guest sleeps as soon as its handler has ended the interrupt: what wakes it is that the line is still up. */
static void by_level_in_sleep(struct conf *conf)
{
    APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, V | IOAPIC_LEVEL), VMR_CHECKPOINT(1),
                 VMR_WAIT_VECTOR(V, OFTEN), VMR_END());

    run_held(conf, interrupt_vm(conf, 1, &sleeps, NULL));
}

/* --- local pins --- */

static void local_pins(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    if (number <= 3)
        CONF_CHECK(vm->conf, vmr_partition_lint(vm->partition, vp, number == 2 ? 1 : 0) == VMR_OK, "pin at %u", number);
}

static void by_local_pin(struct conf *conf)
{
    APIC_PROGRAM(pins, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_LVT_LINT0, 4, V),
                 VMR_STORE(APIC_LVT_LINT1, 4, APIC_MODE_NMI), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 VMR_CHECKPOINT(2), SPIN_FOR(0, VECTOR_NMI, 1), VMR_STORE(APIC_LVT_LINT0, 4, V | APIC_MASKED),
                 VMR_CHECKPOINT(3), OPEN(4), EXPECT_COUNT(V, 1), EXPECT_COUNT(VECTOR_NMI, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &pins, local_pins);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* --- each way to the VP that it names --- */

static void to_vp_1(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    if (vp != 1)
        return;
    switch (number) {
    case 1:
        raise_msi(vm, 1, V);
        break;
    case 2:
        pulse_line(vm, PIN);
        break;
    case 3:
        CONF_CHECK(vm->conf, vmr_partition_lint(vm->partition, 1, 0) == VMR_OK, "no local pin");
        break;
    case 4:
        CONF_CHECK(vm->conf, vmr_partition_nmi(vm->partition, 1) == VMR_OK, "no NMI");
        break;
    default:
        break;
    }
}

static void each_way_to_vp_1(struct conf *conf)
{
    APIC_PROGRAM(bystander, VMR_EOI_XAPIC, APIC_ON(), VMR_STI(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(0), 8, 1),
                 VMR_CLI(), EXPECT_COUNT(V, 0), EXPECT_COUNT(V + 1, 0), EXPECT_COUNT(V + 2, 0),
                 EXPECT_COUNT(VECTOR_NMI, 0), VMR_END());
    APIC_PROGRAM(named, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 1, V + 1), VMR_STORE(APIC_LVT_LINT0, 4, V + 2),
                 VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V + 1, 1),
                 VMR_CHECKPOINT(3), VMR_WAIT_VECTOR(V + 2, 1), VMR_CHECKPOINT(4), SPIN_FOR(1, VECTOR_NMI, 1), OPEN(5),
                 EXPECT_COUNT(V, 1), EXPECT_COUNT(V + 1, 1), EXPECT_COUNT(V + 2, 1), EXPECT_COUNT(VECTOR_NMI, 1),
                 VMR_STORE(WORD(0), 8, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 2, &bystander, to_vp_1);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    run_pair(vm, &named);
}

/* --- routes --- */

static enum vmr_status set_route(struct conf_vm *vm, const struct vmr_msi *msi)
{
    return vmr_partition_set_route(vm->partition, ROUTED_GSI, msi);
}

/* Whether a line without a route is an error or a line to nowhere is the hypervisor's to say. */
static void routed_line(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    enum vmr_status status = VMR_OK;

    (void)vp;
    if (number == 1)
        pulse_line(vm, ROUTED_GSI);
    if (number != 2)
        return;
    CONF_CHECK(vm->conf, set_route(vm, NULL) == VMR_OK, "a route stays");
    status = vmr_partition_irq(vm->partition, ROUTED_GSI, true);
    (void)status;
}

static void by_route(struct conf *conf)
{
    APIC_PROGRAM(routed, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), VMR_CHECKPOINT(2), OPEN(3),
                 EXPECT_COUNT(V, 1), VMR_END());
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = V};

    if (conf->handle->irqchip != VMR_IRQCHIP_KERNEL) {
        conf_skip(conf, "lines do not go to the hypervisor");
        return;
    }
    struct conf_vm *vm = interrupt_vm(conf, 1, &routed, routed_line);

    CONF_REQUIRE(conf, vm && set_route(vm, &msi) == VMR_OK, "no route");
    (void)conf_run_to_end(vm, 0);
}

static void pulse_pin(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        pulse_line(vm, PIN);
}

/* Selects a register that does not exist, and writes and reads what it selected. Three steps. */
#define BEYOND(index) VMR_STORE(IOAPIC_SELECT, 4, index), VMR_STORE(IOAPIC_WINDOW, 4, 0), VMR_LOAD(4, IOAPIC_WINDOW, 4)
/* The lower half of a redirection entry. Three steps. */
#define EXPECT_ENTRY(pin, low)                                                                                         \
    VMR_STORE(IOAPIC_SELECT, 4, 0x10u + 2u * (pin)), VMR_LOAD(4, IOAPIC_WINDOW, 4), VMR_EXPECT(4, low)

static void beyond_the_table(struct conf *conf)
{
    APIC_PROGRAM(beyond, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, V), BEYOND(0x40), BEYOND(0x41), BEYOND(0x7f),
                 BEYOND(0x80), BEYOND(0x90 + 2 * PIN), BEYOND(0xfe), BEYOND(0xff), EXPECT_ENTRY(PIN, V),
                 EXPECT_ENTRY(0, APIC_MASKED), EXPECT_ENTRY(LAST_PIN, APIC_MASKED), VMR_CHECKPOINT(1),
                 VMR_WAIT_VECTOR(V, 1), OPEN(2), EXPECT_COUNT(V, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &beyond, pulse_pin);

    if (vm)
        CONF_CHECK(conf, conf_run_to_end(vm, 0), "what lies beyond the table is not nothing");
}

static const struct conf_scenario scenarios[] = {
    {.name = "pic_lines_arrive_by_virtual_wire",
     .family = "interrupt",
     .clauses = "INT-4 INT-1",
     .chip = CONF_CHIP_ANY,
     .run = through_the_pic},
    {.name = "a_masked_pic_line_waits",
     .family = "interrupt",
     .clauses = "INT-4 INT-2",
     .chip = CONF_CHIP_ANY,
     .run = masked_at_the_pic},
    {.name = "an_io_apic_edge_is_one_interrupt",
     .family = "interrupt",
     .clauses = "INT-4 INT-1 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = by_edge},
    {.name = "an_io_apic_level_comes_until_it_is_let_go",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = by_level},
    {.name = "a_held_line_wakes_a_guest_that_sleeps_behind_its_eoi",
     .family = "interrupt",
     .clauses = "INT-1 INT-4 RUN-11",
     .quirks = CONF_QUIRK_EOI_BEFORE_HALT,
     .chip = CONF_CHIP_ANY,
     .run = by_level_in_sleep},
    {.name = "an_io_apic_index_beyond_its_table_selects_nothing",
     .family = "interrupt",
     .ids = "CVE-2013-1798",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = beyond_the_table},
    {.name = "local_pins_do_what_their_entries_say",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = by_local_pin},
    {.name = "each_way_reaches_the_vp_it_names_alone",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = each_way_to_vp_1},
    {.name = "a_routed_line_is_an_msi",
     .family = "interrupt",
     .clauses = "INT-4",
     .needs = CONF_CAP(IRQCHIP_KERNEL) | CONF_CAP(MSI),
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = by_route},
};

CONF_FAMILY(interrupt_line, scenarios);
