/* SPDX-License-Identifier: MIT */
/*
 * A hypercall of a VP: from its registers to the dispatcher's view and back,
 * and the handlers that need nothing but the SynIC.
 */

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/hv/calls.h"
#include "lib/hv/control.h"
#include "lib/hv/hypercall_table.h"

#define CR0_PE UINT64_C(1)
#define EFER_LMA (UINT64_C(1) << 10)
#define SEGMENT_LONG (1u << 13) /* struct vmr_x86_segment.attributes */
#define SEGMENT_DPL(attributes) ((unsigned)(attributes) >> 5 & 3u)

/* --- handlers (TLFS, HvCallPostMessage, HvCallSignalEvent) --- */

#define POST_CONNECTION 0u
#define POST_RESERVED 4u
#define POST_TYPE 8u
#define POST_LENGTH 12u
#define POST_PAYLOAD 16u

/* The type is the guest's own affair: a port gets the payload alone. */
static enum hv_status post_message(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;
    uint32_t length = load_le32(call->input + POST_LENGTH);

    if (length > HV_MESSAGE_PAYLOAD_MAX)
        return HV_STATUS_INVALID_PARAMETER;
    return vmr_synic_guest_post(guest->synic, call->caller->vtl, load_le32(call->input + POST_CONNECTION),
                                call->input + POST_PAYLOAD, length);
}

/* Connection, 16-bit flag number, 16 bits that must be zero. */
static enum hv_status signal_event(void *context, struct vmr_hv_call *call)
{
    struct vmr_hv_guest *guest = context;

    if (load_le(call->input + 6, 2) != 0)
        return HV_STATUS_INVALID_PARAMETER;
    return vmr_synic_guest_signal(guest->synic, call->caller->vtl, load_le32(call->input),
                                  (uint16_t)load_le(call->input + 4, 2));
}

/* Which extended calls there are besides this one: none (TLFS, HvExtCallQueryCapabilities). */
static enum hv_status query_capabilities(void *context, struct vmr_hv_call *call)
{
    (void)context;
    store_le64(call->output, 0);
    return HV_STATUS_SUCCESS;
}

struct handler_row {
    uint16_t code;
    enum hv_status (*run)(void *context, struct vmr_hv_call *call);
};

static void add_handlers(struct vmr_hv_guest *guest, const struct handler_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        guest->calls.calls[hypercall_table_find(rows[i].code)] =
            (struct vmr_hv_call_handler){.run = rows[i].run, .context = guest};
}

#define ADD_HANDLERS(guest, rows) add_handlers((guest), (rows), sizeof(rows) / sizeof((rows)[0]))

/* Long because it is a table: one row a call. */
void guest_calls_init(struct vmr_hv_guest *guest)
{
    static const struct handler_row always[] = {
        {HV_CALL_POST_MESSAGE, post_message},
        {HV_CALL_SIGNAL_EVENT, signal_event},
        {HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI, calls_send_ipi},
        {HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI_EX, calls_send_ipi_ex},
        {HV_CALL_GET_VP_REGISTERS, calls_get_registers},
        {HV_CALL_SET_VP_REGISTERS, calls_set_registers},
        {HV_CALL_TRANSLATE_VIRTUAL_ADDRESS, calls_translate},
        {HV_CALL_TRANSLATE_VIRTUAL_ADDRESS_EX, calls_translate_ex},
        {HV_CALL_RETARGET_DEVICE_INTERRUPT, calls_retarget},
        {HV_CALL_GET_VP_INDEX_FROM_APIC_ID, calls_vp_index},
        {HV_CALL_SIGNAL_EVENT_DIRECT, calls_signal_direct},
        {HV_CALL_POST_MESSAGE_DIRECT, calls_post_direct},
        {HV_CALL_EXT_QUERY_CAPABILITIES, query_capabilities},
    };
    static const struct handler_row starting[] = {{HV_CALL_START_VIRTUAL_PROCESSOR, calls_start_vp}};
    static const struct handler_row asserting[] = {{HV_CALL_ASSERT_VIRTUAL_INTERRUPT, calls_assert_interrupt}};
    static const struct handler_row flushing[] = {
        {HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE, calls_flush},
        {HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, calls_flush},
        {HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX, calls_flush_ex},
        {HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX, calls_flush_ex},
    };
    static const struct handler_row vtls[] = {
        {HV_CALL_ENABLE_PARTITION_VTL, calls_enable_partition_vtl},
        {HV_CALL_ENABLE_VP_VTL, calls_enable_vp_vtl},
        {HV_CALL_MODIFY_VTL_PROTECTION_MASK, calls_modify_vtl_protection},
    };
    static const struct handler_row isolation[] = {
        {HV_CALL_ACCEPT_GPA_PAGES, calls_accept_pages},
        {HV_CALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY, calls_modify_visibility},
        {HV_CALL_QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY, calls_query_visibility},
    };
    const struct vmr_hv_vtl_switch_handler switches = {.run = calls_switch_vtl, .context = guest};

    ADD_HANDLERS(guest, always);
    if (guest->target.start)
        ADD_HANDLERS(guest, starting);
    if (guest->target.msi)
        ADD_HANDLERS(guest, asserting);
    if (guest->target.flush)
        ADD_HANDLERS(guest, flushing);
    if (guest_has_vtls(guest)) {
        ADD_HANDLERS(guest, vtls);
        vmr_hv_calls_set_vtl_switch(&guest->calls, &switches);
    }
    if (guest->config.isolation)
        ADD_HANDLERS(guest, isolation);
}

/* --- from registers and back --- */

/* A hypercall is made in protected mode, by ring 0 (TLFS, Hypercall Interface): anything else is undefined. */
static bool may_call(const struct vmr_x86_regs *regs)
{
    return (regs->cr0 & CR0_PE) != 0 && SEGMENT_DPL(regs->ss.attributes) == 0;
}

static uint8_t abi_of(const struct vmr_x86_regs *regs)
{
    return (regs->efer & EFER_LMA) != 0 && (regs->cs.attributes & SEGMENT_LONG) != 0 ? VMR_HV_ABI_X64 : VMR_HV_ABI_X86;
}

/* XMM registers cost a call into the hypervisor: only for a 64-bit fast call whose parameters need them. */
static bool needs_xmm(const struct vmr_hv_guest *guest, uint8_t abi, const struct vmr_x86_regs *regs)
{
    struct control control;

    if (abi != VMR_HV_ABI_X64 || !guest->target.get_xmm)
        return false;
    control_decode(regs->gpr[VMR_X86_RCX], &control);
    const struct vmr_hv_call_definition *definition = vmr_hv_call_find(control.code);

    if (!control.fast || !definition)
        return false;
    const struct control_extent extent = control_measure(&control, &definition->x86);

    return extent.input + extent.output > 16 || (extent.input != 0 && extent.output != 0);
}

static void put_back(const struct vmr_hv_call_registers *from, struct vmr_x86_regs *regs)
{
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++) {
        if (from->gpr_modified >> i & 1)
            regs->gpr[i] = from->gpr[i];
    }
    if (from->pc_modified)
        regs->rip = from->pc;
}

static enum vmr_hv_site_end serve(struct vmr_hv_guest *guest, struct vmr_hv_site *site,
                                  const struct vmr_hv_caller *caller, struct vmr_hv_call_registers *registers)
{
    const struct vmr_hv_target *target = &guest->target;
    struct vmr_hv_result result;
    enum vmr_status status = vmr_hv_dispatch(&guest->calls, caller, guest->memory, registers, &result);

    if (status) {
        complain(guest->host, &guest->broken_handler, VMR_CULPRIT_CALLER,
                 "hypercall by VP %u: a handler gave an answer that no handler may give", caller->vp);
        return VMR_HV_SITE_FAILED;
    }
    put_back(registers, site->regs);
    if (registers->xmm_modified && !target->set_xmm(target->context, site->vp, registers->xmm))
        return VMR_HV_SITE_FAILED;
    if (result.outcome == VMR_HV_SWITCHED)
        return VMR_HV_SITE_SWITCHED;
    return result.outcome == VMR_HV_UNDEFINED ? VMR_HV_SITE_UNDEFINED : VMR_HV_SITE_SERVED;
}

enum vmr_hv_site_end vmr_hv_guest_call(struct vmr_hv_guest *guest, struct vmr_hv_site *site)
{
    const struct vmr_hv_target *target = &guest->target;
    struct vmr_x86_regs *regs = site->regs;
    struct vmr_hv_call_registers registers = {.pc = regs->rip};
    const struct vmr_hv_caller caller = {.abi = abi_of(regs),
                                         .vtl = site->vtl,
                                         .instruction_length = site->instruction_length,
                                         .pc_advanced = true,
                                         .without_xmm = target->get_xmm == NULL,
                                         .vp = site->vp,
                                         .privileges = guest->privileges};

    if (!may_call(regs)) {
        regs->rip -= site->instruction_length;
        return VMR_HV_SITE_UNDEFINED;
    }
    memcpy(registers.gpr, regs->gpr, sizeof(regs->gpr));
    if (needs_xmm(guest, caller.abi, regs) && !target->get_xmm(target->context, site->vp, registers.xmm))
        return VMR_HV_SITE_FAILED;
    guest->vps[site->vp].site = site;
    enum vmr_hv_site_end end = serve(guest, site, &caller, &registers);

    guest->vps[site->vp].site = NULL;
    return end;
}
