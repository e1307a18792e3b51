/* SPDX-License-Identifier: MIT */
/*
 * The classes of a VP and of a partition: names and fields. A class is added
 * here and in the enumeration of vmrig/x86_state.h, whose order is the order of
 * saving and restoring.
 */

#include "vmrig/x86_state.h"

#include <stddef.h>
#include <string.h>

#include "lib/state/hv_state.h"
#include "lib/state/x86_registers.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* --- fields --- */

#define REG(member, name) VMR_STATE_FIELD(struct vmr_x86_regs, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field register_fields[] = {X86_REGISTER_FIELDS(REG, "")};

static const struct vmr_state_field word_fields[] = {
    VMR_STATE_FIELD(struct vmr_x86_word_state, value, "value", VMR_FIELD_HEX),
};

static const struct vmr_state_field moving_word_fields[] = {
    {.name = "value",
     .offset = offsetof(struct vmr_x86_word_state, value),
     .count = 1,
     .stride = 8,
     .width = 8,
     .kind = VMR_FIELD_HEX,
     .moves = true},
};

static const struct vmr_state_field xsave_fields[] = {
    VMR_STATE_FIELD(struct vmr_x86_xsave_state, length, "length", VMR_FIELD_DECIMAL),
    {.name = "bytes",
     .offset = offsetof(struct vmr_x86_xsave_state, bytes),
     .count = VMR_X86_XSAVE_MAX,
     .stride = 1,
     .width = 1,
     .kind = VMR_FIELD_BYTES,
     .used_by = 1,
     .group = 1},
};

static const struct vmr_state_field mtrr_fields[] = {
    VMR_STATE_FIELD(struct vmr_x86_mtrr_state, default_type, "default-type", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_x86_mtrr_state, fixed, "fixed", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_x86_mtrr_state, variable, "variable", VMR_FIELD_HEX),
};

#define SYSCALL(member, name) VMR_STATE_FIELD(struct vmr_x86_syscall_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field syscall_fields[] = {
    SYSCALL(sysenter_cs, "sysenter-cs"),
    SYSCALL(sysenter_esp, "sysenter-esp"),
    SYSCALL(sysenter_eip, "sysenter-eip"),
    SYSCALL(star, "star"),
    SYSCALL(lstar, "lstar"),
    SYSCALL(cstar, "cstar"),
    SYSCALL(sfmask, "sfmask"),
    SYSCALL(kernel_gs_base, "kernel-gs-base"),
};

#define MCG(member, name) VMR_STATE_FIELD(struct vmr_x86_mcg_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field mcg_fields[] = {MCG(cap, "cap"), MCG(status, "status"), MCG(ctl, "ctl")};

#define CET(member, name) VMR_STATE_FIELD(struct vmr_x86_cet_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field cet_fields[] = {CET(u_cet, "u-cet"), CET(s_cet, "s-cet")};

#define CET_SS(member, name) VMR_STATE_FIELD(struct vmr_x86_cet_ss_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field cet_ss_fields[] = {
    CET_SS(ssp, "ssp"),         CET_SS(pl0_ssp, "pl0-ssp"), CET_SS(pl1_ssp, "pl1-ssp"),
    CET_SS(pl2_ssp, "pl2-ssp"), CET_SS(pl3_ssp, "pl3-ssp"), CET_SS(interrupt_ssp_table, "interrupt-ssp-table"),
};

static const struct vmr_state_field debug_register_fields[] = {
    VMR_STATE_ARRAY(struct vmr_x86_debug_register_state, address, "address", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_x86_debug_register_state, dr6, "dr6", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_x86_debug_register_state, dr7, "dr7", VMR_FIELD_HEX),
};

static const struct vmr_state_field apic_fields[] = {
    VMR_STATE_FIELD(struct vmr_x86_apic_state, base, "base", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_x86_apic_state, page, "page", VMR_FIELD_BYTES),
    {.name = "timer",
     .offset = offsetof(struct vmr_x86_apic_state, timer_ns),
     .count = 1,
     .stride = 8,
     .width = 8,
     .kind = VMR_FIELD_TIME,
     .moves = true},
};

#define ACTIVITY(member, name, kind) VMR_STATE_FIELD(struct vmr_x86_activity_state, member, name, kind)
#define EVENT(event)                                                                                                   \
    ACTIVITY(event.kind, #event ".kind", VMR_FIELD_DECIMAL), ACTIVITY(event.vector, #event ".vector", VMR_FIELD_HEX),  \
        ACTIVITY(event.has_error, #event ".has-error", VMR_FIELD_FLAG),                                                \
        ACTIVITY(event.has_payload, #event ".has-payload", VMR_FIELD_FLAG),                                            \
        ACTIVITY(event.error, #event ".error", VMR_FIELD_HEX),                                                         \
        ACTIVITY(event.payload, #event ".payload", VMR_FIELD_HEX)

static const struct vmr_state_field activity_fields[] = {
    ACTIVITY(activity, "activity", VMR_FIELD_DECIMAL),
    ACTIVITY(shadow, "shadow", VMR_FIELD_DECIMAL),
    ACTIVITY(nmi_pending, "nmi-pending", VMR_FIELD_FLAG),
    ACTIVITY(nmi_masked, "nmi-masked", VMR_FIELD_FLAG),
    ACTIVITY(sipi_pending, "sipi-pending", VMR_FIELD_FLAG),
    ACTIVITY(sipi_vector, "sipi-vector", VMR_FIELD_HEX),
    ACTIVITY(smm, "smm", VMR_FIELD_FLAG),
    ACTIVITY(smi_pending, "smi-pending", VMR_FIELD_FLAG),
    EVENT(pending),
    EVENT(injected),
};

static const struct vmr_state_field debug_state_fields[] = {
    VMR_STATE_FIELD(struct vmr_debug_state, single_step, "single-step", VMR_FIELD_FLAG),
    VMR_STATE_EACH(struct vmr_debug_state, breakpoints, enabled, "breakpoint.enabled", VMR_FIELD_FLAG),
    VMR_STATE_EACH(struct vmr_debug_state, breakpoints, kind, "breakpoint.kind", VMR_FIELD_DECIMAL),
    VMR_STATE_EACH(struct vmr_debug_state, breakpoints, length, "breakpoint.length", VMR_FIELD_DECIMAL),
    VMR_STATE_EACH(struct vmr_debug_state, breakpoints, address, "breakpoint.address", VMR_FIELD_HEX),
};

static const struct vmr_state_field clock_fields[] = {
    {.name = "ns",
     .offset = offsetof(struct vmr_vm_clock_state, ns),
     .count = 1,
     .stride = 8,
     .width = 8,
     .kind = VMR_FIELD_TIME,
     .moves = true},
};

#define PIC(member, kind, name) VMR_STATE_EACH(struct vmr_x86_pic_state, chip, member, name, kind)
static const struct vmr_state_field pic_fields[] = {
    PIC(lines, VMR_FIELD_HEX, "lines"),
    PIC(request, VMR_FIELD_HEX, "request"),
    PIC(mask, VMR_FIELD_HEX, "mask"),
    PIC(in_service, VMR_FIELD_HEX, "in-service"),
    PIC(lowest, VMR_FIELD_DECIMAL, "lowest"),
    PIC(base, VMR_FIELD_HEX, "base"),
    PIC(init, VMR_FIELD_DECIMAL, "init"),
    PIC(trigger, VMR_FIELD_HEX, "trigger"),
    PIC(read_in_service, VMR_FIELD_FLAG, "read-in-service"),
    PIC(poll, VMR_FIELD_FLAG, "poll"),
    PIC(special_mask, VMR_FIELD_FLAG, "special-mask"),
    PIC(auto_eoi, VMR_FIELD_FLAG, "auto-eoi"),
    PIC(rotate_on_auto_eoi, VMR_FIELD_FLAG, "rotate-on-auto-eoi"),
    PIC(fully_nested, VMR_FIELD_FLAG, "fully-nested"),
    PIC(expects_icw4, VMR_FIELD_FLAG, "expects-icw4"),
};

#define IOAPIC(member, name) VMR_STATE_FIELD(struct vmr_x86_ioapic_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field ioapic_fields[] = {
    IOAPIC(base, "base"),
    IOAPIC(select, "select"),
    IOAPIC(id, "id"),
    IOAPIC(lines, "lines"),
    VMR_STATE_ARRAY(struct vmr_x86_ioapic_state, redirection, "redirection", VMR_FIELD_HEX),
};

/* --- classes: those without a name are the Hyper-V interface's --- */

#define CLASS(class_, name_, struct_, fields_)                                                                         \
    [class_] = {                                                                                                       \
        .name = (name_), .version = 1, .size = sizeof(struct_), .field_count = COUNT(fields_), .fields = (fields_)}

static const struct vmr_state_type vp_types[VMR_VP_CLASS_COUNT] = {
    CLASS(VMR_VP_REGISTERS, "registers", struct vmr_x86_regs, register_fields),
    CLASS(VMR_VP_XCR0, "xcr0", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_XSS, "xss", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_XSAVE, "xsave", struct vmr_x86_xsave_state, xsave_fields),
    CLASS(VMR_VP_MTRRS, "mtrrs", struct vmr_x86_mtrr_state, mtrr_fields),
    CLASS(VMR_VP_PAT, "pat", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_SYSCALL, "syscall", struct vmr_x86_syscall_state, syscall_fields),
    CLASS(VMR_VP_MISC_ENABLE, "misc-enable", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_FEATURE_CONTROL, "feature-control", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_SPEC_CTRL, "spec-ctrl", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_MCG, "mcg", struct vmr_x86_mcg_state, mcg_fields),
    CLASS(VMR_VP_TSC_AUX, "tsc-aux", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_CET, "cet", struct vmr_x86_cet_state, cet_fields),
    CLASS(VMR_VP_CET_SS, "cet-ss", struct vmr_x86_cet_ss_state, cet_ss_fields),
    CLASS(VMR_VP_DEBUG_REGISTERS, "debug-registers", struct vmr_x86_debug_register_state, debug_register_fields),
    CLASS(VMR_VP_TSC_ADJUST, "tsc-adjust", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_TSC, "tsc", struct vmr_x86_word_state, moving_word_fields),
    CLASS(VMR_VP_APIC, "apic", struct vmr_x86_apic_state, apic_fields),
    CLASS(VMR_VP_TSC_DEADLINE, "tsc-deadline", struct vmr_x86_word_state, word_fields),
    CLASS(VMR_VP_ACTIVITY, "activity", struct vmr_x86_activity_state, activity_fields),
    CLASS(VMR_VP_DEBUG_STATE, "debug-state", struct vmr_debug_state, debug_state_fields),
};

static const struct vmr_state_type vm_types[VMR_VM_CLASS_COUNT] = {
    CLASS(VMR_VM_CLOCK, "clock", struct vmr_vm_clock_state, clock_fields),
    CLASS(VMR_VM_PIC, "pic", struct vmr_x86_pic_state, pic_fields),
    CLASS(VMR_VM_IOAPIC, "ioapic", struct vmr_x86_ioapic_state, ioapic_fields),
};

const struct vmr_state_type *vmr_vp_class_type(enum vmr_vp_class vp_class)
{
    if ((unsigned)vp_class >= VMR_VP_CLASS_COUNT)
        return NULL;
    return vp_types[vp_class].name ? &vp_types[vp_class] : hv_vp_class_type(vp_class);
}

const struct vmr_state_type *vmr_vm_class_type(enum vmr_vm_class vm_class)
{
    if ((unsigned)vm_class >= VMR_VM_CLASS_COUNT)
        return NULL;
    return vm_types[vm_class].name ? &vm_types[vm_class] : hv_vm_class_type(vm_class);
}

enum vmr_vp_class vmr_vp_class_find(const char *name)
{
    unsigned i = 0;

    while (i < VMR_VP_CLASS_COUNT && strcmp(vmr_vp_class_type((enum vmr_vp_class)i)->name, name) != 0)
        i++;
    return (enum vmr_vp_class)i;
}

enum vmr_vm_class vmr_vm_class_find(const char *name)
{
    unsigned i = 0;

    while (i < VMR_VM_CLASS_COUNT && strcmp(vmr_vm_class_type((enum vmr_vm_class)i)->name, name) != 0)
        i++;
    return (enum vmr_vm_class)i;
}

#define BIT(class_) (UINT64_C(1) << (class_))

/* TLFS, Private State: what VTLs do not share. */
bool vmr_vp_class_is_private(enum vmr_vp_class vp_class)
{
    const uint64_t private = BIT(VMR_VP_REGISTERS) | BIT(VMR_VP_PAT) | BIT(VMR_VP_SYSCALL) | BIT(VMR_VP_TSC_AUX) |
                             BIT(VMR_VP_ACTIVITY) | BIT(VMR_VP_ASSIST) | BIT(VMR_VP_SYNIC) | BIT(VMR_VP_SIMP) |
                             BIT(VMR_VP_SIEFP) | BIT(VMR_VP_MESSAGE_QUEUE) | BIT(VMR_VP_STIMERS);

    return (unsigned)vp_class < VMR_VP_CLASS_COUNT && (private & BIT(vp_class)) != 0;
}
