/* SPDX-License-Identifier: MIT */
/* What the run loop of a stopped VP goes by, beside its state: see vmrig/state_access.h. */

#include "lib/partition/partition.h"

#define GUEST_REQUESTS (REQUEST_WAKE | REQUEST_NMI)

static enum vmr_status find(struct vmr_partition *partition, vmr_vp_index index, struct vmr_vp **ret_vp,
                            struct vmr_error *err)
{
    struct vmr_vp *vp = partition_vp(partition, index);

    if (!vp)
        return vmr_error_set(err, VMR_E_USAGE, "VP %u: the partition has %u VPs", index, partition->vp_count);
    if (partition->hv)
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "VP %u: its run loop has more to do with the Hyper-V interface than is told", index);
    if (sync_load_u32(partition->host, &vp->place) != PLACE_OUT)
        return vmr_error_set(err, VMR_E_STATE, "VP %u: it runs", index);
    if (vp->exit_pending)
        return vmr_error_set(err, VMR_E_STATE, "VP %u: an exit is unfinished", index);
    *ret_vp = vp;
    return VMR_OK;
}

enum vmr_status vmr_partition_get_loop_state(struct vmr_partition *partition, vmr_vp_index index,
                                             struct vmr_loop_state *ret_state, struct vmr_error *err)
{
    struct vmr_vp *vp = NULL;
    enum vmr_status status = find(partition, index, &vp, err);

    if (status)
        return status;
    uint32_t requests = sync_load_u32(partition->host, &vp->requests);

    *ret_state = (struct vmr_loop_state){
        .interrupt_ready = vp->interrupt_ready,
        .recheck = vp->recheck,
        .window_requested = vp->window_requested,
        .wake = (requests & REQUEST_WAKE) != 0,
        .nmi = (requests & REQUEST_NMI) != 0,
        .tpr = vp->tpr,
        .guest_tpr = vp->guest_tpr,
        .deadline_ns = vp->deadline_ns,
    };
    return VMR_OK;
}

enum vmr_status vmr_partition_set_loop_state(struct vmr_partition *partition, vmr_vp_index index,
                                             const struct vmr_loop_state *state, struct vmr_error *err)
{
    struct vmr_vp *vp = NULL;
    enum vmr_status status = find(partition, index, &vp, err);

    if (status)
        return status;
    vp->interrupt_ready = state->interrupt_ready;
    vp->recheck = state->recheck;
    vp->window_requested = state->window_requested;
    vp->tpr = state->tpr;
    vp->guest_tpr = state->guest_tpr;
    vp->deadline_ns = state->deadline_ns;
    (void)sync_fetch_and_u32(partition->host, &vp->requests, ~GUEST_REQUESTS);
    (void)vp_request(vp, (state->wake ? REQUEST_WAKE : 0) | (state->nmi ? REQUEST_NMI : 0), NULL);
    return VMR_OK;
}
