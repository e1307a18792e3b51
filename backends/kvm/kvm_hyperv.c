/* SPDX-License-Identifier: MIT */
/*
 * KVM's own Hyper-V interface, for vmrig/backend_hv.h. What is told to it goes
 * through kvm_state.c, as MSRs written from outside, which neither the filter nor
 * the guest's privileges concern.
 *
 * Its SynIC is switched on without a look at its registers by the guest: KVM takes
 * any value, says so afterwards (KVM_EXIT_HYPERV_SYNIC), and leaves no way to
 * refuse it. So the filter keeps all but the clock and the timers' counts from it.
 */

#include <errno.h>
#include <stdlib.h>

#include "backends/kvm/kvm_private.h"
#include "vmrig/hv_identity.h"
#include "vmrig/hv_synic.h"

#define UNIT_NS 100u

bool kvm_hv_offloads(const struct vmr_hypervisor_handle *handle)
{
    static const unsigned long required[] = {
        KVM_CAP_HYPERV_SYNIC2,        /* hypercalls that KVM does not know reach us; pages are left alone */
        KVM_CAP_HYPERV_TIME,          /* counter and reference TSC page */
        KVM_CAP_HYPERV_VP_INDEX,      /* the index is that of creation */
        KVM_CAP_HYPERV_EVENTFD,       /* signals */
        KVM_CAP_SYS_HYPERV_CPUID,     /* what it offers */
        KVM_CAP_HYPERV_ENFORCE_CPUID, /* and that it serves no more than the guest is offered */
        KVM_CAP_X86_MSR_FILTER,       KVM_CAP_X86_USER_SPACE_MSR, KVM_CAP_ADJUST_CLOCK, KVM_CAP_SIGNAL_MSI,
    };

    /* The SynIC of KVM raises its interrupts in KVM's local APICs. */
    if (!handle->own_hyperv || handle->irqchip == VMR_IRQCHIP_USER)
        return false;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (kvm_extension(handle->fd, required[i]) == 0)
            return false;
    }
    return true;
}

static enum vmr_status hv_own(const struct vmr_hypervisor_handle *handle, struct vmr_hv_own *ret_own,
                              struct vmr_error *err)
{
    struct kvm_cpuid2 *list;
    enum vmr_status status =
        kvm_cpuid_get(handle->fd, "KVM_GET_SUPPORTED_HV_CPUID", KVM_GET_SUPPORTED_HV_CPUID, &list, err);
    /* Flag 0 of a longer id KVM calls invalid input before anybody is asked. */
    struct vmr_hv_own own = {.signal_id_max = KVM_HYPERV_CONN_ID_MASK};

    if (status)
        return status;
    for (uint32_t i = 0; i < list->nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &list->entries[i];

        if (entry->function == HV_CPUID_FEATURES) {
            own.privileges = entry->eax | (uint64_t)entry->ebx << 32;
            own.features = entry->edx;
        } else if (entry->function == HV_CPUID_RECOMMENDATIONS) {
            own.recommendations = entry->eax;
        }
    }
    free(list);
    *ret_own = own;
    return VMR_OK;
}

enum vmr_status kvm_hv_enable(const struct kvm_vp *vp, struct vmr_error *err)
{
    struct kvm_enable_cap enforce = {.cap = KVM_CAP_HYPERV_ENFORCE_CPUID, .args = {1}};
    struct kvm_enable_cap synic = {.cap = KVM_CAP_HYPERV_SYNIC2};
    enum vmr_status status =
        kvm_ioctl(vp->fd.number, "KVM_CAP_HYPERV_ENFORCE_CPUID", KVM_ENABLE_CAP, kvm_pointer(&enforce), err);

    return status ? status
                  : kvm_ioctl(vp->fd.number, "KVM_CAP_HYPERV_SYNIC2", KVM_ENABLE_CAP, kvm_pointer(&synic), err);
}

bool kvm_hv_keeps_msr(uint32_t index)
{
    bool is_timer = index >= HV_MSR_STIMER0_CONFIG && index - HV_MSR_STIMER0_CONFIG < 2 * HV_STIMER_COUNT;

    return index == HV_MSR_TIME_REF_COUNT || (is_timer && (index - HV_MSR_STIMER0_CONFIG) % 2 != 0);
}

static enum vmr_status status_of(int result)
{
    return result < 0 ? VMR_E_HOST : VMR_OK;
}

/* The counter is KVM's clock in other units. */
static enum vmr_status hv_get_time(struct vmr_backend_vm *vm, uint64_t *ret_count)
{
    struct kvm_clock_data clock = {0};
    enum vmr_status status = status_of(kvm_host_ioctl(kvm_vm_of(vm)->fd.number, KVM_GET_CLOCK, kvm_pointer(&clock)));

    if (!status)
        *ret_count = clock.clock / UNIT_NS;
    return status;
}

static enum vmr_status hv_set_time(struct vmr_backend_vm *vm, uint64_t count)
{
    struct kvm_clock_data clock = {.clock = count * UNIT_NS};

    if (count > UINT64_MAX / UNIT_NS)
        return VMR_E_UNSUPPORTED;
    return status_of(kvm_host_ioctl(kvm_vm_of(vm)->fd.number, KVM_SET_CLOCK, kvm_pointer(&clock)));
}

static enum vmr_status hv_event(struct vmr_backend_vm *vm, uint32_t connection_id, int fd, bool add)
{
    struct kvm_hyperv_eventfd event = {
        .conn_id = connection_id, .fd = fd, .flags = add ? 0 : KVM_HYPERV_EVENTFD_DEASSIGN};

    if (connection_id > KVM_HYPERV_CONN_ID_MASK)
        return VMR_E_UNSUPPORTED;
    int result = kvm_host_ioctl(kvm_vm_of(vm)->fd.number, KVM_HYPERV_EVENTFD, kvm_pointer(&event));

    if (result == -EEXIST)
        return VMR_E_CONFIG;
    return result == -EBADF || result == -EINVAL ? VMR_E_USAGE : status_of(result);
}

const struct vmr_backend_hv kvm_hv = {
    .own = hv_own, .get_time = hv_get_time, .set_time = hv_set_time, .event = hv_event};
