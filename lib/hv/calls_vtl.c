/* SPDX-License-Identifier: MIT */
/*
 * EnablePartitionVtl, EnableVpVtl, ModifyVtlProtectionMask, and VTL call and
 * return (TLFS, Virtual Secure Mode). What the fields of an input may hold is
 * checked here, in the order of the fields, but for a VTL that EnablePartitionVtl
 * cannot give, which comes first; who may do what is in vtls.c.
 */

#include "lib/hv/calls.h"

#include "lib/base/bytes.h"
#include "lib/hv/initial_context.h"

/* --- EnablePartitionVtl: partition, VTL, flags, 6 bytes that are zero --- */

#define ENABLE_VTL 8u
#define ENABLE_FLAGS 9u /* MBEC, and what else a processor may have: nothing here */

enum hv_status calls_enable_partition_vtl(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint8_t vtl = call->input[ENABLE_VTL];

    if (vtl > guest->vtls.highest)
        return HV_STATUS_ACCESS_DENIED;
    enum hv_status status = calls_check_partition(call);

    if (status)
        return status;
    if (load_le(call->input + ENABLE_FLAGS, 7) != 0)
        return HV_STATUS_INVALID_PARAMETER;
    return vtls_enable(&guest->vtls, call->caller->vtl, vtl);
}

/* --- EnableVpVtl: partition, VP, VTL, 3 bytes that are zero, a context --- */

#define ENABLE_VP 8u
#define ENABLE_VP_VTL 12u
#define ENABLE_VP_RESERVED 13u
#define ENABLE_VP_CONTEXT 16u

enum hv_status calls_enable_vp_vtl(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    struct vmr_hv_initial initial;
    vmr_vp_index vp;
    enum hv_status status = calls_check_partition(call);

    if (!status)
        status = calls_find_vp(guest, call, load_le32(call->input + ENABLE_VP), &vp);
    if (status)
        return status;
    if (call->input[ENABLE_VP_VTL] >= VMR_VTL_COUNT || load_le(call->input + ENABLE_VP_RESERVED, 3) != 0)
        return HV_STATUS_INVALID_PARAMETER;
    status = initial_context_decode(call->input + ENABLE_VP_CONTEXT, &initial);

    return status ? status : vtls_enable_vp(&guest->vtls, call->caller->vtl, vp, call->input[ENABLE_VP_VTL], &initial);
}

/* --- ModifyVtlProtectionMask: partition, flags, VTL, 3 bytes that are zero; page numbers --- */

#define MODIFY_FLAGS 8u
#define MODIFY_VTL 12u
#define MODIFY_RESERVED 13u

/* A page that can be written can be read: no processor has it otherwise. */
static bool is_access(uint32_t flags)
{
    return (flags & ~HV_MAP_GPA_PERMISSIONS_ALL) == 0 &&
           (flags & (HV_MAP_GPA_READABLE | HV_MAP_GPA_WRITABLE)) != HV_MAP_GPA_WRITABLE;
}

static enum hv_status check_modify(const struct vmr_hv_call *call, uint8_t *ret_target)
{
    enum hv_status status = calls_check_partition(call);

    if (!status &&
        (!is_access(load_le32(call->input + MODIFY_FLAGS)) || load_le(call->input + MODIFY_RESERVED, 3) != 0))
        status = HV_STATUS_INVALID_PARAMETER;
    if (!status)
        status = calls_find_vtl(call, call->input[MODIFY_VTL], ret_target);
    if (!status && *ret_target == call->caller->vtl)
        status = HV_STATUS_ACCESS_DENIED;
    return status;
}

enum hv_status calls_modify_vtl_protection(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint8_t target, imposer = call->caller->vtl, access = (uint8_t)load_le32(call->input + MODIFY_FLAGS);
    enum hv_status status = check_modify(call, &target);

    if (!status && imposer == VMR_VTL2)
        status = guest_pages_status(guest_pages_lift(&guest->pages));
    if (status)
        return status;
    for (; call->reps_done < call->rep_count; call->reps_done++) {
        uint64_t page = load_le64(call->reps + 8u * call->reps_done);

        status = guest_pages_status(guest_pages_protect(&guest->pages, imposer, target, page, access));
        if (status)
            return status;
    }
    return HV_STATUS_SUCCESS;
}

/* --- VTL call and return --- */

/* A return that is not fast gives RAX and RCX what the higher VTL left for the lower one. */
static bool load_return_registers(struct vmr_hv_guest *guest, const struct vmr_hv_caller *caller,
                                  struct vmr_x86_regs *regs)
{
    uint8_t bytes[16];

    if (overlay_read(&guest->vps[caller->vp].assists[caller->vtl].page, HV_VTL_RETURN_RAX, bytes, sizeof(bytes)))
        return false;
    if (caller->abi == VMR_HV_ABI_X64) {
        regs->gpr[VMR_X86_RAX] = load_le64(bytes);
        regs->gpr[VMR_X86_RCX] = load_le64(bytes + 8);
    } else {
        regs->gpr[VMR_X86_RAX] = load_le32(bytes);
        regs->gpr[VMR_X86_RCX] = load_le32(bytes + 4);
        regs->gpr[VMR_X86_RDX] = load_le32(bytes + 8);
    }
    return true;
}

bool calls_switch_vtl(void *context, const struct vmr_hv_vtl_switch *request)
{
    struct vmr_hv_guest *guest = context;
    const struct vmr_hv_caller *caller = request->caller;
    struct vmr_hv_site *site = guest->vps[caller->vp].site;

    if (!site || caller->vtl != vtls_active(&guest->vtls, caller->vp))
        return false;
    if (!request->is_return) {
        if (!vtls_call(&guest->vtls, caller->vp, &site->entry))
            return false;
        guest_tell_entry(guest, caller->vp, site->entry.vtl, HV_VTL_ENTRY_CALL);
        return true;
    }
    struct vmr_x86_regs regs = *site->regs;

    if (!request->fast && !load_return_registers(guest, caller, &regs))
        return false;
    if (!vtls_return(&guest->vtls, caller->vp, &site->entry))
        return false;
    *site->regs = regs;
    return true;
}
