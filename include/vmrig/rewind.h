/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A point in the life of a VM, kept in memory, to which it is taken back as
 * often as one likes: what a fuzzer does after each input, and a debugger
 * before a second try. It is a snapshot that never leaves the process, and costs
 * what was written since, not what the VM has.
 *
 *   VPs stopped ─> vmr_rewind_create ─> { run, stop ─> vmr_rewind_back }* ─> vmr_rewind_destroy
 *
 * The memory's dirty log tells what was written, and belongs to the point while
 * there is one: who else takes from it, or turns it off, makes the point miss
 * pages. A device that writes through a mapping of its own says so with
 * vmr_memory_dirty_mark. [RWD-2]
 *
 * All calls: VPs stopped, and one at a time; not on a VP's thread.
 */

#include "vmrig/snapshot.h"

VMR_BEGIN_DECLS

struct vmr_rewind;

/*
 * What other threads asked of VPs is taken in first. Copies every page that is
 * not zero and every state, and turns the dirty log on. `parts` is copied; its
 * units and what it points to outlive the point, and the partition is not
 * destroyed before it.
 *
 * VMR_E_STATE: a VP runs, an exit is unfinished, the partition is unusable, or the log is on already.
 * VMR_E_UNSUPPORTED: the hypervisor has no dirty log, does not give its state away, or is recorded. VMR_E_NOMEM.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_rewind_create(const struct vmr_snapshot_parts *parts,
                                                         struct vmr_rewind **ret_rewind, struct vmr_error *err);
/*
 * Everything is as it was: memory, states, the clock, and whether it stood
 * still. What other threads asked of the guest since is forgotten; what they asked of its host,
 * stops and kicks, is not. `ret_pages`, which may be NULL, gets the number of pages put back. [RWD-1]
 *
 * VMR_E_CONFIG, before anything has changed: regions of memory, or things of the
 * VM that have states, have come or gone since. VMR_E_STATE: a VP runs, or the
 * partition is unusable. What fails later leaves it unusable until it is
 * reset, as a restore does, and loses nothing of the point. [RWD-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_rewind_back(struct vmr_rewind *rewind, uint64_t *ret_pages,
                                                       struct vmr_error *err);
/* Turns the dirty log off. NULL is fine. */
VMR_API void vmr_rewind_destroy(struct vmr_rewind *rewind);

VMR_END_DECLS
