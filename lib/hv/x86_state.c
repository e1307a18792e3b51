/* SPDX-License-Identifier: MIT */
/*
 * Registers of a guest's choice, between the wire and a processor. What passes
 * here a hypervisor takes, and enters: what it would refuse would be the VP's end.
 */

#include "lib/hv/x86_state.h"

#include "lib/base/bytes.h"

#define CR0_PE UINT64_C(1)
#define CR0_NW (UINT64_C(1) << 29)
#define CR0_CD (UINT64_C(1) << 30)
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_PCIDE (UINT64_C(1) << 17)
#define EFER_SCE UINT64_C(1)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_LMA (UINT64_C(1) << 10)
#define EFER_NXE (UINT64_C(1) << 11)
#define RFLAGS_FIXED UINT64_C(2)
/* Bits 3, 5, 15 and 22 on are zero; virtual-8086 mode (17) cannot be entered this way. */
#define RFLAGS_REFUSED (UINT64_C(0x28028) | ~UINT64_C(0x3fffff))

/* struct vmr_x86_segment.attributes */
#define TYPE(segment) ((segment)->attributes & 0xfu)
#define TYPE_CODE 8u
#define TYPE_READABLE 2u
#define TYPE_ACCESSED 1u
#define IS_MEMORY 0x10u /* S: code or data */
#define DPL(segment) ((segment)->attributes >> 5 & 3u)
#define PRESENT 0x80u
#define RESERVED 0xf00u
#define LONG 0x2000u
#define DEFAULT_BIG 0x4000u
#define GRANULAR 0x8000u

/* --- on the wire --- */

struct vmr_x86_segment x86_segment_load(const uint8_t guest_value[HV_REGISTER_VALUE_BYTES])
{
    return (struct vmr_x86_segment){.base = load_le64(guest_value + HV_SEGMENT_BASE_OFFSET),
                                    .limit = load_le32(guest_value + HV_SEGMENT_LIMIT_OFFSET),
                                    .selector = load_le16(guest_value + HV_SEGMENT_SELECTOR_OFFSET),
                                    .attributes = load_le16(guest_value + HV_SEGMENT_ATTRIBUTES_OFFSET)};
}

void x86_segment_store(const struct vmr_x86_segment *segment, uint8_t ret_value[HV_REGISTER_VALUE_BYTES])
{
    store_le64(ret_value + HV_SEGMENT_BASE_OFFSET, segment->base);
    store_le32(ret_value + HV_SEGMENT_LIMIT_OFFSET, segment->limit);
    store_le16(ret_value + HV_SEGMENT_SELECTOR_OFFSET, segment->selector);
    store_le16(ret_value + HV_SEGMENT_ATTRIBUTES_OFFSET, segment->attributes);
}

struct vmr_x86_table x86_table_load(const uint8_t guest_value[HV_REGISTER_VALUE_BYTES])
{
    return (struct vmr_x86_table){.base = load_le64(guest_value + HV_TABLE_BASE_OFFSET),
                                  .limit = load_le16(guest_value + HV_TABLE_LIMIT_OFFSET)};
}

void x86_table_store(const struct vmr_x86_table *table, uint8_t ret_value[HV_REGISTER_VALUE_BYTES])
{
    store_le64(ret_value, 0);
    store_le16(ret_value + HV_TABLE_LIMIT_OFFSET, table->limit);
    store_le64(ret_value + HV_TABLE_BASE_OFFSET, table->base);
}

/* --- what a processor can hold --- */

static bool is_long(const struct vmr_x86_regs *regs)
{
    return (regs->efer & EFER_LMA) != 0;
}

/* With 5-level paging more is canonical; what is so with 4 levels is in any case. */
static bool is_canonical(const struct vmr_x86_regs *regs, uint64_t address)
{
    unsigned bits = (regs->cr4 & UINT64_C(1) << 12) != 0 ? 57 : 48;
    uint64_t top = address >> (bits - 1);

    return top == 0 || top == UINT64_MAX >> (bits - 1);
}

static bool control_is_possible(const struct vmr_x86_regs *regs, const struct x86_limits *limits)
{
    bool paging = (regs->cr0 & CR0_PG) != 0;

    if (regs->cr0 >> 32 != 0 || (paging && !(regs->cr0 & CR0_PE)) || ((regs->cr0 & CR0_NW) && !(regs->cr0 & CR0_CD)))
        return false;
    if ((regs->cr4 & ~limits->cr4) != 0 || regs->cr3 >> limits->physical_bits != 0 || regs->cr8 > 15)
        return false;
    if ((regs->efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) != 0)
        return false;
    if (is_long(regs) != (paging && (regs->efer & EFER_LME) != 0))
        return false;
    if (is_long(regs) && !(regs->cr4 & CR4_PAE))
        return false;
    return is_long(regs) || !(regs->cr4 & CR4_PCIDE);
}

/* Bits that no descriptor has, and a limit that its granularity can say. */
static bool segment_is_formed(const struct vmr_x86_segment *segment)
{
    bool in_pages = (segment->attributes & GRANULAR) != 0;

    if ((segment->attributes & RESERVED) != 0)
        return false;
    return in_pages ? (segment->limit & 0xfffu) == 0xfffu : segment->limit >> 20 == 0;
}

static bool data_is_possible(const struct vmr_x86_segment *segment)
{
    unsigned type = TYPE(segment);

    if (!(segment->attributes & PRESENT))
        return true; /* unusable */
    if (!segment_is_formed(segment) || !(segment->attributes & IS_MEMORY) || !(type & TYPE_ACCESSED))
        return false;
    return !(type & TYPE_CODE) || (type & TYPE_READABLE) != 0;
}

static bool code_is_possible(const struct vmr_x86_regs *regs)
{
    const struct vmr_x86_segment *cs = &regs->cs;
    unsigned type = TYPE(cs);
    bool real = (regs->cr0 & CR0_PE) == 0;

    if (!segment_is_formed(cs) || !(cs->attributes & PRESENT) || !(cs->attributes & IS_MEMORY) || cs->base >> 32 != 0)
        return false;
    if (!(type & TYPE_ACCESSED) || (!(type & TYPE_CODE) && !(real && type == 3)))
        return false;
    if (cs->attributes & LONG)
        return is_long(regs) && !(cs->attributes & DEFAULT_BIG);
    return true;
}

static bool stack_is_possible(const struct vmr_x86_regs *regs)
{
    const struct vmr_x86_segment *ss = &regs->ss;

    if (!(ss->attributes & PRESENT))
        return is_long(regs);
    if (!data_is_possible(ss) || (TYPE(ss) != 3 && TYPE(ss) != 7) || ss->base >> 32 != 0)
        return false;
    /* The privilege level is the stack's; a conforming segment may be run from above. */
    return (TYPE(&regs->cs) & 4u) != 0 ? DPL(&regs->cs) <= DPL(ss) : DPL(&regs->cs) == DPL(ss);
}

static bool system_is_possible(const struct vmr_x86_regs *regs)
{
    const struct vmr_x86_segment *tr = &regs->tr, *ldtr = &regs->ldtr;
    bool busy = TYPE(tr) == 11 || (TYPE(tr) == 3 && !is_long(regs));

    if (!busy || !(tr->attributes & PRESENT) || (tr->attributes & IS_MEMORY) || !segment_is_formed(tr) ||
        !is_canonical(regs, tr->base))
        return false;
    if (!(ldtr->attributes & PRESENT))
        return true;
    return TYPE(ldtr) == 2 && !(ldtr->attributes & IS_MEMORY) && segment_is_formed(ldtr) &&
           is_canonical(regs, ldtr->base);
}

static bool segments_are_possible(const struct vmr_x86_regs *regs)
{
    const struct vmr_x86_segment *ds = &regs->ds, *es = &regs->es, *fs = &regs->fs, *gs = &regs->gs;

    if (!code_is_possible(regs) || !stack_is_possible(regs) || !system_is_possible(regs))
        return false;
    if (!data_is_possible(ds) || !data_is_possible(es) || !data_is_possible(fs) || !data_is_possible(gs))
        return false;
    if ((ds->attributes & PRESENT && ds->base >> 32 != 0) || (es->attributes & PRESENT && es->base >> 32 != 0))
        return false;
    return is_canonical(regs, fs->base) && is_canonical(regs, gs->base);
}

bool x86_state_is_possible(const struct vmr_x86_regs *regs, const struct x86_limits *limits)
{
    bool code64 = is_long(regs) && (regs->cs.attributes & LONG) != 0;

    if (!control_is_possible(regs, limits) || !segments_are_possible(regs))
        return false;
    if (!(regs->rflags & RFLAGS_FIXED) || (regs->rflags & RFLAGS_REFUSED) != 0)
        return false;
    if (!is_canonical(regs, regs->gdtr.base) || !is_canonical(regs, regs->idtr.base))
        return false;
    return code64 ? is_canonical(regs, regs->rip) : regs->rip >> 32 == 0;
}
