/* SPDX-License-Identifier: MIT */
/* What GDB asks, word by word. A payload has no terminating zero, and may hold some. */

#include "lib/debug/request.h"

#include <string.h>

#include "lib/base/text.h"

#define NUMBER_DIGITS_MAX 16u

bool request_word(struct request *request, const char *word)
{
    size_t length = strlen(word);

    if (length > request->left || memcmp(request->at, word, length) != 0)
        return false;
    request->at += length;
    request->left -= length;
    return true;
}

bool request_number(struct request *request, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t count = 0;

    while (count < request->left && text_digit(request->at[count]) < 16) {
        if (count == NUMBER_DIGITS_MAX)
            return false;
        value = value << 4 | text_digit(request->at[count++]);
    }
    if (count == 0)
        return false;
    request->at += count;
    request->left -= count;
    *ret_value = value;
    return true;
}

bool request_is_over(const struct request *request)
{
    return request->left == 0;
}

bool request_holds(const struct request *request, const char *word)
{
    struct request rest = *request;

    for (; rest.left > 0; rest.at++, rest.left--) {
        struct request here = rest;

        if (request_word(&here, word))
            return true;
    }
    return false;
}
