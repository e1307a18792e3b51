/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A sorted array of small records that is read without a lock while it changes.
 *
 * Readers look records up under a sequence count and use only what it proves to
 * belong together; a reader that meets a change waits for it at the lock, so
 * nobody spins. Changes happen in place: ranges that come and go for ever (a
 * guest moving a BAR) use no more memory than the most there ever were. Only
 * growing replaces the array; the old ones stay readable until table_finish,
 * and together are smaller than the new one, because each is twice the last.
 *
 * What a record's words mean, and their order, is the business of the caller.
 */

#include "lib/base/sync_sequence.h"

/* One cache line a record. */
#define TABLE_WORDS 8

struct table_block {
    struct table_block *retired; /* the one that this one replaced */
    uint32_t capacity;
    _Atomic uint32_t count; /* never above this block's own capacity, however stale it is */
    _Atomic uint64_t words[][TABLE_WORDS];
};

struct table {
    struct sync_mutex changes;
    struct sync_sequence sequence;
    _Atomic(struct table_block *) block;
};

/* A lookup under way. */
struct table_read {
    const struct table_block *block;
    uint32_t ticket;
    bool locked;
};

enum vmr_status table_init(struct table *table, const struct vmr_host *host);
void table_finish(struct table *table); /* zeroed and half-made are fine */

/* Writers: between these, the block is the caller's. */
void table_lock(struct table *table);
void table_unlock(struct table *table);
/* The caller holds the lock. False: out of memory. */
bool table_insert(struct table *table, uint32_t index, const uint64_t record[TABLE_WORDS]);
void table_remove(struct table *table, uint32_t index);

static inline const struct table_block *table_current(const struct table *table)
{
    return atomic_load_explicit(&table->block, memory_order_acquire);
}

static inline uint32_t table_count(const struct table_block *block)
{
    return atomic_load_explicit(&block->count, memory_order_acquire);
}

/* Whether there is nothing to look up, for one load: no sequence is needed to read one word. */
static inline bool table_is_empty(const struct table *table)
{
    sync_point(table->sequence.host, table);
    return table_count(table_current(table)) == 0;
}

/* `index` is below a count of this block; the word may be of another record than the one before it. */
static inline uint64_t table_word(const struct table_block *block, uint32_t index, unsigned word)
{
    return atomic_load_explicit(&block->words[index][word], memory_order_acquire);
}

/* How many records have a first word of at most `key`, which is the first sort key. */
static inline uint32_t table_count_up_to(const struct table_block *block, uint64_t key)
{
    uint32_t low = 0;
    uint32_t high = table_count(block);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table_word(block, middle, 0) <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 *   struct table_read read = table_read_begin(table);
 *
 *   do {
 *       found = look_something_up(read.block, ...);
 *   } while (!table_read_end(table, &read));
 */
static inline struct table_read table_read_begin(const struct table *table)
{
    uint32_t ticket = sync_sequence_read_begin(&table->sequence);

    return (struct table_read){.block = table_current(table), .ticket = ticket};
}

/* The slow end of a lookup: see table_read_end. */
bool table_read_settle(struct table *table, struct table_read *read);

/* Whether the lookup stands. If not, look again: the second time nothing can change. */
static inline bool table_read_end(struct table *table, struct table_read *read)
{
    if (__builtin_expect(!read->locked && sync_sequence_read_held(&table->sequence, read->ticket), 1))
        return true;
    return table_read_settle(table, read);
}
