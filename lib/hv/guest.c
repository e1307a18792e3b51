/* SPDX-License-Identifier: MIT */
/*
 * The Hyper-V guest interface of a partition: made and taken down, and where a
 * guest's MSR access goes. A privilege that the partition does without is asked
 * here, before anything else.
 */

#include "lib/hv/guest.h"

#include <stdlib.h>

#include "vmrig/limits.h"

/* --- what the SynIC asks, passed on --- */

/* Only VTL 0 has a local APIC: what others get waits until the VP is there. */
void guest_raise(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    const struct vmr_hv_target *target = &guest->target;

    if (vtl == 0) {
        target->interrupt(target->context, vp, vector, auto_eoi);
        return;
    }
    vtls_raise(&guest->vtls, vp, vtl, vector);
    target->wake(target->context, vp);
}

static void raise_irq(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    guest_raise(context, vp, vtl, vector, auto_eoi);
}

static void wake(void *context, vmr_vp_index vp)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    target->wake(target->context, vp);
}

static bool tsc(void *context, vmr_vp_index vp, uint64_t *ret_tsc)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    return target->tsc(target->context, vp, ret_tsc);
}

static bool get_register(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    return target->offload->get_register(target->context, vp, index, ret_value);
}

static bool set_register(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    return target->offload->set_register(target->context, vp, index, value);
}

static bool get_time(void *context, uint64_t *ret_count)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    return target->offload->get_time(target->context, ret_count);
}

static bool set_time(void *context, uint64_t count)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    return target->offload->set_time(target->context, count);
}

static const struct vmr_synic_offload guest_offload = {
    .get_register = get_register, .set_register = set_register, .get_time = get_time, .set_time = set_time};

/* --- making and unmaking --- */

static enum vmr_status check_options(const struct vmr_hv_guest_options *options, struct vmr_error *err)
{
    const struct vmr_hv_target *target = &options->target;

    if (!options->host || !options->memory || !target->interrupt || !target->wake)
        return vmr_error_set(err, VMR_E_USAGE, "Hyper-V interface: host, memory, interrupt and wake are required");
    if (options->vp_count == 0 || options->vp_count > VMR_VP_COUNT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "Hyper-V interface: %u VPs: 1 to %u are possible", options->vp_count,
                             VMR_VP_COUNT_MAX);
    if (!target->trap_page != !target->untrap_page)
        return vmr_error_set(err, VMR_E_USAGE, "Hyper-V interface: pages are trapped and untrapped, or neither");
    if (!target->get_xmm != !target->set_xmm)
        return vmr_error_set(err, VMR_E_USAGE, "Hyper-V interface: XMM registers are read and written, or neither");
    if (!target->apic_read != !target->apic_write)
        return vmr_error_set(err, VMR_E_USAGE, "Hyper-V interface: local APICs are read and written, or neither");
    if (target->bind_event && !target->offload)
        return vmr_error_set(err, VMR_E_USAGE, "Hyper-V interface: without a hypervisor's part nothing binds events");
    return VMR_OK;
}

static enum vmr_status trap_page(void *context, vmr_gpa gpa, struct vmr_error *err)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    return target->trap_page(target->context, gpa, err);
}

static void untrap_page(void *context, vmr_gpa gpa)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    target->untrap_page(target->context, gpa);
}

static enum vmr_status allocate_page(void *context, vmr_gpa *ret_gpa, struct vmr_error *err)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;

    if (!target->free_page)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "monitor page: this partition cannot allocate one");
    return target->free_page(target->context, ret_gpa, err);
}

static void release_page(void *context, vmr_gpa gpa)
{
    (void)context; /* an address is nothing to give back */
    (void)gpa;
}

static const struct vmr_synic_monitor_ops monitor_ops = {
    .trap = trap_page, .untrap = untrap_page, .allocate = allocate_page, .free = release_page};

static enum vmr_status create_synic(struct vmr_hv_guest *guest, struct vmr_error *err)
{
    const struct vmr_synic_offload *offload = guest->target.offload ? &guest_offload : NULL;
    bool has_tsc = !offload && (guest->privileges & HV_ACCESS_REFERENCE_TSC) != 0;
    const struct vmr_synic_options options = {
        .host = guest->host,
        .memory = guest->memory,
        .vp_count = guest->vp_count,
        .vtl_count = (uint8_t)guest_vtl_count(guest),
        .context = guest,
        .interrupt = raise_irq,
        .wake = wake,
        .host_events = guest_host_events(guest),
        .monitor = guest->target.trap_page ? &monitor_ops : NULL,
        .tsc_hz = has_tsc ? guest->config.tsc_hz : 0,
        .tsc = has_tsc ? tsc : NULL,
        .offload = offload,
        .signal_id_max = offload ? guest->target.own.signal_id_max : 0,
    };

    return vmr_synic_create(&options, &guest->synic, err);
}

static enum vmr_status create_assists(struct vmr_hv_guest *guest, struct vmr_error *err)
{
    uint32_t vtls = guest_vtl_count(guest);

    guest->assists = calloc(guest->vp_count, vtls * sizeof(*guest->assists));
    if (!guest->assists)
        return vmr_error_set(err, VMR_E_NOMEM, "Hyper-V interface: no memory for %u VPs", guest->vp_count);
    for (uint32_t i = 0; i < guest->vp_count * vtls; i++)
        overlay_init(&guest->assists[i].page, guest->memory);
    for (uint32_t i = 0; i < guest->vp_count; i++)
        guest->vps[i].assists = &guest->assists[i * vtls];
    for (uint32_t i = 0; i < vtls; i++)
        overlay_init(&guest->by_vtl[i].hypercall_page, guest->memory);
    return VMR_OK;
}

static enum vmr_status create_parts(struct vmr_hv_guest *guest, struct vmr_error *err)
{
    enum vmr_status status = guest_vtls_init(guest, err);

    if (!status)
        status = create_assists(guest, err);
    if (status)
        return status;
    guest_calls_init(guest);
    if (sync_mutex_init(&guest->lock, guest->host) || device_map_init(&guest->devices, guest->host))
        return vmr_error_set(err, VMR_E_NOMEM, "Hyper-V interface: a lock cannot be made");
    return create_synic(guest, err);
}

enum vmr_status vmr_hv_guest_create(const struct vmr_hv_guest_options *options, struct vmr_hv_guest **ret_guest,
                                    struct vmr_error *err)
{
    enum vmr_status status = check_options(options, err);

    if (status)
        return status;
    struct vmr_hv_guest *guest = calloc(1, sizeof(*guest) + options->vp_count * sizeof(guest->vps[0]));

    if (!guest)
        return vmr_error_set(err, VMR_E_NOMEM, "Hyper-V interface: no memory for %u VPs", options->vp_count);
    guest->host = options->host;
    guest->memory = options->memory;
    guest->config = options->config;
    guest->target = options->target;
    guest->vp_count = options->vp_count;
    guest->privileges = vmr_hv_privileges(&options->config, &options->target);
    status = create_parts(guest, err);
    if (status) {
        vmr_hv_guest_destroy(guest);
        return status;
    }
    sync_store_u32(guest->host, &guest->untold, guest->target.offload != NULL);
    *ret_guest = guest;
    return VMR_OK;
}

void vmr_hv_guest_destroy(struct vmr_hv_guest *guest)
{
    if (!guest)
        return;
    vmr_synic_destroy(guest->synic);
    device_map_finish(&guest->devices);
    sync_mutex_finish(&guest->lock);
    guest_vtls_finish(guest);
    free(guest->assists);
    free(guest);
}

void vmr_hv_guest_reset(struct vmr_hv_guest *guest)
{
    guest_registers_reset(guest);
    vmr_synic_reset(guest->synic);
    if (guest_has_vtls(guest)) {
        vtls_reset(&guest->vtls);
        guest_pages_reset(&guest->pages);
        for (vmr_vp_index vp = 0; vp < guest->vp_count; vp++)
            guest->target.wake(guest->target.context, vp); /* it has to follow */
    }
}

void vmr_hv_guest_scrub(struct vmr_hv_guest *guest, uint8_t vtl)
{
    if (vtl >= guest_vtl_count(guest))
        return;
    guest_registers_scrub(guest, vtl);
    vmr_synic_scrub(guest->synic, vtl);
    if (guest_has_vtls(guest)) {
        vtls_drop_vectors(&guest->vtls, vtl);
        vtls_begin_again(&guest->vtls, vtl);
    }
}

struct vmr_synic *vmr_hv_guest_synic(struct vmr_hv_guest *guest)
{
    return guest->synic;
}

bool vmr_hv_guest_is_offloaded(const struct vmr_hv_guest *guest)
{
    return guest->target.offload != NULL;
}

uint64_t vmr_hv_guest_privileges(const struct vmr_hv_guest *guest)
{
    return guest->privileges;
}

struct vmr_hv_calls *vmr_hv_guest_calls(struct vmr_hv_guest *guest)
{
    return &guest->calls;
}

/* --- MSRs --- */

static bool is_synthetic(uint32_t index)
{
    return index >= HV_MSR_FIRST && index - HV_MSR_FIRST < HV_MSR_COUNT;
}

static bool may_touch(const struct vmr_hv_guest *guest, const struct guest_access *access)
{
    uint64_t needed = guest_register_privilege(access->index);

    return access->vp < guest->vp_count && access->vtl < guest_vtl_count(guest) &&
           (guest->privileges & needed) == needed;
}

static bool places_page(uint32_t index)
{
    return index == HV_MSR_HYPERCALL || index == HV_MSR_VP_ASSIST_PAGE || index == HV_MSR_SIEFP ||
           index == HV_MSR_SIMP || index == HV_MSR_REFERENCE_TSC;
}

/* A page of the hypervisor's goes over RAM that the VTL could write itself. */
static bool may_place(struct vmr_hv_guest *guest, const struct guest_access *access, uint64_t guest_value)
{
    if (!guest_has_vtls(guest) || !places_page(access->index) || !(guest_value & HV_PAGE_ENABLE))
        return true;
    return guest_pages_allow(&guest->pages, access->vtl, guest_value / VMR_PAGE_SIZE,
                             HV_MAP_GPA_READABLE | HV_MAP_GPA_WRITABLE);
}

/* Inside the range what nobody has is a fault: it must not go on to somebody else. [MSR-1] */
static enum vmr_msr_result settle(enum vmr_msr_result result)
{
    return result == VMR_MSR_NOT_MINE ? VMR_MSR_FAULT : result;
}

enum vmr_msr_result vmr_hv_guest_msr_read(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl, uint32_t index,
                                          uint64_t *ret_value)
{
    const struct guest_access access = {.vp = vp, .vtl = vtl, .index = index};

    if (!is_synthetic(index))
        return VMR_MSR_NOT_MINE;
    if (!may_touch(guest, &access))
        return VMR_MSR_FAULT;
    enum vmr_msr_result result = guest_register_read(guest, &access, ret_value);

    if (result == VMR_MSR_NOT_MINE)
        result = vmr_synic_msr_read(guest->synic, vp, vtl, index, ret_value);
    return settle(result);
}

enum vmr_msr_result vmr_hv_guest_msr_write(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl, uint32_t index,
                                           uint64_t guest_value)
{
    const struct guest_access access = {.vp = vp, .vtl = vtl, .index = index};

    if (!is_synthetic(index))
        return VMR_MSR_NOT_MINE;
    if (!may_touch(guest, &access) || !may_place(guest, &access, guest_value))
        return VMR_MSR_FAULT;
    /* An interrupt that would end by itself needs a local APIC that can: without one it would stay for ever. */
    if (index >= HV_MSR_SINT0 && index < HV_MSR_SINT0 + HV_SINT_COUNT && (guest_value & HV_SINT_AUTO_EOI) != 0 &&
        !guest->target.has_auto_eoi)
        return VMR_MSR_FAULT;
    enum vmr_msr_result result = guest_register_write(guest, &access, guest_value);

    if (result == VMR_MSR_NOT_MINE)
        result = vmr_synic_msr_write(guest->synic, vp, vtl, index, guest_value);
    return settle(result);
}

uint64_t vmr_hv_guest_poll(struct vmr_hv_guest *guest, vmr_vp_index vp, uint64_t now_ns)
{
    guest_registers_tell(guest, vp);
    return vmr_synic_poll(guest->synic, vp, now_ns);
}

bool vmr_hv_guest_waits(struct vmr_hv_guest *guest, vmr_vp_index vp)
{
    return vmr_synic_waits(guest->synic, vp);
}

bool vmr_hv_guest_take_reset(struct vmr_hv_guest *guest)
{
    return sync_load_u32(guest->host, &guest->reset_requested) != 0 &&
           sync_exchange_u32(guest->host, &guest->reset_requested, 0) != 0;
}

bool vmr_hv_guest_is_calling(const struct vmr_hv_guest *guest, uint8_t vtl)
{
    return vtl < guest_vtl_count(guest) && sync_load_u32(guest->host, &guest->by_vtl[vtl].calling) != 0;
}
