/* SPDX-License-Identifier: MIT */
#pragma once

/* The dirty log of a whole memory: a bitmap for each of its regions. */

#include "vmrig/dirty.h"

struct bitmaps {
    struct vmr_dirty_bitmap *items; /* by address */
    uint64_t *scratch;              /* as many words as the largest has */
    size_t count, taken;            /* of the first `taken` the log has forgotten what they say */
};

/* Room for all, before any page is taken. False: out of memory; there is something to finish in either case. */
bool bitmaps_init(struct bitmaps *bitmaps, struct vmr_memory *memory);
void bitmaps_finish(struct bitmaps *bitmaps); /* zeroed is fine */
/* With an error, what was taken is known by `taken`. */
enum vmr_status bitmaps_take(struct bitmaps *bitmaps, struct vmr_memory *memory, struct vmr_error *err);
/*
 * What was taken has been written again by whoever put it back: the log forgets it once more, and what else lies
 * between its first and its last page in a region. The bitmaps still say what they said.
 */
enum vmr_status bitmaps_forget_again(const struct bitmaps *bitmaps, struct vmr_memory *memory, struct vmr_error *err);
/* What was taken and could not be used is dirty again. */
void bitmaps_mark_again(struct bitmaps *bitmaps, struct vmr_memory *memory);
