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

#include "lib/base/checked.h"

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

static enum vmr_status pin(struct vmr_memory *memory, vmr_gpa gpa, size_t length, bool writable, bool seen,
                           struct vmr_memory_view *ret_view)
{
    sync_rwlock_read_lock(&memory->table);
    struct region *region = region_around(&memory->regions, gpa, length);
    bool allowed = region && !(writable && region->read_only);

    if (allowed) {
        uint8_t *bytes = region->host + (gpa - region->gpa);

        (void)sync_fetch_add_u32(memory->host, &region->pins, 1);
        if (seen && memory->observer.read && length > 0)
            memory->observer.read(memory->observer.context, gpa, bytes, length);
        *ret_view = (struct vmr_memory_view){
            .bytes = bytes, .length = length, .gpa = gpa, .token = token_make(region, writable)};
    }
    sync_rwlock_read_unlock(&memory->table);
    return allowed ? VMR_OK : VMR_E_GUEST;
}

enum vmr_status vmr_memory_pin(struct vmr_memory *memory, vmr_gpa gpa, size_t length, bool writable,
                               struct vmr_memory_view *ret_view)
{
    return pin(memory, gpa, length, writable, true, ret_view);
}

enum vmr_status vmr_memory_look(struct vmr_memory *memory, vmr_gpa gpa, size_t length, struct vmr_memory_view *ret_view)
{
    return pin(memory, gpa, length, false, false, ret_view);
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
        if (token_is_writable(view->token) && memory->observer.write && view->length > 0)
            memory->observer.write(memory->observer.context, view->gpa, view->bytes, view->length);
        (void)sync_fetch_add_u32(memory->host, &region->pins, UINT32_MAX); /* minus one */
    }
    sync_rwlock_read_unlock(&memory->table);
    *view = (struct vmr_memory_view){0}; /* a second unpin of it finds nothing */
}
