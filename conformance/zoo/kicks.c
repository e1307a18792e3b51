/* SPDX-License-Identifier: MIT */
/* Kicks that get lost, and what comes back from a step that was interrupted. */

#include <stdatomic.h>
#include <time.h>

#include "conformance/zoo/zoo.h"

/* --- kicks --- */

static void kick_never(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static void make_deaf(struct vmr_backend *table)
{
    table->vp_kick = kick_never;
}

static void run_noted(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    atomic_store(&zoo->inside, 1);
    zoo->base->vp_run(vp, vp_exit);
    atomic_store(&zoo->inside, 0);
}

/* As where the request to leave is cleared on the way in: between the loop's last look and the entry kicks are lost. */
static void run_late(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    const struct vmr_host *host = zoo_vp(vp)->vm->host;
    const struct timespec while_ns = {.tv_nsec = 20000};

    if (host->ops->schedule)
        host->ops->schedule->point(host->context, vp);
    else
        (void)nanosleep(&while_ns, NULL);
    run_noted(vp, vp_exit);
}

static void kick_inside(struct vmr_backend_vp *vp)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (atomic_load(&zoo->inside))
        zoo->base->vp_kick(vp);
}

static void make_early_kick_lost(struct vmr_backend *table)
{
    table->vp_run = run_late;
    table->vp_kick = kick_inside;
}

static void kick_outside(struct vmr_backend_vp *vp)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (!atomic_load(&zoo->inside))
        zoo->base->vp_kick(vp);
}

static void make_kick_lost_in_guest(struct vmr_backend *table)
{
    table->vp_run = run_noted;
    table->vp_kick = kick_outside;
}

static void kick_every_other(struct vmr_backend_vp *vp)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (atomic_fetch_add(&zoo->count, 1) % 2 == 0)
        zoo->base->vp_kick(vp);
}

static void make_every_other(struct vmr_backend *table)
{
    table->vp_kick = kick_every_other;
}

static void kick_once(struct vmr_backend_vp *vp)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (atomic_fetch_add(&zoo->count, 1) == 0)
        zoo->base->vp_kick(vp);
}

static void make_kick_works_once(struct vmr_backend *table)
{
    table->vp_kick = kick_once;
}

/* --- what an interrupted step gives --- */

static void run_replaying(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    zoo->base->vp_run(vp, vp_exit);
    if (vp_exit->kind == VMR_EXIT_CANCEL && zoo->last.kind == VMR_EXIT_IO)
        *vp_exit = zoo->last;
    else
        zoo->last = *vp_exit;
}

static void make_cancel_replays(struct vmr_backend *table)
{
    table->vp_run = run_replaying;
}

static void run_failing(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    zoo_vp(vp)->base->vp_run(vp, vp_exit);
    if (vp_exit->kind != VMR_EXIT_CANCEL)
        return;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL};
    vp_exit->u.fail.cause = VMR_FAIL_HOST;
    vp_exit->u.fail.code = 4; /* EINTR */
}

static void make_cancel_fails(struct vmr_backend *table)
{
    table->vp_run = run_failing;
}

static void run_halting(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    zoo_vp(vp)->base->vp_run(vp, vp_exit);
    if (vp_exit->kind == VMR_EXIT_CANCEL)
        vp_exit->kind = VMR_EXIT_SHUTDOWN;
}

static void make_cancel_shuts_down(struct vmr_backend *table)
{
    table->vp_run = run_halting;
}

/* --- clean points --- */

/* What is pending is dropped: the guest never gets its answer, or does the access again. */
static void complete_nothing(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    (void)vp;
    *vp_exit = (struct vmr_exit){0};
}

static void make_never_completes(struct vmr_backend *table)
{
    table->vp_complete = complete_nothing;
}

static void complete_and_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    zoo->base->vp_run(vp, vp_exit);
}

static void make_completes_by_running(struct vmr_backend *table)
{
    table->vp_complete = complete_and_run;
}

#define ANIMAL(function, clause_, filter_, defect_, origin_, kvm)                                                      \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .clause = (clause_), .filter = (filter_), .defect = (defect_),     \
        .origin = (origin_), .on_kvm = (kvm)                                                                           \
    }

static const struct zoo_animal animals[] = {
    ANIMAL(deaf, "RUN-3", "stop/*", "kicks do nothing", NULL, true),
    ANIMAL(early_kick_lost, "RUN-3", "stop/*", "a kick before the step is forgotten at its entry",
           "arcbox: immediate_exit is cleared just before the run", true),
    ANIMAL(kick_lost_in_guest, "RUN-3", "stop/*", "a kick while the guest runs waits for its next exit",
           "openvmm #3917: a lost wake-up", true),
    ANIMAL(every_other, "RUN-3", "stop/*", "every second kick is lost", NULL, true),
    ANIMAL(kick_works_once, "RUN-3", "stop/*", "a VP can be kicked once", "arcbox #258: stop hangs", true),
    ANIMAL(cancel_replays, "EXIT-9", "*", "an interrupted step yields the exit before once more",
           "arcbox: EINTR becomes success, and the old exit is decoded again", true),
    ANIMAL(cancel_fails, "EXIT-9", "*", "an interrupted step is a failure", NULL, true),
    ANIMAL(cancel_shuts_down, "EXIT-9", "*", "an interrupted step is a triple fault", NULL, true),
    ANIMAL(never_completes, "EXIT-6", "*", "an exit is not finished before the VP is left",
           "OpenVMM: a pending MMIO read was lost by a stop", true),
    ANIMAL(completes_by_running, "EXIT-6", "*", "the guest runs on while its exit is finished", NULL, false),
};

const struct zoo_house zoo_kicks = {animals, sizeof(animals) / sizeof(animals[0])};
