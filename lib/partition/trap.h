/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A guest page whose writes are MMIO exits and which reads as zero: the
 * monitor page (TLFS, Monitored Notifications). The library's own accesses, and
 * the table of regions, know nothing of it; only what the hypervisor is shown
 * differs.
 *
 * A region with the page in it is mapped as up to three pieces: what lies below,
 * in the region's own slot; a read-only page of zeros; what lies above. The two
 * further slots are behind all slots of regions.
 */

#include "lib/partition/partition.h"

/*
 * One page at a time, in a region or in a hole. VMR_E_STATE if there is one,
 * VMR_E_CONFIG if `gpa` has more bits than the backend's addresses,
 * VMR_E_UNSUPPORTED without read-only memory. If
 * mapping fails the region is as before, or, if that fails too, unmapped. Any
 * thread; VPs may run.
 */
enum vmr_status trap_set(struct vmr_partition *partition, vmr_gpa gpa, struct vmr_error *err);
/* The page is RAM again, with what it held. Nothing happens without a trap. */
void trap_clear(struct vmr_partition *partition);
/* Frees what belongs to it; no region is mapped any more. */
void trap_finish(struct vmr_partition *partition);

/* What the listener of guest memory does with each region. */
enum vmr_status trap_map(struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region,
                         struct vmr_error *err);
void trap_unmap(struct vmr_partition *partition, uint32_t slot, const struct vmr_memory_region *region);
