/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pair of 8259A interrupt controllers of a PC: 16 lines, the slave behind
 * line 2 of the master. A plain model without a lock: its owner has one.
 */

#include <stdbool.h>
#include <stdint.h>

#define PIC_LINE_COUNT 16u
#define PIC_CASCADE_LINE 2u

/* Which initialisation word comes next at the data port. */
enum pic_init_state {
    PIC_READY,
    PIC_WANTS_ICW2,
    PIC_WANTS_ICW3,
    PIC_WANTS_ICW4
};

struct pic_chip {
    uint8_t lines;   /* as the devices hold them */
    uint8_t latched; /* edges seen and not yet acknowledged */
    uint8_t imr, isr;
    uint8_t elcr, elcr_mask; /* 1: the line is level triggered; the mask says which lines may be */
    uint8_t vector_base;
    uint8_t cascade_lines; /* ICW3, of the master */
    uint8_t first;         /* the line with the highest priority */
    enum pic_init_state init_state;
    bool programmed; /* all initialisation words have come: there is a vector to give */
    bool level_all;  /* ICW1.LTIM */
    bool single;
    bool wants_icw4;
    bool auto_eoi, rotate_on_auto_eoi;
    bool special_mask, special_nested;
    bool read_isr, poll;
};

struct pic {
    struct pic_chip master, slave;
};

void pic_init(struct pic *pic);
/* `line` below 16; 2 is the cascade and not for devices: ignored. */
void pic_set_line(struct pic *pic, unsigned line, bool level);
/* The lines are as `levels` says, a bit each, and always were: no edge comes of it. */
void pic_hold_lines(struct pic *pic, uint32_t levels);
/* Whether the master holds the processor's INTR line. */
bool pic_output(const struct pic *pic);
/* The processor's interrupt acknowledge cycle: a vector in any case, the spurious one if nothing asks. */
uint8_t pic_acknowledge(struct pic *pic);

/* Ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1; any other answers ones and takes nothing. */
uint8_t pic_read(struct pic *pic, uint64_t port);
void pic_write(struct pic *pic, uint64_t port, uint8_t value);
