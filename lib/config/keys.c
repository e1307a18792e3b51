/* SPDX-License-Identifier: MIT */
/*
 * A sorted array is all that it takes: configurations are read once.
 */

#include "lib/config/keys.h"

#include <stdlib.h>
#include <string.h>

bool keys_init(struct keys *keys, struct arena *arena, size_t capacity)
{
    *keys = (struct keys){.items = arena_alloc(arena, capacity, sizeof(*keys->items))};
    return keys->items != NULL;
}

void keys_add(struct keys *keys, struct key key)
{
    keys->items[keys->count++] = key;
}

struct key key_of_text(const char *text, size_t id)
{
    return (struct key){.bytes = text, .size = text ? strlen(text) : 0, .id = id};
}

static int compare_content(const struct key *a, const struct key *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return a->size > 0 ? memcmp(a->bytes, b->bytes, a->size) : 0;
}

static int compare(const void *a, const void *b)
{
    const struct key *first = a, *second = b;
    int order = compare_content(first, second);

    if (order != 0)
        return order;
    return first->id < second->id ? -1 : first->id > second->id;
}

void keys_sort(struct keys *keys)
{
    qsort(keys->items, keys->count, sizeof(*keys->items), compare);
}

size_t keys_find(const struct keys *keys, const struct key *key)
{
    size_t low = 0, high = keys->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_content(&keys->items[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < keys->count && compare_content(&keys->items[low], key) == 0 ? keys->items[low].id : KEYS_NONE;
}
