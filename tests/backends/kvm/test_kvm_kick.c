/* SPDX-License-Identifier: MIT */
/*
 * The kick word's state machine: the handler is called between any two steps
 * of a run, in every combination over two runs, and the model below says what
 * each run must see. No signal and no hypervisor takes part.
 */

#include "backends/kvm/kvm_kick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Where a signal can fall in one run; a bit each. */
enum moment {
    BEFORE_CLEAR,
    BEFORE_PUBLISH,
    BEFORE_CALL,
    DURING_CALL,
    BEFORE_RETRACT,
    AFTER_RETRACT,
    MOMENT_COUNT
};

static void signal_if(unsigned moments, enum moment moment)
{
    if (moments >> moment & 1)
        kvm_kick_handler(0);
}

/* One run; says whether the kernel would have come back for the kick. */
static bool run_once(struct kvm_run *run, unsigned moments)
{
    signal_if(moments, BEFORE_CLEAR);
    kvm_kick_clear(run);
    signal_if(moments, BEFORE_PUBLISH);
    kvm_kick_publish(run);
    signal_if(moments, BEFORE_CALL);
    bool interrupted = run->immediate_exit != 0;

    /* A signal during the call interrupts it whatever the handler writes. */
    interrupted = interrupted || (moments >> DURING_CALL & 1);
    signal_if(moments, DURING_CALL);
    signal_if(moments, BEFORE_RETRACT);
    kvm_kick_retract();
    signal_if(moments, AFTER_RETRACT);
    return interrupted;
}

static bool expected(unsigned moments, bool latched)
{
    return latched ||
           (moments & (1u << BEFORE_CLEAR | 1u << BEFORE_PUBLISH | 1u << BEFORE_CALL | 1u << DURING_CALL)) != 0;
}

static void every_pair_of_runs_sees_each_kick_once(void **state)
{
    const unsigned combinations = 1u << MOMENT_COUNT;

    (void)state;
    for (unsigned first = 0; first < combinations; first++) {
        for (unsigned second = 0; second < combinations; second++) {
            struct kvm_run run = {0};
            /* After the call the run is coming back anyway; only what falls after retract is for the next one. */
            bool latched = (first >> AFTER_RETRACT & 1) != 0;

            assert_int_equal(run_once(&run, first), expected(first, false));
            assert_int_equal(run_once(&run, second), expected(second, latched));
            (void)run_once(&run, 0); /* takes what the last moment left */
            assert_false(run_once(&run, 0));
        }
    }
}

static void kick_meets_whichever_run_page_the_thread_uses(void **state)
{
    struct kvm_run first = {0};
    struct kvm_run second = {0};

    (void)state;
    kvm_kick_clear(&first);
    kvm_kick_publish(&first);
    kvm_kick_retract();
    kvm_kick_clear(&second);
    kvm_kick_publish(&second);
    kvm_kick_handler(0);
    assert_int_equal(first.immediate_exit, 0);
    assert_int_equal(second.immediate_exit, 1);
    kvm_kick_retract();
}

static void forced_completion_takes_no_kick(void **state)
{
    struct kvm_run run = {0};

    (void)state;
    kvm_kick_force(&run);
    kvm_kick_handler(0); /* during the completing call */
    assert_int_equal(run.immediate_exit, 1);
    assert_true(run_once(&run, 0));
    assert_false(run_once(&run, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_runs_sees_each_kick_once),
        cmocka_unit_test(kick_meets_whichever_run_page_the_thread_uses),
        cmocka_unit_test(forced_completion_takes_no_kick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
