/* SPDX-License-Identifier: MIT */
/*
 * A hash table of ports, by linear probing. Removal closes the gap it leaves,
 * so that no marks pile up under ports that come and go for ever.
 */

#include "lib/hv/port_map.h"

#include <inttypes.h>
#include <stdlib.h>

#include "vmrig/limits.h"

#define CAPACITY_START 16u

enum vmr_status port_map_init(struct port_map *map, const struct vmr_host *host)
{
    *map = (struct port_map){.host = host};
    return sync_rwlock_init(&map->lock, host);
}

void port_map_finish(struct port_map *map)
{
    sync_rwlock_finish(&map->lock);
    free(map->slots);
    map->slots = NULL;
}

/* Connection ids mostly count up: multiplying by an odd constant spreads them (Knuth, TAOCP vol. 3, 6.4). */
static uint32_t home_of(const struct port_map *map, uint32_t connection_id)
{
    return (connection_id * UINT32_C(0x9e3779b1)) >> 7 & (map->capacity - 1);
}

/* Where the port is, or the free slot where it would be. There are slots. */
static uint32_t slot_of(const struct port_map *map, uint32_t connection_id)
{
    uint32_t slot = home_of(map, connection_id);

    while (map->slots[slot] && map->slots[slot]->connection_id != connection_id)
        slot = (slot + 1) & (map->capacity - 1);
    return slot;
}

static struct port *find(const struct port_map *map, uint32_t connection_id)
{
    return map->capacity == 0 ? NULL : map->slots[slot_of(map, connection_id)];
}

static bool grow(struct port_map *map)
{
    struct port_map larger = {.capacity = map->capacity ? 2 * map->capacity : CAPACITY_START};

    larger.slots = calloc(larger.capacity, sizeof(struct port *));
    if (!larger.slots)
        return false;
    for (uint32_t i = 0; i < map->capacity; i++) {
        if (map->slots[i])
            larger.slots[slot_of(&larger, map->slots[i]->connection_id)] = map->slots[i];
    }
    free(map->slots);
    map->slots = larger.slots;
    map->capacity = larger.capacity;
    return true;
}

static const char *kind_name(enum port_kind kind)
{
    return kind == PORT_MESSAGE ? "a message port" : "an event port";
}

static enum vmr_status add_locked(struct port_map *map, struct port *port, struct monitor *monitor,
                                  struct vmr_error *err)
{
    const struct port *present = find(map, port->connection_id);

    if (present)
        return vmr_error_set(err, VMR_E_CONFIG, "connection %#" PRIx32 ": %s has this id already", port->connection_id,
                             kind_name(present->kind));
    if (map->count >= VMR_SYNIC_PORT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "connection %#" PRIx32 ": there are already %u ports",
                             port->connection_id, VMR_SYNIC_PORT_MAX);
    if (2 * (map->count + 1) > map->capacity && !grow(map))
        return vmr_error_set(err, VMR_E_NOMEM, "connection %#" PRIx32 ": no memory for the port", port->connection_id);
    if (port->has_monitor && monitor) {
        enum vmr_status status = monitor_register(monitor, port->monitor_id, port->connection_id, err);

        if (status)
            return status;
    }
    port->number = ++map->last_number;
    map->slots[slot_of(map, port->connection_id)] = port;
    map->count++;
    return VMR_OK;
}

enum vmr_status port_map_add(struct port_map *map, struct port *port, struct monitor *monitor, struct vmr_error *err)
{
    sync_rwlock_write_lock(&map->lock);
    enum vmr_status status = add_locked(map, port, monitor, err);

    sync_rwlock_write_unlock(&map->lock);
    return status;
}

/* Whether a port whose home is `home` may move from `from` back to the gap: it must not come before its home. */
static bool may_fill(const struct port_map *map, uint32_t gap, uint32_t home, uint32_t from)
{
    uint32_t mask = map->capacity - 1;

    return ((from - home) & mask) >= ((from - gap) & mask);
}

static struct port *take(struct port_map *map, uint32_t slot)
{
    struct port *port = map->slots[slot];
    uint32_t gap = slot;

    for (uint32_t i = (slot + 1) & (map->capacity - 1); map->slots[i]; i = (i + 1) & (map->capacity - 1)) {
        if (!may_fill(map, gap, home_of(map, map->slots[i]->connection_id), i))
            continue;
        map->slots[gap] = map->slots[i];
        gap = i;
    }
    map->slots[gap] = NULL;
    map->count--;
    return port;
}

struct port *port_map_remove(struct port_map *map, uint32_t connection_id, uint64_t number)
{
    sync_rwlock_write_lock(&map->lock);
    struct port *port = find(map, connection_id);

    if (port && port->number == number)
        port = take(map, slot_of(map, connection_id));
    else
        port = NULL;
    sync_rwlock_write_unlock(&map->lock);
    return port;
}

struct port *port_map_remove_any(struct port_map *map)
{
    struct port *port = NULL;

    sync_rwlock_write_lock(&map->lock);
    while (map->count > 0 && !port) {
        uint32_t slot = map->sweep & (map->capacity - 1);

        /* The slot may be filled again by the gap's closing: the sweep stays until it is not. */
        if (map->slots[slot])
            port = take(map, slot);
        else
            map->sweep++;
    }
    sync_rwlock_write_unlock(&map->lock);
    return port;
}

struct port *port_map_find(struct port_map *map, uint32_t guest_connection_id)
{
    sync_rwlock_read_lock(&map->lock);
    struct port *port = find(map, guest_connection_id);

    if (port)
        port_get(port);
    sync_rwlock_read_unlock(&map->lock);
    return port;
}

uint32_t port_map_visit(struct port_map *map, void (*see)(void *context, const struct port *port), void *context)
{
    sync_rwlock_read_lock(&map->lock);
    uint32_t count = map->count;

    for (uint32_t i = 0; i < map->capacity; i++) {
        if (map->slots[i])
            see(context, map->slots[i]);
    }
    sync_rwlock_read_unlock(&map->lock);
    return count;
}

void port_get(struct port *port)
{
    (void)sync_fetch_add_u32(port->host, &port->references, 1);
}

void port_put(struct port *port)
{
    if (sync_fetch_add_u32(port->host, &port->references, UINT32_MAX) != 1)
        return;
    if (port->release)
        port->release(port->context);
    free(port);
}
