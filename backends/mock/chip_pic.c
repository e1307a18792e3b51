/* SPDX-License-Identifier: MIT */
/*
 * The pair of interrupt controllers of a PC, with irqchip=kernel: the slave
 * behind line 2 of the master, the master's output at the local APICs' LINT0.
 * Words and modes by the 8259A's data sheet; which lines are level triggered
 * also by the chipset's ELCR.
 *
 * As in chipsets, an edge stays latched until it is acknowledged, even if the
 * line falls before. The slave asks the master by an edge: one that has changed
 * its mind by the time of the acknowledge answers with its line 7.
 */

#include "backends/mock/chip_state.h"

#define CASCADE_LINE 2u
#define SPURIOUS_LINE 7u
#define ELCR_PORT 0x4d0u

static uint8_t bit_of(unsigned line)
{
    return (uint8_t)(1u << line);
}

static uint8_t level_lines(const struct pic *pic)
{
    return pic->all_level ? 0xff : pic->level;
}

static uint8_t requests(const struct pic *pic)
{
    return (uint8_t)((pic->edges & ~level_lines(pic)) | (pic->lines & level_lines(pic)));
}

/* In special mask mode a line that is masked blocks nobody while it is in service. */
static uint8_t blocking(const struct pic *pic)
{
    return pic->special_mask ? pic->in_service & (uint8_t)~pic->mask : pic->in_service;
}

/* In special fully nested mode, of the master: more of the slave's lines may come while one of them is in service. */
static bool is_nested(const struct pic *pic, unsigned line)
{
    return pic->special_nested && line == CASCADE_LINE;
}

/* The line to be served next; -1: none. */
static int pick(const struct pic *pic)
{
    uint8_t asking = requests(pic) & (uint8_t)~pic->mask;

    for (unsigned i = 1; i <= 8 && pic->initialised; i++) {
        unsigned line = (pic->lowest + i) & 7;
        bool served = (blocking(pic) & bit_of(line)) != 0;

        if ((asking & bit_of(line)) != 0 && (!served || is_nested(pic, line)))
            return (int)line;
        if (served)
            break;
    }
    return -1;
}

/* After each change: the slave asks the master, and the master those VPs that listen; the first is enough. */
static void update(struct vmr_backend_vm *vm)
{
    struct chip *chip = vm->chip;
    struct pic *slave = &chip->pics[PIC_SLAVE];
    bool asks = pick(slave) >= 0;

    if (asks && !slave->asks)
        chip->pics[PIC_MASTER].edges |= bit_of(CASCADE_LINE);
    slave->asks = asks;
    if (pick(&chip->pics[PIC_MASTER]) < 0)
        return;
    for (vmr_vp_index i = 0; i < vm->vp_count; i++) {
        if (!chip_lapic_takes_pic(&chip->lapics[i]))
            continue;
        chip->lapics[i].attend = true;
        chip->attend = true;
        break;
    }
}

void chip_pic_set_line(struct vmr_backend_vm *vm, unsigned line, bool level)
{
    struct pic *pic = &vm->chip->pics[line / 8];
    uint8_t bit = bit_of(line % 8);

    if (line == CASCADE_LINE)
        return; /* not for devices */
    if (level && (pic->lines & bit) == 0 && (level_lines(pic) & bit) == 0)
        pic->edges |= bit;
    pic->lines = level ? pic->lines | bit : pic->lines & (uint8_t)~bit;
    update(vm);
}

/* --- the acknowledge cycle --- */

static unsigned serve(struct pic *pic)
{
    int line = pick(pic);

    pic->asks = false; /* whatever is left is another edge */
    if (line < 0)
        return SPURIOUS_LINE;
    pic->edges &= (uint8_t)~bit_of((unsigned)line);
    if (!pic->auto_eoi)
        pic->in_service |= bit_of((unsigned)line);
    else if (pic->rotates)
        pic->lowest = (uint8_t)line;
    return (unsigned)line;
}

int chip_pic_acknowledge(struct vmr_backend_vm *vm)
{
    struct pic *pic = &vm->chip->pics[PIC_MASTER];

    if (pick(pic) < 0)
        return -1;
    unsigned line = serve(pic);

    if (line == CASCADE_LINE && !pic->single) {
        pic = &vm->chip->pics[PIC_SLAVE];
        line = serve(pic);
    }
    update(vm);
    return (int)(pic->vector_base | line);
}

/* --- the guest's words --- */

/* First initialisation word: edges are forgotten, everything else is as at power-up but for the ELCR. */
static void initialise(struct pic *pic, uint8_t word)
{
    *pic = (struct pic){
        .lines = pic->lines,
        .level = pic->level,
        .lowest = 7,
        .awaited = 2,
        .all_level = (word & 8) != 0,
        .single = (word & 2) != 0,
        .takes_word_4 = (word & 1) != 0,
    };
}

static void take_word(struct pic *pic, uint8_t word)
{
    uint8_t last = pic->takes_word_4 ? 4 : pic->single ? 2 : 3;

    if (pic->awaited == 2)
        pic->vector_base = word & 0xf8;
    if (pic->awaited == 4) {
        pic->special_nested = (word & 0x10) != 0;
        pic->auto_eoi = (word & 2) != 0;
    } /* the third says where the slave is, which the board has decided */
    pic->initialised = pic->awaited == last;
    if (pic->initialised)
        pic->awaited = 0;
    else
        pic->awaited = pic->awaited == 2 && pic->single ? 4 : pic->awaited + 1;
}

/* Second operation command word: rotate, specific, end of interrupt, and a line. */
static void end_or_rotate(struct pic *pic, uint8_t word)
{
    bool rotate = (word & 0x80) != 0, specific = (word & 0x40) != 0, ends = (word & 0x20) != 0;
    int line = specific ? word & 7 : -1;

    if (!ends && !specific)
        pic->rotates = rotate; /* with automatic end of interrupt */
    for (unsigned i = 1; i <= 8 && ends && line < 0; i++) {
        if (blocking(pic) & bit_of((pic->lowest + i) & 7))
            line = (int)((pic->lowest + i) & 7);
    }
    if (line < 0)
        return;
    if (ends)
        pic->in_service &= (uint8_t)~bit_of((unsigned)line);
    if (rotate)
        pic->lowest = (uint8_t)line;
}

/* Third operation command word. */
static void set_reading(struct pic *pic, uint8_t word)
{
    if (word & 0x40)
        pic->special_mask = (word & 0x20) != 0;
    if (word & 2)
        pic->reads_in_service = (word & 1) != 0;
    pic->polled = (word & 4) != 0;
}

static void write_pic(struct pic *pic, bool data, uint8_t word)
{
    if (data && pic->awaited != 0)
        take_word(pic, word);
    else if (data)
        pic->mask = word;
    else if (word & 0x10)
        initialise(pic, word);
    else if (word & 8)
        set_reading(pic, word);
    else
        end_or_rotate(pic, word);
}

static uint8_t read_pic(struct pic *pic, bool data)
{
    if (pic->polled) { /* the read is the acknowledge cycle */
        pic->polled = false;
        return pick(pic) < 0 ? 0 : (uint8_t)(0x80 | serve(pic));
    }
    if (data)
        return pic->mask;
    return pic->reads_in_service ? pic->in_service : requests(pic);
}

static bool takes_port(const struct vmr_backend_vp *vp, uint16_t port)
{
    return vp->vm->irqchip == VMR_IRQCHIP_KERNEL && ((port & ~0x81u) == 0x20 || (port & ~1u) == ELCR_PORT);
}

/* Accesses of more than a byte are taken and mean nothing: reads give 0. */
bool chip_in(struct vmr_backend_vp *vp, uint16_t port, uint8_t size, uint64_t *ret_value)
{
    struct chip *chip = vp->vm->chip;

    *ret_value = 0;
    if (!takes_port(vp, port))
        return false;
    sync_mutex_lock(&chip->lock);
    if (size == 1 && port >= ELCR_PORT)
        *ret_value = chip->pics[port & 1].level;
    else if (size == 1)
        *ret_value = read_pic(&chip->pics[port >> 7], (port & 1) != 0);
    update(vp->vm);
    chip_unlock(vp->vm);
    return true;
}

bool chip_out(struct vmr_backend_vp *vp, uint16_t port, uint8_t size, uint64_t value)
{
    /* Lines 0, 1, 2, 8 and 13 are edge triggered on every board. */
    static const uint8_t may_be_level[PIC_COUNT] = {0xf8, 0xde};
    struct chip *chip = vp->vm->chip;

    if (!takes_port(vp, port))
        return false;
    sync_mutex_lock(&chip->lock);
    if (size == 1 && port >= ELCR_PORT)
        chip->pics[port & 1].level = (uint8_t)value & may_be_level[port & 1];
    else if (size == 1)
        write_pic(&chip->pics[port >> 7], (port & 1) != 0, (uint8_t)value);
    update(vp->vm);
    chip_unlock(vp->vm);
    return true;
}
