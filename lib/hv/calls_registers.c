/* SPDX-License-Identifier: MIT */
/*
 * GetVpRegisters and SetVpRegisters (TLFS, HvCallGetVpRegisters). A VP reaches
 * its own registers: as they are behind the call, of which the call's result is
 * written last. What is an MSR too goes the way of that MSR, with its privileges
 * and rules. Another VP's registers are its thread's.
 */

#include "lib/hv/calls.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/hv/x86_state.h"

/* Partition, VP, VTL, three bytes that are zero. An element to set: name, 12 bytes that are ignored, value. */
#define INPUT_VP 8u
#define INPUT_VTL 12u
#define INPUT_RESERVED 13u
#define NAME_BYTES 4u
#define SET_BYTES 32u
#define SET_VALUE 16u

#define RFLAGS_FIXED UINT64_C(2)

/* --- what a name stands for --- */

static uint64_t *word_of(struct vmr_x86_regs *regs, uint32_t name)
{
    if (name >= HV_REGISTER_RAX && name - HV_REGISTER_RAX < VMR_X86_GPR_COUNT)
        return &regs->gpr[name - HV_REGISTER_RAX];
    switch (name) {
    case HV_REGISTER_RIP:
        return &regs->rip;
    case HV_REGISTER_RFLAGS:
        return &regs->rflags;
    case HV_REGISTER_CR0:
        return &regs->cr0;
    case HV_REGISTER_CR2:
        return &regs->cr2;
    case HV_REGISTER_CR3:
        return &regs->cr3;
    case HV_REGISTER_CR4:
        return &regs->cr4;
    case HV_REGISTER_CR8:
        return &regs->cr8;
    case HV_REGISTER_EFER:
        return &regs->efer;
    case HV_REGISTER_APIC_BASE:
        return &regs->apic_base;
    default:
        return NULL;
    }
}

static struct vmr_x86_segment *segment_of(struct vmr_x86_regs *regs, uint32_t name)
{
    struct vmr_x86_segment *const segments[] = {&regs->es, &regs->cs, &regs->ss,   &regs->ds,
                                                &regs->fs, &regs->gs, &regs->ldtr, &regs->tr};

    return name >= HV_REGISTER_ES && name <= HV_REGISTER_TR ? segments[name - HV_REGISTER_ES] : NULL;
}

static struct vmr_x86_table *table_of(struct vmr_x86_regs *regs, uint32_t name)
{
    if (name == HV_REGISTER_IDTR)
        return &regs->idtr;
    return name == HV_REGISTER_GDTR ? &regs->gdtr : NULL;
}

/* Names and MSRs that run side by side. */
static const struct {
    uint32_t name, msr, count;
} same[] = {
    {HV_REGISTER_CRASH_P0, HV_MSR_CRASH_P0, HV_CRASH_PARAMETER_COUNT + 1},
    {HV_REGISTER_PROCESSOR_CLOCK_FREQUENCY, HV_MSR_TSC_FREQUENCY, 2},
    {HV_REGISTER_HYPERCALL, HV_MSR_HYPERCALL, 1},
    {HV_REGISTER_GUEST_OS_ID, HV_MSR_GUEST_OS_ID, 1},
    {HV_REGISTER_VP_INDEX, HV_MSR_VP_INDEX, 1},
    {HV_REGISTER_TIME_REF_COUNT, HV_MSR_TIME_REF_COUNT, 1},
    {HV_REGISTER_EOI, HV_MSR_EOI, 3},
    {HV_REGISTER_VP_ASSIST_PAGE, HV_MSR_VP_ASSIST_PAGE, 1},
    {HV_REGISTER_REFERENCE_TSC, HV_MSR_REFERENCE_TSC, 1},
    {HV_REGISTER_SINT0, HV_MSR_SINT0, HV_SINT_COUNT},
    {HV_REGISTER_SCONTROL, HV_MSR_SCONTROL, 5},
    {HV_REGISTER_STIMER0_CONFIG, HV_MSR_STIMER0_CONFIG, 2 * HV_STIMER_COUNT},
};

/* 0: it is none. */
static uint32_t msr_of(uint32_t name)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (name >= same[i].name && name - same[i].name < same[i].count)
            return same[i].msr + (name - same[i].name);
    }
    return 0;
}

/* The CPUID leaf of a register that repeats one; 0: it is none. */
static uint32_t leaf_of(uint32_t name)
{
    if (name == HV_REGISTER_HYPERVISOR_VERSION)
        return HV_CPUID_VERSION;
    if (name >= HV_REGISTER_PRIVILEGES_AND_FEATURES && name <= HV_REGISTER_HARDWARE_FEATURES)
        return HV_CPUID_FEATURES + (name - HV_REGISTER_PRIVILEGES_AND_FEATURES);
    return 0;
}

/* Registers about VTLs: whatever VTL is named, they are the VP's or the partition's. */
static bool vsm_register(struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint32_t name, uint64_t *ret_value)
{
    const struct vmr_hv_caller *caller = call->caller;

    return vmr_hv_guest_vsm_register(guest, caller->vp, caller->abi == VMR_HV_ABI_X64, name, ret_value);
}

/* --- whose --- */

static enum hv_status admit(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint8_t *ret_vtl)
{
    enum hv_status status = calls_check_partition(call);
    vmr_vp_index vp = 0;

    if (!status)
        status = calls_find_vp(guest, call, load_le32(call->input + INPUT_VP), &vp);
    if (!status && load_le(call->input + INPUT_RESERVED, 3) != 0)
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status)
        status = calls_find_vtl(call, call->input[INPUT_VTL], ret_vtl);
    if (!status && vp != call->caller->vp)
        status = HV_STATUS_ACCESS_DENIED;
    return status;
}

/* The processor's registers of a VTL that does not run are kept by who switches VTLs. */
static struct vmr_x86_regs *regs_of(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint8_t vtl)
{
    return vtl == call->caller->vtl ? guest->vps[call->caller->vp].site->regs : NULL;
}

/* What an MSR's refusal is in a status. */
static enum hv_status refusal(const struct vmr_hv_guest *guest, uint32_t msr, enum hv_status otherwise)
{
    uint64_t needed = guest_register_privilege(msr);

    return (guest->privileges & needed) == needed ? otherwise : HV_STATUS_ACCESS_DENIED;
}

/* --- reading --- */

static void get_leaf(const struct vmr_hv_guest *guest, uint32_t leaf, uint8_t *ret_value)
{
    const struct vmr_hv_guest_options options = {
        .config = guest->config, .target = guest->target, .vp_count = guest->vp_count};
    struct vmr_hv_leaf words = {0};

    (void)vmr_hv_leaf_at(&options, leaf - HV_CPUID_VENDOR, &words);
    store_le32(ret_value, words.eax);
    store_le32(ret_value + 4, words.ebx);
    store_le32(ret_value + 8, words.ecx);
    store_le32(ret_value + 12, words.edx);
}

static enum hv_status get_private(struct vmr_x86_regs *regs, uint32_t name, uint8_t *ret_value)
{
    const uint64_t *word = word_of(regs, name);
    const struct vmr_x86_segment *segment = segment_of(regs, name);
    const struct vmr_x86_table *table = table_of(regs, name);

    if (word)
        store_le64(ret_value, *word);
    else if (segment)
        x86_segment_store(segment, ret_value);
    else if (table)
        x86_table_store(table, ret_value);
    else
        return HV_STATUS_UNKNOWN_REGISTER_NAME;
    return HV_STATUS_SUCCESS;
}

static enum hv_status get_one(struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint8_t vtl, uint32_t name,
                              uint8_t *ret_value)
{
    uint32_t msr = msr_of(name), leaf = leaf_of(name);
    struct vmr_x86_regs *regs = regs_of(guest, call, vtl);
    uint64_t value = 0;

    if (leaf) {
        get_leaf(guest, leaf, ret_value);
        return HV_STATUS_SUCCESS;
    }
    if (vsm_register(guest, call, name, &value)) {
        store_le64(ret_value, value);
        return HV_STATUS_SUCCESS;
    }
    if (!msr)
        return regs ? get_private(regs, name, ret_value) : HV_STATUS_INVALID_VTL_STATE;
    if (vmr_hv_guest_msr_read(guest, call->caller->vp, vtl, msr, &value) != VMR_MSR_OK)
        return refusal(guest, msr, HV_STATUS_UNKNOWN_REGISTER_NAME);
    store_le64(ret_value, value);
    return HV_STATUS_SUCCESS;
}

enum hv_status calls_get_registers(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint8_t vtl = 0;
    enum hv_status status = admit(guest, call, &vtl);

    for (uint32_t i = 0; !status && i < call->rep_count; i++) {
        status = get_one(guest, call, vtl, load_le32(call->reps + (size_t)NAME_BYTES * i),
                         call->output + (size_t)HV_REGISTER_VALUE_BYTES * i);
        if (!status)
            call->reps_done = i + 1;
    }
    return status;
}

/* --- writing --- */

static enum hv_status set_private(const struct vmr_hv_guest *guest, struct vmr_x86_regs *regs, uint32_t name,
                                  const uint8_t *value)
{
    const struct x86_limits limits = calls_limits(guest);
    struct vmr_x86_regs changed = *regs;
    uint64_t *word = word_of(&changed, name);
    struct vmr_x86_segment *segment = segment_of(&changed, name);
    struct vmr_x86_table *table = table_of(&changed, name);

    if (name == HV_REGISTER_APIC_BASE)
        return HV_STATUS_ACCESS_DENIED; /* the local APIC's own, by its MSR */
    if (word)
        *word = load_le64(value) | (name == HV_REGISTER_RFLAGS ? RFLAGS_FIXED : 0);
    else if (segment)
        *segment = x86_segment_load(value);
    else if (table)
        *table = x86_table_load(value);
    else
        return HV_STATUS_UNKNOWN_REGISTER_NAME;
    bool anything = name >= HV_REGISTER_RAX && name < HV_REGISTER_RIP;

    if (!anything && name != HV_REGISTER_CR2 && !x86_state_is_possible(&changed, &limits))
        return HV_STATUS_INVALID_REGISTER_VALUE;
    *regs = changed;
    return HV_STATUS_SUCCESS;
}

static enum hv_status set_one(struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint8_t vtl,
                              const uint8_t *element)
{
    uint32_t name = load_le32(element), msr = msr_of(name);
    const uint8_t *value = element + SET_VALUE;
    struct vmr_x86_regs *regs = regs_of(guest, call, vtl);
    uint64_t there;

    if (leaf_of(name) || vsm_register(guest, call, name, &there))
        return HV_STATUS_INVALID_REGISTER_VALUE;
    if (!msr)
        return regs ? set_private(guest, regs, name, value) : HV_STATUS_INVALID_VTL_STATE;
    if (vmr_hv_guest_msr_write(guest, call->caller->vp, vtl, msr, load_le64(value)) != VMR_MSR_OK)
        return refusal(guest, msr, HV_STATUS_INVALID_REGISTER_VALUE);
    return HV_STATUS_SUCCESS;
}

enum hv_status calls_set_registers(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint8_t vtl = 0;
    enum hv_status status = admit(guest, call, &vtl);

    for (uint32_t i = 0; !status && i < call->rep_count; i++) {
        status = set_one(guest, call, vtl, call->reps + (size_t)SET_BYTES * i);
        if (!status)
            call->reps_done = i + 1;
    }
    return status;
}
