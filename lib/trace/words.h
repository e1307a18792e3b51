/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A line taken apart at single spaces, for the parsers of the text form.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct words {
    const char *text;
    size_t length;
    size_t position;
};

struct word {
    const char *text;
    size_t length;
};

static inline void words_init(struct words *words, const char *text, size_t length)
{
    *words = (struct words){.text = text, .length = length};
}

bool words_next(struct words *words, struct word *ret_word);
/* What is left of the line, as one word. */
void words_rest(struct words *words, struct word *ret_word);
bool word_is(const struct word *word, const char *text);
/* Takes `key` and "=" off the front, if there is something behind them. */
bool word_take_key(struct word *word, const char *key);
bool word_number(const struct word *word, uint64_t *ret_value);
