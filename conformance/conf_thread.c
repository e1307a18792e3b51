/* SPDX-License-Identifier: MIT */
/*
 * The scenario's threads, and waiting. All of it through the host's calls, so
 * that under a scheduling host threads are coroutines and waiting is virtual.
 */

#include "conformance/harness.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PAUSE_NS UINT64_C(1000000)
/* Under a scheduler: pauses before a wait counts as failed. */
#define WAIT_PAUSES 8000u

/* Until when something is waited for. */
struct patience {
    const struct conf *conf;
    unsigned pauses;
    uint64_t end_ns; /* real threads */
};

/* Less than the watchdog's, so that what was waited for is named. */
static struct patience patience_begin(const struct conf *conf)
{
    const struct vmr_host *host = conf->host;

    return (struct patience){.conf = conf,
                             .end_ns = host->ops->now_ns(host->context) + conf->state->patience_ns / 5 * 4};
}

/* Counts one more pause. Under a scheduler time stands still while a guest polls. */
static bool patience_lasts(struct patience *patience)
{
    const struct conf *conf = patience->conf;

    if (conf->state->scheduler)
        return patience->pauses++ < WAIT_PAUSES;
    return conf->host->ops->now_ns(conf->host->context) < patience->end_ns;
}

static void worker_body(void *argument)
{
    struct conf_worker *worker = argument;
    struct conf_state *state = worker->conf->state;

    worker->body(worker->argument);
    pthread_mutex_lock(&state->lock);
    worker->done = true;
    pthread_mutex_unlock(&state->lock);
}

static void link_worker(struct conf_state *state, struct conf_worker *worker)
{
    pthread_mutex_lock(&state->lock);
    worker->next = state->workers;
    state->workers = worker;
    state->threads++;
    pthread_mutex_unlock(&state->lock);
}

static bool unlink_worker(struct conf_state *state, struct conf_worker *worker)
{
    pthread_mutex_lock(&state->lock);
    struct conf_worker **link = &state->workers;

    while (*link && *link != worker)
        link = &(*link)->next;
    bool found = *link != NULL;

    if (found)
        *link = worker->next;
    pthread_mutex_unlock(&state->lock);
    return found;
}

struct vmr_thread *conf_thread(struct conf *conf, void (*body)(void *argument), void *argument)
{
    const struct vmr_host *host = conf->host;
    struct conf_worker *worker = calloc(1, sizeof(*worker));

    if (!worker) {
        conf_fail(conf, __FILE__, __LINE__, "out of memory");
        return NULL;
    }
    *worker = (struct conf_worker){.conf = conf, .body = body, .argument = argument};
    link_worker(conf->state, worker);
    enum vmr_status status = host->ops->thread_start(host->context, "conf", worker_body, worker, &worker->thread);

    if (status == VMR_OK)
        return worker->thread;
    (void)unlink_worker(conf->state, worker);
    free(worker);
    conf_fail(conf, __FILE__, __LINE__, "starting a thread: %s", vmr_status_name(status));
    return NULL;
}

static void join_worker(struct conf *conf, struct conf_worker *worker)
{
    if (!unlink_worker(conf->state, worker))
        return;
    conf->host->ops->thread_join(conf->host->context, worker->thread);
    free(worker);
}

void conf_join(struct conf *conf, struct vmr_thread *thread)
{
    struct conf_state *state = conf->state;
    struct conf_worker *worker;

    pthread_mutex_lock(&state->lock);
    for (worker = state->workers; worker && worker->thread != thread; worker = worker->next)
        ;
    pthread_mutex_unlock(&state->lock);
    if (worker)
        join_worker(conf, worker);
}

/* On a real host the watchdog calls this while VMs come and go; under a scheduling host it must not hold the lock. */
void conf_kick_all(struct conf *conf)
{
    struct conf_state *state = conf->state;

    if (!state->scheduler)
        pthread_mutex_lock(&state->lock);
    for (struct conf_vm_state *vm = state->vms; vm; vm = vm->next) {
        for (vmr_vp_index vp = 0; vp < vm->vm.vp_count; vp++)
            (void)vmr_partition_kick(vm->vm.partition, vp);
    }
    if (!state->scheduler)
        pthread_mutex_unlock(&state->lock);
}

static bool all_done(struct conf_state *state)
{
    bool done = true;

    pthread_mutex_lock(&state->lock);
    for (struct conf_worker *worker = state->workers; worker; worker = worker->next)
        done = done && worker->done;
    pthread_mutex_unlock(&state->lock);
    return done;
}

void conf_workers_finish(struct conf *conf)
{
    struct conf_state *state = conf->state;

    if (!state->workers)
        return;
    pthread_mutex_lock(&state->lock);
    state->over = true;
    pthread_mutex_unlock(&state->lock);
    struct patience patience = patience_begin(conf);

    while (!all_done(state) && patience_lasts(&patience)) {
        conf_kick_all(conf);
        conf_pause(conf);
    }
    while (state->workers)
        join_worker(conf, state->workers);
}

void conf_pause(struct conf *conf)
{
    const struct vmr_host *host = conf->host;
    struct vmr_parker *parker;

    /* Not a park until a deadline: time stands still for as long as a guest polls. */
    if (conf->state->scheduler) {
        vmr_scheduler_pause(conf->state->scheduler, PAUSE_NS);
        return;
    }
    if (host->ops->parker_create(host->context, &parker) != VMR_OK)
        return;
    (void)host->ops->park(host->context, parker, host->ops->now_ns(host->context) + PAUSE_NS);
    host->ops->parker_destroy(host->context, parker);
}

bool conf_wait(struct conf *conf, bool (*condition)(void *argument), void *argument, const char *what)
{
    struct patience patience = patience_begin(conf);

    while (!conf_over(conf) && patience_lasts(&patience)) {
        if (condition(argument))
            return true;
        conf_pause(conf);
    }
    if (conf_over(conf))
        return false;
    conf_fail(conf, __FILE__, __LINE__, "waited in vain for: %s", what);
    pthread_mutex_lock(&conf->state->lock);
    conf->state->hung = true;
    pthread_mutex_unlock(&conf->state->lock);
    return false;
}

static bool latch_is_set(void *argument)
{
    struct conf_latch *latch = argument;

    return atomic_load(&latch->value) != 0;
}

void conf_latch_set(struct conf_latch *latch)
{
    atomic_store(&latch->value, 1);
}

bool conf_latch_wait(struct conf *conf, struct conf_latch *latch, const char *what)
{
    return conf_wait(conf, latch_is_set, latch, what);
}

struct checkpoint_wait {
    struct conf_vm *vm;
    vmr_vp_index vp;
    uint32_t number;
};

static bool checkpoint_is_reached(void *argument)
{
    const struct checkpoint_wait *wait = argument;
    struct conf_state *state = wait->vm->conf->state;

    pthread_mutex_lock(&state->lock);
    bool reached = wait->vm->reports[wait->vp].checkpoint >= wait->number;

    pthread_mutex_unlock(&state->lock);
    return reached;
}

bool conf_wait_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct checkpoint_wait wait = {.vm = vm, .vp = vp, .number = number};

    return conf_wait(vm->conf, checkpoint_is_reached, &wait, "a checkpoint of the guest's");
}
