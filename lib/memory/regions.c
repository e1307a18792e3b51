/* SPDX-License-Identifier: MIT */
/*
 * A sorted array: lookups are by far the most frequent, and a table of the
 * largest size moves in a few microseconds when one is added. Slots are
 * separate from positions because a backend needs a number that does not change
 * while a region lives, and KVM wants small ones.
 */

#include "lib/memory/regions.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"

void regions_finish(struct regions *regions)
{
    free(regions->items);
    *regions = (struct regions){0};
}

/* How many regions start at or below `gpa`. */
static size_t count_up_to(const struct regions *regions, vmr_gpa gpa)
{
    size_t low = 0;
    size_t high = regions->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (regions->items[middle].gpa <= gpa)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t regions_find(const struct regions *regions, vmr_gpa gpa)
{
    size_t after = count_up_to(regions, gpa);

    if (after == 0)
        return REGIONS_NONE;
    const struct region *region = &regions->items[after - 1];

    return gpa - region->gpa < region->size ? after - 1 : REGIONS_NONE;
}

size_t regions_find_start(const struct regions *regions, vmr_gpa gpa)
{
    size_t index = regions_find(regions, gpa);

    return index != REGIONS_NONE && regions->items[index].gpa == gpa ? index : REGIONS_NONE;
}

size_t regions_find_overlap(const struct regions *regions, vmr_gpa gpa, uint64_t size)
{
    size_t index = regions_find(regions, gpa);

    if (index != REGIONS_NONE)
        return index;
    /* Nothing holds the first byte, so only what starts later can be in the way. */
    index = count_up_to(regions, gpa);
    if (index == regions->count || !range_overlaps(gpa, size, regions->items[index].gpa, regions->items[index].size))
        return REGIONS_NONE;
    return index;
}

bool regions_reserve(struct regions *regions)
{
    if (regions->count < regions->capacity)
        return true;
    size_t capacity = regions->capacity ? 2 * regions->capacity : 8;
    struct region *items = realloc(regions->items, capacity * sizeof(*items));

    if (!items)
        return false;
    regions->items = items;
    regions->capacity = capacity;
    return true;
}

uint32_t regions_free_slot(const struct regions *regions)
{
    uint32_t word = 0;

    while (regions->slots[word] == UINT64_MAX)
        word++;
    return 64 * word + (uint32_t)__builtin_ctzll(~regions->slots[word]);
}

void regions_add(struct regions *regions, const struct region *region)
{
    size_t index = count_up_to(regions, region->gpa);
    struct region *place = &regions->items[index];

    memmove(place + 1, place, (regions->count - index) * sizeof(*place));
    memcpy(place, region, sizeof(*place));
    regions->count++;
    regions->bytes += region->size;
    regions->slots[region->slot / 64] |= UINT64_C(1) << (region->slot % 64);
}

void regions_remove(struct regions *regions, size_t index)
{
    struct region *place = &regions->items[index];

    regions->bytes -= place->size;
    regions->slots[place->slot / 64] &= ~(UINT64_C(1) << (place->slot % 64));
    regions->count--;
    memmove(place, place + 1, (regions->count - index) * sizeof(*place));
}
