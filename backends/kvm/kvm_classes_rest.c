/* SPDX-License-Identifier: MIT */
/*
 * The MSRs that KVM lists and that belong to no class: performance counters,
 * which are another processor's elsewhere, KVM's own, which count its host's
 * time, and the machine check banks, which it does not list and which tell of
 * errors of the machine that was. No snapshot takes them along. But a guest's
 * writes of them must not outlive a reset, so a new VP's values are kept and
 * what differs from them is put back. Those of the Hyper-V interface are reset
 * through it.
 */

#include <stdlib.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"
#include "vmrig/hv_identity.h"

#define BANK_FIRST 0x400u
#define BANK_MSR_COUNT 128u /* four each of 32 banks: control, status, address, more */

static struct kvm_msrs *list_create(size_t capacity)
{
    return calloc(1, sizeof(struct kvm_msrs) + capacity * sizeof(struct kvm_msr_entry));
}

static bool is_rest(uint32_t index)
{
    bool is_hv = index >= HV_MSR_FIRST && index - HV_MSR_FIRST < HV_MSR_COUNT;

    return !is_hv && !kvm_msr_has_class(index);
}

enum vmr_status kvm_rest_create(struct kvm_vm *vm, struct vmr_error *err)
{
    struct kvm_msr_list *list;
    enum vmr_status status = kvm_msr_list_get(vm->device, &list, err);

    if (status)
        return status;
    vm->rest = calloc(list->nmsrs + BANK_MSR_COUNT, sizeof(vm->rest[0]));
    for (uint32_t i = 0; i < list->nmsrs && vm->rest; i++) {
        if (is_rest(list->indices[i]))
            vm->rest[vm->rest_count++] = list->indices[i];
    }
    for (uint32_t i = 0; i < BANK_MSR_COUNT && vm->rest; i++)
        vm->rest[vm->rest_count++] = BANK_FIRST + i;
    free(list);
    return vm->rest ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the list of MSRs");
}

/* Those that this VP has: KVM stops at one that it does not give, which is left out. */
static enum vmr_status read_rest(const struct kvm_vp *vp, struct kvm_msrs *list, struct vmr_error *err)
{
    uint32_t done = 0, left = list->nmsrs;
    struct kvm_msrs *part = list_create(left);

    if (!part)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the MSRs of VP %u", vp->index);
    enum vmr_status status = VMR_OK;

    while (left > 0 && !status) {
        part->nmsrs = left;
        memcpy(part->entries, list->entries + done, left * sizeof(part->entries[0]));
        int count = kvm_host_ioctl(vp->fd.number, KVM_GET_MSRS, kvm_pointer(part));

        if (count < 0) {
            status = vmr_error_set_host(err, -count, "kvm: KVM_GET_MSRS of VP %u", vp->index);
            break;
        }
        memcpy(list->entries + done, part->entries, (size_t)count * sizeof(part->entries[0]));
        done += (uint32_t)count;
        left -= (uint32_t)count;
        if (left > 0) {
            left--;
            memmove(list->entries + done, list->entries + done + 1, left * sizeof(list->entries[0]));
        }
    }
    list->nmsrs = done;
    free(part);
    return status;
}

enum vmr_status kvm_rest_first(struct kvm_vp *vp, struct vmr_error *err)
{
    const struct kvm_vm *vm = vp->vm;
    struct kvm_msrs *list = list_create(vm->rest_count);

    vp->rest = list;
    if (!list)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the MSRs of VP %u", vp->index);
    list->nmsrs = (uint32_t)vm->rest_count;
    for (size_t i = 0; i < vm->rest_count; i++)
        list->entries[i].index = vm->rest[i];
    return read_rest(vp, list, err);
}

enum vmr_status kvm_rest_reset(const struct kvm_vp *vp, struct vmr_error *err)
{
    uint32_t count = vp->rest->nmsrs, changed = 0;
    struct kvm_msrs *now = list_create(count);

    if (!now)
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the MSRs of VP %u", vp->index);
    now->nmsrs = count;
    memcpy(now->entries, vp->rest->entries, count * sizeof(now->entries[0]));
    enum vmr_status status = read_rest(vp, now, err);

    for (uint32_t i = 0; i < now->nmsrs && now->nmsrs == count; i++) {
        if (now->entries[i].data != vp->rest->entries[i].data)
            now->entries[changed++] = vp->rest->entries[i];
    }
    if (!status && now->nmsrs != count)
        status = vmr_error_set(err, VMR_E_HOST, "kvm: VP %u has fewer MSRs than it had", vp->index);
    now->nmsrs = changed;
    int result = status || changed == 0 ? (int)changed : kvm_host_ioctl(vp->fd.number, KVM_SET_MSRS, kvm_pointer(now));

    if (result < 0)
        status = vmr_error_set_host(err, -result, "kvm: KVM_SET_MSRS of VP %u", vp->index);
    else if ((uint32_t)result < changed)
        status = vmr_error_set(err, VMR_E_HOST, "kvm: MSR %#x of VP %u cannot be put back", now->entries[result].index,
                               vp->index);
    free(now);
    return status;
}
