/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hypervisor that does what an array says: for tests of lib/partition and
 * lib/run, which must not depend on what the mock believes.
 *
 * A VP yields the exits of its script one by one; at a step marked `block`, and
 * at the end, it stays in the guest until it is kicked. Every call is counted,
 * the answers are kept, and the n-th call that can fail does so on demand. It
 * waits through the host it is given, so that a scheduling host can run it.
 */

#include <stdatomic.h>

#include "vmrig/backend.h"
#include "vmrig/run.h"
#include "vmrig/x86_state.h"

#define FAKE_VP_MAX 8u
#define FAKE_LOG_MAX 64u
#define FAKE_CPUID_MAX 4u
#define FAKE_STATE_BYTES 512u
#define FAKE_STATE_LOG_MAX 256u
/* Without those that are larger, and TSC_DEADLINE; some are there by CPUID only. */
#define FAKE_STATE_CLASSES                                                                                             \
    (((UINT64_C(1) << VMR_VP_DEBUG_STATE) - 1) & ~(UINT64_C(1) << VMR_VP_VTLS | UINT64_C(1) << VMR_VP_XSAVE |          \
                                                   UINT64_C(1) << VMR_VP_APIC | UINT64_C(1) << VMR_VP_TSC_DEADLINE))

enum fake_call {
    FAKE_OPEN,
    FAKE_CAPS,
    FAKE_CPUID,
    FAKE_VM_CREATE,
    FAKE_VM_DESTROY,
    FAKE_VP_CREATE,
    FAKE_VP_DESTROY,
    FAKE_VM_MAP,
    FAKE_VM_UNMAP,
    FAKE_VP_BIND,
    FAKE_VP_UNBIND,
    FAKE_VP_ENTER,
    FAKE_VP_LEAVE,
    FAKE_VP_RUN,
    FAKE_VP_COMPLETE,
    FAKE_VP_KICK,
    FAKE_GET_REGS,
    FAKE_SET_REGS,
    FAKE_GET_MSR,
    FAKE_SET_MSR,
    FAKE_GET_XMM,
    FAKE_SET_XMM,
    FAKE_EXCEPTION,
    FAKE_FLUSH,
    FAKE_GET_ACTIVITY,
    FAKE_SET_ACTIVITY,
    FAKE_SET_DEBUG,
    FAKE_INTERRUPT,
    FAKE_NMI,
    FAKE_WINDOW,
    FAKE_TPR,
    FAKE_IRQ,
    FAKE_LINT,
    FAKE_MSI,
    FAKE_ROUTE,
    FAKE_IRQFD,
    FAKE_DOORBELL,
    FAKE_PROTECT,
    FAKE_SWITCH_VTL,
    FAKE_PASS_FAULT,
    FAKE_HV_OWN,
    FAKE_HV_GET_TIME,
    FAKE_HV_SET_TIME,
    FAKE_HV_EVENT,
    FAKE_ASYNC_BEGIN,
    FAKE_ASYNC_END,
    FAKE_OUTPUT,
    FAKE_GET_STATE,
    FAKE_SET_STATE,
    FAKE_GET_VM_STATE,
    FAKE_SET_VM_STATE,
    FAKE_VP_RESET,
    FAKE_VM_RESET,
    FAKE_CALL_COUNT
};

struct fake_step {
    struct vmr_exit exit;
    bool block;   /* wait in the guest for a kick; then CANCEL, whatever `exit` says */
    bool further; /* vp_complete yields it too: the instruction before was not finished */
};

struct fake_vp_script {
    const struct fake_step *steps;
    size_t count;
    bool endless; /* begins again at the end instead of blocking */
};

/* Once for a test; all partitions made from its handle share it. */
struct fake {
    struct vmr_caps caps;
    enum vmr_irqchip irqchip;
    const struct vmr_hv_config *hv; /* for the rig's partition */
    struct vmr_cpuid_entry cpuid[FAKE_CPUID_MAX];
    size_t cpuid_count;
    enum vmr_status open_status; /* what open answers */
    struct fake_vp_script scripts[FAKE_VP_MAX];
    uint32_t fail_at;           /* the n-th call that can fail fails, from 1; 0: none */
    enum fake_call fail_always; /* this call fails each time; FAKE_OPEN, the default, means none: see open_status */
    uint64_t patience_ns;       /* how long a guest blocks before it gives up with a triple fault; 0: for ever */
    void (*in_guest)(void *context, vmr_vp_index vp); /* called in each vp_run */
    void *in_guest_context;

    /* What happened. */
    _Atomic uint32_t failable;
    _Atomic uint32_t counts[FAKE_CALL_COUNT];
    _Atomic uint32_t live_vps, live_vms, mapped;
    _Atomic uint32_t misuse; /* calls out of the order that backend.h draws */
    /* The VP's thread writes, the test reads when it rests. */
    struct vmr_exit answers[FAKE_VP_MAX][FAKE_LOG_MAX];
    uint32_t answer_count[FAKE_VP_MAX];
    uint64_t values[FAKE_CALL_COUNT]; /* the last argument that mattered */
    struct vmr_x86_regs regs[FAKE_VP_MAX];
    struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT];
    /* Of classes that fit; FAKE_STATE_CLASSES for `caps`. The order in which they were set. */
    uint64_t states[FAKE_VP_MAX][VMR_VP_CLASS_COUNT][FAKE_STATE_BYTES / 8];
    struct vmr_vm_clock_state clock;
    uint8_t state_log[FAKE_STATE_LOG_MAX];
    size_t state_log_count;
    enum vmr_leave leave[FAKE_VP_MAX];
    struct vmr_vm_config config; /* without its pointers' targets */
    struct vmr_cpuid_entry config_cpuid[FAKE_CPUID_MAX * 2];
};

/* Can do everything but offload; user-mode controllers; scripts empty. */
void fake_init(struct fake *fake);
const struct vmr_backend *fake_backend(void);
/* The same without what is optional: no vp_enter, vp_leave, vp_complete, vp_set_debug, cpuid, async. */
const struct vmr_backend *fake_backend_bare(void);
struct vmr_hypervisor_handle fake_handle(struct fake *fake);
void fake_script(struct fake *fake, vmr_vp_index vp, const struct fake_step *steps, size_t count);
uint32_t fake_count(const struct fake *fake, enum fake_call call);

/* A partition over a fake, with one region of memory. Stops the test if it cannot be made. */
struct fake_rig {
    struct fake *fake;
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_hypervisor_handle handle;
    struct vmr_partition *partition;
};
/* `host` NULL: the ordinary one. */
void fake_rig_init(struct fake_rig *rig, struct fake *fake, const struct vmr_host *host, uint32_t vp_count);
/* All must be unbound; checks that nothing is left and nothing was called out of order. */
void fake_rig_finish(struct fake_rig *rig);
