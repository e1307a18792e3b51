/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What waits in a VM, gathered from its states while they pass by: queues that
 * hold messages, and timers that run. So a snapshot tells as much as the VM.
 */

#include "lib/snapshot/print.h"

struct waiting_queue {
    vmr_vp_index vp;
    uint32_t vtl, sint, count;
};

struct waiting_timer {
    const char *name, *clock;
    vmr_vp_index vp;
    uint32_t vtl, index;
    uint64_t due;
};

struct waiting {
    struct waiting_queue *queues;
    struct waiting_timer *timers;
    size_t queue_count, queue_capacity, timer_count, timer_capacity;
};

/* False: out of memory. A state holds a few at most, so all that is gathered is no larger than the states. */
bool waiting_note(struct waiting *waiting, const struct vmr_snapshot_state *state);
void waiting_print(const struct waiting *waiting, struct printing *printing);
void waiting_finish(struct waiting *waiting);
