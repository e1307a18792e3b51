/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who was first: finds doubles, and what a name means, in n log n. Fill, sort,
 * look up. A key is a number, bytes, or both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/arena.h"

#define KEYS_NONE SIZE_MAX

struct key {
    uint64_t number;
    const void *bytes; /* borrowed */
    size_t size;
    size_t id; /* the caller's; of equal keys, the one with the least is the first */
};

struct keys {
    struct key *items;
    size_t count;
};

/* Room for `capacity` keys; false: out of memory. */
bool keys_init(struct keys *keys, struct arena *arena, size_t capacity);
void keys_add(struct keys *keys, struct key key);
/* The key of a text; one of NULL is equal to that of "". */
struct key key_of_text(const char *text, size_t id);
void keys_sort(struct keys *keys);
/* The id of the first that equals `key`, whatever its id; KEYS_NONE. Sorted keys alone. */
size_t keys_find(const struct keys *keys, const struct key *key);
