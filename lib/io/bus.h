/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of this folder share: the object and the shape of its records.
 * Ranges and doorbells are each a table that is read without a lock.
 */

#include "vmrig/bus.h"
#include "vmrig/limits.h"

#include "lib/io/table.h"

/* Words of a range's record, sorted by start, disjoint. */
enum range_word {
    RANGE_START,
    RANGE_LENGTH,
    RANGE_OPS,
    RANGE_DEVICE,
    RANGE_SIZES,
    RANGE_NAME /* only for messages, and so only under the lock */
};

/* Where an address was found last. Recent answers are worth more than a search; wrong ones are seen and repaired. */
#define BUS_HINT_BITS 8

struct vmr_bus {
    enum vmr_bus_space space;
    struct table ranges;
    struct table doorbells;
    uint64_t doorbell_id; /* the last one given away; under doorbells' lock */
    _Atomic uint32_t hints[1u << BUS_HINT_BITS];
};

/* The first address that the space does not have. */
uint64_t bus_space_end(enum vmr_bus_space space);

/* Rings the doorbell that takes this write. False: there is none. */
bool doorbell_ring(struct vmr_bus *bus, const struct vmr_access *access, uint64_t value);
