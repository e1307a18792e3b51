/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Values that are texts in a file: how each is read, and how it is written. What
 * is written reads as the same value.
 */

#include "vmrig/config.h"

enum form_result {
    FORM_OK,
    FORM_BAD,  /* not of this form */
    FORM_LARGE /* beyond 64 bits */
};

#define FORM_MAX 48 /* bytes of the longest, terminated */

/* "0x1f". */
enum form_result form_read_hex(const char *text, size_t length, uint64_t *ret_value);
void form_write_hex(uint64_t value, char text[FORM_MAX]);
/* "64K", "64KiB", "4 GiB"; also what form_read_hex takes. */
enum form_result form_read_size(const char *text, size_t length, uint64_t *ret_value);
/* False, and nothing written, if no unit makes it shorter: not a multiple of 1024, or 0. */
bool form_write_size(uint64_t value, char text[FORM_MAX]);
/* "00112233-4455-6677-8899-aabbccddeeff". */
enum form_result form_read_guid(const char *text, size_t length, struct vmr_guid *ret_guid);
void form_write_guid(const struct vmr_guid *guid, char text[FORM_MAX]);
/* "52:54:00:12:34:56". */
enum form_result form_read_mac(const char *text, size_t length, uint8_t ret_mac[6]);
void form_write_mac(const uint8_t mac[6], char text[FORM_MAX]);
/* "0xe0000000-0xefffffff": first and last byte, not the very last of 64 bits. */
enum form_result form_read_range(const char *text, size_t length, struct vmr_gpa_range *ret_range);
/* False, and nothing written: it is empty. */
bool form_write_range(const struct vmr_gpa_range *range, char text[FORM_MAX]);
