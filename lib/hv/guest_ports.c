/* SPDX-License-Identifier: MIT */
/*
 * Guest ports: handles that send to a SINT of a VP.
 *
 * Where a port is aimed is one word, so that a signal goes to the old target or
 * the new one and never to a mixture, and so that whoever has been given the
 * port follows when it is aimed elsewhere.
 */

#include "lib/hv/synic.h"

#include <inttypes.h>
#include <stdlib.h>

#include "vmrig/synic_look.h"

struct vmr_guest_message_port {
    struct synic_guest_port listed; /* first */
    uint8_t vtl;
    uint8_t sint;
    _Atomic uint32_t vp;
};

struct vmr_guest_event_port {
    struct synic_guest_port listed; /* first */
    const struct vmr_host *host;
    uint8_t vtl_count;
    _Atomic uint64_t aim;
};

/* The word: VP, flag, SINT, VTL, and whether it is aimed at all. */
#define AIM_VP_MASK UINT64_C(0xffffffff)
#define AIM_FLAG_SHIFT 32
#define AIM_SINT_SHIFT 48
#define AIM_VTL_SHIFT 52
#define AIM_SET (UINT64_C(1) << 63)
#define AIM_NOWHERE UINT64_C(0)

static enum vmr_status check_target(uint8_t vtl_count, const struct vmr_synic_target *target, struct vmr_error *err)
{
    if (target->vtl >= vtl_count)
        return vmr_error_set(err, VMR_E_CONFIG, "guest port: VTL %u: there are %u", target->vtl, vtl_count);
    if (target->sint >= HV_SINT_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "guest port: SINT %u: there are %u", target->sint, HV_SINT_COUNT);
    return VMR_OK;
}

/* A VP may send through the port: so for a recorder it is aimed at some point of what VPs do. */
static struct vmr_synic *begin_aim(struct link *link, uint64_t vp)
{
    struct vmr_synic *synic = link_enter(link);

    if (synic)
        synic_call(synic, VMR_CALL_PORT_AIM, vp);
    return synic;
}

static void end_aim(struct link *link, struct vmr_synic *synic)
{
    if (!synic)
        return;
    synic_end(synic);
    link_leave(link);
}

/* --- the list of all --- */

/* It refers to the SynIC from here on, which may go first. */
static void enlist(struct vmr_synic *synic, struct synic_guest_port *port, bool is_event)
{
    *port = (struct synic_guest_port){.link = synic->link, .is_event = is_event};
    link_get(port->link);
    sync_mutex_lock(&synic->guest_ports_lock);
    port->next = synic->guest_ports;
    if (port->next)
        port->next->before = port;
    synic->guest_ports = port;
    sync_mutex_unlock(&synic->guest_ports_lock);
}

static void delist(struct synic_guest_port *port)
{
    struct vmr_synic *synic = link_enter(port->link);

    if (synic) {
        sync_mutex_lock(&synic->guest_ports_lock);
        if (port->next)
            port->next->before = port->before;
        if (port->before)
            port->before->next = port->next;
        else
            synic->guest_ports = port->next;
        sync_mutex_unlock(&synic->guest_ports_lock);
        link_leave(port->link);
    }
    link_put(port->link);
}

/* --- messages --- */

enum vmr_status vmr_guest_message_port_create(struct vmr_synic *synic, const struct vmr_synic_target *target,
                                              struct vmr_guest_message_port **ret_port, struct vmr_error *err)
{
    enum vmr_status status = check_target(synic->options.vtl_count, target, err);

    if (status)
        return status;
    struct vmr_guest_message_port *port = calloc(1, sizeof(*port));

    if (!port)
        return vmr_error_set(err, VMR_E_NOMEM, "guest message port: no memory");
    port->vtl = target->vtl;
    port->sint = target->sint;
    sync_store_u32(synic->host, &port->vp, target->vp);
    enlist(synic, &port->listed, false);
    *ret_port = port;
    return VMR_OK;
}

void vmr_guest_message_port_destroy(struct vmr_guest_message_port *port)
{
    if (!port)
        return;
    delist(&port->listed);
    free(port);
}

enum vmr_status vmr_guest_message_port_post(struct vmr_guest_message_port *port, uint32_t type, const void *payload,
                                            size_t length)
{
    struct vmr_synic *synic = link_enter(port->listed.link);

    if (!synic)
        return VMR_OK;
    const struct vmr_synic_target target = {
        .vp = sync_load_u32(synic->host, &port->vp), .vtl = port->vtl, .sint = port->sint};
    const struct vmr_synic_message message = {.type = type, .payload = payload, .length = length};
    enum vmr_status status = vmr_synic_post_message(synic, &target, &message);

    link_leave(port->listed.link);
    return status;
}

void vmr_guest_message_port_set_target_vp(struct vmr_guest_message_port *port, vmr_vp_index vp)
{
    struct vmr_synic *synic = begin_aim(port->listed.link, vp);

    sync_store_u32(port->listed.link->host, &port->vp, vp);
    end_aim(port->listed.link, synic);
}

/* --- event flags --- */

static uint64_t aim_at(const struct vmr_synic_target *target, uint16_t flag)
{
    return AIM_SET | (uint64_t)target->vtl << AIM_VTL_SHIFT | (uint64_t)target->sint << AIM_SINT_SHIFT |
           (uint64_t)flag << AIM_FLAG_SHIFT | target->vp;
}

static struct vmr_synic_target target_of(uint64_t aim)
{
    return (struct vmr_synic_target){
        .vp = (vmr_vp_index)(aim & AIM_VP_MASK),
        .vtl = (uint8_t)(aim >> AIM_VTL_SHIFT & 0xf),
        .sint = (uint8_t)(aim >> AIM_SINT_SHIFT & 0xf),
    };
}

static enum vmr_status check_aim(uint8_t vtl_count, const struct vmr_synic_target *target, uint16_t flag,
                                 struct vmr_error *err)
{
    enum vmr_status status = check_target(vtl_count, target, err);

    if (status)
        return status;
    if (flag >= HV_EVENT_FLAG_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "guest event port: flag %u: there are %u", flag, HV_EVENT_FLAG_COUNT);
    return VMR_OK;
}

enum vmr_status vmr_guest_event_port_create(struct vmr_synic *synic, const struct vmr_synic_target *target,
                                            uint16_t flag, struct vmr_guest_event_port **ret_port,
                                            struct vmr_error *err)
{
    enum vmr_status status = check_aim(synic->options.vtl_count, target, flag, err);

    if (status)
        return status;
    struct vmr_guest_event_port *port = calloc(1, sizeof(*port));

    if (!port)
        return vmr_error_set(err, VMR_E_NOMEM, "guest event port: no memory");
    port->host = synic->host;
    port->vtl_count = synic->options.vtl_count;
    sync_store_u64(port->host, &port->aim, aim_at(target, flag));
    enlist(synic, &port->listed, true);
    *ret_port = port;
    return VMR_OK;
}

void vmr_guest_event_port_destroy(struct vmr_guest_event_port *port)
{
    if (!port)
        return;
    delist(&port->listed);
    free(port);
}

enum vmr_synic_signal vmr_guest_event_port_signal(struct vmr_guest_event_port *port)
{
    uint64_t aim = sync_load_u64(port->host, &port->aim);

    if (aim == AIM_NOWHERE)
        return VMR_SYNIC_NOT_SIGNALED;
    struct vmr_synic *synic = link_enter(port->listed.link);

    if (!synic)
        return VMR_SYNIC_NOT_SIGNALED;
    const struct vmr_synic_target target = target_of(aim);
    enum vmr_synic_signal result = vmr_synic_signal_event(synic, &target, (uint16_t)(aim >> AIM_FLAG_SHIFT));

    link_leave(port->listed.link);
    return result;
}

void vmr_guest_event_port_set_target_vp(struct vmr_guest_event_port *port, vmr_vp_index vp)
{
    struct vmr_synic *synic = begin_aim(port->listed.link, vp);
    uint64_t aim = sync_load_u64(port->host, &port->aim);

    while (aim != AIM_NOWHERE && !sync_compare_exchange_u64(port->host, &port->aim, &aim, (aim & ~AIM_VP_MASK) | vp))
        ;
    end_aim(port->listed.link, synic);
}

enum vmr_status vmr_guest_event_port_set(struct vmr_guest_event_port *port, const struct vmr_synic_target *target,
                                         uint16_t flag, struct vmr_error *err)
{
    enum vmr_status status = target ? check_aim(port->vtl_count, target, flag, err) : VMR_OK;

    if (status)
        return status;
    struct vmr_synic *synic = begin_aim(port->listed.link, target ? target->vp : VMR_CALL_NOWHERE);

    sync_store_u64(port->host, &port->aim, target ? aim_at(target, flag) : AIM_NOWHERE);
    end_aim(port->listed.link, synic);
    return VMR_OK;
}

/* --- looking --- */

static struct vmr_guest_port_info describe(const struct vmr_host *host, const struct synic_guest_port *listed)
{
    if (!listed->is_event) {
        const struct vmr_guest_message_port *port = (const struct vmr_guest_message_port *)listed;

        return (struct vmr_guest_port_info){
            .is_aimed = true, .target = {.vp = sync_load_u32(host, &port->vp), .vtl = port->vtl, .sint = port->sint}};
    }
    uint64_t aim = sync_load_u64(host, &((const struct vmr_guest_event_port *)listed)->aim);

    if (aim == AIM_NOWHERE)
        return (struct vmr_guest_port_info){.is_event = true};
    return (struct vmr_guest_port_info){
        .is_event = true, .is_aimed = true, .target = target_of(aim), .flag = (uint16_t)(aim >> AIM_FLAG_SHIFT)};
}

size_t vmr_synic_guest_ports(struct vmr_synic *synic, struct vmr_guest_port_info *ret_ports, size_t capacity)
{
    size_t count = 0;

    sync_mutex_lock(&synic->guest_ports_lock);
    for (const struct synic_guest_port *port = synic->guest_ports; port; port = port->next, count++) {
        if (count < capacity)
            ret_ports[count] = describe(synic->host, port);
    }
    sync_mutex_unlock(&synic->guest_ports_lock);
    return count;
}
