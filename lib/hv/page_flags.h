/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A word of flags for each guest page: zero until it is set. A radix tree, so
 * that one page costs the same whatever others hold, and a guest can make it
 * as large as its RAM needs and no larger. The caller has a lock.
 */

#include "vmrig/types.h"

#define PAGE_FLAGS_FANOUT 1024u
#define PAGE_FLAGS_PAGE_END (UINT64_C(1) << 40) /* 52 bits of address */

struct page_flags {
    void *root; /* three levels of pointers, then words */
};

void page_flags_finish(struct page_flags *flags); /* zeroed is fine; zeroed afterwards */

/* Makes room, so that setting the page cannot fail. False: out of memory. `page` is below PAGE_FLAGS_PAGE_END. */
bool page_flags_reserve(struct page_flags *flags, uint64_t page);
uint32_t page_flags_get(const struct page_flags *flags, uint64_t page);
/* There is room for the page. */
void page_flags_set(struct page_flags *flags, uint64_t page, uint32_t value);

/* The first page from *page on, below `end`, whose flags are not zero; false if there is none. */
bool page_flags_next(const struct page_flags *flags, uint64_t *page, uint64_t end);
