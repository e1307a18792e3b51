/* SPDX-License-Identifier: MIT */
/*
 * Regions in a sorted array, found by bisection. Holds what it was shown and
 * trusts it: lib/memory has refused overlaps and bad sizes.
 */

#include "backends/mock/map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"

enum vmr_status map_init(struct map *map, const struct vmr_host *host)
{
    *map = (struct map){0};
    if (host->ops->schedule)
        return VMR_OK;
    if (pthread_rwlock_init(&map->lock, NULL) != 0)
        return VMR_E_NOMEM;
    map->locked = true;
    return VMR_OK;
}

void map_finish(struct map *map)
{
    if (map->locked)
        (void)pthread_rwlock_destroy(&map->lock);
    free(map->regions);
    map->regions = NULL;
    map->locked = false;
}

static void lock_read(struct map *map)
{
    if (map->locked)
        (void)pthread_rwlock_rdlock(&map->lock);
}

static void lock_write(struct map *map)
{
    if (map->locked)
        (void)pthread_rwlock_wrlock(&map->lock);
}

static void unlock(struct map *map)
{
    if (map->locked)
        (void)pthread_rwlock_unlock(&map->lock);
}

/* The number of regions that start at or below `gpa`. */
static size_t count_below(const struct map *map, vmr_gpa gpa)
{
    size_t low = 0, high = map->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (map->regions[middle].gpa <= gpa)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool reserve(struct map *map)
{
    if (map->count < map->capacity)
        return true;
    size_t capacity = map->capacity ? 2 * map->capacity : 8;
    struct vmr_memory_region *regions = realloc(map->regions, capacity * sizeof(*regions));

    if (!regions)
        return false;
    map->regions = regions;
    map->capacity = capacity;
    return true;
}

enum vmr_status map_add(struct map *map, const struct vmr_memory_region *region)
{
    lock_write(map);
    bool reserved = reserve(map);

    if (reserved) {
        size_t at = count_below(map, region->gpa);

        memmove(&map->regions[at + 1], &map->regions[at], (map->count - at) * sizeof(*map->regions));
        map->regions[at] = *region;
        map->count++;
    }
    unlock(map);
    return reserved ? VMR_OK : VMR_E_NOMEM;
}

void map_remove(struct map *map, vmr_gpa gpa)
{
    lock_write(map);
    size_t below = count_below(map, gpa);

    if (below > 0 && map->regions[below - 1].gpa == gpa) {
        map->count--;
        memmove(&map->regions[below - 1], &map->regions[below], (map->count - (below - 1)) * sizeof(*map->regions));
    }
    unlock(map);
}

/* With the lock held. NULL: a hole, or not to be written. */
static uint8_t *find(const struct map *map, vmr_gpa gpa, bool write)
{
    size_t below = count_below(map, gpa);

    if (below == 0)
        return NULL;
    const struct vmr_memory_region *region = &map->regions[below - 1];

    if (gpa - region->gpa >= region->size || (write && region->read_only))
        return NULL;
    return (uint8_t *)region->host + (gpa - region->gpa);
}

/* A whole word where the hardware would move a whole word: nobody sees half of it. */
static bool is_word(const uint8_t *host, unsigned length)
{
    return (length == 2 || length == 4 || length == 8) && ((uintptr_t)host & (length - 1)) == 0;
}

/* Words are moved in the host's byte order, which must be the guest's. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the mock's guests are little endian, so is the host");

static uint64_t load_word(const uint8_t *host, unsigned length)
{
    switch (length) {
    case 2:
        return __atomic_load_n((const uint16_t *)(const void *)host, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_load_n((const uint32_t *)(const void *)host, __ATOMIC_SEQ_CST);
    default:
        return __atomic_load_n((const uint64_t *)(const void *)host, __ATOMIC_SEQ_CST);
    }
}

static void store_word(uint8_t *host, unsigned length, uint64_t value)
{
    switch (length) {
    case 2:
        __atomic_store_n((uint16_t *)(void *)host, (uint16_t)value, __ATOMIC_SEQ_CST);
        break;
    case 4:
        __atomic_store_n((uint32_t *)(void *)host, (uint32_t)value, __ATOMIC_SEQ_CST);
        break;
    default:
        __atomic_store_n((uint64_t *)(void *)host, value, __ATOMIC_SEQ_CST);
        break;
    }
}

bool map_read(struct map *map, vmr_gpa gpa, uint8_t *ret_bytes, unsigned length)
{
    lock_read(map);
    const uint8_t *host = find(map, gpa, false);

    if (host && is_word(host, length)) {
        uint64_t value = load_word(host, length);

        store_le(ret_bytes, length, value);
    } else if (host) {
        for (unsigned i = 0; i < length; i++)
            ret_bytes[i] = __atomic_load_n(&host[i], __ATOMIC_SEQ_CST);
    }
    unlock(map);
    return host != NULL;
}

bool map_write(struct map *map, vmr_gpa gpa, const uint8_t *bytes, unsigned length)
{
    lock_read(map);
    uint8_t *host = find(map, gpa, true);

    if (host && is_word(host, length)) {
        store_word(host, length, load_le(bytes, length));
    } else if (host) {
        for (unsigned i = 0; i < length; i++)
            __atomic_store_n(&host[i], bytes[i], __ATOMIC_SEQ_CST);
    }
    unlock(map);
    return host != NULL;
}

bool map_or(struct map *map, vmr_gpa gpa, uint64_t mask, unsigned length)
{
    lock_read(map);
    uint8_t *host = find(map, gpa, true);
    bool done = true;

    if (host && length == 1)
        __atomic_fetch_or(host, (uint8_t)mask, __ATOMIC_SEQ_CST);
    else if (host && is_word(host, length) && length == 2)
        __atomic_fetch_or((uint16_t *)(void *)host, (uint16_t)mask, __ATOMIC_SEQ_CST);
    else if (host && is_word(host, length) && length == 4)
        __atomic_fetch_or((uint32_t *)(void *)host, (uint32_t)mask, __ATOMIC_SEQ_CST);
    else if (host && is_word(host, length))
        __atomic_fetch_or((uint64_t *)(void *)host, mask, __ATOMIC_SEQ_CST);
    else
        done = false;
    unlock(map);
    return done;
}

void map_count(struct map *map, vmr_gpa gpa)
{
    lock_read(map);
    uint8_t *host = find(map, gpa, true);

    if (host && is_word(host, sizeof(uint32_t)))
        __atomic_fetch_add((uint32_t *)(void *)host, 1, __ATOMIC_SEQ_CST);
    unlock(map);
}
