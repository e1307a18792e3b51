/* SPDX-License-Identifier: MIT */
/*
 * Digits to numbers. strtoull is not used: it takes blanks, signs and what
 * the locale adds.
 */

#include "tools/number.h"

#include <stddef.h>
#include <string.h>

/* Reads digits up to the first other character, which *ret_rest points to. */
static bool parse_digits(const char *text, uint64_t *ret_value, const char **ret_rest)
{
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == text)
        return false;
    *ret_value = value;
    *ret_rest = at;
    return true;
}

bool number_parse(const char *text, uint64_t *ret_value)
{
    uint64_t value;
    const char *rest;

    if (!parse_digits(text, &value, &rest) || *rest != '\0')
        return false;
    *ret_value = value;
    return true;
}

bool number_parse_size(const char *text, uint64_t *ret_value)
{
    static const char units[] = "KMGT";
    uint64_t value;
    unsigned shift = 0;
    const char *rest;

    if (!parse_digits(text, &value, &rest))
        return false;
    if (*rest != '\0') {
        const char *unit = strchr(units, *rest);

        if (!unit || rest[1] != '\0')
            return false;
        shift = 10u * (unsigned)(unit - units + 1);
    }
    if (value > UINT64_MAX >> shift)
        return false;
    *ret_value = value << shift;
    return true;
}
