/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A partition's reference time (TLFS, Partition Reference Counter): units of
 * 100 ns that never go back, counted from the host's clock, standing still
 * while they are paused.
 */

#include "lib/base/sync.h"

struct reference_time {
    const struct vmr_host *host;
    struct sync_mutex lock;
    uint64_t origin_ns; /* host time when the count was `base` and began to run */
    uint64_t base;
    bool paused;
};

/* Runs, from 0 now. */
enum vmr_status reference_time_init(struct reference_time *time, const struct vmr_host *host);
void reference_time_finish(struct reference_time *time); /* zeroed is fine */

/* At `now_ns` of the host's clock; one before the origin counts as the origin. */
uint64_t reference_time_at(struct reference_time *time, uint64_t now_ns);
uint64_t reference_time_now(struct reference_time *time);
/* When the count will have reached `count`, which lies ahead of the origin's; VMR_NEVER while paused, or beyond the
 * host's clock. */
uint64_t reference_time_deadline_ns(struct reference_time *time, uint64_t count);

/* Both may be repeated. */
void reference_time_pause(struct reference_time *time);
void reference_time_resume(struct reference_time *time);
/* For restoring, running or paused. May go back: a restored guest has not seen what was here before. */
void reference_time_set(struct reference_time *time, uint64_t count);
