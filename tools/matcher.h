/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Finds a text in a stream of bytes that comes in pieces of any size. The work
 * per byte is constant on average, whatever the bytes are: a guest chooses them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATCHER_TEXT_MAX 255u

struct matcher {
    const char *text; /* the caller's */
    size_t length;
    size_t matched;                   /* bytes of `text` that the stream ends with */
    uint8_t resume[MATCHER_TEXT_MAX]; /* for each prefix, the longest proper border of it */
};

/* False, and nothing done, for an empty text and one above the limit. */
bool matcher_init(struct matcher *matcher, const char *text);
/* Whether the text ends in these bytes. Goes on behind it. */
bool matcher_feed(struct matcher *matcher, const uint8_t *bytes, size_t length);
