/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The machine of a run: a configuration, from a file or from options, and what
 * goes with it; also as the metadata of its recording, from which `vmrig replay`
 * builds it again.
 *
 * The firmware's bytes are not in a recording, nor in a snapshot outside its
 * memory. The library copies them into guest memory when the machine is built,
 * before the first VP runs, and never looks at them again but through recorded
 * reads, which bring the bytes along. So a replay puts zeros of the same size in
 * their place.
 */

#include "vmrig/config_file.h"
#include "vmrig/machine_build.h"
#include "vmrig/trace.h"

#define PLAN_FIRMWARE_MAX (16u << 20)
#define PLAN_MEMORY_DEFAULT (UINT64_C(64) << 20)
/* A configuration is cut into pieces that metadata can hold: 32 KiB in all, and what else there is. */
#define PLAN_CONFIG_PIECES_MAX 32u
#define PLAN_META_COUNT (9u + PLAN_CONFIG_PIECES_MAX)

/*
 * What the guest's real-time clock shows when it begins: 2024-01-01 00:00:00 UTC
 * in every run, but for a configuration's delta. So the same command gives the
 * same machine, and a recording does not tell when it was made.
 */
#define PLAN_RTC_EPOCH_S UINT64_C(1704067200)

struct plan {
    struct vmr_config_file *file; /* owned; NULL: the small PC of the next two */
    uint64_t memory_size;
    uint32_t vps;
    bool restarts;        /* when the guest resets */
    const void *firmware; /* NULL: the configuration loads nothing */
    size_t firmware_size;
    uint64_t rtc_epoch_s;
    uint64_t tsc_hz;   /* of the hypervisor that it runs on, for a machine with the Hyper-V interface; 0: not known */
    const char *until; /* NULL: none. Only told, not needed to replay. */
};

void plan_finish(struct plan *plan); /* zeroed is fine */

/* What of the configuration matters to whoever records it. */
bool plan_has_hv(const struct plan *plan);
uint32_t plan_vps(const struct plan *plan);
/* The path of the firmware that the configuration names; NULL: it loads none. */
const char *plan_firmware_path(const struct plan *plan);
/*
 * The configuration's canonical form, in one line, without the path of its
 * firmware, which is nothing to who gets a recording; for free(). NULL `bytes`:
 * there is no file.
 */
VMR_MUST_CHECK enum vmr_status plan_print(const struct plan *plan, struct vmr_config_text *ret_text,
                                          struct vmr_error *err);
/* Back. VMR_E_CORRUPT: it is no configuration; the first of what is wrong is in `err`. */
VMR_MUST_CHECK enum vmr_status plan_parse(const void *text, size_t length, struct plan *plan, struct vmr_error *err);

/* Metadata and the texts it points to. `plan->until` must outlive it. */
struct plan_meta {
    size_t count;
    struct vmr_trace_meta pairs[PLAN_META_COUNT];
    char texts[PLAN_META_COUNT][24];
    char *config; /* for free(): what the pieces point into */
};
/* VMR_E_CONFIG: the configuration is too long to be recorded. */
VMR_MUST_CHECK enum vmr_status plan_to_meta(const struct plan *plan, struct plan_meta *ret_meta, struct vmr_error *err);
/* Whether the metadata of a recording can hold it. */
bool plan_until_fits(const char *until);
/* VMR_E_CORRUPT, with the key named, unless the recording is of a machine. Sets no firmware. */
VMR_MUST_CHECK enum vmr_status plan_from_replay(const struct vmr_replay *replay, struct plan *ret_plan,
                                                struct vmr_error *err);

/*
 * Builds it: `options` has handle, host and what else there is. `name` is the
 * configuration's file, for what cannot be built; NULL: findings are in `err`.
 */
VMR_MUST_CHECK enum vmr_status plan_build(const struct plan *plan, const char *name,
                                          const struct vmr_machine_build_options *options,
                                          struct vmr_machine **ret_machine, struct vmr_error *err);
