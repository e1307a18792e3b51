/* SPDX-License-Identifier: MIT */
/*
 * The lifecycle table and the one function that moves a VP along it. Moving is
 * a compare-exchange, so that of two threads that try at once exactly one
 * succeeds and the other is told.
 */

#include "lib/partition/lifecycle.h"

#include "lib/partition/partition.h"

#define REFUSED VP_STATE_COUNT

/* clang-format off: the columns are the point */
static const enum vp_state next_state[VP_STATE_COUNT][VP_OP_COUNT] = {
    /*               BIND      UNBIND      RUN         RESET       RETURN    FAIL       ACCESS     */
    [VP_UNBOUND] = {VP_BOUND, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED},
    [VP_BOUND] = {REFUSED, VP_UNBOUND, VP_RUNNING, VP_RUNNING, REFUSED, REFUSED, VP_BOUND},
    [VP_RUNNING] = {REFUSED, REFUSED, REFUSED, REFUSED, VP_BOUND, VP_FAILED, VP_RUNNING},
    [VP_FAILED] = {REFUSED, VP_DEAD, REFUSED, VP_RUNNING, REFUSED, REFUSED, VP_FAILED},
    [VP_DEAD] = {REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED},
};
/* clang-format on */

static const char *const state_names[VP_STATE_COUNT] = {
    [VP_UNBOUND] = "unbound", [VP_BOUND] = "bound", [VP_RUNNING] = "running",
    [VP_FAILED] = "failed",   [VP_DEAD] = "dead",
};

const char *vp_state_name(enum vp_state state)
{
    return (unsigned)state < VP_STATE_COUNT ? state_names[state] : "unknown";
}

enum vp_state lifecycle_next(enum vp_state state, enum vp_operation operation)
{
    return next_state[state][operation];
}

enum vmr_status lifecycle_move(struct vmr_vp *vp, enum vp_operation operation)
{
    const struct vmr_host *host = vp->partition->host;
    uint32_t now = atomic_load(&vp->state);

    for (;;) {
        enum vp_state next = lifecycle_next((enum vp_state)now, operation);

        if (next == REFUSED)
            return VMR_E_STATE;
        if (sync_compare_exchange_u32(host, &vp->state, &now, next))
            return VMR_OK;
    }
}
