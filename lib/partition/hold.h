/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Keeping all VPs of a partition out of the guest for a moment, for changes that
 * no guest instruction may see half done: a region that is mapped anew in
 * pieces, a flush that other VPs must not run past.
 *
 * A holder sets a request bit in each VP and waits until none is in the guest;
 * a VP that finds the bit waits for the holder before it enters again. It is the
 * protocol of request.c: whichever looks second sees the other.
 */

#include "lib/partition/partition.h"

/*
 * Returns when no VP is in the guest; none enters until partition_release. One
 * holder at a time, others wait; the caller has no lock that a VP might want.
 * VMR_E_DEADLOCK under a host that knows that it would wait for ever. Any thread,
 * also a VP's in a callback.
 */
enum vmr_status partition_hold(struct vmr_partition *partition, struct vmr_error *err);
void partition_release(struct vmr_partition *partition);

/* The VP's thread, out of the guest, when REQUEST_HOLD was seen: returns when nobody holds. */
void partition_wait_for_release(struct vmr_vp *vp);

/*
 * Makes each VP of `vps` but `except` leave the guest once and see `bits` before
 * it enters again. Returns when all have left. As partition_hold.
 */
void partition_expel(struct vmr_partition *partition, const struct vmr_hv_vp_set *vps, vmr_vp_index except,
                     uint32_t bits);
