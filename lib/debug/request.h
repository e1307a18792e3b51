/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A packet's payload, read word by word. Each reader takes what it is for, or
 * takes nothing and says so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
    const char *at;
    size_t left;
};

/* The word, if it stands here. */
bool request_word(struct request *request, const char *word);
/* One to sixteen hexadecimal digits. */
bool request_number(struct request *request, uint64_t *ret_value);
/* Nothing is left. */
bool request_is_over(const struct request *request);
/* Whether the word stands anywhere in what is left, of which nothing is taken. */
bool request_holds(const struct request *request, const char *word);
