/* SPDX-License-Identifier: MIT */
/*
 * What a VP's thread does: bind, then as long as the set lives run its calls,
 * run the VP when the set runs and nothing has halted, and acknowledge stops.
 *
 * The set never reaches into a run: it changes its own state and asks the VP to
 * yield, and the member looks at the state here. So a running guest that is only
 * asked for a call goes on as if nothing had happened. [SET-7]
 */

#include "lib/run/vp_set.h"

#include "lib/run/run.h"

static void run_calls(struct set_member *member)
{
    struct vmr_vp_set *set = member->set;

    while (member->calls) {
        struct set_call *call = member->calls;

        member->calls = call->next;
        sync_mutex_unlock(&set->lock);
        enum vmr_status status = member->vp ? call->function(call->argument, member->vp) : VMR_E_STATE;

        sync_mutex_lock(&set->lock);
        call->status = status;
        call->done = true;
        set_wake_waiters(set);
    }
}

static bool may_run(const struct set_member *member)
{
    return member->set->phase == SET_RUNNING && !member->set->halted && !member->failed && !member->held;
}

/* A status instead of a result: the VP cannot go on, and the waiters must learn of it. [HALT-2] */
static void record_error(struct set_member *member, enum vmr_status status)
{
    struct vmr_run_result result = {.kind = VMR_RUN_HALTED, .reason = VMR_HALT_FATAL};

    result.exit.kind = VMR_EXIT_FAIL;
    result.exit.u.fail.cause = VMR_FAIL_INTERNAL;
    result.exit.u.fail.code = status;
    member->failed = true;
    (void)set_record_halt(member->set, member->index, &result);
}

static void run_once(struct set_member *member)
{
    struct vmr_vp_set *set = member->set;
    struct vmr_run_result result = {0};

    member->in_run = true;
    sync_mutex_unlock(&set->lock);
    enum vmr_status status = run_vp(member->vp, NULL, set->options.io, &result);

    if (!status && result.kind == VMR_RUN_YIELDED && set->options.yielded)
        set->options.yielded(set->options.context, member->vp);
    sync_mutex_lock(&set->lock);
    member->in_run = false;
    if (status) {
        record_error(member, status);
    } else if (result.kind == VMR_RUN_HALTED && result.reason != VMR_HALT_CANCEL) {
        member->failed = result.reason == VMR_HALT_FATAL;
        (void)set_record_halt(set, member->index, &result);
    }
    set_wake_waiters(set);
}

/* Called outside a run, which is what the generation stands for: this VP has been at rest since that stop. [SET-4] */
static void acknowledge(struct set_member *member)
{
    struct vmr_vp_set *set = member->set;

    if (member->acknowledged == set->stop_generation)
        return;
    member->acknowledged = set->stop_generation;
    set_wake_waiters(set);
}

static void keep_create_error(const struct set_member *member, enum vmr_status status, const struct vmr_error *err)
{
    struct vmr_error *kept = &member->set->create_error;

    (void)vmr_error_set(kept, status, "VP set: VP %u cannot begin: %.200s", member->index,
                        err->message[0] ? err->message : vmr_status_name(status));
    kept->host_errno = err->host_errno;
}

void set_member_begin(struct set_member *member)
{
    struct vmr_vp_set *set = member->set;
    struct vmr_error err = {0};
    struct vmr_vp *vp = NULL;
    enum vmr_status status = vp_bind(set->partition, member->index, &vp, &err);

    if (!status && set->options.prepare)
        status = set->options.prepare(set->options.context, vp, &err);
    sync_mutex_lock(&set->lock);
    member->vp = vp;
    member->ready = true;
    member->failed = status != VMR_OK;
    if (status && set->create_error.status == VMR_OK)
        keep_create_error(member, status, &err);
    set_wake_waiters(set);
    sync_mutex_unlock(&set->lock);
}

void set_member_serve(struct set_member *member)
{
    run_calls(member);
    acknowledge(member);
}

bool set_member_turn(struct set_member *member)
{
    set_member_serve(member);
    if (!may_run(member))
        return false;
    run_once(member);
    return true;
}

void set_member_end(struct set_member *member)
{
    struct vmr_vp_set *set = member->set;

    run_calls(member);
    /* Also for stops to come: this VP stays at rest. */
    member->acknowledged = UINT64_MAX;
    member->failed = true;
    member->ended = true;
    set_wake_waiters(set);
    sync_mutex_unlock(&set->lock);
    if (member->vp)
        vp_unbind(member->vp);
}

void set_member_main(void *argument)
{
    struct set_member *member = argument;
    struct vmr_vp_set *set = member->set;
    enum vmr_park_result parked = VMR_PARK_WOKEN;

    set_member_begin(member);
    sync_mutex_lock(&set->lock);
    /* A deadlock: a virtual host, and nobody is left who could ask for anything. */
    while (set->phase != SET_ENDING && parked != VMR_PARK_DEADLOCK) {
        if (set_member_turn(member))
            continue;
        sync_mutex_unlock(&set->lock);
        parked = set->host->ops->park(set->host->context, member->parker, VMR_NEVER);
        sync_mutex_lock(&set->lock);
    }
    set_member_end(member);
}
