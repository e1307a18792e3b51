/* SPDX-License-Identifier: MIT */
/* What a guest wrote, field by field; then what no processor takes is refused. */

#include "lib/hv/initial_context.h"

#include "lib/base/bytes.h"
#include "lib/hv/x86_state.h"

/* Intel SDM vol. 3, 2.5 and 2.2.1. */
#define CR0_PE UINT64_C(1)
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PAE (UINT64_C(1) << 5)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_LMA (UINT64_C(1) << 10)
#define RFLAGS_FIXED UINT64_C(2)

static bool is_possible(const struct vmr_x86_regs *regs)
{
    bool paging = (regs->cr0 & CR0_PG) != 0, is_long = (regs->efer & EFER_LMA) != 0;

    if (paging && !(regs->cr0 & CR0_PE))
        return false;
    if (is_long != (paging && (regs->efer & EFER_LME) != 0))
        return false;
    return !is_long || (regs->cr4 & CR4_PAE) != 0;
}

/* Eight bytes: 0, 1 and 4 to 7 are memory types (Intel SDM vol. 3, 12.12.2). */
static bool is_pat(uint64_t pat)
{
    for (; pat != 0; pat >>= 8) {
        if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
            return false;
    }
    return true;
}

bool initial_context_is_possible(const struct vmr_hv_initial *initial)
{
    return is_possible(&initial->regs) && is_pat(initial->pat);
}

enum hv_status initial_context_decode(const uint8_t *guest_context, struct vmr_hv_initial *ret_initial)
{
    struct vmr_x86_regs regs;
    uint64_t pat = load_le64(guest_context + HV_INITIAL_PAT);
    struct vmr_x86_segment *const segments[] = {&regs.cs, &regs.ds, &regs.es, &regs.fs,
                                                &regs.gs, &regs.ss, &regs.tr, &regs.ldtr};

    vmr_x86_regs_reset(&regs);
    regs.rip = load_le64(guest_context + HV_INITIAL_RIP);
    regs.gpr[VMR_X86_RSP] = load_le64(guest_context + HV_INITIAL_RSP);
    regs.rflags = load_le64(guest_context + HV_INITIAL_RFLAGS) | RFLAGS_FIXED;
    for (unsigned i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
        *segments[i] = x86_segment_load(guest_context + HV_INITIAL_SEGMENTS + (size_t)i * HV_SEGMENT_BYTES);
    regs.idtr = x86_table_load(guest_context + HV_INITIAL_IDTR);
    regs.gdtr = x86_table_load(guest_context + HV_INITIAL_GDTR);
    regs.efer = load_le64(guest_context + HV_INITIAL_EFER);
    regs.cr0 = load_le64(guest_context + HV_INITIAL_CR0);
    regs.cr3 = load_le64(guest_context + HV_INITIAL_CR3);
    regs.cr4 = load_le64(guest_context + HV_INITIAL_CR4);
    const struct vmr_hv_initial initial = {.regs = regs, .pat = pat};

    if (!initial_context_is_possible(&initial))
        return HV_STATUS_INVALID_REGISTER_VALUE;
    *ret_initial = initial;
    return HV_STATUS_SUCCESS;
}
