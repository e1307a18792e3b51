/* SPDX-License-Identifier: MIT */
/*
 * Two 8259A, after Intel's data sheet of the chip (order number 231468), wired
 * as in a PC, with the edge/level registers of later chip sets.
 *
 * One departure: an edge stays latched when its line falls before it is
 * acknowledged, where the chip would answer with a spurious line 7. Host code
 * pulses lines faster than a guest can look, and no pulse may be lost. [INT-1]
 */

#include "lib/devices/pic.h"

#define LINES_PER_CHIP 8u
#define SPURIOUS_LINE 7u
#define CASCADE_BIT (1u << PIC_CASCADE_LINE)

#define ICW1_INIT 0x10u
#define ICW1_ICW4 0x01u
#define ICW1_SINGLE 0x02u
#define ICW1_LEVEL 0x08u
#define ICW4_AUTO_EOI 0x02u
#define ICW4_SPECIAL_NESTED 0x10u
#define OCW3_SELECT 0x08u
#define OCW3_READ 0x02u
#define OCW3_READ_ISR 0x01u
#define OCW3_POLL 0x04u
#define OCW3_MASK 0x40u
#define OCW3_MASK_ON 0x20u
#define POLL_PENDING 0x80u

/* The system timer, the keyboard and the cascade are edge triggered for good; so are the RTC and the FPU. */
#define ELCR_MASTER 0xf8u
#define ELCR_SLAVE 0xdeu

static uint8_t level_lines(const struct pic_chip *chip)
{
    return chip->level_all ? 0xff : chip->elcr;
}

static uint8_t requests(const struct pic_chip *chip)
{
    uint8_t level = level_lines(chip);

    return (uint8_t)((chip->latched & ~level) | (chip->lines & level));
}

/* 0 for the line with the highest priority; LINES_PER_CHIP if no bit is set. */
static unsigned rank_of_highest(const struct pic_chip *chip, unsigned bits)
{
    unsigned rank = 0;

    while (rank < LINES_PER_CHIP && !(bits >> ((chip->first + rank) % LINES_PER_CHIP) & 1u))
        rank++;
    return rank;
}

/* The line to serve next, if one beats what is in service. */
static bool next_line(const struct pic_chip *chip, unsigned *ret_line)
{
    /* Operation begins when the last initialisation word has come; before, no vector has been chosen. */
    if (!chip->programmed)
        return false;
    unsigned rank = rank_of_highest(chip, requests(chip) & (unsigned)~chip->imr);
    unsigned blocking = chip->isr;

    /* In special mask mode a masked line does not hold back others. */
    if (chip->special_mask)
        blocking &= (unsigned)~chip->imr;
    /* In special fully nested mode the slave may interrupt itself: its line does not hold back itself. */
    unsigned blocking_rank = rank_of_highest(chip, blocking);

    if (chip->special_nested && rank == blocking_rank && (chip->first + rank) % LINES_PER_CHIP == PIC_CASCADE_LINE)
        blocking_rank = LINES_PER_CHIP;
    if (rank >= blocking_rank || rank == LINES_PER_CHIP)
        return false;
    *ret_line = (chip->first + rank) % LINES_PER_CHIP;
    return true;
}

static bool chip_output(const struct pic_chip *chip)
{
    unsigned line;

    return next_line(chip, &line);
}

static void chip_set_line(struct pic_chip *chip, unsigned line, bool level)
{
    uint8_t bit = (uint8_t)(1u << line);

    if (level && !(chip->lines & bit) && !(level_lines(chip) & bit))
        chip->latched |= bit;
    chip->lines = (uint8_t)(level ? chip->lines | bit : chip->lines & ~bit);
}

/* Carries the slave's output to the master. Nobody pulses that line, so a request taken back is forgotten. */
static void update_cascade(struct pic *pic)
{
    bool level = chip_output(&pic->slave);

    chip_set_line(&pic->master, PIC_CASCADE_LINE, level);
    if (!level)
        pic->master.latched &= (uint8_t)~CASCADE_BIT;
}

static void rotate_past(struct pic_chip *chip, unsigned line)
{
    chip->first = (uint8_t)((line + 1) % LINES_PER_CHIP);
}

/* What one chip does in an acknowledge cycle: the line it serves, 7 if it has none (data sheet, "Edge and level"). */
static unsigned chip_acknowledge(struct pic_chip *chip)
{
    unsigned line;

    if (!next_line(chip, &line))
        return SPURIOUS_LINE;
    chip->latched &= (uint8_t) ~(1u << line);
    if (!chip->auto_eoi)
        chip->isr |= (uint8_t)(1u << line);
    else if (chip->rotate_on_auto_eoi)
        rotate_past(chip, line);
    return line;
}

/* The slave's output falls during the cycle, so that what it asks for next is a new edge. */
static unsigned slave_acknowledge(struct pic *pic)
{
    unsigned line = chip_acknowledge(&pic->slave);

    chip_set_line(&pic->master, PIC_CASCADE_LINE, false);
    update_cascade(pic);
    return line;
}

static void chip_init(struct pic_chip *chip, uint8_t elcr_mask)
{
    *chip = (struct pic_chip){.elcr_mask = elcr_mask};
}

void pic_init(struct pic *pic)
{
    chip_init(&pic->master, ELCR_MASTER);
    chip_init(&pic->slave, ELCR_SLAVE);
}

void pic_set_line(struct pic *pic, unsigned line, bool level)
{
    if (line == PIC_CASCADE_LINE || line >= PIC_LINE_COUNT)
        return;
    if (line < LINES_PER_CHIP) {
        chip_set_line(&pic->master, line, level);
        return;
    }
    chip_set_line(&pic->slave, line - LINES_PER_CHIP, level);
    update_cascade(pic);
}

void pic_hold_lines(struct pic *pic, uint32_t levels)
{
    pic->slave.lines = (uint8_t)(levels >> LINES_PER_CHIP);
    pic->master.lines = (uint8_t)(levels & (unsigned)~CASCADE_BIT);
    if (chip_output(&pic->slave))
        pic->master.lines |= CASCADE_BIT; /* before it is carried over, which would see it rise */
    update_cascade(pic);
}

bool pic_output(const struct pic *pic)
{
    return chip_output(&pic->master);
}

uint8_t pic_acknowledge(struct pic *pic)
{
    unsigned line;
    bool from_slave = next_line(&pic->master, &line) && line == PIC_CASCADE_LINE && !pic->master.single &&
                      (pic->master.cascade_lines & CASCADE_BIT);

    line = chip_acknowledge(&pic->master);
    if (from_slave)
        return (uint8_t)(pic->slave.vector_base + slave_acknowledge(pic));
    return (uint8_t)(pic->master.vector_base + line);
}

/* --- command words --- */

/* ICW1. Line levels stay, edges are forgotten: a line that is high must fall and rise to be seen. */
static void start_initialisation(struct pic_chip *chip, uint8_t value)
{
    struct pic_chip fresh = {
        .lines = chip->lines,
        .elcr = chip->elcr,
        .elcr_mask = chip->elcr_mask,
        .vector_base = chip->vector_base,
        .cascade_lines = chip->cascade_lines,
        .init_state = PIC_WANTS_ICW2,
        .level_all = (value & ICW1_LEVEL) != 0,
        .single = (value & ICW1_SINGLE) != 0,
        .wants_icw4 = (value & ICW1_ICW4) != 0,
    };

    *chip = fresh;
}

/* A non-specific EOI ends the most urgent line in service, but not one that special mask mode hides. */
static bool line_in_service(const struct pic_chip *chip, unsigned *ret_line)
{
    unsigned rank = rank_of_highest(chip, chip->special_mask ? chip->isr & (unsigned)~chip->imr : chip->isr);

    if (rank == LINES_PER_CHIP)
        return false;
    *ret_line = (chip->first + rank) % LINES_PER_CHIP;
    return true;
}

/* OCW2, by its top bits: rotate, specific, EOI. */
static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
    unsigned named = value & 7u;
    unsigned line;

    switch (value >> 5) {
    case 0: /* rotate in automatic EOI mode: clear */
    case 4: /* and set */
        chip->rotate_on_auto_eoi = value >> 7 != 0;
        break;
    case 1: /* non-specific EOI */
    case 5: /* and rotate */
        if (!line_in_service(chip, &line))
            break;
        chip->isr &= (uint8_t) ~(1u << line);
        if (value >> 7)
            rotate_past(chip, line);
        break;
    case 3: /* specific EOI */
        chip->isr &= (uint8_t) ~(1u << named);
        break;
    case 6: /* set priority: the named line becomes the lowest */
        rotate_past(chip, named);
        break;
    case 7: /* specific EOI and rotate */
        chip->isr &= (uint8_t) ~(1u << named);
        rotate_past(chip, named);
        break;
    default: /* 2: no operation */
        break;
    }
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
    if (value & OCW3_POLL)
        chip->poll = true;
    if (value & OCW3_READ)
        chip->read_isr = (value & OCW3_READ_ISR) != 0;
    if (value & OCW3_MASK)
        chip->special_mask = (value & OCW3_MASK_ON) != 0;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
    if (value & ICW1_INIT)
        start_initialisation(chip, value);
    else if (value & OCW3_SELECT)
        write_ocw3(chip, value);
    else
        write_ocw2(chip, value);
}

static enum pic_init_state state_after(const struct pic_chip *chip, enum pic_init_state state)
{
    if (state == PIC_WANTS_ICW2 && !chip->single)
        return PIC_WANTS_ICW3;
    return state != PIC_WANTS_ICW4 && chip->wants_icw4 ? PIC_WANTS_ICW4 : PIC_READY;
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
    switch (chip->init_state) {
    case PIC_READY:
        chip->imr = value;
        return;
    case PIC_WANTS_ICW2:
        chip->vector_base = value & 0xf8u;
        break;
    case PIC_WANTS_ICW3:
        chip->cascade_lines = value;
        break;
    case PIC_WANTS_ICW4:
        chip->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
        chip->special_nested = (value & ICW4_SPECIAL_NESTED) != 0;
        break;
    }
    chip->init_state = state_after(chip, chip->init_state);
    chip->programmed = chip->init_state == PIC_READY;
}

/* A line that becomes level triggered forgets its edge, or the edge would come back with edge triggering. */
static void write_elcr(struct pic_chip *chip, uint8_t value)
{
    chip->elcr = value & chip->elcr_mask;
    chip->latched &= (uint8_t)~chip->elcr;
}

/* A read after a poll command is an acknowledge cycle that names the line instead of a vector. */
static uint8_t read_poll(struct pic *pic, struct pic_chip *chip)
{
    unsigned line;

    chip->poll = false;
    if (!next_line(chip, &line))
        return 0;
    line = chip == &pic->slave ? slave_acknowledge(pic) : chip_acknowledge(chip);
    return (uint8_t)(POLL_PENDING | line);
}

uint8_t pic_read(struct pic *pic, uint64_t port)
{
    if (port == 0x4d0 || port == 0x4d1)
        return port == 0x4d0 ? pic->master.elcr : pic->slave.elcr;
    if (port != 0x20 && port != 0x21 && port != 0xa0 && port != 0xa1)
        return 0xff;
    struct pic_chip *chip = port < 0xa0 ? &pic->master : &pic->slave;

    if (chip->poll)
        return read_poll(pic, chip);
    if (port & 1)
        return chip->imr;
    return chip->read_isr ? chip->isr : requests(chip);
}

void pic_write(struct pic *pic, uint64_t port, uint8_t value)
{
    switch (port) {
    case 0x20:
        write_command(&pic->master, value);
        break;
    case 0x21:
        write_data(&pic->master, value);
        break;
    case 0xa0:
        write_command(&pic->slave, value);
        break;
    case 0xa1:
        write_data(&pic->slave, value);
        break;
    case 0x4d0:
        write_elcr(&pic->master, value);
        break;
    case 0x4d1:
        write_elcr(&pic->slave, value);
        break;
    default:
        break;
    }
    update_cascade(pic);
}
