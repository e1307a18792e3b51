/* SPDX-License-Identifier: MIT */
/*
 * The SynIC of a partition: made and taken down, and what VPs and hosts ask of
 * it. This is where values that the parts give back become calls, with no lock
 * held.
 */

#include "lib/hv/synic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "vmrig/limits.h"

#define TSC_READINGS 4u

/* --- making and unmaking --- */

static enum vmr_status check_options(const struct vmr_synic_options *options, struct vmr_error *err)
{
    if (!options->host || !options->memory || !options->interrupt || !options->wake)
        return vmr_error_set(err, VMR_E_USAGE, "SynIC: host, memory, interrupt and wake are required");
    if (options->vp_count == 0 || options->vp_count > VMR_VP_COUNT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "SynIC: %" PRIu32 " VPs: 1 to %u are possible", options->vp_count,
                             VMR_VP_COUNT_MAX);
    if (options->vtl_count > VMR_VTL_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "SynIC: %u VTLs: there are %d", options->vtl_count, VMR_VTL_COUNT);
    if (options->tsc_hz != 0 && !options->tsc)
        return vmr_error_set(err, VMR_E_USAGE, "SynIC: a TSC of %" PRIu64 " Hz that cannot be read", options->tsc_hz);
    if (options->host_events && (!options->host_events->add || !options->host_events->remove))
        return vmr_error_set(err, VMR_E_USAGE, "SynIC: host events are added and removed, or not there at all");
    if (options->monitor && (!options->monitor->trap || !options->monitor->untrap))
        return vmr_error_set(err, VMR_E_USAGE, "SynIC: monitor pages are trapped and untrapped, or not there at all");
    if (!options->async_begin != !options->async_end)
        return vmr_error_set(err, VMR_E_USAGE, "SynIC: what other threads do begins and ends for a recorder");
    if (options->offload && (options->tsc_hz != 0 || options->vtl_count > 1))
        return vmr_error_set(err, VMR_E_CONFIG, "SynIC: the hypervisor's timers know one VTL and their own TSC");
    if (options->monitor && !options->monitor->allocate != !options->monitor->free)
        return vmr_error_set(err, VMR_E_USAGE, "SynIC: monitor pages are allocated and freed, or neither");
    return VMR_OK;
}

static enum vmr_status init_vps(struct vmr_synic *synic)
{
    for (uint32_t i = 0; i < synic->slot_count; i++) {
        struct synic_vp *vp = &synic->vps[i];

        vp->host = synic->host;
        vp->index = i / synic->options.vtl_count;
        vp->vtl = (uint8_t)(i % synic->options.vtl_count);
        enum vmr_status status = synic_vp_init(vp, synic->options.memory);

        if (status)
            return status;
    }
    return VMR_OK;
}

static enum vmr_status init_parts(struct vmr_synic *synic)
{
    const struct vmr_host *host = synic->host;
    enum vmr_status status = link_create(host, synic, &synic->link);

    monitor_init(&synic->monitor, host);
    if (!status)
        status = port_map_init(&synic->ports, host);
    if (!status)
        status = sync_mutex_init(&synic->tsc_told, host);
    if (!status)
        status = sync_mutex_init(&synic->guest_ports_lock, host);
    if (!status)
        status = reference_time_init(&synic->time, host);
    if (!status)
        status = reference_tsc_init(&synic->tsc, host, synic->options.memory, synic->options.tsc_hz);
    synic->tsc.filled_elsewhere = synic->options.offload != NULL;
    if (!status)
        status = init_vps(synic);
    return status;
}

static void finish_parts(struct vmr_synic *synic)
{
    for (uint32_t i = 0; i < synic->slot_count; i++)
        synic_vp_finish(&synic->vps[i]);
    reference_tsc_finish(&synic->tsc);
    reference_time_finish(&synic->time);
    sync_mutex_finish(&synic->guest_ports_lock);
    sync_mutex_finish(&synic->tsc_told);
    port_map_finish(&synic->ports);
    link_put(synic->link);
    free(synic);
}

enum vmr_status vmr_synic_create(const struct vmr_synic_options *options, struct vmr_synic **ret_synic,
                                 struct vmr_error *err)
{
    enum vmr_status status = check_options(options, err);

    if (status)
        return status;
    uint32_t vtls = options->vtl_count ? options->vtl_count : 1, slots = options->vp_count * vtls;
    struct vmr_synic *synic = calloc(1, sizeof(*synic) + slots * sizeof(synic->vps[0]));

    if (!synic)
        return vmr_error_set(err, VMR_E_NOMEM, "SynIC: no memory for %" PRIu32 " VPs", options->vp_count);
    synic->options = *options;
    synic->options.vtl_count = (uint8_t)vtls;
    synic->host = options->host;
    synic->slot_count = slots;
    status = init_parts(synic);
    if (status) {
        finish_parts(synic);
        return vmr_error_set(err, status, "SynIC: a lock or a parker cannot be made for %" PRIu32 " VPs",
                             options->vp_count);
    }
    if (options->offload)
        synic_offload_reset(synic);
    *ret_synic = synic;
    return VMR_OK;
}

static void wake_all(struct vmr_synic *synic)
{
    for (vmr_vp_index vp = 0; vp < synic->options.vp_count; vp++)
        synic->options.wake(synic->options.context, vp);
}

void vmr_synic_destroy(struct vmr_synic *synic)
{
    if (!synic)
        return;
    link_close(synic->link);
    synic_monitor_reset(synic);
    synic_ports_finish(synic);
    finish_parts(synic);
}

void vmr_synic_reset(struct vmr_synic *synic)
{
    synic_monitor_reset(synic);
    reference_tsc_reset(&synic->tsc);
    for (uint32_t i = 0; i < synic->slot_count; i++)
        synic_vp_reset(&synic->vps[i]);
    if (synic->options.offload) {
        synic_offload_reset(synic);
        wake_all(synic);
    }
}

void vmr_synic_scrub(struct vmr_synic *synic, uint8_t vtl)
{
    for (vmr_vp_index vp = 0; vp < synic->options.vp_count; vp++) {
        struct synic_vp *at = synic_find(synic, vp, vtl);

        if (at)
            synic_vp_reset(at);
    }
}

struct synic_vp *synic_find(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl)
{
    if (vp >= synic->options.vp_count || vtl >= synic->options.vtl_count)
        return NULL;
    return &synic->vps[vp * synic->options.vtl_count + vtl];
}

/* --- in the order of a recording --- */

void synic_begin(struct vmr_synic *synic, const struct vmr_async *request)
{
    if (synic->options.async_begin)
        synic->options.async_begin(synic->options.context, request);
}

void synic_call(struct vmr_synic *synic, enum vmr_async_call what, uint64_t argument)
{
    synic_begin(synic, &(struct vmr_async){.kind = VMR_ASYNC_CALL, .a = what, .b = argument});
}

void synic_end(struct vmr_synic *synic)
{
    if (synic->options.async_end)
        synic->options.async_end(synic->options.context);
}

/* --- the VP's thread --- */

enum vmr_msr_result vmr_synic_msr_read(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl, uint32_t index,
                                       uint64_t *ret_value)
{
    struct synic_vp *at = synic_find(synic, vp, vtl);

    if (!at)
        return VMR_MSR_FAULT;
    switch (index) {
    case HV_MSR_TIME_REF_COUNT:
        *ret_value = vmr_synic_time(synic);
        return VMR_MSR_OK;
    case HV_MSR_REFERENCE_TSC:
        *ret_value = reference_tsc_read(&synic->tsc);
        return VMR_MSR_OK;
    default:
        if (synic->options.offload && synic_offload_has(index))
            return synic_offload_read(synic, vp, index, ret_value);
        return synic_vp_read(at, index, ret_value);
    }
}

static enum vmr_msr_result write_tsc(struct vmr_synic *synic, struct synic_vp *at, uint64_t guest_value)
{
    if (synic->options.offload)
        return synic_offload_write_tsc(synic, at->index, guest_value);
    if (!reference_tsc_write(&synic->tsc, guest_value))
        return VMR_MSR_FAULT;
    synic_vp_stir(at); /* the poll that follows brings the clocks */
    return VMR_MSR_OK;
}

static enum vmr_msr_result write_vp(struct vmr_synic *synic, struct synic_vp *at, uint32_t index, uint64_t guest_value)
{
    if (synic->options.offload && synic_offload_has(index))
        return synic_offload_write(synic, at->index, index, guest_value);
    enum vmr_msr_result result = synic_vp_write(at, index, guest_value);

    if (synic->options.offload && result == VMR_MSR_OK)
        synic_offload_changed(at, index);
    return result;
}

enum vmr_msr_result vmr_synic_msr_write(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl, uint32_t index,
                                        uint64_t guest_value)
{
    struct synic_vp *at = synic_find(synic, vp, vtl);

    if (!at)
        return VMR_MSR_FAULT;
    switch (index) {
    case HV_MSR_TIME_REF_COUNT:
        return VMR_MSR_FAULT;
    case HV_MSR_REFERENCE_TSC:
        return write_tsc(synic, at, guest_value);
    default:
        return write_vp(synic, at, index, guest_value);
    }
}

static void raise_irq(const struct vmr_synic *synic, const struct synic_vp *vp, struct synic_irq irq)
{
    synic->options.interrupt(synic->options.context, vp->index, vp->vtl, irq.vector, irq.auto_eoi);
}

/*
 * Both clocks, as near to one moment as can be: the counter before and after
 * the TSC, and of a few readings the tightest. A thread that is held up between
 * two readings would set the page wrong for good.
 */
static bool read_clocks(struct vmr_synic *synic, vmr_vp_index vp, struct reference_pair *ret_pair)
{
    uint64_t tightest = UINT64_MAX, tsc;

    for (unsigned i = 0; i < TSC_READINGS && tightest > 0; i++) {
        uint64_t before = reference_time_now(&synic->time);

        if (!synic->options.tsc(synic->options.context, vp, &tsc))
            return false;
        uint64_t width = reference_time_now(&synic->time) - before;

        if (width >= tightest)
            continue;
        tightest = width;
        *ret_pair = (struct reference_pair){.tsc = tsc, .count = before + width / 2};
    }
    return true;
}

static void refresh_tsc_page(struct vmr_synic *synic, vmr_vp_index vp)
{
    struct reference_pair pair;

    reference_tsc_update(&synic->tsc, read_clocks(synic, vp, &pair) ? &pair : NULL);
}

static void poll_vtl(struct vmr_synic *synic, struct synic_vp *vp, uint64_t now_ns)
{
    struct synic_raised raised;

    if (synic_vp_is_quiet(vp, now_ns))
        return;
    if (reference_tsc_is_stale(&synic->tsc))
        refresh_tsc_page(synic, vp->index);
    uint64_t next = synic_vp_poll(vp, reference_time_at(&synic->time, now_ns), &raised);

    vp->deadline_ns = next == VMR_NEVER ? VMR_NEVER : reference_time_deadline_ns(&synic->time, next);
    for (unsigned i = 0; i < raised.count; i++)
        raise_irq(synic, vp, raised.irqs[i]);
    if (synic->options.offload)
        synic_offload_tell(synic, vp);
}

uint64_t vmr_synic_poll(struct vmr_synic *synic, vmr_vp_index vp, uint64_t now_ns)
{
    uint64_t deadline_ns = VMR_NEVER;

    for (uint8_t vtl = 0; vtl < synic->options.vtl_count; vtl++) {
        struct synic_vp *at = synic_find(synic, vp, vtl);

        if (!at)
            break;
        poll_vtl(synic, at, now_ns);
        if (at->deadline_ns < deadline_ns)
            deadline_ns = at->deadline_ns;
    }
    return deadline_ns;
}

bool vmr_synic_waits(struct vmr_synic *synic, vmr_vp_index vp)
{
    bool waits = false;

    for (uint8_t vtl = 0; vtl < synic->options.vtl_count && !waits; vtl++) {
        const struct synic_vp *at = synic_find(synic, vp, vtl);

        waits = at && sync_load_u32(synic->host, &at->attention) != 0;
    }
    return waits;
}

/* --- towards the guest --- */

static struct synic_vp *find_target(struct vmr_synic *synic, const struct vmr_synic_target *target)
{
    struct synic_vp *vp = synic_find(synic, target->vp, target->vtl);

    if (!vp)
        complain(synic->host, &synic->bad_target, VMR_CULPRIT_CALLER,
                 "SynIC: VP %" PRIu32 " VTL %u does not exist: nothing is sent", target->vp, target->vtl);
    return vp;
}

static bool encode_message(const struct vmr_synic_message *message, struct message *ret_message)
{
    if (message->type == HV_MESSAGE_TYPE_NONE || message->length > HV_MESSAGE_PAYLOAD_MAX)
        return false;
    *ret_message = (struct message){0};
    store_le32(ret_message->bytes + HV_MESSAGE_TYPE_OFFSET, message->type);
    ret_message->bytes[HV_MESSAGE_LENGTH_OFFSET] = (uint8_t)message->length;
    store_le64(ret_message->bytes + HV_MESSAGE_ORIGIN_OFFSET, message->origin);
    if (message->length > 0)
        memcpy(ret_message->bytes + HV_MESSAGE_PAYLOAD_OFFSET, message->payload, message->length);
    return true;
}

enum vmr_status vmr_synic_post_message(struct vmr_synic *synic, const struct vmr_synic_target *target,
                                       const struct vmr_synic_message *message)
{
    struct synic_vp *vp = find_target(synic, target);
    struct message encoded;
    bool doorbell = false;

    if (!vp || target->sint >= HV_SINT_COUNT || !encode_message(message, &encoded))
        return VMR_E_USAGE;
    synic_begin(synic, &(struct vmr_async){.kind = VMR_ASYNC_MESSAGE,
                                           .a = message->type,
                                           .b = message->origin,
                                           .bytes = message->payload,
                                           .length = message->length,
                                           .target = target});
    enum vmr_status status = synic_vp_post(vp, target->sint, &encoded, &doorbell);

    if (doorbell)
        synic->options.wake(synic->options.context, vp->index);
    synic_end(synic);
    return status;
}

bool vmr_synic_is_open(struct vmr_synic *synic, const struct vmr_synic_target *target)
{
    struct synic_vp *vp = synic_find(synic, target->vp, target->vtl);

    return vp && target->sint < HV_SINT_COUNT && synic_vp_is_open(vp, target->sint);
}

enum vmr_synic_signal vmr_synic_signal_event(struct vmr_synic *synic, const struct vmr_synic_target *target,
                                             uint16_t guest_flag)
{
    struct synic_vp *vp = synic_find(synic, target->vp, target->vtl);
    struct synic_irq irq;
    bool raises;

    if (!vp || target->sint >= HV_SINT_COUNT || guest_flag >= HV_EVENT_FLAG_COUNT)
        return VMR_SYNIC_NOT_SIGNALED;
    synic_begin(synic, &(struct vmr_async){.kind = VMR_ASYNC_EVENT, .a = guest_flag, .target = target});
    enum vmr_synic_signal result = synic_vp_signal(vp, target->sint, guest_flag, &raises, &irq);

    if (raises)
        raise_irq(synic, vp, irq);
    synic_end(synic);
    return result;
}

/* --- reference time --- */

uint64_t vmr_synic_time(struct vmr_synic *synic)
{
    return synic->options.offload ? synic_offload_time(synic) : reference_time_now(&synic->time);
}

void synic_stir_all(struct vmr_synic *synic)
{
    for (uint32_t i = 0; i < synic->slot_count; i++)
        synic_vp_stir(&synic->vps[i]);
    wake_all(synic);
}

/* Deadlines and the TSC page were made for the time as it went before. */
static void time_has_jumped(struct vmr_synic *synic)
{
    reference_tsc_invalidate(&synic->tsc);
    synic_stir_all(synic);
}

void vmr_synic_time_pause(struct vmr_synic *synic)
{
    synic_call(synic, VMR_CALL_TIME, 0);
    if (synic->options.offload)
        synic_offload_pause(synic);
    else
        reference_time_pause(&synic->time);
    synic_end(synic);
}

void vmr_synic_time_resume(struct vmr_synic *synic)
{
    synic_call(synic, VMR_CALL_TIME, 0);
    if (synic->options.offload)
        synic_offload_resume(synic);
    else
        reference_time_resume(&synic->time);
    time_has_jumped(synic);
    synic_end(synic);
}

static void set_time(struct vmr_synic *synic, uint64_t count)
{
    if (synic->options.offload)
        synic_offload_set_time(synic, count);
    else
        reference_time_set(&synic->time, count);
}

void vmr_synic_time_set(struct vmr_synic *synic, uint64_t count)
{
    synic_call(synic, VMR_CALL_TIME, count);
    set_time(synic, count);
    time_has_jumped(synic);
    synic_end(synic);
}

void synic_restore_time(struct vmr_synic *synic, uint64_t count)
{
    set_time(synic, count);
    reference_tsc_outdate(&synic->tsc);
    synic_stir_all(synic);
}
