/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which ports a SynIC has, for who looks into a partition that may run. Each
 * call is a picture of one moment. Any thread. [INSP-2]
 */

#include "vmrig/synic.h"

VMR_BEGIN_DECLS

/* A port that guests send to: struct vmr_message_port, struct vmr_event_port. */
struct vmr_synic_port_info {
    uint32_t connection_id;
    bool is_event;
    uint8_t minimum_vtl;
    bool has_monitor, has_os_event; /* that the hypervisor signals by itself */
    uint32_t monitor_id;
};

/* Fills at most `capacity`, in the order of their ids, and returns how many there are: some are missing if that is
 * more. */
VMR_API size_t vmr_synic_ports(struct vmr_synic *synic, struct vmr_synic_port_info *ret_ports, size_t capacity);

/* A guest port: where it sends. */
struct vmr_guest_port_info {
    bool is_event;
    bool is_aimed; /* an event port may be aimed nowhere: the rest is zero then */
    struct vmr_synic_target target;
    uint16_t flag; /* of an event port */
};

/* The same of guest ports, the last that was created first. */
VMR_API size_t vmr_synic_guest_ports(struct vmr_synic *synic, struct vmr_guest_port_info *ret_ports, size_t capacity);

VMR_END_DECLS
