/* SPDX-License-Identifier: MIT */
/*
 * The synthetic MSRs that belong to no device: identity, hypercall page, VP
 * index, frequencies, VP assist page, crash, reset (TLFS, Appendix: MSRs).
 * Reserved bits are refused, not kept. A refused write changes nothing.
 */

#include "lib/hv/guest.h"
#include "lib/hv/hypercall_page.h"

uint64_t guest_register_privilege(uint32_t index)
{
    switch (index) {
    case HV_MSR_GUEST_OS_ID:
    case HV_MSR_HYPERCALL:
        return HV_ACCESS_HYPERCALL_MSRS;
    case HV_MSR_VP_INDEX:
        return HV_ACCESS_VP_INDEX;
    case HV_MSR_EOI:
    case HV_MSR_ICR:
    case HV_MSR_TPR:
        return HV_ACCESS_APIC_MSRS;
    case HV_MSR_RESET:
        return HV_ACCESS_RESET;
    case HV_MSR_TIME_REF_COUNT:
        return HV_ACCESS_REFERENCE_COUNTER;
    case HV_MSR_REFERENCE_TSC:
        return HV_ACCESS_REFERENCE_TSC;
    case HV_MSR_TSC_FREQUENCY:
    case HV_MSR_APIC_FREQUENCY:
        return HV_ACCESS_FREQUENCY_MSRS;
    default:
        break;
    }
    if (index >= HV_MSR_STIMER0_CONFIG && index < HV_MSR_STIMER0_CONFIG + 2 * HV_STIMER_COUNT)
        return HV_ACCESS_SYNTHETIC_TIMERS;
    if (index >= HV_MSR_SCONTROL && index < HV_MSR_SINT0 + HV_SINT_COUNT)
        return HV_ACCESS_SYNIC;
    return 0;
}

static bool is_crash_parameter(uint32_t index)
{
    return index >= HV_MSR_CRASH_P0 && index - HV_MSR_CRASH_P0 < HV_CRASH_PARAMETER_COUNT;
}

/* --- the hypercall page --- */

static void close_page(const struct vmr_hv_guest *guest, struct guest_vtl *at)
{
    overlay_reset(&at->hypercall_page);
    sync_store_u32(guest->host, &at->calling, 0);
}

/* The code goes with the page; what the guest wrote over it does not. */
static bool open_page(const struct vmr_hv_guest *guest, struct guest_vtl *at, vmr_gpa guest_gpa)
{
    struct overlay *page = &at->hypercall_page;
    struct overlay moved = {.memory = guest->memory};

    if (page->placed && page->gpa == guest_gpa)
        return true;
    hypercall_page_fill(moved.content, guest->target.has_hypercall_exit, guest_has_vtls(guest));
    if (overlay_place(&moved, guest_gpa) != VMR_OK)
        return false;
    *page = moved;
    sync_store_u32(guest->host, &at->calling, 1);
    return true;
}

/* Without an identity the page stays closed, and the enable bit 0 (TLFS, Establishing the Hypercall Interface). */
static enum vmr_msr_result write_hypercall(const struct vmr_hv_guest *guest, struct guest_vtl *at, uint64_t guest_value)
{
    if ((at->hypercall_register & HV_HYPERCALL_LOCKED) != 0 || (guest_value & HV_HYPERCALL_RESERVED) != 0)
        return VMR_MSR_FAULT;
    if (at->os_id == 0)
        guest_value &= ~HV_HYPERCALL_ENABLE;
    if ((guest_value & HV_HYPERCALL_ENABLE) == 0)
        close_page(guest, at);
    else if (!open_page(guest, at, guest_value & HV_PAGE_ADDRESS))
        return VMR_MSR_FAULT;
    at->hypercall_register = guest_value;
    return VMR_MSR_OK;
}

static enum vmr_msr_result write_os_id(const struct vmr_hv_guest *guest, struct guest_vtl *at, uint64_t guest_value)
{
    at->os_id = guest_value;
    if (guest_value == 0 && (at->hypercall_register & HV_HYPERCALL_ENABLE) != 0) {
        at->hypercall_register &= ~HV_HYPERCALL_ENABLE;
        close_page(guest, at);
    }
    return VMR_MSR_OK;
}

/* A hypervisor that serves the call itself writes its code when it is told of the page. [HVS-2] */
static bool is_foreign(const struct vmr_hv_guest *guest, const struct overlay *page)
{
    uint8_t content[VMR_PAGE_SIZE];

    return !guest->target.offload && overlay_read(page, 0, content, sizeof(content)) == VMR_OK &&
           hypercall_page_is_foreign(content, guest->target.has_hypercall_exit, guest_has_vtls(guest));
}

/* With the lock held. The page lies there; what stands in it is the guest's, unless it calls another hypervisor. */
static void adopt_page(const struct vmr_hv_guest *guest, struct guest_vtl *at)
{
    struct overlay *page = &at->hypercall_page;
    uint8_t code[VMR_PAGE_SIZE];

    close_page(guest, at);
    if ((at->hypercall_register & HV_HYPERCALL_ENABLE) == 0)
        return;
    overlay_adopt(page, at->hypercall_register & HV_PAGE_ADDRESS);
    if (is_foreign(guest, page)) {
        hypercall_page_fill(code, guest->target.has_hypercall_exit, guest_has_vtls(guest));
        (void)overlay_write(page, 0, code, sizeof(code));
    }
    sync_store_u32(guest->host, &at->calling, 1);
}

void guest_hypercall_save(struct vmr_hv_guest *guest, struct vmr_hv_hypercall_state *ret_state)
{
    sync_mutex_lock(&guest->lock);
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        ret_state->os_id[vtl] = guest->by_vtl[vtl].os_id;
        ret_state->hypercall[vtl] = guest->by_vtl[vtl].hypercall_register;
    }
    sync_mutex_unlock(&guest->lock);
}

void guest_hypercall_restore(struct vmr_hv_guest *guest, const struct vmr_hv_hypercall_state *state)
{
    sync_mutex_lock(&guest->lock);
    for (uint32_t vtl = 0; vtl < guest_vtl_count(guest); vtl++) {
        guest->by_vtl[vtl].os_id = state->os_id[vtl];
        guest->by_vtl[vtl].hypercall_register = state->hypercall[vtl];
        adopt_page(guest, &guest->by_vtl[vtl]);
    }
    sync_store_u32(guest->host, &guest->untold, guest->target.offload != NULL);
    sync_mutex_unlock(&guest->lock);
}

/* --- one VP's --- */

static enum vmr_msr_result write_assist_page(struct guest_assist *assist, uint64_t guest_value)
{
    if ((guest_value & HV_PAGE_RESERVED) != 0)
        return VMR_MSR_FAULT;
    if ((guest_value & HV_PAGE_ENABLE) == 0)
        overlay_withdraw(&assist->page);
    else if (overlay_place(&assist->page, guest_value & HV_PAGE_ADDRESS) != VMR_OK)
        return VMR_MSR_FAULT;
    assist->value = guest_value;
    return VMR_MSR_OK;
}

/* A text that is too long is cut; one that is not in RAM, or not the host's to read, is none. */
static void tell_crash(struct vmr_hv_guest *guest, vmr_vp_index vp, uint64_t guest_control)
{
    const uint64_t *parameters = guest->vps[vp].crash_parameters;
    struct vmr_hv_crash crash = {.message = ""};
    char text[HV_CRASH_MESSAGE_BYTES_MAX];

    for (unsigned i = 0; i < HV_CRASH_PARAMETER_COUNT; i++)
        crash.parameters[i] = parameters[i];
    if ((guest_control & HV_CRASH_MESSAGE) != 0) {
        uint64_t length = parameters[4] < sizeof(text) ? parameters[4] : sizeof(text);

        if (vmr_memory_read(guest->memory, parameters[3], text, (size_t)length) == VMR_OK) {
            crash.message = text;
            crash.length = (size_t)length;
        }
    }
    guest->config.crash(guest->config.context, vp, &crash);
}

static enum vmr_msr_result write_crash_control(struct vmr_hv_guest *guest, vmr_vp_index vp, uint64_t guest_value)
{
    if ((guest_value & HV_CRASH_NOTIFY) != 0 && guest->config.crash)
        tell_crash(guest, vp, guest_value);
    return VMR_MSR_OK;
}

/* --- reading and writing --- */

static enum vmr_msr_result read_frequency(uint64_t hz, uint64_t *ret_value)
{
    *ret_value = hz;
    return hz != 0 ? VMR_MSR_OK : VMR_MSR_FAULT;
}

static enum vmr_msr_result read_locked(struct vmr_hv_guest *guest, const struct guest_access *access,
                                       uint64_t *ret_value)
{
    const struct guest_vtl *at = &guest->by_vtl[access->vtl];

    sync_mutex_lock(&guest->lock);
    *ret_value = access->index == HV_MSR_GUEST_OS_ID ? at->os_id : at->hypercall_register;
    sync_mutex_unlock(&guest->lock);
    return VMR_MSR_OK;
}

/* VTL 0's. Without the privilege, which stands on the target's two calls, nobody comes here. */
static bool is_apic(uint32_t index)
{
    return index >= HV_MSR_EOI && index <= HV_MSR_TPR;
}

enum vmr_msr_result guest_register_read(struct vmr_hv_guest *guest, const struct guest_access *access,
                                        uint64_t *ret_value)
{
    vmr_vp_index vp = access->vp;
    uint32_t index = access->index;

    if (is_crash_parameter(index)) {
        *ret_value = guest->vps[vp].crash_parameters[index - HV_MSR_CRASH_P0];
        return VMR_MSR_OK;
    }
    if (is_apic(index))
        return access->vtl == VMR_VTL0 ? guest->target.apic_read(guest->target.context, vp, index, ret_value)
                                       : VMR_MSR_FAULT;
    switch (index) {
    case HV_MSR_GUEST_OS_ID:
    case HV_MSR_HYPERCALL:
        return read_locked(guest, access, ret_value);
    case HV_MSR_VP_INDEX:
        *ret_value = vp;
        return VMR_MSR_OK;
    case HV_MSR_RESET:
        *ret_value = 0;
        return VMR_MSR_OK;
    case HV_MSR_TSC_FREQUENCY:
        return read_frequency(guest->config.tsc_hz, ret_value);
    case HV_MSR_APIC_FREQUENCY:
        return read_frequency(guest->config.apic_hz, ret_value);
    case HV_MSR_VP_ASSIST_PAGE:
        *ret_value = guest->vps[vp].assists[access->vtl].value;
        return VMR_MSR_OK;
    case HV_MSR_CRASH_CTL:
        *ret_value = HV_CRASH_NOTIFY | HV_CRASH_MESSAGE; /* what is understood */
        return VMR_MSR_OK;
    default:
        return VMR_MSR_NOT_MINE;
    }
}

static enum vmr_msr_result write_locked(struct vmr_hv_guest *guest, const struct guest_access *access,
                                        uint64_t guest_value)
{
    struct guest_vtl *at = &guest->by_vtl[access->vtl];

    sync_mutex_lock(&guest->lock);
    enum vmr_msr_result result = access->index == HV_MSR_GUEST_OS_ID ? write_os_id(guest, at, guest_value)
                                                                     : write_hypercall(guest, at, guest_value);

    sync_store_u32(guest->host, &guest->untold, guest->target.offload != NULL);
    sync_mutex_unlock(&guest->lock);
    return result;
}

enum vmr_msr_result guest_register_write(struct vmr_hv_guest *guest, const struct guest_access *access,
                                         uint64_t guest_value)
{
    vmr_vp_index vp = access->vp;
    uint32_t index = access->index;

    if (is_crash_parameter(index)) {
        guest->vps[vp].crash_parameters[index - HV_MSR_CRASH_P0] = guest_value;
        return VMR_MSR_OK;
    }
    if (is_apic(index))
        return access->vtl == VMR_VTL0 ? guest->target.apic_write(guest->target.context, vp, index, guest_value)
                                       : VMR_MSR_FAULT;
    switch (index) {
    case HV_MSR_GUEST_OS_ID:
    case HV_MSR_HYPERCALL:
        return write_locked(guest, access, guest_value);
    case HV_MSR_VP_INDEX:
    case HV_MSR_TSC_FREQUENCY:
    case HV_MSR_APIC_FREQUENCY:
        return VMR_MSR_FAULT;
    case HV_MSR_RESET:
        if ((guest_value & HV_RESET_NOW) != 0)
            sync_store_u32(guest->host, &guest->reset_requested, 1);
        return VMR_MSR_OK;
    case HV_MSR_VP_ASSIST_PAGE:
        return write_assist_page(&guest->vps[vp].assists[access->vtl], guest_value);
    case HV_MSR_CRASH_CTL:
        return write_crash_control(guest, vp, guest_value);
    default:
        return VMR_MSR_NOT_MINE;
    }
}

void guest_registers_scrub(struct vmr_hv_guest *guest, uint8_t vtl)
{
    struct guest_vtl *at = &guest->by_vtl[vtl];

    sync_mutex_lock(&guest->lock);
    at->os_id = 0;
    at->hypercall_register = 0;
    close_page(guest, at);
    sync_store_u32(guest->host, &guest->untold, guest->target.offload != NULL);
    sync_mutex_unlock(&guest->lock);
    for (uint32_t i = 0; i < guest->vp_count; i++) {
        struct guest_assist *assist = &guest->vps[i].assists[vtl];

        assist->value = 0;
        overlay_reset(&assist->page);
    }
}

void guest_registers_reset(struct vmr_hv_guest *guest)
{
    for (uint8_t vtl = 0; vtl < guest_vtl_count(guest); vtl++)
        guest_registers_scrub(guest, vtl);
    sync_store_u32(guest->host, &guest->reset_requested, 0);
    for (uint32_t i = 0; i < guest->vp_count; i++) {
        for (unsigned word = 0; word < HV_CRASH_PARAMETER_COUNT; word++)
            guest->vps[i].crash_parameters[word] = 0;
    }
}

/* --- what the hypervisor goes by, where it takes the calls --- */

/* In this order: without an identity it opens no page. Opening one writes the hypervisor's own code into it. */
static bool tell_locked(const struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    const struct vmr_hv_target *target = &guest->target;
    const struct guest_vtl *at = &guest->by_vtl[VMR_VTL0]; /* there is no other */

    return target->offload->set_register(target->context, vp, HV_MSR_GUEST_OS_ID, at->os_id) &&
           target->offload->set_register(target->context, vp, HV_MSR_HYPERCALL, at->hypercall_register);
}

void guest_registers_tell(struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    if (sync_load_u32(guest->host, &guest->untold) == 0)
        return;
    /* A VP that finds another one at it waits: what it wrote itself is known when it goes on. */
    sync_mutex_lock(&guest->lock);
    bool told = sync_load_u32(guest->host, &guest->untold) == 0 || tell_locked(guest, vp);

    sync_store_u32(guest->host, &guest->untold, !told);
    sync_mutex_unlock(&guest->lock);
    if (!told)
        complain(guest->host, &guest->broken_host, VMR_CULPRIT_HOST,
                 "VP %u: the hypervisor does not take the hypercall page or the guest's identity", vp);
}
