/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The Hyper-V guest interface of a partition: what a guest finds by CPUID,
 * sets up by MSR, and calls through its hypercall page.
 *
 *   vmr_proto_options.hv ──> the proto partition's CPUID table shows the interface
 *                            vmr_proto_build makes a vmr_hv_guest, which the partition owns
 *   VPs run                  the loop gives it the guest's MSR accesses and hypercalls, and polls it
 *   vmr_partition_hv         for ports, messages, the monitor page: vmr_hv_guest_synic
 *
 * It works on every backend. A guest reaches it through the code in its
 * hypercall page: VMCALL where that leaves the hypervisor, elsewhere a one-byte
 * OUT to a port that is the interface's own, which changes no register. A
 * hypervisor with VMR_CAP_HV_OFFLOAD can serve a part of it itself, with fewer
 * exits and less to see: see `offload_enlightenments` below.
 */

#include "vmrig/hv.h"
#include "vmrig/hv_identity.h"
#include "vmrig/irqchip.h"
#include "vmrig/synic.h"
#include "vmrig/vp_state.h"
#include "vmrig/vtl.h"

VMR_BEGIN_DECLS

/* The port of the hypercall page's OUT. Free on a PC; only looked at while the page is enabled. */
#define VMR_HV_PORT 0xeeu

/* What the library has, where the backend and the configuration allow it. */
#define VMR_HV_PRIVILEGES                                                                                              \
    (HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_SYNTHETIC_TIMERS | HV_ACCESS_HYPERCALL_MSRS |           \
     HV_ACCESS_VP_INDEX | HV_ACCESS_RESET | HV_ACCESS_REFERENCE_TSC | HV_ACCESS_FREQUENCY_MSRS | HV_ACCESS_APIC_MSRS | \
     HV_POST_MESSAGES | HV_SIGNAL_EVENTS | HV_ACCESS_VP_REGISTERS | HV_ENABLE_EXTENDED_HYPERCALLS |                    \
     HV_START_VIRTUAL_PROCESSOR | HV_ACCESS_VSM | HV_ISOLATION)

/* A guest that says it has crashed: five words of its choice, and a text that may hold any bytes. */
struct vmr_hv_crash {
    uint64_t parameters[HV_CRASH_PARAMETER_COUNT];
    const char *message; /* not terminated; empty if there is none or it cannot be read */
    size_t length;       /* HV_CRASH_MESSAGE_BYTES_MAX at most */
};

/* Zeroed: all that the library has. */
struct vmr_hv_config {
    /*
     * HV_ACCESS_... bits that this partition does without. What they guard is
     * not in CPUID, its MSRs raise #GP, its hypercalls are refused before their
     * input is looked at.
     */
    uint64_t privileges_off;
    /* Of the guest's TSC, as vmr_handle_tsc_hz has it. 0: unknown, so neither reference TSC page nor frequencies. */
    uint64_t tsc_hz;
    uint64_t apic_hz; /* of the local APIC timer's input; 0: unknown */
    /* On the crashing VP's thread, which goes on afterwards. Optional. */
    void (*crash)(void *context, vmr_vp_index vp, const struct vmr_hv_crash *crash);
    void *context;
    /*
     * VTLs, where the hypervisor has them (VMR_CAP_VTL): without `vtl2` the guest may enable VTL 1; with it, VTL 2 is
     * there from the beginning and VTL 1 may be enabled. Either field, without the capability: VMR_E_UNSUPPORTED.
     */
    const struct vmr_hv_vtl2_config *vtl2; /* must last until the partition is built */
    enum vmr_isolation isolation;
    /*
     * Whether the hypervisor serves its part of the interface itself, where it can (VMR_CAP_HV_OFFLOAD); where it
     * cannot this changes nothing. KVM can, with the local APICs in it. Then the hypercall instruction, signals of flag
     * 0 to ports with events, the reference counter and the timers cost no exit, and the embedder gives up:
     * - every call but posts and signals ends in KVM, which serves what it knows and CPUID offers, and refuses the
     *   rest: no handler in vmr_hv_guest_calls sees it, be it the library's or his own, nor does his exit callback.
     *   CPUID offers what both have, so none of the library's other calls;
     * - a signal of flag 0 to a port with an event signals that event, in the place of `signal`; one that is malformed
     *   KVM refuses by itself, with a status of its own;
     * - nobody sees reads of the counter and timers that expire: a recorder, which must, makes the library serve all;
     * - time stands still for VPs that do not run, and for no others.
     * Posts, other signals, messages, flags and all other registers come to the library either way. [HVO-1] to [HVO-5]
     */
    bool offload_enlightenments;
    /* Told to the hypervisor when the VM is made: host devices may be assigned to the partition. None here has that. */
    bool allow_device_assignment;
};

struct vmr_hv_guest;

/* NULL without an interface. Lives as long as the partition. */
struct vmr_partition;
VMR_API struct vmr_hv_guest *vmr_partition_hv(struct vmr_partition *partition);

VMR_API struct vmr_synic *vmr_hv_guest_synic(struct vmr_hv_guest *guest);
/* Whether the hypervisor serves its part. */
VMR_API bool vmr_hv_guest_is_offloaded(const struct vmr_hv_guest *guest);
/* What the guest may do: HV_ACCESS_... bits. */
VMR_API uint64_t vmr_hv_guest_privileges(const struct vmr_hv_guest *guest);
/* For handlers of an embedder's own; those of the library are in it. VPs stopped. */
VMR_API struct vmr_hv_calls *vmr_hv_guest_calls(struct vmr_hv_guest *guest);
/*
 * Back to power-up, in every VTL, and each VP in the one in which VPs begin; its registers are the embedder's to set.
 * Ports, registrations and reference time stay, as vmr_synic_reset has it. What VTLs
 * protect is free again and late mapping waits again; pages stay accepted. VPs stopped.
 */
VMR_API void vmr_hv_guest_reset(struct vmr_hv_guest *guest);
/*
 * One VTL alone back to power-up: its pages, SynIC and timers. What it protects, the lower VTLs and the reference time
 * stay: a device of a lower VTL must not reach its memory while it starts again. Of the VTL in which VPs begin, they
 * are in it again. VPs stopped.
 */
VMR_API void vmr_hv_guest_scrub(struct vmr_hv_guest *guest, uint8_t vtl);

/*
 * --- for who runs VPs: the run loop, and tests. All on the VP's thread. ---
 */

enum vmr_hv_start_end {
    VMR_HV_START_DONE,    /* it begins, or has begun */
    VMR_HV_START_REFUSED, /* it does not wait for a start-up IPI */
    VMR_HV_START_ASKED    /* its thread has not answered yet: ask again */
};

/* What the interface asks of the partition around it. Called on any thread, with no lock held but for `protect`. */
struct vmr_hv_target {
    /*
     * Raises a vector in a VP's local APIC, for VTL 0: others have none. `auto_eoi`: without its in-service bit, where
     * `has_auto_eoi`.
     */
    void (*interrupt)(void *context, vmr_vp_index vp, uint8_t vector, bool auto_eoi);
    void (*wake)(void *context, vmr_vp_index vp); /* makes it call vmr_hv_guest_poll, soon */
    /* XMM0 to XMM5 of the calling VP, for fast calls with more than two words. Both or neither. False: failed. */
    bool (*get_xmm)(void *context, vmr_vp_index vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT]);
    bool (*set_xmm)(void *context, vmr_vp_index vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT]);
    /*
     * The guest's writes to a page of its RAM exit from now on, its reads are
     * zeros; or no longer. As struct vmr_synic_monitor_ops. Both or neither:
     * without them there are no monitor pages.
     */
    enum vmr_status (*trap_page)(void *context, vmr_gpa gpa, struct vmr_error *err);
    void (*untrap_page)(void *context, vmr_gpa gpa);
    /* A page that nothing else is at, for allocated monitor pages. Optional. */
    enum vmr_status (*free_page)(void *context, vmr_gpa *ret_gpa, struct vmr_error *err);
    /*
     * No VP of `vps` executes another instruction with translations from before
     * this call once it has returned. Optional. The caller's own are forgotten
     * before it enters the guest again.
     */
    void (*flush)(void *context, const struct vmr_hv_vp_set *vps, vmr_vp_index caller);
    /* The VP's TSC now, on its thread; false: failed. NULL: there is no reference TSC page. */
    bool (*tsc)(void *context, vmr_vp_index vp, uint64_t *ret_tsc);
    /* VTLs; NULL: there are none. As vm_protect of vmrig/backend.h; false: failed. */
    bool (*protect)(void *context, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);
    /* Starts a VP that waits for a start-up IPI, on behalf of `caller`. Optional. */
    enum vmr_hv_start_end (*start)(void *context, vmr_vp_index vp, vmr_vp_index caller,
                                   const struct vmr_hv_initial *start);
    /*
     * EOI, ICR and TPR of the calling VP's local APIC, by their synthetic MSRs
     * (HV_MSR_EOI to HV_MSR_TPR). Both or neither: without them the MSRs are not
     * there.
     */
    enum vmr_msr_result (*apic_read)(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value);
    enum vmr_msr_result (*apic_write)(void *context, vmr_vp_index vp, uint32_t index, uint64_t value);
    bool (*msi)(void *context, const struct vmr_msi *msi); /* false: nobody takes it. Optional */
    /*
     * Where the hypervisor serves a part of the interface itself, as vmrig/backend_hv.h has it; NULL: all is here.
     * Guests have then what both offer, and the calls that the hypervisor knows. set_register may be called under a
     * lock of the interface: it calls nothing of it.
     */
    const struct vmr_synic_offload *offload;
    struct vmr_hv_own own; /* with `offload` */
    /*
     * With `offload`, optional: a signal of flag 0 on a connection signals an event of the host's. VMR_E_UNSUPPORTED:
     * not on this one. Any thread.
     */
    enum vmr_status (*bind_event)(void *context, uint32_t connection_id, int os_event, bool add);
    bool has_auto_eoi;
    bool has_hypercall_exit; /* VMCALL reaches user space */
    uint64_t cr4;            /* the bits of CR4 that the guest's processor has; 0: VME to OSXMMEXCPT */
    uint8_t physical_bits;   /* of a guest address; 0: VMR_PHYSICAL_BITS_MAX */
    void *context;
};

struct vmr_hv_guest_options {
    const struct vmr_host *host;
    struct vmr_memory *memory;
    uint32_t vp_count;
    struct vmr_hv_config config;
    struct vmr_hv_target target;
};

/* The highest VTL that such a guest may enter; 0: it has no others. */
VMR_API uint8_t vmr_hv_vtl_highest(const struct vmr_hv_config *config, const struct vmr_hv_target *target);
/* What a guest with these options may do. */
VMR_API uint64_t vmr_hv_privileges(const struct vmr_hv_config *config, const struct vmr_hv_target *target);
/* The leaves from HV_CPUID_VENDOR on: EAX, EBX, ECX, EDX of leaf `index`; false behind the last. */
struct vmr_hv_leaf {
    uint32_t eax, ebx, ecx, edx;
};
VMR_API bool vmr_hv_leaf_at(const struct vmr_hv_guest_options *options, uint32_t index, struct vmr_hv_leaf *ret_leaf);

VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_guest_create(const struct vmr_hv_guest_options *options,
                                                           struct vmr_hv_guest **ret_guest, struct vmr_error *err);
VMR_API void vmr_hv_guest_destroy(struct vmr_hv_guest *guest); /* NULL is fine. VPs stopped. */

/* VMR_MSR_NOT_MINE outside HV_MSR_FIRST and the HV_MSR_COUNT that follow; inside, what is not there is a fault. */
VMR_API enum vmr_msr_result vmr_hv_guest_msr_read(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl,
                                                  uint32_t index, uint64_t *ret_value);
/* Afterwards the VP polls, and asks whether a reset was requested. */
VMR_API enum vmr_msr_result vmr_hv_guest_msr_write(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl,
                                                   uint32_t index, uint64_t guest_value);
/* As vmr_synic_poll. */
VMR_API uint64_t vmr_hv_guest_poll(struct vmr_hv_guest *guest, vmr_vp_index vp, uint64_t now_ns);
/* As vmr_synic_waits. */
VMR_API bool vmr_hv_guest_waits(struct vmr_hv_guest *guest, vmr_vp_index vp);
/* Whether the guest asked for a reset since the last time this was asked. Any thread. */
VMR_API bool vmr_hv_guest_take_reset(struct vmr_hv_guest *guest);

/* Whether a hypercall instruction, or an OUT to VMR_HV_PORT, at `vtl` is a call to this interface now. */
VMR_API bool vmr_hv_guest_is_calling(const struct vmr_hv_guest *guest, uint8_t vtl);

/* A hypercall under way, at a clean point. */
struct vmr_hv_site {
    vmr_vp_index vp;
    uint8_t vtl;
    uint8_t instruction_length; /* of what was executed; rip is behind it */
    struct vmr_x86_regs *regs;  /* in and out */
    struct vmr_hv_entry entry;  /* out: of a VTL switch */
};

enum vmr_hv_site_end {
    VMR_HV_SITE_SERVED,    /* write `regs` back, and go on */
    VMR_HV_SITE_UNDEFINED, /* write `regs` back, and raise #UD */
    VMR_HV_SITE_SWITCHED,  /* write `regs` back, and enter the VTL of `entry` */
    VMR_HV_SITE_FAILED     /* a register could not be read or written, or a handler broke its contract */
};
/* One call: by the mode of `regs` a 64-bit or a 32-bit one; from outside ring 0 or from real mode it is undefined. */
VMR_API enum vmr_hv_site_end vmr_hv_guest_call(struct vmr_hv_guest *guest, struct vmr_hv_site *site);

VMR_END_DECLS
