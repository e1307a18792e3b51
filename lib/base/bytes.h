/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Little-endian loads and stores: how every fixed layout is read and written,
 * whatever the host's byte order and alignment rules.
 */

#include <stdint.h>

static inline uint16_t load_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t load_le32(const uint8_t *bytes)
{
    return (uint32_t)load_le16(bytes) | (uint32_t)load_le16(bytes + 2) << 16;
}

static inline uint64_t load_le64(const uint8_t *bytes)
{
    return (uint64_t)load_le32(bytes) | (uint64_t)load_le32(bytes + 4) << 32;
}

static inline void store_le16(uint8_t *ret_bytes, uint16_t value)
{
    ret_bytes[0] = (uint8_t)value;
    ret_bytes[1] = (uint8_t)(value >> 8);
}

static inline void store_le32(uint8_t *ret_bytes, uint32_t value)
{
    store_le16(ret_bytes, (uint16_t)value);
    store_le16(ret_bytes + 2, (uint16_t)(value >> 16));
}

static inline void store_le64(uint8_t *ret_bytes, uint64_t value)
{
    store_le32(ret_bytes, (uint32_t)value);
    store_le32(ret_bytes + 4, (uint32_t)(value >> 32));
}

/* The same for a length known only at run time, 1 to 8 bytes. */
static inline uint64_t load_le(const uint8_t *bytes, unsigned length)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < length; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline void store_le(uint8_t *ret_bytes, unsigned length, uint64_t value)
{
    for (unsigned i = 0; i < length; i++)
        ret_bytes[i] = (uint8_t)(value >> (8 * i));
}
