/* SPDX-License-Identifier: MIT */
/* Interrupts of virtual devices: mapped and raised by the host, aimed by the guest. */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"

/* --- RetargetDeviceInterrupt: partition, device, entry, 8 bytes that are zero, target --- */

#define RETARGET_DEVICE 8u
#define RETARGET_SOURCE 16u
#define RETARGET_SOURCE_RESERVED 20u
#define RETARGET_ADDRESS 24u
#define RETARGET_DATA 28u
#define RETARGET_RESERVED 32u
#define RETARGET_VECTOR 40u
#define RETARGET_FLAGS 44u
#define RETARGET_SET 48u /* a mask, or the format of the set that follows */

#define SOURCE_MSI 1u
#define FLAG_MULTICAST 1u
#define FLAG_SET 2u
#define FLAGS_DEFINED (FLAG_MULTICAST | FLAG_SET)

/* The first word of the variable header is the mask of banks. */
static enum hv_status decode_set(const struct vmr_hv_call *call, uint32_t flags, struct vmr_hv_vp_set *ret_set)
{
    uint64_t set = load_le64(call->input + RETARGET_SET);

    if (!(flags & FLAG_SET)) {
        vmr_hv_vp_set_init(ret_set, set);
        return call->variable_words == 0 ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER;
    }
    if (call->variable_words == 0)
        return HV_STATUS_INVALID_PARAMETER;
    return vmr_hv_vp_set_decode(set, load_le64(call->variable), call->variable + 8, call->variable_words - 1, ret_set);
}

static bool names_nobody(const struct vmr_hv_guest *guest, const struct vmr_hv_vp_set *vps)
{
    vmr_vp_index vp = 0;

    return !vmr_hv_vp_set_next(vps, guest->vp_count, &vp);
}

static enum hv_status decode(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call,
                             struct vmr_hv_interrupt *ret_interrupt)
{
    uint32_t flags = load_le32(call->input + RETARGET_FLAGS), vector = load_le32(call->input + RETARGET_VECTOR);
    enum hv_status status = calls_check_partition(call);

    if (status)
        return status;
    if ((flags & ~FLAGS_DEFINED) != 0 || load_le32(call->input + RETARGET_SOURCE) != SOURCE_MSI ||
        load_le32(call->input + RETARGET_SOURCE_RESERVED) != 0 || load_le64(call->input + RETARGET_RESERVED) != 0 ||
        vector < HV_SINT_VECTOR_MIN || vector > UINT8_MAX)
        return HV_STATUS_INVALID_PARAMETER;
    status = decode_set(call, flags, &ret_interrupt->vps);
    if (!status && names_nobody(guest, &ret_interrupt->vps))
        status = HV_STATUS_INVALID_PARAMETER;
    ret_interrupt->vector = (uint8_t)vector;
    ret_interrupt->multicast = (flags & FLAG_MULTICAST) != 0;
    return status;
}

enum hv_status calls_retarget(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    struct vmr_hv_interrupt interrupt = {0};
    enum hv_status status = decode(guest, call, &interrupt);
    const struct vmr_msi msi = {.address = load_le32(call->input + RETARGET_ADDRESS),
                                .data = load_le32(call->input + RETARGET_DATA)};

    if (status)
        return status;
    return device_map_retarget(&guest->devices, load_le64(call->input + RETARGET_DEVICE), &msi, &interrupt)
               ? HV_STATUS_SUCCESS
               : HV_STATUS_INVALID_DEVICE_ID;
}

/* --- the host's side --- */

enum vmr_status vmr_hv_guest_map_interrupt(struct vmr_hv_guest *guest, uint64_t device_id,
                                           const struct vmr_hv_interrupt *interrupt, struct vmr_msi *ret_msi,
                                           struct vmr_error *err)
{
    unsigned long long id = device_id;

    if (interrupt->vector < HV_SINT_VECTOR_MIN)
        return vmr_error_set(err, VMR_E_CONFIG, "interrupt of device %#llx: vector %u is an exception's", id,
                             interrupt->vector);
    if (names_nobody(guest, &interrupt->vps))
        return vmr_error_set(err, VMR_E_CONFIG, "interrupt of device %#llx: the partition has none of its VPs", id);
    if (!device_map_add(&guest->devices, device_id, interrupt, ret_msi))
        return vmr_error_set(err, VMR_E_NOMEM, "interrupt of device %#llx: no room among %u", id,
                             VMR_HV_DEVICE_INTERRUPT_MAX);
    return VMR_OK;
}

void vmr_hv_guest_unmap_interrupt(struct vmr_hv_guest *guest, uint64_t device_id, const struct vmr_msi *msi)
{
    device_map_remove(&guest->devices, device_id, msi);
}

enum vmr_status vmr_hv_guest_signal_interrupt(struct vmr_hv_guest *guest, uint64_t device_id, const struct vmr_msi *msi)
{
    struct vmr_hv_interrupt interrupt;

    if (!device_map_get(&guest->devices, device_id, msi, &interrupt))
        return VMR_E_GUEST;
    for (vmr_vp_index vp = 0; vmr_hv_vp_set_next(&interrupt.vps, guest->vp_count, &vp); vp++) {
        guest_raise(guest, vp, VMR_VTL0, interrupt.vector, false);
        if (!interrupt.multicast)
            break;
    }
    return VMR_OK;
}
