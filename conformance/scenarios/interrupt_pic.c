/* SPDX-License-Identifier: MIT */
/*
 * What the pair of PICs does between a line and the processor: priorities that
 * rotate, levels, and lines that are let go of too early. The handlers leave the
 * end of interrupt to the program, so that it can look in between.
 */

#include "conformance/scenarios/apic_words.h"

#define ELCR_MASTER 0x4d0u
#define ELCR_SLAVE 0x4d1u
#define READ_REQUESTS 0x0au
#define READ_IN_SERVICE 0x0bu
#define END_OF_INTERRUPT 0x20u
#define SPECIFIC_END(line) (0x60u | (line))
#define SET_LOWEST(line) (0xc0u | (line))
#define SPURIOUS_SLAVE PIC_VECTOR(15)

/* What the master says to a read command; three steps, variable 0. */
#define EXPECT_MASTER(command, value)                                                                                  \
    VMR_OUT(PIC_MASTER, 1, (command)), VMR_IN(0, PIC_MASTER, 1), VMR_EXPECT(0, (value))

static void run_with_lines(struct conf *conf, const struct vmr_program *program,
                           void (*on_checkpoint)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    struct conf_vm *vm = interrupt_vm(conf, 1, program, on_checkpoint);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* --- in the order of priority --- */

static void pulse_3_and_5(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number != 1 && number != 4)
        return;
    pulse_line(vm, 5);
    pulse_line(vm, 3);
}

static void by_rotation(struct conf *conf)
{
    APIC_PROGRAM(ordered, VMR_EOI_NONE, PIC_ON(), VMR_CHECKPOINT(1), EXPECT_MASTER(READ_REQUESTS, 0x28), OPEN(2),
                 EXPECT_COUNT(PIC_VECTOR(3), 1), EXPECT_COUNT(PIC_VECTOR(5), 0), EXPECT_MASTER(READ_IN_SERVICE, 0x08),
                 EXPECT_MASTER(READ_REQUESTS, 0x20), VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT), OPEN(3),
                 EXPECT_COUNT(PIC_VECTOR(5), 1), VMR_OUT(PIC_MASTER, 1, SPECIFIC_END(5)),
                 EXPECT_MASTER(READ_IN_SERVICE, 0), VMR_OUT(PIC_MASTER, 1, SET_LOWEST(4)), VMR_CHECKPOINT(4), OPEN(5),
                 EXPECT_COUNT(PIC_VECTOR(3), 1), EXPECT_COUNT(PIC_VECTOR(5), 2), EXPECT_MASTER(READ_IN_SERVICE, 0x20),
                 VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT), OPEN(6), EXPECT_COUNT(PIC_VECTOR(3), 2), VMR_END());

    run_with_lines(conf, &ordered, pulse_3_and_5);
    conf_note(conf, "3 before 5; rotated, 5 before 3");
}

/* --- by level --- */

static void hold_5(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1 || number == 4)
        raise_line(vm, 5, number == 1);
}

static void by_level(struct conf *conf)
{
    APIC_PROGRAM(held, VMR_EOI_NONE, VMR_OUT(ELCR_MASTER, 1, 0x20), VMR_IN(0, ELCR_MASTER, 1), VMR_EXPECT(0, 0x20),
                 PIC_ON(), VMR_CHECKPOINT(1), OPEN(2), EXPECT_COUNT(PIC_VECTOR(5), 1),
                 VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT), OPEN(3), EXPECT_COUNT(PIC_VECTOR(5), 2), VMR_CHECKPOINT(4),
                 VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT), OPEN(5), EXPECT_COUNT(PIC_VECTOR(5), 2), VMR_END());

    run_with_lines(conf, &held, hold_5);
}

/* --- let go of too early --- */

static void touch_12(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        pulse_line(vm, 12);
    if (number == 3 || number == 5)
        raise_line(vm, 12, number == 3);
}

/* Nothing, or the vector that the slave gives for nothing: then the master, and the master alone, has it in service. */
static void let_go(struct conf *conf)
{
    APIC_PROGRAM(early, VMR_EOI_NONE, VMR_OUT(ELCR_SLAVE, 1, 0x10), PIC_ON(), VMR_CHECKPOINT(1), OPEN(2),
                 EXPECT_COUNT(PIC_VECTOR(12), 0), VMR_READ_COUNT(0, SPURIOUS_SLAVE), VMR_STORE_VAR(WORD(0), 8, 0),
                 VMR_OUT(PIC_SLAVE, 1, READ_IN_SERVICE), VMR_IN(0, PIC_SLAVE, 1), VMR_EXPECT(0, 0),
                 VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT), VMR_CHECKPOINT(3), OPEN(4), EXPECT_COUNT(PIC_VECTOR(12), 1),
                 VMR_IN(0, PIC_SLAVE, 1), VMR_EXPECT(0, 0x10), VMR_CHECKPOINT(5),
                 VMR_OUT(PIC_SLAVE, 1, END_OF_INTERRUPT), VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT), OPEN(6),
                 EXPECT_COUNT(PIC_VECTOR(12), 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &early, touch_12);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, word(vm, 0) <= 1, "one line let go of came %u times", (unsigned)word(vm, 0));
}

/* --- the slave's own --- */

static void pulse_9_and_10(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        pulse_line(vm, 10);
    if (number == 3)
        pulse_line(vm, 9);
}

/* The slave's more urgent line waits for the end at the master, unless the master is specially fully nested. */
static void nested(struct conf *conf)
{
    APIC_PROGRAM(nests, VMR_EOI_NONE, PIC_ON(), VMR_OUT(PIC_MASTER, 1, 0x11), VMR_OUT(PIC_MASTER_MASK, 1, 0x20),
                 VMR_OUT(PIC_MASTER_MASK, 1, 4), VMR_OUT(PIC_MASTER_MASK, 1, 0x11), VMR_OUT(PIC_MASTER_MASK, 1, 0),
                 VMR_CHECKPOINT(1), OPEN(2), EXPECT_COUNT(PIC_VECTOR(10), 1), VMR_CHECKPOINT(3), OPEN(4),
                 EXPECT_COUNT(PIC_VECTOR(9), 1), VMR_END());

    run_with_lines(conf, &nests, pulse_9_and_10);
}

static void not_nested(struct conf *conf)
{
    APIC_PROGRAM(waits, VMR_EOI_NONE, PIC_ON(), VMR_CHECKPOINT(1), OPEN(2), EXPECT_COUNT(PIC_VECTOR(10), 1),
                 VMR_CHECKPOINT(3), OPEN(4), EXPECT_COUNT(PIC_VECTOR(9), 0), VMR_OUT(PIC_MASTER, 1, END_OF_INTERRUPT),
                 OPEN(5), EXPECT_COUNT(PIC_VECTOR(9), 1), VMR_END());

    run_with_lines(conf, &waits, pulse_9_and_10);
}

static void automatic_end(struct conf *conf)
{
    APIC_PROGRAM(ends, VMR_EOI_NONE, PIC_ON(), VMR_OUT(PIC_MASTER, 1, 0x11), VMR_OUT(PIC_MASTER_MASK, 1, 0x20),
                 VMR_OUT(PIC_MASTER_MASK, 1, 4), VMR_OUT(PIC_MASTER_MASK, 1, 3), VMR_OUT(PIC_MASTER_MASK, 1, 0),
                 VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(PIC_VECTOR(3), 1), VMR_WAIT_VECTOR(PIC_VECTOR(5), 1),
                 EXPECT_MASTER(READ_IN_SERVICE, 0), VMR_END());

    run_with_lines(conf, &ends, pulse_3_and_5);
}

static const struct conf_scenario scenarios[] = {
    {.name = "pic_lines_come_in_the_order_that_the_guest_rotates",
     .family = "interrupt",
     .clauses = "INT-4 INT-2 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = by_rotation},
    {.name = "a_pic_level_comes_until_it_is_let_go",
     .family = "interrupt",
     .clauses = "INT-4 INT-1",
     .chip = CONF_CHIP_ANY,
     .run = by_level},
    {.name = "a_pic_level_let_go_of_early_is_at_most_spurious",
     .family = "interrupt",
     .clauses = "INT-4 INT-1",
     .chip = CONF_CHIP_ANY,
     .run = let_go},
    {.name = "a_specially_nested_pic_lets_its_slave_interrupt_itself",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = nested},
    {.name = "a_slave_line_waits_for_the_end_at_the_master",
     .family = "interrupt",
     .clauses = "INT-4 INT-2",
     .chip = CONF_CHIP_ANY,
     .run = not_nested},
    {.name = "a_pic_ends_interrupts_itself_if_told_to",
     .family = "interrupt",
     .clauses = "INT-4 INT-1",
     .chip = CONF_CHIP_ANY,
     .run = automatic_end},
};

CONF_FAMILY(interrupt_pic, scenarios);
