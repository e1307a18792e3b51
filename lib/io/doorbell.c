/* SPDX-License-Identifier: MIT */
/*
 * Doorbells: writes that become one call and go no further. [IO-7]
 *
 * They are sorted by address, then by what else must match, then by value. A
 * write is looked up as the most particular doorbell first (this size and
 * value), then with any size, then with any value; it rings one at most. One
 * that the writer's VTL may not ring does not match, and the search goes on.
 */

#include "lib/io/doorbell.h"

#include <inttypes.h>

#include "lib/base/checked.h"
#include "lib/io/bus.h"

enum doorbell_word {
    DOORBELL_ADDRESS,
    DOORBELL_MATCH, /* the size, and MATCH_VALUE */
    DOORBELL_VALUE, /* 0 if it does not count */
    DOORBELL_RING,
    DOORBELL_CONTEXT,
    DOORBELL_VTL,
    DOORBELL_ID
};

#define MATCH_VALUE 16u

/* What is compared, in sort order. */
struct key {
    uint64_t address;
    uint64_t match;
    uint64_t value;
};

struct bell {
    void (*ring)(void *context);
    void *context;
};

static struct key key_of(const struct vmr_doorbell *doorbell)
{
    return (struct key){.address = doorbell->address,
                        .match = doorbell->size | (doorbell->match_value ? MATCH_VALUE : 0),
                        .value = doorbell->match_value ? doorbell->value : 0};
}

static bool record_is_below(const struct table_block *block, uint32_t index, const struct key *key)
{
    uint64_t address = table_word(block, index, DOORBELL_ADDRESS);
    uint64_t match = table_word(block, index, DOORBELL_MATCH);

    if (address != key->address)
        return address < key->address;
    if (match != key->match)
        return match < key->match;
    return table_word(block, index, DOORBELL_VALUE) < key->value;
}

/* How many records come before the key. */
static uint32_t count_below(const struct table_block *block, const struct key *key)
{
    uint32_t low = 0;
    uint32_t high = table_count(block);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (record_is_below(block, middle, key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool record_is(const struct table_block *block, uint32_t index, const struct key *key)
{
    return index < table_count(block) && table_word(block, index, DOORBELL_ADDRESS) == key->address &&
           table_word(block, index, DOORBELL_MATCH) == key->match &&
           table_word(block, index, DOORBELL_VALUE) == key->value;
}

static bool look_for(const struct table_block *block, const struct key *key, uint64_t vtl, struct bell *ret_bell)
{
    uint32_t index = count_below(block, key);

    if (!record_is(block, index, key) || vtl < table_word(block, index, DOORBELL_VTL))
        return false;
    *ret_bell = (struct bell){
        .ring = (void (*)(void *))(uintptr_t)table_word(block, index, DOORBELL_RING),
        .context = (void *)(uintptr_t)table_word(block, index, DOORBELL_CONTEXT),
    };
    return true;
}

static bool look_for_any(const struct table_block *block, const struct vmr_access *access, uint64_t value,
                         struct bell *ret_bell)
{
    const struct key keys[] = {
        {access->address, access->size | MATCH_VALUE, value},
        {access->address, MATCH_VALUE, value},
        {access->address, access->size, 0},
        {access->address, 0, 0},
    };
    uint32_t after = table_count_up_to(block, access->address);

    /* Most writes are to addresses without any: one search, not four. */
    if (after == 0 || table_word(block, after - 1, DOORBELL_ADDRESS) != access->address)
        return false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (look_for(block, &keys[i], access->vtl, ret_bell))
            return true;
    }
    return false;
}

bool doorbell_ring(struct vmr_bus *bus, const struct vmr_access *access, uint64_t value)
{
    struct bell bell = {0};
    struct table_read read = table_read_begin(&bus->doorbells);
    bool found;

    do {
        found = look_for_any(read.block, access, value, &bell);
    } while (!table_read_end(&bus->doorbells, &read));
    if (found)
        bell.ring(bell.context);
    return found;
}

enum vmr_status doorbell_check(enum vmr_bus_space space, const struct vmr_doorbell *doorbell, struct vmr_error *err)
{
    unsigned size = doorbell->size;

    if (size > 8 || (size & (size - 1)) != 0 || (size == 8 && space == VMR_BUS_PORTS))
        return vmr_error_set(err, VMR_E_CONFIG, "doorbell at %#" PRIx64 ": %u is not a size on this bus",
                             doorbell->address, size);
    if (!range_contains(0, bus_space_end(space), doorbell->address, size ? size : 1))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "doorbell at %#" PRIx64 ": it leaves the space, which ends at %#" PRIx64,
                             doorbell->address, bus_space_end(space));
    if (doorbell->match_value && size != 0 && (doorbell->value & ~mask_of_bytes(size)) != 0)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "doorbell at %#" PRIx64 ": the value %#" PRIx64 " does not fit into %u bytes",
                             doorbell->address, doorbell->value, size);
    if (doorbell->minimum_vtl >= VMR_VTL_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "doorbell at %#" PRIx64 ": %u is not a VTL", doorbell->address,
                             (unsigned)doorbell->minimum_vtl);
    return VMR_OK;
}

static enum vmr_status refuse_twin(const struct vmr_doorbell *doorbell, struct vmr_error *err)
{
    if (doorbell->match_value)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "doorbell at %#" PRIx64 ": there is one for size %u and value %#" PRIx64 " already",
                             doorbell->address, (unsigned)doorbell->size, doorbell->value);
    return vmr_error_set(err, VMR_E_CONFIG, "doorbell at %#" PRIx64 ": there is one for size %u and any value already",
                         doorbell->address, (unsigned)doorbell->size);
}

static enum vmr_status add_locked(struct vmr_bus *bus, const struct vmr_doorbell *doorbell, uint64_t *ret_id,
                                  struct vmr_error *err)
{
    const struct table_block *block = table_current(&bus->doorbells);
    struct key key = key_of(doorbell);
    uint32_t index = count_below(block, &key);

    if (record_is(block, index, &key))
        return refuse_twin(doorbell, err);
    if (table_count(block) >= VMR_BUS_DOORBELL_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "doorbell at %#" PRIx64 ": there are already %u doorbells",
                             doorbell->address, VMR_BUS_DOORBELL_MAX);
    const uint64_t record[TABLE_WORDS] = {
        [DOORBELL_ADDRESS] = key.address,
        [DOORBELL_MATCH] = key.match,
        [DOORBELL_VALUE] = key.value,
        [DOORBELL_RING] = (uintptr_t)doorbell->ring,
        [DOORBELL_CONTEXT] = (uintptr_t)doorbell->context,
        [DOORBELL_VTL] = doorbell->minimum_vtl,
        [DOORBELL_ID] = bus->doorbell_id + 1,
    };

    if (!table_insert(&bus->doorbells, index, record))
        return vmr_error_set(err, VMR_E_NOMEM, "doorbell at %#" PRIx64 ": no room in the table", doorbell->address);
    *ret_id = ++bus->doorbell_id;
    return VMR_OK;
}

enum vmr_status vmr_bus_doorbell_add(struct vmr_bus *bus, const struct vmr_doorbell *doorbell, uint64_t *ret_id,
                                     struct vmr_error *err)
{
    if (!doorbell->ring)
        return vmr_error_set(err, VMR_E_USAGE, "doorbell at %#" PRIx64 ": it has nothing to ring", doorbell->address);
    enum vmr_status status = doorbell_check(bus->space, doorbell, err);

    if (status)
        return status;
    table_lock(&bus->doorbells);
    status = add_locked(bus, doorbell, ret_id, err);
    table_unlock(&bus->doorbells);
    return status;
}

static enum vmr_status remove_locked(struct vmr_bus *bus, uint64_t id, struct vmr_error *err)
{
    const struct table_block *block = table_current(&bus->doorbells);
    uint32_t count = table_count(block);

    for (uint32_t i = 0; i < count; i++) {
        if (table_word(block, i, DOORBELL_ID) == id) {
            table_remove(&bus->doorbells, i);
            return VMR_OK;
        }
    }
    return vmr_error_set(err, VMR_E_USAGE, "bus: doorbell %" PRIu64 " is gone or never was", id);
}

enum vmr_status vmr_bus_doorbell_remove(struct vmr_bus *bus, uint64_t id, struct vmr_error *err)
{
    table_lock(&bus->doorbells);
    enum vmr_status status = remove_locked(bus, id, err);

    table_unlock(&bus->doorbells);
    return status;
}

bool vmr_bus_doorbell_get(struct vmr_bus *bus, size_t index, struct vmr_doorbell *ret_doorbell)
{
    table_lock(&bus->doorbells);
    const struct table_block *block = table_current(&bus->doorbells);
    uint32_t at = (uint32_t)index;
    bool is_there = index < table_count(block);

    if (is_there)
        *ret_doorbell = (struct vmr_doorbell){
            .address = table_word(block, at, DOORBELL_ADDRESS),
            .size = (uint8_t)(table_word(block, at, DOORBELL_MATCH) & ~(uint64_t)MATCH_VALUE),
            .match_value = (table_word(block, at, DOORBELL_MATCH) & MATCH_VALUE) != 0,
            .value = table_word(block, at, DOORBELL_VALUE),
            .minimum_vtl = (uint8_t)table_word(block, at, DOORBELL_VTL),
            .ring = (void (*)(void *))(uintptr_t)table_word(block, at, DOORBELL_RING),
            .context = (void *)(uintptr_t)table_word(block, at, DOORBELL_CONTEXT),
        };
    table_unlock(&bus->doorbells);
    return is_there;
}
