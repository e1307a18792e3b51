/* SPDX-License-Identifier: MIT */
/*
 * Buses and ports as they are at one moment, row by row. None of it is state of
 * the guest's, so no snapshot has it: whoever makes a VM alike wires it alike.
 */

#include "lib/snapshot/wiring.h"

#include <stdlib.h>

#include "vmrig/hv_guest.h"
#include "vmrig/synic_look.h"

static void print_ranges(struct vmr_bus *bus, const char *space, struct printing *printing)
{
    struct vmr_bus_range_info range;

    for (size_t i = 0; bus && vmr_bus_range_get(bus, i, &range); i++) {
        print_row_begin(printing, "range");
        print_string(printing, "bus", space);
        print_hex(printing, "start", range.start);
        print_hex(printing, "length", range.length);
        print_hex(printing, "sizes", range.sizes);
        print_string(printing, "owner", range.name);
        print_row_end(printing);
    }
}

static void print_doorbell(const struct vmr_doorbell *doorbell, const char *space, bool in_hypervisor,
                           struct printing *printing)
{
    print_row_begin(printing, "doorbell");
    print_string(printing, "bus", space);
    print_hex(printing, "address", doorbell->address);
    print_number(printing, "size", doorbell->size);
    if (doorbell->match_value)
        print_hex(printing, "value", doorbell->value);
    print_number(printing, "minimum-vtl", doorbell->minimum_vtl);
    print_flag(printing, "in-hypervisor", in_hypervisor);
    print_row_end(printing);
}

static void print_doorbells(const struct vmr_snapshot_parts *parts, struct printing *printing)
{
    struct vmr_doorbell doorbell;
    enum vmr_bus_space space;
    int fd;

    for (size_t i = 0; parts->ports && vmr_bus_doorbell_get(parts->ports, i, &doorbell); i++)
        print_doorbell(&doorbell, "port", false, printing);
    for (size_t i = 0; parts->mmio && vmr_bus_doorbell_get(parts->mmio, i, &doorbell); i++)
        print_doorbell(&doorbell, "mmio", false, printing);
    for (size_t i = 0; vmr_partition_doorbell_get(parts->partition, i, &space, &doorbell, &fd); i++)
        print_doorbell(&doorbell, space == VMR_BUS_PORTS ? "port" : "mmio", true, printing);
}

static void print_port(const struct vmr_synic_port_info *port, struct printing *printing)
{
    print_row_begin(printing, "port");
    print_hex(printing, "connection", port->connection_id);
    print_string(printing, "kind", port->is_event ? "event" : "message");
    print_number(printing, "minimum-vtl", port->minimum_vtl);
    if (port->has_monitor)
        print_number(printing, "monitor", port->monitor_id);
    print_flag(printing, "os-event", port->has_os_event);
    print_row_end(printing);
}

static void print_guest_port(const struct vmr_guest_port_info *port, struct printing *printing)
{
    print_row_begin(printing, "guest-port");
    print_string(printing, "kind", port->is_event ? "event" : "message");
    if (port->is_aimed) {
        print_number(printing, "vp", port->target.vp);
        print_number(printing, "vtl", port->target.vtl);
        print_number(printing, "sint", port->target.sint);
        if (port->is_event)
            print_number(printing, "flag", port->flag);
    }
    print_row_end(printing);
}

/* What is added between the two calls is not printed. */
static enum vmr_status print_host_ports(struct vmr_synic *synic, struct printing *printing)
{
    size_t capacity = vmr_synic_ports(synic, NULL, 0);
    struct vmr_synic_port_info *ports = calloc(capacity + 1, sizeof(*ports));

    if (!ports)
        return VMR_E_NOMEM;
    size_t count = vmr_synic_ports(synic, ports, capacity);

    print_list_begin(printing, "ports");
    for (size_t i = 0; i < count && i < capacity; i++)
        print_port(&ports[i], printing);
    print_list_end(printing);
    free(ports);
    return VMR_OK;
}

static enum vmr_status print_guest_ports(struct vmr_synic *synic, struct printing *printing)
{
    size_t capacity = vmr_synic_guest_ports(synic, NULL, 0);
    struct vmr_guest_port_info *ports = calloc(capacity + 1, sizeof(*ports));

    if (!ports)
        return VMR_E_NOMEM;
    size_t count = vmr_synic_guest_ports(synic, ports, capacity);

    print_list_begin(printing, "guest-ports");
    for (size_t i = 0; i < count && i < capacity; i++)
        print_guest_port(&ports[i], printing);
    print_list_end(printing);
    free(ports);
    return VMR_OK;
}

enum vmr_status wiring_print(const struct vmr_snapshot_parts *parts, struct printing *printing)
{
    struct vmr_hv_guest *hv = vmr_partition_hv(parts->partition);

    print_list_begin(printing, "ranges");
    print_ranges(parts->ports, "port", printing);
    print_ranges(parts->mmio, "mmio", printing);
    print_list_end(printing);
    print_list_begin(printing, "doorbells");
    print_doorbells(parts, printing);
    print_list_end(printing);
    if (!hv)
        return VMR_OK;
    struct vmr_synic *synic = vmr_hv_guest_synic(hv);
    enum vmr_status status = print_host_ports(synic, printing);

    return status ? status : print_guest_ports(synic, printing);
}
