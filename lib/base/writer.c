/* SPDX-License-Identifier: MIT */
/*
 * The growing buffer. Capacity doubles, so that appending n bytes costs O(n);
 * the limit is tested before anything is allocated.
 */

#include "lib/base/writer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"

#define WRITER_CAPACITY_FIRST 256u

void writer_init(struct writer *writer, size_t limit)
{
    *writer = (struct writer){.limit = limit};
}

void writer_finish(struct writer *writer)
{
    free(writer->bytes);
    *writer = (struct writer){0};
}

void writer_clear(struct writer *writer)
{
    writer->length = 0;
    writer->failed = false;
}

bool writer_ok(const struct writer *writer)
{
    return !writer->failed;
}

void writer_fail(struct writer *writer)
{
    writer->failed = true;
}

static bool writer_reserve(struct writer *writer, size_t length)
{
    if (writer->failed || length > writer->limit - writer->length)
        return false;
    size_t needed = writer->length + length;

    if (needed <= writer->capacity)
        return true;
    size_t capacity = writer->capacity ? writer->capacity : WRITER_CAPACITY_FIRST;

    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity > writer->limit)
        capacity = writer->limit; /* so that what is below the capacity is allowed */
    uint8_t *bytes = realloc(writer->bytes, capacity);

    if (!bytes)
        return false;
    writer->bytes = bytes;
    writer->capacity = capacity;
    return true;
}

void writer_copy(struct writer *writer, const void *bytes, size_t length)
{
    if (!writer_reserve(writer, length)) {
        writer->failed = true;
        return;
    }
    if (length > 0)
        memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

void writer_u8(struct writer *writer, uint8_t value)
{
    /* Most of what a trace holds is written here, a byte at a time. */
    if (writer->length < writer->capacity && !writer->failed)
        writer->bytes[writer->length++] = value;
    else
        writer_copy(writer, &value, 1);
}

void writer_le16(struct writer *writer, uint16_t value)
{
    uint8_t bytes[2];

    store_le16(bytes, value);
    writer_copy(writer, bytes, sizeof(bytes));
}

void writer_le32(struct writer *writer, uint32_t value)
{
    uint8_t bytes[4];

    store_le32(bytes, value);
    writer_copy(writer, bytes, sizeof(bytes));
}

void writer_le64(struct writer *writer, uint64_t value)
{
    uint8_t bytes[8];

    store_le64(bytes, value);
    writer_copy(writer, bytes, sizeof(bytes));
}

void writer_varint(struct writer *writer, uint64_t value)
{
    if (value < 0x80) {
        writer_u8(writer, (uint8_t)value);
        return;
    }
    uint8_t bytes[10];
    size_t length = 0;

    while (value >= 0x80) {
        bytes[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[length++] = (uint8_t)value;
    writer_copy(writer, bytes, length);
}

void writer_svarint(struct writer *writer, int64_t value)
{
    writer_varint(writer, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}
