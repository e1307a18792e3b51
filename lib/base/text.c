/* SPDX-License-Identifier: MIT */
/*
 * Digits to values, without the C library's conversions: those take leading
 * spaces and signs, need a NUL, and read the locale.
 */

#include "lib/base/text.h"

unsigned text_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

bool text_parse_number(const char *text, size_t length, uint64_t *ret_value)
{
    bool is_hex = length > 2 && text[0] == '0' && text[1] == 'x';
    uint64_t base = is_hex ? 16 : 10;
    uint64_t value = 0;

    if (length == 0)
        return false;
    for (size_t i = is_hex ? 2 : 0; i < length; i++) {
        unsigned digit = text_digit(text[i]);

        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool text_parse_hex(const char *text, size_t length, uint8_t *ret_bytes, size_t capacity)
{
    if (length == 0 || length % 2 != 0 || length / 2 > capacity)
        return false;
    for (size_t i = 0; i < length / 2; i++) {
        unsigned high = text_digit(text[2 * i]);
        unsigned low = text_digit(text[2 * i + 1]);

        if (high > 15 || low > 15)
            return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
