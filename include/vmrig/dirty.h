/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The dirty log: which pages of guest memory have been written.
 *
 *   dirty_start -> { dirty_take -> copy the pages it names }* -> stop the VPs -> dirty_take -> copy -> dirty_stop
 *
 * What counts is that a byte was stored, not that it changed: by a guest's
 * instruction, by a processor's walk of the guest's page tables, by the
 * hypervisor for the guest (its clock pages, messages and interrupts), and by
 * the library: write, fill, fetch-or, and views pinned for writing. Who writes
 * through a mapping of its own (the host memory that it gave the region, a
 * device, another process) says so with dirty_mark. [DIRTY-1] [DIRTY-4] [DIRTY-5] [DIRTY-6]
 *
 * A page may be named without having been written: hypervisors log more than
 * they must. It is never the other way round.
 *
 * All calls: any thread, VPs may run. They wait for each other and for regions
 * that come and go, so none is to be made in a listener or an observer.
 */

#include "vmrig/memory.h"

VMR_BEGIN_DECLS

/* A bit a page of [gpa, gpa + size), both page aligned: bit n % 64 of words[n / 64] is the page at gpa + n pages. */
struct vmr_dirty_bitmap {
    vmr_gpa gpa;
    uint64_t size;
    uint64_t *words; /* the caller's; may be NULL if word_count is 0 */
    size_t word_count;
};

/* How many words a range of `size` bytes takes. */
static inline size_t vmr_dirty_words(uint64_t size)
{
    return (size_t)((size / VMR_PAGE_SIZE + 63) / 64);
}

/*
 * From now on writes are logged, in every region; all begin clean. One that is
 * added while the log is on begins dirty, whole, since nobody has copied it; with
 * one that is removed goes what was logged of it. [DIRTY-7]
 *
 * The log is the memory's. A partition that is built with it takes part from
 * its first instruction, and what its guest wrote stays when it is destroyed.
 *
 * VMR_E_STATE: the log is on. VMR_E_UNSUPPORTED: there is a partition, whose
 * hypervisor has no VMR_CAP_DIRTY_LOG, or which is recorded or replayed: what a
 * log says cannot be seen by a recording. Such a partition is not built either
 * while the log is on. VMR_E_NOMEM, VMR_E_HOST. On failure it stays off. [DIRTY-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_dirty_start(struct vmr_memory *memory, struct vmr_error *err);

/* Forgets what was logged. VMR_E_STATE: it is off. [DIRTY-2] */
VMR_API enum vmr_status vmr_memory_dirty_stop(struct vmr_memory *memory, struct vmr_error *err);

/*
 * Gets and clears. The words of `bitmap`, whatever they held, name the dirty
 * pages of its range; holes are clean. `ret_pages`, which may be NULL, gets
 * their number.
 *
 * A write that was over when this was called is in what it gives or in what an
 * earlier call gave; one that was under way is there, or in a later one. So who
 * takes and then copies never misses a byte, and once nobody writes any more,
 * one last take names all that differs. Of two calls at a time each page goes to
 * one. [DIRTY-1]
 *
 * A page in a view that is pinned for writing is dirty in every call, for its
 * holder may write at any moment, and once more after it was unpinned. [DIRTY-4]
 *
 * VMR_E_STATE: the log is off. VMR_E_USAGE: unaligned, a range that ends above
 * 2^52, too few words. VMR_E_HOST: the hypervisor failed; nothing was given and
 * all stays logged. [DIRTY-2] [ERR-1]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_dirty_take(struct vmr_memory *memory,
                                                             const struct vmr_dirty_bitmap *bitmap, uint64_t *ret_pages,
                                                             struct vmr_error *err);

/*
 * Makes the pages that [gpa, gpa + length) touches dirty: for writes that the
 * library cannot see, once they are over, and for pages that were taken and could not be sent.
 * VMR_E_STATE: the log is off. VMR_E_GUEST, and nothing marked, if a byte is in a hole. [DIRTY-4]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_memory_dirty_mark(struct vmr_memory *memory, vmr_gpa gpa, size_t length);

struct vmr_dirty_run {
    vmr_gpa gpa;
    uint64_t size;
};

/*
 * The first run of neighbouring dirty pages of `bitmap` at or above `from`, which is page aligned; false if there is
 * none. To see all, in order: begin with the bitmap's gpa, go on with the end of each run. Any thread.
 */
VMR_API bool vmr_dirty_next(const struct vmr_dirty_bitmap *bitmap, vmr_gpa from, struct vmr_dirty_run *ret_run);

/*
 * For listeners and backends: what a take wants to know. `found` is called for
 * each 64 pages with a dirty one among them, from `gpa` on, bit n for the nth. They
 * are clean when `found` is called, and pages outside of the range may be among
 * them, if they are cleared too. Any order; never for a hole.
 */
struct vmr_dirty_query {
    vmr_gpa gpa;   /* page aligned, as is the size */
    uint64_t size; /* not 0 */
    void (*found)(void *context, vmr_gpa gpa, uint64_t pages);
    void *context;
};

VMR_END_DECLS
