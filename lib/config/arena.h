/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that is given back all at once: what a configuration file, a resolved
 * machine or a set of tables consists of.
 */

#include <stddef.h>

struct arena_chunk;

/* Zeroed: empty. */
struct arena {
    struct arena_chunk *chunks; /* the one in use first */
    size_t used, capacity;      /* of that one */
};

/* Zeroed memory for `count` elements of `size` bytes, aligned for any of them; NULL: out of memory, or too much. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* A copy, with a zero byte behind it. */
char *arena_text(struct arena *arena, const char *text, size_t length);
void arena_finish(struct arena *arena);
