/* SPDX-License-Identifier: MIT */
/*
 * Knuth, Morris and Pratt: after a mismatch the search goes on with the longest
 * beginning of the text that the stream still ends with, so no byte is kept.
 */

#include "tools/matcher.h"

#include <string.h>

/* The number of bytes that match after `byte`, when `matched` did before. */
static size_t advance(const struct matcher *matcher, size_t matched, uint8_t byte)
{
    while (matched > 0 && (uint8_t)matcher->text[matched] != byte)
        matched = matcher->resume[matched - 1];
    return (uint8_t)matcher->text[matched] == byte ? matched + 1 : 0;
}

bool matcher_init(struct matcher *matcher, const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > MATCHER_TEXT_MAX)
        return false;
    *matcher = (struct matcher){.text = text, .length = length};
    for (size_t i = 1; i < length; i++)
        matcher->resume[i] = (uint8_t)advance(matcher, matcher->resume[i - 1], (uint8_t)text[i]);
    return true;
}

bool matcher_feed(struct matcher *matcher, const uint8_t *bytes, size_t length)
{
    bool found = false;

    for (size_t i = 0; i < length; i++) {
        matcher->matched = advance(matcher, matcher->matched, bytes[i]);
        if (matcher->matched == matcher->length) {
            found = true;
            matcher->matched = matcher->resume[matcher->length - 1];
        }
    }
    return found;
}
