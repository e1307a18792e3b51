/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What each VTL may do with each page of RAM, and why: what higher VTLs do not
 * allow, the VTL's own map, acceptance in an isolated partition, and late
 * mapping of VTL 2. One answer comes of it, which is told to the backend
 * whenever it changes (vm_protect of vmrig/backend.h), under the lock, so that
 * the backend hears of changes in order.
 *
 * It knows RAM by what it was told of regions.
 */

#include "lib/base/sync.h"
#include "lib/hv/page_flags.h"
#include "lib/memory/regions.h"
#include "vmrig/hv_spec.h"
#include "vmrig/hv_state.h"
#include "vmrig/memory.h"
#include "vmrig/vtl.h"

struct guest_pages_options {
    const struct vmr_host *host;
    uint8_t highest;                     /* VTL; above 0 */
    bool isolated;                       /* pages are accepted first */
    const struct vmr_late_map *late_map; /* NULL: none; read by guest_pages_init */
    bool (*protect)(void *context, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);
    void *context;
};

struct guest_pages {
    struct guest_pages_options options;
    enum vmr_late_map_policy policy; /* of late mapping */
    bool by_layout;                  /* late mapping allows the regions that are VTL 2's */
    bool maps_late;                  /* at the beginning */
    struct sync_mutex lock;
    /* From here on: under the lock. */
    struct page_flags flags;
    struct regions ram; /* addresses and whose they are; no host memory */
    bool late;          /* VTL 2 sees what is allowed, and no more */
    /* With ranges; VMR_LATE_MAP_RANGE_MAX at most, in any order, and asked only while `late`. */
    struct vmr_page_range *allowed;
    size_t allowed_count;
};

/* Zeroed before. VMR_E_CONFIG, naming it, for a late map that makes no sense. */
enum vmr_status guest_pages_init(struct guest_pages *pages, const struct guest_pages_options *options,
                                 struct vmr_error *err);
void guest_pages_finish(struct guest_pages *pages); /* zeroed is fine */
/* Nothing is protected, late mapping waits again; what is accepted or unmapped stays so. */
void guest_pages_reset(struct guest_pages *pages);

enum vmr_status guest_pages_add(struct guest_pages *pages, const struct vmr_memory_region *region,
                                struct vmr_error *err);
void guest_pages_remove(struct guest_pages *pages, const struct vmr_memory_region *region);
/* Tells the backend all of it again. */
enum vmr_status guest_pages_tell(struct guest_pages *pages, const struct vmr_memory_region *region,
                                 struct vmr_error *err);

enum guest_pages_result {
    GUEST_PAGES_OK,
    GUEST_PAGES_NO_RAM,   /* there */
    GUEST_PAGES_STATE,    /* accepted already, or not yet */
    GUEST_PAGES_NO_MEMORY /* on the host, or the backend refused: nothing has changed */
};

/* What a guest is told of it. */
enum hv_status guest_pages_status(enum guest_pages_result result);

/* What `imposer` lets `target`, which is below it, do with a page: HV_MAP_GPA_... bits. */
enum guest_pages_result guest_pages_protect(struct guest_pages *pages, uint8_t imposer, uint8_t target, uint64_t page,
                                            uint8_t access);
/* The map of `vtl`. */
enum guest_pages_result guest_pages_map(struct guest_pages *pages, uint8_t vtl, const struct vmr_page_range *range,
                                        bool mapped);
/* `permissions`: what VTL n lets all below it do, by n; NULL: everything. */
enum guest_pages_result guest_pages_accept(struct guest_pages *pages, uint64_t page,
                                           enum vmr_page_visibility visibility,
                                           const uint8_t permissions[VMR_VTL_COUNT]);
/* All of them or none, without permissions; `ret_bad`: the page to which the result belongs. */
enum guest_pages_result guest_pages_accept_all(struct guest_pages *pages, const struct vmr_initial_pages *initial,
                                               size_t count, vmr_gpa *ret_bad);
enum guest_pages_result guest_pages_set_visibility(struct guest_pages *pages, uint64_t page,
                                                   enum vmr_page_visibility visibility);
enum guest_pages_result guest_pages_visibility(struct guest_pages *pages, uint64_t page,
                                               enum vmr_page_visibility *ret_visibility);
/* Whether a page that holds any of these bytes was accepted, and is not shared with the host. */
bool guest_pages_hide(struct guest_pages *pages, vmr_gpa gpa, uint64_t length);
/* Late mapping is over: VTL 2 sees all of RAM. Nothing if it is. */
enum guest_pages_result guest_pages_lift(struct guest_pages *pages);

/*
 * --- page_state.c: VMR_VM_VTL_PAGES, and `late` of VMR_VM_VTLS. Values may be anything: VMR_E_CONFIG, naming the
 * field, or VMR_E_HOST, and nothing changed. ---
 */

/* The first chunk at or behind *chunk in which there is RAM; false: none. */
bool guest_pages_next_chunk(struct guest_pages *pages, uint32_t *chunk);
void guest_pages_save(struct guest_pages *pages, uint32_t chunk, struct vmr_hv_pages_state *ret_state);
enum vmr_status guest_pages_restore(struct guest_pages *pages, uint32_t chunk, const struct vmr_hv_pages_state *state,
                                    struct vmr_error *err);
/* What guest_pages_reset leaves of it. */
void guest_pages_state_at_reset(struct guest_pages *pages, uint32_t chunk, struct vmr_hv_pages_state *ret_state);
bool guest_pages_is_late(struct guest_pages *pages);
enum vmr_status guest_pages_restore_late(struct guest_pages *pages, bool late, struct vmr_error *err);

/* Whether `vtl` may do all of `access` with a page. True for what is no RAM: it is somebody else's to refuse. */
bool guest_pages_allow(struct guest_pages *pages, uint8_t vtl, uint64_t page, uint8_t access);

/* RAM that is not in the map of `vtl`. */
bool guest_pages_is_hole(struct guest_pages *pages, uint8_t vtl, uint64_t page);

enum guest_pages_cause {
    GUEST_PAGES_ALLOWED, /* it is not refused, or not any more */
    GUEST_PAGES_LATE,
    GUEST_PAGES_UNACCEPTED,
    GUEST_PAGES_PROTECTED /* by `imposer` */
};
/* Why `vtl` may not do `access`: the first of these that holds, and of several VTLs the highest. */
enum guest_pages_cause guest_pages_why(struct guest_pages *pages, uint8_t vtl, uint64_t page, uint8_t access,
                                       uint8_t *ret_imposer);
