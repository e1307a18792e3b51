/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether VPs may run, and how that is decided when a reset begins: reset.c. */

#include "lib/partition/partition.h"

enum reset_phase {
    RESET_USABLE,
    RESET_DECIDING,  /* a reset looks whether VPs run; under the partition's lock */
    RESET_RESETTING, /* VPs have their part before them */
    RESET_SCRUBBING, /* the same, of one VTL */
    RESET_BAD,
    RESET_PHASE_COUNT
};

/*
 * The VP is running from here on, as far as others see, and the phase stays
 * `wanted` while it is. VMR_E_STATE, and nothing changed: the phase is another,
 * or the VP cannot run. The VP's thread.
 */
enum vmr_status reset_enter(struct vmr_vp *vp, enum reset_phase wanted);

/* For a run or a step. */
static inline enum vmr_status reset_enter_run(struct vmr_vp *vp)
{
    enum vmr_status status = reset_enter(vp, RESET_USABLE);

    if (!status && atomic_load_explicit(&vp->partition->ran, memory_order_relaxed) != UINT32_MAX)
        atomic_store(&vp->partition->ran, UINT32_MAX);
    return status;
}
