/* SPDX-License-Identifier: MIT */
/*
 * Translating a virtual address of the calling VP (TLFS,
 * HvCallTranslateVirtualAddress and its relative). The call succeeds whatever the
 * tables say: what they say is its output.
 */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"
#include "lib/hv/x86_state.h"
#include "lib/memory/page_walk.h"

/* Partition, VP, four bytes that are zero, flags, page number. */
#define INPUT_VP 8u
#define INPUT_RESERVED 12u
#define INPUT_FLAGS 16u
#define INPUT_PAGE 24u

#define FLAG_READ UINT64_C(1)
#define FLAG_WRITE UINT64_C(2)
#define FLAG_EXECUTE UINT64_C(4)
#define FLAG_PRIVILEGE_EXEMPT UINT64_C(8)
#define FLAG_SET_BITS UINT64_C(0x10)
#define FLAG_NO_TLB_FLUSH UINT64_C(0x20) /* nothing here flushes for a translation */
#define FLAG_SUPERVISOR UINT64_C(0x40)
#define FLAG_USER UINT64_C(0x80)
#define FLAG_ENFORCE_SMAP UINT64_C(0x100)
#define FLAG_OVERRIDE_SMAP UINT64_C(0x200)
#define FLAGS_DEFINED UINT64_C(0x3ff)
#define FLAGS_VTL_SHIFT 56

/* Code in 4 bytes, memory type in a byte, flags; of the longer form a page number after an event, which is none. */
#define OUTPUT_CODE 0u
#define OUTPUT_TYPE 4u
#define OUTPUT_PAGE 8u
#define OUTPUT_EX_PAGE 48u

#define CODE_SUCCESS 0u
#define CODE_GPA_UNMAPPED 4u
#define CODE_NO_WRITE_ACCESS 6u
#define TYPE_WRITE_BACK 6u

#define PAGE_NUMBER_MAX (UINT64_MAX >> 12)

static enum hv_status check_flags(uint64_t flags, uint64_t page)
{
    const uint64_t both_modes = FLAG_SUPERVISOR | FLAG_USER, both_smap = FLAG_ENFORCE_SMAP | FLAG_OVERRIDE_SMAP;

    if ((flags << 8 >> 8 & ~FLAGS_DEFINED) != 0 || (flags & both_modes) == both_modes ||
        (flags & both_smap) == both_smap || page > PAGE_NUMBER_MAX)
        return HV_STATUS_INVALID_PARAMETER;
    return HV_STATUS_SUCCESS;
}

static enum hv_status admit(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call)
{
    uint64_t flags = load_le64(call->input + INPUT_FLAGS);
    enum hv_status status = calls_check_partition(call);
    vmr_vp_index vp = 0;
    uint8_t vtl = 0;

    if (!status)
        status = calls_find_vp(guest, call, load_le32(call->input + INPUT_VP), &vp);
    if (!status && load_le32(call->input + INPUT_RESERVED) != 0)
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status)
        status = check_flags(flags, load_le64(call->input + INPUT_PAGE));
    if (!status)
        status = calls_find_vtl(call, (uint8_t)(flags >> FLAGS_VTL_SHIFT), &vtl);
    if (!status && vp != call->caller->vp)
        status = HV_STATUS_ACCESS_DENIED;
    if (!status && vtl != call->caller->vtl)
        status = HV_STATUS_INVALID_VTL_STATE;
    return status;
}

/* The caller is in ring 0, so without a word about it the access is a supervisor's. */
static struct page_walk walk_of(const struct vmr_hv_guest *guest, const struct vmr_x86_regs *regs, uint64_t flags)
{
    return (struct page_walk){
        .regs = regs,
        .physical_bits = calls_limits(guest).physical_bits,
        .write = (flags & FLAG_WRITE) != 0,
        .execute = (flags & FLAG_EXECUTE) != 0,
        .data = (flags & (FLAG_READ | FLAG_WRITE)) != 0,
        .check_privilege = (flags & FLAG_PRIVILEGE_EXEMPT) == 0,
        .user = (flags & FLAG_USER) != 0,
        .ignore_ac = (flags & FLAG_ENFORCE_SMAP) != 0,
        .without_smap = (flags & FLAG_OVERRIDE_SMAP) != 0,
        .set_bits = (flags & FLAG_SET_BITS) != 0,
    };
}

/* What the page itself allows, once the tables have let the access through. */
static uint32_t code_of_page(const struct vmr_hv_guest *guest, vmr_gpa gpa, bool write)
{
    struct vmr_memory_region region;

    if (!vmr_memory_region_find(guest->memory, gpa, &region))
        return CODE_GPA_UNMAPPED;
    return write && region.read_only ? CODE_NO_WRITE_ACCESS : CODE_SUCCESS;
}

static enum hv_status translate(const struct vmr_hv_guest *guest, struct vmr_hv_call *call, unsigned page_offset)
{
    /* The result codes of the tables are those of the specification, in its order. */
    static const uint32_t codes[] = {[PAGE_WALK_OK] = 0,
                                     [PAGE_WALK_NOT_PRESENT] = 1,
                                     [PAGE_WALK_PRIVILEGE] = 2,
                                     [PAGE_WALK_RESERVED] = 3,
                                     [PAGE_WALK_NO_TABLE] = CODE_GPA_UNMAPPED};
    enum hv_status status = admit(guest, call);

    if (status)
        return status;
    uint64_t flags = load_le64(call->input + INPUT_FLAGS);
    const struct page_walk walk = walk_of(guest, guest->vps[call->caller->vp].site->regs, flags);
    vmr_gpa gpa = 0;
    enum page_walk_result result = page_walk(guest->memory, &walk, load_le64(call->input + INPUT_PAGE) << 12, &gpa);
    uint32_t code = result ? codes[result] : code_of_page(guest, gpa, walk.write);

    store_le32(call->output + OUTPUT_CODE, code);
    if (code == CODE_SUCCESS)
        call->output[OUTPUT_TYPE] = TYPE_WRITE_BACK; /* RAM is all that there is behind an address here */
    store_le64(call->output + page_offset, gpa >> 12);
    return HV_STATUS_SUCCESS;
}

enum hv_status calls_translate(void *context, struct vmr_hv_call *call)
{
    return translate(context, call, OUTPUT_PAGE);
}

enum hv_status calls_translate_ex(void *context, struct vmr_hv_call *call)
{
    return translate(context, call, OUTPUT_EX_PAGE);
}
