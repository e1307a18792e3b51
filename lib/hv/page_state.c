/* SPDX-License-Identifier: MIT */
/*
 * The state of pages, a chunk of addresses at a time, so that a value has a
 * size. Setting tells the backend page by page, where something changes.
 */

#include "lib/hv/guest_pages_flags.h"

#include <inttypes.h>
#include <string.h>

#define CHUNK_BYTES ((uint64_t)VMR_HV_CHUNK_PAGES * VMR_PAGE_SIZE)

/* --- which there are --- */

/* Under the lock. The first chunk, at or behind `chunk`, that a region has a page in; UINT64_MAX: none. */
static uint64_t next_in(const struct region *region, uint64_t chunk)
{
    uint64_t first = region->gpa / CHUNK_BYTES, last = (region->gpa + region->size - 1) / CHUNK_BYTES;

    if (chunk > last)
        return UINT64_MAX;
    return chunk > first ? chunk : first;
}

bool guest_pages_next_chunk(struct guest_pages *pages, uint32_t *chunk)
{
    uint64_t next = UINT64_MAX;

    sync_mutex_lock(&pages->lock);
    for (size_t i = 0; i < pages->ram.count; i++) {
        uint64_t at = next_in(&pages->ram.items[i], *chunk);

        next = at < next ? at : next;
    }
    sync_mutex_unlock(&pages->lock);
    if (next > UINT32_MAX)
        return false;
    *chunk = (uint32_t)next;
    return true;
}

/* --- saving --- */

static uint64_t first_page(uint32_t chunk)
{
    return (uint64_t)chunk * VMR_HV_CHUNK_PAGES;
}

/* Flags stay behind RAM that was removed; what is no RAM has none. */
static void save_locked(const struct guest_pages *pages, uint32_t chunk, uint32_t *ret_flags)
{
    uint64_t page = first_page(chunk), end = page + VMR_HV_CHUNK_PAGES;

    for (; page_flags_next(&pages->flags, &page, end); page++) {
        if (guest_pages_ram_at(pages, page))
            ret_flags[page - first_page(chunk)] = page_flags_get(&pages->flags, page);
    }
}

void guest_pages_save(struct guest_pages *pages, uint32_t chunk, struct vmr_hv_pages_state *ret_state)
{
    memset(ret_state, 0, sizeof(*ret_state));
    sync_mutex_lock(&pages->lock);
    save_locked(pages, chunk, ret_state->flags);
    sync_mutex_unlock(&pages->lock);
}

void guest_pages_state_at_reset(struct guest_pages *pages, uint32_t chunk, struct vmr_hv_pages_state *ret_state)
{
    guest_pages_save(pages, chunk, ret_state);
    for (unsigned i = 0; i < VMR_HV_CHUNK_PAGES; i++)
        ret_state->flags[i] &= ~DENIED_ALL;
}

/* --- restoring --- */

static uint32_t possible_flags(const struct guest_pages *pages)
{
    uint32_t possible = pages->options.isolated ? ACCEPTED | SHARED : 0;

    for (unsigned imposer = 1; imposer <= pages->options.highest; imposer++) {
        for (unsigned target = 0; target < imposer; target++)
            possible |= (uint32_t)HV_MAP_GPA_PERMISSIONS_ALL << DENIED_SHIFT(imposer, target);
    }
    for (unsigned vtl = 0; vtl <= pages->options.highest; vtl++)
        possible |= UNMAPPED(vtl);
    return possible;
}

static enum vmr_status check(const struct guest_pages *pages, uint32_t chunk, const uint32_t *flags,
                             struct vmr_error *err)
{
    uint32_t possible = possible_flags(pages);

    for (unsigned i = 0; i < VMR_HV_CHUNK_PAGES; i++) {
        if (flags[i] == 0)
            continue;
        if ((flags[i] & ~possible) != 0 || (flags[i] & (ACCEPTED | SHARED)) == SHARED)
            return vmr_error_set(err, VMR_E_CONFIG, "vtl-pages: flags[%u]: %#" PRIx32 " is not possible here", i,
                                 flags[i]);
        if (!guest_pages_ram_at(pages, first_page(chunk) + i))
            return vmr_error_set(err, VMR_E_CONFIG, "vtl-pages: flags[%u]: page %#" PRIx64 " is no RAM", i,
                                 first_page(chunk) + i);
    }
    return VMR_OK;
}

/* The first `count` pages; returns how many were changed before one could not be. */
static unsigned change_all(struct guest_pages *pages, uint32_t chunk, const uint32_t *flags, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t page = first_page(chunk) + i;

        if (guest_pages_ram_at(pages, page) && page_flags_get(&pages->flags, page) != flags[i] &&
            !guest_pages_change(pages, page, flags[i]))
            return i;
    }
    return count;
}

static enum vmr_status restore_locked(struct guest_pages *pages, uint32_t chunk, const uint32_t *flags,
                                      struct vmr_error *err)
{
    struct vmr_hv_pages_state before = {0};
    enum vmr_status status = check(pages, chunk, flags, err);

    if (status)
        return status;
    save_locked(pages, chunk, before.flags);
    unsigned changed = change_all(pages, chunk, flags, VMR_HV_CHUNK_PAGES);

    if (changed == VMR_HV_CHUNK_PAGES)
        return VMR_OK;
    (void)change_all(pages, chunk, before.flags, changed);
    return vmr_error_set(err, VMR_E_HOST, "vtl-pages: flags[%u]: the hypervisor does not take it", changed);
}

enum vmr_status guest_pages_restore(struct guest_pages *pages, uint32_t chunk, const struct vmr_hv_pages_state *state,
                                    struct vmr_error *err)
{
    sync_mutex_lock(&pages->lock);
    enum vmr_status status = restore_locked(pages, chunk, state->flags, err);

    sync_mutex_unlock(&pages->lock);
    return status;
}

/* --- late mapping --- */

bool guest_pages_is_late(struct guest_pages *pages)
{
    sync_mutex_lock(&pages->lock);
    bool late = pages->late;

    sync_mutex_unlock(&pages->lock);
    return late;
}

static bool set_late(struct guest_pages *pages, bool late)
{
    bool told = true;

    pages->late = late;
    for (size_t i = 0; told && i < pages->ram.count; i++) {
        const struct vmr_page_range range = {.gpa = pages->ram.items[i].gpa, .size = pages->ram.items[i].size};

        told = guest_pages_tell_all(pages, &range);
    }
    return told;
}

enum vmr_status guest_pages_restore_late(struct guest_pages *pages, bool late, struct vmr_error *err)
{
    if (late && !pages->maps_late)
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: late: the partition has no late mapping");
    sync_mutex_lock(&pages->lock);
    bool before = pages->late, told = late == before || set_late(pages, late);

    if (!told)
        (void)set_late(pages, before);
    sync_mutex_unlock(&pages->lock);
    return told ? VMR_OK : vmr_error_set(err, VMR_E_HOST, "vtls: late: the hypervisor does not take it");
}
