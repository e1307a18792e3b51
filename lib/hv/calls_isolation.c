/* SPDX-License-Identifier: MIT */
/*
 * AcceptGpaPages, and what is visible to the host: ModifySparse- and
 * QuerySparseGpaPageHostVisibility, in an isolated partition.
 */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"

/* Two bits, of which only all and nothing are served. */
static bool decode_visibility(uint32_t guest_bits, enum vmr_page_visibility *ret_visibility)
{
    *ret_visibility = guest_bits == HV_VISIBILITY_SHARED ? VMR_PAGE_SHARED : VMR_PAGE_EXCLUSIVE;
    return guest_bits == HV_VISIBILITY_SHARED || guest_bits == HV_VISIBILITY_PRIVATE;
}

/* --- AcceptGpaPages: partition, attributes, permissions of VTL 1 and 2, first page; the list counts, its values do not
 * --- */

#define ACCEPT_ATTRIBUTES 8u
#define ACCEPT_PERMISSIONS 12u /* 2 bytes each */
#define ACCEPT_PAGE 16u

/* A VTL sets what it, and those below it, let lower ones do. */
static enum hv_status decode_permissions(const struct vmr_hv_call *call, uint8_t ret_permissions[VMR_VTL_COUNT])
{
    unsigned set = load_le32(call->input + ACCEPT_ATTRIBUTES) >> HV_ACCEPT_VTL_SET_SHIFT & 7u;

    if (set & 1u)
        return HV_STATUS_INVALID_PARAMETER; /* VTL 0 has none below */
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        ret_permissions[vtl] = HV_MAP_GPA_PERMISSIONS_ALL;
        if (!(set >> vtl & 1u))
            continue;
        uint16_t access = load_le16(call->input + ACCEPT_PERMISSIONS + 2u * (vtl - 1));

        if ((access & ~HV_MAP_GPA_PERMISSIONS_ALL) != 0)
            return HV_STATUS_INVALID_PARAMETER;
        if (vtl > call->caller->vtl)
            return HV_STATUS_ACCESS_DENIED;
        ret_permissions[vtl] = (uint8_t)access;
    }
    return HV_STATUS_SUCCESS;
}

static enum hv_status check_accept(const struct vmr_hv_call *call, enum vmr_page_visibility *ret_visibility)
{
    uint32_t attributes = load_le32(call->input + ACCEPT_ATTRIBUTES);
    enum hv_status status = calls_check_partition(call);

    if (status)
        return status;
    if ((attributes & HV_ACCEPT_RESERVED) != 0 || (attributes & HV_ACCEPT_MEMORY_TYPE_MASK) > HV_ACCEPT_MEMORY_RAM ||
        !decode_visibility(attributes >> HV_ACCEPT_VISIBILITY_SHIFT & 3u, ret_visibility))
        return HV_STATUS_INVALID_PARAMETER;
    return HV_STATUS_SUCCESS;
}

enum hv_status calls_accept_pages(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint8_t permissions[VMR_VTL_COUNT];
    enum vmr_page_visibility visibility;
    enum hv_status status = check_accept(call, &visibility);
    uint64_t first = load_le64(call->input + ACCEPT_PAGE);

    if (!status)
        status = decode_permissions(call, permissions);
    if (status)
        return status;
    for (; call->reps_done < call->rep_count; call->reps_done++) {
        uint64_t page = first + call->rep_first + call->reps_done;

        status = page < first ? HV_STATUS_INVALID_PARAMETER
                              : guest_pages_status(guest_pages_accept(&guest->pages, page, visibility, permissions));
        if (status)
            return status;
    }
    return HV_STATUS_SUCCESS;
}

/* --- ModifySparseGpaPageHostVisibility: partition, visibility, 4 bytes that are zero; page numbers --- */

#define MODIFY_VISIBILITY 8u
#define MODIFY_RESERVED 12u

enum hv_status calls_modify_visibility(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    enum vmr_page_visibility visibility;
    enum hv_status status = calls_check_partition(call);

    if (status)
        return status;
    if (!decode_visibility(load_le32(call->input + MODIFY_VISIBILITY), &visibility) ||
        load_le32(call->input + MODIFY_RESERVED) != 0)
        return HV_STATUS_INVALID_PARAMETER;
    for (; call->reps_done < call->rep_count; call->reps_done++) {
        uint64_t page = load_le64(call->reps + 8u * call->reps_done);

        status = guest_pages_status(guest_pages_set_visibility(&guest->pages, page, visibility));
        if (status)
            return status;
    }
    return HV_STATUS_SUCCESS;
}

/* --- QuerySparseGpaPageHostVisibility: partition; page numbers, a byte each out --- */

enum hv_status calls_query_visibility(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    enum vmr_page_visibility visibility;
    enum hv_status status = calls_check_partition(call);

    if (status)
        return status;
    for (; call->reps_done < call->rep_count; call->reps_done++) {
        uint64_t page = load_le64(call->reps + 8u * call->reps_done);

        status = guest_pages_status(guest_pages_visibility(&guest->pages, page, &visibility));
        if (status)
            return status;
        call->output[call->reps_done] = visibility == VMR_PAGE_SHARED ? HV_VISIBILITY_SHARED : HV_VISIBILITY_PRIVATE;
    }
    return HV_STATUS_SUCCESS;
}
