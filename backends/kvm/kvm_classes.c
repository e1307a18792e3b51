/* SPDX-License-Identifier: MIT */
/*
 * The state of VPs and VMs in KVM, class by class: which classes this kernel
 * has, the small ones, and the reset. Larger ones have files of their own. What
 * no processor holds is refused before KVM is asked, since KVM takes much of it;
 * what this one does not hold, KVM refuses.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"

#define CLASS_BIT(class_) (UINT64_C(1) << (class_))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CPUID_VMX (1u << 5) /* leaf 1, ECX */
#define CPUID_SMX (1u << 6)
#define MSR_FEATURE_CONTROL 0x3au
#define MSR_MCG_CAP 0x179u
#define MSR_MISC_ENABLE 0x1a0u

/* Exits of one instruction, one after another: an access across a page takes two. */
#define FINISH_MAX 16u

/* --- which classes there are --- */

static enum vmr_status listed_classes(int fd, uint64_t *ret_classes, struct vmr_error *err)
{
    struct kvm_msr_list *list;
    enum vmr_status status = kvm_msr_list_get(fd, &list, err);

    if (status)
        return status;
    *ret_classes = kvm_class_msrs_listed(list->indices, list->nmsrs);
    free(list);
    return VMR_OK;
}

/* KVM lists FEATURE_CONTROL on every processor, but it holds nothing without VMX or SMX (SDM vol. 4, table 2-2). */
static enum vmr_status drop_feature_control(int fd, uint64_t *classes, struct vmr_error *err)
{
    struct kvm_cpuid2 *list;
    enum vmr_status status = kvm_cpuid_get(fd, "KVM_GET_SUPPORTED_CPUID", KVM_GET_SUPPORTED_CPUID, &list, err);
    bool found = false;

    if (status)
        return status;
    for (uint32_t i = 0; i < list->nent; i++)
        found = found || (list->entries[i].function == 1 && (list->entries[i].ecx & (CPUID_VMX | CPUID_SMX)) != 0);
    if (!found)
        *classes &= ~CLASS_BIT(VMR_VP_FEATURE_CONTROL);
    free(list);
    return VMR_OK;
}

/*
 * Shadow stacks are not among them: the stack pointer is in no MSR, and no call
 * that this is built with reads it.
 */
enum vmr_status kvm_classes_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *caps,
                                 struct vmr_error *err)
{
    static const struct {
        uint64_t classes;
        unsigned long extension;
    } rows[] = {
        {CLASS_BIT(VMR_VP_XCR0), KVM_CAP_XCRS},
        {CLASS_BIT(VMR_VP_XSAVE), KVM_CAP_XSAVE},
        {CLASS_BIT(VMR_VP_MCG), KVM_CAP_MCE}, /* its capabilities are not listed, as those that are only read */
        {CLASS_BIT(VMR_VP_DEBUG_REGISTERS), KVM_CAP_DEBUGREGS},
        {CLASS_BIT(VMR_VP_ACTIVITY), KVM_CAP_VCPU_EVENTS},
    };
    bool has_apics = handle->irqchip != VMR_IRQCHIP_USER;
    uint64_t classes = 0;
    enum vmr_status status = listed_classes(handle->fd, &classes, err);

    if (!status)
        status = drop_feature_control(handle->fd, &classes, err);
    if (status)
        return status;
    /* MTRRs are in every KVM, and in no list. */
    classes |= CLASS_BIT(VMR_VP_REGISTERS) | CLASS_BIT(VMR_VP_MTRRS);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (kvm_extension(handle->fd, rows[i].extension) > 0)
            classes |= rows[i].classes;
    }
    classes &= ~CLASS_BIT(VMR_VP_TSC_DEADLINE);
    if (has_apics)
        classes |= CLASS_BIT(VMR_VP_APIC);
    if (has_apics && kvm_extension(handle->fd, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
        classes |= CLASS_BIT(VMR_VP_TSC_DEADLINE);
    caps->vp_classes = classes;
    if (kvm_extension(handle->fd, KVM_CAP_ADJUST_CLOCK) > 0)
        caps->vm_classes |= CLASS_BIT(VMR_VM_CLOCK);
    if (handle->irqchip == VMR_IRQCHIP_KERNEL)
        caps->vm_classes |= CLASS_BIT(VMR_VM_PIC) | CLASS_BIT(VMR_VM_IOAPIC);
    return VMR_OK;
}

/*
 * What KVM gives a new VP is almost a processor's at power-up: it knew no CPUID table yet, of which DX holds a word,
 * and on AMD's processors its task register is an older one.
 */
static enum vmr_status begin_at_power_up(struct kvm_vp *vp, struct vmr_error *err)
{
    struct vmr_x86_reset_info info = {.vp = vp->index};
    struct vmr_x86_regs regs, now = {0};
    enum vmr_status status = kvm_vp_get_regs((struct vmr_backend_vp *)(void *)vp, &now);

    for (size_t i = 0; i < vp->vm->cpuid_count; i++) {
        if (vp->vm->cpuid[i].leaf == 1)
            info.cpuid_1_eax = vp->vm->cpuid[i].eax;
    }
    vmr_x86_at_reset(VMR_VP_REGISTERS, &info, &regs);
    regs.apic_base = now.apic_base;
    if (!status)
        status = kvm_vp_set_regs((struct vmr_backend_vp *)(void *)vp, &regs);
    return status ? vmr_error_set(err, status, "kvm: the registers of VP %u cannot be set", vp->index) : VMR_OK;
}

enum vmr_status kvm_classes_first(struct kvm_vp *vp, struct vmr_error *err)
{
    struct vmr_x86_reset_info first = {0};
    enum vmr_status status = kvm_msr_first(vp, MSR_MISC_ENABLE, &first.misc_enable, err);

    if (!status)
        status = kvm_msr_first(vp, MSR_FEATURE_CONTROL, &first.feature_control, err);
    if (!status)
        status = kvm_msr_first(vp, MSR_MCG_CAP, &first.mcg_cap, err);
    if (!status && vp->vm->irqchip != VMR_IRQCHIP_USER)
        status = kvm_apic_first(vp, &first, err);
    if (!status)
        status = begin_at_power_up(vp, err);
    if (!status)
        status = kvm_rest_first(vp, err);
    if (!status)
        vp->first = first;
    return status;
}

enum vmr_status kvm_classes_refusal(int result, const char *name, enum vmr_vp_class vp_class, const char *field,
                                    struct vmr_error *err)
{
    const char *class_name = vmr_vp_class_type(vp_class)->name;

    if (result == -EINVAL)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: %s: %s refuses the value", class_name, field, name);
    return result < 0 ? vmr_error_set_host(err, -result, "%s: %s", class_name, name) : VMR_OK;
}

/* --- registers --- */

/* Reading what the VP does lets an INIT or a start-up IPI that another VP sent take effect: on the registers. */
static enum vmr_status accept_startup(const struct kvm_vp *vp, struct vmr_error *err)
{
    struct kvm_mp_state state = {0};

    if (vp->vm->irqchip == VMR_IRQCHIP_USER)
        return VMR_OK;
    return kvm_ioctl(vp->fd.number, "registers: KVM_GET_MP_STATE", KVM_GET_MP_STATE, kvm_pointer(&state), err);
}

static enum vmr_status registers_get(struct kvm_vp *vp, void *ret_value, struct vmr_error *err)
{
    enum vmr_status status = accept_startup(vp, err);

    if (status)
        return status;
    status = kvm_vp_get_regs((struct vmr_backend_vp *)(void *)vp, ret_value);
    return status ? vmr_error_set(err, status, "registers: KVM does not give them") : VMR_OK;
}

static enum vmr_status registers_set(struct kvm_vp *vp, const void *value, struct vmr_error *err)
{
    enum vmr_status status = kvm_vp_set_regs((struct vmr_backend_vp *)(void *)vp, value);

    if (status == VMR_E_CONFIG)
        return vmr_error_set(err, status, "registers: cr0, cr3, cr4, efer, apic-base: KVM_SET_SREGS refuses them");
    return status ? vmr_error_set(err, status, "registers: KVM_SET_SREGS or KVM_SET_REGS failed") : VMR_OK;
}

/* --- XCR0, of which KVM keeps a list with one entry --- */

static enum vmr_status xcr0_get(struct kvm_vp *vp, void *ret_value, struct vmr_error *err)
{
    struct kvm_xcrs xcrs = {0};
    enum vmr_status status = kvm_ioctl(vp->fd.number, "xcr0: KVM_GET_XCRS", KVM_GET_XCRS, kvm_pointer(&xcrs), err);

    if (status)
        return status;
    if (xcrs.nr_xcrs == 0 || xcrs.xcrs[0].xcr != 0)
        return vmr_error_set(err, VMR_E_HOST, "xcr0: KVM_GET_XCRS does not give it");
    *(struct vmr_x86_word_state *)ret_value = (struct vmr_x86_word_state){.value = xcrs.xcrs[0].value};
    return VMR_OK;
}

static enum vmr_status xcr0_set(struct kvm_vp *vp, const void *value, struct vmr_error *err)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1};

    xcrs.xcrs[0].value = ((const struct vmr_x86_word_state *)value)->value;
    return kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_XCRS, kvm_pointer(&xcrs)), "KVM_SET_XCRS",
                               VMR_VP_XCR0, "value", err);
}

/* --- debug registers --- */

static enum vmr_status debug_registers_get(struct kvm_vp *vp, void *ret_value, struct vmr_error *err)
{
    struct vmr_x86_debug_register_state *ret_state = ret_value;
    struct kvm_debugregs kvm = {0};
    enum vmr_status status =
        kvm_ioctl(vp->fd.number, "debug-registers: KVM_GET_DEBUGREGS", KVM_GET_DEBUGREGS, kvm_pointer(&kvm), err);

    if (status)
        return status;
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++)
        ret_state->address[i] = kvm.db[i];
    ret_state->dr6 = kvm.dr6;
    ret_state->dr7 = kvm.dr7;
    return VMR_OK;
}

static enum vmr_status debug_registers_set(struct kvm_vp *vp, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_debug_register_state *state = value;
    struct kvm_debugregs kvm = {.dr6 = state->dr6, .dr7 = state->dr7};

    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++)
        kvm.db[i] = state->address[i];
    return kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_DEBUGREGS, kvm_pointer(&kvm)), "KVM_SET_DEBUGREGS",
                               VMR_VP_DEBUG_REGISTERS, "dr6, dr7", err);
}

/* --- classes with files of their own --- */

static enum vmr_status xsave_get(struct kvm_vp *vp, void *ret_value, struct vmr_error *err)
{
    return kvm_class_xsave_get(vp, ret_value, err);
}

static enum vmr_status xsave_set(struct kvm_vp *vp, const void *value, struct vmr_error *err)
{
    return kvm_class_xsave_set(vp, value, err);
}

static enum vmr_status apic_get(struct kvm_vp *vp, void *ret_value, struct vmr_error *err)
{
    return kvm_class_apic_get(vp, ret_value, err);
}

static enum vmr_status apic_set(struct kvm_vp *vp, const void *value, struct vmr_error *err)
{
    return kvm_class_apic_set(vp, value, err);
}

static enum vmr_status activity_get(struct kvm_vp *vp, void *ret_value, struct vmr_error *err)
{
    return kvm_class_activity_get(vp, ret_value, err);
}

static enum vmr_status activity_set(struct kvm_vp *vp, const void *value, struct vmr_error *err)
{
    return kvm_class_activity_set(vp, value, err);
}

/* --- all --- */

static const struct {
    enum vmr_status (*get)(struct kvm_vp *vp, void *ret_value, struct vmr_error *err);
    enum vmr_status (*set)(struct kvm_vp *vp, const void *value, struct vmr_error *err);
} classes[VMR_VP_CLASS_COUNT] = {
    [VMR_VP_REGISTERS] = {registers_get, registers_set},
    [VMR_VP_XCR0] = {xcr0_get, xcr0_set},
    [VMR_VP_XSAVE] = {xsave_get, xsave_set},
    [VMR_VP_DEBUG_REGISTERS] = {debug_registers_get, debug_registers_set},
    [VMR_VP_APIC] = {apic_get, apic_set},
    [VMR_VP_ACTIVITY] = {activity_get, activity_set},
};

static enum vmr_status settle(struct kvm_vp *vp, enum vmr_vp_class vp_class, struct vmr_error *err)
{
    enum vmr_status status = kvm_vp_settle(vp);

    return status ? vmr_error_set(err, status, "%s: registers that wait for the next entry: KVM_SET_REGS failed",
                                  vmr_vp_class_type(vp_class)->name)
                  : VMR_OK;
}

static enum vmr_status vp_get_state(struct vmr_backend_vp *backend_vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                    void *ret_value, struct vmr_error *err)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    enum vmr_status status = settle(vp, vp_class, err);

    (void)vtl; /* KVM has no VTLs */
    if (status)
        return status;
    return kvm_class_is_msrs(vp_class) ? kvm_class_msrs_get(vp, vp_class, ret_value, err)
                                       : classes[vp_class].get(vp, ret_value, err);
}

static enum vmr_status vp_set_state(struct vmr_backend_vp *backend_vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                    const void *value, struct vmr_error *err)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    enum vmr_status status = vmr_x86_check(vp_class, value, err);

    (void)vtl;
    if (!status)
        status = settle(vp, vp_class, err);
    if (status)
        return status;
    return kvm_class_is_msrs(vp_class) ? kvm_class_msrs_set(vp, vp_class, value, err)
                                       : classes[vp_class].set(vp, value, err);
}

/* KVM's TSC runs on while the VP stands. */
static bool vp_state_moves(const struct vmr_backend_vp *vp, enum vmr_vp_class vp_class)
{
    (void)vp;
    return vp_class == VMR_VP_TSC;
}

static void vp_reset_info(const struct vmr_backend_vp *backend_vp, struct vmr_x86_reset_info *info)
{
    const struct kvm_vp *vp = (const struct kvm_vp *)(const void *)backend_vp;

    info->misc_enable = vp->first.misc_enable;
    info->feature_control = vp->first.feature_control;
    info->mcg_cap = vp->first.mcg_cap;
    info->apic_version = vp->first.apic_version;
    info->apic_lint0 = vp->first.apic_lint0;
}

/* --- reset --- */

/*
 * The instruction of an exit that nobody answered is still KVM's to finish, and
 * would be at the next entry, into the registers of the next life. It is
 * finished now, with what is in the run page.
 */
static enum vmr_status finish_instruction(struct kvm_vp *vp, struct vmr_error *err)
{
    int result = 0;

    for (unsigned i = 0; i < FINISH_MAX && result == 0; i++) {
        kvm_kick_force(vp->run);
        result = kvm_host_ioctl(vp->fd.number, KVM_RUN, 0);
    }
    if (result == -EINTR || result == -EAGAIN)
        return VMR_OK;
    return vmr_error_set_host(err, result < 0 ? -result : EBUSY, "kvm: the last instruction of VP %u does not end",
                              vp->index);
}

static enum vmr_status vp_reset(struct vmr_backend_vp *backend_vp, struct vmr_error *err)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    struct kvm_run *run = vp->run;

    run->kvm_dirty_regs = 0;
    run->kvm_valid_regs = 0;
    enum vmr_status status = finish_instruction(vp, err);

    if (!status)
        status = kvm_rest_reset(vp, err);
    if (status)
        return status;
    vp->registers_came = false;
    vp->apic_initial_count = 0;
    kvm_kick_forget(&vp->kick);
    kvm_kick_clear(run);
    run->exit_reason = KVM_EXIT_UNKNOWN;
    run->request_interrupt_window = 0;
    run->ready_for_interrupt_injection = 0;
    run->cr8 = 0;
    return VMR_OK;
}

/* Pulses that come after this are for VPs that were reset. [RST-1] */
static enum vmr_status vm_reset(struct vmr_backend_vm *backend_vm, struct vmr_error *err)
{
    const struct kvm_vm *vm = kvm_vm_of(backend_vm);

    (void)err;
    for (uint32_t i = 0; i < vm->vp_count; i++) {
        if (vm->vps[i])
            atomic_store(&vm->vps[i]->lints_pending, 0);
    }
    return VMR_OK;
}

const struct vmr_backend_state kvm_state = {
    .vp_get_state = vp_get_state,
    .vp_set_state = vp_set_state,
    .vp_state_moves = vp_state_moves,
    .vp_reset_info = vp_reset_info,
    .vp_reset = vp_reset,
    .vm_get_state = kvm_vm_get_state,
    .vm_set_state = kvm_vm_set_state,
    .vm_reset = vm_reset,
};
