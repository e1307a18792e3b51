/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of the Hyper-V guest interface in classes (vmrig/x86_state.h), and
 * the way to it for who holds an interface: vmr_vp_state_get and its like
 * (vmrig/state_access.h) lead here.
 *
 * Guest RAM is restored first, with what the pages of the interface hold in it.
 * So a register that places a page places it over what is there: nothing is
 * copied, and the place need not be RAM, as when its region was removed. A
 * page's content is written only where it differs. [HVS-2]
 */

#include "vmrig/hv_guest.h"
#include "vmrig/limits.h"
#include "vmrig/x86_state.h"

VMR_BEGIN_DECLS

/* --- of a VP --- */

#define VMR_HV_VECTOR_WORDS 4u

/* VMR_VP_VTLS. Sets of VTLs have bit n for VTL n. */
struct vmr_hv_vp_vtls_state {
    uint8_t active; /* in which the VP is */
    uint8_t enabled, entered;
    uint64_t vectors[VMR_VTL_COUNT * VMR_HV_VECTOR_WORDS]; /* that wait, of each VTL in turn; of VTL 0 none */
    struct vmr_hv_initial initial[VMR_VTL_COUNT];          /* of VTLs that are enabled and were not entered */
};

/* VMR_VP_ASSIST: of each VTL */
struct vmr_hv_assist_state {
    uint64_t value; /* of the register */
    uint8_t content[VMR_PAGE_SIZE];
};

/* VMR_VP_CRASH */
struct vmr_hv_crash_state {
    uint64_t parameters[HV_CRASH_PARAMETER_COUNT];
};

/* VMR_VP_SYNIC: of each VTL */
struct vmr_hv_synic_state {
    uint64_t scontrol, siefp, simp;
    uint64_t sints[HV_SINT_COUNT];
};

/* VMR_VP_SIMP, VMR_VP_SIEFP: of each VTL. Zeroes while the page lies where no RAM is. */
struct vmr_hv_page_state {
    uint8_t content[VMR_PAGE_SIZE];
};

/* VMR_VP_MESSAGE_QUEUE: of each SINT of each VTL. What is there is delivered as if it had just been posted. [HVS-3]
 * What lies behind `count` messages is no part of it, and is not written. */
struct vmr_hv_queue_state {
    uint32_t count;
    uint8_t messages[VMR_SYNIC_QUEUE_MAX * HV_MESSAGE_BYTES]; /* as in a slot, oldest first */
};

/*
 * VMR_VP_STIMERS: of each VTL. A timer is armed if it is enabled and has a
 * count, unless it has changed: then it is armed at the VP's next entry. What a
 * hypervisor that serves the timers does not tell is when a periodic one is due:
 * all of its timers have changed, and such a one begins its period anew. [HVS-4]
 */
struct vmr_hv_stimer_state {
    uint64_t config, count;
    uint64_t due; /* reference time, while armed; of a timer that is not periodic its count */
    bool changed;
    bool stalled; /* armed and due, but its message found no room */
};
struct vmr_hv_stimers_state {
    struct vmr_hv_stimer_state timers[HV_STIMER_COUNT];
};

/* --- of a partition --- */

/* VMR_VM_HYPERCALL. The page has no content of its own: code for another hypervisor is written anew. */
struct vmr_hv_hypercall_state {
    uint64_t os_id[VMR_VTL_COUNT], hypercall[VMR_VTL_COUNT]; /* the registers, by VTL */
};

/* VMR_VM_REFERENCE_TIME */
struct vmr_hv_time_state {
    uint64_t count;
};

/*
 * VMR_VM_REFERENCE_TSC. Once set, the page has another sequence from the next entry of any VP on, unless what it says
 * is what would be written.
 */
struct vmr_hv_tsc_state {
    uint64_t value;    /* of the register */
    uint32_t sequence; /* the last that was used; 0: none, or the hypervisor counts them */
    uint8_t content[VMR_PAGE_SIZE];
};

/* VMR_VM_VTLS */
struct vmr_hv_vtls_state {
    uint8_t enabled;
    bool late; /* late mapping is not over */
};

#define VMR_HV_CHUNK_PAGES 4096u

/*
 * VMR_VM_VTL_PAGES: a word for each page; 0 for what is no RAM. Bits 0 to 11:
 * HV_MAP_GPA_... that VTL 1 denies VTL 0, VTL 2 denies VTL 0, VTL 2 denies VTL
 * 1. Bits 12 to 14: not in the map of VTL n. Bit 15: accepted, 16: and shared.
 */
struct vmr_hv_pages_state {
    uint32_t flags[VMR_HV_CHUNK_PAGES];
};

/* VMR_VM_MONITOR */
struct vmr_hv_monitor_state {
    bool has_page, allocated;
    vmr_gpa gpa; /* 0: none */
};

/* VMR_VM_DEVICE_INTERRUPT: set where one is mapped for the same device. */
struct vmr_hv_device_interrupt_state {
    uint64_t device_id;
    uint8_t vector;
    bool multicast;
    uint64_t vps[HV_VP_SET_BANK_COUNT]; /* bit n of word m: VP 64 m + n, of those there are */
};

/*
 * --- for who runs VPs and for tests: the classes of an interface. Of a VP: its
 * thread. Of a partition: VPs stopped. ---
 */

/* Which of them there are: 1 << enum vmr_vp_class, 1 << enum vmr_vm_class. */
VMR_API uint64_t vmr_hv_guest_vp_classes(const struct vmr_hv_guest *guest);
VMR_API uint64_t vmr_hv_guest_vm_classes(const struct vmr_hv_guest *guest);
/* How many instances a class of a VP has. */
VMR_API uint32_t vmr_hv_vp_class_instances(enum vmr_vp_class vp_class);
/* The first instance of a class of the partition at or behind *instance; false: none. */
VMR_API bool vmr_hv_guest_next_instance(struct vmr_hv_guest *guest, enum vmr_vm_class vm_class, uint32_t *instance);

/*
 * The id is there. As vmr_vp_state_get and its like. A VP into which VTLS were
 * set is in its active VTL as far as the interface knows: taking the hypervisor
 * there is the caller's.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_vp_state_get(struct vmr_hv_guest *guest, vmr_vp_index vp,
                                                                 const struct vmr_state_id *id, void *ret_value,
                                                                 struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_vp_state_set(struct vmr_hv_guest *guest, vmr_vp_index vp,
                                                                 const struct vmr_state_id *id, const void *value,
                                                                 struct vmr_error *err);
VMR_API void vmr_hv_guest_vp_state_at_reset(const struct vmr_hv_guest *guest, const struct vmr_state_id *id,
                                            void *ret_value);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_state_get(struct vmr_hv_guest *guest, const struct vmr_state_id *id,
                                                              void *ret_value, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_state_set(struct vmr_hv_guest *guest, const struct vmr_state_id *id,
                                                              const void *value, struct vmr_error *err);
VMR_API void vmr_hv_guest_state_at_reset(struct vmr_hv_guest *guest, const struct vmr_state_id *id, void *ret_value);

VMR_END_DECLS
