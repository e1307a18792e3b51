/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whose each request of the layout is: the engine hands the number on.
 */

#include "lib/resolve/resolve.h"

enum place {
    PLACE_NOBODY,
    PLACE_CHIPSET_LOW,
    PLACE_CHIPSET_HIGH,
    PLACE_ECAM,       /* the index is the segment's first complex */
    PLACE_LOW_WINDOW, /* of a complex, as the following */
    PLACE_HIGH_WINDOW,
    PLACE_HDM,
    PLACE_CHBCR,
    PLACE_VIRTIO,
    PLACE_IOMMU,
    PLACE_RAM, /* of a node */
    PLACE_VTL2_CHIPSET,
    PLACE_VTL2_RAM,
    PLACE_VTL2_FRAMEBUFFER
};

#define PLACE_SHIFT 24
#define PLACE_INDEX_MASK 0xffffffu
#define PLACE(kind_, index_) ((uint32_t)(kind_) << PLACE_SHIFT | (uint32_t)(index_))

struct requests {
    struct resolving *resolving;
    struct vmr_layout_request *items;
    size_t count, capacity;
    bool failed; /* out of memory */
};
