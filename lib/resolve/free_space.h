/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What of the address space nobody has: ranges, ascending and apart.
 */

#include <stdbool.h>
#include <stddef.h>

#include "vmrig/config/values.h"
#include "vmrig/limits.h"

#define FREE_SPACE_END (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

struct free_space {
    struct vmr_gpa_range *ranges;
    size_t count, capacity;
};

/* All of it is free. False: out of memory. */
bool free_space_init(struct free_space *space);
void free_space_finish(struct free_space *space); /* zeroed is fine */
/* Takes what lies inside one range, and is no longer free when it returns. False: out of memory. */
bool free_space_take(struct free_space *space, uint64_t start, uint64_t size);
/* The highest place that ends at or below `end`; the lowest that begins at or above `from`. `size` is not 0. */
bool free_space_highest(const struct free_space *space, uint64_t size, uint64_t alignment, uint64_t end,
                        uint64_t *ret_start);
bool free_space_lowest(const struct free_space *space, uint64_t size, uint64_t alignment, uint64_t from,
                       uint64_t *ret_start);
/* The rest of the first range that has an aligned address at or above `from`, from there on. */
bool free_space_next(const struct free_space *space, uint64_t from, uint64_t alignment,
                     struct vmr_gpa_range *ret_range);
/* How many bytes from `low` up to `high` are free. */
uint64_t free_space_left(const struct free_space *space, uint64_t low, uint64_t high);
