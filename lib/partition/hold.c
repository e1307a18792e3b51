/* SPDX-License-Identifier: MIT */
/*
 * The holder's half; the VP's is partition_wait_for_release, called by the loop.
 *
 * Waiting for a VP to leave is a short poll: it has been kicked, so it comes out
 * as soon as its processor lets it. A VP that waits here holds no lock, so two
 * VPs that hold or expel at the same time do not wait for each other: both are
 * out of the guest.
 */

#include "lib/partition/hold.h"

/*
 * Left the guest since `bits` were set, or never was in it: a VP that is in it
 * again has taken the bits. Both are looked at as one step of the schedule, so
 * that what is relaxed upon is still true.
 */
static bool is_inside(struct vmr_vp *vp, uint32_t bits)
{
    sync_point(vp->partition->host, &vp->place);
    return atomic_load(&vp->place) == PLACE_GUEST && (atomic_load(&vp->requests) & bits) != 0;
}

/* A host that knows that nothing can change has given the run up. */
static void wait_until_out(struct vmr_vp *vp, uint32_t bits)
{
    while (is_inside(vp, bits)) {
        if (!sync_relax(vp->partition->host))
            return;
    }
}

enum vmr_status partition_hold(struct vmr_partition *partition, struct vmr_error *err)
{
    if ((partition->backend->flags & VMR_BACKEND_ONE_AT_A_TIME) != 0 && partition->vp_count > 1)
        return vmr_error_set(
            err, VMR_E_UNSUPPORTED,
            "hypervisor '%s' runs its VPs by turns: none can wait until the others are out of the guest",
            partition->backend->name);
    sync_mutex_lock(&partition->hold_lock);
    for (uint32_t i = 0; i < partition->vp_count; i++)
        (void)vp_request(&partition->vps[i], REQUEST_HOLD, NULL);
    for (uint32_t i = 0; i < partition->vp_count; i++)
        wait_until_out(&partition->vps[i], REQUEST_HOLD);
    return VMR_OK;
}

void partition_release(struct vmr_partition *partition)
{
    sync_mutex_unlock(&partition->hold_lock);
}

void partition_wait_for_release(struct vmr_vp *vp)
{
    struct vmr_partition *partition = vp->partition;

    /* Before the lock: a holder that comes meanwhile sets it again, and is seen on the way in. */
    (void)sync_fetch_and_u32(partition->host, &vp->requests, ~REQUEST_HOLD);
    sync_mutex_lock(&partition->hold_lock);
    sync_mutex_unlock(&partition->hold_lock);
}

void partition_expel(struct vmr_partition *partition, const struct vmr_hv_vp_set *vps, vmr_vp_index except,
                     uint32_t bits)
{
    for (vmr_vp_index vp = 0; vmr_hv_vp_set_next(vps, partition->vp_count, &vp); vp++) {
        if (vp != except)
            (void)vp_request(&partition->vps[vp], bits, NULL);
    }
    for (vmr_vp_index vp = 0; vmr_hv_vp_set_next(vps, partition->vp_count, &vp); vp++) {
        if (vp != except)
            wait_until_out(&partition->vps[vp], bits);
    }
}
