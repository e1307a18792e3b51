/* SPDX-License-Identifier: MIT */
/*
 * Host ports: how they are added and removed, and who may reach them.
 *
 * A guest's call is judged in this order: is there such a port, is it of this
 * kind, is the caller's VTL high enough; then the port is called, with no lock
 * held. Message and event ports that do not exist and those of the other kind
 * are the same to the guest.
 */

#include "lib/hv/synic.h"

#include <inttypes.h>
#include <stdlib.h>

#include "vmrig/synic_look.h"

struct vmr_synic_port {
    struct link *link;
    uint32_t connection_id;
    uint64_t number;
};

/* --- adding and removing --- */

static enum vmr_status check_vtl(uint32_t connection_id, uint8_t minimum_vtl, struct vmr_error *err)
{
    if (minimum_vtl >= VMR_VTL_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "connection %#" PRIx32 ": %u is not a VTL", connection_id, minimum_vtl);
    return VMR_OK;
}

static void remove_fast_path(struct vmr_synic *synic, struct port *port)
{
    if (port->has_fast_path)
        synic->options.host_events->remove(synic->options.context, port->fast_path);
}

/* Not a word of the port changes: a guest's call may be under way in it. What is outside the map goes after it: until
 * then a guest may find the port. */
static void withdraw(struct vmr_synic *synic, struct port *port)
{
    if (port->has_monitor && synic->options.monitor)
        monitor_unregister(&synic->monitor, port->monitor_id);
    remove_fast_path(synic, port);
}

void synic_ports_finish(struct vmr_synic *synic)
{
    struct port *port;

    while ((port = port_map_remove_any(&synic->ports)) != NULL) {
        withdraw(synic, port);
        port_put(port);
    }
}

/* Puts a copy of `port` into the map and makes the handle to it; fails as a whole, but for the fast path. */
static enum vmr_status add_port(struct vmr_synic *synic, const struct port *wanted, struct vmr_synic_port **ret_port,
                                struct vmr_error *err)
{
    struct monitor *monitor = synic->options.monitor ? &synic->monitor : NULL;
    struct vmr_synic_port *handle = calloc(1, sizeof(*handle));
    struct port *port = calloc(1, sizeof(*port));
    enum vmr_status status;

    if (port)
        *port = *wanted;
    synic_call(synic, VMR_CALL_PORT_ADD, wanted->connection_id);
    if (!handle || !port)
        status =
            vmr_error_set(err, VMR_E_NOMEM, "connection %#" PRIx32 ": no memory for the port", wanted->connection_id);
    else
        status = port_map_add(&synic->ports, port, monitor, err);
    synic_end(synic);
    if (status) {
        free(handle);
        free(port);
        return status;
    }
    /* The port may be called, but not go, before the handle is out. */
    *handle =
        (struct vmr_synic_port){.link = synic->link, .connection_id = port->connection_id, .number = port->number};
    link_get(synic->link);
    *ret_port = handle;
    return VMR_OK;
}

enum vmr_status vmr_synic_message_port_add(struct vmr_synic *synic, const struct vmr_message_port *port,
                                           struct vmr_synic_port **ret_port, struct vmr_error *err)
{
    enum vmr_status status = check_vtl(port->connection_id, port->minimum_vtl, err);

    if (status)
        return status;
    if (!port->post)
        return vmr_error_set(err, VMR_E_USAGE, "connection %#" PRIx32 ": a message port without a call to post to",
                             port->connection_id);
    const struct port wanted = {
        .host = synic->host,
        .references = 1,
        .kind = PORT_MESSAGE,
        .minimum_vtl = port->minimum_vtl,
        .connection_id = port->connection_id,
        .post = port->post,
        .release = port->release,
        .context = port->context,
    };

    return add_port(synic, &wanted, ret_port, err);
}

static enum vmr_status add_fast_path(struct vmr_synic *synic, const struct vmr_event_port *port, struct port *wanted,
                                     struct vmr_error *err)
{
    const struct vmr_synic_host_events *events = synic->options.host_events;

    if (!port->has_os_event || !events)
        return VMR_OK;
    enum vmr_status status = events->add(synic->options.context, port->connection_id, port->minimum_vtl, port->os_event,
                                         &wanted->fast_path, err);

    wanted->has_fast_path = status == VMR_OK;
    return status == VMR_E_UNSUPPORTED ? VMR_OK : status;
}

/* The fast path first, then the map, then the monitor: whichever fails, what came before it goes again. */
enum vmr_status vmr_synic_event_port_add(struct vmr_synic *synic, const struct vmr_event_port *port,
                                         struct vmr_synic_port **ret_port, struct vmr_error *err)
{
    enum vmr_status status = check_vtl(port->connection_id, port->minimum_vtl, err);

    if (status)
        return status;
    if (synic->options.signal_id_max != 0 && port->connection_id > synic->options.signal_id_max)
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "connection %#" PRIx32 ": the hypervisor takes signals up to %#" PRIx32,
                             port->connection_id, synic->options.signal_id_max);
    if (!port->signal)
        return vmr_error_set(err, VMR_E_USAGE, "connection %#" PRIx32 ": an event port without a call to signal",
                             port->connection_id);
    struct port wanted = {
        .host = synic->host,
        .references = 1,
        .kind = PORT_EVENT,
        .minimum_vtl = port->minimum_vtl,
        .connection_id = port->connection_id,
        .signal = port->signal,
        .release = port->release,
        .context = port->context,
        .has_monitor = port->has_monitor,
        .monitor_id = port->monitor_id,
    };

    status = add_fast_path(synic, port, &wanted, err);
    if (status)
        return status;
    status = add_port(synic, &wanted, ret_port, err);
    if (status)
        remove_fast_path(synic, &wanted);
    return status;
}

void vmr_synic_port_remove(struct vmr_synic_port *handle)
{
    if (!handle)
        return;
    struct vmr_synic *synic = link_enter(handle->link);

    if (synic) {
        synic_call(synic, VMR_CALL_PORT_REMOVE, handle->connection_id);
        struct port *port = port_map_remove(&synic->ports, handle->connection_id, handle->number);

        if (port)
            withdraw(synic, port);
        synic_end(synic);
        if (port)
            port_put(port);
        link_leave(handle->link);
    }
    link_put(handle->link);
    free(handle);
}

bool vmr_synic_prefers_os_events(const struct vmr_synic *synic)
{
    return synic->options.host_events && synic->options.host_events->preferred;
}

/* --- looking --- */

struct looking {
    struct vmr_synic_port_info *ports;
    size_t count, capacity;
};

static void see(void *context, const struct port *port)
{
    struct looking *looking = context;

    if (looking->count == looking->capacity)
        return;
    looking->ports[looking->count++] = (struct vmr_synic_port_info){.connection_id = port->connection_id,
                                                                    .is_event = port->kind == PORT_EVENT,
                                                                    .minimum_vtl = port->minimum_vtl,
                                                                    .has_monitor = port->has_monitor,
                                                                    .has_os_event = port->has_fast_path,
                                                                    .monitor_id = port->monitor_id};
}

static int by_connection(const void *left, const void *right)
{
    uint32_t a = ((const struct vmr_synic_port_info *)left)->connection_id;
    uint32_t b = ((const struct vmr_synic_port_info *)right)->connection_id;

    return a < b ? -1 : a > b;
}

size_t vmr_synic_ports(struct vmr_synic *synic, struct vmr_synic_port_info *ret_ports, size_t capacity)
{
    struct looking looking = {.ports = ret_ports, .capacity = capacity};
    uint32_t count = port_map_visit(&synic->ports, see, &looking);

    if (looking.count > 0)
        qsort(ret_ports, looking.count, sizeof(ret_ports[0]), by_connection);
    return count;
}

/* --- what guests send --- */

/* With a reference; or NULL and the guest's answer. */
static struct port *find_port(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_connection_id, enum port_kind kind,
                              enum hv_status *ret_status)
{
    struct port *port = port_map_find(&synic->ports, guest_connection_id);

    if (!port || port->kind != kind)
        *ret_status = HV_STATUS_INVALID_CONNECTION_ID;
    else if (vtl < port->minimum_vtl)
        *ret_status = HV_STATUS_OPERATION_DENIED;
    else
        return port;
    if (port)
        port_put(port);
    return NULL;
}

enum hv_status vmr_synic_guest_post(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_connection_id,
                                    const void *payload, size_t guest_length)
{
    enum hv_status status = HV_STATUS_SUCCESS;

    if (guest_length > HV_MESSAGE_PAYLOAD_MAX)
        return HV_STATUS_INVALID_PARAMETER;
    struct port *port = find_port(synic, vtl, guest_connection_id, PORT_MESSAGE, &status);

    if (!port)
        return status;
    if (!port->post(port->context, payload, guest_length, false))
        status = HV_STATUS_INSUFFICIENT_BUFFERS;
    port_put(port);
    return status;
}

enum hv_status vmr_synic_guest_signal(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_connection_id,
                                      uint16_t guest_flag)
{
    enum hv_status status = HV_STATUS_SUCCESS;
    struct port *port = find_port(synic, vtl, guest_connection_id, PORT_EVENT, &status);

    if (!port)
        return status;
    const struct vmr_synic_host_events *events = synic->options.host_events;

    if (port->has_fast_path && events->signal)
        events->signal(synic->options.context, port->fast_path);
    else
        port->signal(port->context, guest_flag);
    port_put(port);
    return HV_STATUS_SUCCESS;
}
