/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers and bytes in text that nobody vouches for. Each takes exactly
 * `length` characters, all of which must belong to the value; outputs are
 * untouched on failure, but for the bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x, in either case. No sign, no space. False also above 64 bits. */
bool text_parse_number(const char *text, size_t length, uint64_t *ret_value);

/* The value of a hexadecimal digit, in either case; 16 for anything else. */
unsigned text_digit(char c);

/* Pairs of hexadecimal digits, at least one and at most `capacity`. */
bool text_parse_hex(const char *text, size_t length, uint8_t *ret_bytes, size_t capacity);
