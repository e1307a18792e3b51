/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Wakes VPs that are in the guest when a timer of the library's interrupt
 * controllers is due: a guest that never exits still gets its interrupts. One
 * thread of the host's for a partition; only started where such timers exist.
 */

#include "vmrig/partition.h"

struct vp_clock;

/* Gives NULL where the partition has no such timers, or a clock of its own. VPs stopped. */
enum vmr_status vp_clock_create(struct vmr_partition *partition, struct vp_clock **ret_clock);
/* Waits for the thread to end. NULL is fine. VPs stopped. */
void vp_clock_destroy(struct vp_clock *clock);
