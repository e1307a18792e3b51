/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The dirty log as the files of this folder use it. Each region has a bit a page
 * while the log is on: writes of the library set it, and what the hypervisor has
 * logged is added when somebody takes, or when it would be lost.
 */

#include "lib/memory/memory.h"
#include "vmrig/dirty.h"

void dirty_mark_bits(const struct vmr_memory *memory, const struct region *region, uint64_t offset, uint64_t length);

/*
 * `length` bytes, not 0, at `offset` of the region have been written. Afterwards, never
 * before: who takes in between must not copy the old bytes and find the page
 * clean next time. [DIRTY-1] With `table` held, or `changes`.
 */
static inline void dirty_mark(const struct vmr_memory *memory, const struct region *region, uint64_t offset,
                              uint64_t length)
{
    if (__builtin_expect(region->dirty != NULL, 0))
        dirty_mark_bits(memory, region, offset, length);
}

/* --- under changes --- */

/* Gives a new region its bits, all set, if the log is on. False: out of memory. */
bool dirty_add_region(const struct vmr_memory *memory, struct region *region);
/* The listener begins to log, if the log is on. */
enum vmr_status dirty_tell_listener(const struct vmr_memory *memory, struct vmr_error *err);
/* Keeps what the listener has logged of [gpa, gpa + size), before it forgets: what it does not tell counts as written.
 */
void dirty_keep(struct vmr_memory *memory, vmr_gpa gpa, uint64_t size);
