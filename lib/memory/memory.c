/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as a set of regions: adding, removing, and telling the listener.
 *
 * A region is in the table from after the listener has accepted it to before
 * the listener is told that it goes: what the library can reach, the guest can
 * reach, and the pages outlive both. Reading and writing are in access.c, pinned
 * views in view.c.
 */

#include "lib/memory/memory.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/checked.h"
#include "lib/base/os_backing.h"
#include "lib/base/os_memory.h"
#include "lib/memory/dirty.h"

#define ADDRESS_END (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

enum vmr_status vmr_memory_create(const struct vmr_host *host, struct vmr_memory **ret_memory, struct vmr_error *err)
{
    if (!host || !host->ops)
        return vmr_error_set(err, VMR_E_USAGE, "memory: no host was given");
    struct vmr_memory *memory = calloc(1, sizeof(*memory));

    if (!memory)
        return vmr_error_set(err, VMR_E_NOMEM, "memory: no room for its table");
    memory->host = host;
    if (sync_mutex_init(&memory->changes, host) || sync_rwlock_init(&memory->table, host) ||
        sync_mutex_init(&memory->pins_lock, host)) {
        vmr_memory_destroy(memory);
        return vmr_error_set(err, VMR_E_NOMEM, "memory: no room for its locks");
    }
    *ret_memory = memory;
    return VMR_OK;
}

static void release_region(const struct region *region)
{
    free((void *)region->dirty);
    if (region->owned && region->backed)
        os_backing_unmap(&(struct os_backing){.bytes = region->host, .size = (size_t)region->size, .fd = region->fd});
    else if (region->owned)
        os_memory_unmap(region->host, (size_t)region->size);
}

void vmr_memory_destroy(struct vmr_memory *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < memory->regions.count; i++)
        release_region(&memory->regions.items[i]);
    regions_finish(&memory->regions);
    free(memory->pins);
    sync_mutex_finish(&memory->pins_lock);
    sync_rwlock_finish(&memory->table);
    sync_mutex_finish(&memory->changes);
    free(memory);
}

static enum vmr_status check_backing(const struct vmr_memory_region *region, struct vmr_error *err)
{
    const struct vmr_memory_backing *backing = region->backing;
    uint64_t page = backing->hugepage_size ? backing->hugepage_size : VMR_HUGEPAGE_SIZE_DEFAULT;

    if (region->host)
        return vmr_error_set(err, VMR_E_USAGE, "memory region at %#" PRIx64 ": both host memory and a backing",
                             region->gpa);
    if (backing->hugepages && (page <= VMR_PAGE_SIZE || (page & (page - 1)) != 0))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ": hugepage_size %#" PRIx64 " is no power of two above %u",
                             region->gpa, page, VMR_PAGE_SIZE);
    if (backing->hugepages && !is_aligned(region->size, page))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ": the size %#" PRIx64
                             " is no multiple of its huge pages' %#" PRIx64,
                             region->gpa, region->size, page);
    if (!backing->hugepages && backing->hugepage_size != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "memory region at %#" PRIx64 ": hugepage_size without hugepages",
                             region->gpa);
    if (backing->hugepages && backing->transparent_hugepages)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ": both hugepages and transparent_hugepages", region->gpa);
    return VMR_OK;
}

/* What is wrong with the region by itself. [MEM-3] */
static enum vmr_status check_region(const struct vmr_memory_region *region, struct vmr_error *err)
{
    if (!is_aligned(region->gpa, VMR_PAGE_SIZE))
        return vmr_error_set(err, VMR_E_CONFIG, "memory region at %#" PRIx64 ": the address is not a multiple of %u",
                             region->gpa, VMR_PAGE_SIZE);
    if (region->size == 0 || !is_aligned(region->size, VMR_PAGE_SIZE))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ": the size %#" PRIx64 " is not a nonzero multiple of %u",
                             region->gpa, region->size, VMR_PAGE_SIZE);
    if (!range_contains(0, ADDRESS_END, region->gpa, region->size))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ": with size %#" PRIx64 " it ends above 2^%u", region->gpa,
                             region->size, VMR_PHYSICAL_BITS_MAX);
    if (region->size > SIZE_MAX)
        return vmr_error_set(err, VMR_E_NOMEM,
                             "memory region at %#" PRIx64 ": this host cannot address %#" PRIx64 " bytes", region->gpa,
                             region->size);
    if (!is_aligned((uintptr_t)region->host, VMR_PAGE_SIZE))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ": its host memory is not aligned to %u bytes", region->gpa,
                             VMR_PAGE_SIZE);
    return region->backing ? check_backing(region, err) : VMR_OK;
}

/* What is wrong with it beside the others. */
static enum vmr_status check_place(const struct regions *regions, const struct vmr_memory_region *region,
                                   struct vmr_error *err)
{
    size_t other = regions_find_overlap(regions, region->gpa, region->size);

    if (other != REGIONS_NONE)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "memory region at %#" PRIx64 ", size %#" PRIx64 ", overlaps the one at %#" PRIx64
                             ", size %#" PRIx64,
                             region->gpa, region->size, regions->items[other].gpa, regions->items[other].size);
    if (regions->count >= VMR_MEMORY_REGION_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "memory region at %#" PRIx64 ": there are already %u regions",
                             region->gpa, VMR_MEMORY_REGION_MAX);
    return VMR_OK;
}

static struct vmr_memory_region describe(const struct region *region)
{
    return (struct vmr_memory_region){.gpa = region->gpa,
                                      .size = region->size,
                                      .read_only = region->read_only,
                                      .vtl2 = region->vtl2,
                                      .host = region->host};
}

static enum vmr_status tell_added(const struct vmr_memory *memory, const struct region *region, struct vmr_error *err)
{
    const struct vmr_memory_listener *listener = &memory->listener;
    struct vmr_memory_region shown = describe(region);

    return listener->added ? listener->added(listener->context, region->slot, &shown, err) : VMR_OK;
}

static void tell_removed(const struct vmr_memory *memory, const struct region *region)
{
    const struct vmr_memory_listener *listener = &memory->listener;
    struct vmr_memory_region shown = describe(region);

    if (listener->removed)
        listener->removed(listener->context, region->slot, &shown);
}

static enum vmr_status reserve(struct vmr_memory *memory, vmr_gpa gpa, struct vmr_error *err)
{
    sync_rwlock_write_lock(&memory->table); /* the array may move */
    bool room = regions_reserve(&memory->regions);

    sync_rwlock_write_unlock(&memory->table);
    return room ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "memory region at %#" PRIx64 ": no room in the table", gpa);
}

/* The region's pages, unless the caller has them. */
static enum vmr_status allocate(const struct vmr_memory_region *wanted, struct region *region, struct vmr_error *err)
{
    struct os_backing backing = {.fd = -1};
    enum vmr_status status = VMR_OK;

    if (!region->owned)
        return VMR_OK;
    if (wanted->backing)
        status = os_backing_map(wanted->backing, (size_t)wanted->size, &backing, err);
    else
        backing.bytes = os_memory_map((size_t)wanted->size);
    if (status != VMR_OK)
        return status;
    if (!backing.bytes)
        return vmr_error_set(err, VMR_E_NOMEM,
                             "memory region at %#" PRIx64 ": this host has no %#" PRIx64 " bytes for it", wanted->gpa,
                             wanted->size);
    region->host = backing.bytes;
    region->backed = wanted->backing != NULL;
    region->fd = backing.fd;
    return VMR_OK;
}

static enum vmr_status add_locked(struct vmr_memory *memory, const struct vmr_memory_region *wanted,
                                  struct vmr_error *err)
{
    enum vmr_status status = check_place(&memory->regions, wanted, err);

    if (!status)
        status = reserve(memory, wanted->gpa, err);
    if (status)
        return status;
    struct region region = {.gpa = wanted->gpa,
                            .size = wanted->size,
                            .host = wanted->host,
                            .read_only = wanted->read_only,
                            .vtl2 = wanted->vtl2,
                            .owned = !wanted->host,
                            .fd = -1,
                            .slot = regions_free_slot(&memory->regions)};

    status = allocate(wanted, &region, err);
    if (status)
        return status;
    if (!dirty_add_region(memory, &region))
        status =
            vmr_error_set(err, VMR_E_NOMEM, "memory region at %#" PRIx64 ": no memory for its dirty log", region.gpa);
    if (!status)
        status = tell_added(memory, &region, err);
    if (status) {
        release_region(&region);
        return status;
    }
    sync_rwlock_write_lock(&memory->table);
    regions_add(&memory->regions, &region);
    sync_rwlock_write_unlock(&memory->table);
    return VMR_OK;
}

enum vmr_status vmr_memory_region_add(struct vmr_memory *memory, const struct vmr_memory_region *region,
                                      struct vmr_error *err)
{
    enum vmr_status status = check_region(region, err);

    if (status)
        return status;
    sync_mutex_lock(&memory->changes);
    status = add_locked(memory, region, err);
    sync_mutex_unlock(&memory->changes);
    return status;
}

/* Takes the region out of the table, unless there is none or a view keeps it. [MEM-7] */
static enum vmr_status take_out(struct vmr_memory *memory, vmr_gpa gpa, struct region *ret_region,
                                struct vmr_error *err)
{
    size_t index = regions_find_start(&memory->regions, gpa);

    if (index == REGIONS_NONE)
        return vmr_error_set(err, VMR_E_USAGE, "memory: no region starts at %#" PRIx64, gpa);
    struct region *region = &memory->regions.items[index];
    uint32_t pins = sync_load_u32(memory->host, &region->pins);

    if (pins != 0)
        return vmr_error_set(err, VMR_E_STATE, "memory region at %#" PRIx64 ": %" PRIu32 " views of it are pinned", gpa,
                             pins);
    *ret_region = *region;
    regions_remove(&memory->regions, index);
    return VMR_OK;
}

enum vmr_status vmr_memory_region_remove(struct vmr_memory *memory, vmr_gpa gpa, struct vmr_error *err)
{
    struct region region = {0};

    sync_mutex_lock(&memory->changes);
    sync_rwlock_write_lock(&memory->table);
    enum vmr_status status = take_out(memory, gpa, &region, err);

    sync_rwlock_write_unlock(&memory->table);
    if (!status) {
        /* No access of the library is under way and none finds it again; now the guest, then the pages. [MEM-4] */
        tell_removed(memory, &region);
        release_region(&region);
    }
    sync_mutex_unlock(&memory->changes);
    return status;
}

bool vmr_memory_region_get(struct vmr_memory *memory, size_t index, struct vmr_memory_region *ret_region)
{
    sync_rwlock_read_lock(&memory->table);
    bool found = index < memory->regions.count;

    if (found) {
        *ret_region = describe(&memory->regions.items[index]);
        ret_region->host = NULL;
    }
    sync_rwlock_read_unlock(&memory->table);
    return found;
}

bool vmr_memory_region_find(struct vmr_memory *memory, vmr_gpa gpa, struct vmr_memory_region *ret_region)
{
    sync_rwlock_read_lock(&memory->table);
    size_t index = regions_find(&memory->regions, gpa);
    bool found = index != REGIONS_NONE;

    if (found) {
        *ret_region = describe(&memory->regions.items[index]);
        ret_region->host = NULL; /* only a pinned view gives host pointers away [MEM-2] */
    }
    sync_rwlock_read_unlock(&memory->table);
    return found;
}

enum vmr_status vmr_memory_region_fd(struct vmr_memory *memory, vmr_gpa gpa, int *ret_fd, struct vmr_error *err)
{
    sync_rwlock_read_lock(&memory->table);
    size_t index = regions_find_start(&memory->regions, gpa);
    int fd = index == REGIONS_NONE ? -1 : memory->regions.items[index].fd;

    sync_rwlock_read_unlock(&memory->table);
    if (index == REGIONS_NONE)
        return vmr_error_set(err, VMR_E_USAGE, "memory: no region starts at %#" PRIx64, gpa);
    if (fd < 0)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "memory region at %#" PRIx64 ": not shared", gpa);
    *ret_fd = fd;
    return VMR_OK;
}

size_t vmr_memory_region_count(struct vmr_memory *memory)
{
    sync_rwlock_read_lock(&memory->table);
    size_t count = memory->regions.count;

    sync_rwlock_read_unlock(&memory->table);
    return count;
}

uint64_t vmr_memory_size(struct vmr_memory *memory)
{
    sync_rwlock_read_lock(&memory->table);
    uint64_t bytes = memory->regions.bytes;

    sync_rwlock_read_unlock(&memory->table);
    return bytes;
}

/* Tells of the removal of the first `count` regions, last one first, and forgets the listener, but not what it wrote.
 */
static void dismiss_listener(struct vmr_memory *memory, size_t count)
{
    dirty_keep(memory, 0, ADDRESS_END);
    while (count > 0)
        tell_removed(memory, &memory->regions.items[--count]);
    memory->listener = (struct vmr_memory_listener){0};
}

static enum vmr_status listen_locked(struct vmr_memory *memory, const struct vmr_memory_listener *listener,
                                     struct vmr_error *err)
{
    if (memory->listener.added)
        return vmr_error_set(err, VMR_E_STATE, "memory: another partition uses it");
    memory->listener = *listener;
    enum vmr_status status = dirty_tell_listener(memory, err);

    if (status) {
        memory->listener = (struct vmr_memory_listener){0};
        return status;
    }
    for (size_t i = 0; i < memory->regions.count; i++) {
        status = tell_added(memory, &memory->regions.items[i], err);
        if (status) {
            dismiss_listener(memory, i);
            return status;
        }
    }
    return VMR_OK;
}

enum vmr_status vmr_memory_listen(struct vmr_memory *memory, const struct vmr_memory_listener *listener,
                                  struct vmr_error *err)
{
    if (!listener->added || !listener->removed || !listener->dirty_log != !listener->dirty_take)
        return vmr_error_set(err, VMR_E_USAGE,
                             "memory: a listener needs both added and removed, and both of the dirty log or none");
    sync_mutex_lock(&memory->changes);
    enum vmr_status status = listen_locked(memory, listener, err);

    sync_mutex_unlock(&memory->changes);
    return status;
}

void vmr_memory_unlisten(struct vmr_memory *memory)
{
    sync_mutex_lock(&memory->changes);
    if (memory->listener.added)
        dismiss_listener(memory, memory->regions.count);
    sync_mutex_unlock(&memory->changes);
}

enum vmr_status memory_with_region(struct vmr_memory *memory, vmr_gpa gpa,
                                   enum vmr_status (*change)(void *context, uint32_t slot,
                                                             const struct vmr_memory_region *region),
                                   void *context)
{
    enum vmr_status status;

    sync_mutex_lock(&memory->changes);
    size_t index = regions_find(&memory->regions, gpa);

    if (index == REGIONS_NONE) {
        status = change(context, 0, NULL);
    } else {
        const struct region *region = &memory->regions.items[index];
        struct vmr_memory_region shown = describe(region);

        dirty_keep(memory, region->gpa, region->size);
        status = change(context, region->slot, &shown);
    }
    sync_mutex_unlock(&memory->changes);
    return status;
}

vmr_gpa memory_top(struct vmr_memory *memory)
{
    sync_rwlock_read_lock(&memory->table);
    size_t count = memory->regions.count;
    const struct region *last = count ? &memory->regions.items[count - 1] : NULL;
    vmr_gpa top = last ? last->gpa + last->size : 0;

    sync_rwlock_read_unlock(&memory->table);
    return top;
}
