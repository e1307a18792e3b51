/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A sequence count: readers of a small table take no lock and write nothing.
 * They note the count, read, and use what they read only if the count is still
 * the same and even. Writers, one at a time, make it odd while they change the
 * table.
 *
 * The table's words are atomics, loaded with acquire and stored with release
 * inside the two calls. A reader that sees any word of a change then also sees
 * the odd count that came before it, so that what it got is thrown away. There
 * is no point between the two calls of either side: under a scheduling host a
 * change happens whole, and a reader never has to wait for one. [HOST-2]
 */

#include "lib/base/sync.h"

struct sync_sequence {
    const struct vmr_host *host;
    _Atomic uint32_t count; /* odd while a change is under way */
};

static inline uint32_t sync_sequence_read_begin(const struct sync_sequence *sequence)
{
    sync_point(sequence->host, sequence);
    return atomic_load_explicit(&sequence->count, memory_order_acquire);
}

/* Whether what was read since `begin` belongs together. */
static inline bool sync_sequence_read_held(const struct sync_sequence *sequence, uint32_t begin)
{
    return (begin & 1u) == 0 && atomic_load_explicit(&sequence->count, memory_order_relaxed) == begin;
}

/* Writers hold a lock of their own. */
static inline void sync_sequence_write_begin(struct sync_sequence *sequence)
{
    sync_point(sequence->host, sequence);
    uint32_t count = atomic_load_explicit(&sequence->count, memory_order_relaxed);

    atomic_store_explicit(&sequence->count, count + 1, memory_order_relaxed);
}

static inline void sync_sequence_write_end(struct sync_sequence *sequence)
{
    uint32_t count = atomic_load_explicit(&sequence->count, memory_order_relaxed);

    atomic_store_explicit(&sequence->count, count + 1, memory_order_release);
}
