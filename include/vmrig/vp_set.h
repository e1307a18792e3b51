/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All VPs of a partition, each on its own thread.
 *
 *   create ──> STOPPED ──start──> RUNNING ──stop──> STOPPED ──> destroy
 *                 ^                  │ a VP halts
 *                 └─────stop──── HALTED
 *
 * The first halt wins: when vmr_vp_set_wait reports it, no VP executes another
 * instruction until the next start, and later halts are consumed. [SET-1]
 * Threads come from the host, so under a scheduling host there are none. [SET-2]
 * With VMR_CAP_MANAGED they are the hypervisor's, which runs the VPs itself from
 * start to stop; the set means the same, and "the VP's thread" is that one. [MGD-1]
 */

#include "vmrig/run.h"
#include "vmrig/state_access.h"

VMR_BEGIN_DECLS

struct vmr_vp_set;

struct vmr_vp_set_options {
    const struct vmr_vp_io *io; /* required; shared by all VPs; must outlive the set */
    /* Runs on the VP's thread, once bound, before anything else: initial registers. Optional. */
    enum vmr_status (*prepare)(void *context, struct vmr_vp *vp, struct vmr_error *err);
    /* Runs on the VP's thread each time its run yields. Optional. */
    void (*yielded)(void *context, struct vmr_vp *vp);
    void *context;
};

/*
 * Starts a thread for each VP, which binds it. Fails as a whole, with the index
 * named, if any bind or prepare fails. [SET-3] VMR_E_STATE with VMR_CAP_MANAGED
 * while the VPs are in another set. [MGD-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_create(struct vmr_partition *partition,
                                                         const struct vmr_vp_set_options *options,
                                                         struct vmr_vp_set **ret_set, struct vmr_error *err);
/* Stops, unbinds and joins. NULL is fine. Not on a VP's thread. */
VMR_API void vmr_vp_set_destroy(struct vmr_vp_set *set);

/*
 * VMR_E_STATE unless stopped, once a VP has failed, and while the partition is not usable [RST-3]. With VMR_CAP_MANAGED
 * the hypervisor may refuse, with a status of its own: the set stays stopped [MGD-5]. Any thread that is not a VP's.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_start(struct vmr_vp_set *set);

/*
 * Returns when every VP has acknowledged *this* stop (acknowledgements carry a
 * generation; an older one never counts). From any state; also when a VP has
 * failed, which then counts as acknowledged. Not on a VP's thread. [SET-4]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_stop(struct vmr_vp_set *set);

/*
 * A VP that is held takes no part in starts: it stays where it is while the others
 * run, and calls still reach it. VMR_E_STATE unless stopped; VMR_E_USAGE for a VP
 * that does not exist. Any thread that is not a VP's. [SET-8]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_hold(struct vmr_vp_set *set, vmr_vp_index vp, bool held);

struct vmr_vp_set_halt {
    vmr_vp_index vp;
    struct vmr_run_result result;
};

/*
 * Waits until a VP halts for a reason of its own, or until `deadline_ns` on the
 * host's clock (ret_halt->result.reason is then VMR_HALT_NONE). The halt stays
 * until the next start. VMR_E_STATE when stopped with no halt: there is nothing
 * to wait for. [SET-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_wait(struct vmr_vp_set *set, uint64_t deadline_ns,
                                                       struct vmr_vp_set_halt *ret_halt);

/*
 * Halts every VP with `reason` as if VP `vp` had halted: for device threads.
 * When it returns no VP will begin another run. False: another halt was first, or
 * `reason` is none. Any thread. [SET-6]
 */
VMR_API bool vmr_vp_set_halt_all(struct vmr_vp_set *set, vmr_vp_index vp, enum vmr_halt_reason reason);

/*
 * Resets the partition (vmrig/state_access.h), then every VP, each on its own
 * thread. Each VP has its part, whatever becomes of the others; the first error
 * is returned. On success the set is stopped, and the halt that was there is
 * forgotten; otherwise it stays, and nothing runs until a later reset succeeds.
 * VPs that have failed may run again then. VMR_E_STATE, and nothing done, unless
 * stopped or halted with every VP out of its run. Not on a VP's thread. [RST-4]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_reset(struct vmr_vp_set *set, struct vmr_error *err);

/*
 * Runs `function` on the VP's thread at a clean point and returns its status; a
 * running VP goes on afterwards as if nothing had happened. Calls to one VP run
 * in the order they came. A VP that has failed can still be looked at. Not on a
 * VP's thread. VMR_E_USAGE for a VP that does not exist. [SET-7]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_set_call(struct vmr_vp_set *set, vmr_vp_index vp,
                                                       enum vmr_status (*function)(void *argument, struct vmr_vp *vp),
                                                       void *argument);

VMR_END_DECLS
