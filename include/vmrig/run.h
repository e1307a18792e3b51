/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Running a VP.
 *
 *   while nothing stops it:
 *     stop, kick or yield requested?  finish the pending exit, return
 *     take in what other threads queued; inject what is waiting
 *     backend step                    one exit
 *     dispatch                        buses, MSRs, CPUID, interrupt controllers, the embedder's handler
 *
 * Three requests, three meanings. A *stop* latches in a stop source: every run
 * given that source returns VMR_HALT_STOP until a new source is used. A *kick*
 * makes one run return VMR_HALT_CANCEL; a *yield* makes one run return
 * VMR_RUN_YIELDED. Aimed at a VP that is not running, each makes the next run
 * return at once. None is lost and none counts twice. [RUN-1] [RUN-2] [RUN-3]
 */

#include "vmrig/partition.h"

VMR_BEGIN_DECLS

enum vmr_halt_reason {
    VMR_HALT_NONE = 0,
    VMR_HALT_STOP,   /* the stop source says so; never invented [RUN-4] */
    VMR_HALT_CANCEL, /* kicked: run again when ready, perhaps on another thread */
    VMR_HALT_POWER_OFF,
    VMR_HALT_RESET,
    VMR_HALT_HIBERNATE,
    VMR_HALT_TRIPLE_FAULT, /* `vtl` says whose */
    VMR_HALT_SINGLE_STEP,
    VMR_HALT_HW_BREAK, /* `breakpoint` says which */
    VMR_HALT_FATAL,    /* the backend failed; `exit` is what it said; the VP runs again after a reset */
    VMR_HALT_REASON_COUNT
};

/* "stop", "power-off", ... Any thread. */
VMR_API const char *vmr_halt_reason_name(enum vmr_halt_reason reason);

enum vmr_run_kind {
    VMR_RUN_HALTED, /* `reason` says why */
    VMR_RUN_YIELDED /* look at your other work, then run again */
};

struct vmr_run_result {
    enum vmr_run_kind kind;
    enum vmr_halt_reason reason;
    uint8_t vtl;
    uint8_t breakpoint;
    struct vmr_exit exit; /* VMR_HALT_FATAL: the exit that ended it; io.bytes is NULL */
};

/* --- stopping --- */

/*
 * A latch: clear when initialised, set for ever by vmr_stop_set. The owner keeps
 * it alive while a run uses it.
 */
struct vmr_stop_source;
VMR_API VMR_MUST_CHECK enum vmr_status vmr_stop_create(const struct vmr_host *host,
                                                       struct vmr_stop_source **ret_source);
VMR_API void vmr_stop_destroy(struct vmr_stop_source *source); /* NULL is fine */
/* Any thread. Reaches the VP that is in a run, or a vmr_stop_wait, with this source. */
VMR_API void vmr_stop_set(struct vmr_stop_source *source);
VMR_API bool vmr_stop_is_set(const struct vmr_stop_source *source);

enum vmr_stop_wait_result {
    VMR_STOP_WAIT_READY, /* the event; it wins even when the stop is set too [RUN-5] */
    VMR_STOP_WAIT_STOPPED,
    VMR_STOP_WAIT_DEADLOCK
};
/*
 * Waits on the VP's thread until `is_ready(event)` or the stop: between runs, or
 * in a callback of one, with the same source or another. Whoever makes the event
 * ready calls vmr_partition_wake afterwards. Kicks and yields wait for the run.
 */
VMR_API enum vmr_stop_wait_result vmr_stop_wait(struct vmr_stop_source *source, struct vmr_vp *vp,
                                                bool (*is_ready)(void *event), void *event);

/* --- asking a VP for attention: any thread, by index, so that no one needs the bound VP --- */

/*
 * The next or current run returns VMR_RUN_YIELDED once. Says whether this
 * request was the first since the last yield (the 0 -> 1 edge); only that one
 * reaches into the hypervisor, and only if the VP is running. False, and nothing
 * done, for an index that does not exist. [RUN-6] [RUN-7]
 */
VMR_API bool vmr_partition_request_yield(struct vmr_partition *partition, vmr_vp_index vp);

enum vmr_kick_result {
    VMR_KICK_DELIVERED, /* the VP is running and will return */
    VMR_KICK_LATCHED,   /* it is not; its next run will return at once */
    VMR_KICK_COALESCED, /* an earlier kick has not been consumed yet */
    VMR_KICK_NO_VP      /* no such index: harmless [RUN-8] */
};
/* The next or current run returns VMR_HALT_CANCEL once. */
VMR_API enum vmr_kick_result vmr_partition_kick(struct vmr_partition *partition, vmr_vp_index vp);

/* Makes the VP look at its interrupt controllers again; a run goes on. An index that does not exist is ignored. */
VMR_API void vmr_partition_wake(struct vmr_partition *partition, vmr_vp_index vp);

/* --- what the embedder gives a run --- */

enum vmr_exit_action {
    VMR_EXIT_CONTINUE, /* handled: the answer is in the exit */
    VMR_EXIT_DEFAULT,  /* do what the library does */
    VMR_EXIT_HALT_VP   /* handled, and the run returns with the reason given */
};

/*
 * Every member may be NULL or zero. Called on the VP's thread with no lock
 * held. Must outlive the run.
 */
struct vmr_vp_io {
    struct vmr_bus *ports; /* NULL: reads answer ones */
    struct vmr_bus *mmio;
    /*
     * Sees every exit before the library does, except cancel and interrupt
     * window. With VMR_EXIT_HALT_VP sets *ret_reason to anything but NONE, STOP,
     * CANCEL.
     */
    enum vmr_exit_action (*exit)(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                 enum vmr_halt_reason *ret_reason);
    /* MSRs that the interrupt controllers do not know. NULL: all fault. [MSR-1] */
    enum vmr_msr_result (*msr_read)(void *context, struct vmr_vp *vp, uint32_t index, uint64_t *ret_value);
    enum vmr_msr_result (*msr_write)(void *context, struct vmr_vp *vp, uint32_t index, uint64_t value);
    /*
     * Asked after every exit: a reason other than NONE ends the run. For power
     * and reset lines that devices pull. Not STOP or CANCEL.
     */
    enum vmr_halt_reason (*halt_requested)(void *context, vmr_vp_index vp);
    /* Told of a fatal exit before the run returns. */
    void (*fatal)(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit);
    void *context;
};

/*
 * Runs until a halt or a yield. May block the thread. When it returns the VP is
 * at a clean point: no exit is half done. The VP's thread.
 *
 * An error means that the caller broke the contract and nothing ran, but for
 * VMR_E_DEADLOCK: the VP waits for an interrupt, and the (virtual) host knows
 * that none can come. `stop` may be NULL: nothing but a halt, a kick or a yield
 * ends the run. [RUN-10] [RUN-11]
 *
 * This, and stepping, is VMR_E_UNSUPPORTED with VMR_CAP_MANAGED: the hypervisor
 * runs its VPs, and a VP set (vmrig/vp_set.h) has it do so. [MGD-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_run(struct vmr_vp *vp, struct vmr_stop_source *stop,
                                                  const struct vmr_vp_io *io, struct vmr_run_result *ret_result);

/*
 * One exit at a time, for embedders with their own loop. `vp_exit` is zeroed
 * before the first step; afterwards it holds the exit before with its answer.
 * Kicks arrive as VMR_EXIT_CANCEL. Interrupts are the caller's to inject; stop
 * sources, yields and attached interrupt controllers play no part. The VP's
 * thread. [RUN-13]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_step(struct vmr_vp *vp, struct vmr_exit *vp_exit);
/*
 * Finishes the exit of the last step without running the guest. May leave a
 * further exit of the same instruction: answer and call again, until
 * VMR_EXIT_NONE. The VP's thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_step_complete(struct vmr_vp *vp, struct vmr_exit *vp_exit);
/* What the library would do with `vp_exit`: answers it in place. VMR_E_USAGE for an invalid one. The VP's thread. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_dispatch(struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                                       const struct vmr_vp_io *io, enum vmr_halt_reason *ret_reason);
/* VMR_E_STATE unless the last exit said interrupt_ready. Ends HLT, as the NMI does. The VP's thread, for step loops. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_inject(struct vmr_vp *vp, uint8_t vector);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_inject_nmi(struct vmr_vp *vp);
VMR_API void vmr_vp_request_window(struct vmr_vp *vp, bool wanted);

VMR_END_DECLS
