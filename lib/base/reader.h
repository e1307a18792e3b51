/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A bounded cursor over bytes that nobody vouches for. It fails once and stays
 * failed: after a failure every read gives zero, so that a decoder is a list of
 * fields with one check at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *bytes;
    size_t length;
    size_t position;
    bool failed;
};

void reader_init(struct reader *reader, const void *bytes, size_t length);
bool reader_ok(const struct reader *reader);
/* Bytes not read yet; 0 after a failure. */
size_t reader_left(const struct reader *reader);
/* For a decoder that finds a value it must refuse. */
void reader_fail(struct reader *reader);

uint8_t reader_u8(struct reader *reader);
uint16_t reader_le16(struct reader *reader);
uint32_t reader_le32(struct reader *reader);
uint64_t reader_le64(struct reader *reader);
/* LEB128, at most 10 bytes, no bits above 64, shortest form only. */
uint64_t reader_varint(struct reader *reader);
/* A zigzag varint. */
int64_t reader_svarint(struct reader *reader);
/* Zero-fills `ret_bytes` on failure. */
void reader_copy(struct reader *reader, void *ret_bytes, size_t length);
/* The next `length` bytes in place; NULL on failure. */
const uint8_t *reader_view(struct reader *reader, size_t length);
