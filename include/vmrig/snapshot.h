/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A stopped VM as bytes, and back.
 *
 *   save:     parts of a stopped VM ──> a sink            full, or only the pages that a parent does not have
 *   open:     a source ──> a snapshot                     everything checked: lengths, hashes, versions
 *   restore:  snapshots, parent first ──> parts of a fresh VM, which then goes on where the other stopped
 *
 * Equal states have equal bytes, and so equal ids: no host time, address or name
 * is in them. docs/snapshot_format.md describes the format. [SNAP-1]
 *
 * All calls: VPs stopped, and one at a time; not on a VP's thread.
 */

#include "vmrig/clock.h"
#include "vmrig/device_state.h"
#include "vmrig/state_access.h"

VMR_BEGIN_DECLS

/* --- where bytes go to and come from --- */

struct vmr_snapshot_sink {
    /* Front to back, once. */
    enum vmr_status (*write)(void *context, const void *bytes, size_t length, struct vmr_error *err);
    void *context;
};

struct vmr_snapshot_source {
    /* [offset, offset + length) lies within `size`. */
    enum vmr_status (*read)(void *context, uint64_t offset, void *ret_bytes, size_t length, struct vmr_error *err);
    void *context;
    uint64_t size;
};

/* A source over bytes in memory, which must outlive it. `bytes` is its context. */
VMR_API void vmr_snapshot_source_memory(const void *bytes, size_t length, struct vmr_snapshot_source *ret_source);

/* --- what is saved --- */

/* The parts of a VM. A vmr_machine has them together: vmr_machine_save, vmr_machine_restore. */
struct vmr_snapshot_parts {
    struct vmr_partition *partition; /* required; its memory is saved with it */
    /* Required: runs `function` on the VP's thread, at a clean point, and returns its status. */
    enum vmr_status (*call)(void *context, vmr_vp_index vp,
                            enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument);
    void *context;
    const struct vmr_state_unit *units; /* devices and interrupt controllers, in the order in which they are set */
    size_t unit_count;
    struct vmr_vm_clock *clock;   /* NULL: the VM's time is the host's, and is not saved */
    struct vmr_bus *ports, *mmio; /* for vmr_inspect alone, which tells who is on them; optional */
};

/* Bytes of the embedder's own, by name. */
struct vmr_snapshot_blob {
    const char *name; /* 1 to 63 characters: a-z 0-9 - _ . */
    const void *bytes;
    size_t length; /* VMR_SNAPSHOT_BLOB_MAX at most */
    bool optional; /* a reader that does not know the name may go on */
};

#define VMR_SNAPSHOT_BLOB_MAX 0x2000000u /* 32 MiB: firmware, with room */

struct vmr_snapshot_save_options {
    const struct vmr_snapshot_blob *blobs;
    size_t blob_count;
    /* Optional: requests of other threads have been taken in, and nothing has been read. May write what blobs hold. */
    enum vmr_status (*flushed)(void *context, struct vmr_error *err);
    void *context;
    /*
     * Only pages that were written since the dirty log of the partition's memory
     * was last taken: vmr_memory_dirty_take is called. 0: all pages. [SNAP-7]
     */
    uint64_t parent_id;
};

/*
 * Requests of other threads are taken in first (vmr_vp_flush_async_requests).
 * Pages that hold zeros alone are not written. `ret_id` may be NULL. Nothing of
 * the VM changes but what the flush did; after an error what the sink has is no
 * snapshot. VMR_E_STATE: a VP runs, or the partition is unusable. [SNAP-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_snapshot_save(const struct vmr_snapshot_parts *parts,
                                                         const struct vmr_snapshot_save_options *options,
                                                         const struct vmr_snapshot_sink *sink, uint64_t *ret_id,
                                                         struct vmr_error *err);

/* --- what was saved --- */

struct vmr_snapshot;

/*
 * Reads and checks all of it: VMR_E_CORRUPT, naming section and offset, for what
 * is damaged, cut or out of place; VMR_E_UNSUPPORTED for a newer format or a
 * section that must not be skipped. What a source claims of itself allocates
 * nothing that its size does not cover. The source must outlive the snapshot.
 * [SNAP-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_snapshot_open(const struct vmr_snapshot_source *source,
                                                         struct vmr_snapshot **ret_snapshot, struct vmr_error *err);
VMR_API void vmr_snapshot_close(struct vmr_snapshot *snapshot); /* NULL is fine */

struct vmr_snapshot_info {
    uint64_t id, parent_id; /* parent 0: it is full */
    uint32_t vp_count;
    enum vmr_irqchip irqchip;
    uint64_t memory_size; /* bytes in all regions */
    uint64_t page_count;  /* that it holds */
    uint64_t region_count, state_count, blob_count, skipped_count;
    bool has_clock;
    uint64_t clock_ns;
};
VMR_API void vmr_snapshot_get_info(const struct vmr_snapshot *snapshot, struct vmr_snapshot_info *ret_info);

/* False: there is none of that name. The bytes live as long as the snapshot. */
VMR_API bool vmr_snapshot_find_blob(const struct vmr_snapshot *snapshot, const char *name,
                                    struct vmr_snapshot_blob *ret_blob);

enum vmr_snapshot_scope {
    VMR_SNAPSHOT_VM,
    VMR_SNAPSHOT_DEVICE,
    VMR_SNAPSHOT_VP,
    VMR_SNAPSHOT_SCOPE_COUNT
};
/* One state of a VM that is saved, or that runs. */
struct vmr_snapshot_state {
    enum vmr_snapshot_scope scope;
    vmr_vp_index vp; /* of VMR_SNAPSHOT_VP, else 0 */
    uint32_t vtl, instance;
    const struct vmr_state_type *type;
    const void *value;
};

/* --- back --- */

struct vmr_snapshot_restore_options {
    /*
     * For a VM on another kind of hypervisor: classes of VPs and VM that the one has and the other has not are no
     * error. `skipped` (optional) hears of each that was saved and has no place, and, with a NULL value, of each
     * that stays as it is. [SNAP-6]
     */
    bool other_hypervisor;
    void (*skipped)(void *context, const struct vmr_snapshot_state *state, const char *class_name);
    void *context;
};

/*
 * Makes a fresh VM, of the same number of VPs, interrupt controllers and memory
 * regions, what was saved: memory, clock, then states in declared order, each
 * VP's on its thread. `chain[0]` is full, and each one's parent is the one
 * before it.
 *
 * Everything that can be checked is checked first, and then nothing has changed:
 * VMR_E_CONFIG for another topology, a state without a place, a place without a
 * state, a broken chain, each named. What fails later (a value that the
 * hypervisor refuses, a host call) leaves the partition unusable: no VP runs
 * until it is reset. [SNAP-4] [SNAP-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_snapshot_restore(const struct vmr_snapshot_parts *parts,
                                                            struct vmr_snapshot *const *chain, size_t count,
                                                            const struct vmr_snapshot_restore_options *options,
                                                            struct vmr_error *err);

/* --- looking --- */

/*
 * Calls `visit` with each state of the types that this library knows, in the
 * order of the file; others are passed over. Stops at the first status that is
 * not VMR_OK, and returns it.
 */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_snapshot_visit(const struct vmr_snapshot *snapshot,
                   enum vmr_status (*visit)(void *context, const struct vmr_snapshot_state *state), void *context,
                   struct vmr_error *err);

/* Where two snapshots differ. One of the two may be missing: NULL. */
struct vmr_snapshot_differences {
    void (*state)(void *context, const struct vmr_snapshot_state *left, const struct vmr_snapshot_state *right,
                  const struct vmr_state_difference *difference); /* each field's first element that differs */
    void (*page)(void *context, vmr_gpa gpa);
    void *context;
};
/* Pages: of full snapshots only. `with_moving`: as vmr_state_equal. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_snapshot_compare(const struct vmr_snapshot *left,
                                                            const struct vmr_snapshot *right, bool with_moving,
                                                            const struct vmr_snapshot_differences *differences,
                                                            uint64_t *ret_count, struct vmr_error *err);

/*
 * The whole tree as text or as JSON: the partition, its memory map, its states,
 * devices, each VP's states, and what waits in them: message queues by VP, VTL and
 * SINT, and timers that run. Of a snapshot; or, with vmr_inspect, of a VM, which
 * may run: each VP is looked at on its thread at a clean point, and goes on; what
 * moves meanwhile may not fit together. States of the partition itself, where the
 * hypervisor has any, are VMR_E_STATE while a VP runs. That tells as well how the VM is wired:
 * ranges of its buses with their owners, doorbells, and the ports of its SynIC with
 * those of the guest and where they are aimed. [INSP-1] [INSP-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_snapshot_print(const struct vmr_snapshot *snapshot,
                                                          enum vmr_state_format format,
                                                          const struct vmr_text_sink *sink, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_inspect(const struct vmr_snapshot_parts *parts, enum vmr_state_format format,
                                                   const struct vmr_text_sink *sink, struct vmr_error *err);

VMR_END_DECLS
