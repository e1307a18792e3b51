/* SPDX-License-Identifier: MIT */
/*
 * Ranges in an array. There are as many as there are gaps between requests, a
 * few hundred, and each is looked at once for a request.
 */

#include "lib/resolve/free_space.h"

#include <stdlib.h>
#include <string.h>

bool free_space_init(struct free_space *space)
{
    *space = (struct free_space){.count = 1, .capacity = 16};
    space->ranges = calloc(space->capacity, sizeof(*space->ranges));
    if (!space->ranges)
        return false;
    space->ranges[0] = (struct vmr_gpa_range){.start = 0, .end = FREE_SPACE_END};
    return true;
}

void free_space_finish(struct free_space *space)
{
    free(space->ranges);
    *space = (struct free_space){.count = 0};
}

static bool make_room(struct free_space *space)
{
    if (space->count < space->capacity)
        return true;
    struct vmr_gpa_range *more = realloc(space->ranges, 2 * space->capacity * sizeof(*more));

    if (!more)
        return false;
    space->ranges = more;
    space->capacity *= 2;
    return true;
}

/* The index of the last range that begins at or below `address`; there is one that holds it. */
static size_t find(const struct free_space *space, uint64_t address)
{
    size_t low = 0, high = space->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (space->ranges[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool free_space_take(struct free_space *space, uint64_t start, uint64_t size)
{
    if (!make_room(space))
        return false;
    size_t index = find(space, start);
    struct vmr_gpa_range *range = &space->ranges[index];
    struct vmr_gpa_range below = {range->start, start}, above = {start + size, range->end};
    struct vmr_gpa_range rest[2];
    size_t rest_count = 0;

    if (below.start < below.end)
        rest[rest_count++] = below;
    if (above.start < above.end)
        rest[rest_count++] = above;
    memmove(range + rest_count, range + 1, (space->count - index - 1) * sizeof(*range));
    memcpy(range, rest, rest_count * sizeof(*range));
    space->count = space->count - 1 + rest_count;
    return true;
}

/* False above the end of everything. */
static bool align_up(uint64_t address, uint64_t alignment, uint64_t *ret_address)
{
    if (address > FREE_SPACE_END || alignment > FREE_SPACE_END)
        return false;
    *ret_address = (address + alignment - 1) & ~(alignment - 1);
    return *ret_address < FREE_SPACE_END;
}

bool free_space_highest(const struct free_space *space, uint64_t size, uint64_t alignment, uint64_t end,
                        uint64_t *ret_start)
{
    for (size_t i = space->count; i-- > 0;) {
        const struct vmr_gpa_range *range = &space->ranges[i];
        uint64_t top = range->end < end ? range->end : end;

        if (top < size || range->start > top - size)
            continue;
        uint64_t start = (top - size) & ~(alignment - 1);

        if (start >= range->start) {
            *ret_start = start;
            return true;
        }
    }
    return false;
}

bool free_space_next(const struct free_space *space, uint64_t from, uint64_t alignment, struct vmr_gpa_range *ret_range)
{
    for (size_t i = 0; i < space->count; i++) {
        const struct vmr_gpa_range *range = &space->ranges[i];
        uint64_t start;

        if (align_up(range->start > from ? range->start : from, alignment, &start) && start < range->end) {
            *ret_range = (struct vmr_gpa_range){start, range->end};
            return true;
        }
    }
    return false;
}

bool free_space_lowest(const struct free_space *space, uint64_t size, uint64_t alignment, uint64_t from,
                       uint64_t *ret_start)
{
    for (size_t i = 0; i < space->count; i++) {
        const struct vmr_gpa_range *range = &space->ranges[i];
        uint64_t start;

        if (align_up(range->start > from ? range->start : from, alignment, &start) && start < range->end &&
            range->end - start >= size) {
            *ret_start = start;
            return true;
        }
    }
    return false;
}

uint64_t free_space_left(const struct free_space *space, uint64_t low, uint64_t high)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < space->count; i++) {
        uint64_t start = space->ranges[i].start > low ? space->ranges[i].start : low;
        uint64_t end = space->ranges[i].end < high ? space->ranges[i].end : high;

        sum += start < end ? end - start : 0;
    }
    return sum;
}
