/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * GDB's breakpoints and watchpoints, in the processor's four. They are the same
 * on all VPs.
 */

#include "vmrig/vp_state.h"

/* The digits of Z and z packets. */
enum point_kind {
    POINT_SOFTWARE = 0, /* a breakpoint that GDB would write into memory: one of the four, all the same */
    POINT_HARDWARE = 1,
    POINT_WRITE = 2,
    POINT_READ = 3, /* the processor has none */
    POINT_ACCESS = 4,
    POINT_KIND_COUNT
};

struct point {
    bool used;
    uint8_t kind;
    uint8_t length; /* of what is watched; 1 for the others */
    uint64_t address;
};

struct points {
    struct point slots[VMR_X86_BREAKPOINT_COUNT];
};

/* Whether the processor can: a kind that it has, a length that it has, an address that is aligned to it. */
bool point_is_possible(const struct point *point);
/* One that is there already is there once. False: all four are taken. */
bool points_add(struct points *points, const struct point *point);
/* One that is not there is gone already. */
void points_remove(struct points *points, const struct point *point);
/* Fills in the breakpoints of a debug state. */
void points_to_state(const struct points *points, struct vmr_debug_state *state);
