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
 *
 * While the dirty log is on, a region that can be written has a bit a page. Where pages are closed for writing
 * while they are clean, an open page is a dirty one, so the bits say that, too. [DIRTY-1]
 */

#include <pthread.h>

#include "vmrig/dirty.h"
#include "vmrig/host.h"
#include "vmrig/vtl.h"

/* A region, and, where there are VTLs, a byte for each of its pages and each VTL: what it may do there. */
struct map_region {
    struct vmr_memory_region ram;
    uint8_t *access[VMR_VTL_COUNT]; /* NULL: there are no VTLs */
    _Atomic uint64_t *dirty;        /* NULL: not logged */
};

struct map {
    const struct vmr_host *host;
    bool dirty_on;
    bool dirty_protects; /* clean pages are closed for writing */
    bool locked;         /* the lock exists and is used */
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

/* --- the dirty log (map_dirty.c) --- */

/* False: out of memory, and it is off. */
bool map_dirty_log(struct map *map, bool on);
void map_dirty_take(struct map *map, const struct vmr_dirty_query *query);

/* For map.c: a region's bits, if the log is on. False: out of memory. */
bool map_dirty_add(const struct map *map, struct map_region *region);
/* With the lock held, right behind the store. */
void map_dirty_mark(const struct map_region *region, vmr_gpa gpa);
/* Whether a store to the page faults. */
bool map_dirty_is_closed(const struct map *map, const struct map_region *region, vmr_gpa gpa);
/* Takes the fault, without the lock: the page is open when this returns, unless somebody has taken it meanwhile. */
void map_dirty_fault(struct map *map, vmr_gpa gpa);

/* For map_dirty.c. */
void map_lock_read(struct map *map);
void map_lock_write(struct map *map);
void map_unlock(struct map *map);
/* With the lock held. NULL: a hole. */
const struct map_region *map_find(const struct map *map, vmr_gpa gpa);

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
