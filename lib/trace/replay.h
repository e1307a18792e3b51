/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The replay's parts: replay.c is the player (whose turn it is, what comes
 * next, the first divergence); replay_backend.c and replay_host.c are what the
 * library talks to.
 *
 * The turn: the next record belongs to a VP, or to a request of another thread.
 * That VP's thread has the turn until it enters the guest or waits; a thread
 * whose turn has not come sleeps. Only the thread that has the turn touches
 * records.
 */

#include "lib/base/sync.h"
#include "lib/trace/record.h"
#include "lib/trace/trace_reader.h"
#include "lib/trace/trace_writer.h"
#include "vmrig/backend.h"

/* A place to wait for a turn: a VP's own, or one of a thread that changes something from outside. */
struct replay_seat {
    struct vmr_parker *parker;
    bool waiting;
    uint32_t vp;                        /* whose turn is waited for, or TRACE_NO_VP: */
    const struct trace_record *request; /* the record that must be next */
    struct replay_seat *next;           /* of those that wait from outside */
};

struct replay_vp {
    struct vmr_replay *replay;
    vmr_vp_index index;
    struct replay_seat seat;
    bool entered;
    bool requested; /* a stop, kick or yield that the trace will report was made */
    bool away;      /* left and came back though the trace says nothing of it */
    bool answer_due;
    bool window_known, window;
    bool tpr_known;
    uint8_t tpr;
    struct vmr_x86_regs regs;               /* as the library last saw or set them */
    struct vmr_x86_activity_state activity; /* that was set where the replay began */
    struct vmr_exit last;                   /* for the report */
    uint8_t string[VMR_STRING_IO_BYTES_MAX];
    uint8_t last_string[VMR_STRING_IO_BYTES_MAX];
};

struct replay_vm {
    struct vmr_replay *replay;
    struct vmr_memory *memory;
};

static inline struct replay_vm *replay_vm_of(struct vmr_backend_vm *vm)
{
    return (struct replay_vm *)(void *)vm;
}

static inline struct replay_vp *replay_vp_of(struct vmr_backend_vp *vp)
{
    return (struct replay_vp *)(void *)vp;
}

struct vmr_replay {
    struct vmr_replay_options options;
    struct trace_reader *reader;
    bool inputs_only;
    bool checks_output; /* traces of format 1.0 do not hold any */
    bool knows_waits;   /* nor those before 1.2 that VPs wait for each other, and what is changed from outside */
    struct vmr_trace_info info;
    struct vmr_trace_meta pairs[VMR_TRACE_META_MAX];
    char *meta;
    size_t pair_count;

    char name[TRACE_NAME_MAX + 1]; /* of the recorded backend */
    struct vmr_caps caps;
    struct vmr_cpuid_entry *cpuid;
    size_t cpuid_count;

    bool attached;
    struct vmr_host host; /* the underlying one */
    struct vmr_host_ops host_ops;
    struct vmr_partition *partition;

    struct sync_mutex lock; /* guards turn and waiting; the turn guards the rest */
    bool has_turn;
    uint32_t turn;           /* a VP, or TRACE_NO_VP */
    _Atomic uintptr_t owner; /* the thread that has the turn */
    bool async_taken;        /* for a request that its own thread makes; it gives the turn back when that is done */
    uint32_t async_depth;    /* requests that have begun in that turn: one may make others, which follow from it */
    uint8_t received[VMR_INPUT_BYTES_MAX]; /* of the input that is brought again */
    _Atomic uint32_t setting_up;
    _Atomic uint32_t over; /* nothing more to play, or diverged */
    _Atomic uint32_t end_told;
    bool halted; /* a VP has halted or is stopped: the others are about to be, if not just as they were then */
    struct replay_vp **vps;
    uint32_t vp_count;
    struct replay_seat *outside; /* under the lock */

    struct trace_writer *counter; /* of what was played; NULL: nobody asked. It keeps nothing */
    bool uncounted;               /* it could not follow */
    bool ran;                     /* somebody has had a turn */
    _Atomic uint32_t standing;    /* between a seek and the first run: state is set, not played */

    struct trace_record head; /* the next record, while not over */
    uint64_t exits, records;
    uint64_t time_ns; /* the last one given */
    struct vmr_replay_result result;
};

extern const struct vmr_backend replay_backend;

/* What a recording calls the backend under `handle`: that of the recording, if it is a replay. */
const char *replay_backend_name(const struct vmr_hypervisor_handle *handle);
/* How many records a recording of a replay under `handle` can have: those played, once it is over. */
uint64_t replay_records_max(const struct vmr_hypervisor_handle *handle);
/* How a replay under `handle` supplies guest memory; zeroed if it is none. */
void replay_observer(const struct vmr_hypervisor_handle *handle, struct vmr_memory_observer *ret_observer);
void replay_host_init(struct vmr_replay *replay, struct vmr_host *ret_host);

/* --- replay_hv.c: what only the Hyper-V interface asks of a backend, as vmrig/backend.h has it --- */

enum vmr_status replay_get_xmm(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT]);
enum vmr_status replay_set_xmm(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT]);
enum vmr_status replay_flush(struct vmr_backend_vp *vp);
enum vmr_status replay_exception(struct vmr_backend_vp *vp, uint8_t vector);
enum vmr_status replay_switch_vtl(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial);
enum vmr_status replay_pass_fault(struct vmr_backend_vp *vp);
enum vmr_status replay_protect(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);
bool replay_vm_wait(struct vmr_backend_vm *vm, bool (*is_over)(void *context), void *context);

/* --- replay_seek.c --- */

/* Begins to count: before the first record is done. */
enum vmr_status replay_count(struct vmr_replay *replay, struct vmr_error *err);
bool replay_is_standing(const struct vmr_replay *replay);

/* --- replay_state.c --- */

/* The classes that there are. */
#define REPLAY_CLASSES (UINT64_C(1) << VMR_VP_REGISTERS | UINT64_C(1) << VMR_VP_ACTIVITY)
extern const struct vmr_backend_state replay_state;

/* --- turns --- */

/* Waits for the VP's turn; false once the replay is over. */
bool replay_take(struct vmr_replay *replay, struct replay_vp *vp);
/* Gives up the turn. */
void replay_give(struct vmr_replay *replay);
/* The same for a VP whose run ends. */
void replay_end_run(struct vmr_replay *replay);
/* The same for one that had no turn: the replay is over. */
void replay_left(struct vmr_replay *replay, struct replay_vp *vp);
/* Whether the calling thread has the turn. */
bool replay_owns(const struct vmr_replay *replay);
bool replay_is_setting_up(const struct vmr_replay *replay);
bool replay_is_over(const struct vmr_replay *replay);
/* For an operation that may come inside or outside a run. *ret_had is for replay_leave. */
bool replay_enter(struct vmr_replay *replay, struct replay_vp *vp, bool *ret_had);
void replay_leave(struct vmr_replay *replay, bool had);
/*
 * The request of another thread begins: whether it is the next record. It then has the turn. Of what only the embedder
 * can do again it waits for that, until the replay is over.
 */
bool replay_take_async(struct vmr_replay *replay, const struct trace_record *request);
/* The thread that has the turn gives it up until `is_over`: as vm_wait of vmrig/backend.h. */
bool replay_wait(struct vmr_replay *replay, bool (*is_over)(void *context), void *context);
/* The request is over; gives the turn back if the call above took it. */
void replay_end_async(struct vmr_replay *replay);
/* Lets every VP that waits look again: the replay is over. */
void replay_wake_all(struct vmr_replay *replay);
/* Once: options.end. No lock held. */
void replay_tell_end(struct vmr_replay *replay);

/* --- records: for the thread that has the turn, or the one that sets up --- */

/* Whether the next record is of this kind and belongs to who has the turn. */
bool replay_next_is(const struct vmr_replay *replay, enum trace_kind kind);
/* Done with the next record; what it points to is gone. Makes the requests that come due. */
void replay_advance(struct vmr_replay *replay);
/* The next record must be this input; else the replay has diverged: `wanted` says what the library asked for. */
bool replay_expect(struct vmr_replay *replay, enum trace_kind kind, const char *wanted);
/* Compares with what was recorded and goes on. False once over. */
bool replay_check(struct vmr_replay *replay, struct trace_record *got);
/* The failure that was recorded for `op`, or VMR_OK. */
enum vmr_status replay_status_of(struct vmr_replay *replay, enum trace_op op);
/* Ends the replay: the library did `got`, in words. */
void replay_diverge(struct vmr_replay *replay, const char *got);
/* A reaction with a status. */
enum vmr_status replay_check_op(struct replay_vp *vp, struct trace_record *record, enum trace_op op);
/* Ends the replay with `status`; the error is in the result. */
void replay_finish_with(struct vmr_replay *replay, enum vmr_status status);
