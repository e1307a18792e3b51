/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A VP set and its members, shared by the set's files: what callers do
 * (vp_set.c), what each VP's thread does (vp_set_member.c), and whose threads
 * they are if the hypervisor runs its VPs itself (vp_set_managed.c).
 *
 * One lock guards everything below but the VP itself. Members sleep on a parker
 * each; callers that wait queue a waiter, and whoever changes something wakes
 * all of them.
 */

#include "lib/base/sync.h"
#include "lib/partition/clock.h"
#include "vmrig/backend_managed.h"
#include "vmrig/vp_set.h"

/* A caller that waits; on its own stack. */
struct set_waiter {
    struct vmr_parker *parker;
    struct set_waiter *next;
};

/* A function that a caller wants run on a VP's thread; on the caller's stack. */
struct set_call {
    enum vmr_status (*function)(void *argument, struct vmr_vp *vp);
    void *argument;
    enum vmr_status status;
    bool done;
    struct set_call *next;
};

enum set_phase {
    SET_STOPPED,
    SET_RUNNING,
    SET_ENDING
};

struct set_member {
    struct vmr_vp_set *set;
    vmr_vp_index index;
    struct vmr_vp *vp;         /* NULL until bound */
    struct vmr_thread *thread; /* NULL, like the parker: the hypervisor's */
    struct vmr_parker *parker;
    struct set_call *calls; /* oldest first */
    bool ready;             /* bound and prepared, or failed to */
    bool in_run;
    bool failed;
    bool held;             /* takes no part in a start */
    bool ended;            /* its thread has left, or will without another look */
    uint64_t acknowledged; /* the generation of the last stop this member has seen */
};

struct vmr_vp_set {
    struct vmr_partition *partition;
    const struct vmr_host *host;
    struct vmr_vp_set_options options;
    bool is_managed; /* the hypervisor has begun with `managed_vps` */
    struct vmr_managed_vps managed_vps;
    struct vp_clock *clock;
    struct sync_mutex lock;
    struct set_waiter *waiters;
    enum set_phase phase;
    uint64_t stop_generation;
    bool halted;
    bool resetting;
    struct vmr_vp_set_halt halt;
    struct vmr_error create_error; /* of the first member that could not begin */
    uint32_t member_count;
    struct set_member *members;
};

/* The body of a member's thread. */
void set_member_main(void *argument);

/* --- what that consists of. On the member's thread --- */

void set_member_begin(struct set_member *member);
/* Calls, and the acknowledgement of a stop. With the lock held, and given up meanwhile. */
void set_member_serve(struct set_member *member);
/* The same, and then one run if there is to be one: false if not. With the lock held, and given up meanwhile. */
bool set_member_turn(struct set_member *member);
/* With the lock held, and given up for good: the set may be gone when it returns. */
void set_member_end(struct set_member *member);

/* --- vp_set_managed.c: with VMR_CAP_MANAGED, in place of threads of the set's --- */

/* VMR_E_STATE: another set has its VPs. */
enum vmr_status set_managed_begin(struct vmr_vp_set *set, struct vmr_error *err);
void set_managed_end(struct vmr_vp_set *set);
/* With the lock held. */
enum vmr_status set_managed_start(struct vmr_vp_set *set);
void set_managed_stop(struct vmr_vp_set *set);
void set_managed_ask(struct set_member *member);

/* With the lock held. */
void set_wake_waiters(struct vmr_vp_set *set);
/* Makes every member look at the set: those that sleep and those in a run. With the lock held. */
void set_wake_members(struct vmr_vp_set *set);
/* The first halt is kept, later ones are consumed. With the lock held. False: another was first. [SET-1] */
bool set_record_halt(struct vmr_vp_set *set, vmr_vp_index vp, const struct vmr_run_result *result);
