/* SPDX-License-Identifier: MIT */
/* Whom a hypercall names: partition, VP, VTL (TLFS, Partition, VP and VTL identifiers). */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"
#include "lib/hv/x86_state.h"

/* VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT: what every processor with long mode has. */
#define CR4_EVERYWHERE UINT64_C(0x7ff)

enum hv_status calls_check_partition(const struct vmr_hv_call *call)
{
    return load_le64(call->input) == HV_PARTITION_ID_SELF ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARTITION_ID;
}

enum hv_status calls_find_vp(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint32_t guest_vp,
                             vmr_vp_index *ret_vp)
{
    uint32_t vp = guest_vp == HV_VP_INDEX_SELF ? call->caller->vp : guest_vp;

    if (vp >= guest->vp_count)
        return HV_STATUS_INVALID_VP_INDEX;
    *ret_vp = vp;
    return HV_STATUS_SUCCESS;
}

enum hv_status calls_check_vtl(const struct vmr_hv_call *call, uint8_t guest_vtl)
{
    if (guest_vtl >= VMR_VTL_COUNT)
        return HV_STATUS_INVALID_PARAMETER;
    return guest_vtl <= call->caller->vtl ? HV_STATUS_SUCCESS : HV_STATUS_ACCESS_DENIED;
}

enum hv_status calls_find_vtl(const struct vmr_hv_call *call, uint8_t guest_vtl, uint8_t *ret_vtl)
{
    uint8_t vtl = (guest_vtl & HV_INPUT_VTL_USE_TARGET) != 0 ? guest_vtl & HV_INPUT_VTL_TARGET_MASK : call->caller->vtl;

    if ((guest_vtl & HV_INPUT_VTL_RESERVED) != 0)
        return HV_STATUS_INVALID_PARAMETER;
    enum hv_status status = calls_check_vtl(call, vtl);

    if (!status)
        *ret_vtl = vtl;
    return status;
}

enum hv_status calls_find_vps(const struct vmr_hv_call *call, size_t offset, struct vmr_hv_vp_set *ret_set)
{
    const uint8_t *set = call->input + offset;

    return vmr_hv_vp_set_decode(load_le64(set), load_le64(set + 8), call->variable, call->variable_words, ret_set);
}

struct x86_limits calls_limits(const struct vmr_hv_guest *guest)
{
    const struct vmr_hv_target *target = &guest->target;

    return (struct x86_limits){.cr4 = target->cr4 ? target->cr4 : CR4_EVERYWHERE,
                               .physical_bits = target->physical_bits ? target->physical_bits : VMR_PHYSICAL_BITS_MAX};
}
