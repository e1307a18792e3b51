/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lifecycle of a VP, as a table.
 *
 *   UNBOUND --bind--> BOUND --run--> RUNNING --(returns)--> BOUND
 *      ^                |                    --(fatal)----> FAILED --unbind--> DEAD
 *      +----unbind------+                                        |
 *                       RUNNING <-----------reset----------------+
 *
 * A VP that failed can be looked at, unbound and reset, and nothing else. [HALT-2]
 */

#include <stdbool.h>

#include "vmrig/error.h"

struct vmr_vp;

enum vp_state {
    VP_UNBOUND,
    VP_BOUND,
    VP_RUNNING,
    VP_FAILED,
    VP_DEAD,
    VP_STATE_COUNT
};

enum vp_operation {
    VP_OP_BIND,
    VP_OP_UNBIND,
    VP_OP_RUN,    /* begins a run or a step */
    VP_OP_RESET,  /* begins its part of a reset */
    VP_OP_RETURN, /* ends it */
    VP_OP_FAIL,   /* ends it, until a reset */
    VP_OP_ACCESS, /* registers, MSRs, activity, debug state */
    VP_OP_COUNT
};

const char *vp_state_name(enum vp_state state);

/* The state after `operation`, or VP_STATE_COUNT if it is refused. */
enum vp_state lifecycle_next(enum vp_state state, enum vp_operation operation);

/* Moves the VP, atomically; VMR_E_STATE, and nothing changed, if the table refuses. [LIFE-1] [LIFE-2] */
enum vmr_status lifecycle_move(struct vmr_vp *vp, enum vp_operation operation);
