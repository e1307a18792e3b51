/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The machine of a run, as options and as the metadata of its recording: what
 * `vmrig run` writes, `vmrig replay` builds again.
 *
 * The firmware's bytes are not in a recording. The library copies them into
 * guest memory when the machine is built, before the first VP runs, and never
 * looks at them again but through recorded reads, which bring the bytes along.
 * So a replay puts zeros of the same size in their place.
 */

#include "vmrig/machine.h"
#include "vmrig/trace.h"

#define PLAN_FIRMWARE_MAX (16u << 20)
#define PLAN_MEMORY_DEFAULT (UINT64_C(64) << 20)
#define PLAN_META_COUNT 7u

/*
 * What the guest's real-time clock shows when it begins: 2024-01-01 00:00:00 UTC
 * in every run. So the same command gives the same machine, and a recording does
 * not tell when it was made.
 */
#define PLAN_RTC_EPOCH_S UINT64_C(1704067200)

struct plan {
    uint64_t memory_size;
    uint32_t vps;
    const void *firmware;
    size_t firmware_size;
    uint64_t rtc_epoch_s;
    const char *until; /* NULL: none. Only told, not needed to replay. */
};

/* Metadata and the texts it points to. `plan->until` must outlive it. */
struct plan_meta {
    size_t count;
    struct vmr_trace_meta pairs[PLAN_META_COUNT];
    char texts[PLAN_META_COUNT][24];
};
void plan_to_meta(const struct plan *plan, struct plan_meta *ret_meta);
/* Whether the metadata of a recording can hold it. */
bool plan_until_fits(const char *until);
/* VMR_E_CORRUPT, with the key named, unless the recording is of a machine. Sets no firmware. */
VMR_MUST_CHECK enum vmr_status plan_from_replay(const struct vmr_replay *replay, struct plan *ret_plan,
                                                struct vmr_error *err);
/* All but handle, host and console. */
void plan_to_machine(const struct plan *plan, struct vmr_machine_options *ret_options);
