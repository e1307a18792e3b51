/* SPDX-License-Identifier: MIT */
/*
 * Which pages the mock's processors have written. With a bitmap the store marks
 * its page. With write protection, which is all that some hypervisors have, the
 * first store to a clean page faults: the page is marked and opened and the
 * instruction is run again; a take closes the page. Between the two others may
 * run, the taker among them, so a search tries that as well.
 */

#include <stdlib.h>

#include "backends/mock/map.h"
#include "lib/base/sync.h"

#define WORD_PAGES 64u

static size_t words_of(const struct map_region *region)
{
    return (size_t)((region->ram.size / VMR_PAGE_SIZE + WORD_PAGES - 1) / WORD_PAGES);
}

static uint64_t page_of(const struct map_region *region, vmr_gpa gpa)
{
    return (gpa - region->ram.gpa) / VMR_PAGE_SIZE;
}

bool map_dirty_add(const struct map *map, struct map_region *region)
{
    if (!map->dirty_on || region->ram.read_only)
        return true;
    region->dirty = calloc(words_of(region), sizeof(uint64_t));
    return region->dirty != NULL;
}

void map_dirty_mark(const struct map_region *region, vmr_gpa gpa)
{
    uint64_t page = page_of(region, gpa);

    (void)atomic_fetch_or(&region->dirty[page / WORD_PAGES], UINT64_C(1) << page % WORD_PAGES);
}

bool map_dirty_is_closed(const struct map *map, const struct map_region *region, vmr_gpa gpa)
{
    uint64_t page = page_of(region, gpa);

    return map->dirty_protects && (atomic_load(&region->dirty[page / WORD_PAGES]) >> page % WORD_PAGES & 1u) == 0;
}

void map_dirty_fault(struct map *map, vmr_gpa gpa)
{
    sync_point(map->host, map);
    map_lock_read(map);
    const struct map_region *region = map_find(map, gpa);

    if (region && region->dirty)
        map_dirty_mark(region, gpa);
    map_unlock(map);
    sync_point(map->host, map);
}

bool map_dirty_log(struct map *map, bool on)
{
    bool room = true;

    map_lock_write(map);
    map->dirty_on = on;
    for (size_t i = 0; on && room && i < map->count; i++)
        room = map_dirty_add(map, &map->regions[i]);
    if (!room)
        map->dirty_on = false;
    for (size_t i = 0; !map->dirty_on && i < map->count; i++) {
        free((void *)map->regions[i].dirty);
        map->regions[i].dirty = NULL;
    }
    map_unlock(map);
    return room;
}

/* Whole words: what is not asked for is told all the same. */
static void take_region(const struct map_region *region, const struct vmr_dirty_query *query)
{
    vmr_gpa end = query->gpa + query->size;
    size_t words = words_of(region);

    for (size_t i = query->gpa > region->ram.gpa ? page_of(region, query->gpa) / WORD_PAGES : 0; i < words; i++) {
        vmr_gpa gpa = region->ram.gpa + (uint64_t)i * WORD_PAGES * VMR_PAGE_SIZE;
        uint64_t pages = gpa < end && atomic_load(&region->dirty[i]) ? atomic_exchange(&region->dirty[i], 0) : 0;

        if (pages != 0)
            query->found(query->context, gpa, pages);
    }
}

void map_dirty_take(struct map *map, const struct vmr_dirty_query *query)
{
    map_lock_write(map); /* no store is under way: to an open page it would come behind its mark */
    for (size_t i = 0; i < map->count; i++) {
        const struct map_region *region = &map->regions[i];

        if (region->dirty && region->ram.gpa + region->ram.size > query->gpa)
            take_region(region, query);
    }
    map_unlock(map);
}
