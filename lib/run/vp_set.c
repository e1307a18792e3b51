/* SPDX-License-Identifier: MIT */
/*
 * What callers do with a VP set: create, start, stop, wait, call. Each changes
 * the set's state under its lock, makes the members look, and waits until they
 * have. A stop has a generation, and only acknowledgements of that generation
 * end it: the answer to an earlier stop never counts for a later one. [SET-4]
 */

#include "lib/run/vp_set.h"

#include <stdlib.h>

#include "lib/base/plant.h"
#include "lib/partition/partition.h"

void set_wake_waiters(struct vmr_vp_set *set)
{
    for (struct set_waiter *waiter = set->waiters; waiter; waiter = waiter->next)
        set->host->ops->unpark(set->host->context, waiter->parker);
}

static void wake_member(struct set_member *member)
{
    const struct vmr_host *host = member->set->host;

    if (member->set->is_managed)
        set_managed_ask(member);
    else
        host->ops->unpark(host->context, member->parker);
    if (member->in_run)
        (void)vmr_partition_request_yield(member->set->partition, member->index);
}

void set_wake_members(struct vmr_vp_set *set)
{
    for (uint32_t i = 0; i < set->member_count; i++)
        wake_member(&set->members[i]);
}

bool set_record_halt(struct vmr_vp_set *set, vmr_vp_index vp, const struct vmr_run_result *result)
{
    if (set->halted)
        return false;
    set->halted = true;
    set->halt = (struct vmr_vp_set_halt){.vp = vp, .result = *result};
    set_wake_members(set);
    set_wake_waiters(set);
    return true;
}

/* --- waiting: with the lock held, which is given up meanwhile --- */

static enum vmr_status waiter_begin(struct vmr_vp_set *set, struct set_waiter *waiter)
{
    enum vmr_status status = set->host->ops->parker_create(set->host->context, &waiter->parker);

    if (status)
        return status;
    waiter->next = set->waiters;
    set->waiters = waiter;
    return VMR_OK;
}

static void waiter_end(struct vmr_vp_set *set, struct set_waiter *waiter)
{
    struct set_waiter **link = &set->waiters;

    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    set->host->ops->parker_destroy(set->host->context, waiter->parker);
}

static enum vmr_park_result wait_for_change(struct vmr_vp_set *set, struct set_waiter *waiter, uint64_t deadline_ns)
{
    sync_mutex_unlock(&set->lock);
    enum vmr_park_result result = set->host->ops->park(set->host->context, waiter->parker, deadline_ns);

    sync_mutex_lock(&set->lock);
    return result;
}

/* Waits until `is_over(set, argument)`, the deadline, or a deadlock, and ends the waiter. */
static enum vmr_park_result wait_until(struct vmr_vp_set *set, struct set_waiter *waiter,
                                       bool (*is_over)(struct vmr_vp_set *set, void *argument), void *argument,
                                       uint64_t deadline_ns)
{
    enum vmr_park_result result = VMR_PARK_WOKEN;

    while (!is_over(set, argument) && result == VMR_PARK_WOKEN)
        result = wait_for_change(set, waiter, deadline_ns);
    if (is_over(set, argument))
        result = VMR_PARK_WOKEN;
    waiter_end(set, waiter);
    return result;
}

/* --- creating and destroying --- */

static bool all_ready(struct vmr_vp_set *set, void *argument)
{
    (void)argument;
    for (uint32_t i = 0; i < set->member_count; i++) {
        if (!set->members[i].ready)
            return false;
    }
    return true;
}

static bool make_members(struct vmr_vp_set *set)
{
    uint32_t count = vmr_partition_vp_count(set->partition);

    set->members = calloc(count, sizeof(*set->members));
    for (uint32_t i = 0; set->members && i < count; i++)
        set->members[i] = (struct set_member){.set = set, .index = i};
    return set->members != NULL;
}

static enum vmr_status start_members(struct vmr_vp_set *set)
{
    const struct vmr_host *host = set->host;
    enum vmr_status status = VMR_OK;
    uint32_t count = vmr_partition_vp_count(set->partition);

    for (uint32_t i = 0; !status && i < count; i++)
        status = host->ops->parker_create(host->context, &set->members[i].parker);
    for (uint32_t i = 0; !status && i < count; i++) {
        status = host->ops->thread_start(host->context, "vmrig-vp", set_member_main, &set->members[i],
                                         &set->members[i].thread);
        if (!status) {
            sync_mutex_lock(&set->lock);
            set->member_count = i + 1;
            sync_mutex_unlock(&set->lock);
        }
    }
    return status;
}

static enum vmr_status await_members(struct vmr_vp_set *set)
{
    struct set_waiter waiter = {0};

    sync_mutex_lock(&set->lock);
    enum vmr_status status = waiter_begin(set, &waiter);

    if (!status && wait_until(set, &waiter, all_ready, NULL, VMR_NEVER) == VMR_PARK_DEADLOCK)
        status = VMR_E_DEADLOCK;
    sync_mutex_unlock(&set->lock);
    return status;
}

static enum vmr_status set_begin(struct vmr_vp_set *set, struct vmr_error *err)
{
    if (!make_members(set))
        return vmr_error_set(err, VMR_E_NOMEM, "VP set: out of memory");
    enum vmr_status status;

    if (partition_is_managed(set->partition)) {
        status = set_managed_begin(set, err);
        if (status)
            return status;
    } else {
        status = start_members(set);
    }
    if (!status)
        status = await_members(set);
    if (status)
        return vmr_error_set(err, status, "VP set: the host could not start its threads");
    if (set->create_error.status != VMR_OK) {
        if (err)
            *err = set->create_error;
        return set->create_error.status;
    }
    status = vp_clock_create(set->partition, &set->clock);
    return status ? vmr_error_set(err, status, "VP set: the host could not start its clock") : VMR_OK;
}

enum vmr_status vmr_vp_set_create(struct vmr_partition *partition, const struct vmr_vp_set_options *options,
                                  struct vmr_vp_set **ret_set, struct vmr_error *err)
{
    if (!options->io)
        return vmr_error_set(err, VMR_E_USAGE, "VP set: options.io is missing");
    struct vmr_vp_set *set = calloc(1, sizeof(*set));

    if (!set)
        return vmr_error_set(err, VMR_E_NOMEM, "VP set: out of memory");
    set->partition = partition;
    set->host = vmr_partition_host(partition);
    set->options = *options;
    if (sync_mutex_init(&set->lock, set->host)) {
        free(set);
        return vmr_error_set(err, VMR_E_NOMEM, "VP set: out of memory");
    }
    enum vmr_status status = set_begin(set, err);

    if (status) {
        vmr_vp_set_destroy(set);
        return status;
    }
    *ret_set = set;
    return VMR_OK;
}

void vmr_vp_set_destroy(struct vmr_vp_set *set)
{
    if (!set)
        return;
    const struct vmr_host *host = set->host;

    sync_mutex_lock(&set->lock);
    set->phase = SET_ENDING;
    set_wake_members(set);
    sync_mutex_unlock(&set->lock);
    if (set->is_managed)
        set_managed_end(set);
    for (uint32_t i = 0; i < set->member_count; i++) {
        if (set->members[i].thread)
            host->ops->thread_join(host->context, set->members[i].thread);
    }
    vp_clock_destroy(set->clock);
    for (uint32_t i = 0; set->members && i < vmr_partition_vp_count(set->partition); i++)
        host->ops->parker_destroy(host->context, set->members[i].parker);
    free(set->members);
    sync_mutex_finish(&set->lock);
    free(set);
}

/* --- start and stop --- */

/* Its thread takes no calls any more. */
static bool any_ended(const struct vmr_vp_set *set)
{
    for (uint32_t i = 0; i < set->member_count; i++) {
        if (set->members[i].ended)
            return true;
    }
    return false;
}

static bool any_failed(const struct vmr_vp_set *set)
{
    for (uint32_t i = 0; i < set->member_count; i++) {
        if (set->members[i].failed)
            return true;
    }
    return false;
}

enum vmr_status vmr_vp_set_start(struct vmr_vp_set *set)
{
    enum vmr_status status = VMR_OK;

    sync_mutex_lock(&set->lock);
    if (set->phase != SET_STOPPED || set->resetting || any_failed(set) || !vmr_partition_is_usable(set->partition)) {
        status = VMR_E_STATE;
    } else if (set->is_managed) {
        status = set_managed_start(set);
    } else {
        set_wake_members(set);
    }
    if (!status) {
        set->phase = SET_RUNNING;
        set->halted = false;
    }
    sync_mutex_unlock(&set->lock);
    return status;
}

enum vmr_status vmr_vp_set_hold(struct vmr_vp_set *set, vmr_vp_index vp, bool held)
{
    enum vmr_status status = VMR_OK;

    if (vp >= set->member_count)
        return VMR_E_USAGE;
    sync_mutex_lock(&set->lock);
    if (set->phase == SET_STOPPED)
        set->members[vp].held = held;
    else
        status = VMR_E_STATE;
    sync_mutex_unlock(&set->lock);
    return status;
}

static bool all_acknowledged(struct vmr_vp_set *set, void *argument)
{
    const uint64_t *generation = argument;

    for (uint32_t i = 0; i < set->member_count; i++) {
        if (PLANT(STALE_ACK) ? set->members[i].acknowledged == 0 : set->members[i].acknowledged < *generation)
            return false;
    }
    return true;
}

enum vmr_status vmr_vp_set_stop(struct vmr_vp_set *set)
{
    struct set_waiter waiter = {0};

    sync_mutex_lock(&set->lock);
    enum vmr_status status = waiter_begin(set, &waiter); /* first: what fails changes nothing [ERR-1] */

    if (!status) {
        uint64_t generation = ++set->stop_generation;

        set->phase = SET_STOPPED;
        if (set->is_managed)
            set_managed_stop(set);
        set_wake_members(set);
        if (wait_until(set, &waiter, all_acknowledged, &generation, VMR_NEVER) == VMR_PARK_DEADLOCK)
            status = VMR_E_DEADLOCK;
    }
    sync_mutex_unlock(&set->lock);
    return status;
}

/* --- halts --- */

static bool all_quiet(const struct vmr_vp_set *set)
{
    for (uint32_t i = 0; i < set->member_count; i++) {
        if (set->members[i].in_run)
            return false;
    }
    return true;
}

/* What a wait saw, kept at once: a stop and a start may follow before the waiter's thread gets to run. [SET-5] */
struct wait_outcome {
    bool halted;
    struct vmr_vp_set_halt halt;
};

/* A halt is reported when no VP is in a run any more; a stop without a halt leaves nothing to wait for. */
static bool wait_is_over(struct vmr_vp_set *set, void *argument)
{
    struct wait_outcome *outcome = argument;

    if (!set->halted)
        return set->phase != SET_RUNNING;
    outcome->halted = all_quiet(set);
    outcome->halt = set->halt;
    return outcome->halted;
}

enum vmr_status vmr_vp_set_wait(struct vmr_vp_set *set, uint64_t deadline_ns, struct vmr_vp_set_halt *ret_halt)
{
    struct set_waiter waiter = {0};
    struct wait_outcome outcome = {0};
    enum vmr_park_result result = VMR_PARK_WOKEN;

    sync_mutex_lock(&set->lock);
    enum vmr_status status = waiter_begin(set, &waiter);

    if (!status)
        result = wait_until(set, &waiter, wait_is_over, &outcome, deadline_ns);
    sync_mutex_unlock(&set->lock);
    if (status)
        return status;
    if (result == VMR_PARK_DEADLOCK)
        return VMR_E_DEADLOCK;
    if (result == VMR_PARK_WOKEN && !outcome.halted)
        return VMR_E_STATE;
    *ret_halt = result == VMR_PARK_WOKEN ? outcome.halt : (struct vmr_vp_set_halt){0};
    return VMR_OK;
}

bool vmr_vp_set_halt_all(struct vmr_vp_set *set, vmr_vp_index vp, enum vmr_halt_reason reason)
{
    const struct vmr_run_result result = {.kind = VMR_RUN_HALTED, .reason = reason};

    if (reason <= VMR_HALT_NONE || reason >= VMR_HALT_REASON_COUNT)
        return false; /* a wait would not know it from a deadline */
    sync_mutex_lock(&set->lock);
    bool first = set_record_halt(set, vp, &result);

    sync_mutex_unlock(&set->lock);
    return first;
}

/* --- calls --- */

static void call_queue(struct set_member *member, struct set_call *call)
{
    struct set_call **link = &member->calls;

    while (*link)
        link = &(*link)->next;
    *link = call;
    wake_member(member);
}

/* The call is on the caller's stack: nobody may reach it once the caller has left. */
static void call_unqueue(struct set_member *member, const struct set_call *call)
{
    for (struct set_call **link = &member->calls; *link; link = &(*link)->next) {
        if (*link == call) {
            *link = call->next;
            return;
        }
    }
}

enum vmr_status vmr_vp_set_call(struct vmr_vp_set *set, vmr_vp_index vp,
                                enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument)
{
    struct set_call call = {.function = function, .argument = argument, .status = VMR_E_DEADLOCK};
    struct set_waiter waiter = {0};

    if (vp >= set->member_count)
        return VMR_E_USAGE;
    sync_mutex_lock(&set->lock);
    bool too_late = set->phase == SET_ENDING || set->members[vp].ended;
    enum vmr_status status = too_late ? VMR_E_STATE : waiter_begin(set, &waiter);

    if (!status) {
        enum vmr_park_result result = VMR_PARK_WOKEN;

        call_queue(&set->members[vp], &call);
        while (!call.done && result != VMR_PARK_DEADLOCK)
            result = wait_for_change(set, &waiter, VMR_NEVER);
        call_unqueue(&set->members[vp], &call);
        waiter_end(set, &waiter);
        status = call.status;
    }
    sync_mutex_unlock(&set->lock);
    return status;
}

/* --- reset --- */

struct reset_call {
    struct set_call call;
    struct vmr_error err;
};

static enum vmr_status reset_one(void *argument, struct vmr_vp *vp)
{
    struct reset_call *reset = argument;

    return vmr_vp_reset(vp, &reset->err);
}

/* All at once. VMR_E_DEADLOCK: a virtual host knows that one of them is never done. */
static enum vmr_status reset_members(struct vmr_vp_set *set, struct set_waiter *waiter, struct reset_call *resets,
                                     struct vmr_error *err)
{
    enum vmr_park_result result = VMR_PARK_WOKEN;
    uint32_t done = 0;

    for (uint32_t i = 0; i < set->member_count; i++) {
        resets[i].call = (struct set_call){.function = reset_one, .argument = &resets[i], .status = VMR_E_DEADLOCK};
        call_queue(&set->members[i], &resets[i].call);
    }
    while (done < set->member_count && result != VMR_PARK_DEADLOCK) {
        if (resets[done].call.done)
            done++;
        else
            result = wait_for_change(set, waiter, VMR_NEVER);
    }
    for (uint32_t i = 0; i < set->member_count; i++)
        call_unqueue(&set->members[i], &resets[i].call);
    for (uint32_t i = 0; i < set->member_count; i++) {
        if (resets[i].call.status == VMR_OK)
            continue;
        (void)vmr_error_set(err, resets[i].call.status, "%.220s",
                            resets[i].err.message[0] ? resets[i].err.message : "reset: a VP cannot be reached");
        return resets[i].call.status;
    }
    return VMR_OK;
}

/* With the lock held, and given up meanwhile. */
static enum vmr_status reset_all(struct vmr_vp_set *set, struct reset_call *resets, struct vmr_error *err)
{
    struct set_waiter waiter = {0};
    enum vmr_status status = waiter_begin(set, &waiter);

    if (status)
        return vmr_error_set(err, status, "VP set: out of memory");
    sync_mutex_unlock(&set->lock);
    status = vmr_partition_reset(set->partition, err);
    sync_mutex_lock(&set->lock);
    if (!status)
        status = reset_members(set, &waiter, resets, err);
    waiter_end(set, &waiter);
    return status;
}

enum vmr_status vmr_vp_set_reset(struct vmr_vp_set *set, struct vmr_error *err)
{
    struct reset_call *resets = calloc(vmr_partition_vp_count(set->partition), sizeof(*resets));
    enum vmr_status status = VMR_OK;

    if (!resets)
        return vmr_error_set(err, VMR_E_NOMEM, "VP set: out of memory");
    sync_mutex_lock(&set->lock);
    bool rests = (set->phase == SET_STOPPED || (set->phase == SET_RUNNING && set->halted)) && all_quiet(set);

    if (!rests || set->resetting || any_ended(set)) {
        status = vmr_error_set(err, VMR_E_STATE, "VP set: %s",
                               any_ended(set)   ? "a VP's thread has ended"
                               : set->resetting ? "it is being reset"
                                                : "it runs");
    } else {
        set->resetting = true;
        status = reset_all(set, resets, err);
        set->resetting = false;
        if (!status) {
            for (uint32_t i = 0; i < set->member_count; i++)
                set->members[i].failed = set->members[i].ended;
            if (set->is_managed)
                set_managed_stop(set);
            set->phase = set->phase == SET_ENDING ? SET_ENDING : SET_STOPPED;
            set->halted = false;
        }
    }
    set_wake_waiters(set); /* a halt that is waited for may be none any more */
    sync_mutex_unlock(&set->lock);
    free(resets);
    return status;
}
