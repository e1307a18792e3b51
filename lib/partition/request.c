/* SPDX-License-Identifier: MIT */
/*
 * Getting a VP's attention: the sender's half of the protocol whose other half
 * is the run loop's (lib/run/run.c).
 *
 *   sender                         VP's thread
 *   set the request bit            place = GUEST
 *   read place                     read the request bits; any: back to LOOP
 *   GUEST: kick; PARKED: unpark    enter the guest
 *
 * Whichever store comes first in the one order of both, either the sender sees
 * GUEST and kicks, or the VP sees the bit and does not enter. A kick that comes
 * late is a spurious cancel in the next step, which is legal [RUN-9].
 */

#include "lib/partition/partition.h"

uint32_t vp_request(struct vmr_vp *vp, uint32_t bits, bool *ret_running)
{
    struct vmr_partition *partition = vp->partition;
    const struct vmr_host *host = partition->host;
    uint32_t before = sync_fetch_or_u32(host, &vp->requests, bits);
    uint32_t place = sync_load_u32(host, &vp->place);
    bool waited_for = place == PLACE_WAITING && (bits & (REQUEST_STOP | REQUEST_WAKE)) != 0;

    if (ret_running)
        *ret_running = place != PLACE_OUT && place != PLACE_WAITING;
    if ((before & bits) == bits)
        return 0; /* whoever set the bits has got, or is getting, the VP's attention */
    if (place == PLACE_PARKED || waited_for)
        host->ops->unpark(host->context, vp->parker);
    if (place == PLACE_GUEST) {
        /* Under the lock the run cannot end between the look and the kick. */
        sync_mutex_lock(&vp->kick_lock);
        if (sync_load_u32(host, &vp->place) == PLACE_GUEST)
            partition->backend->vp_kick(vp->backend_vp);
        sync_mutex_unlock(&vp->kick_lock);
    }
    return bits & ~before;
}

void partition_async_begin(struct vmr_partition *partition, const struct vmr_async *request)
{
    if (partition->backend->vm_async_begin)
        partition->backend->vm_async_begin(partition->backend_vm, request);
}

void partition_async_end(struct vmr_partition *partition)
{
    if (partition->backend->vm_async_end)
        partition->backend->vm_async_end(partition->backend_vm);
}

bool partition_wait(struct vmr_partition *partition, bool (*is_over)(void *context), void *context)
{
    if (partition->backend->vm_wait)
        return partition->backend->vm_wait(partition->backend_vm, is_over, context);
    return sync_poll(partition->host, is_over, context);
}

bool vmr_partition_request_yield(struct vmr_partition *partition, vmr_vp_index index)
{
    struct vmr_vp *vp = partition_vp(partition, index);

    return vp && vp_request(vp, REQUEST_YIELD, NULL) != 0;
}

enum vmr_kick_result vmr_partition_kick(struct vmr_partition *partition, vmr_vp_index index)
{
    struct vmr_vp *vp = partition_vp(partition, index);
    bool running;

    if (!vp)
        return VMR_KICK_NO_VP;
    if (vp_request(vp, REQUEST_KICK, &running) == 0)
        return VMR_KICK_COALESCED;
    return running ? VMR_KICK_DELIVERED : VMR_KICK_LATCHED;
}

void vmr_partition_wake(struct vmr_partition *partition, vmr_vp_index index)
{
    struct vmr_vp *vp = partition_vp(partition, index);

    if (!vp)
        return;
    partition_async_begin(partition, &(struct vmr_async){.kind = VMR_ASYNC_WAKE, .a = index});
    (void)vp_request(vp, REQUEST_WAKE, NULL);
    partition_async_end(partition);
}
