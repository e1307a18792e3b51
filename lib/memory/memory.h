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
