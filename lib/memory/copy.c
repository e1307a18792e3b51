/* SPDX-License-Identifier: MIT */
/*
 * The loops that touch memory shared with a guest. Single bytes up to the first
 * aligned word of the shared side, words, single bytes for the rest; the
 * private side may have any alignment. Where the bytes are is decided elsewhere.
 */

#include "lib/memory/copy.h"

#include <string.h>

/* Shared memory has no type of its own; a word of it may be read as one whatever was stored. */
typedef uint64_t __attribute__((may_alias)) shared_word;

#define WORD sizeof(shared_word)

/* How many of `length` bytes come before the first aligned word. */
static size_t bytes_to_word(const void *shared, size_t length)
{
    size_t head = (WORD - (uintptr_t)shared % WORD) % WORD;

    return head < length ? head : length;
}

static void load_bytes(uint8_t *to, const uint8_t *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
}

static void store_bytes(uint8_t *to, const uint8_t *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        __atomic_store_n(to + i, from[i], __ATOMIC_RELAXED);
}

void copy_from_shared(void *private_bytes, const void *shared, size_t length)
{
    uint8_t *to = private_bytes;
    const uint8_t *from = shared;
    size_t done = bytes_to_word(from, length);

    load_bytes(to, from, done);
    for (; length - done >= WORD; done += WORD) {
        uint64_t word = __atomic_load_n((const shared_word *)(const void *)(from + done), __ATOMIC_RELAXED);

        memcpy(to + done, &word, WORD);
    }
    load_bytes(to + done, from + done, length - done);
}

void copy_to_shared(void *shared, const void *private_bytes, size_t length)
{
    uint8_t *to = shared;
    const uint8_t *from = private_bytes;
    size_t done = bytes_to_word(to, length);

    store_bytes(to, from, done);
    for (; length - done >= WORD; done += WORD) {
        uint64_t word;

        memcpy(&word, from + done, WORD);
        __atomic_store_n((shared_word *)(void *)(to + done), word, __ATOMIC_RELAXED);
    }
    store_bytes(to + done, from + done, length - done);
}

void copy_fill_shared(void *shared, uint8_t byte, size_t length)
{
    uint8_t *to = shared;
    uint8_t pattern[WORD];
    size_t done = bytes_to_word(to, length);
    uint64_t word;

    memset(pattern, byte, WORD);
    memcpy(&word, pattern, WORD);
    store_bytes(to, pattern, done);
    for (; length - done >= WORD; done += WORD)
        __atomic_store_n((shared_word *)(void *)(to + done), word, __ATOMIC_RELAXED);
    store_bytes(to + done, pattern, length - done);
}
