/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: numbers of orders that can be counted by hand, the same run
 * from the same seed, ends, time, and races that a search must find.
 */

#include "vmrig/mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/sync.h"

#define TRANSCRIPT_MAX 256

/* What the threads of a test share. */
struct world {
    struct vmr_scheduler *scheduler;
    struct vmr_host host;
    unsigned threads; /* besides the body */
    unsigned points;  /* of each thread */
    char transcript[TRANSCRIPT_MAX];
    size_t length;
    unsigned balance, torn;
    struct vmr_parker *parker;
    _Atomic uint32_t flag;
};

struct actor {
    struct world *world;
    char name;
};

static void world_init(struct world *world, enum vmr_schedule_mode mode, uint64_t seed, unsigned preemptions)
{
    struct vmr_scheduler_options options = {.mode = mode, .seed = seed, .preemptions = preemptions, .step_max = 20000};

    *world = (struct world){.threads = 1, .points = 1};
    assert_int_equal(vmr_scheduler_create(&options, &world->scheduler, NULL), VMR_OK);
    vmr_scheduler_host(world->scheduler, &world->host);
}

static void world_finish(struct world *world)
{
    vmr_scheduler_destroy(world->scheduler);
}

static void note(struct world *world, char mark)
{
    assert_true(world->length + 1 < TRANSCRIPT_MAX);
    world->transcript[world->length++] = mark;
    world->transcript[world->length] = '\0';
}

static struct vmr_thread *must_start(struct world *world, void (*body)(void *), void *argument)
{
    struct vmr_thread *thread = NULL;

    assert_int_equal(world->host.ops->thread_start(world->host.context, "actor", body, argument, &thread), VMR_OK);
    return thread;
}

static void join(struct world *world, struct vmr_thread *thread)
{
    world->host.ops->thread_join(world->host.context, thread);
}

/* --- how many orders there are --- */

static void pass_points(void *argument)
{
    struct actor *actor = argument;

    for (unsigned i = 0; i < actor->world->points; i++) {
        sync_point(&actor->world->host, actor);
        note(actor->world, actor->name);
    }
}

static void start_all_and_pass_points(void *argument)
{
    struct world *world = argument;
    struct actor actors[3] = {{world, 'a'}, {world, 'b'}, {world, 'c'}};
    struct vmr_thread *threads[2];

    world->length = 0;
    for (unsigned i = 0; i < world->threads; i++)
        threads[i] = must_start(world, pass_points, &actors[i + 1]);
    pass_points(&actors[0]);
    for (unsigned i = 0; i < world->threads; i++)
        join(world, threads[i]);
}

static uint64_t explore(struct world *world, void (*body)(void *))
{
    do {
        assert_int_equal(vmr_scheduler_run(world->scheduler, body, world), VMR_SCHEDULE_DONE);
    } while (vmr_scheduler_next(world->scheduler));
    return vmr_scheduler_explored(world->scheduler);
}

static void numbers_of_orders_are_those_counted_by_hand(void **state)
{
    /*
     * Two threads of one point, bound 2: a b; b preempts a: b a; b preempts a and
     * is preempted by it: a b. With two points each and bound 2: none; a switch at
     * either point of a, and none or one back at either point of b: 1 + 2 * 3.
     * Three threads, bound 0: only who follows the body when it waits for b is
     * free: b c, b (body) c, c b.
     */
    static const struct {
        const char *name;
        unsigned threads, points, preemptions;
        uint64_t orders;
    } cases[] = {
        {"two threads, one point, bound 0", 1, 1, 0, 1},   {"two threads, one point, bound 1", 1, 1, 1, 2},
        {"two threads, one point, bound 2", 1, 1, 2, 3},   {"two threads, two points, bound 0", 1, 2, 0, 1},
        {"two threads, two points, bound 1", 1, 2, 1, 3},  {"two threads, two points, bound 2", 1, 2, 2, 7},
        {"three threads, one point, bound 0", 2, 1, 0, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;

        world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, cases[i].preemptions);
        world.threads = cases[i].threads;
        world.points = cases[i].points;
        uint64_t orders = explore(&world, start_all_and_pass_points);

        if (orders != cases[i].orders)
            fail_msg("%s: %u orders, not %u", cases[i].name, (unsigned)orders, (unsigned)cases[i].orders);
        world_finish(&world);
    }
}

/* With enough preemptions every merge of aa and bb is seen: there are 4! / (2! 2!) = 6. */
static void every_merge_is_seen_and_no_choices_twice(void **state)
{
    struct world world;
    char merges[6][8];
    char choices[64][16];
    size_t merge_count = 0, run_count = 0;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 4);
    world.points = 2;
    do {
        (void)vmr_scheduler_run(world.scheduler, start_all_and_pass_points, &world);
        for (size_t i = 0; i < run_count; i++)
            assert_string_not_equal(choices[i], vmr_scheduler_choices(world.scheduler));
        assert_true(run_count < 64);
        strcpy(choices[run_count++], vmr_scheduler_choices(world.scheduler));
        size_t place = 0;

        while (place < merge_count && strcmp(merges[place], world.transcript) != 0)
            place++;
        assert_true(place < 6);
        if (place == merge_count)
            strcpy(merges[merge_count++], world.transcript);
    } while (vmr_scheduler_next(world.scheduler));
    assert_int_equal(merge_count, 6);
    world_finish(&world);
}

/* --- seeds and replays --- */

static void run_seeded(uint64_t seed, char ret_transcript[TRANSCRIPT_MAX])
{
    struct world world;

    world_init(&world, VMR_SCHEDULE_SEEDED, seed, 0);
    world.threads = 2;
    world.points = 20;
    assert_int_equal(vmr_scheduler_run(world.scheduler, start_all_and_pass_points, &world), VMR_SCHEDULE_DONE);
    strcpy(ret_transcript, world.transcript);
    assert_int_equal(vmr_scheduler_run(world.scheduler, start_all_and_pass_points, &world), VMR_SCHEDULE_DONE);
    assert_string_equal(ret_transcript, world.transcript);
    assert_false(vmr_scheduler_next(world.scheduler));
    world_finish(&world);
}

static void the_same_seed_gives_the_same_run_and_another_seed_another(void **state)
{
    char first[TRANSCRIPT_MAX], again[TRANSCRIPT_MAX], other[TRANSCRIPT_MAX];

    (void)state;
    run_seeded(7, first);
    run_seeded(7, again);
    run_seeded(8, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

static void choices_of_one_run_give_the_same_run_elsewhere(void **state)
{
    struct world world, other;

    (void)state;
    world_init(&world, VMR_SCHEDULE_SEEDED, 3, 0);
    world.threads = 2;
    world.points = 9;
    (void)vmr_scheduler_run(world.scheduler, start_all_and_pass_points, &world);
    world_init(&other, VMR_SCHEDULE_SEEDED, 4, 0);
    other.threads = 2;
    other.points = 9;
    assert_int_equal(vmr_scheduler_replay(other.scheduler, vmr_scheduler_choices(world.scheduler), NULL), VMR_OK);
    (void)vmr_scheduler_run(other.scheduler, start_all_and_pass_points, &other);
    assert_string_equal(world.transcript, other.transcript);
    assert_string_equal(vmr_scheduler_choices(world.scheduler), vmr_scheduler_choices(other.scheduler));
    world_finish(&world);
    world_finish(&other);
}

static void choices_that_no_run_gives_are_refused_by_position(void **state)
{
    struct world world;
    struct vmr_error err = {0};

    (void)state;
    world_init(&world, VMR_SCHEDULE_SEEDED, 0, 0);
    assert_int_equal(vmr_scheduler_replay(world.scheduler, "01?0", &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "character 3"));
    /* Too large a choice, and too few of them, still make a run. */
    assert_int_equal(vmr_scheduler_replay(world.scheduler, "ZZ", NULL), VMR_OK);
    assert_int_equal(vmr_scheduler_run(world.scheduler, start_all_and_pass_points, &world), VMR_SCHEDULE_DONE);
    world_finish(&world);
}

/* --- races --- */

/* Reads, and writes back one more: two actors may lose one. */
static void increment(void *argument)
{
    struct world *world = argument;
    unsigned seen;

    sync_point(&world->host, &world->balance);
    seen = world->balance;
    sync_point(&world->host, &world->balance);
    world->balance = seen + 1;
}

static void increment_twice(void *argument)
{
    struct world *world = argument;

    world->balance = 0;
    struct vmr_thread *thread = must_start(world, increment, world);

    increment(world);
    join(world, thread);
    world->torn += world->balance != 2;
}

static void a_lost_update_is_found_with_one_preemption_and_not_with_none(void **state)
{
    (void)state;
    for (unsigned preemptions = 0; preemptions < 2; preemptions++) {
        struct world world;

        world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, preemptions);
        (void)explore(&world, increment_twice);
        assert_int_equal(world.torn > 0, preemptions > 0);
        world_finish(&world);
    }
}

static void hold_the_lock(void *argument)
{
    struct world *world = ((struct actor *)argument)->world;
    struct sync_mutex *mutex = (struct sync_mutex *)(void *)world->parker;

    sync_mutex_lock(mutex);
    increment(world);
    sync_mutex_unlock(mutex);
}

static void increment_under_a_lock(void *argument)
{
    struct world *world = argument;
    struct sync_mutex mutex;
    struct actor actor = {world, 'b'};

    assert_int_equal(sync_mutex_init(&mutex, &world->host), VMR_OK);
    world->parker = (struct vmr_parker *)(void *)&mutex;
    world->balance = 0;
    struct vmr_thread *thread = must_start(world, hold_the_lock, &actor);

    hold_the_lock(&actor);
    join(world, thread);
    world->torn += world->balance != 2;
    sync_mutex_finish(&mutex);
}

static void a_lock_prevents_it_in_every_order(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 3);
    assert_true(explore(&world, increment_under_a_lock) > 4);
    assert_int_equal(world.torn, 0);
    world_finish(&world);
}

/* --- waiting, time, ends --- */

static void park_for_ever(void *argument)
{
    struct world *world = argument;

    if (!world->parker)
        assert_int_equal(world->host.ops->parker_create(world->host.context, &world->parker), VMR_OK);
    (void)world->host.ops->park(world->host.context, world->parker, VMR_NEVER);
}

static void waiting_for_nothing_is_a_deadlock(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_SEEDED, 0, 0);
    assert_int_equal(vmr_scheduler_run(world.scheduler, park_for_ever, &world), VMR_SCHEDULE_DEADLOCK);
    /* Outside a run there is nobody else: it is said at once. */
    assert_int_equal(world.host.ops->park(world.host.context, world.parker, VMR_NEVER), VMR_PARK_DEADLOCK);
    assert_int_equal(world.host.ops->park(world.host.context, world.parker, 1000), VMR_PARK_TIMEOUT);
    assert_int_equal(world.host.ops->now_ns(world.host.context), 1000);
    world.host.ops->parker_destroy(world.host.context, world.parker);
    world_finish(&world);
}

static void pass_points_for_ever(void *argument)
{
    struct world *world = argument;

    for (;;)
        sync_point(&world->host, world);
}

static void spin_for_ever(void *argument)
{
    struct world *world = argument;

    for (;;)
        (void)world->host.ops->schedule->block(world->host.context, NULL);
}

static void a_loop_without_end_is_a_livelock(void **state)
{
    (void)state;
    for (int spin = 0; spin < 2; spin++) {
        struct world world;

        world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 1);
        assert_int_equal(vmr_scheduler_run(world.scheduler, spin ? spin_for_ever : pass_points_for_ever, &world),
                         VMR_SCHEDULE_LIVELOCK);
        world_finish(&world);
    }
}

static void poll_the_flag(void *argument)
{
    struct world *world = argument;

    while (sync_load_u32(&world->host, &world->flag) == 0)
        ;
}

static void set_the_flag_while_polled(void *argument)
{
    struct world *world = argument;

    world->flag = 0;
    struct vmr_thread *thread = must_start(world, poll_the_flag, world);

    sync_point(&world->host, world);
    sync_store_u32(&world->host, &world->flag, 1);
    join(world, thread);
}

static void a_thread_that_polls_gives_way_in_the_end(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 1);
    assert_true(explore(&world, set_the_flag_while_polled) >= 3);
    world_finish(&world);
}

static void sleep_and_note(void *argument)
{
    struct actor *actor = argument;
    struct world *world = actor->world;
    struct vmr_parker *parker;
    uint64_t deadline_ns = actor->name == 'l' ? 2000 : 1000;

    assert_int_equal(world->host.ops->parker_create(world->host.context, &parker), VMR_OK);
    assert_int_equal(world->host.ops->park(world->host.context, parker, deadline_ns), VMR_PARK_TIMEOUT);
    assert_int_equal(world->host.ops->now_ns(world->host.context), deadline_ns);
    note(world, actor->name);
    world->host.ops->parker_destroy(world->host.context, parker);
}

static void start_two_sleepers(void *argument)
{
    struct world *world = argument;
    struct actor late = {world, 'l'}, early = {world, 'e'};

    world->length = 0;
    assert_int_equal(world->host.ops->now_ns(world->host.context), 0);
    struct vmr_thread *threads[2] = {must_start(world, sleep_and_note, &late),
                                     must_start(world, sleep_and_note, &early)};

    join(world, threads[0]);
    join(world, threads[1]);
    assert_string_equal(world->transcript, "el");
    vmr_scheduler_advance(world->scheduler, 500);
    assert_int_equal(world->host.ops->now_ns(world->host.context), 2500);
}

static void time_moves_when_all_wait_earliest_deadline_first(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 1);
    (void)explore(&world, start_two_sleepers);
    world_finish(&world);
}

static void poll_then_answer(void *argument)
{
    struct world *world = argument;

    for (unsigned i = 0; i < 10 && world->flag == 0; i++)
        sync_point(&world->host, world);
    world->flag = 1;
}

static void pause_for_a_poller(void *argument)
{
    struct world *world = argument;

    world->flag = 0;
    struct vmr_thread *thread = must_start(world, poll_then_answer, world);

    while (world->flag == 0)
        vmr_scheduler_pause(world->scheduler, 1000);
    assert_int_equal(world->host.ops->now_ns(world->host.context), 0); /* somebody could run all the time */
    join(world, thread);
    vmr_scheduler_pause(world->scheduler, 1000);
    assert_int_equal(world->host.ops->now_ns(world->host.context), 1000); /* nobody else could */
}

static void a_pause_takes_time_only_when_all_wait(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 2);
    (void)explore(&world, pause_for_a_poller);
    vmr_scheduler_pause(world.scheduler, 500); /* outside a run there is only the caller */
    world_finish(&world);
}

static void unpark_then_note(void *argument)
{
    struct world *world = argument;

    sync_point(&world->host, world);
    world->host.ops->unpark(world->host.context, world->parker);
    world->host.ops->unpark(world->host.context, world->parker);
}

static void park_with_a_waker(void *argument)
{
    struct world *world = argument;
    const struct vmr_host_ops *ops = world->host.ops;

    assert_int_equal(ops->parker_create(world->host.context, &world->parker), VMR_OK);
    struct vmr_thread *thread = must_start(world, unpark_then_note, world);

    sync_point(&world->host, world);
    assert_int_equal(ops->park(world->host.context, world->parker, VMR_NEVER), VMR_PARK_WOKEN);
    /* Both may have come before: then they count once. */
    uint64_t deadline_ns = ops->now_ns(world->host.context) + 10;

    join(world, thread);
    (void)ops->park(world->host.context, world->parker, deadline_ns);
    assert_int_equal(ops->park(world->host.context, world->parker, deadline_ns), VMR_PARK_TIMEOUT);
    ops->parker_destroy(world->host.context, world->parker);
}

static void an_unpark_is_never_lost_and_two_count_at_most_once(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, VMR_SCHEDULE_EXHAUSTIVE, 0, 2);
    (void)explore(&world, park_with_a_waker);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_orders_are_those_counted_by_hand),
        cmocka_unit_test(every_merge_is_seen_and_no_choices_twice),
        cmocka_unit_test(the_same_seed_gives_the_same_run_and_another_seed_another),
        cmocka_unit_test(choices_of_one_run_give_the_same_run_elsewhere),
        cmocka_unit_test(choices_that_no_run_gives_are_refused_by_position),
        cmocka_unit_test(a_lost_update_is_found_with_one_preemption_and_not_with_none),
        cmocka_unit_test(a_lock_prevents_it_in_every_order),
        cmocka_unit_test(waiting_for_nothing_is_a_deadlock),
        cmocka_unit_test(a_loop_without_end_is_a_livelock),
        cmocka_unit_test(a_thread_that_polls_gives_way_in_the_end),
        cmocka_unit_test(time_moves_when_all_wait_earliest_deadline_first),
        cmocka_unit_test(a_pause_takes_time_only_when_all_wait),
        cmocka_unit_test(an_unpark_is_never_lost_and_two_count_at_most_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
