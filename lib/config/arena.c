/* SPDX-License-Identifier: MIT */
/*
 * Chunks that double, so that a large configuration costs few allocations and a
 * small one one.
 */

#include "lib/config/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"

#define CHUNK_MIN 4096u
#define CHUNK_MAX (1u << 20) /* beyond it, chunks grow no more; what is larger has one of its own */

struct arena_chunk {
    struct arena_chunk *next;
    max_align_t bytes[];
};

static bool add_chunk(struct arena *arena, size_t at_least)
{
    size_t capacity = arena->capacity ? arena->capacity : CHUNK_MIN / 2;

    if (capacity < CHUNK_MAX)
        capacity *= 2;
    if (capacity < at_least)
        capacity = at_least;
    if (capacity > SIZE_MAX - sizeof(struct arena_chunk))
        return false;

    struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + capacity);

    if (!chunk)
        return false;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->used = 0;
    arena->capacity = capacity;
    return true;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    const size_t unit = alignof(max_align_t);
    uint64_t length;

    if (!checked_mul_u64(count, size, &length) || length > SIZE_MAX - unit)
        return NULL;
    length = length == 0 ? unit : (length + unit - 1) / unit * unit;
    if (length > arena->capacity - arena->used && !add_chunk(arena, length))
        return NULL;

    void *ret = (char *)arena->chunks->bytes + arena->used;

    arena->used += length;
    return ret;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1, 1) : NULL;

    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}

void arena_finish(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        free(chunk);
    }
    *arena = (struct arena){0};
}
