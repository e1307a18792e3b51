/* SPDX-License-Identifier: MIT */
/*
 * Flushing translations of other processors (TLFS, HvCallFlushVirtualAddressSpace
 * and its relatives). What is flushed is always everything of the processors
 * that are meant: more than was asked for is allowed, less is not.
 */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"

/* Address space at 0, flags at 8, then a mask, or a set. */
#define FLUSH_FLAGS 8u
#define FLUSH_MASK 16u
#define FLUSH_SET 16u

#define FLAG_ALL_PROCESSORS UINT64_C(1)
#define FLAG_ALL_SPACES UINT64_C(2)
#define FLAG_NON_GLOBAL UINT64_C(4)
#define FLAG_EXTENDED_RANGE UINT64_C(8)
#define FLAGS_DEFINED (FLAG_ALL_PROCESSORS | FLAG_ALL_SPACES | FLAG_NON_GLOBAL | FLAG_EXTENDED_RANGE)

static enum hv_status flush(struct vmr_hv_guest *guest, struct vmr_hv_call *call, struct vmr_hv_vp_set *set)
{
    uint64_t flags = load_le64(call->input + FLUSH_FLAGS);

    if ((flags & ~FLAGS_DEFINED) != 0)
        return HV_STATUS_INVALID_PARAMETER;
    if ((flags & FLAG_ALL_PROCESSORS) != 0)
        *set = (struct vmr_hv_vp_set){.all = true};
    guest->target.flush(guest->target.context, set, call->caller->vp);
    return HV_STATUS_SUCCESS;
}

/* Both forms: the addresses of a list say what need be flushed, and all is. */
enum hv_status calls_flush(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_vp_set set;

    vmr_hv_vp_set_init(&set, load_le64(call->input + FLUSH_MASK));
    return flush(context, call, &set);
}

enum hv_status calls_flush_ex(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_vp_set set;
    enum hv_status status = calls_find_vps(call, FLUSH_SET, &set);

    return status ? status : flush(context, call, &set);
}
