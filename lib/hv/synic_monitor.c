/* SPDX-License-Identifier: MIT */
/*
 * The monitor page of a partition: where it is, what keeps the guest's writes
 * from it, and where its signals go.
 *
 * The address changes first, then the old page is given back to the guest, then
 * the new one is trapped. A trigger that meets the change finds the old page or
 * the new one; a write to the old page that comes later is the guest's own RAM.
 */

#include "lib/hv/synic.h"

#include <inttypes.h>

#include "lib/base/checked.h"

/*
 * One change at a time. A flag and no lock: who changes the page may have to wait
 * for VPs, of which one may be about to change it as well.
 */
static bool is_unchanged(void *argument)
{
    struct vmr_synic *synic = argument;

    return sync_load_u32(synic->host, &synic->monitor_changing) == 0;
}

static void begin_change(struct vmr_synic *synic)
{
    const struct vmr_synic_monitor_ops *ops = synic->options.monitor;
    uint32_t none = 0;

    while (!sync_compare_exchange_u32(synic->host, &synic->monitor_changing, &none, 1)) {
        if (ops->wait)
            ops->wait(synic->options.context, is_unchanged, synic);
        else
            (void)sync_poll(synic->host, is_unchanged, synic);
        none = 0;
    }
}

static void end_change(struct vmr_synic *synic)
{
    sync_store_u32(synic->host, &synic->monitor_changing, 0);
}

/* Within a change. */
static void leave_page(struct vmr_synic *synic, uint64_t old)
{
    const struct vmr_synic_monitor_ops *ops = synic->options.monitor;

    if (old == MONITOR_NO_PAGE)
        return;
    ops->untrap(synic->options.context, old);
    if (synic->has_allocated)
        ops->free(synic->options.context, old);
    synic->has_allocated = false;
}

static enum vmr_status enter_page(struct vmr_synic *synic, uint64_t gpa, struct vmr_error *err)
{
    enum vmr_status status = synic->options.monitor->trap(synic->options.context, gpa, err);

    if (status)
        (void)monitor_exchange_page(&synic->monitor, MONITOR_NO_PAGE);
    return status;
}

void synic_monitor_reset(struct vmr_synic *synic)
{
    if (!synic->options.monitor)
        return;
    begin_change(synic);
    leave_page(synic, monitor_exchange_page(&synic->monitor, MONITOR_NO_PAGE));
    end_change(synic);
}

bool vmr_synic_has_monitor(const struct vmr_synic *synic)
{
    return synic->options.monitor != NULL;
}

static enum vmr_status check_supported(const struct vmr_synic *synic, uint8_t vtl, struct vmr_error *err)
{
    if (!synic->options.monitor)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "monitor page: this partition has none");
    if (vtl != VMR_VTL0)
        return vmr_error_set(err, VMR_E_CONFIG, "monitor page: VTL %u: only VTL 0 has one", vtl);
    return VMR_OK;
}

/* Within a change. The same page again stays trapped throughout. */
static enum vmr_status move_page(struct vmr_synic *synic, uint64_t gpa, struct vmr_error *err)
{
    uint64_t old = monitor_exchange_page(&synic->monitor, gpa);

    if (old == gpa)
        return VMR_OK;
    leave_page(synic, old);
    return gpa == MONITOR_NO_PAGE ? VMR_OK : enter_page(synic, gpa, err);
}

enum vmr_status vmr_synic_monitor_set_page(struct vmr_synic *synic, uint8_t vtl, const vmr_gpa *gpa,
                                           struct vmr_error *err)
{
    enum vmr_status status = check_supported(synic, vtl, err);

    if (status)
        return status;
    if (gpa && !is_aligned(*gpa, VMR_PAGE_SIZE))
        return vmr_error_set(err, VMR_E_CONFIG, "monitor page: %#" PRIx64 " is not the address of a page", *gpa);
    synic_call(synic, VMR_CALL_MONITOR_PAGE, gpa ? *gpa : VMR_CALL_NOWHERE);
    begin_change(synic);
    status = move_page(synic, gpa ? *gpa : MONITOR_NO_PAGE, err);
    end_change(synic);
    synic_end(synic);
    return status;
}

static enum vmr_status allocate_page(struct vmr_synic *synic, vmr_gpa *ret_gpa, struct vmr_error *err)
{
    const struct vmr_synic_monitor_ops *ops = synic->options.monitor;
    vmr_gpa gpa;

    if (synic->has_allocated) {
        *ret_gpa = monitor_page(&synic->monitor);
        return VMR_OK;
    }
    enum vmr_status status = ops->allocate(synic->options.context, &gpa, err);

    if (status)
        return status;
    status = move_page(synic, gpa, err);
    if (status) {
        ops->free(synic->options.context, gpa);
        return status;
    }
    synic->has_allocated = true;
    *ret_gpa = gpa;
    return VMR_OK;
}

enum vmr_status vmr_synic_monitor_allocate_page(struct vmr_synic *synic, uint8_t vtl,
                                                struct vmr_monitor_page_gpas *ret_gpas, struct vmr_error *err)
{
    enum vmr_status status = check_supported(synic, vtl, err);
    vmr_gpa gpa;

    if (status)
        return status;
    if (!synic->options.monitor->allocate)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "monitor page: this partition cannot allocate one");
    synic_call(synic, VMR_CALL_MONITOR_PAGE, VMR_CALL_NOWHERE);
    begin_change(synic);
    status = allocate_page(synic, &gpa, err);
    end_change(synic);
    synic_end(synic);
    if (status)
        return status;
    *ret_gpas = (struct vmr_monitor_page_gpas){.child_to_parent = gpa};
    return VMR_OK;
}

/* --- saving and restoring --- */

void synic_save_monitor(struct vmr_synic *synic, struct vmr_hv_monitor_state *ret_state)
{
    begin_change(synic);
    uint64_t gpa = monitor_page(&synic->monitor);

    ret_state->has_page = gpa != MONITOR_NO_PAGE;
    ret_state->gpa = ret_state->has_page ? gpa : 0;
    ret_state->allocated = synic->has_allocated;
    end_change(synic);
}

static enum vmr_status check_state(const struct vmr_synic *synic, const struct vmr_hv_monitor_state *state,
                                   struct vmr_error *err)
{
    if (!is_aligned(state->gpa, VMR_PAGE_SIZE) || (!state->has_page && state->gpa != 0))
        return vmr_error_set(err, VMR_E_CONFIG, "monitor: gpa: %#" PRIx64 " is not the address of %s", state->gpa,
                             state->has_page ? "a page" : "no page");
    if (state->allocated && (!state->has_page || !synic->options.monitor->allocate))
        return vmr_error_set(err, VMR_E_CONFIG, "monitor: allocated: there is no such page");
    return VMR_OK;
}

static enum vmr_status restore_locked(struct vmr_synic *synic, const struct vmr_hv_monitor_state *state,
                                      struct vmr_error *err)
{
    uint64_t before = monitor_page(&synic->monitor);
    bool was_allocated = synic->has_allocated;
    enum vmr_status status = move_page(synic, state->has_page ? state->gpa : MONITOR_NO_PAGE, err);

    if (!status) {
        synic->has_allocated = state->allocated;
        return VMR_OK;
    }
    if (move_page(synic, before, NULL) == VMR_OK)
        synic->has_allocated = was_allocated;
    return status;
}

enum vmr_status synic_restore_monitor(struct vmr_synic *synic, const struct vmr_hv_monitor_state *state,
                                      struct vmr_error *err)
{
    enum vmr_status status = check_state(synic, state, err);

    if (status)
        return status;
    begin_change(synic);
    status = restore_locked(synic, state, err);
    end_change(synic);
    return status;
}

/* --- triggers --- */

struct trigger {
    struct vmr_synic *synic;
    uint8_t vtl;
};

/* The registration may be gone, or the port closed to this VTL: the guest is told nothing. */
static void signal_connection(void *context, uint32_t connection_id)
{
    const struct trigger *trigger = context;
    enum hv_status status = vmr_synic_guest_signal(trigger->synic, trigger->vtl, connection_id, 0);

    if (status != HV_STATUS_SUCCESS)
        complain(trigger->synic->host, &trigger->synic->unsent, VMR_CULPRIT_GUEST,
                 "monitor page: connection %#" PRIx32 " cannot be signalled from VTL %u: status %#x", connection_id,
                 trigger->vtl, (unsigned)status);
}

bool vmr_synic_monitor_write(struct vmr_synic *synic, uint8_t vtl, vmr_gpa guest_gpa, const void *bytes, size_t length)
{
    struct trigger trigger = {synic, vtl};
    const struct monitor_sink sink = {.signal = signal_connection, .context = &trigger};

    return monitor_check_write(&synic->monitor, guest_gpa, bytes, length, &sink);
}

bool vmr_synic_monitor_read(const struct vmr_synic *synic, vmr_gpa guest_gpa, void *ret_bytes, size_t length)
{
    return monitor_check_read(&synic->monitor, guest_gpa, ret_bytes, length);
}

void vmr_synic_monitor_write_bit(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_bit)
{
    struct trigger trigger = {synic, vtl};
    const struct monitor_sink sink = {.signal = signal_connection, .context = &trigger};

    monitor_write_bit(&synic->monitor, guest_bit, &sink);
}
