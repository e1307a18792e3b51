/* SPDX-License-Identifier: MIT */
/*
 * Which range belongs to whom: claiming and releasing. A claim is checked whole
 * and then inserted; nobody sees half of one. [IO-5] Accesses are in access.c,
 * doorbells in doorbell.c.
 */

#include "lib/io/bus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"

#define PORT_END UINT64_C(0x10000)
#define MMIO_END (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)
#define SIZES_ALL (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4 | VMR_SIZE_8)

uint64_t bus_space_end(enum vmr_bus_space space)
{
    return space == VMR_BUS_PORTS ? PORT_END : MMIO_END;
}

enum vmr_status vmr_bus_create(const struct vmr_host *host, enum vmr_bus_space space, struct vmr_bus **ret_bus,
                               struct vmr_error *err)
{
    if (!host || !host->ops)
        return vmr_error_set(err, VMR_E_USAGE, "bus: no host was given");
    if (space != VMR_BUS_PORTS && space != VMR_BUS_MMIO)
        return vmr_error_set(err, VMR_E_USAGE, "bus: %d is not an address space", (int)space);
    struct vmr_bus *bus = calloc(1, sizeof(*bus));

    if (!bus)
        return vmr_error_set(err, VMR_E_NOMEM, "bus: out of memory");
    bus->space = space;
    if (table_init(&bus->ranges, host) || table_init(&bus->doorbells, host)) {
        vmr_bus_destroy(bus);
        return vmr_error_set(err, VMR_E_NOMEM, "bus: no room for its tables");
    }
    *ret_bus = bus;
    return VMR_OK;
}

void vmr_bus_destroy(struct vmr_bus *bus)
{
    if (!bus)
        return;
    table_finish(&bus->ranges);
    table_finish(&bus->doorbells);
    free(bus);
}

static const char *name_of(const struct vmr_bus_range *range)
{
    return range->name ? range->name : "unnamed";
}

/* What is wrong with the range by itself. */
static enum vmr_status check_range(const struct vmr_bus *bus, const struct vmr_bus_range *range, struct vmr_error *err)
{
    if (!range->ops || !range->ops->read || !range->ops->write)
        return vmr_error_set(err, VMR_E_USAGE, "bus range %s at %#" PRIx64 ": it needs both read and write",
                             name_of(range), range->start);
    if (range->length == 0)
        return vmr_error_set(err, VMR_E_CONFIG, "bus range %s at %#" PRIx64 ": it is empty", name_of(range),
                             range->start);
    if (!range_contains(0, bus_space_end(bus->space), range->start, range->length))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "bus range %s at %#" PRIx64 ": with length %#" PRIx64
                             " it leaves the space, which ends at %#" PRIx64,
                             name_of(range), range->start, range->length, bus_space_end(bus->space));
    if (range->sizes != 0 && ((range->sizes & VMR_SIZE_1) == 0 || (range->sizes & ~SIZES_ALL) != 0))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "bus range %s at %#" PRIx64 ": sizes %#x must be of 1, 2, 4, 8 and hold 1", name_of(range),
                             range->start, (unsigned)range->sizes);
    return VMR_OK;
}

/* What is wrong with it at position `index` of the others. */
static enum vmr_status check_neighbour(const struct table_block *block, uint32_t index,
                                       const struct vmr_bus_range *range, struct vmr_error *err)
{
    if (index >= table_count(block))
        return VMR_OK;
    uint64_t start = table_word(block, index, RANGE_START);
    uint64_t length = table_word(block, index, RANGE_LENGTH);

    if (!range_overlaps(range->start, range->length, start, length))
        return VMR_OK;
    const char *other = (const char *)(uintptr_t)table_word(block, index, RANGE_NAME);

    return vmr_error_set(err, VMR_E_CONFIG,
                         "bus range %s at %#" PRIx64 ", length %#" PRIx64 ", overlaps %s at %#" PRIx64
                         ", length %#" PRIx64,
                         name_of(range), range->start, range->length, other, start, length);
}

static enum vmr_status claim_locked(struct vmr_bus *bus, const struct vmr_bus_range *range, struct vmr_error *err)
{
    const struct table_block *block = table_current(&bus->ranges);
    uint32_t index = table_count_up_to(block, range->start);
    enum vmr_status status = index > 0 ? check_neighbour(block, index - 1, range, err) : VMR_OK;

    if (!status)
        status = check_neighbour(block, index, range, err);
    if (status)
        return status;
    if (table_count(block) >= VMR_BUS_RANGE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "bus range %s at %#" PRIx64 ": there are already %u ranges",
                             name_of(range), range->start, VMR_BUS_RANGE_MAX);
    const uint64_t record[TABLE_WORDS] = {
        [RANGE_START] = range->start,
        [RANGE_LENGTH] = range->length,
        [RANGE_OPS] = (uintptr_t)range->ops,
        [RANGE_DEVICE] = (uintptr_t)range->device,
        [RANGE_SIZES] = range->sizes ? range->sizes : VMR_SIZE_1,
        [RANGE_NAME] = (uintptr_t)name_of(range),
    };

    if (!table_insert(&bus->ranges, index, record))
        return vmr_error_set(err, VMR_E_NOMEM, "bus range %s at %#" PRIx64 ": no room in the table", name_of(range),
                             range->start);
    return VMR_OK;
}

enum vmr_status vmr_bus_claim(struct vmr_bus *bus, const struct vmr_bus_range *range, struct vmr_error *err)
{
    enum vmr_status status = check_range(bus, range, err);

    if (status)
        return status;
    table_lock(&bus->ranges);
    status = claim_locked(bus, range, err);
    table_unlock(&bus->ranges);
    return status;
}

static enum vmr_status release_locked(struct vmr_bus *bus, uint64_t start, struct vmr_error *err)
{
    const struct table_block *block = table_current(&bus->ranges);
    uint32_t after = table_count_up_to(block, start);

    if (after == 0 || table_word(block, after - 1, RANGE_START) != start)
        return vmr_error_set(err, VMR_E_USAGE, "bus: no range starts at %#" PRIx64, start);
    table_remove(&bus->ranges, after - 1);
    return VMR_OK;
}

enum vmr_status vmr_bus_release(struct vmr_bus *bus, uint64_t start, struct vmr_error *err)
{
    table_lock(&bus->ranges);
    enum vmr_status status = release_locked(bus, start, err);

    table_unlock(&bus->ranges);
    return status;
}

bool vmr_bus_range_get(struct vmr_bus *bus, size_t index, struct vmr_bus_range_info *ret_range)
{
    table_lock(&bus->ranges);
    const struct table_block *block = table_current(&bus->ranges);
    bool is_there = index < table_count(block);

    if (is_there) {
        /* Under the lock: the name is the claimant's, and may be gone after the release. */
        const char *name = (const char *)(uintptr_t)table_word(block, (uint32_t)index, RANGE_NAME);

        *ret_range = (struct vmr_bus_range_info){.start = table_word(block, (uint32_t)index, RANGE_START),
                                                 .length = table_word(block, (uint32_t)index, RANGE_LENGTH),
                                                 .sizes = (uint8_t)table_word(block, (uint32_t)index, RANGE_SIZES)};
        memcpy(ret_range->name, name, strnlen(name, VMR_BUS_NAME_MAX));
    }
    table_unlock(&bus->ranges);
    return is_there;
}
