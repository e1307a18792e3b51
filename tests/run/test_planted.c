/* SPDX-License-Identifier: MIT */
/*
 * The search over schedules, judged: each of three bugs that are planted in the
 * library is found with at most two preemptions, and without them nothing is
 * found. Linked with the copy of the library that holds the plants. [RUN-2] [RUN-3] [SET-4]
 */

#include "lib/base/plant.h"

#include "tests/run/fixture.h"

#include "vmrig/mock.h"
#include "vmrig/vp_set.h"

#define PREEMPTION_MAX 2u
/* Where nothing is planted the search goes further: it is cheap. */
#define CLEAN_PREEMPTION_MAX 4u

static enum plant planted;

bool vmr_plant(enum plant plant)
{
    return plant == planted;
}

struct world {
    struct vmr_host host;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_stop_source *stop;
    bool wrong; /* what the oracle saw */
};

/* --- a kick, and perhaps a yield, against one VP whose guest never exits by itself --- */

static enum vmr_halt_reason run_bound(struct vmr_vp *vp, struct vmr_stop_source *stop)
{
    const struct vmr_vp_io io = {0};
    struct vmr_run_result result = {0};

    if (vmr_vp_run(vp, stop, &io, &result) != VMR_OK)
        return VMR_HALT_FATAL;
    return result.reason;
}

/* One kick and one yield were asked for: two runs end, one for each. A guest that was left alone faults. */
static void run_twice(void *argument)
{
    struct world *world = argument;
    struct vmr_vp *vp;
    unsigned cancels = 0, yields = 0;

    if (vmr_partition_bind(world->rig.partition, 0, &vp, NULL) != VMR_OK) {
        world->wrong = true;
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        enum vmr_halt_reason reason = run_bound(vp, NULL);

        cancels += reason == VMR_HALT_CANCEL;
        yields += reason == VMR_HALT_NONE;
    }
    if (cancels != 1 || yields != 1)
        world->wrong = true;
    vmr_vp_unbind(vp);
}

static void kick_and_yield(void *argument)
{
    struct world *world = argument;
    const struct vmr_host *host = &world->host;
    struct vmr_thread *thread;

    if (host->ops->thread_start(host->context, "vp", run_twice, world, &thread) != VMR_OK) {
        world->wrong = true;
        return;
    }
    (void)vmr_partition_kick(world->rig.partition, 0);
    (void)vmr_partition_request_yield(world->rig.partition, 0);
    host->ops->thread_join(host->context, thread);
}

/* --- a wake, an NMI and a stop, which must not take each other along --- */

static void run_until_stop(void *argument)
{
    struct world *world = argument;
    struct vmr_vp *vp;

    if (vmr_partition_bind(world->rig.partition, 0, &vp, NULL) != VMR_OK ||
        run_bound(vp, world->stop) != VMR_HALT_STOP) {
        world->wrong = true;
        return;
    }
    vmr_vp_unbind(vp);
}

static void wake_and_stop(void *argument)
{
    struct world *world = argument;
    const struct vmr_host *host = &world->host;
    struct vmr_thread *thread;

    if (vmr_stop_create(host, &world->stop) != VMR_OK ||
        host->ops->thread_start(host->context, "vp", run_until_stop, world, &thread) != VMR_OK) {
        world->wrong = true;
        return;
    }
    vmr_partition_wake(world->rig.partition, 0);
    if (vmr_partition_nmi(world->rig.partition, 0) != VMR_OK)
        world->wrong = true;
    vmr_stop_set(world->stop);
    host->ops->thread_join(host->context, thread);
    /* Either the run has injected the NMI, or the VP has it still. */
    uint32_t waiting = atomic_load(&partition_vp(world->rig.partition, 0)->requests) & REQUEST_NMI;

    if (fake_count(&world->fake, FAKE_NMI) + (waiting != 0) != 1)
        world->wrong = true;
    vmr_stop_destroy(world->stop);
}

/* --- a VP set: start, stop, start, stop; after each stop the VP rests --- */

static void start_stop_twice(void *argument)
{
    struct world *world = argument;
    const struct vmr_vp_io io = {0};
    const struct vmr_vp_set_options options = {.io = &io};
    struct vmr_vp_set *set = NULL;

    if (vmr_vp_set_create(world->rig.partition, &options, &set, NULL) != VMR_OK) {
        world->wrong = true;
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (vmr_vp_set_start(set) != VMR_OK || vmr_vp_set_stop(set) != VMR_OK)
            world->wrong = true;
        if (fake_count(&world->fake, FAKE_VP_ENTER) != fake_count(&world->fake, FAKE_VP_LEAVE))
            world->wrong = true;
    }
    vmr_vp_set_destroy(set);
}

/* --- the search --- */

static enum vmr_schedule_end run_one(struct vmr_scheduler *scheduler, void (*body)(void *argument), struct world *world)
{
    *world = (struct world){0};
    vmr_scheduler_host(scheduler, &world->host);
    fake_init(&world->fake);
    world->fake.patience_ns = 1000000; /* of virtual time, which passes when nobody else can move */
    fake_rig_init(&world->rig, &world->fake, &world->host, 1);
    enum vmr_schedule_end end = vmr_scheduler_run(scheduler, body, world);

    if (end == VMR_SCHEDULE_DONE)
        fake_rig_finish(&world->rig);
    return end;
}

/* Tries orders until one is wrong or all were tried. Returns whether one was, and how many were run. */
static bool search(enum plant plant, void (*body)(void *argument), unsigned preemptions, uint64_t *ret_explored)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = preemptions};
    struct vmr_scheduler *scheduler = NULL;
    struct world world;
    bool wrong = false;

    planted = plant;
    assert_int_equal(vmr_scheduler_create(&options, &scheduler, NULL), VMR_OK);
    do
        wrong = run_one(scheduler, body, &world) != VMR_SCHEDULE_DONE || world.wrong;
    while (!wrong && vmr_scheduler_next(scheduler));
    if (wrong)
        print_message("  order: %s\n", vmr_scheduler_choices(scheduler));
    *ret_explored += vmr_scheduler_explored(scheduler);
    vmr_scheduler_destroy(scheduler);
    return wrong;
}

static const struct {
    const char *name;
    enum plant plant;
    void (*body)(void *argument);
} rows[] = {
    {"a kick that is lost on the way into the guest", PLANT_LOST_KICK, kick_and_yield},
    {"a kick that stays when a yield comes at its end", PLANT_STALE_CANCEL, kick_and_yield},
    {"an acknowledgement of an earlier stop", PLANT_STALE_ACK, start_stop_twice},
};

static void each_planted_bug_is_found_within_the_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool found = false;
        uint64_t explored = 0;
        unsigned preemptions;

        for (preemptions = 0; preemptions <= PREEMPTION_MAX && !found; preemptions++)
            found = search(rows[i].plant, rows[i].body, preemptions, &explored);
        print_message("%s: %s with %u preemptions, %llu schedules explored\n", rows[i].name,
                      found ? "found" : "not found", preemptions - 1, (unsigned long long)explored);
        assert_true(found);
    }
}

static void without_them_nothing_is_found(void **state)
{
    (void)state;
    static void (*const bodies[])(void *argument) = {kick_and_yield, wake_and_stop, start_stop_twice};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        uint64_t explored = 0;
        bool found = search(PLANT_NONE, bodies[i], CLEAN_PREEMPTION_MAX, &explored);

        print_message("without a bug, body %zu: %llu schedules explored\n", i, (unsigned long long)explored);
        assert_false(found);
        assert_in_range(explored, 100, 10000000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_planted_bug_is_found_within_the_bound),
        cmocka_unit_test(without_them_nothing_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
