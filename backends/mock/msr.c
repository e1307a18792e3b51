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

#define CANONICAL UINT64_MAX /* the mock does not look at what an address names */
#define WORD32 UINT64_C(0xffffffff)
#define MTRR_BASE UINT64_C(0xffffffffff0ff) /* address and type */
#define MTRR_MASK UINT64_C(0xffffffffff800) /* address and valid */
#define DR6_FIXED UINT64_C(0xfffe07f0)
#define DR7_FIXED UINT64_C(0x400)

enum kept_kind {
    KEPT_BITS,    /* any of `bits` */
    KEPT_PAT,     /* eight memory types, UC- among them */
    KEPT_FIXED,   /* of an MTRR: eight types */
    KEPT_TYPE,    /* one, in the lowest byte, and bits of `bits` */
    KEPT_XCR0,    /* x87 at least, and no AVX without SSE */
    KEPT_DEBUG_6, /* with bits that are always set */
    KEPT_DEBUG_7
};

/* Long because it is a table: what a processor keeps in one word. */
static const struct {
    uint32_t index;
    uint8_t vp_class; /* enum vmr_vp_class: profiles that have it not keep none of it */
    uint8_t kind;
    bool shared; /* by all VTLs of a VP */
    uint64_t bits, reset;
} kept[] = {
    {0x174, VMR_VP_SYSCALL, KEPT_BITS, false, WORD32, 0},          /* SYSENTER_CS */
    {0x175, VMR_VP_SYSCALL, KEPT_BITS, false, CANONICAL, 0},       /* SYSENTER_ESP */
    {0x176, VMR_VP_SYSCALL, KEPT_BITS, false, CANONICAL, 0},       /* SYSENTER_EIP */
    {0xc0000081, VMR_VP_SYSCALL, KEPT_BITS, false, UINT64_MAX, 0}, /* STAR */
    {0xc0000082, VMR_VP_SYSCALL, KEPT_BITS, false, CANONICAL, 0},  /* LSTAR */
    {0xc0000083, VMR_VP_SYSCALL, KEPT_BITS, false, CANONICAL, 0},  /* CSTAR */
    {0xc0000084, VMR_VP_SYSCALL, KEPT_BITS, false, UINT64_MAX, 0}, /* SYSCALL mask */
    {0xc0000102, VMR_VP_SYSCALL, KEPT_BITS, false, CANONICAL, 0},  /* KERNEL_GS_BASE */
    {0x277, VMR_VP_PAT, KEPT_PAT, false, 0, UINT64_C(0x7040600070406)},
    {0xc0000103, VMR_VP_TSC_AUX, KEPT_BITS, false, WORD32, 0},
    {0x1a0, VMR_VP_MISC_ENABLE, KEPT_BITS, true, UINT64_C(0x400c51889), MOCK_MISC_ENABLE},
    {0x3a, VMR_VP_FEATURE_CONTROL, KEPT_BITS, true, UINT64_C(0x1ff007), 0},
    {0x48, VMR_VP_SPEC_CTRL, KEPT_BITS, true, 7, 0},
    {0x179, VMR_VP_MCG, KEPT_BITS, true, UINT64_C(0x70103ff), MOCK_MCG_CAP},
    {0x17a, VMR_VP_MCG, KEPT_BITS, true, 7, 0},
    {0x17b, VMR_VP_MCG, KEPT_BITS, true, UINT64_MAX, 0},
    {0xda0, VMR_VP_XSS, KEPT_BITS, true, UINT64_C(0x1800), 0}, /* CET, user and supervisor */
    {0x6a0, VMR_VP_CET, KEPT_BITS, true, UINT64_C(0xfffffffffffffc3f), 0},
    {0x6a2, VMR_VP_CET, KEPT_BITS, true, UINT64_C(0xfffffffffffffc3f), 0},
    {MOCK_REG_SSP, VMR_VP_CET_SS, KEPT_BITS, true, ~UINT64_C(3), 0},
    {0x6a4, VMR_VP_CET_SS, KEPT_BITS, true, ~UINT64_C(3), 0}, /* SSPs of rings 0 to 3 */
    {0x6a5, VMR_VP_CET_SS, KEPT_BITS, true, ~UINT64_C(3), 0},
    {0x6a6, VMR_VP_CET_SS, KEPT_BITS, true, ~UINT64_C(3), 0},
    {0x6a7, VMR_VP_CET_SS, KEPT_BITS, true, ~UINT64_C(3), 0},
    {0x6a8, VMR_VP_CET_SS, KEPT_BITS, true, CANONICAL, 0}, /* interrupt SSP table */
    {MOCK_REG_XCR0, VMR_VP_XCR0, KEPT_XCR0, true, MOCK_XCR0, 1},
    {MOCK_REG_DR, VMR_VP_DEBUG_REGISTERS, KEPT_BITS, true, CANONICAL, 0},
    {MOCK_REG_DR + 1, VMR_VP_DEBUG_REGISTERS, KEPT_BITS, true, CANONICAL, 0},
    {MOCK_REG_DR + 2, VMR_VP_DEBUG_REGISTERS, KEPT_BITS, true, CANONICAL, 0},
    {MOCK_REG_DR + 3, VMR_VP_DEBUG_REGISTERS, KEPT_BITS, true, CANONICAL, 0},
    {MOCK_REG_DR6, VMR_VP_DEBUG_REGISTERS, KEPT_DEBUG_6, true, UINT64_C(0xffffefff), UINT64_C(0xffff0ff0)},
    {MOCK_REG_DR7, VMR_VP_DEBUG_REGISTERS, KEPT_DEBUG_7, true, UINT64_C(0xffff27ff), DR7_FIXED},
    {0x2ff, VMR_VP_MTRRS, KEPT_TYPE, true, UINT64_C(0xc00), 0}, /* default type */
    {0x250, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x258, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x259, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x268, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x269, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x26a, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x26b, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x26c, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x26d, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x26e, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x26f, VMR_VP_MTRRS, KEPT_FIXED, true, 0, 0},
    {0x200, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x201, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x202, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x203, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x204, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x205, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x206, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x207, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x208, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x209, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x20a, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x20b, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x20c, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x20d, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
    {0x20e, VMR_VP_MTRRS, KEPT_TYPE, true, MTRR_BASE, 0},
    {0x20f, VMR_VP_MTRRS, KEPT_BITS, true, MTRR_MASK, 0},
};
#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))
_Static_assert(KEPT_COUNT <= MOCK_MSR_COUNT, "a VP has a place for each register that is kept");

uint64_t msr_at_reset(unsigned place)
{
    return place < KEPT_COUNT ? kept[place].reset : 0;
}

void msr_reset(struct vmr_backend_vp *vp)
{
    for (size_t i = 0; i < KEPT_COUNT; i++)
        vp->msrs[i] = kept[i].reset;
}

bool msr_is_private(unsigned place)
{
    return place < KEPT_COUNT && !kept[place].shared;
}

unsigned msr_place(uint32_t index)
{
    unsigned place = 0;

    while (place < KEPT_COUNT && kept[place].index != index)
        place++;
    return place;
}

/* Memory types (Intel SDM vol. 3, tables 12-2 and 12-10): UC, WC, WT, WP, WB; with `page`, UC- too. */
static bool is_type(uint8_t type, bool page)
{
    return type <= 1 || (type >= 4 && type <= 6) || (page && type == 7);
}

static bool are_types(uint64_t value, bool page)
{
    for (unsigned i = 0; i < 8; i++) {
        if (!is_type((uint8_t)(value >> 8 * i), page))
            return false;
    }
    return true;
}

bool msr_takes(uint32_t index, uint64_t value)
{
    unsigned place = msr_place(index);

    if (place == KEPT_COUNT)
        return true;
    uint64_t other = value & ~kept[place].bits;

    switch ((enum kept_kind)kept[place].kind) {
    case KEPT_BITS:
        return other == 0;
    case KEPT_PAT:
        return are_types(value, true);
    case KEPT_FIXED:
        return are_types(value, false);
    case KEPT_TYPE:
        return (other & ~UINT64_C(0xff)) == 0 && is_type((uint8_t)value, false);
    case KEPT_XCR0:
        return other == 0 && (value & 1) != 0 && (value & 6) != 4;
    case KEPT_DEBUG_6:
        return other == 0 && (value & DR6_FIXED) == DR6_FIXED;
    case KEPT_DEBUG_7:
        return other == 0 && (value & DR7_FIXED) != 0;
    default:
        return false;
    }
}

static bool is_msr(uint32_t index)
{
    return index >> 28 != MOCK_REG_XCR0 >> 28;
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
    unsigned place = msr_place(index);

    if (place == KEPT_COUNT || !is_msr(index) || !profile_has_class(vp->vm->profile, kept[place].vp_class))
        return NULL;
    return &vp->msrs[place];
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
    if (!msr || !msr_takes(index, value))
        return false;
    *msr = value;
    if (index == MSR_APIC_BASE)
        chip_base_changed(vp);
    return true;
}
