/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The partition and its VPs, as lib/partition and lib/run see them.
 *
 * Ownership: the partition owns the backend's VM and every VP; it borrows the
 * handle, the host, the memory and the interrupt controllers. `lock` guards
 * binding and attaching. Each VP's `kick_lock` makes a kick and the end of a run
 * exclude each other, so that the backend is kicked only between vp_enter and
 * vp_leave; it is taken inside a stop source's lock and never around a callback.
 */

#include "lib/base/sync.h"
#include "vmrig/partition.h"
#include "vmrig/hv_guest.h"
#include "vmrig/run.h"
#include "vmrig/state_access.h"

/* What other threads ask of a VP: bits of vmr_vp.requests. */
#define REQUEST_STOP 1u    /* look at the stop source */
#define REQUEST_KICK 2u    /* consumed by one run */
#define REQUEST_YIELD 4u   /* consumed by one run */
#define REQUEST_WAKE 8u    /* ask the interrupt controllers again */
#define REQUEST_HOLD 32u   /* stay out of the guest until the holder is done: hold.h */
#define REQUEST_FLUSH 64u  /* forget translations before the next entry */
#define REQUEST_START 128u /* look at the start that is asked for: start.h */
#define REQUEST_NMI 16u    /* inject one, where no controller does */

/* Where the VP's thread is: what it takes to get its attention. */
enum vp_place {
    PLACE_OUT,    /* in no run: the request waits for the next one */
    PLACE_LOOP,   /* in the loop: it looks before it enters the guest */
    PLACE_GUEST,  /* in the guest, or about to be: the backend must kick */
    PLACE_PARKED, /* in a run, asleep in HLT or a vmr_stop_wait, or about to be: unpark */
    PLACE_WAITING /* in a vmr_stop_wait, in no run: a stop and a wake unpark, the rest waits for the next run */
};

struct vmr_vp {
    struct vmr_partition *partition;
    struct vmr_backend_vp *backend_vp;
    vmr_vp_index index;
    _Atomic uint32_t state; /* enum vp_state of lifecycle.h */
    bool was_bound;
    bool phase_done; /* it has had its part of the reset that is under way; under the partition's lock */

    _Atomic uint32_t start_state; /* start.h */
    struct vmr_hv_initial start;  /* while one is asked for */

    _Atomic uint32_t requests;
    _Atomic uint32_t place;
    struct sync_mutex kick_lock;
    struct vmr_parker *parker;

    /* From here on: the VP's thread alone. */
    struct vmr_exit exit; /* the last exit; with its answer, until the backend has consumed it */
    bool exit_pending;
    bool interrupt_ready; /* the last exit said so, and nothing was injected since */
    bool recheck;         /* ask the interrupt controllers before the next entry */
    bool window_requested;
    vmr_vp_index starts; /* 1 + the VP whose start it has asked for; 0: none */
    bool start_due;      /* a start was asked for: look at it once the interrupt controllers have been asked */
    bool reset_due;      /* the guest asked the Hyper-V interface for it */
    bool hv_waits;       /* something of the Hyper-V interface waits for the guest: look after each exit */
    uint8_t vtl;         /* in which it is */
    uint8_t vtl0_tpr;    /* `guest_tpr` while it is in another */
    enum vmr_activity vtl_activity[VMR_VTL_COUNT]; /* of those in which it is not */
    uint8_t tpr;                                   /* what the backend was last told, or the controllers were */
    uint8_t guest_tpr;                             /* what the last exit said: the guest may have changed it */
    enum vmr_activity activity;
    struct vmr_debug_state debug; /* what the backend was last told */
    uint64_t deadline_ns;         /* the controllers' next timer */
};

/* Told on the VP's thread when a VP's next timer moves: clock.h. */
struct vp_clock;
struct partition_clock {
    void (*deadline)(void *context, vmr_vp_index vp, uint64_t deadline_ns);
    void *context;
};

/* A page of RAM whose writes exit: the region it lies in is mapped in pieces around it. */
struct page_trap {
    bool set;
    vmr_gpa gpa;
    void *zeros; /* what the guest reads there */
};

/* A doorbell that the hypervisor has: for who looks. */
struct kept_doorbell {
    enum vmr_bus_space space;
    struct vmr_doorbell doorbell;
    int fd;
};

struct vmr_partition {
    const struct vmr_host *host;
    const struct vmr_backend *backend;
    struct vmr_hypervisor_handle handle; /* a copy; never closed here */
    struct vmr_caps caps;
    struct vmr_memory *memory;
    bool listening;
    struct vmr_backend_vm *backend_vm;
    uint32_t vp_count;
    struct vmr_vp *vps;
    struct sync_mutex lock;
    _Atomic uint32_t held; /* hold.h */
    struct page_trap trap; /* trap.h; under guest memory's lock of changes */
    /* reset.h: the phase is read anywhere, the rest is under `lock` */
    _Atomic uint32_t phase; /* enum reset_phase */
    _Atomic uint32_t ran;   /* VTLs whose software may have run since their last reset or scrub, a bit each */
    bool phase_busy;        /* the partition's own part is under way */
    bool phase_failed;      /* a VP's part has */
    bool restoring;         /* between vmr_partition_restore_begin and _end */
    uint8_t phase_vtl;      /* that is scrubbed */
    uint32_t phase_due;     /* VPs that have their part before them */
    uint32_t bound_count;
    struct kept_doorbell *doorbells; /* under `lock` */
    size_t doorbell_count, doorbell_capacity;
    bool bound_once;
    bool managed_taken; /* a VP set has its hypervisor run the VPs; under `lock` */
    const struct vmr_irqchip_ops *chip_ops;
    void *chip;
    struct vmr_hv_guest *hv;               /* owned; NULL: none */
    uint8_t vtl_first;                     /* in which VPs begin */
    uint8_t vtl_highest;                   /* that may be entered */
    uint64_t vp_classes;                   /* that are there: 1 << enum vmr_vp_class */
    uint64_t vm_classes;                   /* 1 << enum vmr_vm_class */
    uint64_t hv_vp_classes, hv_vm_classes; /* of those, the Hyper-V interface's */
    uint32_t cpuid_1_eax;
    uint64_t vtl0_alias_map;
    struct partition_clock clock;
    struct vp_clock *own_clock; /* NULL: a VP set brings one, or nobody */
    struct vmr_input_sink input;
    void (*seam_hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam);
    void *seam_context;
};

/* Whether the hypervisor runs the VPs itself: nobody but a VP set may use the two calls below. [MGD-2] */
static inline bool partition_is_managed(const struct vmr_partition *partition)
{
    return vmr_caps_have(&partition->caps, VMR_CAP_MANAGED);
}
/* As vmr_partition_bind and vmr_vp_unbind, whoever runs the VPs. */
enum vmr_status vp_bind(struct vmr_partition *partition, vmr_vp_index index, struct vmr_vp **ret_vp,
                        struct vmr_error *err);
void vp_unbind(struct vmr_vp *vp);

/* Whether the VP may be looked into: bound, and at a clean point. [EXIT-6] */
enum vmr_status vp_check_access(struct vmr_vp *vp);
/* An interrupt is injected only while the guest has them on, which new registers or a new activity may change. */
void vp_note_flags(struct vmr_vp *vp, uint64_t rflags);

/* --- state.c, and reset.c --- */

/* Which classes the partition's VPs have, and what their power-up depends on. */
void partition_find_classes(struct vmr_partition *partition, const struct vmr_cpuid_entry *cpuid, size_t count);
/* Those of the Hyper-V interface too, once there is one. Its own reset does them. */
void partition_add_hv_classes(struct vmr_partition *partition);
static inline bool vp_state_is_hv(const struct vmr_vp *vp, const struct vmr_state_id *id)
{
    return (vp->partition->hv_vp_classes >> id->state_class & 1) != 0;
}
static inline bool vm_state_is_hv(const struct vmr_partition *partition, const struct vmr_state_id *id)
{
    return (partition->hv_vm_classes >> id->state_class & 1) != 0;
}
/* As vmr_vp_state_get and vmr_vp_state_set, of a state that is there, and of a VP that may be looked into. */
enum vmr_status vp_get_state(struct vmr_vp *vp, const struct vmr_state_id *id, void *ret_value, struct vmr_error *err);
enum vmr_status vp_set_state(struct vmr_vp *vp, const struct vmr_state_id *id, const void *value,
                             struct vmr_error *err);

/* A message to the local APICs, wherever they are; no recorder hears of it. As vmr_partition_msi. */
enum vmr_status partition_deliver_msi(struct vmr_partition *partition, const struct vmr_msi *msi);

struct vmr_proto {
    const struct vmr_host *host;
    struct vmr_hypervisor_handle handle;
    struct vmr_caps caps;
    uint32_t vp_count;
    bool has_hv;
    struct vmr_hv_config hv;
    struct vmr_hv_own hv_own; /* with proto_offloads_hv */
    size_t cpuid_count;
    struct vmr_cpuid_entry cpuid[VMR_CPUID_LEAF_MAX];
};

/* Local APICs are in the hypervisor: it parks and starts VPs by itself. */
static inline bool partition_apic_in_hypervisor(const struct vmr_partition *partition)
{
    return partition->handle.irqchip != VMR_IRQCHIP_USER;
}

/* Whether local APICs exist at all; without any, HLT is only left by a request. */
static inline bool partition_has_apic(const struct vmr_partition *partition)
{
    return partition_apic_in_hypervisor(partition) || partition->chip_ops != NULL;
}

/* Where in `partition` VP `index` is; NULL for an index that does not exist. */
struct vmr_vp *partition_vp(struct vmr_partition *partition, vmr_vp_index index);

/*
 * Sets request bits and gets the VP's attention. Returns the bits that were not
 * set before. Any thread; `ret_running`, if not NULL, says whether the VP was in
 * a run. [RUN-3] [RUN-7]
 */
uint32_t vp_request(struct vmr_vp *vp, uint32_t bits, bool *ret_running);

/* Something from outside changes the library's state between these two: recorders order it. */
void partition_async_begin(struct vmr_partition *partition, const struct vmr_async *request);
void partition_async_end(struct vmr_partition *partition);
/* As vm_wait of vmrig/backend.h, which it is where there is one. */
bool partition_wait(struct vmr_partition *partition, bool (*is_over)(void *context), void *context);

/* --- hv.c: the Hyper-V guest interface --- */

/* Whether the hypervisor serves a part of it itself. It knows no VTLs. */
static inline bool proto_offloads_hv(const struct vmr_proto *proto)
{
    return proto->has_hv && proto->hv.offload_enlightenments && vmr_caps_have(&proto->caps, VMR_CAP_HV_OFFLOAD) &&
           !vmr_caps_have(&proto->caps, VMR_CAP_VTL);
}

/* Puts it into the CPUID table of `proto`. */
enum vmr_status proto_offer_hv(struct vmr_proto *proto, const struct vmr_hv_config *config, struct vmr_error *err);
/* Makes it, if `proto` offers it. */
enum vmr_status partition_create_hv(struct vmr_partition *partition, const struct vmr_proto *proto,
                                    struct vmr_error *err);

/* Whether a VP begins by waiting for a start-up IPI, in VTL 0. [LIFE-9] */
static inline bool vp_waits_at_first(const struct vmr_vp *vp)
{
    return vp->index > 0 && partition_has_apic(vp->partition);
}

/* --- vtl.c: VTLs --- */

/* The backend has taken the VP there. The VP's thread. */
void vp_is_in_vtl(struct vmr_vp *vp, uint8_t vtl);
/* The VP's thread, at a clean point. False: the hypervisor refused. */
bool vp_enter_vtl(struct vmr_vp *vp, const struct vmr_hv_entry *entry);
/* The same for both: back to the VTL in which VPs begin, if the interface was reset since the last time. */
enum vmr_status vp_follow_reset(struct vmr_vp *vp);

/* The highest that the partition will have (hv.c). */
uint8_t proto_vtl_highest(const struct vmr_proto *proto);

/* Whether the offset makes sense for what `proto` will build. */
enum vmr_status proto_check_alias_map(const struct vmr_proto *proto, uint64_t offset, struct vmr_error *err);
/* What the backend is told of VTLs. */
void proto_describe_vtls(const struct vmr_proto *proto, const struct vmr_partition_options *options,
                         struct vmr_vm_config *config);
