/* SPDX-License-Identifier: MIT */
/* Slot i is breakpoint i of the debug state, so that a hit names what GDB set. */

#include "lib/debug/points.h"

static const struct {
    bool possible;
    uint8_t kind; /* enum vmr_breakpoint_kind */
} kinds[POINT_KIND_COUNT] = {
    [POINT_SOFTWARE] = {true, VMR_BREAK_EXECUTE}, [POINT_HARDWARE] = {true, VMR_BREAK_EXECUTE},
    [POINT_WRITE] = {true, VMR_BREAK_WRITE},      [POINT_READ] = {false, 0},
    [POINT_ACCESS] = {true, VMR_BREAK_ACCESS},
};

bool point_is_possible(const struct point *point)
{
    bool executes = point->kind < POINT_WRITE;
    uint8_t length = point->length;

    if (point->kind >= POINT_KIND_COUNT || !kinds[point->kind].possible)
        return false;
    if (length != 1 && length != 2 && length != 4 && length != 8)
        return false;
    return point->address % length == 0 && (!executes || length == 1);
}

static bool is_same(const struct point *left, const struct point *right)
{
    return left->used && left->kind == right->kind && left->length == right->length && left->address == right->address;
}

bool points_add(struct points *points, const struct point *point)
{
    struct point *free_slot = NULL;

    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        if (is_same(&points->slots[i], point))
            return true;
        if (!points->slots[i].used && !free_slot)
            free_slot = &points->slots[i];
    }
    if (!free_slot)
        return false;
    *free_slot = *point;
    free_slot->used = true;
    return true;
}

void points_remove(struct points *points, const struct point *point)
{
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        if (is_same(&points->slots[i], point))
            points->slots[i] = (struct point){.used = false};
    }
}

void points_to_state(const struct points *points, struct vmr_debug_state *state)
{
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        const struct point *point = &points->slots[i];

        state->breakpoints[i] = (struct vmr_breakpoint){.enabled = point->used,
                                                        .kind = kinds[point->kind].kind,
                                                        .length = point->length,
                                                        .address = point->address};
    }
}
