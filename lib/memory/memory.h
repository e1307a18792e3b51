/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of this folder share: the object, and its two locks.
 *
 * `changes` is held for the whole of an addition or removal, also while the
 * listener is told, so that it hears of changes in order. `table` is held for
 * writing only while the array itself changes, and for reading by every access:
 * VPs go on reading other regions while a backend maps one. Order: changes,
 * then table; the listener is called with `changes` alone, the observer with
 * `table` held for reading.
 */

#include "vmrig/memory.h"

#include "lib/base/sync.h"
#include "lib/memory/regions.h"

struct vmr_memory {
    const struct vmr_host *host;
    struct sync_mutex changes;
    struct sync_rwlock table;
    struct regions regions;              /* written under both locks, read under either */
    struct vmr_memory_listener listener; /* under changes; `added` is NULL: none */
    struct vmr_memory_observer observer; /* written under table; zeroed: none */
};

/*
 * Calls `change` with the region that holds `gpa`, or NULL, while no region is
 * added or removed. For partitions, which map regions in their own way.
 */
enum vmr_status memory_with_region(struct vmr_memory *memory, vmr_gpa gpa,
                                   enum vmr_status (*change)(void *context, uint32_t slot,
                                                             const struct vmr_memory_region *region),
                                   void *context);

/* Behind the last region; 0 if there is none. */
vmr_gpa memory_top(struct vmr_memory *memory);
