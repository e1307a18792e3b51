/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Unsigned members of a struct by offset and width, for tables that name them.
 * The copy goes through a variable of the member's own type, so that neither
 * alignment nor byte order matters.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `width` is 1, 2, 4 or 8; a bool is a member of width 1. */
static inline uint64_t field_get(const void *object, size_t offset, unsigned width)
{
    const uint8_t *at = (const uint8_t *)object + offset;
    uint16_t half;
    uint32_t word;
    uint64_t whole;

    switch (width) {
    case 1:
        return *at;
    case 2:
        memcpy(&half, at, sizeof(half));
        return half;
    case 4:
        memcpy(&word, at, sizeof(word));
        return word;
    default:
        memcpy(&whole, at, sizeof(whole));
        return whole;
    }
}

/* False, and nothing written, if `value` has bits above `width` bytes. */
static inline bool field_set(void *ret_object, size_t offset, unsigned width, uint64_t value)
{
    uint8_t *at = (uint8_t *)ret_object + offset;
    uint16_t half = (uint16_t)value;
    uint32_t word = (uint32_t)value;

    if (width < 8 && value >> (8 * width) != 0)
        return false;
    if (width == 1)
        *at = (uint8_t)value;
    else if (width == 2)
        memcpy(at, &half, sizeof(half));
    else if (width == 4)
        memcpy(at, &word, sizeof(word));
    else
        memcpy(at, &value, sizeof(value));
    return true;
}
