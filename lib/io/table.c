/* SPDX-License-Identifier: MIT */
/*
 * The writing side of the table. Every store to a published block lies between
 * the two ends of the sequence and is a release store, which is what lets
 * readers trust the count. See sync_sequence.h for why that is enough.
 */

#include "lib/io/table.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 16u

static struct table_block *block_create(uint32_t capacity)
{
    struct table_block *block = NULL;
    size_t size = sizeof(*block) + capacity * sizeof(block->words[0]);

    block = malloc(size);
    if (!block)
        return NULL;
    memset(block, 0, size);
    block->capacity = capacity;
    return block;
}

enum vmr_status table_init(struct table *table, const struct vmr_host *host)
{
    *table = (struct table){.sequence.host = host};
    enum vmr_status status = sync_mutex_init(&table->changes, host);

    if (status)
        return status;
    struct table_block *block = block_create(CAPACITY_FIRST);

    if (!block)
        return VMR_E_NOMEM;
    atomic_store(&table->block, block);
    return VMR_OK;
}

void table_finish(struct table *table)
{
    struct table_block *block = atomic_load(&table->block);

    while (block) {
        struct table_block *retired = block->retired;

        free(block);
        block = retired;
    }
    atomic_store(&table->block, NULL);
    sync_mutex_finish(&table->changes);
}

void table_lock(struct table *table)
{
    sync_mutex_lock(&table->changes);
}

void table_unlock(struct table *table)
{
    sync_mutex_unlock(&table->changes);
}

static void store_record(struct table_block *block, uint32_t index, const uint64_t record[TABLE_WORDS])
{
    for (unsigned word = 0; word < TABLE_WORDS; word++)
        atomic_store_explicit(&block->words[index][word], record[word], memory_order_release);
}

static void copy_record(struct table_block *to, uint32_t to_index, const struct table_block *from, uint32_t index)
{
    uint64_t record[TABLE_WORDS];

    for (unsigned word = 0; word < TABLE_WORDS; word++)
        record[word] = atomic_load_explicit(&from->words[index][word], memory_order_relaxed);
    store_record(to, to_index, record);
}

/* A block with room for one more: the current one, or a larger copy that is not published yet. */
static struct table_block *block_with_room(struct table_block *block)
{
    uint32_t count = table_count(block);

    if (count < block->capacity)
        return block;
    struct table_block *larger = block_create(2 * block->capacity);

    if (!larger)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        copy_record(larger, i, block, i);
    atomic_store_explicit(&larger->count, count, memory_order_relaxed);
    larger->retired = block;
    return larger;
}

bool table_insert(struct table *table, uint32_t index, const uint64_t record[TABLE_WORDS])
{
    struct table_block *block = block_with_room(atomic_load_explicit(&table->block, memory_order_relaxed));

    if (!block)
        return false;
    uint32_t count = table_count(block);

    sync_sequence_write_begin(&table->sequence);
    for (uint32_t i = count; i > index; i--)
        copy_record(block, i, block, i - 1);
    store_record(block, index, record);
    atomic_store_explicit(&block->count, count + 1, memory_order_release);
    atomic_store_explicit(&table->block, block, memory_order_release);
    sync_sequence_write_end(&table->sequence);
    return true;
}

void table_remove(struct table *table, uint32_t index)
{
    struct table_block *block = atomic_load_explicit(&table->block, memory_order_relaxed);
    uint32_t count = table_count(block);

    sync_sequence_write_begin(&table->sequence);
    for (uint32_t i = index; i + 1 < count; i++)
        copy_record(block, i, block, i + 1);
    atomic_store_explicit(&block->count, count - 1, memory_order_release);
    sync_sequence_write_end(&table->sequence);
}

bool table_read_settle(struct table *table, struct table_read *read)
{
    if (read->locked) {
        table_unlock(table);
        return true;
    }
    table_lock(table);
    read->locked = true;
    read->block = table_current(table);
    return false;
}
