/* SPDX-License-Identifier: MIT */
/*
 * Pinned views: the only way a host pointer to guest memory leaves this folder.
 * A pin is a count on its region, and a region with pins cannot be removed; so
 * the pointer is good until the pin is given back. [MEM-2] [MEM-7]
 *
 * The observer gets the view's own bytes, not a copy: what it changes at pin
 * time is changed for whoever reads through the view, and for the guest.
 */

#include "lib/memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"
#include "lib/base/os_memory.h"
#include "lib/memory/dirty.h"

/* A view's token: its region's slot, never 0, and whether it may be written through. */
static uint64_t token_make(const struct region *region, bool writable)
{
    return ((uint64_t)region->slot + 1) << 1 | (writable ? 1 : 0);
}

static bool token_is_writable(uint64_t token)
{
    return (token & 1) != 0;
}

/* The region that holds all of the range, or NULL. */
static struct region *region_around(const struct regions *regions, vmr_gpa guest_gpa, size_t length)
{
    size_t index = regions_find(regions, guest_gpa);

    if (index == REGIONS_NONE)
        return NULL;
    struct region *region = &regions->items[index];

    return range_contains(region->gpa, region->size, guest_gpa, length) ? region : NULL;
}

/* --- the list of writable pins --- */

static bool reserve(struct vmr_memory *memory)
{
    if (memory->pin_count < memory->pin_capacity)
        return true;
    size_t capacity = memory->pin_capacity ? 2 * memory->pin_capacity : 8;
    struct pin *pins = realloc(memory->pins, capacity * sizeof(*pins));

    if (!pins)
        return false;
    memory->pins = pins;
    memory->pin_capacity = capacity;
    return true;
}

/* Whether or not the dirty log is on: a view may be pinned before it is. False: out of memory. */
static bool pins_add(struct vmr_memory *memory, vmr_gpa gpa, size_t length)
{
    sync_mutex_lock(&memory->pins_lock);
    bool room = reserve(memory);

    if (room)
        memory->pins[memory->pin_count++] = (struct pin){.gpa = gpa, .length = length};
    sync_mutex_unlock(&memory->pins_lock);
    return room;
}

/* Of pins with the same range any will do. */
static void pins_remove(struct vmr_memory *memory, vmr_gpa gpa, size_t length)
{
    size_t i = 0;

    sync_mutex_lock(&memory->pins_lock);
    while (i < memory->pin_count && (memory->pins[i].gpa != gpa || memory->pins[i].length != length))
        i++;
    if (i < memory->pin_count)
        memory->pins[i] = memory->pins[--memory->pin_count];
    sync_mutex_unlock(&memory->pins_lock);
}

/* --- views --- */

static enum vmr_status take(struct vmr_memory *memory, vmr_gpa gpa, size_t length, bool writable, bool seen,
                            struct vmr_memory_view *ret_view)
{
    sync_rwlock_read_lock(&memory->table);
    struct region *region = region_around(&memory->regions, gpa, length);
    bool allowed = region && !(writable && region->read_only) && (length == 0 || !memory_hides(memory, gpa, length));
    enum vmr_status status = allowed ? VMR_OK : VMR_E_GUEST;

    if (!status && writable && !pins_add(memory, gpa, length))
        status = VMR_E_NOMEM;
    if (!status) {
        uint8_t *bytes = region->host + (gpa - region->gpa);

        (void)sync_fetch_add_u32(memory->host, &region->pins, 1);
        if (seen && memory->observer.read && length > 0)
            memory->observer.read(memory->observer.context, gpa, bytes, length);
        *ret_view = (struct vmr_memory_view){
            .bytes = bytes, .length = length, .gpa = gpa, .token = token_make(region, writable)};
    }
    sync_rwlock_read_unlock(&memory->table);
    return status;
}

enum vmr_status vmr_memory_pin(struct vmr_memory *memory, vmr_gpa gpa, size_t length, bool writable,
                               struct vmr_memory_view *ret_view)
{
    return take(memory, gpa, length, writable, true, ret_view);
}

enum vmr_status vmr_memory_look(struct vmr_memory *memory, vmr_gpa gpa, size_t length, struct vmr_memory_view *ret_view)
{
    return take(memory, gpa, length, false, false, ret_view);
}

enum vmr_status vmr_memory_touched(struct vmr_memory *memory, vmr_gpa gpa, size_t count, bool *ret_touched)
{
    if (count > SIZE_MAX / VMR_PAGE_SIZE || gpa % VMR_PAGE_SIZE != 0)
        return VMR_E_GUEST;
    sync_rwlock_read_lock(&memory->table);
    const struct region *region = region_around(&memory->regions, gpa, count * VMR_PAGE_SIZE);

    /* What others have mapped may be a file's, or somebody else's as well: pages that are not there hold something. */
    bool plain = region && region->owned && !region->backed;

    if (region && !(plain && os_memory_touched(region->host + (gpa - region->gpa), count, ret_touched)))
        memset(ret_touched, true, count * sizeof(*ret_touched));
    sync_rwlock_read_unlock(&memory->table);
    return region ? VMR_OK : VMR_E_GUEST;
}

/* The region that the view keeps, or NULL for a view that is not pinned. */
static struct region *region_of(struct vmr_memory *memory, const struct vmr_memory_view *view)
{
    struct region *region = region_around(&memory->regions, view->gpa, view->length);

    if (!region || view->token != token_make(region, token_is_writable(view->token)))
        return NULL;
    return sync_load_u32(memory->host, &region->pins) > 0 ? region : NULL;
}

void vmr_memory_unpin(struct vmr_memory *memory, struct vmr_memory_view *view)
{
    sync_rwlock_read_lock(&memory->table);
    struct region *region = region_of(memory, view);

    if (region) {
        if (token_is_writable(view->token)) {
            if (memory->observer.write && view->length > 0)
                memory->observer.write(memory->observer.context, view->gpa, view->bytes, view->length);
            if (view->length > 0)
                dirty_mark(memory, region, view->gpa - region->gpa, view->length);
            pins_remove(memory, view->gpa, view->length); /* after the mark: a taker looks here first */
        }
        (void)sync_fetch_add_u32(memory->host, &region->pins, UINT32_MAX); /* minus one */
    }
    sync_rwlock_read_unlock(&memory->table);
    *view = (struct vmr_memory_view){0}; /* a second unpin of it finds nothing */
}
