/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of this folder share: an opened snapshot. Everything in it has
 * been checked against its hash; sections that hold states and blobs are kept,
 * pages stay in the source and are known by their place.
 */

#include "lib/snapshot/format.h"
#include "lib/snapshot/states.h"
#include "vmrig/snapshot.h"

struct kept_state {
    uint8_t *bytes; /* the section */
    struct state_section section;
    bool optional;
    uint64_t offset; /* of the section, for messages */
};

struct kept_blob {
    uint8_t *bytes; /* the section */
    struct vmr_snapshot_blob blob;
    char name[STATE_NAME_MAX + 1];
};

/* Pages that lie together. */
struct page_run {
    vmr_gpa gpa;
    uint64_t count;  /* of pages */
    uint64_t offset; /* of the bytes, in the source; 0: they are zeros */
};

struct vmr_snapshot {
    struct vmr_snapshot_source source;
    struct vmr_snapshot_info info;
    struct vmr_memory_region *regions; /* `host` is NULL */
    struct kept_state *states;
    struct kept_blob *blobs;
    struct page_run *runs; /* ascending, disjoint */
    size_t region_count, state_count, blob_count, run_count;
};

/* --- topology.c: the sections "machine" and "regions" --- */

void topology_encode_machine(struct writer *writer, const struct vmr_partition *partition);
/* VMR_E_NOMEM if there is none. */
enum vmr_status topology_encode_regions(struct writer *writer, struct vmr_memory *memory);
bool topology_decode_machine(struct vmr_snapshot *snapshot, const uint8_t *bytes, size_t length);
/* VMR_E_CORRUPT without words: they are malformed. */
enum vmr_status topology_decode_regions(struct vmr_snapshot *snapshot, const uint8_t *bytes, size_t length);
/* VMR_E_CONFIG, with what differs named. */
enum vmr_status topology_check(const struct vmr_snapshot *snapshot, const struct vmr_snapshot_parts *parts,
                               struct vmr_error *err);

/* --- pages.c --- */

#define RUN_PAGES_MAX 256u     /* in one section */
#define PAGES_PREFIX_BYTES 16u /* before the bytes: address 8, count 4, zero 4 */

/* Takes runs of pages, RUN_PAGES_MAX at most. `bytes` is NULL for pages that are zero. */
struct pages_sink {
    enum vmr_status (*emit)(void *context, vmr_gpa gpa, uint32_t count, const void *bytes, struct vmr_error *err);
    /* Behind the last run: what fails here failed as a whole. Optional. */
    enum vmr_status (*end)(void *context, struct vmr_error *err);
    void *context;
};
/* Each run of pages that are not zero, in ascending order. */
enum vmr_status pages_each(struct vmr_memory *memory, const struct pages_sink *sink, struct vmr_error *err);
/* Each run of pages that the dirty log names, zero or not. With an error they stay logged. */
enum vmr_status pages_each_written(struct vmr_memory *memory, const struct pages_sink *sink, struct vmr_error *err);
/* Makes memory what the chain says. It has the regions. */
enum vmr_status pages_restore(struct vmr_memory *memory, struct vmr_snapshot *const *chain, size_t count,
                              struct vmr_error *err);
