/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A snapshot taken apart, to be changed section by section, and sealed again:
 * hashes, id and count fit whatever is in it, so that what is behind them is
 * reached.
 */

#include <stdbool.h>

#include "fuzz/support/bytes.h"

#define SECTIONS_MAX 512u

struct section {
    uint32_t kind, flags;
    size_t length;
    uint8_t *bytes; /* owned; never NULL */
};

struct sections {
    uint64_t parent_id;
    uint16_t major, minor;
    size_t count;
    struct section items[SECTIONS_MAX];
};

/* Of any bytes: a section that is longer than what is left is cut, what is behind SECTIONS_MAX is dropped. */
void sections_take(struct sections *ret_sections, const uint8_t *bytes, size_t length);
/* False: there is no room for one more, and nothing has changed. */
bool sections_insert(struct sections *sections, size_t at, uint32_t kind, uint32_t flags, const uint8_t *bytes,
                     size_t length);
void sections_remove(struct sections *sections, size_t at);
/* Bytes are dropped, or zeros appended. */
void sections_resize(struct sections *sections, size_t at, size_t length);
/* Appends the file; sections named "end" say what is true. */
void sections_seal(const struct sections *sections, struct bytes *ret_file);
void sections_finish(struct sections *sections);
