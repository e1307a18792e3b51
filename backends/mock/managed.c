/* SPDX-License-Identifier: MIT */
/*
 * managed=true: the mock runs its VPs itself, each on a thread that the host
 * makes. Under the scheduler these are coroutines like all others, so that every
 * order of starts, stops and turns can be tried.
 *
 * A thread runs its VP once after each start, until it is told that the VP rests:
 * `rests_since` holds the start that it has had enough of.
 */

#include <stdlib.h>

#include "backends/mock/machine.h"

struct managed_vp {
    struct managed *managed;
    vmr_vp_index index;
    struct vmr_thread *thread;
    struct vmr_parker *parker;
    /* under the lock */
    bool asked;
    uint64_t rests_since;
};

struct managed {
    const struct vmr_host *host;
    const struct vmr_managed_vps *library;
    uint32_t thread_count; /* started */
    uint32_t vp_count;
    struct sync_mutex lock; /* guards what follows, and nothing is called with it held */
    bool started, ending;
    uint64_t starts;
    struct managed_vp vps[];
};

/* --- a VP's thread --- */

enum turn {
    TURN_REST,
    TURN_SERVE,
    TURN_RUN
};

/* With the lock held. */
static enum turn next_turn(struct managed_vp *vp)
{
    const struct managed *managed = vp->managed;
    bool asked = vp->asked;

    vp->asked = false;
    if (managed->started && vp->rests_since != managed->starts)
        return TURN_RUN;
    return asked ? TURN_SERVE : TURN_REST;
}

/* One turn, with the lock held, and given up meanwhile. False: a virtual host knows that there will be no other. */
static bool take_turn(struct managed_vp *vp)
{
    struct managed *managed = vp->managed;
    const struct vmr_host *host = managed->host;
    enum turn turn = next_turn(vp);
    uint64_t start = managed->starts;
    bool goes_on = true, rests = false;

    sync_mutex_unlock(&managed->lock);
    if (turn == TURN_RUN)
        rests = !managed->library->vp_run(managed->library->context, vp->index);
    else if (turn == TURN_SERVE)
        managed->library->vp_serve(managed->library->context, vp->index);
    else
        goes_on = host->ops->park(host->context, vp->parker, VMR_NEVER) != VMR_PARK_DEADLOCK;
    sync_mutex_lock(&managed->lock);
    if (rests)
        vp->rests_since = start;
    return goes_on;
}

static void thread_main(void *argument)
{
    struct managed_vp *vp = argument;
    struct managed *managed = vp->managed;

    managed->library->vp_begin(managed->library->context, vp->index);
    sync_mutex_lock(&managed->lock);
    while (!managed->ending && take_turn(vp))
        ;
    sync_mutex_unlock(&managed->lock);
    managed->library->vp_end(managed->library->context, vp->index);
}

/* --- the operations --- */

static void wake_all(const struct managed *managed)
{
    for (uint32_t i = 0; i < managed->thread_count; i++)
        managed->host->ops->unpark(managed->host->context, managed->vps[i].parker);
}

/* Accepts what begin_threads left when it failed. */
static void managed_free(struct managed *managed)
{
    const struct vmr_host *host = managed->host;

    sync_mutex_lock(&managed->lock);
    managed->ending = true;
    sync_mutex_unlock(&managed->lock);
    wake_all(managed);
    for (uint32_t i = 0; i < managed->thread_count; i++)
        host->ops->thread_join(host->context, managed->vps[i].thread);
    for (uint32_t i = 0; i < managed->vp_count; i++)
        host->ops->parker_destroy(host->context, managed->vps[i].parker);
    sync_mutex_finish(&managed->lock);
    free(managed);
}

static enum vmr_status begin_threads(struct managed *managed, struct vmr_error *err)
{
    const struct vmr_host *host = managed->host;

    for (uint32_t i = 0; i < managed->vp_count; i++) {
        struct managed_vp *vp = &managed->vps[i];

        vp->managed = managed;
        vp->index = i;
        if (host->ops->parker_create(host->context, &vp->parker) ||
            host->ops->thread_start(host->context, "mock-vp", thread_main, vp, &vp->thread))
            return vmr_error_set(err, VMR_E_HOST, "mock: the host has no thread for VP %u", i);
        managed->thread_count++;
    }
    return VMR_OK;
}

static enum vmr_status managed_begin(struct vmr_backend_vm *vm, const struct vmr_managed_vps *vps,
                                     struct vmr_error *err)
{
    struct managed *managed = calloc(1, sizeof(*managed) + vm->vp_count * sizeof(managed->vps[0]));

    if (!managed)
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    managed->host = vm->host;
    managed->library = vps;
    managed->vp_count = vm->vp_count;
    if (sync_mutex_init(&managed->lock, vm->host)) {
        free(managed);
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    }
    enum vmr_status status = begin_threads(managed, err);

    if (status)
        managed_free(managed);
    else
        vm->managed = managed;
    return status;
}

static void managed_end(struct vmr_backend_vm *vm)
{
    managed_free(vm->managed);
    vm->managed = NULL;
}

static enum vmr_status managed_start(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    struct managed *managed = vm->managed;
    enum vmr_status status = fault_call(vm->hypervisor, "starting the VPs", err);

    if (status)
        return status;
    sync_mutex_lock(&managed->lock);
    managed->started = true;
    managed->starts++;
    sync_mutex_unlock(&managed->lock);
    wake_all(managed);
    return VMR_OK;
}

static void managed_stop(struct vmr_backend_vm *vm)
{
    struct managed *managed = vm->managed;

    sync_mutex_lock(&managed->lock);
    managed->started = false;
    sync_mutex_unlock(&managed->lock);
}

static void managed_ask(struct vmr_backend_vm *vm, vmr_vp_index vp)
{
    struct managed *managed = vm->managed;

    sync_mutex_lock(&managed->lock);
    managed->vps[vp].asked = true;
    sync_mutex_unlock(&managed->lock);
    managed->host->ops->unpark(managed->host->context, managed->vps[vp].parker);
}

const struct vmr_backend_managed mock_managed = {
    .begin = managed_begin,
    .end = managed_end,
    .start = managed_start,
    .stop = managed_stop,
    .ask = managed_ask,
};
