/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lists of address ranges: in ascending order, disjoint, each with a type. One
 * of capacity n has room for n; what finds none marks the list.
 */

#include "lib/config/arena.h"
#include "vmrig/config.h"

struct typed_range {
    struct vmr_gpa_range range;
    uint32_t type;
};

struct range_list {
    struct typed_range *items;
    size_t count, capacity;
    bool failed; /* out of memory, or of room */
};

/* An empty list, in the arena. */
struct range_list ranges_create(struct arena *arena, size_t capacity);
/* Behind the last, or, if it goes on there and is of that type, to it. Empty ranges are not added. */
void ranges_append(struct range_list *list, struct vmr_gpa_range range, uint32_t type);
/* In any order; to be sorted later. */
void ranges_add(struct range_list *list, struct vmr_gpa_range range, uint32_t type);
void ranges_sort(struct range_list *list);
/* Both sorted, neither overlapping itself: `below` where `above` is not, and `above`. */
struct range_list ranges_overlay(struct arena *arena, const struct range_list *below, const struct range_list *above);
