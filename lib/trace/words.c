/* SPDX-License-Identifier: MIT */
/*
 * Words of a line. Two spaces in a row give an empty word, which nothing
 * accepts: a line has one way to be written.
 */

#include "lib/trace/words.h"

#include <string.h>

#include "lib/base/text.h"

bool words_next(struct words *words, struct word *ret_word)
{
    if (words->position > words->length)
        return false;
    const char *start = words->text + words->position;
    size_t left = words->length - words->position;
    const char *space = left > 0 ? memchr(start, ' ', left) : NULL;
    size_t length = space ? (size_t)(space - start) : left;

    if (left == 0)
        return false;
    *ret_word = (struct word){.text = start, .length = length};
    /* One past the end says that there is no word, not even an empty one. */
    words->position += length + 1;
    return true;
}

void words_rest(struct words *words, struct word *ret_word)
{
    size_t position = words->position < words->length ? words->position : words->length;

    *ret_word = (struct word){.text = words->text + position, .length = words->length - position};
    words->position = words->length + 1;
}

bool word_is(const struct word *word, const char *text)
{
    return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

bool word_take_key(struct word *word, const char *key)
{
    size_t length = strlen(key);

    if (word->length <= length + 1 || memcmp(word->text, key, length) != 0 || word->text[length] != '=')
        return false;
    word->text += length + 1;
    word->length -= length + 1;
    return true;
}

bool word_number(const struct word *word, uint64_t *ret_value)
{
    return text_parse_number(word->text, word->length, ret_value);
}
