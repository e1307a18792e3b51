/* SPDX-License-Identifier: MIT */
/*
 * The table of the KVM backend, and what is asked before there is a VM: open
 * and capabilities. A capability is claimed when this kernel has it and the
 * handle's place for the interrupt controllers allows it.
 *
 * Never claimed: hypercall exits (KVM answers VMCALL itself, or raises #UD, but
 * for what its Hyper-V interface passes on), CPUID exits, and system events, which x86 guests have no instruction for.
 */

#include "backends/kvm/kvm.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "backends/kvm/kvm_params.h"
#include "backends/kvm/kvm_private.h"

#define API_VERSION 12 /* the only one since 2007 */

enum vmr_status kvm_ioctl(int fd, const char *name, unsigned long request, uintptr_t argument, struct vmr_error *err)
{
    int result = kvm_host_ioctl(fd, request, argument);

    return result < 0 ? vmr_error_set_host(err, -result, "kvm: %s", name) : VMR_OK;
}

unsigned kvm_extension(int fd, unsigned long extension)
{
    int result = kvm_host_ioctl(fd, KVM_CHECK_EXTENSION, extension);

    return result > 0 ? (unsigned)result : 0;
}

static enum vmr_status device_open(int *ret_fd, struct vmr_error *err)
{
    int fd = kvm_host_open();

    if (fd >= 0) {
        *ret_fd = fd;
        return VMR_OK;
    }
    if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO) {
        (void)vmr_error_set_host(err, -fd, "kvm: no /dev/kvm");
        if (err)
            err->status = VMR_E_UNAVAILABLE;
        return VMR_E_UNAVAILABLE;
    }
    return vmr_error_set_host(err, -fd, "cannot open /dev/kvm");
}

/* Without these there is nothing to build on; all are in any kernel since 4.12. */
static enum vmr_status device_check(int fd, bool callers, struct vmr_error *err)
{
    static const struct {
        unsigned long number;
        const char *name;
    } required[] = {{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
                    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
                    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"}};
    int version = kvm_host_ioctl(fd, KVM_GET_API_VERSION, 0);

    if (version != API_VERSION && callers)
        return vmr_error_set(err, VMR_E_CONFIG, "descriptor %d is not an open /dev/kvm", fd);
    if (version < 0)
        return vmr_error_set_host(err, -version, "kvm: KVM_GET_API_VERSION");
    if (version != API_VERSION)
        return vmr_error_set(err, VMR_E_UNAVAILABLE, "kvm: /dev/kvm speaks version %d, not %d", version, API_VERSION);
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (kvm_extension(fd, required[i].number) == 0)
            return vmr_error_set(err, VMR_E_UNAVAILABLE, "kvm: this kernel lacks %s", required[i].name);
    }
    return VMR_OK;
}

static bool has_rings(int fd)
{
    return kvm_extension(fd, KVM_CAP_DIRTY_LOG_RING_ACQ_REL) > 0 || kvm_extension(fd, KVM_CAP_DIRTY_LOG_RING) > 0;
}

static enum vmr_status kvm_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                struct vmr_error *err)
{
    struct kvm_params parsed;
    bool callers = fd >= 0;
    enum vmr_status status = kvm_params_parse(params, &parsed, err);

    if (!status && !callers)
        status = device_open(&fd, err);
    if (status)
        return status;
    status = device_check(fd, callers, err);
    if (!status && parsed.dirty == KVM_DIRTY_RING && !has_rings(fd))
        status = vmr_error_set(err, VMR_E_UNSUPPORTED, "kvm: dirty=ring: this kernel lacks KVM_CAP_DIRTY_LOG_RING");
    struct kvm_params *kept = status ? NULL : malloc(sizeof(*kept));

    if (!status && !kept)
        status = vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for the handle");
    if (status) {
        if (!callers)
            kvm_host_close(fd);
        return status;
    }
    *kept = parsed;
    *ret_handle = (struct vmr_hypervisor_handle){
        .backend = vmr_kvm_backend(),
        .fd = fd,
        .owns_fd = !callers,
        .irqchip = parsed.irqchip,
        .own_hyperv = parsed.own_hyperv,
        .context = kept,
        .context_destroy = free,
    };
    return VMR_OK;
}

/* With which places of the interrupt controllers a capability comes. */
enum place {
    ANY_PLACE,
    IN_HYPERVISOR, /* local APICs are KVM's */
    IN_LIBRARY     /* all are ours */
};

struct cap_row {
    enum vmr_cap cap;
    enum place place;
    unsigned long extension; /* what KVM must have; ALWAYS: nothing */
};

#define ALWAYS ULONG_MAX

static const struct cap_row cap_rows[] = {
    {VMR_CAP_MACHINE_CODE, ANY_PLACE, ALWAYS},
    {VMR_CAP_IRQCHIP_SPLIT, ANY_PLACE, KVM_CAP_SPLIT_IRQCHIP},
    {VMR_CAP_IRQCHIP_KERNEL, ANY_PLACE, KVM_CAP_IRQCHIP},
    {VMR_CAP_MSI, IN_HYPERVISOR, KVM_CAP_SIGNAL_MSI},
    {VMR_CAP_IRQFD, IN_HYPERVISOR, KVM_CAP_IRQFD},
    {VMR_CAP_DOORBELL, ANY_PLACE, KVM_CAP_IOEVENTFD},
    {VMR_CAP_READ_ONLY, ANY_PLACE, KVM_CAP_READONLY_MEM},
    {VMR_CAP_MSR_EXIT, ANY_PLACE, KVM_CAP_X86_MSR_FILTER},
    {VMR_CAP_MSR_FAULT, ANY_PLACE, KVM_CAP_X86_USER_SPACE_MSR},
    {VMR_CAP_SINGLE_STEP, ANY_PLACE, KVM_CAP_SET_GUEST_DEBUG},
    {VMR_CAP_HW_BREAKPOINT, ANY_PLACE, KVM_CAP_SET_GUEST_DEBUG},
    {VMR_CAP_REBIND, ANY_PLACE, ALWAYS},
    {VMR_CAP_STICKY_KICK, ANY_PLACE, ALWAYS},
    {VMR_CAP_MULTI_VM, ANY_PLACE, ALWAYS},
    {VMR_CAP_VP_THREADS, ANY_PLACE, ALWAYS},
    {VMR_CAP_REAL_MODE, ANY_PLACE, ALWAYS},
    {VMR_CAP_STRING_IO, ANY_PLACE, ALWAYS},
    {VMR_CAP_EXCEPTION, ANY_PLACE, KVM_CAP_VCPU_EVENTS},
    {VMR_CAP_XMM, ANY_PLACE, ALWAYS},
    {VMR_CAP_FLUSH, ANY_PLACE, ALWAYS},
    {VMR_CAP_RECORDABLE, IN_LIBRARY, ALWAYS},
};

static bool cap_holds(const struct vmr_hypervisor_handle *handle, const struct cap_row *row)
{
    bool user = handle->irqchip == VMR_IRQCHIP_USER;

    if ((row->place == IN_HYPERVISOR && user) || (row->place == IN_LIBRARY && !user))
        return false;
    return row->extension == ALWAYS || kvm_extension(handle->fd, row->extension) > 0;
}

/* A bitmap that is cleared when it is read would have to be read whole for each part of it: 5.1 has a better one. */
static bool keeps_dirty_log(const struct vmr_hypervisor_handle *handle)
{
    const struct kvm_params *params = handle->context;
    unsigned manual = kvm_extension(handle->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);

    return params->dirty == KVM_DIRTY_RING || (manual & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE) != 0;
}

static enum vmr_status kvm_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                struct vmr_error *err)
{
    struct vmr_caps caps = {.vp_count_max = kvm_extension(handle->fd, KVM_CAP_MAX_VCPUS)};
    enum vmr_status status = kvm_cpuid_physical_bits(handle, &caps.physical_bits, err);

    if (status)
        return status;
    for (size_t i = 0; i < sizeof(cap_rows) / sizeof(cap_rows[0]); i++) {
        if (cap_holds(handle, &cap_rows[i]))
            caps.bits |= UINT64_C(1) << (unsigned)cap_rows[i].cap;
    }
    if (keeps_dirty_log(handle))
        caps.bits |= UINT64_C(1) << VMR_CAP_DIRTY_LOG;
    if (kvm_hv_offloads(handle))
        caps.bits |= UINT64_C(1) << VMR_CAP_HV_OFFLOAD;
    /* Kernels that do not say allow four (kernel documentation, 4.7). */
    if (caps.vp_count_max == 0)
        caps.vp_count_max = 4;
    if (caps.vp_count_max > VMR_VP_COUNT_MAX)
        caps.vp_count_max = VMR_VP_COUNT_MAX;
    status = kvm_classes_caps(handle, &caps, err);
    if (!status)
        *ret_caps = caps;
    return status;
}

/* Hyper-V's interfaces, as far as they are in this kernel; 0: not. */
static const struct {
    const char *name;
    unsigned long extension;
} facts[] = {
    {"KVM_CAP_HYPERV", KVM_CAP_HYPERV},
    {"KVM_CAP_HYPERV_SYNIC", KVM_CAP_HYPERV_SYNIC},
    {"KVM_CAP_HYPERV_SYNIC2", KVM_CAP_HYPERV_SYNIC2},
    {"KVM_CAP_HYPERV_TIME", KVM_CAP_HYPERV_TIME},
    {"KVM_CAP_HYPERV_VP_INDEX", KVM_CAP_HYPERV_VP_INDEX},
    {"KVM_CAP_HYPERV_EVENTFD", KVM_CAP_HYPERV_EVENTFD},
    {"KVM_CAP_HYPERV_SEND_IPI", KVM_CAP_HYPERV_SEND_IPI},
    {"KVM_CAP_HYPERV_TLBFLUSH", KVM_CAP_HYPERV_TLBFLUSH},
    {"KVM_CAP_HYPERV_CPUID", KVM_CAP_HYPERV_CPUID},
    {"KVM_CAP_SYS_HYPERV_CPUID", KVM_CAP_SYS_HYPERV_CPUID},
    {"KVM_CAP_HYPERV_ENFORCE_CPUID", KVM_CAP_HYPERV_ENFORCE_CPUID},
};

static const char *kvm_fact(const struct vmr_hypervisor_handle *handle, size_t index, uint64_t *ret_value)
{
    if (index >= sizeof(facts) / sizeof(facts[0]))
        return NULL;
    *ret_value = kvm_extension(handle->fd, facts[index].extension);
    return facts[index].name;
}

/* Only a VM or a VP knows, so one is made for the question; all of a machine's have the same unless told otherwise. */
static uint64_t kvm_tsc_hz(const struct vmr_hypervisor_handle *handle)
{
    int vm = kvm_host_ioctl(handle->fd, KVM_CREATE_VM, 0);

    if (vm < 0)
        return 0;
    int vcpu = kvm_host_ioctl(vm, KVM_CREATE_VCPU, 0), khz = 0;

    if (vcpu >= 0) {
        khz = kvm_host_ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
        kvm_host_close(vcpu);
    }
    kvm_host_close(vm);
    return khz > 0 ? (uint64_t)khz * 1000 : 0;
}

static const struct vmr_backend backend = {
    .abi = VMR_BACKEND_ABI,
    .name = KVM_NAME,
    .description = KVM_DESCRIPTION,
    .keys = kvm_param_keys,
    .vm_size = sizeof(struct kvm_vm),
    .vp_size = sizeof(struct kvm_vp),
    .open = kvm_open,
    .caps = kvm_caps,
    .cpuid = kvm_cpuid,
    .tsc_hz = kvm_tsc_hz,
    .vm_create = kvm_vm_create,
    .vm_destroy = kvm_vm_destroy,
    .vp_create = kvm_vp_create,
    .vp_destroy = kvm_vp_destroy,
    .vm_map = kvm_vm_map,
    .vm_unmap = kvm_vm_unmap,
    .vm_dirty_log = kvm_vm_dirty_log,
    .vm_dirty_take = kvm_vm_dirty_take,
    .vp_bind = kvm_vp_bind,
    .vp_unbind = kvm_vp_unbind,
    .vp_enter = kvm_vp_enter,
    .vp_leave = kvm_vp_leave,
    .vp_run = kvm_vp_run,
    .vp_complete = kvm_vp_complete,
    .vp_kick = kvm_vp_kick,
    .vp_get_regs = kvm_vp_get_regs,
    .vp_set_regs = kvm_vp_set_regs,
    .vp_get_xmm = kvm_vp_get_xmm,
    .vp_set_xmm = kvm_vp_set_xmm,
    .vp_flush = kvm_vp_flush,
    .vp_exception = kvm_vp_exception,
    .vp_get_msr = kvm_vp_get_msr,
    .vp_set_msr = kvm_vp_set_msr,
    .vp_get_activity = kvm_vp_get_activity,
    .vp_set_activity = kvm_vp_set_activity,
    .vp_set_debug = kvm_vp_set_debug,
    .vp_interrupt = kvm_vp_interrupt,
    .vp_nmi = kvm_vp_nmi,
    .vp_request_window = kvm_vp_request_window,
    .vp_set_tpr = kvm_vp_set_tpr,
    .vm_irq = kvm_vm_irq,
    .vm_lint = kvm_vm_lint,
    .vm_msi = kvm_vm_msi,
    .vm_set_route = kvm_vm_set_route,
    .vm_irqfd = kvm_vm_irqfd,
    .vm_doorbell = kvm_vm_doorbell,
    .hv = &kvm_hv,
    .state = &kvm_state,
    .vm_set_seam_hook = kvm_vm_set_seam_hook,
    .vm_native = kvm_vm_native,
    .fact = kvm_fact,
};

const struct vmr_backend *vmr_kvm_backend(void)
{
    return &backend;
}
