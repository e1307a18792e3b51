/* SPDX-License-Identifier: MIT */
/*
 * The lifecycle table, walked whole: every state with every operation, against
 * a table of its own that is written as sentences, not copied. [LIFE-1] [LIFE-2]
 */

#include "lib/partition/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/partition/partition.h"
#include "tests/support/fake_backend.h"

/* All that is allowed; everything else is refused. */
static const struct {
    enum vp_state from;
    enum vp_operation operation;
    enum vp_state to;
} allowed[] = {
    {VP_UNBOUND, VP_OP_BIND, VP_BOUND},   {VP_BOUND, VP_OP_UNBIND, VP_UNBOUND}, {VP_BOUND, VP_OP_RUN, VP_RUNNING},
    {VP_BOUND, VP_OP_RESET, VP_RUNNING},  {VP_FAILED, VP_OP_RESET, VP_RUNNING}, {VP_BOUND, VP_OP_ACCESS, VP_BOUND},
    {VP_RUNNING, VP_OP_RETURN, VP_BOUND}, {VP_RUNNING, VP_OP_FAIL, VP_FAILED},  {VP_RUNNING, VP_OP_ACCESS, VP_RUNNING},
    {VP_FAILED, VP_OP_UNBIND, VP_DEAD},   {VP_FAILED, VP_OP_ACCESS, VP_FAILED},
};
#define ALLOWED_COUNT (sizeof(allowed) / sizeof(allowed[0]))

static enum vp_state expected(enum vp_state from, enum vp_operation operation)
{
    for (size_t i = 0; i < ALLOWED_COUNT; i++) {
        if (allowed[i].from == from && allowed[i].operation == operation)
            return allowed[i].to;
    }
    return VP_STATE_COUNT;
}

static void the_table_allows_these_moves_and_no_other(void **state)
{
    (void)state;
    for (int from = 0; from < VP_STATE_COUNT; from++) {
        for (int operation = 0; operation < VP_OP_COUNT; operation++)
            assert_int_equal(lifecycle_next((enum vp_state)from, (enum vp_operation)operation),
                             expected((enum vp_state)from, (enum vp_operation)operation));
    }
}

static void a_refused_move_changes_nothing(void **state)
{
    (void)state;
    struct vmr_host host;
    struct vmr_partition partition = {.host = &host};

    vmr_host_posix(&host, NULL);
    for (int from = 0; from < VP_STATE_COUNT; from++) {
        for (int operation = 0; operation < VP_OP_COUNT; operation++) {
            struct vmr_vp vp = {.partition = &partition, .state = (uint32_t)from};
            enum vp_state to = expected((enum vp_state)from, (enum vp_operation)operation);
            bool moves = to != VP_STATE_COUNT;

            assert_int_equal(lifecycle_move(&vp, (enum vp_operation)operation), moves ? VMR_OK : VMR_E_STATE);
            assert_int_equal(vp.state, moves ? (int)to : from);
        }
    }
}

static void every_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < VP_STATE_COUNT; a++) {
        for (int b = 0; b < a; b++)
            assert_string_not_equal(vp_state_name((enum vp_state)a), vp_state_name((enum vp_state)b));
    }
    assert_string_equal(vp_state_name(VP_STATE_COUNT), "unknown");
}

/* --- two threads want the same VP --- */

#define ROUND_COUNT 2000u

struct contest {
    struct fake_rig rig;
    _Atomic uint32_t inside, both, bound;
};

static void bind_and_unbind(void *argument)
{
    struct contest *contest = argument;

    for (unsigned i = 0; i < ROUND_COUNT; i++) {
        struct vmr_vp *vp;

        if (vmr_partition_bind(contest->rig.partition, 0, &vp, NULL) != VMR_OK)
            continue;
        (void)atomic_fetch_add(&contest->bound, 1);
        if (atomic_fetch_add(&contest->inside, 1) != 0)
            atomic_store(&contest->both, 1);
        (void)atomic_fetch_sub(&contest->inside, 1);
        vmr_vp_unbind(vp);
    }
}

static void of_two_threads_that_bind_one_succeeds(void **state)
{
    (void)state;
    struct fake fake;
    struct contest contest = {0};
    struct vmr_thread *other;

    fake_init(&fake);
    fake_rig_init(&contest.rig, &fake, NULL, 1);
    const struct vmr_host *host = &contest.rig.host;

    assert_int_equal(host->ops->thread_start(host->context, "other", bind_and_unbind, &contest, &other), VMR_OK);
    bind_and_unbind(&contest);
    host->ops->thread_join(host->context, other);
    assert_int_equal(contest.both, 0);
    assert_in_range(contest.bound, 1, 2 * ROUND_COUNT);
    assert_int_equal(fake_count(&fake, FAKE_VP_BIND), contest.bound);
    fake_rig_finish(&contest.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_allows_these_moves_and_no_other),
        cmocka_unit_test(a_refused_move_changes_nothing),
        cmocka_unit_test(every_state_has_a_name_of_its_own),
        cmocka_unit_test(of_two_threads_that_bind_one_succeeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
