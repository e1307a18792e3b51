/* SPDX-License-Identifier: MIT */
/*
 * Events of the host's as the SynIC's ports have them signalled: by the
 * hypervisor, for those signals that it serves, and here through the host for all
 * others.
 */

#include <limits.h>
#include <stdint.h>

#include "lib/hv/guest.h"

/*
 * A token is a pointer that is never followed: the event's number, whether the
 * hypervisor has it too, and for which connection. There is nothing to free, which
 * a signal on its way would otherwise still use.
 */
_Static_assert(sizeof(void *) >= sizeof(uint64_t), "a token holds a connection, an event and a bit");

static void *token_of(uint32_t connection_id, int os_event, bool is_bound)
{
    return (void *)(uintptr_t)((uint64_t)connection_id << 32 | (uint32_t)os_event << 1 | (is_bound ? 1u : 0u));
}

static int event_of(const void *token)
{
    return (int)((uint32_t)(uintptr_t)token >> 1);
}

static enum vmr_status add_event(void *context, uint32_t connection_id, uint8_t minimum_vtl, intptr_t os_event,
                                 void **ret_token, struct vmr_error *err)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;
    enum vmr_status status = VMR_E_UNSUPPORTED;

    if (os_event < 0 || os_event > INT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "connection %#x: %lld is no event of the host's",
                             (unsigned)connection_id, (long long)os_event);
    /* The hypervisor asks for no VTL; here the port's own is asked before. */
    if (target->bind_event && minimum_vtl == VMR_VTL0)
        status = target->bind_event(target->context, connection_id, (int)os_event, true);
    if (status && status != VMR_E_UNSUPPORTED)
        return vmr_error_set(err, status, "connection %#x: the hypervisor does not take event %d",
                             (unsigned)connection_id, (int)os_event);
    *ret_token = token_of(connection_id, (int)os_event, status == VMR_OK);
    return VMR_OK;
}

static void remove_event(void *context, void *token)
{
    const struct vmr_hv_target *target = &((struct vmr_hv_guest *)context)->target;
    uint64_t word = (uintptr_t)token;

    if (word & 1)
        (void)target->bind_event(target->context, (uint32_t)(word >> 32), event_of(token), false);
}

static void signal_event(void *context, void *token)
{
    const struct vmr_host *host = ((struct vmr_hv_guest *)context)->host;

    host->ops->events->signal(host->context, event_of(token));
}

static const struct vmr_synic_host_events host_events = {
    .add = add_event, .remove = remove_event, .signal = signal_event};
static const struct vmr_synic_host_events bound_events = {
    .add = add_event, .remove = remove_event, .signal = signal_event, .preferred = true};

const struct vmr_synic_host_events *guest_host_events(const struct vmr_hv_guest *guest)
{
    if (!guest->host->ops->events)
        return NULL;
    return guest->target.bind_event ? &bound_events : &host_events;
}
