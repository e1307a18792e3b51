/* SPDX-License-Identifier: MIT */
/*
 * A KVM virtual machine's memory: its slots, and which of their pages were
 * written.
 *
 * KVM keeps the dirty log as a bitmap a slot, read whole and cleared in parts
 * (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2): a page that is written between the two
 * calls and was clean in the first stays dirty. Or, with dirty=ring, as a list
 * of pages a VP, and the bitmap is ours: kvm_ring.c.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"
#include "lib/base/checked.h"

/* A slot that cannot be deleted at once: another call holds resources for a moment. */
#define UNMAP_ATTEMPT_MAX 8u

#define WORD_PAGES 64u

static uint64_t pages_of(const struct kvm_slot *slot)
{
    return slot->region.size / VMR_PAGE_SIZE;
}

static size_t words_of(const struct kvm_slot *slot)
{
    return (size_t)((pages_of(slot) + WORD_PAGES - 1) / WORD_PAGES);
}

/* A guest does not write read-only memory, and for the library's writes nobody asks here. */
static bool is_logged(const struct kvm_slot *slot)
{
    return slot->region.size != 0 && !slot->region.read_only;
}

static int set_slot(const struct kvm_vm *vm, uint32_t number, const struct vmr_memory_region *region, bool log)
{
    struct kvm_userspace_memory_region slot_region = {
        .slot = number,
        .flags = (region->read_only ? KVM_MEM_READONLY : 0u) | (log ? KVM_MEM_LOG_DIRTY_PAGES : 0u),
        .guest_phys_addr = region->gpa,
        .memory_size = region->size,
        .userspace_addr = (uintptr_t)region->host,
    };

    return kvm_host_ioctl(vm->fd.number, KVM_SET_USER_MEMORY_REGION, kvm_pointer(&slot_region));
}

/* --- the table of slots, which a VP's thread reads when its ring is full --- */

static bool slots_reserve(struct kvm_vm *vm, uint32_t number)
{
    if (number < vm->slot_count)
        return true;
    uint32_t count = number + 1 > 2 * vm->slot_count ? number + 1 : 2 * vm->slot_count;

    sync_mutex_lock(&vm->slots_lock);
    struct kvm_slot *slots = realloc(vm->slots, count * sizeof(*slots));

    if (slots) {
        memset(slots + vm->slot_count, 0, (count - vm->slot_count) * sizeof(*slots));
        vm->slots = slots;
        vm->slot_count = count;
    }
    sync_mutex_unlock(&vm->slots_lock);
    return slots != NULL;
}

/* Takes the bits over. */
static void slot_store(struct kvm_vm *vm, uint32_t number, const struct kvm_slot *slot)
{
    sync_mutex_lock(&vm->slots_lock);
    uint64_t *before = vm->slots[number].pages;

    vm->slots[number] = *slot;
    sync_mutex_unlock(&vm->slots_lock);
    if (before != slot->pages)
        free(before);
}

void kvm_slots_finish(struct kvm_vm *vm)
{
    for (uint32_t i = 0; i < vm->slot_count; i++)
        free(vm->slots[i].pages);
    free(vm->slots);
    sync_mutex_finish(&vm->slots_lock);
}

/* --- mapping --- */

enum vmr_status kvm_vm_map(struct vmr_backend_vm *backend_vm, uint32_t number, const struct vmr_memory_region *region,
                           struct vmr_error *err)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);
    struct kvm_slot slot = {.region = *region};
    bool log = vm->dirty_on && is_logged(&slot);

    if (log)
        slot.pages = calloc(words_of(&slot), sizeof(*slot.pages));
    if (!slots_reserve(vm, number) || (log && !slot.pages)) {
        free(slot.pages);
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for slot %u, %#" PRIx64 " bytes at %#" PRIx64, number,
                             region->size, region->gpa);
    }
    slot_store(vm, number, &slot); /* before the guest can fill a ring with it */
    int result = set_slot(vm, number, region, log);

    if (result >= 0)
        return VMR_OK;
    slot_store(vm, number, &(struct kvm_slot){0});
    return vmr_error_set_host(err, -result, "kvm: memory slot %u, %#" PRIx64 " bytes at %#" PRIx64, number,
                              region->size, region->gpa);
}

/*
 * The bytes may be freed when this returns, so a slot that stays is no
 * warning: from then on no VP of this VM enters the guest. [MEM-4]
 */
void kvm_vm_unmap(struct vmr_backend_vm *backend_vm, uint32_t number, const struct vmr_memory_region *region)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);
    const struct vmr_memory_region none = {.gpa = region->gpa};
    int result = -EAGAIN;

    for (unsigned i = 0; i < UNMAP_ATTEMPT_MAX && result < 0; i++)
        result = set_slot(vm, number, &none, false);
    slot_store(vm, number, &(struct kvm_slot){0});
    if (result >= 0)
        return;
    atomic_store(&vm->unmap_errno, -result);
    for (uint32_t i = 0; i < vm->vp_count; i++) {
        if (vm->vps[i])
            kvm_vp_nudge(vm->vps[i]);
    }
}

/* --- the dirty log --- */

static void log_off(struct kvm_vm *vm)
{
    vm->dirty_on = false;
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        struct kvm_slot slot = vm->slots[i];

        if (!slot.pages)
            continue;
        /* A slot that stays as it is costs the guest time, and the next log pages that it need not name. */
        (void)set_slot(vm, i, &slot.region, false);
        slot.pages = NULL;
        slot_store(vm, i, &slot);
    }
}

static enum vmr_status slot_log(struct kvm_vm *vm, uint32_t number, struct vmr_error *err)
{
    struct kvm_slot slot = vm->slots[number];

    slot.pages = calloc(words_of(&slot), sizeof(*slot.pages));
    if (!slot.pages)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the dirty log of slot %u", number);
    slot_store(vm, number, &slot);
    int result = set_slot(vm, number, &slot.region, true);

    return result < 0 ? vmr_error_set_host(err, -result, "kvm: the dirty log of memory slot %u", number) : VMR_OK;
}

enum vmr_status kvm_vm_dirty_log(struct vmr_backend_vm *backend_vm, bool on, struct vmr_error *err)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);
    enum vmr_status status = VMR_OK;

    for (uint32_t i = 0; on && i < vm->slot_count && !status; i++) {
        if (is_logged(&vm->slots[i]))
            status = slot_log(vm, i, err);
    }
    if (on && !status)
        vm->dirty_on = true;
    else
        log_off(vm);
    return status;
}

/* A part of a slot, in pages: `first` begins a word of the bitmap, and `end` ends one, or the slot. */
struct part {
    uint64_t first, end;
};

/* False: none of the slot is asked for. */
static bool find_part(const struct kvm_slot *slot, const struct vmr_dirty_query *query, struct part *ret_part)
{
    const struct vmr_memory_region *region = &slot->region;

    if (!slot->pages || !range_overlaps(region->gpa, region->size, query->gpa, query->size))
        return false;
    uint64_t first = query->gpa > region->gpa ? (query->gpa - region->gpa) / VMR_PAGE_SIZE : 0;
    uint64_t last = (query->gpa + query->size - 1 - region->gpa) / VMR_PAGE_SIZE;
    uint64_t end = last - last % WORD_PAGES + WORD_PAGES;

    *ret_part = (struct part){.first = first - first % WORD_PAGES, .end = end < pages_of(slot) ? end : pages_of(slot)};
    return true;
}

static void give_part(const struct kvm_slot *slot, const struct part *part, const struct vmr_dirty_query *query)
{
    for (uint64_t page = part->first; page < part->end; page += WORD_PAGES) {
        uint64_t *word = &slot->pages[page / WORD_PAGES];

        if (*word != 0)
            query->found(query->context, slot->region.gpa + page * VMR_PAGE_SIZE, *word);
        *word = 0;
    }
}

/* Whether a page of the part was written: if not, there is nothing to clear, and no guest to slow down. */
static bool is_dirty(const struct kvm_slot *slot, const struct part *part)
{
    for (uint64_t page = part->first; page < part->end; page += WORD_PAGES) {
        if (slot->pages[page / WORD_PAGES] != 0)
            return true;
    }
    return false;
}

/* Gets, then clears what was got: only then may somebody copy the pages. [DIRTY-1] */
static enum vmr_status ask_kernel(struct kvm_vm *vm, uint32_t number, const struct part *part, struct vmr_error *err)
{
    const struct kvm_slot *slot = &vm->slots[number];
    struct kvm_dirty_log log = {.slot = number, .dirty_bitmap = slot->pages};
    struct kvm_clear_dirty_log clear = {.slot = number,
                                        .first_page = part->first,
                                        .num_pages = (uint32_t)(part->end - part->first),
                                        .dirty_bitmap = &slot->pages[part->first / WORD_PAGES]};
    enum vmr_status status = kvm_ioctl(vm->fd.number, "KVM_GET_DIRTY_LOG", KVM_GET_DIRTY_LOG, kvm_pointer(&log), err);

    if (status || !is_dirty(slot, part))
        return status;
    return kvm_ioctl(vm->fd.number, "KVM_CLEAR_DIRTY_LOG", KVM_CLEAR_DIRTY_LOG, kvm_pointer(&clear), err);
}

static enum vmr_status take_bitmaps(struct kvm_vm *vm, const struct vmr_dirty_query *query, struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;
    struct part part;

    for (uint32_t i = 0; i < vm->slot_count && !status; i++) {
        if (!find_part(&vm->slots[i], query, &part))
            continue;
        status = ask_kernel(vm, i, &part, err);
        if (!status)
            give_part(&vm->slots[i], &part, query);
    }
    return status;
}

static enum vmr_status take_rings(struct kvm_vm *vm, const struct vmr_dirty_query *query, struct vmr_error *err)
{
    struct part part;
    enum vmr_status status = kvm_rings_collect(vm, err);

    sync_mutex_lock(&vm->slots_lock);
    for (uint32_t i = 0; i < vm->slot_count && !status; i++) {
        if (find_part(&vm->slots[i], query, &part))
            give_part(&vm->slots[i], &part, query);
    }
    sync_mutex_unlock(&vm->slots_lock);
    return status;
}

enum vmr_status kvm_vm_dirty_take(struct vmr_backend_vm *backend_vm, const struct vmr_dirty_query *query,
                                  struct vmr_error *err)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);

    return vm->ring_bytes ? take_rings(vm, query, err) : take_bitmaps(vm, query, err);
}
