/* SPDX-License-Identifier: MIT */
/*
 * The MSRs that the mock keeps itself, as every hypervisor does with those that
 * belong to the processor's state. All others exit. Numbers: Intel SDM vol. 4.
 */

#include "backends/mock/chip.h"

#define MSR_TSC 0x10u
#define MSR_APIC_BASE 0x1bu
#define MSR_EFER 0xc0000080u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u

static const struct {
    uint32_t index;
    uint64_t reset;
    bool shared; /* by all VTLs of a VP */
} kept[] = {
    {0x174, 0, false},                         /* SYSENTER_CS */
    {0x175, 0, false},                         /* SYSENTER_ESP */
    {0x176, 0, false},                         /* SYSENTER_EIP */
    {0x1a0, 1, true},                          /* MISC_ENABLE: fast strings */
    {0x277, UINT64_C(0x7040600070406), false}, /* PAT */
    {0x2ff, 0, true},                          /* MTRR default type */
    {0xc0000081, 0, false},                    /* STAR */
    {0xc0000082, 0, false},                    /* LSTAR */
    {0xc0000083, 0, false},                    /* CSTAR */
    {0xc0000084, 0, false},                    /* SYSCALL mask */
    {0xc0000102, 0, false},                    /* KERNEL_GS_BASE */
    {0xc0000103, 0, false},                    /* TSC_AUX */
};
#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))
_Static_assert(KEPT_COUNT <= MOCK_MSR_COUNT, "a VP has a place for each MSR that is kept");

void msr_reset(struct vmr_backend_vp *vp)
{
    for (size_t i = 0; i < KEPT_COUNT; i++)
        vp->msrs[i] = kept[i].reset;
}

bool msr_is_private(unsigned place)
{
    return place < KEPT_COUNT && !kept[place].shared;
}

/* Some MSRs are registers by another name. */
static uint64_t *find(struct vmr_backend_vp *vp, uint32_t index)
{
    switch (index) {
    case MSR_APIC_BASE:
        return &vp->regs.apic_base;
    case MSR_EFER:
        return &vp->regs.efer;
    case MSR_FS_BASE:
        return &vp->regs.fs.base;
    case MSR_GS_BASE:
        return &vp->regs.gs.base;
    default:
        break;
    }
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        if (kept[i].index == index)
            return &vp->msrs[i];
    }
    return NULL;
}

bool msr_read_own(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    const uint64_t *msr = find(vp, index);

    if (index == MSR_TSC) {
        *ret_value = chip_read_tsc(vp);
        return true;
    }
    if (vp->vm->chip && index == MSR_TSC_DEADLINE) {
        *ret_value = chip_read_deadline(vp);
        return true;
    }
    if (!msr)
        return false;
    *ret_value = *msr;
    return true;
}

bool msr_write_own(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    uint64_t *msr = find(vp, index);

    if (index == MSR_TSC) {
        chip_write_tsc(vp, value);
        return true;
    }
    if (vp->vm->chip && index == MSR_TSC_DEADLINE) {
        chip_write_deadline(vp, value);
        return true;
    }
    if (!msr)
        return false;
    *msr = value;
    if (index == MSR_APIC_BASE)
        chip_base_changed(vp);
    return true;
}
