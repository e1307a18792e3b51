/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connection ids to ports. Message and event ports share one space of ids.
 *
 * A port is found with a reference, under the lock, and called without it, so a
 * call may run on while another thread removes the port; whoever gives the last
 * reference back tells the owner. Removal goes by connection id and the port's
 * number, which is never used again: an old handle removes nobody else's port.
 */

#include "lib/hv/monitor.h"
#include "vmrig/synic.h"

enum port_kind {
    PORT_MESSAGE,
    PORT_EVENT
};

struct port {
    const struct vmr_host *host;
    _Atomic uint32_t references;
    enum port_kind kind;
    uint8_t minimum_vtl;
    uint32_t connection_id;
    uint64_t number; /* from port_map_add; never 0 */
    bool (*post)(void *context, const void *payload, size_t length, bool trusted);
    void (*signal)(void *context, uint16_t flag);
    void (*release)(void *context);
    void *context;
    bool has_monitor;
    uint32_t monitor_id;
    bool has_fast_path;
    void *fast_path;
};

struct port_map {
    const struct vmr_host *host;
    struct sync_rwlock lock;
    struct port **slots; /* open addressing; a power of two of them, at most half in use */
    uint32_t capacity;
    uint32_t count;
    uint64_t last_number;
    uint32_t sweep; /* where port_map_remove_any goes on */
};

enum vmr_status port_map_init(struct port_map *map, const struct vmr_host *host);
void port_map_finish(struct port_map *map); /* empty, or zeroed */

/*
 * Takes over the caller's reference. With a monitor, and a port that has a
 * monitor id, registers that too, in one step. VMR_E_CONFIG, and nothing
 * changed, if the connection id or the monitor id is taken or the map is full.
 */
enum vmr_status port_map_add(struct port_map *map, struct port *port, struct monitor *monitor, struct vmr_error *err);
/* The port, with the map's reference; NULL if it is gone. */
struct port *port_map_remove(struct port_map *map, uint32_t connection_id, uint64_t number);
/* Any port, as port_map_remove; NULL once the map is empty. */
struct port *port_map_remove_any(struct port_map *map);
/* With a reference of its own; or NULL. */
struct port *port_map_find(struct port_map *map, uint32_t guest_connection_id);

/* Tells `see` of each, in no order, under the lock; how many there are. */
uint32_t port_map_visit(struct port_map *map, void (*see)(void *context, const struct port *port), void *context);

void port_get(struct port *port);
/* The last one tells the owner, and frees. No lock is held. */
void port_put(struct port *port);
