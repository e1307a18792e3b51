/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Virtual trust levels (VTLs) of a partition with the Hyper-V guest interface,
 * where the hypervisor has them (VMR_CAP_VTL): their configuration, and what a
 * run loop asks of the interface about them (TLFS, Virtual Secure Mode).
 *
 *   VTL 0 ──VtlCall──> VTL 1 ──VtlCall──> VTL 2        each VTL of a VP has instruction and stack pointer, flags,
 *         <─VtlReturn─       <─VtlReturn─               segments, tables, control registers and a program counter of
 *                                                       its own; the other general registers, CR2 and XMM are shared
 *
 * A higher VTL says what lower ones may do with a page. An access that it does
 * not allow reaches it as an intercept message in its SINT 0, and it is entered.
 *
 * Above VTL 0 a VP has no local APIC of its own. The vectors of its SynIC, and
 * those that IPI calls name for the VTL, are taken without an in-service bit and
 * need no EOI, highest first; one that is raised while a lower VTL runs makes the
 * VP enter the VTL. Interrupts of the local APIC, which is VTL 0's whoever
 * touches it, wait until the VP is in VTL 0 again. What only a local APIC could
 * serve is refused: the synthetic EOI, ICR and TPR are #GP there, and
 * AssertVirtualInterrupt for such a VTL is HV_STATUS_INVALID_VTL_STATE. [VTL-8]
 */

#include "vmrig/error.h"
#include "vmrig/hv_vtl.h"
#include "vmrig/vp_state.h"

VMR_BEGIN_DECLS

/* --- configuration --- */

struct vmr_page_range {
    vmr_gpa gpa;   /* page aligned */
    uint64_t size; /* a nonzero multiple of the page size */
};

/* What happens when VTL 2 touches RAM that is not mapped for it yet. */
enum vmr_late_map_policy {
    VMR_LATE_MAP_LOG = 0,          /* the log says so, and the access is done */
    VMR_LATE_MAP_HALT,             /* the run ends: VMR_HALT_FATAL, with the VMR_EXIT_MEMORY_FAULT */
    VMR_LATE_MAP_INJECT_EXCEPTION, /* #GP in VTL 2 */
    VMR_LATE_MAP_POLICY_COUNT
};

enum vmr_late_map_allowed {
    VMR_LATE_MAP_MEMORY_LAYOUT = 0, /* the regions whose `vtl2` is set */
    VMR_LATE_MAP_RANGES,
    VMR_LATE_MAP_ALLOWED_COUNT
};

/* VTL 2 sees only what is allowed until its first ModifyVtlProtectionMask that is well formed; then all of RAM. */
struct vmr_late_map {
    enum vmr_late_map_policy policy;
    enum vmr_late_map_allowed allowed;
    const struct vmr_page_range *ranges; /* with VMR_LATE_MAP_RANGES; copied */
    size_t range_count;                  /* VMR_LATE_MAP_RANGE_MAX at most */
};

/* VTL 2 is enabled in the partition and on every VP from the beginning, and VPs begin in it. */
struct vmr_hv_vtl2_config {
    const struct vmr_late_map *late_map; /* NULL: VTL 2 sees all of RAM at once. Must last until the build */
};

/*
 * Whose pages the partition's are. In an isolated partition a page of RAM exists
 * for the guest once it was accepted: by the host before the first bind
 * (vmr_partition_accept_initial_pages), or by the guest (AcceptGpaPages). One that
 * is accepted and not shared is none for the host, until the partition is gone:
 * the calls of vmrig/memory.h give VMR_E_GUEST, as for a hole. [VTL-17] What was
 * pinned before stays readable, and so does backing of the embedder's own by the
 * embedder's own pointer: no hypervisor here takes either away.
 */
enum vmr_isolation {
    VMR_ISOLATION_NONE = 0,
    VMR_ISOLATION_VBS, /* kept by the hypervisor. Needs VTL 2, and no alias map */
    VMR_ISOLATION_SNP, /* kept by the processor: no backend here has them */
    VMR_ISOLATION_TDX,
    VMR_ISOLATION_COUNT
};

enum vmr_page_visibility {
    VMR_PAGE_EXCLUSIVE = 0, /* the guest alone, and the hypervisor for it: the calls of vmrig/memory.h refuse */
    VMR_PAGE_SHARED         /* guest and host */
};

struct vmr_initial_pages {
    struct vmr_page_range range;
    enum vmr_page_visibility visibility;
};

VMR_API bool vmr_isolation_is_isolated(enum vmr_isolation isolation);
VMR_API bool vmr_isolation_is_hardware(enum vmr_isolation isolation);
VMR_API uint8_t vmr_isolation_to_hv(enum vmr_isolation isolation); /* HV_PARTITION_ISOLATION_... */
/* False, and nothing written, for a number that is none. */
VMR_API bool vmr_isolation_from_hv(uint8_t hv_isolation, enum vmr_isolation *ret_isolation);

/* --- what a VTL may do with RAM, towards a backend: HV_MAP_GPA_... bits, or --- */

#define VMR_VTL_HOLE 0x80u /* there is no RAM for it: its accesses are MMIO exits */

/* --- for who runs VPs: the run loop, and tests. All on the VP's thread. --- */

struct vmr_hv_guest;
struct vmr_memory_region;

/* With what a VTL begins on a VP. */
struct vmr_hv_initial {
    struct vmr_x86_regs regs; /* the private ones count */
    uint64_t pat;
};

/* How a VP comes into a VTL. */
struct vmr_hv_entry {
    uint8_t vtl;
    bool first; /* the VTL's private registers begin as `initial` */
    struct vmr_hv_initial initial;
};

/* The VTL the VP is in. */
VMR_API uint8_t vmr_hv_guest_vtl(const struct vmr_hv_guest *guest, vmr_vp_index vp);
/*
 * Whether a reset has begun all VTLs anew: the VP is in the one of the call above, with the registers that it has
 * there, and its others keep nothing. The second call says that it has followed.
 */
VMR_API bool vmr_hv_guest_restarted(const struct vmr_hv_guest *guest, vmr_vp_index vp);
VMR_API void vmr_hv_guest_restart_taken(struct vmr_hv_guest *guest, vmr_vp_index vp);
/* After a poll: whether a vector waits for a VTL above the active one. */
VMR_API bool vmr_hv_guest_preempts(struct vmr_hv_guest *guest, vmr_vp_index vp);
/* The same, at a clean point. If so the VP is in that VTL now, and enters it as written. */
VMR_API bool vmr_hv_guest_preempt(struct vmr_hv_guest *guest, vmr_vp_index vp, struct vmr_hv_entry *ret_entry);
/* Above VTL 0: the vector to inject next; the second call says that it was. */
VMR_API bool vmr_hv_guest_vector(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t *ret_vector);
VMR_API void vmr_hv_guest_vector_taken(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vector);

/* A VMR_EXIT_MEMORY_FAULT with VMR_FAULT_VTL. */
struct vmr_hv_fault {
    vmr_vp_index vp;
    uint8_t vtl;
    vmr_gpa gpa;
    uint8_t access_type; /* HV_INTERCEPT_READ, ... */
    const struct vmr_x86_regs *regs;
};

enum vmr_hv_fault_end {
    VMR_HV_FAULT_HALT,      /* nobody can deal with it */
    VMR_HV_FAULT_RETRY,     /* the page is allowed by now: run the instruction again */
    VMR_HV_FAULT_PASS,      /* let the access through, once */
    VMR_HV_FAULT_EXCEPTION, /* raise #GP */
    VMR_HV_FAULT_ENTER      /* a message waits in a higher VTL: enter it as written */
};
/*
 * An access that late mapping forbids goes by its policy. Any other goes to the
 * highest VTL that does not allow it (or, in an isolated partition, for a page
 * that nobody has accepted, to the highest of all), if that has SINT 0 and its
 * message page open and room in its queue; else it is HALT.
 */
VMR_API enum vmr_hv_fault_end vmr_hv_guest_fault(struct vmr_hv_guest *guest, const struct vmr_hv_fault *fault,
                                                 struct vmr_hv_entry *ret_entry);

/* --- for the partition. Any thread. --- */

/* RAM comes and goes: told after the backend has it, and before it loses it. VMR_E_NOMEM, VMR_E_HOST: refuse it. */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_hv_guest_region_added(struct vmr_hv_guest *guest, const struct vmr_memory_region *region, struct vmr_error *err);
VMR_API void vmr_hv_guest_region_removed(struct vmr_hv_guest *guest, const struct vmr_memory_region *region);
/* The backend has the region anew, and knows nothing of what VTLs may do with it. */
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_hv_guest_region_remapped(struct vmr_hv_guest *guest, const struct vmr_memory_region *region, struct vmr_error *err);
/* As the calls of the partition that are named alike. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_accept_initial(struct vmr_hv_guest *guest,
                                                                   const struct vmr_initial_pages *pages, size_t count,
                                                                   struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_modify_page(struct vmr_hv_guest *guest, uint64_t page,
                                                                uint32_t flags, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_map_vtl(struct vmr_hv_guest *guest, uint8_t vtl,
                                                            const struct vmr_page_range *range, bool mapped,
                                                            struct vmr_error *err);
/* Whether the page is RAM that this VTL does not have. */
VMR_API bool vmr_hv_guest_is_hole(struct vmr_hv_guest *guest, uint8_t vtl, vmr_gpa gpa);
/* False: not accepted, or no such page. */
VMR_API bool vmr_hv_guest_page_visibility(struct vmr_hv_guest *guest, vmr_gpa gpa,
                                          enum vmr_page_visibility *ret_visibility);

/* --- registers that a guest asks for by name --- */

/* HV_REGISTER_VSM_...; false: no such register here. `is_64` is the caller's mode. The VP's thread. */
VMR_API bool vmr_hv_guest_vsm_register(struct vmr_hv_guest *guest, vmr_vp_index vp, bool is_64, uint32_t name,
                                       uint64_t *ret_value);

VMR_END_DECLS
