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
#include "vmrig/vtl.h"

/* A region, and, where there are VTLs, a byte for each of its pages and each VTL: what it may do there. */
struct map_region {
    struct vmr_memory_region ram;
    uint8_t *access[VMR_VTL_COUNT]; /* NULL: there are no VTLs */
};

struct map {
    bool locked; /* the lock exists and is used */
    pthread_rwlock_t lock;
    struct map_region *regions; /* by address */
    size_t count, capacity;
    uint8_t vtls; /* 0: none, and nobody asks what an access may do */
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

/* --- with VTLs --- */

/* Of pages that are in regions, up to the first that is not. */
void map_protect(struct map *map, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);

/* Whose access it is. */
struct map_guest {
    uint8_t vtl;
    bool pass; /* whatever it may do */
};

enum map_result {
    MAP_DONE,
    MAP_HOLE,  /* no region takes it, or none that this VTL has */
    MAP_DENIED /* nothing is done */
};

/* The calls above, for a VTL. `map_guest_try` moves nothing: `access` is HV_MAP_GPA_... bits. */
enum map_result map_guest_read(struct map *map, struct map_guest guest, vmr_gpa gpa, uint8_t *ret_bytes,
                               unsigned length);
enum map_result map_guest_write(struct map *map, struct map_guest guest, vmr_gpa gpa, const uint8_t *bytes,
                                unsigned length);
enum map_result map_guest_or(struct map *map, struct map_guest guest, vmr_gpa gpa, uint64_t mask, unsigned length);
enum map_result map_guest_try(struct map *map, struct map_guest guest, vmr_gpa gpa, uint8_t access);
