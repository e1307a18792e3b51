/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table of regions: sorted by address, disjoint, searched by halving. It
 * knows addresses and slots, no locks, no observers and no backends; what it is
 * given has been checked.
 */

#include "vmrig/limits.h"
#include "vmrig/types.h"

#include "lib/base/sync.h"

struct region {
    vmr_gpa gpa;
    uint64_t size;
    uint8_t *host;
    bool read_only;
    bool vtl2;
    bool owned;  /* the library mapped the pages... */
    bool backed; /* ...with a backing that was asked for */
    int fd;      /* of shared memory, with `backed`; else -1 */
    uint32_t slot;
    _Atomic uint32_t pins;
    _Atomic uint64_t *dirty; /* a bit a page, while the dirty log is on; owned by the region's memory: dirty.h */
};

struct regions {
    struct region *items; /* by gpa */
    size_t count;
    size_t capacity;
    uint64_t bytes;                                    /* in all regions */
    uint64_t slots[(VMR_MEMORY_REGION_MAX + 63) / 64]; /* bit set: in use */
};

#define REGIONS_NONE SIZE_MAX

void regions_finish(struct regions *regions); /* zeroed is fine; not the regions' memory */

/* Index of the region that holds `gpa`, or REGIONS_NONE. */
size_t regions_find(const struct regions *regions, vmr_gpa gpa);
/* Index of the region that starts at `gpa`, or REGIONS_NONE. */
size_t regions_find_start(const struct regions *regions, vmr_gpa gpa);
/* Index of the first region that shares a byte with [gpa, gpa + size), which does not wrap, or REGIONS_NONE. */
size_t regions_find_overlap(const struct regions *regions, vmr_gpa gpa, uint64_t size);

/*
 * Makes room for one more, so that the next regions_add cannot fail. False:
 * out of memory. The count is below VMR_MEMORY_REGION_MAX.
 */
bool regions_reserve(struct regions *regions);
/* The lowest slot that no region has. */
uint32_t regions_free_slot(const struct regions *regions);
/* Takes the region, which overlaps nothing, has a free slot, and for which there is room. */
void regions_add(struct regions *regions, const struct region *region);
void regions_remove(struct regions *regions, size_t index);
