/* SPDX-License-Identifier: MIT */
/* The interrupts of virtual devices: a table whose places are the data of messages. */

#include "lib/hv/device_map.h"

#include <stdlib.h>

/* Looks like any message to a guest that checks; what counts is the data. */
#define MESSAGE_ADDRESS UINT64_C(0xfee00000)

int device_map_init(struct device_map *map, const struct vmr_host *host)
{
    return sync_mutex_init(&map->lock, host) != VMR_OK;
}

void device_map_finish(struct device_map *map)
{
    for (uint32_t i = 0; i < VMR_HV_DEVICE_INTERRUPT_MAX; i++)
        free(map->entries[i]);
    sync_mutex_finish(&map->lock);
}

/* Under the lock. */
static struct device_interrupt *find(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi)
{
    if (msi->address != MESSAGE_ADDRESS || msi->data >= VMR_HV_DEVICE_INTERRUPT_MAX)
        return NULL;
    struct device_interrupt *entry = map->entries[msi->data];

    return entry && entry->device_id == device_id ? entry : NULL;
}

bool device_map_add(struct device_map *map, uint64_t device_id, const struct vmr_hv_interrupt *interrupt,
                    struct vmr_msi *ret_msi)
{
    struct device_interrupt *fresh = calloc(1, sizeof(*fresh));
    uint32_t place = 0;

    if (!fresh)
        return false;
    *fresh = (struct device_interrupt){.device_id = device_id, .interrupt = *interrupt};
    sync_mutex_lock(&map->lock);
    while (place < VMR_HV_DEVICE_INTERRUPT_MAX && map->entries[place])
        place++;
    if (place < VMR_HV_DEVICE_INTERRUPT_MAX)
        map->entries[place] = fresh;
    sync_mutex_unlock(&map->lock);
    if (place == VMR_HV_DEVICE_INTERRUPT_MAX) {
        free(fresh);
        return false;
    }
    *ret_msi = (struct vmr_msi){.address = MESSAGE_ADDRESS, .data = place};
    return true;
}

void device_map_remove(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi)
{
    sync_mutex_lock(&map->lock);
    struct device_interrupt *entry = find(map, device_id, msi);

    if (entry)
        map->entries[msi->data] = NULL;
    sync_mutex_unlock(&map->lock);
    free(entry);
}

bool device_map_get(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi,
                    struct vmr_hv_interrupt *ret_interrupt)
{
    sync_mutex_lock(&map->lock);
    const struct device_interrupt *entry = find(map, device_id, msi);

    if (entry)
        *ret_interrupt = entry->interrupt;
    sync_mutex_unlock(&map->lock);
    return entry != NULL;
}

bool device_map_retarget(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi,
                         const struct vmr_hv_interrupt *interrupt)
{
    sync_mutex_lock(&map->lock);
    struct device_interrupt *entry = find(map, device_id, msi);

    if (entry)
        entry->interrupt = *interrupt;
    sync_mutex_unlock(&map->lock);
    return entry != NULL;
}

bool device_map_next(struct device_map *map, uint32_t *place, struct device_interrupt *ret_entry)
{
    uint32_t at = *place;

    sync_mutex_lock(&map->lock);
    while (at < VMR_HV_DEVICE_INTERRUPT_MAX && !map->entries[at])
        at++;
    bool found = at < VMR_HV_DEVICE_INTERRUPT_MAX;

    if (found)
        *ret_entry = *map->entries[at];
    sync_mutex_unlock(&map->lock);
    if (found)
        *place = at;
    return found;
}

bool device_map_put(struct device_map *map, uint32_t place, const struct device_interrupt *entry)
{
    const struct vmr_msi msi = {.address = MESSAGE_ADDRESS, .data = place};

    return device_map_retarget(map, entry->device_id, &msi, &entry->interrupt);
}
