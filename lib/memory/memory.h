/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of this folder share: the object, and its locks.
 *
 * `changes` is held for the whole of an addition or removal, also while the
 * listener is told, so that it hears of changes in order. `table` is held for
 * writing only while the array itself changes, and for reading by every access:
 * VPs go on reading other regions while a backend maps one. `pins_lock` is for
 * the list of writable pins alone. Order: changes, table, pins; the listener is
 * called with `changes` alone, the observer with `table` held for reading.
 */

#include "vmrig/memory.h"

#include "lib/base/sync.h"
#include "lib/memory/regions.h"

/* A view that is pinned for writing: what its holder writes, and when, nobody sees. */
struct pin {
    vmr_gpa gpa;
    size_t length;
};

/* What the hypervisor keeps from its host. Called with `table` held for reading; the length is not 0. */
struct memory_guard {
    bool (*hides)(void *context, vmr_gpa gpa, size_t length); /* any byte of it */
    void *context;
};

struct vmr_memory {
    const struct vmr_host *host;
    struct sync_mutex changes;
    struct sync_rwlock table;
    struct sync_mutex pins_lock;
    struct pin *pins; /* under pins_lock, in no order */
    size_t pin_count, pin_capacity;
    bool dirty_on;                       /* under changes: each region has its bits */
    struct regions regions;              /* written under both locks, read under either */
    struct vmr_memory_listener listener; /* under changes; `added` is NULL: none */
    struct vmr_memory_observer observer; /* written under table; zeroed: none */
    struct memory_guard guard;           /* likewise */
};

/* NULL takes it away. */
void memory_set_guard(struct vmr_memory *memory, const struct memory_guard *guard);
/* Whether the host is kept from any byte of it. Under `table`. */
bool memory_hides(const struct vmr_memory *memory, vmr_gpa gpa, size_t length);

/* As the calls of vmrig/memory.h, for what the hypervisor does and not its host: the guard is not asked. */
enum vmr_status memory_read_inside(struct vmr_memory *memory, vmr_gpa gpa, void *ret_bytes, size_t length);
enum vmr_status memory_write_inside(struct vmr_memory *memory, vmr_gpa gpa, const void *bytes, size_t length);
enum vmr_status memory_fetch_or_inside(struct vmr_memory *memory, vmr_gpa gpa, unsigned width, uint64_t mask,
                                       uint64_t *ret_old);

/*
 * Calls `change` with the region that holds `gpa`, or NULL, while no region is
 * added or removed. For partitions, which map regions in their own way: what the
 * hypervisor has logged of the region is asked for before.
 */
enum vmr_status memory_with_region(struct vmr_memory *memory, vmr_gpa gpa,
                                   enum vmr_status (*change)(void *context, uint32_t slot,
                                                             const struct vmr_memory_region *region),
                                   void *context);

/* Behind the last region; 0 if there is none. */
vmr_gpa memory_top(struct vmr_memory *memory);
