/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a hypervisor implements.
 *
 * A backend is a const struct of operations. The core allocates and zeroes the
 * backend's part of each object, checks state, arguments and thread once, and
 * only then calls; a backend checks none of it again. An operation may be NULL
 * only where its comment ties it to a capability bit or says "optional"; a test
 * walks every backend and checks that the two agree.
 *
 *   open ─> vm_create ─> vp_create (index order) ─> vm_map ...
 *             ┌───────────────────────────────────────┘
 *             └> vp_bind ─> { vp_enter ─> { vp_run | vp_complete }* ─> vp_leave }* ─> vp_unbind
 *                ─> vp_destroy (reverse order) ─> vm_destroy
 *
 * A hypervisor that runs its VPs itself has the same operations, called on its own
 * threads, and those of vmrig/backend_managed.h.
 *
 * Backends that wrap another (recorder, fault injector) are backends like any
 * other; their handle's context holds the inner handle.
 */

#include "vmrig/async.h"
#include "vmrig/bus.h"
#include "vmrig/caps.h"
#include "vmrig/dirty.h"
#include "vmrig/exit.h"
#include "vmrig/host.h"
#include "vmrig/hv.h"
#include "vmrig/memory.h"
#include "vmrig/probe.h"
#include "vmrig/vp_state.h"
#include "vmrig/vtl.h"

VMR_BEGIN_DECLS

/* Incomplete on purpose: each backend converts to its own type in one place. */
struct vmr_backend_vm;
struct vmr_backend_vp;
struct vmr_backend_hv;
struct vmr_backend_state;

struct vmr_cpuid_entry {
    uint32_t leaf, subleaf;
    bool match_subleaf;
    uint32_t eax, ebx, ecx, edx;
};

/* MSR indices [first, first + count) that must exit instead of being handled in the hypervisor. */
struct vmr_msr_range {
    uint32_t first, count;
};

/* Everything a backend is told at build; valid during vm_create only, but for host and memory. */
struct vmr_vm_config {
    const struct vmr_host *host;
    struct vmr_memory *memory;
    uint32_t vp_count;
    enum vmr_irqchip irqchip;
    const struct vmr_cpuid_entry *cpuid; /* the whole table the guest will see */
    size_t cpuid_count;
    const struct vmr_msr_range *msr_exits;
    size_t msr_exit_count;
    /* VMR_CAP_VTL */
    uint8_t vtl_highest;          /* that may be entered; 0: the VM has no VTLs, and what follows is 0 as well */
    uint8_t vtl_first;            /* in which VPs begin */
    uint64_t vtl0_alias_map;      /* a power of two, or 0: see struct vmr_partition_options */
    bool allow_device_assignment; /* see struct vmr_hv_config */
    bool hv_offload;              /* VMR_CAP_HV_OFFLOAD: the guest gets it, see vmrig/backend_hv.h */
};

/* Where the reached point of a kick matters: the seams of a run, in order. Tests hook them. [RUN-12] */
enum vmr_run_seam {
    VMR_SEAM_BEFORE_CHECK,   /* the loop has not looked at the requests */
    VMR_SEAM_AFTER_CHECK,    /* it has, and saw none */
    VMR_SEAM_BEFORE_PUBLISH, /* it has looked for the last time; whoever asks now kicks, and the backend is not in yet
                              */
    VMR_SEAM_BEFORE_ENTRY,   /* the backend is about to enter the guest; nothing but the entry is left */
    /*
     * The guest runs. Only a backend that interprets the guest passes here: inside a
     * processor there is nobody to call a hook, and a test knows that the guest is in
     * by its progress in RAM, and asks from another thread.
     */
    VMR_SEAM_IN_GUEST,
    VMR_SEAM_AFTER_EXIT, /* the guest has left, nobody has noticed yet */
    VMR_SEAM_COUNT
};

/* Why the loop leaves a VP: passed to vp_leave. */
enum vmr_leave {
    VMR_LEAVE_HALT,  /* a halt reason other than stop or cancel */
    VMR_LEAVE_STOP,  /* a stop was seen */
    VMR_LEAVE_KICK,  /* a kick was consumed, or kept a step from the guest */
    VMR_LEAVE_YIELD, /* a yield was consumed */
    VMR_LEAVE_STEP,  /* one step, its completion or its dispatch is over: see vmr_vp_step */
    VMR_LEAVE_COUNT
};

#define VMR_BACKEND_ABI 1u /* what makes it a new number: vmrig/backend_plugin.h */

#define VMR_BACKEND_EXPLICIT_ONLY 1u /* never chosen by vmr_probe_auto */
#define VMR_BACKEND_REPLAYS 2u       /* brings asynchronous requests and timer wakes itself: the core adds none */
#define VMR_BACKEND_PROBE_ONLY 4u    /* known by name: `open` never succeeds, every other operation is NULL */
#define VMR_BACKEND_RECORDS 8u       /* tells its state, and takes none: what is set would be in no recording */
#define VMR_BACKEND_HOST_EVENTS 16u  /* irqfds and doorbells use the host's events: a host without has neither */

struct vmr_backend {
    uint32_t abi; /* VMR_BACKEND_ABI */
    uint32_t flags;
    /*
     * Optional: the table that this one is a copy of, with some operations replaced that call on to it, and objects
     * that are its own; so what is made from this one has its native face as well. For what is wrapped around one
     * operation: tests, counters, a hypervisor broken on purpose.
     */
    const struct vmr_backend *base;
    const char *name;
    const char *description;          /* one line */
    const struct vmr_param_key *keys; /* the keys `open` takes; ends with a NULL name */
    size_t vm_size, vp_size;          /* the core allocates and zeroes these */

    /*
     * Parameters are known to be in `keys` and unique; values are not checked
     * yet: VMR_E_CONFIG for a bad one, before the machine is looked at. `fd` is
     * -1, or a descriptor of the caller's to use instead of opening. Absent is
     * VMR_E_UNAVAILABLE; there but not to be opened is VMR_E_HOST.
     */
    enum vmr_status (*open)(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                            struct vmr_error *err);
    /* What `handle` can do; may ask the hypervisor. */
    enum vmr_status (*caps)(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                            struct vmr_error *err);
    /*
     * The CPUID table a guest sees by default: fills at most `capacity`, sets
     * the count. Optional: NULL means an empty table.
     */
    enum vmr_status (*cpuid)(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries,
                             size_t capacity, size_t *ret_count, struct vmr_error *err);

    /* How fast guests' TSCs run, in Hz; 0: not known. Optional. */
    uint64_t (*tsc_hz)(const struct vmr_hypervisor_handle *handle);

    /* VPs stopped (there are none). On failure vm_destroy is called on what is there. */
    enum vmr_status (*vm_create)(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                                 const struct vmr_vm_config *config, struct vmr_error *err);
    void (*vm_destroy)(struct vmr_backend_vm *vm); /* accepts a zeroed and a half-created one */
    /* In index order, all before any bind: the order is what makes VP index and hypervisor index agree. [LIFE-3] */
    enum vmr_status (*vp_create)(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                                 struct vmr_error *err);
    void (*vp_destroy)(struct vmr_backend_vp *vp); /* accepts a zeroed and a half-created one */

    /*
     * The region may be used until vm_unmap returns. `slot` is below VMR_BACKEND_SLOT_MAX, and seldom the lowest that
     * is free. Any thread, VPs may run.
     */
    enum vmr_status (*vm_map)(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                              struct vmr_error *err);
    void (*vm_unmap)(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region);
    /*
     * VMR_CAP_VTL: what `vtl` may do with [gpa, gpa + size), pages that are mapped: HV_MAP_GPA_... bits, or
     * VMR_VTL_HOLE. What it may not is VMR_EXIT_MEMORY_FAULT with VMR_FAULT_VTL. RAM begins with everything allowed,
     * and forgets when it is unmapped. No VP does it otherwise any more when this returns. Any thread, VPs may run.
     */
    enum vmr_status (*vm_protect)(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);
    /*
     * VMR_CAP_DIRTY_LOG: from when this returns until it is turned off, which does not fail, each page of RAM that the
     * guest, its processors or the hypervisor write is remembered, also of what is mapped meanwhile; all begin clean.
     * Turned on while off and off while on. Never at the same time as vm_map, vm_unmap or vm_dirty_take. Any thread,
     * VPs may run. [DIRTY-5]
     */
    enum vmr_status (*vm_dirty_log)(struct vmr_backend_vm *vm, bool on, struct vmr_error *err);
    /*
     * VMR_CAP_DIRTY_LOG: gives the pages that were written and forgets that they were; a write that is over when this
     * is called is in it, and one that comes later is remembered again. What fails has given what it has
     * forgotten. Never at the same time as another one. Any thread, VPs may run. [DIRTY-1]
     */
    enum vmr_status (*vm_dirty_take)(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                     struct vmr_error *err);

    /* The VP's thread from here to vp_unbind. */
    enum vmr_status (*vp_bind)(struct vmr_backend_vp *vp, struct vmr_error *err);
    void (*vp_unbind)(struct vmr_backend_vp *vp);
    /* Optional pair around one vmr_vp_run: what a kick needs to find the thread. */
    void (*vp_enter)(struct vmr_backend_vp *vp);
    void (*vp_leave)(struct vmr_backend_vp *vp, enum vmr_leave why);
    /*
     * One step. `vp_exit` holds the exit before, with its answer, which is
     * consumed first; then the guest runs until the next exit, which replaces
     * it. Being interrupted (EINTR, EAGAIN) is VMR_EXIT_CANCEL, never an old
     * exit again. A host call that fails is VMR_EXIT_FAIL with VMR_FAIL_HOST.
     * Returns nothing: whatever happens is an exit. [RUN-9]
     */
    void (*vp_run)(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
    /*
     * Consumes the answer without running the guest. Leaves VMR_EXIT_NONE when
     * the instruction is finished, or a further exit of the same instruction.
     * A hypercall that comes back as VMR_EXIT_NONE has no answer, and changes no register.
     * Optional: NULL where an answer is complete once given. [EXIT-6]
     */
    void (*vp_complete)(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
    /*
     * Makes the vp_run in progress, or the next one, return soon. Only called
     * between vp_enter and vp_leave; any thread. Never lost. [RUN-3]
     */
    void (*vp_kick)(struct vmr_backend_vp *vp);

    /* The VP's thread, at a clean point. */
    enum vmr_status (*vp_get_regs)(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs);
    enum vmr_status (*vp_set_regs)(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs);
    /* VMR_E_GUEST: no such MSR, or the value is refused. The TSC (0x10) is also read while an exit is pending. */
    enum vmr_status (*vp_get_msr)(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value);
    enum vmr_status (*vp_set_msr)(struct vmr_backend_vp *vp, uint32_t index, uint64_t value);
    /* VMR_CAP_XMM: XMM0 to XMM5, what fast hypercalls use; the other vector registers stay as they are. */
    enum vmr_status (*vp_get_xmm)(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT]);
    enum vmr_status (*vp_set_xmm)(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT]);
    /* VMR_CAP_FLUSH: before it runs on, the VP forgets what it knows of the guest's page tables. */
    enum vmr_status (*vp_flush)(struct vmr_backend_vp *vp);
    /*
     * VMR_CAP_EXCEPTION: the guest takes a fault without an error code (#UD), or,
     * with VMR_CAP_VTL, #GP with error code 0, before its next instruction, at
     * the instruction pointer that it has now.
     */
    enum vmr_status (*vp_exception)(struct vmr_backend_vp *vp, uint8_t vector);
    /*
     * VMR_CAP_VTL, the VP's thread, at a clean point: the VP goes on in `vtl`. Instruction and stack pointer, RFLAGS,
     * segments, tables, CR0, CR3, CR4, CR8, EFER and the MSRs that the specification calls private (TLFS, Private
     * State) are each VTL's own and become those of `vtl`, or, at its first entry, `initial`; all else is shared.
     */
    enum vmr_status (*vp_switch_vtl)(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial);
    /* VMR_CAP_VTL: the access of the last VMR_EXIT_MEMORY_FAULT is done once, whatever vm_protect has said. */
    enum vmr_status (*vp_pass_fault)(struct vmr_backend_vp *vp);
    /* VMR_CAP_IRQCHIP_SPLIT or VMR_CAP_IRQCHIP_KERNEL: only called when local APICs are in the hypervisor. */
    enum vmr_status (*vp_get_activity)(struct vmr_backend_vp *vp, enum vmr_activity *ret_activity);
    enum vmr_status (*vp_set_activity)(struct vmr_backend_vp *vp, enum vmr_activity activity);
    /* VMR_CAP_SINGLE_STEP or VMR_CAP_HW_BREAKPOINT */
    enum vmr_status (*vp_set_debug)(struct vmr_backend_vp *vp, const struct vmr_debug_state *state);

    /*
     * With VMR_IRQCHIP_USER and, for external interrupts of the library's PIC,
     * VMR_IRQCHIP_SPLIT. The VP's thread.
     */
    enum vmr_status (*vp_interrupt)(struct vmr_backend_vp *vp, uint8_t vector); /* only when interrupt_ready */
    enum vmr_status (*vp_nmi)(struct vmr_backend_vp *vp);
    void (*vp_request_window)(struct vmr_backend_vp *vp, bool wanted); /* exit when interrupt_ready becomes true */
    void (*vp_set_tpr)(struct vmr_backend_vp *vp, uint8_t tpr);        /* VMR_IRQCHIP_USER */

    /* With VMR_CAP_IRQCHIP_KERNEL. Any thread. */
    enum vmr_status (*vm_irq)(struct vmr_backend_vm *vm, uint32_t gsi, bool level);
    /* VMR_CAP_IRQCHIP_KERNEL: pulses a local interrupt pin. Any thread. */
    enum vmr_status (*vm_lint)(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint);
    /* VMR_CAP_MSI. Any thread. VMR_E_GUEST: no local APIC takes it. */
    enum vmr_status (*vm_msi)(struct vmr_backend_vm *vm, const struct vmr_msi *msi);
    /*
     * VMR_CAP_MSI: what raising `gsi` delivers; NULL: nothing. With
     * VMR_IRQCHIP_SPLIT this is how the library's IO-APIC tells the hypervisor
     * which vectors end in an EOI exit. Any thread.
     */
    enum vmr_status (*vm_set_route)(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi);
    /*
     * VMR_CAP_IRQFD: `add` or take away. VMR_E_CONFIG: `fd` raises a line already; VMR_E_USAGE: `fd` is no event.
     * Nothing is watched once it is taken away, and when the first VP is destroyed. Any thread.
     */
    enum vmr_status (*vm_irqfd)(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add);
    /*
     * VMR_CAP_DOORBELL: a write that matches signals `fd`. VMR_E_CONFIG: one that the same write would ring is there;
     * VMR_E_USAGE: there is none to take away. Nothing is signalled once it is taken away. Any thread.
     */
    enum vmr_status (*vm_doorbell)(struct vmr_backend_vm *vm, bool port_space, const struct vmr_doorbell *doorbell,
                                   int fd, bool add);
    const struct vmr_backend_hv *hv;       /* VMR_CAP_HV_OFFLOAD: vmrig/backend_hv.h */
    const struct vmr_backend_state *state; /* what the capabilities' classes are reached by: vmrig/backend_state.h */
    const struct vmr_backend_managed *managed; /* VMR_CAP_MANAGED: vmrig/backend_managed.h */

    /* Optional pair, for recorders: between them something from outside changes the library's state. Any thread. */
    void (*vm_async_begin)(struct vmr_backend_vm *vm, const struct vmr_async *request);
    void (*vm_async_end)(struct vmr_backend_vm *vm);
    /*
     * Optional, for recorders, in whose partitions library code of one thread runs at a time: returns once `is_over`
     * says so, which other threads bring about, with library code of theirs. The caller holds no lock that these want.
     * False: it will never be, as a host that knows all its threads has found out. Any thread.
     */
    bool (*vm_wait)(struct vmr_backend_vm *vm, bool (*is_over)(void *context), void *context);
    /* Optional, for recorders: `bytes`, one or more, leave the machine: vmr_partition_output. Any thread. [TRC-6] */
    void (*vm_output)(struct vmr_backend_vm *vm, uint32_t stream, const uint8_t *bytes, size_t length);
    /* Optional, for tests: called at each seam the backend passes. VPs stopped. */
    void (*vm_set_seam_hook)(struct vmr_backend_vm *vm,
                             void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context);
    /* Optional: what the backend's own header documents; for vmr_partition_native. */
    void *(*vm_native)(struct vmr_backend_vm *vm);

    /*
     * Optional, for reports: what the hypervisor says of itself beyond the capabilities. Gives the name of fact
     * `index`, in the hypervisor's own words and static, and its value; NULL after the last. Any thread.
     */
    const char *(*fact)(const struct vmr_hypervisor_handle *handle, size_t index, uint64_t *ret_value);
};

VMR_END_DECLS
