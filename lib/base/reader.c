/* SPDX-License-Identifier: MIT */
/*
 * The bounded cursor. Every access goes through reader_view or, a byte at a
 * time, reader_u8, which hold the bounds checks; the subtraction there cannot
 * wrap because position never passes length.
 */

#include "lib/base/reader.h"

#include <string.h>

#include "lib/base/bytes.h"

void reader_init(struct reader *reader, const void *bytes, size_t length)
{
    static const uint8_t nothing;

    /* An empty input may have no address; the cursor needs one to add to. */
    *reader = (struct reader){.bytes = length > 0 ? bytes : &nothing, .length = length};
}

bool reader_ok(const struct reader *reader)
{
    return !reader->failed;
}

size_t reader_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->length - reader->position;
}

void reader_fail(struct reader *reader)
{
    reader->failed = true;
}

const uint8_t *reader_view(struct reader *reader, size_t length)
{
    if (reader->failed || length > reader->length - reader->position) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *view = reader->bytes + reader->position;

    reader->position += length;
    return view;
}

uint8_t reader_u8(struct reader *reader)
{
    if (reader->failed || reader->position >= reader->length) {
        reader->failed = true;
        return 0;
    }
    return reader->bytes[reader->position++];
}

uint16_t reader_le16(struct reader *reader)
{
    const uint8_t *view = reader_view(reader, 2);

    return view ? load_le16(view) : 0;
}

uint32_t reader_le32(struct reader *reader)
{
    const uint8_t *view = reader_view(reader, 4);

    return view ? load_le32(view) : 0;
}

uint64_t reader_le64(struct reader *reader)
{
    const uint8_t *view = reader_view(reader, 8);

    return view ? load_le64(view) : 0;
}

uint64_t reader_varint(struct reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(reader);

        /* The tenth byte holds one bit; a zero last byte would be a longer form of a shorter number. */
        if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0))
            reader_fail(reader);
        if (reader->failed)
            return 0;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader_fail(reader);
    return 0;
}

int64_t reader_svarint(struct reader *reader)
{
    uint64_t raw = reader_varint(reader);

    return (int64_t)(raw >> 1 ^ (0 - (raw & 1)));
}

void reader_copy(struct reader *reader, void *ret_bytes, size_t length)
{
    const uint8_t *view = reader_view(reader, length);

    if (length == 0)
        return;
    if (view)
        memcpy(ret_bytes, view, length);
    else
        memset(ret_bytes, 0, length);
}
