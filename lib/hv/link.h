/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Between an object and the handles that callers hold to it: a handle may be
 * used, and given back, after the object is gone, and then does nothing.
 *
 * Whoever uses the object through a handle enters the link and leaves it. The
 * object closes the link before it goes: that waits for those inside and turns
 * away all who come later. The link itself lives as long as anyone refers to it.
 */

#include "lib/base/sync.h"

struct link {
    const struct vmr_host *host;
    void *object;
    struct vmr_parker *closer;
    _Atomic uint32_t references;
    _Atomic uint32_t inside; /* threads, and LINK_CLOSED */
};

#define LINK_CLOSED (UINT32_C(1) << 31)

/* With one reference, the object's. */
enum vmr_status link_create(const struct vmr_host *host, void *object, struct link **ret_link);
void link_get(struct link *link);
void link_put(struct link *link); /* NULL is fine */

/* The object, until link_leave; or NULL, and there is nothing to leave. */
void *link_enter(struct link *link);
void link_leave(struct link *link);
/* Once. Not from inside. */
void link_close(struct link *link);
