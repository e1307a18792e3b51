/* SPDX-License-Identifier: MIT */
/* Links: who is let in, that closing waits, and that the last reference frees. In every order, and on threads. */

#include "tests/hv/synic_rig.h"

#include "tests/support/counting_host.h"
#include "vmrig/mock.h"

static void a_closed_link_lets_nobody_in(void **state)
{
    (void)state;
    struct fake_host fake;
    struct link *link = NULL;
    int object = 0;

    fake_host_init(&fake, 0);
    assert_int_equal(link_create(&fake.host, &object, &link), VMR_OK);
    link_get(link);
    assert_ptr_equal(link_enter(link), &object);
    assert_ptr_equal(link_enter(link), &object);
    link_leave(link);
    link_leave(link);
    link_close(link);
    assert_null(link_enter(link));
    assert_null(link_enter(link));
    link_put(link); /* the object's */
    assert_null(link_enter(link));
    link_put(link);
    link_put(NULL);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
    (void)state;
    struct counting_host counting;
    struct vmr_host host;
    struct link *link = NULL;
    int object = 0;

    counting_host_init(&counting, &host);
    fail_allocation(1);
    assert_int_equal(link_create(&host, &object, &link), VMR_E_NOMEM);
    fail_allocation(0);
    counting.fail_at = 1;
    assert_int_not_equal(link_create(&host, &object, &link), VMR_OK);
    assert_null(link);
    counting.fail_at = 0;
    assert_int_equal(link_create(&host, &object, &link), VMR_OK);
    assert_int_equal(counting.live_parkers, 1);
    link_put(link);
    assert_int_equal(counting.live_parkers, 0);
}

/* A user enters again and again until it is turned away; the object may never be seen dead. */
struct contest {
    struct vmr_host host;
    struct link *link;
    uint32_t rounds;
    _Atomic uint32_t alive, violations, entered, turned_away;
};

static void use(void *argument)
{
    struct contest *contest = argument;

    for (uint32_t i = 0; i < contest->rounds; i++) {
        struct contest *object = link_enter(contest->link);

        if (!object) {
            (void)sync_fetch_add_u32(&contest->host, &contest->turned_away, 1);
            break;
        }
        (void)sync_fetch_add_u32(&contest->host, &contest->entered, 1);
        if (sync_load_u32(&contest->host, &object->alive) == 0)
            (void)sync_fetch_add_u32(&contest->host, &contest->violations, 1);
        link_leave(contest->link);
    }
    link_put(contest->link);
}

static void close_while_two_use(struct contest *contest)
{
    struct vmr_thread *threads[2];

    contest->alive = 1;
    assert_int_equal(link_create(&contest->host, contest, &contest->link), VMR_OK);
    for (unsigned i = 0; i < 2; i++) {
        link_get(contest->link);
        assert_int_equal(contest->host.ops->thread_start(contest->host.context, "user", use, contest, &threads[i]),
                         VMR_OK);
    }
    link_close(contest->link);
    sync_store_u32(&contest->host, &contest->alive, 0);
    link_put(contest->link);
    for (unsigned i = 0; i < 2; i++)
        contest->host.ops->thread_join(contest->host.context, threads[i]);
}

static void close_once(void *argument)
{
    close_while_two_use(argument);
}

static void closing_waits_for_those_inside_in_every_order(void **state)
{
    (void)state;
    struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = 2};
    struct vmr_scheduler *scheduler = NULL;
    struct contest contest = {.rounds = 1};

    assert_int_equal(vmr_scheduler_create(&options, &scheduler, NULL), VMR_OK);
    vmr_scheduler_host(scheduler, &contest.host);
    do {
        assert_int_equal(vmr_scheduler_run(scheduler, close_once, &contest), VMR_SCHEDULE_DONE);
        assert_int_equal(contest.violations, 0);
    } while (vmr_scheduler_next(scheduler));
    print_message("%u orders, %u entered, %u turned away\n", (unsigned)vmr_scheduler_explored(scheduler),
                  (unsigned)contest.entered, (unsigned)contest.turned_away);
    assert_true(contest.entered > 10 && contest.turned_away > 10);
    vmr_scheduler_destroy(scheduler);
}

static void closing_waits_for_those_inside_on_threads(void **state)
{
    (void)state;
    struct contest contest = {.rounds = UINT32_MAX};

    vmr_host_posix(&contest.host, NULL);
    for (unsigned i = 0; i < 200; i++)
        close_while_two_use(&contest);
    assert_int_equal(contest.violations, 0);
    assert_int_equal(contest.turned_away, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_link_lets_nobody_in),
        cmocka_unit_test(what_cannot_be_made_leaves_nothing),
        cmocka_unit_test(closing_waits_for_those_inside_in_every_order),
        cmocka_unit_test(closing_waits_for_those_inside_on_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
