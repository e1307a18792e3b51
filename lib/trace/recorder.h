/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The recorder's parts: recorder.c owns the trace and the baton,
 * recorder_backend.c and recorder_host.c are what the library talks to.
 *
 * The baton: a thread that runs library code for a VP, or for a request of
 * another thread, holds it; it is given up where the VP enters the guest or
 * waits. So library code runs in one order, and that is the order of the
 * records. Whoever holds it may append.
 */

#include "lib/base/sync.h"
#include "lib/trace/record.h"
#include "lib/trace/trace_writer.h"
#include "vmrig/backend.h"

struct vmr_recorder {
    struct trace_writer *writer;
    uint64_t time_step_ns;
    uint64_t epoch_ns;       /* the host's time that the recording calls 0 */
    _Atomic uint32_t status; /* enum vmr_status: the first failure */
    bool finished;
    uint64_t appended;

    bool wrapped;
    struct vmr_hypervisor_handle inner;
    struct vmr_host host; /* the inner one */
    struct vmr_backend table;
    struct vmr_host_ops host_ops;
    struct vmr_caps caps;
    struct vmr_cpuid_entry *cpuid; /* VMR_CPUID_LEAF_MAX */
    size_t cpuid_count;

    struct sync_mutex baton;
    _Atomic uintptr_t owner; /* the thread that holds the baton; 0: none. Each thread only asks whether it is itself */
    uint32_t holder;         /* for whom: a VP, or TRACE_NO_VP */
    bool held;               /* by nobody: nothing is recorded meanwhile (vmr_recorder_hold) */
    uint32_t async_depth;    /* requests of the holder that have begun: one may make others, which follow from it */
    _Atomic uint32_t setting_up; /* no VP has been bound: one thread builds the machine */
    struct recorder_vm *vm;
    struct vmr_memory_observer chained; /* of a replay underneath, which has to supply what is read */
};

struct recorder_vm {
    struct vmr_recorder *recorder;
    const struct vmr_backend *backend; /* the inner one */
    struct vmr_backend_vm *inner;
    struct vmr_memory *memory;
    bool created;
};

struct recorder_vp {
    struct vmr_recorder *recorder;
    const struct vmr_backend *backend;
    struct vmr_backend_vp *inner;
    vmr_vp_index index;
    bool created;
    bool answer_due; /* the last exit waits for an answer */
    bool window_known, window;
    bool tpr_known;
    uint8_t tpr;
};

static inline struct recorder_vm *recorder_vm_of(struct vmr_backend_vm *vm)
{
    return (struct recorder_vm *)(void *)vm;
}

static inline struct recorder_vp *recorder_vp_of(struct vmr_backend_vp *vp)
{
    return (struct recorder_vp *)(void *)vp;
}

void recorder_take(struct vmr_recorder *recorder, uint32_t vp);
void recorder_give(struct vmr_recorder *recorder);
/* Whether the calling thread holds the baton. */
bool recorder_owns(const struct vmr_recorder *recorder);
/* The same as take, but for a thread that may have the baton: returns what recorder_leave wants. */
bool recorder_enter(struct vmr_recorder *recorder, uint32_t vp);
void recorder_leave(struct vmr_recorder *recorder, bool had);
bool recorder_is_setting_up(const struct vmr_recorder *recorder);

/* For the holder of the baton: `vp` of the record is filled in. */
void recorder_append(struct vmr_recorder *recorder, struct trace_record *record);

/* The record of an operation that worked; or, for what it was to give, of its failure. */
enum vmr_status recorder_append_result(struct recorder_vp *vp, enum trace_op op, enum vmr_status status,
                                       struct trace_record *record);

/* --- recorder_hv.c: what only the Hyper-V interface asks of a backend, as vmrig/backend.h has it --- */

enum vmr_status recorder_get_xmm(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT]);
enum vmr_status recorder_set_xmm(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT]);
enum vmr_status recorder_flush(struct vmr_backend_vp *vp);
enum vmr_status recorder_exception(struct vmr_backend_vp *vp, uint8_t vector);
enum vmr_status recorder_switch_vtl(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial);
enum vmr_status recorder_pass_fault(struct vmr_backend_vp *vp);
enum vmr_status recorder_protect(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);
bool recorder_wait(struct vmr_backend_vm *vm, bool (*is_over)(void *context), void *context);

/* --- recorder_state.c --- */

extern const struct vmr_backend_state recorder_state;
/* A class that cannot be set: the error says whose it is. */
enum vmr_status recorder_refuse_state(const struct vmr_state_type *type, const char *who, struct vmr_error *err);
/* Activity without events: what the library tells a backend of VPs that only have to run. Nothing is set by it. */
bool recorder_is_idle(enum vmr_vp_class vp_class, const void *value);

/* The tables that are given to the library. */
extern const struct vmr_backend recorder_backend;
/* `from_zero`: times count from here. A replay's clock is a recorded one already, and stays as it is. */
void recorder_host_init(struct vmr_recorder *recorder, bool from_zero, struct vmr_host *ret_host);
/* Sees what the library does to guest memory. */
void recorder_observe(struct vmr_recorder *recorder, struct vmr_memory *memory);

/* The capabilities of a partition that is recorded, and so of one that is replayed, whatever the trace says. */
uint64_t recorder_observable(uint64_t bits);
/* The CPUID entries as the trace holds them, 28 bytes each; false: out of memory. */
bool recorder_put_cpuid(struct writer *writer, const struct vmr_cpuid_entry *entries, size_t count);
/* What a vm record says of the configuration. */
bool recorder_describe_vm(const struct vmr_vm_config *config, struct trace_record *ret_record);
/* What a set-debug record holds. */
#define RECORDER_DEBUG_BYTES (1u + VMR_X86_BREAKPOINT_COUNT * 11u)
void recorder_put_debug(const struct vmr_debug_state *state, uint8_t *ret_bytes);
/* Inner objects of the vm, for vmr_recorder_native. */
void *recorder_vm_native(struct recorder_vm *vm);
