/* SPDX-License-Identifier: MIT */
/*
 * The layout is docs/trace_format.md's, written down here once more: the
 * library's own encoder could not write what is wanted.
 */

#include "tests/replay/damage.h"

#include <string.h>
#include <xxhash.h>

#define HEADER_BYTES 64u
#define HEADER_HASHED 56u
#define BLOCK_BYTES 56u
#define BLOCK_HASHED 48u

static const uint8_t block_magic[8] = {0x8b, 'V', 'M', 'T', 'B', '\r', '\n', 0x1a};

struct change {
    const char *name;
    bool block; /* of the first block's header, not of the file's */
    size_t offset;
    uint32_t value;
};

static const struct change changes[DAMAGE_COUNT] = {
    [DAMAGE_MAJOR] = {"version", false, 12, 2}, /* min_reader 2.0 */
    [DAMAGE_TABLES_LENGTH] = {"tables-over", false, 24, 65537},
    [DAMAGE_TABLES_HUGE] = {"tables-huge", false, 24, UINT32_MAX},
    [DAMAGE_RAW_SIZE] = {"raw-huge", true, 28, UINT32_MAX},
    [DAMAGE_RAW_OVER] = {"raw-over", true, 28, 65537},
    [DAMAGE_STORED_SIZE] = {"stored-huge", true, 32, UINT32_MAX},
    [DAMAGE_RECORDS] = {"records-huge", true, 24, UINT32_MAX},
    [DAMAGE_CODEC] = {"codec", true, 36, 77},
};

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = bytes; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

const char *damage_name(enum damage damage)
{
    return changes[damage].name;
}

static bool is_block(const struct bytes *trace, size_t offset)
{
    return offset + BLOCK_BYTES <= trace->length && memcmp(trace->at + offset, block_magic, sizeof(block_magic)) == 0;
}

size_t damage_block_offset(const struct bytes *trace, size_t n)
{
    size_t offset = HEADER_BYTES + (size_t)get(trace->at + 24, 4);

    for (size_t i = 0; i < n && is_block(trace, offset); i++)
        offset += BLOCK_BYTES + (size_t)get(trace->at + offset + 32, 4);
    return offset;
}

uint64_t damage_block_first(const struct bytes *trace, size_t offset)
{
    return is_block(trace, offset) ? get(trace->at + offset + 8, 8) : UINT64_MAX;
}

void damage_make(const struct bytes *trace, enum damage damage, struct bytes *ret_trace)
{
    const struct change *change = &changes[damage];
    size_t start = change->block ? damage_block_offset(trace, 0) : 0;
    size_t hashed = change->block ? BLOCK_HASHED : HEADER_HASHED;

    *ret_trace = (struct bytes){0};
    bytes_append(ret_trace, trace->at, trace->length);
    uint8_t *at = ret_trace->at + start;

    put(at + change->offset, change->value, 4);
    if (damage == DAMAGE_MAJOR)
        put(at + 8, change->value, 4);
    put(at + hashed, XXH3_64bits(at, hashed), 8);
}
