/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A host of one thread: virtual time that moves when the thread waits, and a
 * limit to how often it may wait or come to a scheduling point, so that a guest
 * that goes on for ever is a bounded input. A lock that is taken twice, which
 * would hang for ever, is a failed check.
 */

#include "vmrig/host.h"

struct lone_host {
    struct vmr_host_ops ops;
    struct vmr_host host; /* what the library is given */
    uint64_t now_ns;
    uint64_t points, parks; /* that came */
    uint64_t point_max, park_max;
    /* At these numbers, and at each one after them: somebody should ask for an end. No lock of the library is held. */
    void (*tired)(void *context);
    void *context;
    bool may_call; /* the embedder's: no lock of the library is held at a point now */
};

void lone_host_init(struct lone_host *ret_lone);
