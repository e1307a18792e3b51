/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The backend's two objects, and the operations that kvm.c puts into the
 * table, file by file. Zeroed objects are valid for the destroy calls.
 */

#include <stdatomic.h>

#include "backends/kvm/kvm_host.h"
#include "backends/kvm/kvm_kick.h"
#include "backends/kvm/kvm_params.h"
#include "lib/base/sync.h"
#include "vmrig/backend_hv.h"
#include "vmrig/backend_state.h"

/* Zeroed: none. 0 is a descriptor like any other. */
struct kvm_fd {
    int number;
    bool open;
};

struct kvm_routes; /* kvm_irq.c */

/* A memory slot; the size is 0 where nothing is mapped. */
struct kvm_slot {
    struct vmr_memory_region region;
    uint64_t *pages; /* a bit a page while its writes are logged */
};

struct kvm_vm {
    const struct vmr_host *host;
    struct kvm_fd fd;
    int device; /* /dev/kvm, the handle's */
    int signal;
    enum vmr_irqchip irqchip;
    uint32_t vp_count;
    size_t run_size;
    struct kvm_seam seam;
    /* A copy, since VPs are made after the configuration is gone. */
    struct vmr_cpuid_entry *cpuid;
    size_t cpuid_count;
    struct kvm_routes *routes;
    bool hv_offload; /* KVM serves its part of the Hyper-V interface */
    bool xsave2;     /* XSAVE areas may be longer than a page */
    bool payloads;   /* exceptions on their way say what CR2 and DR6 will hold */
    bool wide_ids;   /* KVM's local APICs have 32-bit IDs in x2APIC mode */
    bool smm;        /* VPs have system management mode */
    uint32_t *rest;  /* MSRs that belong to no class */
    size_t rest_count;
    struct kvm_vp **vps; /* by index, for requests that name one */
    /* A region could not be taken from the guest: no VP runs again, each says why. 0 while all is well. */
    _Atomic int unmap_errno;
    enum kvm_dirty dirty;
    size_t ring_bytes; /* of each VP's dirty ring; 0: there are none */
    bool dirty_on;
    /* Changed by map, unmap and the dirty log alone, never at a time; read by VPs with the lock, which guards bits too.
     */
    struct sync_mutex slots_lock;
    struct kvm_slot *slots; /* by number */
    uint32_t slot_count;
    bool ring_lost; /* what was written is not known: no take works any more, nor a VP whose ring is full */
    bool reset_due; /* pages that were taken out of a ring are not watched yet */
};

struct kvm_vp {
    struct kvm_vm *vm;
    vmr_vp_index index;
    struct kvm_fd fd;
    struct kvm_run *run;
    bool can_sync; /* the run page can carry registers */
    /* They came with the last KVM_RUN: until the next, the run page has them, and takes changes of general ones. */
    bool registers_came;
    struct kvm_kick kick;
    _Atomic int thread;              /* where a kick's signal goes; 0 outside vp_enter..vp_leave */
    _Atomic uint32_t lints_pending;  /* bit n: local interrupt pin n is to be pulsed */
    struct kvm_dirty_gfn *ring;      /* kvm_ring.c; NULL: none */
    uint32_t ring_next;              /* how many entries have been taken out */
    _Atomic uint32_t passes;         /* with a ring: odd while in KVM_RUN, for who waits until it has been out */
    struct vmr_x86_reset_info first; /* what KVM showed at first */
    struct kvm_msrs *rest;           /* likewise: MSRs that belong to no class */
    /* A one-shot timer whose interrupt is over would fire again if KVM were told this count: kept here instead. */
    uint32_t apic_initial_count;
};

static inline struct kvm_vm *kvm_vm_of(struct vmr_backend_vm *vm)
{
    return (struct kvm_vm *)(void *)vm;
}

static inline struct kvm_vp *kvm_vp_of(struct vmr_backend_vp *vp)
{
    return (struct kvm_vp *)(void *)vp;
}

/* An ioctl that a person may have to read about: `name` is the request. */
enum vmr_status kvm_ioctl(int fd, const char *name, unsigned long request, uintptr_t argument, struct vmr_error *err);
/* The same with a pointer. The kernel reads what `argument` points at, or fills it, as the request says. */
static inline uintptr_t kvm_pointer(const void *argument)
{
    return (uintptr_t)argument;
}
/* KVM_CHECK_EXTENSION on any of the descriptors; 0: no. */
unsigned kvm_extension(int fd, unsigned long extension);

/* kvm_cpuid.c */
/* The list that a request gives, for the caller to free. */
enum vmr_status kvm_cpuid_get(int fd, const char *name, unsigned long request, struct kvm_cpuid2 **ret_list,
                              struct vmr_error *err);
enum vmr_status kvm_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries, size_t capacity,
                          size_t *ret_count, struct vmr_error *err);
enum vmr_status kvm_cpuid_set(struct kvm_vp *vp, struct vmr_error *err);
/* Guest physical address bits; 36, as every 64-bit processor has, if KVM does not say. */
enum vmr_status kvm_cpuid_physical_bits(const struct vmr_hypervisor_handle *handle, uint8_t *ret_bits,
                                        struct vmr_error *err);

/* kvm_vm.c */
enum vmr_status kvm_vm_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                              const struct vmr_vm_config *config, struct vmr_error *err);
void kvm_vm_destroy(struct vmr_backend_vm *vm);
void kvm_vm_set_seam_hook(struct vmr_backend_vm *vm,
                          void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context);
void *kvm_vm_native(struct vmr_backend_vm *vm);

/* kvm_memory.c */
enum vmr_status kvm_vm_map(struct vmr_backend_vm *vm, uint32_t number, const struct vmr_memory_region *region,
                           struct vmr_error *err);
void kvm_vm_unmap(struct vmr_backend_vm *vm, uint32_t number, const struct vmr_memory_region *region);
enum vmr_status kvm_vm_dirty_log(struct vmr_backend_vm *vm, bool on, struct vmr_error *err);
enum vmr_status kvm_vm_dirty_take(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                  struct vmr_error *err);
void kvm_slots_finish(struct kvm_vm *vm);

/* kvm_ring.c */
enum vmr_status kvm_rings_enable(struct kvm_vm *vm, struct vmr_error *err);
/* Nothing without rings. */
enum vmr_status kvm_ring_map(struct kvm_vp *vp, struct vmr_error *err);
void kvm_ring_unmap(struct kvm_vp *vp);
/* The VP's thread, out of the guest: makes room. 0 or a negative errno. */
int kvm_ring_drain(struct kvm_vp *vp);
/* What all VPs wrote until now becomes bits of the slots, and is watched again. */
enum vmr_status kvm_rings_collect(struct kvm_vm *vm, struct vmr_error *err);

/* kvm_hyperv.c */
extern const struct vmr_backend_hv kvm_hv;
/* Whether this kernel has all that offloading takes, and the handle wants it. */
bool kvm_hv_offloads(const struct vmr_hypervisor_handle *handle);
/* Of a new vCPU of a VM with hv_offload. */
enum vmr_status kvm_hv_enable(const struct kvm_vp *vp, struct vmr_error *err);
/* Whether an MSR is left to KVM's Hyper-V interface. */
bool kvm_hv_keeps_msr(uint32_t index);

/* kvm_msr_filter.c */
enum vmr_status kvm_msr_filter_set(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err);

/* kvm_irq.c */
enum vmr_status kvm_irq_create(struct kvm_vm *vm, struct vmr_error *err);
void kvm_irq_destroy(struct kvm_vm *vm);
enum vmr_status kvm_vm_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level);
enum vmr_status kvm_vm_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint);
enum vmr_status kvm_vm_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi);
enum vmr_status kvm_vm_set_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi);
enum vmr_status kvm_vm_irqfd(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add);
enum vmr_status kvm_vm_doorbell(struct vmr_backend_vm *vm, bool port_space, const struct vmr_doorbell *doorbell, int fd,
                                bool add);
/* On the VP's thread: pulses the pins in `lints`. 0 or a negative errno. */
int kvm_irq_pulse_lints(struct kvm_vp *vp, uint32_t lints);

/* kvm_vp.c */
enum vmr_status kvm_vp_create(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                              struct vmr_error *err);
void kvm_vp_destroy(struct vmr_backend_vp *vp);
enum vmr_status kvm_vp_bind(struct vmr_backend_vp *vp, struct vmr_error *err);
void kvm_vp_unbind(struct vmr_backend_vp *vp);
void kvm_vp_enter(struct vmr_backend_vp *vp);
void kvm_vp_leave(struct vmr_backend_vp *vp, enum vmr_leave why);
void kvm_vp_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
void kvm_vp_complete(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
void kvm_vp_kick(struct vmr_backend_vp *vp);
/* Makes a step in progress end, so that the next one finds what was left for it. Any thread. */
void kvm_vp_nudge(struct kvm_vp *vp);
enum vmr_status kvm_vp_interrupt(struct vmr_backend_vp *vp, uint8_t vector);
enum vmr_status kvm_vp_nmi(struct vmr_backend_vp *vp);
void kvm_vp_request_window(struct vmr_backend_vp *vp, bool wanted);
void kvm_vp_set_tpr(struct vmr_backend_vp *vp, uint8_t tpr);

/* kvm_classes.c */
extern const struct vmr_backend_state kvm_state;
/* Which classes of VPs and VMs this kernel has. */
enum vmr_status kvm_classes_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *caps,
                                 struct vmr_error *err);
/* Of a new VP: what its power-up depends on. */
enum vmr_status kvm_classes_first(struct kvm_vp *vp, struct vmr_error *err);
/* What a set request of a class came to: KVM refuses values with EINVAL. */
enum vmr_status kvm_classes_refusal(int result, const char *name, enum vmr_vp_class vp_class, const char *field,
                                    struct vmr_error *err);

/* kvm_classes_msr.c */
bool kvm_class_is_msrs(enum vmr_vp_class vp_class);
/* The classes whose MSRs are all among `count` indices. */
uint64_t kvm_class_msrs_listed(const uint32_t *indices, size_t count);
enum vmr_status kvm_class_msrs_get(const struct kvm_vp *vp, enum vmr_vp_class vp_class, void *ret_value,
                                   struct vmr_error *err);
enum vmr_status kvm_class_msrs_set(const struct kvm_vp *vp, enum vmr_vp_class vp_class, const void *value,
                                   struct vmr_error *err);
/* 0 in `ret_value`: there is no such MSR. */
enum vmr_status kvm_msr_first(const struct kvm_vp *vp, uint32_t index, uint64_t *ret_value, struct vmr_error *err);

/* Whether it belongs to a class. */
bool kvm_msr_has_class(uint32_t index);
/* What KVM_GET_MSR_INDEX_LIST gives, for the caller to free. */
enum vmr_status kvm_msr_list_get(int device, struct kvm_msr_list **ret_list, struct vmr_error *err);

/* kvm_classes_rest.c: the MSRs that belong to no class */
enum vmr_status kvm_rest_create(struct kvm_vm *vm, struct vmr_error *err);
/* Of a new VP. */
enum vmr_status kvm_rest_first(struct kvm_vp *vp, struct vmr_error *err);
enum vmr_status kvm_rest_reset(const struct kvm_vp *vp, struct vmr_error *err);

/* kvm_classes_xsave.c */
enum vmr_status kvm_class_xsave_get(const struct kvm_vp *vp, struct vmr_x86_xsave_state *ret_state,
                                    struct vmr_error *err);
enum vmr_status kvm_class_xsave_set(const struct kvm_vp *vp, const struct vmr_x86_xsave_state *state,
                                    struct vmr_error *err);

/* kvm_classes_apic.c */
enum vmr_status kvm_class_apic_get(const struct kvm_vp *vp, struct vmr_x86_apic_state *ret_state,
                                   struct vmr_error *err);
enum vmr_status kvm_class_apic_set(struct kvm_vp *vp, const struct vmr_x86_apic_state *state, struct vmr_error *err);
enum vmr_status kvm_apic_first(const struct kvm_vp *vp, struct vmr_x86_reset_info *first, struct vmr_error *err);

/* kvm_classes_events.c */
enum vmr_status kvm_class_activity_get(const struct kvm_vp *vp, struct vmr_x86_activity_state *ret_state,
                                       struct vmr_error *err);
enum vmr_status kvm_class_activity_set(const struct kvm_vp *vp, const struct vmr_x86_activity_state *state,
                                       struct vmr_error *err);

/* kvm_classes_vm.c */
enum vmr_status kvm_vm_get_state(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, void *ret_value,
                                 struct vmr_error *err);
enum vmr_status kvm_vm_set_state(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, const void *value,
                                 struct vmr_error *err);

/* kvm_state.c */
/* For what KVM does with its own copy: changes that wait in the run page for the next entry go there now. */
enum vmr_status kvm_vp_settle(struct kvm_vp *vp);
/* What KVM's mp_state says, and what says it to KVM. */
enum vmr_activity kvm_activity_of(uint32_t mp_state);
uint32_t kvm_mp_state_of(enum vmr_activity activity);
enum vmr_status kvm_vp_get_regs(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs);
enum vmr_status kvm_vp_set_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs);
enum vmr_status kvm_vp_get_xmm(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT]);
enum vmr_status kvm_vp_set_xmm(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT]);
enum vmr_status kvm_vp_flush(struct vmr_backend_vp *vp);
enum vmr_status kvm_vp_exception(struct vmr_backend_vp *vp, uint8_t vector);
enum vmr_status kvm_vp_get_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value);
enum vmr_status kvm_vp_set_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value);
enum vmr_status kvm_vp_get_activity(struct vmr_backend_vp *vp, enum vmr_activity *ret_activity);
enum vmr_status kvm_vp_set_activity(struct vmr_backend_vp *vp, enum vmr_activity activity);
enum vmr_status kvm_vp_set_debug(struct vmr_backend_vp *vp, const struct vmr_debug_state *state);
