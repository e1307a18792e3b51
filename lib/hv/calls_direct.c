/* SPDX-License-Identifier: MIT */
/*
 * Events and messages straight to a SINT (TLFS, HvCallSignalEventDirect,
 * HvCallPostMessageDirect): without a connection, since who makes these calls
 * is what provides the lower VTL with its devices. From the VTL itself they are
 * denied.
 */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"

static enum hv_status check_direct(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint32_t guest_vp,
                                   struct vmr_synic_target *target)
{
    enum hv_status status = calls_check_partition(call);
    vmr_vp_index vp;

    if (!status && target->vtl >= VMR_VTL_COUNT)
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status && target->vtl >= call->caller->vtl)
        status = HV_STATUS_OPERATION_DENIED;
    if (!status)
        status = calls_find_vp(guest, call, guest_vp, &vp);
    if (!status && target->sint >= HV_SINT_COUNT)
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status)
        target->vp = vp;
    return status;
}

/* --- partition, VP, VTL, SINT, flag; out: whether the flag is news, in a byte --- */

#define SIGNAL_VP 8u
#define SIGNAL_VTL 12u
#define SIGNAL_SINT 13u
#define SIGNAL_FLAG 14u

enum hv_status calls_signal_direct(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    struct vmr_synic_target target = {.vtl = call->input[SIGNAL_VTL], .sint = call->input[SIGNAL_SINT]};
    uint16_t flag = load_le16(call->input + SIGNAL_FLAG);
    enum hv_status status = check_direct(guest, call, load_le32(call->input + SIGNAL_VP), &target);

    /* SINT 0 has the hypervisor's own messages. */
    if (!status && (target.sint == 0 || flag >= HV_EVENT_FLAG_COUNT))
        status = HV_STATUS_INVALID_PARAMETER;
    if (status)
        return status;
    call->output[0] = vmr_synic_signal_event(guest->synic, &target, flag) == VMR_SYNIC_SIGNALED;
    return HV_STATUS_SUCCESS;
}

/* --- partition, VP, VTL, 3 bytes, SINT, 3 bytes, a whole message, 4 bytes --- */

#define POST_VP 8u
#define POST_VTL 12u
#define POST_SINT 16u
#define POST_MESSAGE 20u

enum hv_status calls_post_direct(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    const uint8_t *bytes = call->input + POST_MESSAGE;
    struct vmr_synic_target target = {.vtl = call->input[POST_VTL], .sint = call->input[POST_SINT]};
    enum hv_status status = check_direct(guest, call, load_le32(call->input + POST_VP), &target);

    if (status)
        return status;
    const struct vmr_synic_message message = {.type = load_le32(bytes + HV_MESSAGE_TYPE_OFFSET),
                                              .origin = load_le64(bytes + HV_MESSAGE_ORIGIN_OFFSET),
                                              .payload = bytes + HV_MESSAGE_PAYLOAD_OFFSET,
                                              .length = bytes[HV_MESSAGE_LENGTH_OFFSET]};

    if (message.type == HV_MESSAGE_TYPE_NONE || message.length > HV_MESSAGE_PAYLOAD_MAX)
        return HV_STATUS_INVALID_PARAMETER;
    enum vmr_status posted = vmr_synic_post_message(guest->synic, &target, &message);

    if (posted == VMR_E_STATE)
        return HV_STATUS_INSUFFICIENT_BUFFERS;
    return posted ? HV_STATUS_INVALID_PARAMETER : HV_STATUS_SUCCESS;
}
