/* SPDX-License-Identifier: MIT */
/* Finding and starting processors (TLFS, HvCallGetVpIndexFromApicId, HvCallStartVirtualProcessor). */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"
#include "lib/hv/initial_context.h"
#include "lib/hv/x86_state.h"

/* --- GetVpIndexFromApicId: partition, VTL, seven bytes that are zero; APIC ids in, VP indices out --- */

#define INDEX_VTL 8u
#define INDEX_RESERVED 9u

/* A local APIC's id is the index of its VP. [LIFE-3] */
enum hv_status calls_vp_index(void *context, struct vmr_hv_call *call)
{
    const struct vmr_hv_guest *guest = context;
    enum hv_status status = calls_check_partition(call);

    if (!status)
        status = calls_check_vtl(call, call->input[INDEX_VTL]);
    if (!status && load_le(call->input + INDEX_RESERVED, 7) != 0)
        status = HV_STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; !status && i < call->rep_count; i++) {
        uint32_t apic_id = load_le32(call->reps + (size_t)4 * i);

        if (apic_id >= guest->vp_count)
            return HV_STATUS_INVALID_PARAMETER;
        store_le32(call->output + (size_t)4 * i, apic_id);
        call->reps_done = i + 1;
    }
    return status;
}

/* --- StartVirtualProcessor: partition, VP, VTL, three bytes that are zero, a context --- */

#define START_VP 8u
#define START_VTL 12u
#define START_RESERVED 13u
#define START_CONTEXT 16u

enum hv_status calls_start_vp(void *context, struct vmr_hv_call *call)
{
    const struct vmr_hv_guest *guest = context;
    const struct x86_limits limits = calls_limits(guest);
    struct vmr_hv_initial start;
    enum hv_status status = calls_check_partition(call);
    vmr_vp_index vp = 0;

    if (!status)
        status = calls_find_vp(guest, call, load_le32(call->input + START_VP), &vp);
    if (!status)
        status = calls_check_vtl(call, call->input[START_VTL]);
    if (!status && load_le(call->input + START_RESERVED, 3) != 0)
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status && vp == call->caller->vp)
        status = HV_STATUS_INVALID_VP_STATE;
    if (!status)
        status = initial_context_decode(call->input + START_CONTEXT, &start);
    if (!status && !x86_state_is_possible(&start.regs, &limits))
        status = HV_STATUS_INVALID_REGISTER_VALUE;
    if (status)
        return status;
    switch (guest->target.start(guest->target.context, vp, call->caller->vp, &start)) {
    case VMR_HV_START_DONE:
        return HV_STATUS_SUCCESS;
    case VMR_HV_START_ASKED:
        return HV_STATUS_TIMEOUT; /* the guest repeats the call until the VP's thread has answered */
    case VMR_HV_START_REFUSED:
    default:
        return HV_STATUS_INVALID_VP_STATE;
    }
}
