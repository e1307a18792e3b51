/* SPDX-License-Identifier: MIT */
/*
 * The dirty log as a ring a VP: KVM puts in each page that the VP writes first
 * since it was last reset, and user space takes out (KVM API, 8.29). An entry
 * that was taken out is marked, and one call resets all that are: their pages
 * are watched again. Before that call a page may be written unseen, so nobody is
 * told of a page before it.
 *
 * What a VP has written may still be in its processor's own list, which is
 * emptied when it leaves the guest: who takes makes each VP leave once. A VP
 * whose ring is full leaves by itself, and empties it.
 */

#include <errno.h>

#include "backends/kvm/kvm_private.h"

/* 1024 entries, of which KVM keeps up to 576 for what a VP writes between two looks: a full one is emptied soon. */
#define RING_BYTES 16384u

enum vmr_status kvm_rings_enable(struct kvm_vm *vm, struct vmr_error *err)
{
    unsigned ordered = kvm_extension(vm->fd.number, KVM_CAP_DIRTY_LOG_RING_ACQ_REL);
    unsigned most = ordered ? ordered : kvm_extension(vm->fd.number, KVM_CAP_DIRTY_LOG_RING);
    uint32_t number = ordered ? KVM_CAP_DIRTY_LOG_RING_ACQ_REL : KVM_CAP_DIRTY_LOG_RING;
    struct kvm_enable_cap cap = {.cap = number, .args = {RING_BYTES < most ? RING_BYTES : most}};
    enum vmr_status status = kvm_ioctl(vm->fd.number, "KVM_CAP_DIRTY_LOG_RING", KVM_ENABLE_CAP, kvm_pointer(&cap), err);

    if (!status)
        vm->ring_bytes = (size_t)cap.args[0];
    return status;
}

enum vmr_status kvm_ring_map(struct kvm_vp *vp, struct vmr_error *err)
{
    if (vp->vm->ring_bytes == 0)
        return VMR_OK;
    int result = kvm_host_map_ring(vp->fd.number, vp->vm->ring_bytes, &vp->ring);

    return result < 0 ? vmr_error_set_host(err, -result, "kvm: mapping the dirty ring of VP %u", vp->index) : VMR_OK;
}

/* One entry becomes a bit. Slots that are gone, or not logged any more, have none. */
static void keep_page(struct kvm_vm *vm, uint32_t number, uint64_t page)
{
    if (number >= vm->slot_count || !vm->slots[number].pages || page >= vm->slots[number].region.size / VMR_PAGE_SIZE)
        return;
    vm->slots[number].pages[page / 64] |= UINT64_C(1) << page % 64;
}

static struct kvm_dirty_gfn *entry_at(const struct kvm_vp *vp, uint32_t number)
{
    return &vp->ring[number % (uint32_t)(vp->vm->ring_bytes / sizeof(*vp->ring))];
}

static bool is_written(struct kvm_dirty_gfn *entry)
{
    return (__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY) != 0;
}

/*
 * KVM stops a VP before its ring is full. Where it emulates guest code it may not look for so long that the ring goes
 * round, and what it held is lost without a word. Then `taken` entries, all there are, were found written in one
 * go, or, KVM being a part of a round ahead, one behind the next.
 */
static bool went_round(const struct kvm_vp *vp, uint32_t taken, uint32_t entries)
{
    if (taken == entries)
        return true;
    for (uint32_t i = 1; i < entries; i++) {
        if (is_written(entry_at(vp, vp->ring_next + i)))
            return !is_written(entry_at(vp, vp->ring_next)); /* not one that has come since */
    }
    return false;
}

/* With slots_lock. */
static void collect(struct kvm_vp *vp)
{
    uint32_t entries = (uint32_t)(vp->vm->ring_bytes / sizeof(*vp->ring)), taken = 0;

    if (!vp->ring)
        return;
    while (taken < entries && is_written(entry_at(vp, vp->ring_next))) {
        struct kvm_dirty_gfn *entry = entry_at(vp, vp->ring_next);

        keep_page(vp->vm, entry->slot & 0xffffu, entry->offset);
        __atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
        vp->ring_next++;
        taken++;
    }
    vp->vm->reset_due |= taken > 0;
    vp->vm->ring_lost |= went_round(vp, taken, entries);
}

/* With slots_lock. 0 or a negative errno; what fails is due still. */
static int reset(struct kvm_vm *vm)
{
    int result = vm->reset_due ? -EINTR : 0;

    if (vm->ring_lost)
        return -EOVERFLOW;
    while (result == -EINTR)
        result = kvm_host_ioctl(vm->fd.number, KVM_RESET_DIRTY_RINGS, 0);
    vm->reset_due = result < 0;
    return result < 0 ? result : 0;
}

void kvm_ring_unmap(struct kvm_vp *vp)
{
    if (!vp->ring)
        return;
    /* What it wrote last is still asked for. */
    sync_mutex_lock(&vp->vm->slots_lock);
    collect(vp);
    sync_mutex_unlock(&vp->vm->slots_lock);
    kvm_host_unmap_ring(vp->ring, vp->vm->ring_bytes);
    vp->ring = NULL;
}

int kvm_ring_drain(struct kvm_vp *vp)
{
    sync_mutex_lock(&vp->vm->slots_lock);
    collect(vp);
    int result = reset(vp->vm);

    sync_mutex_unlock(&vp->vm->slots_lock);
    return result;
}

/* Returns when the VP has been out of the guest since this was called. */
static void make_leave(struct kvm_vp *vp)
{
    uint32_t pass = atomic_load(&vp->passes);

    if (pass % 2 == 0)
        return;
    kvm_vp_nudge(vp); /* a pass begins behind the publication of the kick word: this is not too early */
    while (atomic_load(&vp->passes) == pass)
        (void)sync_relax(vp->vm->host);
}

enum vmr_status kvm_rings_collect(struct kvm_vm *vm, struct vmr_error *err)
{
    for (uint32_t i = 0; i < vm->vp_count; i++) {
        if (vm->vps[i])
            make_leave(vm->vps[i]);
    }
    sync_mutex_lock(&vm->slots_lock);
    for (uint32_t i = 0; i < vm->vp_count; i++) {
        if (vm->vps[i])
            collect(vm->vps[i]);
    }
    int result = reset(vm);

    sync_mutex_unlock(&vm->slots_lock);
    if (result == -EOVERFLOW)
        return vmr_error_set_host(err, EOVERFLOW, "kvm: dirty=ring: a ring went round before KVM stopped its VP");
    return result < 0 ? vmr_error_set_host(err, -result, "kvm: KVM_RESET_DIRTY_RINGS") : VMR_OK;
}
