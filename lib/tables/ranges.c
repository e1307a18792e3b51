/* SPDX-License-Identifier: MIT */
/*
 * Ranges over ranges: what is left of the lower ones, and the upper ones, in order.
 */

#include "lib/tables/ranges.h"

#include <stdlib.h>

struct range_list ranges_create(struct arena *arena, size_t capacity)
{
    struct range_list list = {.capacity = capacity};

    list.items = arena_alloc(arena, capacity, sizeof(*list.items));
    list.failed = !list.items;
    return list;
}

void ranges_add(struct range_list *list, struct vmr_gpa_range range, uint32_t type)
{
    if (range.end <= range.start || list->failed)
        return;
    if (list->count == list->capacity) {
        list->failed = true;
        return;
    }
    list->items[list->count++] = (struct typed_range){range, type};
}

void ranges_append(struct range_list *list, struct vmr_gpa_range range, uint32_t type)
{
    struct typed_range *last = list->count > 0 && !list->failed ? &list->items[list->count - 1] : NULL;

    if (last && last->type == type && last->range.end == range.start && range.end > range.start)
        last->range.end = range.end;
    else
        ranges_add(list, range, type);
}

static int by_start(const void *left, const void *right)
{
    const struct typed_range *a = left, *b = right;

    return (a->range.start > b->range.start) - (a->range.start < b->range.start);
}

void ranges_sort(struct range_list *list)
{
    if (!list->failed && list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), by_start);
}

/* What of `below` no range of `above` has. Both are sorted. */
static void subtract(struct range_list *out, const struct range_list *below, const struct range_list *above)
{
    size_t first = 0;

    for (size_t i = 0; i < below->count; i++) {
        struct vmr_gpa_range rest = below->items[i].range;

        while (first < above->count && above->items[first].range.end <= rest.start)
            first++;
        for (size_t at = first; at < above->count && above->items[at].range.start < rest.end; at++) {
            const struct vmr_gpa_range *over = &above->items[at].range;

            ranges_add(out, (struct vmr_gpa_range){rest.start, over->start}, below->items[i].type);
            rest.start = over->end;
        }
        ranges_add(out, rest, below->items[i].type);
    }
}

/* Each range above cuts one below in two at most, so that there is room for all pieces. */
struct range_list ranges_overlay(struct arena *arena, const struct range_list *below, const struct range_list *above)
{
    struct range_list pieces = ranges_create(arena, below->count + 2 * above->count);
    struct range_list out = ranges_create(arena, below->count + 2 * above->count);

    if (pieces.failed || out.failed || below->failed || above->failed) {
        out.failed = true;
        return out;
    }
    subtract(&pieces, below, above);
    for (size_t i = 0; i < above->count; i++)
        ranges_add(&pieces, above->items[i].range, above->items[i].type);
    ranges_sort(&pieces);
    for (size_t i = 0; i < pieces.count; i++)
        ranges_append(&out, pieces.items[i].range, pieces.items[i].type);
    out.failed = out.failed || pieces.failed;
    return out;
}
