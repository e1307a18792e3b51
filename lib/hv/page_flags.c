/* SPDX-License-Identifier: MIT */
/*
 * The tree has a fixed depth: what a node is follows from how deep it lies.
 */

#include "lib/hv/page_flags.h"

#include <stdlib.h>

#define DEPTH 3u /* levels of pointers above the words */
#define LEVEL_BITS 10u

struct node {
    void *slots[PAGE_FLAGS_FANOUT];
};

struct leaf {
    uint32_t words[PAGE_FLAGS_FANOUT];
};

/* The place of `page` in a node that has `above` levels of pointers below it. */
static unsigned slot_of(uint64_t page, unsigned above)
{
    return (unsigned)(page >> (LEVEL_BITS * above)) % PAGE_FLAGS_FANOUT;
}

/* Frees a subtree with `levels` levels of pointers: after the last child its parent follows, so no recursion. */
void page_flags_finish(struct page_flags *flags)
{
    struct node *nodes[DEPTH] = {flags->root};
    unsigned next[DEPTH] = {0};
    unsigned depth = 0;

    while (nodes[0]) {
        if (next[depth] == PAGE_FLAGS_FANOUT) {
            free(nodes[depth]);
            nodes[depth] = NULL;
            if (depth == 0)
                break;
            depth--;
            continue;
        }
        void *child = nodes[depth]->slots[next[depth]++];

        if (depth == DEPTH - 1) {
            free(child);
        } else if (child) {
            depth++;
            nodes[depth] = child;
            next[depth] = 0;
        }
    }
    flags->root = NULL;
}

static const struct leaf *find(const struct page_flags *flags, uint64_t page)
{
    void *at = flags->root;

    for (unsigned above = DEPTH; above > 0 && at; above--)
        at = ((struct node *)at)->slots[slot_of(page, above)];
    return at;
}

bool page_flags_reserve(struct page_flags *flags, uint64_t page)
{
    void **at = &flags->root;

    for (unsigned above = DEPTH; above > 0; above--) {
        if (!*at)
            *at = calloc(1, sizeof(struct node));
        if (!*at)
            return false;
        at = &((struct node *)*at)->slots[slot_of(page, above)];
    }
    if (!*at)
        *at = calloc(1, sizeof(struct leaf));
    return *at != NULL;
}

uint32_t page_flags_get(const struct page_flags *flags, uint64_t page)
{
    const struct leaf *leaf = find(flags, page);

    return leaf ? leaf->words[slot_of(page, 0)] : 0;
}

void page_flags_set(struct page_flags *flags, uint64_t page, uint32_t value)
{
    struct leaf *leaf = (struct leaf *)find(flags, page);

    if (leaf)
        leaf->words[slot_of(page, 0)] = value;
}

/* The first page behind the smallest subtree without anything that `page` lies in; `page` itself if it has a leaf. */
static uint64_t skip_empty(const struct page_flags *flags, uint64_t page)
{
    const struct node *at = flags->root;
    unsigned above = DEPTH;

    for (; at && above > 0; above--)
        at = at->slots[slot_of(page, above)];
    if (at)
        return page;
    unsigned bits = LEVEL_BITS * (above + 1);

    return ((page >> bits) + 1) << bits;
}

bool page_flags_next(const struct page_flags *flags, uint64_t *page, uint64_t end)
{
    uint64_t at = *page;

    while (at < end) {
        uint64_t first = skip_empty(flags, at);

        if (first != at) {
            at = first;
            continue;
        }
        if (page_flags_get(flags, at) != 0) {
            *page = at;
            return true;
        }
        at++;
    }
    return false;
}
