/* SPDX-License-Identifier: MIT */
/*
 * An access that its VTL may not make: why, and what becomes of it. The message
 * to the higher VTL is that of the specification (TLFS, Intercept Message
 * Header; memory access).
 */

#include <inttypes.h>

#include "lib/base/bytes.h"
#include "lib/hv/guest.h"

#define CR0_PE UINT64_C(1)
#define CR0_AM (UINT64_C(1) << 18)
#define EFER_LMA (UINT64_C(1) << 10)
#define SEGMENT_DPL(attributes) ((unsigned)(attributes) >> 5 & 3u)
#define SINT_INTERCEPTS 0u

static uint8_t access_of(uint8_t access_type)
{
    return access_type == HV_INTERCEPT_WRITE     ? HV_MAP_GPA_WRITABLE
           : access_type == HV_INTERCEPT_EXECUTE ? HV_MAP_GPA_KERNEL_EXECUTABLE
                                                 : HV_MAP_GPA_READABLE;
}

static uint16_t execution_state(const struct vmr_hv_fault *fault)
{
    const struct vmr_x86_regs *regs = fault->regs;

    return (uint16_t)(SEGMENT_DPL(regs->ss.attributes) | (regs->cr0 & CR0_PE ? 1u << 2 : 0) |
                      (regs->cr0 & CR0_AM ? 1u << 3 : 0) | (regs->efer & EFER_LMA ? 1u << 4 : 0) |
                      (unsigned)fault->vtl << 7);
}

static void encode(const struct vmr_hv_fault *fault, uint8_t ret_payload[HV_INTERCEPT_BYTES])
{
    const struct vmr_x86_regs *regs = fault->regs;
    uint8_t *cs = ret_payload + HV_INTERCEPT_CS;

    for (unsigned i = 0; i < HV_INTERCEPT_BYTES; i++)
        ret_payload[i] = 0;
    store_le32(ret_payload + HV_INTERCEPT_VP, fault->vp);
    ret_payload[HV_INTERCEPT_LENGTH_AND_CR8] = (uint8_t)(regs->cr8 << 4); /* the length is not known */
    ret_payload[HV_INTERCEPT_ACCESS_TYPE] = fault->access_type;
    store_le16(ret_payload + HV_INTERCEPT_EXECUTION_STATE, execution_state(fault));
    store_le64(cs, regs->cs.base);
    store_le32(cs + 8, regs->cs.limit);
    store_le16(cs + 12, regs->cs.selector);
    store_le16(cs + 14, regs->cs.attributes);
    store_le64(ret_payload + HV_INTERCEPT_RIP, regs->rip);
    store_le64(ret_payload + HV_INTERCEPT_RFLAGS, regs->rflags);
    store_le32(ret_payload + HV_INTERCEPT_CACHE_TYPE, HV_CACHE_TYPE_WRITE_BACK);
    store_le64(ret_payload + HV_INTERCEPT_GPA, fault->gpa);
}

/* The VTL enters although its vector waits too: it is there when the vector is taken. */
static enum vmr_hv_fault_end intercept(struct vmr_hv_guest *guest, const struct vmr_hv_fault *fault, uint8_t vtl,
                                       uint32_t type, struct vmr_hv_entry *ret_entry)
{
    const struct vmr_synic_target target = {.vp = fault->vp, .vtl = vtl, .sint = SINT_INTERCEPTS};
    uint8_t payload[HV_INTERCEPT_BYTES];
    const struct vmr_synic_message message = {.type = type, .payload = payload, .length = sizeof(payload)};

    if (vtl <= fault->vtl || !((unsigned)vtls_enabled_on(&guest->vtls, fault->vp) >> vtl & 1u) ||
        !vmr_synic_is_open(guest->synic, &target))
        return VMR_HV_FAULT_HALT;
    encode(fault, payload);
    if (vmr_synic_post_message(guest->synic, &target, &message) != VMR_OK ||
        !vtls_enter(&guest->vtls, fault->vp, vtl, ret_entry))
        return VMR_HV_FAULT_HALT;
    guest_tell_entry(guest, fault->vp, vtl, HV_VTL_ENTRY_INTERRUPT);
    return VMR_HV_FAULT_ENTER;
}

static enum vmr_hv_fault_end too_early(struct vmr_hv_guest *guest, const struct vmr_hv_fault *fault)
{
    switch (guest->pages.policy) {
    case VMR_LATE_MAP_LOG:
        complain(guest->host, &guest->late_access, VMR_CULPRIT_GUEST,
                 "VP %" PRIu32 " VTL %u: touches %#" PRIx64 ", which is not mapped yet: done all the same", fault->vp,
                 fault->vtl, fault->gpa);
        return VMR_HV_FAULT_PASS;
    case VMR_LATE_MAP_INJECT_EXCEPTION:
        return VMR_HV_FAULT_EXCEPTION;
    case VMR_LATE_MAP_HALT:
    case VMR_LATE_MAP_POLICY_COUNT:
        break;
    }
    return VMR_HV_FAULT_HALT;
}

enum vmr_hv_fault_end vmr_hv_guest_fault(struct vmr_hv_guest *guest, const struct vmr_hv_fault *fault,
                                         struct vmr_hv_entry *ret_entry)
{
    uint8_t imposer = guest->vtls.highest;

    if (!guest_has_vtls(guest) || fault->vp >= guest->vp_count || fault->vtl >= guest_vtl_count(guest))
        return VMR_HV_FAULT_HALT;
    switch (guest_pages_why(&guest->pages, fault->vtl, fault->gpa / VMR_PAGE_SIZE, access_of(fault->access_type),
                            &imposer)) {
    case GUEST_PAGES_ALLOWED:
        return VMR_HV_FAULT_RETRY;
    case GUEST_PAGES_LATE:
        return too_early(guest, fault);
    case GUEST_PAGES_UNACCEPTED:
        return intercept(guest, fault, imposer, HV_MESSAGE_TYPE_UNACCEPTED_GPA, ret_entry);
    case GUEST_PAGES_PROTECTED:
        return intercept(guest, fault, imposer, HV_MESSAGE_TYPE_GPA_INTERCEPT, ret_entry);
    }
    return VMR_HV_FAULT_HALT;
}
