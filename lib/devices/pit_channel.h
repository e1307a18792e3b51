/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One counter of the 8254 as arithmetic on ticks of its input clock: nothing
 * counts, every question is answered from the tick at which counting began.
 * The caller gives the present tick, which never goes back.
 */

#include <stdbool.h>
#include <stdint.h>

/* The access bits of a control word, D5-D4. */
enum pit_access {
    PIT_LATCH,
    PIT_LOW,
    PIT_HIGH,
    PIT_LOW_HIGH,
};

struct pit_channel {
    uint8_t mode; /* 0 to 5 */
    uint8_t access;
    bool bcd;
    bool gate;

    uint32_t reload;      /* 1 to 65536; 0: no count was written yet */
    uint32_t next_reload; /* waits for the end of the period or for the trigger; 0: none */
    bool counting;
    uint64_t start;  /* the tick at which `reload` was loaded */
    uint64_t paused; /* gate low: the tick at which counting stopped */

    bool high_byte_next; /* of a PIT_LOW_HIGH write */
    uint8_t low_byte;
    bool read_high_next;
    bool count_latched, status_latched;
    uint16_t latched_count;
    uint8_t latched_status;
};

/* The largest count: 65536, or 10000 in BCD. */
uint32_t pit_channel_range(const struct pit_channel *channel);
void pit_channel_init(struct pit_channel *channel, bool gate);
/* A control word that is no latch and no read-back command; `word` is the whole byte. */
void pit_channel_control(struct pit_channel *channel, uint8_t word);
void pit_channel_write(struct pit_channel *channel, uint8_t byte, uint64_t now);
uint8_t pit_channel_read(struct pit_channel *channel, uint64_t now);
void pit_channel_latch_count(struct pit_channel *channel, uint64_t now);
void pit_channel_latch_status(struct pit_channel *channel, uint64_t now);
void pit_channel_set_gate(struct pit_channel *channel, bool gate, uint64_t now);
bool pit_channel_out(struct pit_channel *channel, uint64_t now);
/* The first tick after `after` at which the output rises; false: it does not, as things stand. */
bool pit_channel_next_edge(struct pit_channel *channel, uint64_t after, uint64_t *ret_tick);
