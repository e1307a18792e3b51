/* SPDX-License-Identifier: MIT */
/*
 * Regions in a sorted array, found by bisection. Holds what it was shown and
 * trusts it: lib/memory has refused overlaps and bad sizes.
 */

#include "backends/mock/map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"

static void free_region(const struct map_region *region)
{
    free((void *)region->dirty);
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++)
        free(region->access[vtl]);
}

enum vmr_status map_init(struct map *map, const struct vmr_host *host)
{
    *map = (struct map){.host = host};
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
    for (size_t i = 0; i < map->count; i++)
        free_region(&map->regions[i]);
    free(map->regions);
    map->regions = NULL;
    map->count = 0;
    map->locked = false;
}

void map_lock_read(struct map *map)
{
    if (map->locked)
        (void)pthread_rwlock_rdlock(&map->lock);
}

void map_lock_write(struct map *map)
{
    if (map->locked)
        (void)pthread_rwlock_wrlock(&map->lock);
}

void map_unlock(struct map *map)
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

        if (map->regions[middle].ram.gpa <= gpa)
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
    struct map_region *regions = realloc(map->regions, capacity * sizeof(*regions));

    if (!regions)
        return false;
    map->regions = regions;
    map->capacity = capacity;
    return true;
}

/* False: out of memory. */
static bool give_access(struct map_region *region, uint8_t vtls)
{
    size_t pages = (size_t)(region->ram.size / VMR_PAGE_SIZE);

    for (unsigned vtl = 0; vtl < vtls; vtl++) {
        region->access[vtl] = malloc(pages);
        if (!region->access[vtl])
            return false;
        memset(region->access[vtl], HV_MAP_GPA_PERMISSIONS_ALL, pages);
    }
    return true;
}

enum vmr_status map_add(struct map *map, const struct vmr_memory_region *region)
{
    struct map_region added = {.ram = *region};

    if (!give_access(&added, map->vtls) || !map_dirty_add(map, &added)) {
        free_region(&added);
        return VMR_E_NOMEM;
    }
    map_lock_write(map);
    bool reserved = reserve(map);

    if (reserved) {
        size_t at = count_below(map, region->gpa);

        memmove(&map->regions[at + 1], &map->regions[at], (map->count - at) * sizeof(*map->regions));
        map->regions[at] = added;
        map->count++;
    }
    map_unlock(map);
    if (!reserved)
        free_region(&added);
    return reserved ? VMR_OK : VMR_E_NOMEM;
}

void map_remove(struct map *map, vmr_gpa gpa)
{
    map_lock_write(map);
    size_t below = count_below(map, gpa);

    if (below > 0 && map->regions[below - 1].ram.gpa == gpa) {
        free_region(&map->regions[below - 1]);
        map->count--;
        memmove(&map->regions[below - 1], &map->regions[below], (map->count - (below - 1)) * sizeof(*map->regions));
    }
    map_unlock(map);
}

const struct map_region *map_find(const struct map *map, vmr_gpa gpa)
{
    size_t below = count_below(map, gpa);

    if (below == 0 || gpa - map->regions[below - 1].ram.gpa >= map->regions[below - 1].ram.size)
        return NULL;
    return &map->regions[below - 1];
}

/* The same; also NULL: not to be written. */
static uint8_t *find(const struct map *map, vmr_gpa gpa, bool write)
{
    const struct map_region *region = map_find(map, gpa);

    if (!region || (write && region->ram.read_only))
        return NULL;
    return (uint8_t *)region->ram.host + (gpa - region->ram.gpa);
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

static void load_bytes(const uint8_t *host, uint8_t *ret_bytes, unsigned length)
{
    if (is_word(host, length)) {
        store_le(ret_bytes, length, load_word(host, length));
        return;
    }
    for (unsigned i = 0; i < length; i++)
        ret_bytes[i] = __atomic_load_n(&host[i], __ATOMIC_SEQ_CST);
}

static void store_bytes(uint8_t *host, const uint8_t *bytes, unsigned length)
{
    if (is_word(host, length)) {
        store_word(host, length, load_le(bytes, length));
        return;
    }
    for (unsigned i = 0; i < length; i++)
        __atomic_store_n(&host[i], bytes[i], __ATOMIC_SEQ_CST);
}

/* False: not naturally aligned. */
static bool or_word(uint8_t *host, uint64_t mask, unsigned length)
{
    if (length == 1)
        __atomic_fetch_or(host, (uint8_t)mask, __ATOMIC_SEQ_CST);
    else if (is_word(host, length) && length == 2)
        __atomic_fetch_or((uint16_t *)(void *)host, (uint16_t)mask, __ATOMIC_SEQ_CST);
    else if (is_word(host, length) && length == 4)
        __atomic_fetch_or((uint32_t *)(void *)host, (uint32_t)mask, __ATOMIC_SEQ_CST);
    else if (is_word(host, length))
        __atomic_fetch_or((uint64_t *)(void *)host, mask, __ATOMIC_SEQ_CST);
    else
        return false;
    return true;
}

bool map_read(struct map *map, vmr_gpa gpa, uint8_t *ret_bytes, unsigned length)
{
    map_lock_read(map);
    const uint8_t *host = find(map, gpa, false);

    if (host)
        load_bytes(host, ret_bytes, length);
    map_unlock(map);
    return host != NULL;
}

/*
 * With the lock held, which is given up and taken again if a store to the page faults: the instruction is run
 * again, and has to look anew. In between a take may have closed the page once more.
 */
static bool faults(struct map *map, vmr_gpa gpa)
{
    if (__builtin_expect(!map->dirty_on, 1) || !map_dirty_is_closed(map, map_find(map, gpa), gpa))
        return false;
    map_unlock(map);
    map_dirty_fault(map, gpa);
    map_lock_read(map);
    return true;
}

/* With the lock held, behind a store. What is open has been marked. */
static void mark(const struct map *map, vmr_gpa gpa)
{
    if (__builtin_expect(map->dirty_on, 0) && !map->dirty_protects)
        map_dirty_mark(map_find(map, gpa), gpa);
}

/* Where to store. With the lock held. NULL: no region takes it. */
static uint8_t *find_open(struct map *map, vmr_gpa gpa)
{
    uint8_t *host;

    do
        host = find(map, gpa, true);
    while (host && faults(map, gpa));
    return host;
}

bool map_write(struct map *map, vmr_gpa gpa, const uint8_t *bytes, unsigned length)
{
    map_lock_read(map);
    uint8_t *host = find_open(map, gpa);

    if (host) {
        store_bytes(host, bytes, length);
        mark(map, gpa);
    }
    map_unlock(map);
    return host != NULL;
}

bool map_or(struct map *map, vmr_gpa gpa, uint64_t mask, unsigned length)
{
    map_lock_read(map);
    uint8_t *host = find_open(map, gpa);
    bool done = host && or_word(host, mask, length);

    if (done)
        mark(map, gpa);
    map_unlock(map);
    return done;
}

void map_count(struct map *map, vmr_gpa gpa)
{
    map_lock_read(map);
    uint8_t *host = find_open(map, gpa);

    if (host && is_word(host, sizeof(uint32_t))) {
        __atomic_fetch_add((uint32_t *)(void *)host, 1, __ATOMIC_SEQ_CST);
        mark(map, gpa);
    }
    map_unlock(map);
}

/* --- with VTLs --- */

void map_protect(struct map *map, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    vmr_gpa end = gpa + size;

    map_lock_write(map);
    for (const struct map_region *region = map_find(map, gpa); region && gpa < end; region = map_find(map, gpa)) {
        uint64_t offset = gpa - region->ram.gpa, left = region->ram.size - offset;
        uint64_t here = left < end - gpa ? left : end - gpa;

        if (region->access[vtl])
            memset(region->access[vtl] + offset / VMR_PAGE_SIZE, access, (size_t)(here / VMR_PAGE_SIZE));
        gpa += here;
    }
    map_unlock(map);
}

/* With the lock held. */
static enum map_result judge(const struct map *map, struct map_guest guest, vmr_gpa gpa, uint8_t access,
                             uint8_t **ret_host)
{
    const struct map_region *region = map_find(map, gpa);

    if (!region)
        return MAP_HOLE;
    uint8_t allowed = region->access[guest.vtl] ? region->access[guest.vtl][(gpa - region->ram.gpa) / VMR_PAGE_SIZE]
                                                : HV_MAP_GPA_PERMISSIONS_ALL;

    if (allowed & VMR_VTL_HOLE || (region->ram.read_only && access & HV_MAP_GPA_WRITABLE))
        return MAP_HOLE;
    if (!guest.pass && (access & (unsigned)~allowed) != 0)
        return MAP_DENIED;
    *ret_host = (uint8_t *)region->ram.host + (gpa - region->ram.gpa);
    return MAP_DONE;
}

/* The same for a store: what may be done is looked at before what is closed. */
static enum map_result judge_open(struct map *map, struct map_guest guest, vmr_gpa gpa, uint8_t access,
                                  uint8_t **ret_host)
{
    enum map_result result;

    do
        result = judge(map, guest, gpa, access, ret_host);
    while (result == MAP_DONE && faults(map, gpa));
    return result;
}

enum map_result map_guest_read(struct map *map, struct map_guest guest, vmr_gpa gpa, uint8_t *ret_bytes,
                               unsigned length)
{
    uint8_t *host;

    map_lock_read(map);
    enum map_result result = judge(map, guest, gpa, HV_MAP_GPA_READABLE, &host);

    if (result == MAP_DONE)
        load_bytes(host, ret_bytes, length);
    map_unlock(map);
    return result;
}

enum map_result map_guest_write(struct map *map, struct map_guest guest, vmr_gpa gpa, const uint8_t *bytes,
                                unsigned length)
{
    uint8_t *host;

    map_lock_read(map);
    enum map_result result = judge_open(map, guest, gpa, HV_MAP_GPA_WRITABLE, &host);

    if (result == MAP_DONE) {
        store_bytes(host, bytes, length);
        mark(map, gpa);
    }
    map_unlock(map);
    return result;
}

enum map_result map_guest_or(struct map *map, struct map_guest guest, vmr_gpa gpa, uint64_t mask, unsigned length)
{
    uint8_t *host;

    map_lock_read(map);
    enum map_result result = judge_open(map, guest, gpa, HV_MAP_GPA_READABLE | HV_MAP_GPA_WRITABLE, &host);

    if (result == MAP_DONE && !or_word(host, mask, length))
        result = MAP_HOLE;
    if (result == MAP_DONE)
        mark(map, gpa);
    map_unlock(map);
    return result;
}

enum map_result map_guest_try(struct map *map, struct map_guest guest, vmr_gpa gpa, uint8_t access)
{
    uint8_t *host;

    map_lock_read(map);
    enum map_result result = judge(map, guest, gpa, access, &host);

    map_unlock(map);
    return result;
}
