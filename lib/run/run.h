/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One run of a VP, shared by the files of this folder: the loop (run.c), what
 * happens to an exit (dispatch.c), what waits for the VP (interrupts.c), and
 * stepping (step.c).
 */

#include "lib/partition/partition.h"

struct run {
    struct vmr_vp *vp;
    struct vmr_stop_source *stop; /* may be NULL */
    const struct vmr_vp_io *io;
    struct vmr_run_result result;
    enum vmr_status status;
    enum vmr_leave leave;
    bool done;
};

/* As vmr_vp_run, whoever runs the VPs. */
enum vmr_status run_vp(struct vmr_vp *vp, struct vmr_stop_source *stop, const struct vmr_vp_io *io,
                       struct vmr_run_result *ret_result);

/* Ends the run with a halt reason. */
void run_halt(struct run *run, enum vmr_halt_reason reason);

/* Lets the library react to the VP's exit: the answer is in it afterwards, or the run is done. */
void dispatch_exit(struct run *run);
/* The same for one exit outside a run. Returns the halt reason, if any. */
enum vmr_halt_reason dispatch_one(struct vmr_vp *vp, const struct vmr_vp_io *io, struct vmr_exit *vp_exit,
                                  struct vmr_run_result *result);

/* The same for what finishing an exit brings: of several reasons to halt the first stays, but for a fatal one. */
void dispatch_further(struct run *run);

/* Finishes the pending exit without running the guest; may end the run. [EXIT-6] */
void run_complete(struct run *run);
/* Ends the run for good: a call that carries something into the guest failed, so the guest has lost it. [HALT-2] */
void run_fail(struct run *run, enum vmr_status status);
/* Injects an NMI, which also ends HLT. */
void run_nmi(struct run *run);

/*
 * Asks the interrupt controllers and acts on the answer: INIT, SIPI, NMI,
 * injection, the interrupt window, the TPR.
 */
void interrupts_take(struct run *run);

/* Whether the exit is a call to the Hyper-V guest interface (hypercall.c). */
bool hypercall_is(const struct vmr_vp *vp, const struct vmr_exit *vp_exit);
/* Serves it: afterwards the exit is finished, and none, or the failure that the reason speaks of. */
enum vmr_halt_reason hypercall_serve(struct vmr_vp *vp, struct vmr_exit *vp_exit);

/* --- vtl.c: VTLs --- */

/* Whether the exit is an access that its VTL may not make. */
bool vtl_fault_is(const struct vmr_vp *vp, const struct vmr_exit *vp_exit);
enum vmr_halt_reason vtl_fault_serve(struct vmr_vp *vp, const struct vmr_exit *vp_exit);
/*
 * What waits for a VTL: enters one above that has an interrupt, and injects. True: the VP is in a VTL without a local
 * APIC, whose interrupts have to wait.
 */
bool vtl_take(struct run *run);
/* Asks for an interrupt window, or does without (interrupts.c). */
void interrupts_window(struct vmr_vp *vp, bool wanted);

/* For the senders of requests and the stop source. */
static inline bool vp_sleeps(const struct vmr_vp *vp)
{
    return vp->activity != VMR_ACTIVITY_RUNNING && !partition_apic_in_hypervisor(vp->partition);
}

/* Tells a test where a run is. */
static inline void run_seam(const struct vmr_vp *vp, enum vmr_run_seam seam)
{
    if (__builtin_expect(vp->partition->seam_hook != NULL, 0))
        vp->partition->seam_hook(vp->partition->seam_context, vp->index, seam);
}

/* The VP's thread is between vp_enter and vp_leave. */
void run_begin(struct vmr_vp *vp);
void run_end(struct vmr_vp *vp, enum vmr_leave why);
/* One backend step, with the requests in `mask` looked at once more on the way in. False: one of them came first. */
bool run_enter_guest(struct vmr_vp *vp, uint32_t mask);
