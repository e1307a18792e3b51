/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing side by side, so that they cannot drift apart.
 */

#include "lib/config/json_forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/checked.h"
#include "lib/base/text.h"

static bool all_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text_digit(text[i]) > 15)
            return false;
    }
    return length > 0;
}

enum form_result form_read_hex(const char *text, size_t length, uint64_t *ret_value)
{
    if (length < 3 || text[0] != '0' || text[1] != 'x' || !all_hex(text + 2, length - 2))
        return FORM_BAD;
    return text_parse_number(text, length, ret_value) ? FORM_OK : FORM_LARGE;
}

void form_write_hex(uint64_t value, char text[FORM_MAX])
{
    snprintf(text, FORM_MAX, "0x%" PRIx64, value);
}

static const struct {
    const char *names[2];
    unsigned shift;
} units[] = {{{"TiB", "T"}, 40}, {{"GiB", "G"}, 30}, {{"MiB", "M"}, 20}, {{"KiB", "K"}, 10}};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

static bool read_unit(const char *text, size_t length, unsigned *ret_shift)
{
    for (size_t i = 0; i < 2 * UNIT_COUNT; i++) {
        const char *name = units[i / 2].names[i % 2];

        if (strlen(name) == length && memcmp(name, text, length) == 0) {
            *ret_shift = units[i / 2].shift;
            return true;
        }
    }
    return false;
}

enum form_result form_read_size(const char *text, size_t length, uint64_t *ret_value)
{
    size_t digits = 0;
    unsigned shift;
    uint64_t number;

    while (digits < length && text[digits] >= '0' && text[digits] <= '9')
        digits++;

    size_t unit = digits < length && text[digits] == ' ' ? digits + 1 : digits;

    if (digits == 0 || !read_unit(text + unit, length - unit, &shift))
        return form_read_hex(text, length, ret_value);
    if (!text_parse_number(text, digits, &number) || !checked_mul_u64(number, UINT64_C(1) << shift, &number))
        return FORM_LARGE;
    *ret_value = number;
    return FORM_OK;
}

bool form_write_size(uint64_t value, char text[FORM_MAX])
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (value != 0 && is_aligned(value, UINT64_C(1) << units[i].shift)) {
            snprintf(text, FORM_MAX, "%" PRIu64 "%s", value >> units[i].shift, units[i].names[0]);
            return true;
        }
    }
    return false;
}

enum form_result form_read_guid(const char *text, size_t length, struct vmr_guid *ret_guid)
{
    static const size_t dashes[] = {8, 13, 18, 23};
    uint8_t bytes[16];
    char digits[32];
    size_t count = 0;

    if (length != 36)
        return FORM_BAD;
    for (size_t i = 0; i < sizeof(dashes) / sizeof(dashes[0]); i++) {
        if (text[dashes[i]] != '-')
            return FORM_BAD;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '-' && count < sizeof(digits))
            digits[count++] = text[i];
    }
    if (count != sizeof(digits) || !text_parse_hex(digits, count, bytes, sizeof(bytes)))
        return FORM_BAD;
    *ret_guid = (struct vmr_guid){
        .data1 = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3],
        .data2 = (uint16_t)(bytes[4] << 8 | bytes[5]),
        .data3 = (uint16_t)(bytes[6] << 8 | bytes[7]),
    };
    memcpy(ret_guid->data4, bytes + 8, 8);
    return FORM_OK;
}

void form_write_guid(const struct vmr_guid *guid, char text[FORM_MAX])
{
    const uint8_t *rest = guid->data4;

    snprintf(text, FORM_MAX, "%08" PRIx32 "-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->data1, guid->data2,
             guid->data3, rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]);
}

enum form_result form_read_mac(const char *text, size_t length, uint8_t ret_mac[6])
{
    uint8_t mac[6];

    if (length != 17)
        return FORM_BAD;
    for (size_t i = 0; i < 6; i++) {
        if (!text_parse_hex(text + 3 * i, 2, &mac[i], 1) || (i < 5 && text[3 * i + 2] != ':'))
            return FORM_BAD;
    }
    memcpy(ret_mac, mac, sizeof(mac));
    return FORM_OK;
}

void form_write_mac(const uint8_t mac[6], char text[FORM_MAX])
{
    snprintf(text, FORM_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

enum form_result form_read_range(const char *text, size_t length, struct vmr_gpa_range *ret_range)
{
    const char *dash = memchr(text, '-', length);
    uint64_t first, last;

    if (!dash)
        return FORM_BAD;

    size_t before = (size_t)(dash - text);
    enum form_result result = form_read_hex(text, before, &first);

    if (result == FORM_OK)
        result = form_read_hex(dash + 1, length - before - 1, &last);
    if (result != FORM_OK)
        return result;
    if (first > last)
        return FORM_BAD;
    if (last == UINT64_MAX)
        return FORM_LARGE;
    *ret_range = (struct vmr_gpa_range){first, last + 1};
    return FORM_OK;
}

bool form_write_range(const struct vmr_gpa_range *range, char text[FORM_MAX])
{
    if (range->start >= range->end)
        return false;
    snprintf(text, FORM_MAX, "0x%" PRIx64 "-0x%" PRIx64, range->start, range->end - 1);
    return true;
}
