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

struct vmr_guest_message_port {
    struct link *link;
    uint8_t vtl;
    uint8_t sint;
    _Atomic uint32_t vp;
};

struct vmr_guest_event_port {
    const struct vmr_host *host;
    struct link *link;
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
    port->link = synic->link;
    port->vtl = target->vtl;
    port->sint = target->sint;
    sync_store_u32(synic->host, &port->vp, target->vp);
    link_get(port->link);
    *ret_port = port;
    return VMR_OK;
}

void vmr_guest_message_port_destroy(struct vmr_guest_message_port *port)
{
    if (!port)
        return;
    link_put(port->link);
    free(port);
}

enum vmr_status vmr_guest_message_port_post(struct vmr_guest_message_port *port, uint32_t type, const void *payload,
                                            size_t length)
{
    struct vmr_synic *synic = link_enter(port->link);

    if (!synic)
        return VMR_OK;
    const struct vmr_synic_target target = {
        .vp = sync_load_u32(synic->host, &port->vp), .vtl = port->vtl, .sint = port->sint};
    const struct vmr_synic_message message = {.type = type, .payload = payload, .length = length};
    enum vmr_status status = vmr_synic_post_message(synic, &target, &message);

    link_leave(port->link);
    return status;
}

void vmr_guest_message_port_set_target_vp(struct vmr_guest_message_port *port, vmr_vp_index vp)
{
    struct vmr_synic *synic = begin_aim(port->link, vp);

    sync_store_u32(port->link->host, &port->vp, vp);
    end_aim(port->link, synic);
}

/* --- event flags --- */

static uint64_t aim_at(const struct vmr_synic_target *target, uint16_t flag)
{
    return AIM_SET | (uint64_t)target->vtl << AIM_VTL_SHIFT | (uint64_t)target->sint << AIM_SINT_SHIFT |
           (uint64_t)flag << AIM_FLAG_SHIFT | target->vp;
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
    port->link = synic->link;
    port->vtl_count = synic->options.vtl_count;
    sync_store_u64(port->host, &port->aim, aim_at(target, flag));
    link_get(port->link);
    *ret_port = port;
    return VMR_OK;
}

void vmr_guest_event_port_destroy(struct vmr_guest_event_port *port)
{
    if (!port)
        return;
    link_put(port->link);
    free(port);
}

enum vmr_synic_signal vmr_guest_event_port_signal(struct vmr_guest_event_port *port)
{
    uint64_t aim = sync_load_u64(port->host, &port->aim);

    if (aim == AIM_NOWHERE)
        return VMR_SYNIC_NOT_SIGNALED;
    struct vmr_synic *synic = link_enter(port->link);

    if (!synic)
        return VMR_SYNIC_NOT_SIGNALED;
    const struct vmr_synic_target target = {
        .vp = (vmr_vp_index)(aim & AIM_VP_MASK),
        .vtl = (uint8_t)(aim >> AIM_VTL_SHIFT & 0xf),
        .sint = (uint8_t)(aim >> AIM_SINT_SHIFT & 0xf),
    };
    enum vmr_synic_signal result = vmr_synic_signal_event(synic, &target, (uint16_t)(aim >> AIM_FLAG_SHIFT));

    link_leave(port->link);
    return result;
}

void vmr_guest_event_port_set_target_vp(struct vmr_guest_event_port *port, vmr_vp_index vp)
{
    struct vmr_synic *synic = begin_aim(port->link, vp);
    uint64_t aim = sync_load_u64(port->host, &port->aim);

    while (aim != AIM_NOWHERE && !sync_compare_exchange_u64(port->host, &port->aim, &aim, (aim & ~AIM_VP_MASK) | vp))
        ;
    end_aim(port->link, synic);
}

enum vmr_status vmr_guest_event_port_set(struct vmr_guest_event_port *port, const struct vmr_synic_target *target,
                                         uint16_t flag, struct vmr_error *err)
{
    enum vmr_status status = target ? check_aim(port->vtl_count, target, flag, err) : VMR_OK;

    if (status)
        return status;
    struct vmr_synic *synic = begin_aim(port->link, target ? target->vp : VMR_CALL_NOWHERE);

    sync_store_u64(port->host, &port->aim, target ? aim_at(target, flag) : AIM_NOWHERE);
    end_aim(port->link, synic);
    return VMR_OK;
}
