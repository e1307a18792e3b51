/* SPDX-License-Identifier: MIT */
/*
 * Stop sources: a latch, and the VPs that are in a run with it. Setting it is
 * two steps in this order: latch, then get each VP's attention; a run attaches
 * first and looks at the latch afterwards. So one of the two sees the other.
 * [RUN-1] [RUN-3]
 */

#include "lib/run/stop.h"

#include <stdlib.h>

struct vmr_stop_source {
    const struct vmr_host *host;
    _Atomic uint32_t set;
    struct sync_mutex lock; /* guards the list */
    struct stop_link *links;
};

enum vmr_status vmr_stop_create(const struct vmr_host *host, struct vmr_stop_source **ret_source)
{
    struct vmr_stop_source *source = calloc(1, sizeof(*source));

    if (!source)
        return VMR_E_NOMEM;
    source->host = host;
    if (sync_mutex_init(&source->lock, host)) {
        free(source);
        return VMR_E_NOMEM;
    }
    *ret_source = source;
    return VMR_OK;
}

void vmr_stop_destroy(struct vmr_stop_source *source)
{
    if (!source)
        return;
    sync_mutex_finish(&source->lock);
    free(source);
}

void vmr_stop_set(struct vmr_stop_source *source)
{
    sync_store_u32(source->host, &source->set, 1);
    sync_mutex_lock(&source->lock);
    for (struct stop_link *link = source->links; link; link = link->next)
        (void)vp_request(link->vp, REQUEST_STOP, NULL);
    sync_mutex_unlock(&source->lock);
}

bool vmr_stop_is_set(const struct vmr_stop_source *source)
{
    return sync_load_u32(source->host, &source->set) != 0;
}

void stop_attach(struct vmr_stop_source *source, struct stop_link *link, struct vmr_vp *vp)
{
    if (!source)
        return;
    link->vp = vp;
    sync_mutex_lock(&source->lock);
    link->next = source->links;
    source->links = link;
    sync_mutex_unlock(&source->lock);
    if (vmr_stop_is_set(source))
        (void)vp_request(vp, REQUEST_STOP, NULL);
}

void stop_detach(struct vmr_stop_source *source, struct stop_link *link)
{
    if (!source)
        return;
    sync_mutex_lock(&source->lock);
    struct stop_link **at = &source->links;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    sync_mutex_unlock(&source->lock);
    /* The latch is the source's; what is left on the VP belongs to nobody any more. */
    (void)sync_fetch_and_u32(source->host, &link->vp->requests, ~REQUEST_STOP);
}

/* In a callback of a run, or between runs. */
enum vmr_stop_wait_result vmr_stop_wait(struct vmr_stop_source *source, struct vmr_vp *vp,
                                        bool (*is_ready)(void *event), void *event)
{
    const struct vmr_host *host = source->host;
    const uint32_t place = sync_load_u32(host, &vp->place);
    const bool in_run = place != PLACE_OUT;
    enum vmr_stop_wait_result result;
    struct stop_link link;

    stop_attach(source, &link, vp);
    for (;;) {
        sync_store_u32(host, &vp->place, in_run ? PLACE_PARKED : PLACE_WAITING);
        /* Permits are taken before the conditions are looked at, so an event that comes later unparks. */
        (void)sync_fetch_and_u32(host, &vp->requests, ~(REQUEST_WAKE | REQUEST_STOP));
        result = VMR_STOP_WAIT_READY;
        if (is_ready(event))
            break; /* an event beats a stop [RUN-5] */
        result = VMR_STOP_WAIT_STOPPED;
        if (vmr_stop_is_set(source))
            break;
        result = VMR_STOP_WAIT_DEADLOCK;
        if (host->ops->park(host->context, vp->parker, VMR_NEVER) == VMR_PARK_DEADLOCK)
            break;
    }
    sync_store_u32(host, &vp->place, place);
    vp->recheck = true; /* the wakes taken here may have been the interrupt controllers' */
    stop_detach(source, &link);
    if (in_run)
        (void)vp_request(vp, REQUEST_STOP, NULL); /* and the stop the run's: it looks at its own source again */
    return result;
}
