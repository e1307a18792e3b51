/* SPDX-License-Identifier: MIT */
/*
 * Mapping regions around a trapped page. The map changes while VPs are held:
 * none of them sees the moment in which a part of its RAM is missing.
 */

#include "lib/partition/trap.h"

#include <inttypes.h>

#include "lib/base/os_memory.h"
#include "lib/memory/memory.h"
#include "lib/partition/hold.h"

#define SLOT_PAGE (VMR_BACKEND_SLOT_MAX - 2u)
#define SLOT_ABOVE (VMR_BACKEND_SLOT_MAX - 1u)
#define PIECE_MAX 3u

struct piece {
    uint32_t slot;
    struct vmr_memory_region region;
};

static bool holds_trap(const struct vmr_partition *partition, const struct vmr_memory_region *region)
{
    const struct page_trap *trap = &partition->trap;

    return trap->set && trap->gpa >= region->gpa && trap->gpa - region->gpa < region->size;
}

/* The part of `region` from `offset` on. */
static struct vmr_memory_region part_of(const struct vmr_memory_region *region, uint64_t offset, uint64_t size)
{
    return (struct vmr_memory_region){.gpa = region->gpa + offset,
                                      .size = size,
                                      .read_only = region->read_only,
                                      .host = (uint8_t *)region->host + offset};
}

static unsigned cut(const struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region,
                    struct piece ret_pieces[PIECE_MAX])
{
    unsigned count = 0;

    if (!holds_trap(partition, region)) {
        ret_pieces[count++] = (struct piece){slot, *region};
        return count;
    }
    uint64_t below = partition->trap.gpa - region->gpa, above = region->size - below - VMR_PAGE_SIZE;

    if (below > 0)
        ret_pieces[count++] = (struct piece){slot, part_of(region, 0, below)};
    ret_pieces[count++] = (struct piece){
        SLOT_PAGE,
        {.gpa = partition->trap.gpa, .size = VMR_PAGE_SIZE, .read_only = true, .host = partition->trap.zeros}};
    if (above > 0)
        ret_pieces[count++] = (struct piece){SLOT_ABOVE, part_of(region, below + VMR_PAGE_SIZE, above)};
    return count;
}

static void unmap_pieces(struct vmr_partition *partition, const struct piece *pieces, unsigned count)
{
    while (count > 0) {
        const struct piece *piece = &pieces[--count];

        partition->backend->vm_unmap(partition->backend_vm, piece->slot, &piece->region);
    }
}

enum vmr_status trap_map(struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region,
                         struct vmr_error *err)
{
    struct piece pieces[PIECE_MAX];
    unsigned count = cut(partition, slot, region, pieces);

    for (unsigned i = 0; i < count; i++) {
        enum vmr_status status =
            partition->backend->vm_map(partition->backend_vm, pieces[i].slot, &pieces[i].region, err);

        if (status) {
            unmap_pieces(partition, pieces, i);
            return status;
        }
    }
    return VMR_OK;
}

void trap_unmap(struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region)
{
    struct piece pieces[PIECE_MAX];

    unmap_pieces(partition, pieces, cut(partition, slot, region, pieces));
}

/* --- changing it: under guest memory's lock of changes, VPs held --- */

/* Of what VTLs may do with a region its backend remembers nothing over this. */
static enum vmr_status map_again(struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region,
                                 struct vmr_error *err)
{
    enum vmr_status status = trap_map(partition, slot, region, err);

    if (status || !partition->hv)
        return status;
    status = vmr_hv_guest_region_remapped(partition->hv, region, err);
    if (status)
        trap_unmap(partition, slot, region);
    return status;
}

/* The region around the page, as the backend sees it before and after `next`. */
static enum vmr_status remap(struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region,
                             const struct page_trap *next, struct vmr_error *err)
{
    const struct page_trap before = partition->trap;

    trap_unmap(partition, slot, region);
    partition->trap = *next;
    enum vmr_status status = map_again(partition, slot, region, err);

    if (!status)
        return VMR_OK;
    partition->trap = before;
    if (map_again(partition, slot, region, NULL))
        partition->host->ops->log(partition->host->context, VMR_LOG_ERROR, VMR_CULPRIT_HOST,
                                  "the hypervisor refuses to map again what it had mapped: a part of RAM is missing");
    return status;
}

struct change {
    struct vmr_partition *partition;
    struct page_trap next;
    struct vmr_error *err;
};

/* In a hole every access exits anyway; what is mapped there later is cut accordingly. */
static enum vmr_status change_locked(void *context, uint32_t slot, const struct vmr_memory_region *region)
{
    struct change *change = context;
    struct page_trap *trap = &change->partition->trap;

    if (change->next.set && trap->set)
        return vmr_error_set(change->err, VMR_E_STATE, "page %#" PRIx64 ": the page %#" PRIx64 " is trapped already",
                             change->next.gpa, trap->gpa);
    if (region)
        return remap(change->partition, slot, region, &change->next, change->err);
    *trap = change->next;
    return VMR_OK;
}

static enum vmr_status check_page(const struct vmr_partition *partition, vmr_gpa gpa, struct vmr_error *err)
{
    if (!vmr_caps_have(&partition->caps, VMR_CAP_READ_ONLY))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "page %#" PRIx64 ": hypervisor '%s' has no read-only memory", gpa,
                             partition->backend->name);
    if (gpa >> partition->caps.physical_bits != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "page %#" PRIx64 ": guest addresses have %u bits here", gpa,
                             partition->caps.physical_bits);
    return VMR_OK;
}

enum vmr_status trap_set(struct vmr_partition *partition, vmr_gpa gpa, struct vmr_error *err)
{
    enum vmr_status status = check_page(partition, gpa, err);
    struct change change = {.partition = partition, .next = {.set = true, .gpa = gpa}, .err = err};

    if (status)
        return status;
    change.next.zeros = os_memory_map(VMR_PAGE_SIZE);
    if (!change.next.zeros)
        return vmr_error_set(err, VMR_E_NOMEM, "page %#" PRIx64 ": no memory for what the guest reads there", gpa);
    status = partition_hold(partition, err);
    if (!status) {
        status = memory_with_region(partition->memory, gpa, change_locked, &change);
        partition_release(partition);
    }
    if (status)
        os_memory_unmap(change.next.zeros, VMR_PAGE_SIZE);
    return status;
}

void trap_clear(struct vmr_partition *partition)
{
    struct change change = {.partition = partition};
    void *zeros = partition->trap.zeros;

    if (!partition->trap.set || partition_hold(partition, NULL))
        return;
    if (memory_with_region(partition->memory, partition->trap.gpa, change_locked, &change) == VMR_OK)
        os_memory_unmap(zeros, VMR_PAGE_SIZE);
    partition_release(partition);
}

void trap_finish(struct vmr_partition *partition)
{
    if (partition->trap.zeros)
        os_memory_unmap(partition->trap.zeros, VMR_PAGE_SIZE);
    partition->trap = (struct page_trap){0};
}
