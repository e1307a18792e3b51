/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guest memory as the mock's processors see it: the regions that the backend
 * was shown, and the accesses of the guest. These are the guest's, not the
 * library's: no observer sees them.
 *
 * Bytes are loaded and stored atomically, as a real processor's are against the
 * host's. The lock keeps a region while it is used: after map_remove no VP
 * reaches its bytes [MEM-4]. Under a scheduling host nothing can come between,
 * so there is none.
 */

#include <pthread.h>

#include "vmrig/host.h"
#include "vmrig/memory.h"

struct map {
    bool locked; /* the lock exists and is used */
    pthread_rwlock_t lock;
    struct vmr_memory_region *regions; /* by address */
    size_t count, capacity;
};

enum vmr_status map_init(struct map *map, const struct vmr_host *host);
void map_finish(struct map *map); /* zeroed is fine */
enum vmr_status map_add(struct map *map, const struct vmr_memory_region *region);
void map_remove(struct map *map, vmr_gpa gpa);

/*
 * [gpa, gpa + length) lies in one page. False, and nothing done, if no region
 * takes the access: a hole, or a write to a read-only one.
 */
bool map_read(struct map *map, vmr_gpa gpa, uint8_t *ret_bytes, unsigned length);
bool map_write(struct map *map, vmr_gpa gpa, const uint8_t *bytes, unsigned length);
/* Atomic OR; also false if it is not naturally aligned. */
bool map_or(struct map *map, vmr_gpa gpa, uint64_t mask, unsigned length);
/* Adds one to a 32-bit count. */
void map_count(struct map *map, vmr_gpa gpa);
