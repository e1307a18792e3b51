/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interrupts of virtual devices: what message stands for which vector on
 * which processors. The data of a message is the number of its entry. The lock
 * is held for a look or a change, never around a delivery.
 */

#include "lib/base/sync.h"
#include "vmrig/hv_device.h"

struct device_interrupt {
    uint64_t device_id;
    struct vmr_hv_interrupt interrupt;
};

struct device_map {
    struct sync_mutex lock;
    struct device_interrupt *entries[VMR_HV_DEVICE_INTERRUPT_MAX]; /* NULL: free */
};

/* Nonzero: a lock cannot be made. */
int device_map_init(struct device_map *map, const struct vmr_host *host);
void device_map_finish(struct device_map *map); /* accepts a zeroed one */

/* False: no memory, or the table is full. */
bool device_map_add(struct device_map *map, uint64_t device_id, const struct vmr_hv_interrupt *interrupt,
                    struct vmr_msi *ret_msi);
void device_map_remove(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi);
/* For saving and restoring: the first place at or behind *place where one is mapped, and what; false: none. */
bool device_map_next(struct device_map *map, uint32_t *place, struct device_interrupt *ret_entry);
/* False: it is not this device's. */
bool device_map_put(struct device_map *map, uint32_t place, const struct device_interrupt *entry);
/* False: this device has no such interrupt. */
bool device_map_get(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi,
                    struct vmr_hv_interrupt *ret_interrupt);
bool device_map_retarget(struct device_map *map, uint64_t device_id, const struct vmr_msi *msi,
                         const struct vmr_hv_interrupt *interrupt);
