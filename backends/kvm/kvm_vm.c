/* SPDX-License-Identifier: MIT */
/*
 * A KVM virtual machine: its making, step by step. A step that fails leaves what
 * is there to kvm_vm_destroy, which the core calls.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"

/*
 * Four pages that Intel processors without "unrestricted guest" need for real
 * mode: below the 16 MiB that firmware may take at the top of 4 GiB, above the
 * local APIC page. Other processors ignore the numbers.
 */
#define IDENTITY_MAP_GPA UINT64_C(0xfeffc000)
#define TSS_GPA 0xfeffd000u

/* Signals that happen to be pending make KVM_CREATE_VM give EINTR; a storm of them must end some time. */
#define CREATE_ATTEMPT_MAX 64u

/* 8-bit APIC ids end at 254; above, MSIs carry 32-bit ids. */
#define APIC_ID_XAPIC_MAX 254u

static enum vmr_status step_create(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    int fd = -EINTR;

    (void)config;
    for (unsigned i = 0; i < CREATE_ATTEMPT_MAX && fd == -EINTR; i++)
        fd = kvm_host_ioctl(vm->device, KVM_CREATE_VM, 0);
    if (fd < 0)
        return vmr_error_set_host(err, -fd, "kvm: KVM_CREATE_VM");
    vm->fd = (struct kvm_fd){.number = fd, .open = true};
    return VMR_OK;
}

static enum vmr_status step_run_size(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    int size = kvm_host_ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);

    (void)config;
    if (size < 0)
        return vmr_error_set_host(err, -size, "kvm: KVM_GET_VCPU_MMAP_SIZE");
    if ((size_t)size < sizeof(struct kvm_run))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "kvm: KVM_GET_VCPU_MMAP_SIZE says %d, a run page takes %zu", size,
                             sizeof(struct kvm_run));
    vm->run_size = (size_t)size;
    return VMR_OK;
}

static enum vmr_status step_real_mode(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    uint64_t identity_map = IDENTITY_MAP_GPA;
    enum vmr_status status = VMR_OK;

    (void)config;
    if (kvm_extension(vm->fd.number, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0)
        status = kvm_ioctl(vm->fd.number, "KVM_SET_IDENTITY_MAP_ADDR", KVM_SET_IDENTITY_MAP_ADDR,
                           kvm_pointer(&identity_map), err);
    if (!status && kvm_extension(vm->fd.number, KVM_CAP_SET_TSS_ADDR) > 0)
        status = kvm_ioctl(vm->fd.number, "KVM_SET_TSS_ADDR", KVM_SET_TSS_ADDR, TSS_GPA, err);
    return status;
}

static enum vmr_status enable(struct kvm_vm *vm, uint32_t number, const char *name, uint64_t argument,
                              struct vmr_error *err)
{
    struct kvm_enable_cap cap = {.cap = number, .args = {argument}};

    return kvm_ioctl(vm->fd.number, name, KVM_ENABLE_CAP, kvm_pointer(&cap), err);
}

/*
 * KVM rewrites a hypercall instruction of the other vendor in guest memory, and
 * where guest code is emulated it tries that for ever. Without the quirk such
 * an instruction is #UD, as on hardware.
 */
static enum vmr_status step_quirks(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    unsigned quirks = kvm_extension(vm->fd.number, KVM_CAP_DISABLE_QUIRKS2);

    (void)config;
    if ((quirks & KVM_X86_QUIRK_FIX_HYPERCALL_INSN) == 0)
        return VMR_OK;
    return enable(vm, KVM_CAP_DISABLE_QUIRKS2, "KVM_CAP_DISABLE_QUIRKS2", KVM_X86_QUIRK_FIX_HYPERCALL_INSN, err);
}

/* Either way before the first VP and the first slot. What open has not promised is not asked for. */
static enum vmr_status step_dirty(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    (void)config;
    if (vm->dirty == KVM_DIRTY_RING)
        return kvm_rings_enable(vm, err);
    if ((kvm_extension(vm->fd.number, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE) == 0)
        return VMR_OK;
    return enable(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
                  KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE, err);
}

/* What KVM tells of VPs only when it is asked before there are any. */
static enum vmr_status step_state(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    (void)config;
    vm->smm = kvm_extension(vm->fd.number, KVM_CAP_X86_SMM) > 0;
    vm->xsave2 = kvm_extension(vm->fd.number, KVM_CAP_XSAVE2) > 0;
    vm->payloads = kvm_extension(vm->fd.number, KVM_CAP_EXCEPTION_PAYLOAD) > 0;
    enum vmr_status status = kvm_rest_create(vm, err);

    if (status || !vm->payloads)
        return status;
    return enable(vm, KVM_CAP_EXCEPTION_PAYLOAD, "KVM_CAP_EXCEPTION_PAYLOAD", 1, err);
}

static enum vmr_status step_irqchip(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    (void)config;
    enum vmr_status status = VMR_OK;

    vm->wide_ids = vm->irqchip != VMR_IRQCHIP_USER && vm->vp_count > APIC_ID_XAPIC_MAX + 1;
    if (vm->wide_ids)
        status = enable(vm, KVM_CAP_X2APIC_API, "KVM_CAP_X2APIC_API",
                        KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK, err);
    return status ? status : kvm_irq_create(vm, err);
}

static enum vmr_status step_copies(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    vm->vps = calloc(config->vp_count, sizeof(struct kvm_vp *));
    vm->cpuid = calloc(config->cpuid_count ? config->cpuid_count : 1, sizeof(*vm->cpuid));
    if (!vm->vps || !vm->cpuid || sync_mutex_init(&vm->slots_lock, vm->host))
        return vmr_error_set(err, VMR_E_NOMEM, "kvm: no memory for a partition of %u VPs", config->vp_count);
    if (config->cpuid_count > 0)
        memcpy(vm->cpuid, config->cpuid, config->cpuid_count * sizeof(*vm->cpuid));
    vm->cpuid_count = config->cpuid_count;
    return VMR_OK;
}

static enum vmr_status step_kick(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    int result = kvm_host_catch(vm->signal);

    (void)config;
    if (result == -EBUSY)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "kvm: signal %d has a handler already; choose another with signal=", vm->signal);
    return result < 0 ? vmr_error_set_host(err, -result, "kvm: handling signal %d", vm->signal) : VMR_OK;
}

enum vmr_status kvm_vm_create(struct vmr_backend_vm *backend_vm, const struct vmr_hypervisor_handle *handle,
                              const struct vmr_vm_config *config, struct vmr_error *err)
{
    static enum vmr_status (*const steps[])(struct kvm_vm *, const struct vmr_vm_config *, struct vmr_error *) = {
        step_copies, step_kick,  step_create, step_run_size, step_real_mode,
        step_quirks, step_dirty, step_state,  step_irqchip,  kvm_msr_filter_set,
    };
    struct kvm_vm *vm = kvm_vm_of(backend_vm);
    const struct kvm_params *params = handle->context;
    enum vmr_status status = VMR_OK;

    vm->host = config->host;
    vm->device = handle->fd;
    vm->signal = params && params->signal ? (int)params->signal : kvm_host_default_signal();
    vm->dirty = params ? params->dirty : KVM_DIRTY_BITMAP;
    vm->irqchip = config->irqchip;
    vm->hv_offload = config->hv_offload;
    vm->vp_count = config->vp_count;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !status; i++)
        status = steps[i](vm, config, err);
    return status;
}

void kvm_vm_destroy(struct vmr_backend_vm *backend_vm)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);

    if (!vm)
        return;
    kvm_irq_destroy(vm);
    if (vm->fd.open)
        kvm_host_close(vm->fd.number);
    kvm_slots_finish(vm);
    free(vm->cpuid);
    free(vm->vps);
    free(vm->rest);
    *vm = (struct kvm_vm){0};
}

void kvm_vm_set_seam_hook(struct vmr_backend_vm *backend_vm,
                          void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context)
{
    kvm_vm_of(backend_vm)->seam = (struct kvm_seam){.hook = hook, .context = context};
}

void *kvm_vm_native(struct vmr_backend_vm *backend_vm)
{
    return &kvm_vm_of(backend_vm)->fd.number;
}
