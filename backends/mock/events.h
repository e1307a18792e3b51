/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a VM has to do with the host's events: doorbells, guest writes that
 * signal one and go no further, and irqfds, events that raise a line. [EVT-4] [EVT-5]
 */

#include "lib/base/sync.h"
#include "vmrig/bus.h"

struct vmr_backend_vm;
struct irqfd;
struct bell;

struct events {
    struct sync_mutex irqfd_lock; /* not held by a watch's call, so that it may be waited for under it */
    struct irqfd *irqfds;
    struct sync_rwlock bell_lock; /* read while an event is signalled: what is taken away signals no more */
    struct bell *bells;
    _Atomic uint32_t bell_count; /* written under the lock */
};

enum vmr_status events_init(struct events *events, const struct vmr_host *host);
void events_finish(struct events *events); /* zeroed is fine; no irqfd is left */
/* Ends all irqfds: no line is raised by one any more. */
void events_unwatch(struct vmr_backend_vm *vm);

/* The guest writes where there is neither RAM nor a register of the controllers. True: it was a doorbell's. */
bool events_ring(struct vmr_backend_vm *vm, enum vmr_bus_space space, uint64_t address, unsigned size, uint64_t value);
/* Whether a write may be a doorbell's. */
static inline bool events_have_bells(const struct events *events)
{
    /*
     * No scheduling point: the VP has passed one before this instruction, when it
     * looked at what wants its attention, and searches need not grow for guests
     * without doorbells.
     */
    return atomic_load(&events->bell_count) > 0;
}
