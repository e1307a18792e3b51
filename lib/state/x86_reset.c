/* SPDX-License-Identifier: MIT */
/*
 * What an x86-64 processor holds at power-up, class by class (Intel SDM vol. 3,
 * table 10-1; the class's own section where that is silent).
 */

#include "vmrig/x86_state.h"

#include <string.h>

#include "lib/base/bytes.h"

#define PAT_RESET UINT64_C(0x0007040600070406) /* SDM vol. 3, 12.12.4 */
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)
#define XCR0_X87 UINT64_C(1)
#define MXCSR_RESET 0x1f80u
#define XSAVE_MXCSR 24u
#define XSAVE_LENGTH_MIN 576u

#define APIC_BASE_GPA UINT64_C(0xfee00000)
#define APIC_BASE_BSP UINT64_C(0x100)
#define APIC_BASE_X2APIC UINT64_C(0x400)
#define APIC_BASE_ENABLE UINT64_C(0x800)
#define APIC_ID 0x020u
#define APIC_VERSION 0x030u
#define APIC_LDR 0x0d0u
#define APIC_DFR 0x0e0u
#define APIC_SVR 0x0f0u
#define APIC_LVT_CMCI 0x2f0u
#define APIC_CMCI_ENTRIES 6u /* "maximum LVT entry" of a version that has it */
#define APIC_LVT_LINT0 0x350u
#define APIC_LVT_FIRST 0x320u /* six of them, 16 bytes apart */
#define APIC_LVT_LAST 0x370u
#define APIC_VERSION_RESET 0x00050014u
#define APIC_LVT_MASKED 0x00010000u

#define IOAPIC_BASE UINT64_C(0xfec00000)
#define IOAPIC_MASKED UINT64_C(0x10000)

static uint64_t apic_base(const struct vmr_x86_reset_info *info)
{
    return APIC_BASE_GPA | APIC_BASE_ENABLE | (info->vp == 0 ? APIC_BASE_BSP : 0) |
           (info->x2apic ? APIC_BASE_X2APIC : 0);
}

static void registers(const struct vmr_x86_reset_info *info, struct vmr_x86_regs *ret_regs)
{
    vmr_x86_regs_reset(ret_regs);
    ret_regs->gpr[VMR_X86_RDX] = info->cpuid_1_eax;
    ret_regs->apic_base = apic_base(info);
}

/* Registers of the local APIC: Intel SDM vol. 3, 11.4.7.1; in x2APIC mode, 11.12.5.1. */
static void apic(const struct vmr_x86_reset_info *info, struct vmr_x86_apic_state *ret_state)
{
    uint8_t *page = ret_state->page;

    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->base = apic_base(info);
    ret_state->timer_ns = VMR_NEVER;
    store_le32(page + APIC_ID, info->x2apic ? info->vp : info->vp << 24);
    store_le32(page + APIC_VERSION, info->apic_version ? info->apic_version : APIC_VERSION_RESET);
    if (info->x2apic)
        store_le32(page + APIC_LDR, (info->vp >> 4) << 16 | UINT32_C(1) << (info->vp & 0xfu));
    else
        store_le32(page + APIC_DFR, UINT32_MAX);
    store_le32(page + APIC_SVR, 0xff);
    for (unsigned at = APIC_LVT_FIRST; at <= APIC_LVT_LAST; at += 16)
        store_le32(page + at, APIC_LVT_MASKED);
    if (((info->apic_version ? info->apic_version : APIC_VERSION_RESET) >> 16 & 0xff) >= APIC_CMCI_ENTRIES)
        store_le32(page + APIC_LVT_CMCI, APIC_LVT_MASKED);
    if (info->vp == 0 && info->apic_lint0 != 0)
        store_le32(page + APIC_LVT_LINT0, info->apic_lint0);
}

/* No component is in use: bytes that say nothing are zero, and MXCSR stands for itself. */
static void xsave(struct vmr_x86_xsave_state *ret_state)
{
    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->length = XSAVE_LENGTH_MIN;
    store_le32(ret_state->bytes + XSAVE_MXCSR, MXCSR_RESET);
}

static void word(void *ret_value, uint64_t value)
{
    *(struct vmr_x86_word_state *)ret_value = (struct vmr_x86_word_state){.value = value};
}

void vmr_x86_at_reset(enum vmr_vp_class vp_class, const struct vmr_x86_reset_info *info, void *ret_value)
{
    /* Whatever is not said below is zero at power-up. */
    memset(ret_value, 0, vmr_vp_class_type(vp_class)->size);
    if (vp_class == VMR_VP_REGISTERS)
        registers(info, ret_value);
    else if (vp_class == VMR_VP_XCR0)
        word(ret_value, XCR0_X87);
    else if (vp_class == VMR_VP_XSAVE)
        xsave(ret_value);
    else if (vp_class == VMR_VP_PAT)
        word(ret_value, PAT_RESET);
    else if (vp_class == VMR_VP_MISC_ENABLE)
        word(ret_value, info->misc_enable);
    else if (vp_class == VMR_VP_FEATURE_CONTROL)
        word(ret_value, info->feature_control);
    else if (vp_class == VMR_VP_MCG)
        ((struct vmr_x86_mcg_state *)ret_value)->cap = info->mcg_cap;
    else if (vp_class == VMR_VP_DEBUG_REGISTERS)
        *(struct vmr_x86_debug_register_state *)ret_value =
            (struct vmr_x86_debug_register_state){.dr6 = DR6_RESET, .dr7 = DR7_RESET};
    else if (vp_class == VMR_VP_APIC)
        apic(info, ret_value);
    else if (vp_class == VMR_VP_ACTIVITY)
        ((struct vmr_x86_activity_state *)ret_value)->activity =
            info->waits_for_sipi ? VMR_ACTIVITY_WAIT_FOR_SIPI : VMR_ACTIVITY_RUNNING;
}

void vmr_x86_vm_at_reset(enum vmr_vm_class vm_class, void *ret_value)
{
    /* A clock begins, and so does what the PICs are told. */
    memset(ret_value, 0, vmr_vm_class_type(vm_class)->size);
    if (vm_class == VMR_VM_IOAPIC) {
        struct vmr_x86_ioapic_state *state = ret_value;

        state->base = IOAPIC_BASE;
        for (unsigned i = 0; i < VMR_X86_IOAPIC_PINS; i++)
            state->redirection[i] = IOAPIC_MASKED;
    }
}
