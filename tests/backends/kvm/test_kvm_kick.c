/* SPDX-License-Identifier: MIT */
/*
 * The kick word against a model of KVM_RUN: the steps of a VP and the steps of
 * a kick are interleaved in every order there is. The guest of the last run
 * never exits by itself, so a kick that is lost shows as a VP that sleeps with
 * nobody left to wake it.
 */

#include "backends/kvm/kvm_kick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The VP's steps in a run, and the kicker's. */
enum vp_step {
    VP_CLEAR,
    VP_PUBLISH,
    VP_CALL,   /* the kernel looks at immediate_exit */
    VP_RETURN, /* possible at once if it was set or the guest exits by itself; else when a signal comes */
    VP_RETRACT,
    VP_STEP_COUNT
};
enum kicker_step {
    KICKER_BEGIN,
    KICKER_STORE,
    KICKER_SIGNAL,
    KICKER_STEP_COUNT
};

#define RUNS_MAX 2u

struct world {
    struct kvm_kick kick;
    struct kvm_run run;
    unsigned runs;                 /* in all; the guest of all but the last exits by itself */
    unsigned vp_step, kicker_step; /* how far each is; VP steps count on from run to run */
    bool in_call, returning;       /* inside KVM_RUN; about to come back from it */
    unsigned interrupted;          /* runs that came back for a kick */
    unsigned kicked_in_run;        /* the run that the kick found in progress; RUNS_MAX: none */
};

static void kicker_move(struct world *world)
{
    switch ((enum kicker_step)world->kicker_step) {
    case KICKER_BEGIN:
        if (!kvm_kick_begin(&world->kick, true)) {
            world->kicker_step = KICKER_STEP_COUNT; /* latched: nothing more to do */
            return;
        }
        world->kicked_in_run = world->vp_step / VP_STEP_COUNT;
        break;
    case KICKER_STORE:
        kvm_kick_store(&world->run);
        break;
    case KICKER_SIGNAL:
        if (world->in_call && !world->returning) {
            world->returning = true;
            world->interrupted++;
        }
        break;
    case KICKER_STEP_COUNT:
        break;
    }
    world->kicker_step++;
}

static void vp_move(struct world *world)
{
    bool exits_alone = world->vp_step / VP_STEP_COUNT + 1 < world->runs;

    switch ((enum vp_step)(world->vp_step % VP_STEP_COUNT)) {
    case VP_CLEAR:
        kvm_kick_clear(&world->run);
        break;
    case VP_PUBLISH:
        kvm_kick_publish(&world->kick, &world->run);
        break;
    case VP_CALL:
        world->in_call = true;
        world->returning = world->run.immediate_exit || exits_alone;
        world->interrupted += world->run.immediate_exit;
        break;
    case VP_RETURN:
        world->in_call = false;
        world->returning = false;
        break;
    case VP_RETRACT:
        kvm_kick_retract(&world->kick);
        break;
    case VP_STEP_COUNT:
        break;
    }
    world->vp_step++;
}

static bool vp_can_move(const struct world *world)
{
    if (world->vp_step == world->runs * VP_STEP_COUNT)
        return false;
    return world->vp_step % VP_STEP_COUNT != VP_RETURN || world->returning;
}

static bool kicker_can_move(const struct world *world)
{
    return world->kicker_step < KICKER_STEP_COUNT;
}

static void world_check(const struct world *world)
{
    /* The run that was in progress came back by itself, behind the kick: that answers it, too. */
    bool answered_by_exit = world->kicked_in_run + 1 < world->runs;

    if (world->interrupted == 0 && !answered_by_exit)
        fail_msg("lost: %u runs, the VP is at step %u", world->runs, world->vp_step);
    /* A slow kicker's signal may reach the run after the one that its store ended: one spurious cancel. [RUN-9] */
    assert_true(world->interrupted <= 2);
}

/* Every order from here on; the words are copied, since each order begins with them as they are. */
static unsigned explore(const struct world *before)
{
    unsigned orders = 0;

    if (!vp_can_move(before) && !kicker_can_move(before)) {
        world_check(before);
        return 1;
    }
    if (vp_can_move(before)) {
        struct world world;

        memcpy(&world, before, sizeof(world));
        vp_move(&world);
        orders += explore(&world);
    }
    if (kicker_can_move(before)) {
        struct world world;

        memcpy(&world, before, sizeof(world));
        kicker_move(&world);
        orders += explore(&world);
    }
    return orders;
}

static void no_order_of_steps_loses_a_kick(void **state)
{
    (void)state;
    for (unsigned runs = 1; runs <= RUNS_MAX; runs++) {
        struct world world = {.runs = runs, .kicked_in_run = RUNS_MAX};
        unsigned orders = explore(&world);

        print_message("%u runs: %u orders\n", runs, orders);
        assert_true(orders > 5);
    }
}

/* One run without anybody about; says whether the kernel would have come back for a kick. */
static bool run_once(struct kvm_kick *kick, struct kvm_run *run)
{
    kvm_kick_clear(run);
    kvm_kick_publish(kick, run);
    bool interrupted = run->immediate_exit != 0;

    kvm_kick_retract(kick);
    return interrupted;
}

static void kicks_between_runs_count_once(void **state)
{
    struct kvm_kick kick = {0};
    struct kvm_run run = {0};

    (void)state;
    assert_false(kvm_kick_begin(&kick, true));
    assert_false(kvm_kick_begin(&kick, true));
    assert_true(run_once(&kick, &run));
    assert_false(run_once(&kick, &run));
}

static void late_store_of_a_kick_is_cleared_by_the_next_run(void **state)
{
    struct kvm_kick kick = {0};
    struct kvm_run run = {0};

    (void)state;
    (void)run_once(&kick, &run);
    kvm_kick_store(&run); /* a kicker that saw RUN, and was slow */
    assert_false(run_once(&kick, &run));
}

static void nudge_leaves_nothing_behind(void **state)
{
    struct kvm_kick kick = {0};
    struct kvm_run run = {0};

    (void)state;
    assert_false(kvm_kick_begin(&kick, false));
    assert_false(run_once(&kick, &run));
    kvm_kick_publish(&kick, &run);
    assert_true(kvm_kick_begin(&kick, false));
    kvm_kick_retract(&kick);
}

static void forced_completion_takes_no_kick(void **state)
{
    struct kvm_kick kick = {0};
    struct kvm_run run = {0};

    (void)state;
    kvm_kick_force(&run);
    assert_false(kvm_kick_begin(&kick, true)); /* during the completing call */
    assert_true(run_once(&kick, &run));
    assert_false(run_once(&kick, &run));
}

static void forgotten_kick_does_not_reach_a_later_run(void **state)
{
    struct kvm_kick kick = {0};
    struct kvm_run run = {0};

    (void)state;
    assert_false(kvm_kick_begin(&kick, true));
    kvm_kick_forget(&kick);
    assert_false(run_once(&kick, &run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_order_of_steps_loses_a_kick),
        cmocka_unit_test(kicks_between_runs_count_once),
        cmocka_unit_test(late_store_of_a_kick_is_cleared_by_the_next_run),
        cmocka_unit_test(nudge_leaves_nothing_behind),
        cmocka_unit_test(forced_completion_takes_no_kick),
        cmocka_unit_test(forgotten_kick_does_not_reach_a_later_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
