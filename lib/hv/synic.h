/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files behind vmrig/synic.h share: the object of a partition. Ports
 * are in synic_ports.c and guest_ports.c, the monitor page in synic_monitor.c,
 * creation, registers and polls in synic.c.
 *
 * Order of locks: monitor_changes is outermost; every other lock is taken alone,
 * but for guest memory's, which is innermost. Callbacks run without any, except
 * that those of the monitor run inside monitor_changes.
 */

#include "lib/hv/link.h"
#include "lib/hv/monitor.h"
#include "lib/hv/port_map.h"
#include "lib/hv/reference_time.h"
#include "lib/hv/reference_tsc.h"
#include "lib/hv/synic_vp.h"
#include "vmrig/synic.h"

struct vmr_synic {
    struct vmr_synic_options options; /* with vtl_count filled in */
    const struct vmr_host *host;
    struct link *link; /* to handles */
    struct port_map ports;
    struct monitor monitor;
    struct sync_mutex monitor_changes;
    bool has_allocated; /* the page is the host's: freed at the next change */
    struct reference_time time;
    struct reference_tsc tsc;
    struct complaint bad_target, unsent;
    uint32_t slot_count;
    struct synic_vp vps[]; /* by VP, then by VTL */
};

/* NULL if there is no such VP or VTL. */
struct synic_vp *synic_find(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl);

/* Takes every port out, fast paths included. Nobody is inside the link any more. */
void synic_ports_finish(struct vmr_synic *synic);
/* No page; what was allocated is freed. */
void synic_monitor_reset(struct vmr_synic *synic);

/* Puts back what a saved VP had queued, and rings. As message_queues_restore; VMR_E_USAGE for no such target. */
enum vmr_status synic_restore_queue(struct vmr_synic *synic, const struct vmr_synic_target *target,
                                    const struct message *messages, uint32_t count);
