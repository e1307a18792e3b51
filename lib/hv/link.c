/* SPDX-License-Identifier: MIT */
/*
 * Links: a count of those inside with a bit that closes it. Whoever takes the
 * closed count to zero wakes the one who waits; everybody inside has a handle,
 * and so a reference, so that the parker is there to be woken.
 */

#include "lib/hv/link.h"

#include <stdlib.h>

enum vmr_status link_create(const struct vmr_host *host, void *object, struct link **ret_link)
{
    struct link *link = calloc(1, sizeof(*link));

    if (!link)
        return VMR_E_NOMEM;
    enum vmr_status status = host->ops->parker_create(host->context, &link->closer);

    if (status) {
        free(link);
        return status;
    }
    link->host = host;
    link->object = object;
    sync_store_u32(host, &link->references, 1);
    *ret_link = link;
    return VMR_OK;
}

void link_get(struct link *link)
{
    (void)sync_fetch_add_u32(link->host, &link->references, 1);
}

void link_put(struct link *link)
{
    if (!link || sync_fetch_add_u32(link->host, &link->references, UINT32_MAX) != 1)
        return;
    link->host->ops->parker_destroy(link->host->context, link->closer);
    free(link);
}

void *link_enter(struct link *link)
{
    if ((sync_fetch_add_u32(link->host, &link->inside, 1) & LINK_CLOSED) == 0)
        return link->object;
    link_leave(link);
    return NULL;
}

void link_leave(struct link *link)
{
    if (sync_fetch_add_u32(link->host, &link->inside, UINT32_MAX) == (LINK_CLOSED | 1))
        link->host->ops->unpark(link->host->context, link->closer);
}

void link_close(struct link *link)
{
    uint32_t before = sync_fetch_or_u32(link->host, &link->inside, LINK_CLOSED);

    while (before != 0 && sync_load_u32(link->host, &link->inside) != LINK_CLOSED) {
        /* A host that says nobody can ever come out has decided that this run is over. */
        if (link->host->ops->park(link->host->context, link->closer, VMR_NEVER) == VMR_PARK_DEADLOCK)
            return;
    }
}
