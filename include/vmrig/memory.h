/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guest memory: regions of host memory at guest physical addresses.
 *
 * The guest can change a byte between any two loads, so the library copies
 * once, checks the copy and uses the copy. There is no "translate": bytes go in
 * and out through the calls below, or through a pinned view whose lifetime is
 * explicit. [MEM-1] [MEM-2]
 *
 *   vmr_memory_create -> region_add ... -> (partition built with it) -> region_add/remove, read, write, pin
 *                     -> partition destroyed -> vmr_memory_destroy
 *
 * Regions may be added and removed while VPs run. Addresses outside every
 * region are holes: guest accesses there are MMIO, host accesses fail whole.
 */

#include "vmrig/host.h"

VMR_BEGIN_DECLS

struct vmr_memory;
struct vmr_dirty_query; /* vmrig/dirty.h */

#define VMR_HUGEPAGE_SIZE_DEFAULT (UINT64_C(2) << 20)

/*
 * Of what the library allocates. A wish that the host does not fulfil is
 * VMR_E_UNAVAILABLE with its name, never left out. Zeroed: private pages of the
 * usual size, each there once it is touched.
 */
struct vmr_memory_backing {
    bool shared;                /* other processes can map it: vmr_memory_region_fd */
    bool prefetch;              /* every page is there when the region is added */
    bool transparent_hugepages; /* asked of the host, which makes some when it can */
    bool hugepages;             /* of the host's pool, which must have enough */
    uint64_t hugepage_size;     /* with `hugepages`: a power of two above a page; 0: VMR_HUGEPAGE_SIZE_DEFAULT */
    bool bind_host_node;        /* pages come from `host_numa_node` alone */
    uint32_t host_numa_node;
};

struct vmr_memory_region {
    vmr_gpa gpa;    /* page aligned */
    uint64_t size;  /* bytes, a nonzero multiple of the page size */
    bool read_only; /* the guest cannot write (its writes are MMIO exits); the host can */
    bool vtl2;      /* VTL 2's own RAM: what late mapping allows by the memory layout; nothing else comes of it */
    void *host; /* the backing, page aligned, owned by the caller until the region is gone; NULL: the library allocates
                   zeroed pages */
    const struct vmr_memory_backing *backing; /* of those, not kept; NULL: zeroed. Without `host` alone */
};

VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_create(const struct vmr_host *host, struct vmr_memory **ret_memory,
                                                         struct vmr_error *err);

/* Frees what the library allocated. NULL is fine. No partition may still use it; no view may be pinned. */
VMR_API void vmr_memory_destroy(struct vmr_memory *memory);

/*
 * Adds a region and shows it to the partition, if there is one. Refused
 * without change: overlap with another region (the message names it), an
 * unaligned or zero size (huge pages count), an end above 2^52, a full table.
 * Any thread. [MEM-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_memory_region_add(struct vmr_memory *memory, const struct vmr_memory_region *region, struct vmr_error *err);

/*
 * Removes the region that starts at `gpa`. When this returns no VP can reach
 * the bytes any more. VMR_E_STATE while a view of it is pinned; VMR_E_USAGE if
 * no region starts there. Any thread. [MEM-4]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_region_remove(struct vmr_memory *memory, vmr_gpa gpa,
                                                                struct vmr_error *err);

/* The region that holds `gpa`, without its host pointer; false for a hole. Any thread. */
VMR_API bool vmr_memory_region_find(struct vmr_memory *memory, vmr_gpa gpa, struct vmr_memory_region *ret_region);
/*
 * The descriptor of a shared region, which another process can map from offset 0 on and which stays the library's.
 * VMR_E_USAGE if no region starts at `gpa`; VMR_E_UNSUPPORTED for one that is not shared. Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_region_fd(struct vmr_memory *memory, vmr_gpa gpa, int *ret_fd,
                                                            struct vmr_error *err);
VMR_API size_t vmr_memory_region_count(struct vmr_memory *memory);
/* The region number `index` in ascending order of addresses, as above; false: there are not so many. Any thread. */
VMR_API bool vmr_memory_region_get(struct vmr_memory *memory, size_t index, struct vmr_memory_region *ret_region);
/* Bytes in all regions. */
VMR_API uint64_t vmr_memory_size(struct vmr_memory *memory);

/*
 * Copy, across neighbouring regions if need be. VMR_E_GUEST, and nothing
 * copied, if any byte is in a hole or in a page that an isolated guest keeps to
 * itself (vmrig/vtl.h); these two are refused alike by all that follows. Each byte is loaded or stored exactly
 * once. Host writes ignore read_only, as firmware loading needs. Any thread.
 * [MEM-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_read(struct vmr_memory *memory, vmr_gpa gpa, void *ret_bytes,
                                                       size_t length);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_write(struct vmr_memory *memory, vmr_gpa gpa, const void *bytes,
                                                        size_t length);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_fill(struct vmr_memory *memory, vmr_gpa gpa, uint8_t byte,
                                                       size_t length);

/*
 * Atomically ORs `mask` into the little-endian word of `width` bytes (1, 2, 4,
 * 8) at `gpa`, naturally aligned, and gives what was there: for event flags and
 * monitor pages. VMR_E_GUEST for a hole, a misaligned address or a read-only
 * region; VMR_E_USAGE for another width, or a mask that is wider. Any thread,
 * also against a running guest. [MEM-6]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_fetch_or(struct vmr_memory *memory, vmr_gpa gpa, unsigned width,
                                                           uint64_t mask, uint64_t *ret_old);

/* A window onto bytes of one region that stays valid, and keeps the region, until it is unpinned. */
struct vmr_memory_view {
    void *bytes;
    size_t length;
    vmr_gpa gpa;
    uint64_t token; /* the library's */
};

/*
 * VMR_E_GUEST if [gpa, gpa + length) is not inside one region, or if `writable`
 * and the region is read-only. The guest may change the bytes at any time. What
 * is read through a view is shown to the observer as one read of the whole, at
 * pin time; writes as one write, at unpin time; so a writable view is shown as
 * both. Unpinning zeroes the view; a zeroed view is fine. VMR_E_NOMEM: there is
 * no room to remember a writable one. Any thread. [MEM-7]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_pin(struct vmr_memory *memory, vmr_gpa gpa, size_t length,
                                                      bool writable, struct vmr_memory_view *ret_view);
/*
 * The same, to read, and unseen by the observer: for who keeps the memory of a
 * stopped VM, which is no access of the VM's.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_look(struct vmr_memory *memory, vmr_gpa gpa, size_t length,
                                                       struct vmr_memory_view *ret_view);
/*
 * Which of `count` pages at `gpa` may hold something: those that nobody has
 * touched hold zeros, and looking at them would make them cost what others do.
 * Memory of the embedder's own, or with a backing, is always said to be touched,
 * as all is where the host does not tell. What is touched meanwhile may be missing: VPs stopped.
 * VMR_E_GUEST: not inside one region. Any thread. [MEM-10]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_touched(struct vmr_memory *memory, vmr_gpa gpa, size_t count,
                                                          bool *ret_touched);
VMR_API void vmr_memory_unpin(struct vmr_memory *memory, struct vmr_memory_view *view);

/*
 * Sees every access the library makes, after a read's copy and before a
 * write's. A reader may change `bytes`: that is how a replay supplies what was
 * recorded, and how a fuzzer flips. A fill is shown as writes of at most a page,
 * a pin with the view's own bytes; accesses that fail or are empty are not
 * shown. Called on any thread, by several at once, with the table of regions
 * locked: it must not call back into this memory. One observer; NULL takes it
 * away. VPs stopped. [MEM-8]
 */
struct vmr_memory_observer {
    void (*read)(void *context, vmr_gpa gpa, void *bytes, size_t length);
    void (*write)(void *context, vmr_gpa gpa, const void *bytes, size_t length);
    void (*fetch_or)(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old);
    void *context;
};

VMR_API void vmr_memory_set_observer(struct vmr_memory *memory, const struct vmr_memory_observer *observer);

/*
 * For partitions and backends: told of each region, first of those that are
 * there, then of each change, in order, on the thread that makes it. An error
 * from `added` refuses the region. A region is readable from after `added` to
 * before `removed`; its pages outlive `removed`. A listener may read and write
 * memory, but not add or remove regions. The slot is the region's number while
 * it lives, the lowest that is free. One listener at a time.
 */
struct vmr_memory_listener {
    enum vmr_status (*added)(void *context, uint32_t slot, const struct vmr_memory_region *region,
                             struct vmr_error *err);
    void (*removed)(void *context, uint32_t slot, const struct vmr_memory_region *region);
    void *context;
    /*
     * For vmrig/dirty.h; NULL, both: whoever listens writes nothing. From `dirty_log` on, until it is called again, the
     * writes of whoever listens are logged in all regions, also in those that are added meanwhile, which begin clean.
     * Called as the two above; going off does not fail.
     */
    enum vmr_status (*dirty_log)(void *context, bool on, struct vmr_error *err);
    enum vmr_status (*dirty_take)(void *context, const struct vmr_dirty_query *query, struct vmr_error *err);
};

VMR_API VMR_MUST_CHECK enum vmr_status
vmr_memory_listen(struct vmr_memory *memory, const struct vmr_memory_listener *listener, struct vmr_error *err);
/* Tells the listener of the removal of every region, then forgets it. */
VMR_API void vmr_memory_unlisten(struct vmr_memory *memory);

VMR_END_DECLS
