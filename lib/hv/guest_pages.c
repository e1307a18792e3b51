/* SPDX-License-Identifier: MIT */
/*
 * The flags of a page, and the one function that makes of them what a VTL may
 * do. Every change computes that before and after, and tells the backend where
 * the two differ.
 */

#include "lib/hv/guest_pages.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/checked.h"
#include "lib/hv/guest_pages_flags.h"
#include "vmrig/limits.h"

#define ALL HV_MAP_GPA_PERMISSIONS_ALL

/* --- what follows from the flags --- */

static uint8_t denied_by(uint32_t flags, unsigned imposer, unsigned target)
{
    return flags >> DENIED_SHIFT(imposer, target) & ALL;
}

static uint32_t with_denied(uint32_t flags, unsigned imposer, unsigned target, uint8_t access)
{
    unsigned shift = DENIED_SHIFT(imposer, target);

    return (flags & ~((uint32_t)ALL << shift)) | (uint32_t)(~access & ALL) << shift;
}

const struct region *guest_pages_ram_at(const struct guest_pages *pages, uint64_t page)
{
    size_t index = page < PAGE_FLAGS_PAGE_END ? regions_find(&pages->ram, page * VMR_PAGE_SIZE) : REGIONS_NONE;

    return index == REGIONS_NONE ? NULL : &pages->ram.items[index];
}

static bool is_allowed(const struct guest_pages *pages, uint64_t page)
{
    if (pages->by_layout) {
        const struct region *region = guest_pages_ram_at(pages, page);

        return region && region->vtl2;
    }
    for (size_t i = 0; i < pages->allowed_count; i++) {
        if (range_contains(pages->allowed[i].gpa, pages->allowed[i].size, page * VMR_PAGE_SIZE, VMR_PAGE_SIZE))
            return true;
    }
    return false;
}

static bool is_late(const struct guest_pages *pages, unsigned vtl, uint64_t page)
{
    return pages->late && vtl == VMR_VTL2 && !is_allowed(pages, page);
}

static uint8_t denied_to(const struct guest_pages *pages, uint32_t flags, unsigned vtl)
{
    uint8_t denied = 0;

    for (unsigned imposer = vtl + 1; imposer <= pages->options.highest; imposer++)
        denied |= denied_by(flags, imposer, vtl);
    return denied;
}

static uint8_t access_of(const struct guest_pages *pages, uint32_t flags, unsigned vtl, uint64_t page)
{
    if (flags & UNMAPPED(vtl))
        return VMR_VTL_HOLE;
    if ((pages->options.isolated && !(flags & ACCEPTED)) || is_late(pages, vtl, page))
        return 0;
    return ALL & (uint8_t)~denied_to(pages, flags, vtl);
}

/* --- telling the backend --- */

static bool tell(const struct guest_pages *pages, unsigned vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    return pages->options.protect(pages->options.context, (uint8_t)vtl, gpa, size, access);
}

bool guest_pages_change(struct guest_pages *pages, uint64_t page, uint32_t flags)
{
    uint32_t old = page_flags_get(&pages->flags, page);

    if (!page_flags_reserve(&pages->flags, page))
        return false;
    for (unsigned vtl = 0; vtl <= pages->options.highest; vtl++) {
        uint8_t access = access_of(pages, flags, vtl, page);

        if (access == access_of(pages, old, vtl, page) || tell(pages, vtl, page * VMR_PAGE_SIZE, VMR_PAGE_SIZE, access))
            continue;
        while (vtl-- > 0)
            (void)tell(pages, vtl, page * VMR_PAGE_SIZE, VMR_PAGE_SIZE, access_of(pages, old, vtl, page));
        return false;
    }
    page_flags_set(&pages->flags, page, flags);
    return true;
}

/* All of one range, as one VTL sees it: what pages without flags have, and then those that have some. */
static bool tell_range(const struct guest_pages *pages, unsigned vtl, const struct vmr_page_range *range,
                       uint8_t without)
{
    uint64_t end = (range->gpa + range->size) / VMR_PAGE_SIZE;

    if (!tell(pages, vtl, range->gpa, range->size, without))
        return false;
    for (uint64_t page = range->gpa / VMR_PAGE_SIZE; page_flags_next(&pages->flags, &page, end); page++) {
        uint8_t access = access_of(pages, page_flags_get(&pages->flags, page), vtl, page);

        if (!tell(pages, vtl, page * VMR_PAGE_SIZE, VMR_PAGE_SIZE, access))
            return false;
    }
    return true;
}

static uint8_t untouched(const struct guest_pages *pages)
{
    return pages->options.isolated ? 0 : ALL;
}

/* VTL 2 before late mapping: nothing, but for what is allowed. */
static bool tell_late(const struct guest_pages *pages, const struct vmr_page_range *range)
{
    bool all = pages->by_layout && is_allowed(pages, range->gpa / VMR_PAGE_SIZE);

    if (!tell_range(pages, VMR_VTL2, range, all ? untouched(pages) : 0))
        return false;
    for (size_t i = 0; i < pages->allowed_count; i++) {
        const struct vmr_page_range *allowed = &pages->allowed[i];
        vmr_gpa start = allowed->gpa > range->gpa ? allowed->gpa : range->gpa;
        vmr_gpa allowed_end = allowed->gpa + allowed->size, end = range->gpa + range->size;
        const struct vmr_page_range both = {.gpa = start, .size = (allowed_end < end ? allowed_end : end) - start};

        if (range_overlaps(range->gpa, range->size, allowed->gpa, allowed->size) &&
            !tell_range(pages, VMR_VTL2, &both, untouched(pages)))
            return false;
    }
    return true;
}

bool guest_pages_tell_all(const struct guest_pages *pages, const struct vmr_page_range *range)
{
    for (unsigned vtl = 0; vtl <= pages->options.highest; vtl++) {
        if (!(pages->late && vtl == VMR_VTL2 ? tell_late(pages, range)
                                             : tell_range(pages, vtl, range, untouched(pages))))
            return false;
    }
    return true;
}

static struct vmr_page_range range_of(const struct guest_pages *pages, size_t index)
{
    return (struct vmr_page_range){.gpa = pages->ram.items[index].gpa, .size = pages->ram.items[index].size};
}

static bool is_pages(const struct vmr_page_range *range)
{
    return range->size != 0 && is_aligned(range->gpa | range->size, VMR_PAGE_SIZE) &&
           range->gpa < PAGE_FLAGS_PAGE_END * VMR_PAGE_SIZE &&
           range->size <= PAGE_FLAGS_PAGE_END * VMR_PAGE_SIZE - range->gpa;
}

/* --- making and unmaking --- */

static enum vmr_status take_late_map(struct guest_pages *pages, const struct vmr_late_map *late, struct vmr_error *err)
{
    if ((unsigned)late->policy >= VMR_LATE_MAP_POLICY_COUNT || (unsigned)late->allowed >= VMR_LATE_MAP_ALLOWED_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "vtl2.late_map: policy %u, allowed %u: there are no such",
                             (unsigned)late->policy, (unsigned)late->allowed);
    if (late->range_count > VMR_LATE_MAP_RANGE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "vtl2.late_map.ranges: %zu ranges, the limit is %u", late->range_count,
                             VMR_LATE_MAP_RANGE_MAX);
    if (late->allowed == VMR_LATE_MAP_MEMORY_LAYOUT && late->range_count > 0)
        return vmr_error_set(err, VMR_E_CONFIG, "vtl2.late_map.ranges: the memory layout says which they are");
    if (late->range_count > 0) {
        pages->allowed = malloc(late->range_count * sizeof(*pages->allowed));
        if (!pages->allowed)
            return vmr_error_set(err, VMR_E_NOMEM, "vtl2.late_map: out of memory");
    }
    for (size_t i = 0; i < late->range_count; i++) {
        const struct vmr_page_range *range = &late->ranges[i];

        if (!is_pages(range))
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "vtl2.late_map.ranges[%zu]: %#" PRIx64 " bytes at %#" PRIx64 " are not whole pages", i,
                                 range->size, range->gpa);
        pages->allowed[pages->allowed_count++] = *range;
    }
    pages->policy = late->policy;
    pages->by_layout = late->allowed == VMR_LATE_MAP_MEMORY_LAYOUT;
    pages->maps_late = pages->late = true;
    return VMR_OK;
}

enum vmr_status guest_pages_init(struct guest_pages *pages, const struct guest_pages_options *options,
                                 struct vmr_error *err)
{
    pages->options = *options;
    if (sync_mutex_init(&pages->lock, options->host))
        return vmr_error_set(err, VMR_E_NOMEM, "VTLs: a lock cannot be made");
    enum vmr_status status = options->late_map ? take_late_map(pages, options->late_map, err) : VMR_OK;

    pages->options.late_map = NULL; /* the caller's */
    return status;
}

void guest_pages_finish(struct guest_pages *pages)
{
    page_flags_finish(&pages->flags);
    regions_finish(&pages->ram);
    free(pages->allowed);
    pages->allowed = NULL;
    sync_mutex_finish(&pages->lock);
}

void guest_pages_reset(struct guest_pages *pages)
{
    sync_mutex_lock(&pages->lock);
    pages->late = pages->maps_late;
    for (size_t i = 0; i < pages->ram.count; i++) {
        const struct vmr_page_range range = range_of(pages, i);
        uint64_t end = (range.gpa + range.size) / VMR_PAGE_SIZE;

        for (uint64_t page = range.gpa / VMR_PAGE_SIZE; page_flags_next(&pages->flags, &page, end); page++)
            page_flags_set(&pages->flags, page, page_flags_get(&pages->flags, page) & ~DENIED_ALL);
        (void)guest_pages_tell_all(pages, &range);
    }
    sync_mutex_unlock(&pages->lock);
}

/* --- RAM --- */

static bool add_locked(struct guest_pages *pages, const struct vmr_memory_region *region)
{
    const struct vmr_page_range range = {.gpa = region->gpa, .size = region->size};
    uint64_t end = (range.gpa + range.size) / VMR_PAGE_SIZE;

    for (uint64_t page = range.gpa / VMR_PAGE_SIZE; page_flags_next(&pages->flags, &page, end); page++)
        page_flags_set(&pages->flags, page, 0); /* RAM that is added has no past */
    if (!regions_reserve(&pages->ram))
        return false;
    regions_add(&pages->ram, &(struct region){.gpa = region->gpa,
                                              .size = region->size,
                                              .vtl2 = region->vtl2,
                                              .slot = regions_free_slot(&pages->ram)});
    /* The backend begins with everything allowed. */
    return (!pages->options.isolated && !pages->late) || guest_pages_tell_all(pages, &range);
}

static void remove_locked(struct guest_pages *pages, const struct vmr_memory_region *region)
{
    size_t index = regions_find_start(&pages->ram, region->gpa);

    if (index != REGIONS_NONE)
        regions_remove(&pages->ram, index);
}

static enum vmr_status refuse(const struct vmr_memory_region *region, struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_HOST, "memory region at %#" PRIx64 ": VTLs cannot be kept from it", region->gpa);
}

enum vmr_status guest_pages_tell(struct guest_pages *pages, const struct vmr_memory_region *region,
                                 struct vmr_error *err)
{
    const struct vmr_page_range range = {.gpa = region->gpa, .size = region->size};

    sync_mutex_lock(&pages->lock);
    bool told = guest_pages_tell_all(pages, &range);

    sync_mutex_unlock(&pages->lock);
    return told ? VMR_OK : refuse(region, err);
}

enum vmr_status guest_pages_add(struct guest_pages *pages, const struct vmr_memory_region *region,
                                struct vmr_error *err)
{
    sync_mutex_lock(&pages->lock);
    bool added = add_locked(pages, region);

    if (!added)
        remove_locked(pages, region);
    sync_mutex_unlock(&pages->lock);
    return added ? VMR_OK : refuse(region, err);
}

void guest_pages_remove(struct guest_pages *pages, const struct vmr_memory_region *region)
{
    sync_mutex_lock(&pages->lock);
    remove_locked(pages, region);
    sync_mutex_unlock(&pages->lock);
}

/* --- changes --- */

/* One page, under the lock: `set` of its flags in the place of `mask`. */
static enum guest_pages_result update(struct guest_pages *pages, uint64_t page, uint32_t mask, uint32_t set)
{
    if (!guest_pages_ram_at(pages, page))
        return GUEST_PAGES_NO_RAM;
    uint32_t flags = (page_flags_get(&pages->flags, page) & ~mask) | set;

    return guest_pages_change(pages, page, flags) ? GUEST_PAGES_OK : GUEST_PAGES_NO_MEMORY;
}

enum guest_pages_result guest_pages_protect(struct guest_pages *pages, uint8_t imposer, uint8_t target, uint64_t page,
                                            uint8_t access)
{
    uint32_t mask = (uint32_t)ALL << DENIED_SHIFT(imposer, target);

    sync_mutex_lock(&pages->lock);
    enum guest_pages_result result = update(pages, page, mask, with_denied(0, imposer, target, access));

    sync_mutex_unlock(&pages->lock);
    return result;
}

static enum guest_pages_result map_locked(struct guest_pages *pages, uint8_t vtl, const struct vmr_page_range *range,
                                          bool mapped)
{
    uint64_t first = range->gpa / VMR_PAGE_SIZE, end = first + range->size / VMR_PAGE_SIZE;

    for (uint64_t page = first; page < end; page++) {
        if (!guest_pages_ram_at(pages, page))
            return GUEST_PAGES_NO_RAM;
    }
    for (uint64_t page = first; page < end; page++) {
        enum guest_pages_result result = update(pages, page, UNMAPPED(vtl), mapped ? 0 : UNMAPPED(vtl));

        if (result != GUEST_PAGES_OK)
            return result;
    }
    return GUEST_PAGES_OK;
}

enum guest_pages_result guest_pages_map(struct guest_pages *pages, uint8_t vtl, const struct vmr_page_range *range,
                                        bool mapped)
{
    if (!is_pages(range))
        return GUEST_PAGES_NO_RAM;
    sync_mutex_lock(&pages->lock);
    enum guest_pages_result result = map_locked(pages, vtl, range, mapped);

    sync_mutex_unlock(&pages->lock);
    return result;
}

/* What was imposed before the page was accepted, nobody has asked for. */
static enum guest_pages_result accept_locked(struct guest_pages *pages, uint64_t page,
                                             enum vmr_page_visibility visibility,
                                             const uint8_t permissions[VMR_VTL_COUNT])
{
    uint32_t flags = ACCEPTED | (visibility == VMR_PAGE_SHARED ? SHARED : 0);

    if (!guest_pages_ram_at(pages, page))
        return GUEST_PAGES_NO_RAM;
    if (page_flags_get(&pages->flags, page) & ACCEPTED)
        return GUEST_PAGES_STATE;
    for (unsigned imposer = 1; permissions && imposer <= pages->options.highest; imposer++) {
        for (unsigned target = 0; target < imposer; target++)
            flags = with_denied(flags, imposer, target, permissions[imposer]);
    }
    return update(pages, page, DENIED_ALL | ACCEPTED | SHARED, flags);
}

enum guest_pages_result guest_pages_accept(struct guest_pages *pages, uint64_t page,
                                           enum vmr_page_visibility visibility,
                                           const uint8_t permissions[VMR_VTL_COUNT])
{
    sync_mutex_lock(&pages->lock);
    enum guest_pages_result result = accept_locked(pages, page, visibility, permissions);

    sync_mutex_unlock(&pages->lock);
    return result;
}

enum hv_status guest_pages_status(enum guest_pages_result result)
{
    switch (result) {
    case GUEST_PAGES_OK:
        return HV_STATUS_SUCCESS;
    case GUEST_PAGES_NO_RAM:
        return HV_STATUS_INVALID_PARAMETER;
    case GUEST_PAGES_STATE:
        return HV_STATUS_OPERATION_DENIED;
    case GUEST_PAGES_NO_MEMORY:
        break;
    }
    return HV_STATUS_INSUFFICIENT_MEMORY;
}

/* Takes back the first `count` pages of `initial` that were accepted. */
static void unaccept(struct guest_pages *pages, const struct vmr_initial_pages *initial, uint64_t count)
{
    for (uint64_t done = 0; done < count; initial++) {
        uint64_t first = initial->range.gpa / VMR_PAGE_SIZE, size = initial->range.size / VMR_PAGE_SIZE;

        for (uint64_t i = 0; i < size && done < count; i++, done++)
            (void)update(pages, first + i, ACCEPTED | SHARED, 0);
    }
}

static enum guest_pages_result accept_range(struct guest_pages *pages, const struct vmr_initial_pages *initial,
                                            uint64_t *done, vmr_gpa *ret_bad)
{
    vmr_gpa end = initial->range.gpa + initial->range.size;

    *ret_bad = initial->range.gpa;
    if (!is_pages(&initial->range))
        return GUEST_PAGES_NO_RAM;
    for (; *ret_bad < end; *ret_bad += VMR_PAGE_SIZE, ++*done) {
        enum guest_pages_result result = accept_locked(pages, *ret_bad / VMR_PAGE_SIZE, initial->visibility, NULL);

        if (result != GUEST_PAGES_OK)
            return result;
    }
    return GUEST_PAGES_OK;
}

enum guest_pages_result guest_pages_accept_all(struct guest_pages *pages, const struct vmr_initial_pages *initial,
                                               size_t count, vmr_gpa *ret_bad)
{
    enum guest_pages_result result = GUEST_PAGES_OK;
    uint64_t done = 0;

    sync_mutex_lock(&pages->lock);
    for (size_t i = 0; i < count && result == GUEST_PAGES_OK; i++)
        result = accept_range(pages, &initial[i], &done, ret_bad);
    if (result != GUEST_PAGES_OK)
        unaccept(pages, initial, done);
    sync_mutex_unlock(&pages->lock);
    return result;
}

/* Under the lock. */
static enum guest_pages_result check_accepted(const struct guest_pages *pages, uint64_t page)
{
    if (!guest_pages_ram_at(pages, page))
        return GUEST_PAGES_NO_RAM;
    return page_flags_get(&pages->flags, page) & ACCEPTED ? GUEST_PAGES_OK : GUEST_PAGES_STATE;
}

enum guest_pages_result guest_pages_set_visibility(struct guest_pages *pages, uint64_t page,
                                                   enum vmr_page_visibility visibility)
{
    sync_mutex_lock(&pages->lock);
    enum guest_pages_result result = check_accepted(pages, page);

    if (result == GUEST_PAGES_OK)
        result = update(pages, page, SHARED, visibility == VMR_PAGE_SHARED ? SHARED : 0);
    sync_mutex_unlock(&pages->lock);
    return result;
}

enum guest_pages_result guest_pages_visibility(struct guest_pages *pages, uint64_t page,
                                               enum vmr_page_visibility *ret_visibility)
{
    sync_mutex_lock(&pages->lock);
    enum guest_pages_result result = check_accepted(pages, page);

    if (result == GUEST_PAGES_OK)
        *ret_visibility = page_flags_get(&pages->flags, page) & SHARED ? VMR_PAGE_SHARED : VMR_PAGE_EXCLUSIVE;
    sync_mutex_unlock(&pages->lock);
    return result;
}

bool guest_pages_hide(struct guest_pages *pages, vmr_gpa gpa, uint64_t length)
{
    uint64_t end = (gpa + length - 1) / VMR_PAGE_SIZE + 1;
    bool hidden = false;

    sync_mutex_lock(&pages->lock);
    for (uint64_t page = gpa / VMR_PAGE_SIZE; !hidden && page_flags_next(&pages->flags, &page, end); page++)
        hidden = (page_flags_get(&pages->flags, page) & (ACCEPTED | SHARED)) == ACCEPTED;
    sync_mutex_unlock(&pages->lock);
    return hidden;
}

enum guest_pages_result guest_pages_lift(struct guest_pages *pages)
{
    bool told = true;

    sync_mutex_lock(&pages->lock);
    bool was_late = pages->late;

    pages->late = false;
    for (size_t i = 0; was_late && told && i < pages->ram.count; i++) {
        const struct vmr_page_range range = range_of(pages, i);

        told = tell_range(pages, VMR_VTL2, &range, untouched(pages));
    }
    pages->late = !told; /* asked again, it tells all of it again */
    sync_mutex_unlock(&pages->lock);
    return told ? GUEST_PAGES_OK : GUEST_PAGES_NO_MEMORY;
}

/* --- questions --- */

bool guest_pages_allow(struct guest_pages *pages, uint8_t vtl, uint64_t page, uint8_t access)
{
    sync_mutex_lock(&pages->lock);
    uint8_t allowed =
        guest_pages_ram_at(pages, page) ? access_of(pages, page_flags_get(&pages->flags, page), vtl, page) : ALL;

    sync_mutex_unlock(&pages->lock);
    return allowed != VMR_VTL_HOLE && (access & (unsigned)~allowed) == 0;
}

bool guest_pages_is_hole(struct guest_pages *pages, uint8_t vtl, uint64_t page)
{
    sync_mutex_lock(&pages->lock);
    bool is_hole = guest_pages_ram_at(pages, page) && (page_flags_get(&pages->flags, page) & UNMAPPED(vtl)) != 0;

    sync_mutex_unlock(&pages->lock);
    return is_hole;
}

static enum guest_pages_cause why_locked(const struct guest_pages *pages, uint8_t vtl, uint64_t page, uint8_t access,
                                         uint8_t *ret_imposer)
{
    uint32_t flags = page < PAGE_FLAGS_PAGE_END ? page_flags_get(&pages->flags, page) : 0;

    if (!guest_pages_ram_at(pages, page) || (flags & UNMAPPED(vtl)))
        return GUEST_PAGES_ALLOWED;
    if (is_late(pages, vtl, page))
        return GUEST_PAGES_LATE;
    if (pages->options.isolated && !(flags & ACCEPTED))
        return GUEST_PAGES_UNACCEPTED;
    for (unsigned imposer = pages->options.highest; imposer > vtl; imposer--) {
        if (denied_by(flags, imposer, vtl) & access) {
            *ret_imposer = (uint8_t)imposer;
            return GUEST_PAGES_PROTECTED;
        }
    }
    return GUEST_PAGES_ALLOWED;
}

enum guest_pages_cause guest_pages_why(struct guest_pages *pages, uint8_t vtl, uint64_t page, uint8_t access,
                                       uint8_t *ret_imposer)
{
    sync_mutex_lock(&pages->lock);
    enum guest_pages_cause cause = why_locked(pages, vtl, page, access, ret_imposer);

    sync_mutex_unlock(&pages->lock);
    return cause;
}
