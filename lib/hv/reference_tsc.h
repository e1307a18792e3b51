/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The reference TSC page (TLFS, Partition Reference TSC Page): an overlay from
 * which guests compute the reference time by themselves. One for a partition.
 *
 * The page says "invalid", so that guests read the counter instead, unless the
 * reference time goes by the guest's TSC. Its parameters are written behind an
 * invalid sequence, and each change has another sequence: a guest that reads
 * meanwhile tries again.
 *
 * Only a VP's own thread can read its TSC. So a page that is placed, or whose
 * time has jumped, says "invalid" and is stale until a VP brings both clocks.
 */

#include "lib/base/sync.h"
#include "lib/hv/overlay.h"
#include "vmrig/hv_state.h"

struct reference_tsc {
    const struct vmr_host *host;
    struct sync_mutex lock;
    uint64_t hz;            /* 0: no TSC to go by */
    bool filled_elsewhere;  /* the hypervisor writes the page: only its place is kept here */
    _Atomic uint32_t stale; /* waits for reference_tsc_update; changed under the lock */
    /* From here on: under the lock. */
    bool restored; /* and stale, but the page does not say "invalid" */
    uint64_t guest_register;
    uint32_t sequence; /* the last that was used */
    struct overlay page;
};

enum vmr_status reference_tsc_init(struct reference_tsc *reference, const struct vmr_host *host,
                                   struct vmr_memory *memory, uint64_t hz);
void reference_tsc_finish(struct reference_tsc *reference); /* zeroed is fine */
void reference_tsc_reset(struct reference_tsc *reference);

uint64_t reference_tsc_read(struct reference_tsc *reference);
/* False, and nothing changed: #GP. A page that is placed is stale. */
bool reference_tsc_write(struct reference_tsc *reference, uint64_t guest_value);
/* The time has jumped: TSC and counter belong together anew. */
void reference_tsc_invalidate(struct reference_tsc *reference);
/* The same, of a page in RAM that is being restored: the page says so only when a VP is about to run. */
void reference_tsc_outdate(struct reference_tsc *reference);
bool reference_tsc_is_stale(const struct reference_tsc *reference);
/* What both clocks showed at one moment. */
struct reference_pair {
    uint64_t tsc, count;
};
/* Makes a stale page valid; without a pair it stays as it is. Either way nobody needs to try again. */
void reference_tsc_update(struct reference_tsc *reference, const struct reference_pair *pair);

void reference_tsc_save(struct reference_tsc *reference, struct vmr_hv_tsc_state *ret_state);
/* VMR_E_CONFIG, naming the field, and nothing changed, for what cannot be. A page that is placed is stale. */
enum vmr_status reference_tsc_restore(struct reference_tsc *reference, const struct vmr_hv_tsc_state *state,
                                      struct vmr_error *err);

/*
 * The page's first HV_TSC_PAGE_BYTES: ((tsc * scale) >> 64) + offset. False,
 * and the invalid sequence, for a TSC too slow for the scale to fit 64 bits.
 */
bool reference_tsc_encode(uint64_t tsc_hz, uint64_t tsc, uint64_t count, uint32_t sequence, uint8_t *ret_page);
/* The next sequence that means something. */
uint32_t reference_tsc_sequence_after(uint32_t sequence);
