/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Arithmetic on hostile numbers: it either fits or says so. Ranges are (start,
 * length); an end is never computed and compared, because it can wrap.
 */

#include <stdbool.h>
#include <stdint.h>

static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *ret_sum)
{
    return !__builtin_add_overflow(a, b, ret_sum);
}

static inline bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *ret_product)
{
    return !__builtin_mul_overflow(a, b, ret_product);
}

/* Whether [start, start + length) lies inside [base, base + size). */
static inline bool range_contains(uint64_t base, uint64_t size, uint64_t start, uint64_t length)
{
    return start >= base && start - base <= size && length <= size - (start - base);
}

/* Whether two non-empty ranges share a byte. Neither may wrap. */
static inline bool range_overlaps(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a < b ? b - a < a_length : a - b < b_length;
}

static inline bool is_aligned(uint64_t value, uint64_t power_of_two)
{
    return (value & (power_of_two - 1)) == 0;
}

/* All ones in the low `bytes` bytes, 1 to 8. */
static inline uint64_t mask_of_bytes(unsigned bytes)
{
    return bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;
}
