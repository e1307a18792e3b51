/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from one processor to others (TLFS, HvCallSendSyntheticClusterIpi,
 * HvCallSendSyntheticClusterIpiEx, HvCallAssertVirtualInterrupt). A processor
 * that does not exist, or has not got the VTL, gets nothing, as by a local APIC.
 */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"

/* Vector at 0, VTL at 4, three bytes that are zero; a mask, or a set. */
#define IPI_VECTOR 0u
#define IPI_VTL 4u
#define IPI_RESERVED 5u
#define IPI_MASK 8u
#define IPI_SET 8u

static enum hv_status check_vector(uint32_t vector)
{
    return vector >= HV_SINT_VECTOR_MIN && vector <= UINT8_MAX ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER;
}

static enum hv_status send(struct vmr_hv_guest *guest, const struct vmr_hv_call *call, const struct vmr_hv_vp_set *set)
{
    uint32_t vector = load_le32(call->input + IPI_VECTOR);
    uint8_t vtl;
    enum hv_status status = check_vector(vector);

    if (!status && load_le(call->input + IPI_RESERVED, 3) != 0)
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status)
        status = calls_find_vtl(call, call->input[IPI_VTL], &vtl);
    if (status)
        return status;
    for (vmr_vp_index vp = 0; vmr_hv_vp_set_next(set, guest->vp_count, &vp); vp++)
        guest_raise(guest, vp, vtl, (uint8_t)vector, false);
    return HV_STATUS_SUCCESS;
}

enum hv_status calls_send_ipi(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_vp_set set;

    vmr_hv_vp_set_init(&set, load_le64(call->input + IPI_MASK));
    return send(context, call, &set);
}

enum hv_status calls_send_ipi_ex(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_vp_set set;
    enum hv_status status = calls_find_vps(call, IPI_SET, &set);

    return status ? status : send(context, call, &set);
}

/* --- AssertVirtualInterrupt: partition, control, destination, vector, VTL, three bytes that are zero --- */

#define ASSERT_CONTROL 8u /* type in 32 bits, level-triggered, logical destination; 30 bits that are zero */
#define ASSERT_DESTINATION 16u
#define ASSERT_VECTOR 24u
#define ASSERT_VTL 28u
#define ASSERT_RESERVED 29u

#define ASSERT_TYPE_MASK UINT64_C(0xffffffff)
#define ASSERT_LEVEL (UINT64_C(1) << 32)
#define ASSERT_LOGICAL (UINT64_C(1) << 33)
#define ASSERT_DEFINED (ASSERT_TYPE_MASK | ASSERT_LEVEL | ASSERT_LOGICAL)

/* The types that are delivery modes of a message, under the same numbers (Intel SDM vol. 3, 11.11.2). */
#define TYPE_LOWEST 1u
#define TYPE_NMI 4u

/* An 8-bit destination in bits 12 to 19; what is above goes to the upper half of the address. */
static struct vmr_msi message_of(uint64_t control, uint64_t destination, uint8_t vector)
{
    return (struct vmr_msi){
        .address = UINT64_C(0xfee00000) | (destination & 0xff) << 12 | (destination & UINT64_C(0xffffff00)) << 32 |
                   ((control & ASSERT_LOGICAL) != 0 ? 4u : 0u),
        .data = vector | (uint32_t)(control & ASSERT_TYPE_MASK) << 8,
    };
}

enum hv_status calls_assert_interrupt(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint64_t control = load_le64(call->input + ASSERT_CONTROL);
    uint64_t destination = load_le64(call->input + ASSERT_DESTINATION);
    uint32_t vector = load_le32(call->input + ASSERT_VECTOR);
    uint64_t type = control & ASSERT_TYPE_MASK;
    enum hv_status status = calls_check_partition(call);

    if (!status)
        status = calls_check_vtl(call, call->input[ASSERT_VTL]);
    /* It is for who provides a lower VTL with its devices. */
    if (!status && call->input[ASSERT_VTL] == call->caller->vtl)
        status = HV_STATUS_ACCESS_DENIED;
    if (!status && (load_le(call->input + ASSERT_RESERVED, 3) != 0 || (control & ~ASSERT_DEFINED) != 0 ||
                    destination > UINT32_MAX))
        status = HV_STATUS_INVALID_PARAMETER;
    /* A level has nobody here who would take it back. */
    if (!status && ((type > TYPE_LOWEST && type != TYPE_NMI) || (control & ASSERT_LEVEL) != 0))
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status && type != TYPE_NMI)
        status = check_vector(vector);
    /* Destinations are names of local APICs, and above VTL 0 there are none. */
    if (!status && call->input[ASSERT_VTL] != VMR_VTL0)
        status = HV_STATUS_INVALID_VTL_STATE;
    if (status)
        return status;
    const struct vmr_msi msi = message_of(control, destination, (uint8_t)vector);

    return guest->target.msi(guest->target.context, &msi) ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER;
}
