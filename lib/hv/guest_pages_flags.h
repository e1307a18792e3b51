/* SPDX-License-Identifier: MIT */
#pragma once

/* What guest_pages.c and page_state.c share: the flags of a page, and how they are changed. All under the lock. */

#include "lib/hv/guest_pages.h"

/* Four bits for each pair of VTLs, imposer above target: what is denied. Zero: nothing. */
#define DENIED_SHIFT(imposer, target) ((imposer) == 1 ? 0u : (target) == 0 ? 4u : 8u)
#define DENIED_ALL UINT32_C(0xfff)
#define UNMAPPED(vtl) (UINT32_C(1) << (12u + (vtl)))
#define ACCEPTED (UINT32_C(1) << 15)
#define SHARED (UINT32_C(1) << 16)

/* NULL: the page is no RAM. */
const struct region *guest_pages_ram_at(const struct guest_pages *pages, uint64_t page);
/* The flags of one page become `flags`, and the backend hears of it. False: nothing has changed. */
bool guest_pages_change(struct guest_pages *pages, uint64_t page, uint32_t flags);
/* The backend hears of a whole region. */
bool guest_pages_tell_all(const struct guest_pages *pages, const struct vmr_page_range *range);
