/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The reader's mirror: appends to a buffer that grows up to a limit, and, once
 * it has failed, ignores what comes, so that an encoder has one check at the
 * end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
    uint8_t *bytes; /* owned; NULL until the first byte */
    size_t length;
    size_t capacity;
    size_t limit;
    bool failed;
};

/* Nothing is allocated yet. `limit` is the most the buffer may hold. */
void writer_init(struct writer *writer, size_t limit);
void writer_finish(struct writer *writer);
/* Forgets the content and a failure, keeps the buffer. */
void writer_clear(struct writer *writer);
/* False once a limit was passed or memory ran out. */
bool writer_ok(const struct writer *writer);
/* For an encoder that is given what it cannot encode. */
void writer_fail(struct writer *writer);

void writer_u8(struct writer *writer, uint8_t value);
void writer_le16(struct writer *writer, uint16_t value);
void writer_le32(struct writer *writer, uint32_t value);
void writer_le64(struct writer *writer, uint64_t value);
void writer_varint(struct writer *writer, uint64_t value);
void writer_svarint(struct writer *writer, int64_t value);
void writer_copy(struct writer *writer, const void *bytes, size_t length);
