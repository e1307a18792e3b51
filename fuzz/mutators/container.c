/* SPDX-License-Identifier: MIT */
/*
 * The mutator of binary traces: the engine's own changes, then hashes that fit
 * again, or nothing behind a hash would ever be reached. One input in eight
 * keeps the wrong ones. Hashes of compressed blocks' contents are left alone.
 */

#include <string.h>
#include <xxhash.h>

#include "fuzz/fuzz.h"

/* docs/trace_format.md, Binary container. */
#define HEADER_BYTES 64u
#define HEADER_TABLES_AT 24u
#define HEADER_TABLES_HASH_AT 32u
#define HEADER_HASH_AT 56u
#define BLOCK_BYTES 56u
#define BLOCK_STORED_AT 32u
#define BLOCK_CODEC_AT 36u
#define BLOCK_RAW_HASH_AT 40u
#define BLOCK_HASH_AT 48u
#define FOOTER_BYTES 40u
#define FOOTER_ENTRIES_AT 32u
#define FOOTER_ENTRY_BYTES 16u
#define CODEC_NONE 1u

static const uint8_t block_magic[] = {0x8b, 'V', 'M', 'T', 'B', 0x0d, 0x0a, 0x1a};
static const uint8_t footer_magic[] = {0x8d, 'V', 'M', 'T', 'I', 0x0d, 0x0a, 0x1a};

static uint32_t load32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_hash(uint8_t *at, const uint8_t *bytes, size_t length)
{
    uint64_t hash = XXH3_64bits(bytes, length);

    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(hash >> 8 * i);
}

/* Gives where the block ends; `left` if it does not. */
static size_t repair_block(uint8_t *block, size_t left)
{
    size_t stored = load32(block + BLOCK_STORED_AT);

    if (stored > left - BLOCK_BYTES)
        stored = left - BLOCK_BYTES;
    if (load32(block + BLOCK_CODEC_AT) == CODEC_NONE)
        put_hash(block + BLOCK_RAW_HASH_AT, block + BLOCK_BYTES, stored);
    put_hash(block + BLOCK_HASH_AT, block, BLOCK_HASH_AT);
    return BLOCK_BYTES + stored;
}

static void repair_footer(uint8_t *footer, size_t left)
{
    size_t entries = load32(footer + FOOTER_ENTRIES_AT);

    if (entries > (left - FOOTER_BYTES) / FOOTER_ENTRY_BYTES)
        return;
    size_t length = FOOTER_BYTES + FOOTER_ENTRY_BYTES * entries;

    if (left - length >= 8)
        put_hash(footer + length, footer, length);
}

static void repair(uint8_t *data, size_t size)
{
    if (size < HEADER_BYTES)
        return;
    size_t tables = load32(data + HEADER_TABLES_AT), at = HEADER_BYTES;

    if (tables <= size - HEADER_BYTES) {
        put_hash(data + HEADER_TABLES_HASH_AT, data + HEADER_BYTES, tables);
        at += tables;
    }
    put_hash(data + HEADER_HASH_AT, data, HEADER_HASH_AT);
    while (at < size) {
        if (size - at >= BLOCK_BYTES && memcmp(data + at, block_magic, sizeof(block_magic)) == 0) {
            at += repair_block(data + at, size - at);
            continue;
        }
        if (size - at >= FOOTER_BYTES && memcmp(data + at, footer_magic, sizeof(footer_magic)) == 0)
            repair_footer(data + at, size - at);
        at++;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size_t changed = LLVMFuzzerMutate(data, size, max_size);

    if (seed % 8 != 0)
        repair(data, changed);
    return changed;
}
