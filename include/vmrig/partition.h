/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a hypervisor to a virtual processor.
 *
 *   handle ── vmr_proto_create ──> proto ── vmr_proto_build ──> partition ── vmr_partition_bind ──> VP
 *                (questions)       (consumed)   all VPs exist      (on the VP's own thread)
 *
 *   VP:  UNBOUND ──bind──> BOUND ──run, step──> RUNNING ──> BOUND ──unbind──> UNBOUND
 *                            │ fatal exit                     │
 *                            └──────────────> FAILED <────────┘     FAILED: registers, unbind, reset; no run
 *
 * Any call out of this order is VMR_E_STATE, names the object and its state,
 * and changes nothing. [LIFE-1] [LIFE-2]
 */

#include "vmrig/backend.h"
#include "vmrig/bus.h"
#include "vmrig/hv_guest.h"
#include "vmrig/irqchip.h"
#include "vmrig/memory.h"

VMR_BEGIN_DECLS

struct vmr_proto;
struct vmr_partition;
struct vmr_vp;

struct vmr_proto_options {
    const struct vmr_host *host; /* required */
    uint32_t vp_count;           /* 0: 1 */
    /*
     * The Hyper-V guest interface; NULL: none. Its CPUID leaves are in the proto
     * partition's table, its MSRs and hypercalls are served in every run. [HV-1]
     */
    const struct vmr_hv_config *hv;
};

/*
 * Nothing is made in the hypervisor yet. VMR_E_CONFIG: more VPs than the
 * backend can. The handle must outlive the partition.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_proto_create(const struct vmr_hypervisor_handle *handle,
                                                        const struct vmr_proto_options *options,
                                                        struct vmr_proto **ret_proto, struct vmr_error *err);
VMR_API void vmr_proto_destroy(struct vmr_proto *proto); /* NULL is fine */

VMR_API const struct vmr_caps *vmr_proto_caps(const struct vmr_proto *proto);
/* The CPUID result a guest would see by default; zeros for a leaf the backend does not know. [LIFE-4] */
VMR_API void vmr_proto_cpuid(const struct vmr_proto *proto, uint32_t leaf, uint32_t subleaf,
                             struct vmr_cpuid_entry *ret_entry);

struct vmr_partition_options {
    struct vmr_memory *memory;           /* required; one partition at a time; must outlive the partition */
    const struct vmr_cpuid_entry *cpuid; /* replaces the default entry of the same leaf and subleaf, or adds */
    size_t cpuid_count;
    /* Must reach vmr_vp_io.msr_read and msr_write even if the hypervisor knows them. None ends above 2^32. */
    const struct vmr_msr_range *msr_exits;
    size_t msr_exit_count; /* VMR_MSR_RANGE_MAX at most */
    /*
     * With VTL 2: the memory of VTL 0 also lies at this offset for VTL 2, as VTL 0's map has it, whatever VTL 0 may do
     * with it. A power of two above all of RAM and below the end of physical addresses; 0: nowhere. VMR_E_UNSUPPORTED
     * without VMR_CAP_VTL, VMR_E_CONFIG for another number, without VTL 2, and in an isolated partition. [VTL-12]
     */
    uint64_t vtl0_alias_map;
};

/*
 * Makes the partition and, in index order, all its VPs. On success `proto` is
 * consumed and set to NULL; on failure it is as before and can be built again.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_proto_build(struct vmr_proto **proto,
                                                       const struct vmr_partition_options *options,
                                                       struct vmr_partition **ret_partition, struct vmr_error *err);

/* NULL is fine. No VP may be bound: otherwise VMR_E_STATE and nothing happens. [LIFE-5] */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_destroy(struct vmr_partition *partition);

VMR_API const struct vmr_caps *vmr_partition_caps(const struct vmr_partition *partition);
VMR_API uint32_t vmr_partition_vp_count(const struct vmr_partition *partition);
VMR_API enum vmr_irqchip vmr_partition_irqchip(const struct vmr_partition *partition);
VMR_API const struct vmr_host *vmr_partition_host(const struct vmr_partition *partition);
VMR_API struct vmr_memory *vmr_partition_memory(const struct vmr_partition *partition);
/* What the backend's header says it is, or NULL unless the backend is `backend` (vmr_backend_is): no accidental casts.
 */
VMR_API void *vmr_partition_native(struct vmr_partition *partition, const struct vmr_backend *backend);

/*
 * The library's interrupt controllers serve this partition: with
 * VMR_IRQCHIP_USER all of them, with VMR_IRQCHIP_SPLIT the PIC and IO-APIC.
 * Before the first bind; VMR_E_STATE later or when there is one. The chip must
 * outlive the partition.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_attach_irqchip(struct vmr_partition *partition,
                                                                    const struct vmr_irqchip_ops *ops, void *chip,
                                                                    struct vmr_error *err);

/*
 * Raising interrupts. Any thread, at any time, also from a device callback.
 * They go to the library's chip or to the hypervisor's, whichever serves.
 * VMR_E_UNSUPPORTED where neither does. A VP that sleeps is woken. [INT-1]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_irq(struct vmr_partition *partition, uint32_t gsi, bool level);
/* VMR_E_GUEST: no local APIC takes it; the interrupt is dropped, as on hardware. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_msi(struct vmr_partition *partition, const struct vmr_msi *msi);
/* Pulses local interrupt pin 0 or 1; any other pin and an unknown VP are VMR_E_USAGE. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_lint(struct vmr_partition *partition, vmr_vp_index vp,
                                                          unsigned lint);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_nmi(struct vmr_partition *partition, vmr_vp_index vp);
/* What raising `gsi` delivers, where the chip is in the hypervisor; NULL: nothing. VMR_CAP_MSI. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_set_route(struct vmr_partition *partition, uint32_t gsi,
                                                               const struct vmr_msi *msi);
/*
 * The hypervisor raises and lowers `gsi` when the event `fd` (see host.h; on
 * KVM any eventfd) is signalled, also when it was before: for lines that are
 * edge-triggered, as a guest may take a level more than once. The event stays the
 * caller's, who keeps it until it is taken away or the partition is gone; it
 * raises one line of a partition, but several may raise the same. VMR_CAP_IRQFD.
 * VMR_E_CONFIG: it raises a line already; VMR_E_USAGE: it is no event. Taking
 * away what is not there changes nothing: kernels do not tell. Any thread. [EVT-4]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_irqfd(struct vmr_partition *partition, int fd, uint32_t gsi,
                                                           bool add, struct vmr_error *err);
/*
 * A guest write that matches signals the event `fd` without leaving the
 * hypervisor, so `ring` and `context` of the doorbell are ignored. Each item of
 * a string write is a write; one to RAM is none. VMR_CAP_DOORBELL; a minimum
 * VTL above 0 is VMR_E_UNSUPPORTED on hypervisors without VTLs, and a value
 * without a size on KVM: use vmr_bus_doorbell_add, which works everywhere.
 *
 * VMR_E_CONFIG: the doorbell does not fit `space`, or a write that rings it
 * would ring another in the hypervisor, also where a bus would choose between
 * the two; VMR_E_USAGE: no event, or none with this match and `fd` to take
 * away. When that has returned `fd`, which the caller keeps until then, is
 * signalled no more. Any thread. [EVT-5] [EVT-6]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_doorbell(struct vmr_partition *partition, enum vmr_bus_space space,
                                                              const struct vmr_doorbell *doorbell, int fd, bool add,
                                                              struct vmr_error *err);
/*
 * One of the doorbells that are in the hypervisor, `index` of them before it in
 * the order in which they came; false: there are no more. As vmr_bus_range_get.
 * Any thread. [INSP-2]
 */
VMR_API bool vmr_partition_doorbell_get(struct vmr_partition *partition, size_t index, enum vmr_bus_space *ret_space,
                                        struct vmr_doorbell *ret_doorbell, int *ret_fd);
/*
 * Says that a device lets `bytes` out of the machine: to a console, a network,
 * whatever the embedder made `stream` stand for. Sends them nowhere. A recorder
 * records what a VP's device says so, and a replay checks it; the machine does
 * it for its consoles and power line (enum vmr_stream). Any thread; no bytes
 * are none. [TRC-6]
 */
VMR_API void vmr_partition_output(struct vmr_partition *partition, uint32_t stream, const uint8_t *bytes,
                                  size_t length);
/* The device behind `stream`: takes bytes for the guest to read, and says how many there was room for. Any thread. */
struct vmr_input_sink {
    size_t (*receive)(void *context, uint32_t stream, const uint8_t *bytes, size_t length);
    void *context;
};
/* Before the first bind. A copy is kept. */
VMR_API void vmr_partition_set_input(struct vmr_partition *partition, const struct vmr_input_sink *sink);
/*
 * Gives bytes from outside to the sink, VMR_INPUT_BYTES_MAX at most at once,
 * and returns how many were taken: fewer, once there was no room. This, and not
 * a call of the device itself, is what a recorder sees and a replay does again
 * at the same point. Any thread. [TRC-7]
 */
VMR_API size_t vmr_partition_input(struct vmr_partition *partition, uint32_t stream, const uint8_t *bytes,
                                   size_t length);

/*
 * Pages of an isolated partition. Before the first bind, on behalf of the guest:
 * later only the guest accepts pages, and this is VMR_E_STATE. VMR_E_UNSUPPORTED
 * if the partition is not isolated; VMR_E_CONFIG, and nothing accepted, for a
 * range that is unaligned, empty, not all RAM, or accepted already. [VTL-14]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_accept_initial_pages(struct vmr_partition *partition,
                                                                          const struct vmr_initial_pages *pages,
                                                                          size_t count, struct vmr_error *err);
/* Whether a page is accepted, and then for whom. Any thread. */
VMR_API bool vmr_partition_page_visibility(struct vmr_partition *partition, vmr_gpa gpa,
                                           enum vmr_page_visibility *ret_visibility);
/*
 * What the VTLs below the highest possible one may do with page number `page`:
 * HV_MAP_GPA_... bits, as if the highest had said it. VMR_E_UNSUPPORTED without
 * VTLs; VMR_E_CONFIG for what is no RAM and for other bits. Any thread. [VTL-9]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_modify_vtl_page_setting(struct vmr_partition *partition,
                                                                             uint64_t page, uint32_t flags,
                                                                             struct vmr_error *err);
/*
 * The memory map of one VTL: every VTL begins with all regions. Unmapped RAM is
 * a hole for that VTL alone, and mapped again shows the same bytes. Errors as
 * above. Any thread. [VTL-13]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_vtl_map(struct vmr_partition *partition, uint8_t vtl,
                                                             const struct vmr_page_range *range, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_vtl_unmap(struct vmr_partition *partition, uint8_t vtl,
                                                               const struct vmr_page_range *range,
                                                               struct vmr_error *err);

/* For tests of backends: see enum vmr_run_seam. VPs stopped. NULL takes it away. */
VMR_API void vmr_partition_set_seam_hook(struct vmr_partition *partition,
                                         void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam),
                                         void *context);

/*
 * Binds VP `index` to the calling thread, which alone may use it until unbind.
 * VMR_E_UNSUPPORTED for a second bind where VMR_CAP_REBIND is missing [LIFE-6],
 * and with VMR_CAP_MANAGED: the VPs are the hypervisor's to run, and a VP set's
 * to look into [MGD-2].
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_bind(struct vmr_partition *partition, vmr_vp_index index,
                                                          struct vmr_vp **ret_vp, struct vmr_error *err);
/* The VP's thread. NULL is fine; nothing with VMR_CAP_MANAGED. An unfinished exit is completed first. [LIFE-7] */
VMR_API void vmr_vp_unbind(struct vmr_vp *vp);

VMR_API vmr_vp_index vmr_vp_get_index(const struct vmr_vp *vp);
VMR_API struct vmr_partition *vmr_vp_partition(const struct vmr_vp *vp);
/* The VTL it is in, whose registers the calls below read and write. The VP's thread. */
VMR_API uint8_t vmr_vp_get_vtl(const struct vmr_vp *vp);

/*
 * The VP's thread, between runs. VMR_E_STATE while an exit is unfinished (only
 * after vmr_vp_step, or inside a device callback): the values would be stale.
 * [EXIT-6]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_get_regs(struct vmr_vp *vp, struct vmr_x86_regs *ret_regs);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_regs(struct vmr_vp *vp, const struct vmr_x86_regs *regs);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_get_msr(struct vmr_vp *vp, uint32_t index, uint64_t *ret_value);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_msr(struct vmr_vp *vp, uint32_t index, uint64_t value);
/* The VP's thread, at a clean point. [LIFE-9] */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_get_activity(struct vmr_vp *vp, enum vmr_activity *ret_activity);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_activity(struct vmr_vp *vp, enum vmr_activity activity);
/*
 * NULL: no debugging. VMR_E_UNSUPPORTED if the backend cannot, VMR_E_USAGE for what the processor cannot; never
 * silently ignored. Of this VP alone. The VP's thread, at a clean point. [DBG-1] [DBG-2] [DBG-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_debug_state(struct vmr_vp *vp, const struct vmr_debug_state *state);
/* What was last taken by the call above; zeros before. The VP's thread, at a clean point. [DBG-4] */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_get_debug_state(struct vmr_vp *vp, struct vmr_debug_state *ret_state);

VMR_END_DECLS
