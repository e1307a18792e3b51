/* SPDX-License-Identifier: MIT */
/*
 * What a run loop goes by: told and set exactly, of a VP that stands at a clean point.
 */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/counting_host.h"
#include "tests/support/fake_backend.h"

struct setup {
    struct fake fake;
    struct counting_host counting_host;
    struct fake_rig rig;
    struct vmr_vp *vp;
};

static void set_up(struct setup *setup)
{
    struct vmr_host host;

    fake_init(&setup->fake);
    counting_host_init(&setup->counting_host, &host);
    fake_rig_init(&setup->rig, &setup->fake, &host, 1);
    setup->vp = partition_vp(setup->rig.partition, 0);
}

static void expect_same(const struct vmr_loop_state *got, const struct vmr_loop_state *want)
{
    assert_int_equal(got->interrupt_ready, want->interrupt_ready);
    assert_int_equal(got->recheck, want->recheck);
    assert_int_equal(got->window_requested, want->window_requested);
    assert_int_equal(got->wake, want->wake);
    assert_int_equal(got->nmi, want->nmi);
    assert_int_equal(got->tpr, want->tpr);
    assert_int_equal(got->guest_tpr, want->guest_tpr);
    assert_int_equal(got->deadline_ns, want->deadline_ns);
}

static void what_is_set_is_told(void **state)
{
    static const struct vmr_loop_state rows[] = {
        {.interrupt_ready = true, .deadline_ns = VMR_NEVER},
        {.recheck = true, .deadline_ns = 5},
        {.window_requested = true, .tpr = 3},
        {.wake = true, .guest_tpr = 9},
        {.nmi = true},
        {0},
    };
    struct setup setup;

    (void)state;
    set_up(&setup);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_loop_state got;

        assert_int_equal(vmr_partition_set_loop_state(setup.rig.partition, 0, &rows[i], NULL), VMR_OK);
        assert_int_equal(vmr_partition_get_loop_state(setup.rig.partition, 0, &got, NULL), VMR_OK);
        expect_same(&got, &rows[i]);
    }
    fake_rig_finish(&setup.rig);
}

/* A wake that a restored device made is forgotten; a stop is the host's. */
static void requests_of_the_guest_go_and_those_of_its_host_stay(void **state)
{
    const struct vmr_loop_state none = {0};
    struct setup setup;

    (void)state;
    set_up(&setup);
    setup.vp->requests = REQUEST_WAKE | REQUEST_NMI | REQUEST_STOP | REQUEST_YIELD;
    assert_int_equal(vmr_partition_set_loop_state(setup.rig.partition, 0, &none, NULL), VMR_OK);
    assert_int_equal(setup.vp->requests, REQUEST_STOP | REQUEST_YIELD);
    fake_rig_finish(&setup.rig);
}

static void a_vp_that_is_elsewhere_is_refused(void **state)
{
    struct vmr_loop_state loop = {0};
    struct vmr_error err = {0};
    struct setup setup;

    (void)state;
    set_up(&setup);
    assert_int_equal(vmr_partition_get_loop_state(setup.rig.partition, 1, &loop, &err), VMR_E_USAGE);
    setup.vp->place = PLACE_LOOP;
    assert_int_equal(vmr_partition_get_loop_state(setup.rig.partition, 0, &loop, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "it runs"));
    setup.vp->place = PLACE_OUT;
    setup.vp->exit_pending = true;
    assert_int_equal(vmr_partition_set_loop_state(setup.rig.partition, 0, &loop, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "an exit is unfinished"));
    setup.vp->exit_pending = false;
    fake_rig_finish(&setup.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_told),
        cmocka_unit_test(requests_of_the_guest_go_and_those_of_its_host_stay),
        cmocka_unit_test(a_vp_that_is_elsewhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
