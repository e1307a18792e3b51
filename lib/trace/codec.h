/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records to and from the bytes of a block. What a record's bytes mean depends
 * on those before it in the same block; a struct trace_state holds that, and is
 * reset where a block begins. Each record has one encoding in its place: bytes
 * that decode encode to themselves. [TRC-3]
 */

#include "lib/trace/record.h"

struct trace_vp_regs;

/* The last known registers of each VP. Allocated as VPs appear. */
struct trace_regs_table {
    struct trace_vp_regs **vps;
    size_t count;
    uint64_t generation;
};

void trace_regs_init(struct trace_regs_table *table);
void trace_regs_finish(struct trace_regs_table *table);
/* All registers of all VPs are zero again. */
void trace_regs_reset(struct trace_regs_table *table);
/* NULL: out of memory, or no VP index. */
struct vmr_x86_regs *trace_regs_of(struct trace_regs_table *table, uint32_t vp);

struct trace_state {
    uint32_t last_vp;
    uint64_t last_time;
    struct trace_regs_table regs;
    struct vmr_exit vp_exit; /* the decoder's */
    uint8_t string[VMR_STRING_IO_BYTES_MAX];
};

void trace_state_init(struct trace_state *state);
void trace_state_finish(struct trace_state *state);
void trace_state_reset(struct trace_state *state);

/* False, and the writer as before, if the record does not fit, is not valid, or memory ran out. The state is then moot.
 */
bool trace_encode(struct trace_state *state, struct writer *writer, const struct trace_record *record);

enum trace_decode_result {
    TRACE_DECODE_OK,
    TRACE_DECODE_BAD,     /* no record */
    TRACE_DECODE_UNKNOWN, /* one of a kind that this reader must know and does not */
    TRACE_DECODE_NOMEM
};

/* Everything but sequence and exit. What it points to is valid until the next call. */
enum trace_decode_result trace_decode(struct trace_state *state, struct reader *reader,
                                      struct trace_record *ret_record);

/* Steps over a record: kind, VP, and the first byte of the payload (0: empty). `last_vp` begins a block as TRACE_NO_VP.
 */
bool trace_skim(struct reader *reader, uint32_t *last_vp, unsigned *ret_kind, uint8_t *ret_first);
