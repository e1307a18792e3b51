/* SPDX-License-Identifier: MIT */
/*
 * Getting a VP's attention: edges, coalescing, and which host call is made
 * where the VP is. The races are in tests/run. [RUN-6] [RUN-7] [RUN-8]
 */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"
#include "tests/support/counting_host.h"

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

static void an_index_that_does_not_exist_is_harmless(void **state)
{
    (void)state;
    struct setup setup;

    set_up(&setup);
    assert_false(vmr_partition_request_yield(setup.rig.partition, 1));
    assert_int_equal(vmr_partition_kick(setup.rig.partition, UINT32_MAX), VMR_KICK_NO_VP);
    vmr_partition_wake(setup.rig.partition, 1);
    assert_int_equal(fake_count(&setup.fake, FAKE_ASYNC_BEGIN), 0);
    assert_int_equal(setup.vp->requests, 0);
    fake_rig_finish(&setup.rig);
}

static void only_the_first_of_many_counts(void **state)
{
    (void)state;
    struct setup setup;

    set_up(&setup);
    assert_true(vmr_partition_request_yield(setup.rig.partition, 0));
    assert_false(vmr_partition_request_yield(setup.rig.partition, 0));
    assert_int_equal(vmr_partition_kick(setup.rig.partition, 0), VMR_KICK_LATCHED);
    assert_int_equal(vmr_partition_kick(setup.rig.partition, 0), VMR_KICK_COALESCED);
    assert_int_equal(setup.vp->requests, REQUEST_YIELD | REQUEST_KICK);
    fake_rig_finish(&setup.rig);
}

static const struct {
    const char *name;
    enum vp_place place;
    uint32_t bits;
    bool running;
    uint32_t kicks, unparks;
} places[] = {
    {"a kick to a VP in no run", PLACE_OUT, REQUEST_KICK, false, 0, 0},
    {"a wake to a VP in no run", PLACE_OUT, REQUEST_WAKE, false, 0, 0},
    {"a kick in the loop", PLACE_LOOP, REQUEST_KICK, true, 0, 0},
    {"a kick in the guest", PLACE_GUEST, REQUEST_KICK, true, 1, 0},
    {"a wake in the guest", PLACE_GUEST, REQUEST_WAKE, true, 1, 0},
    {"a yield in HLT", PLACE_PARKED, REQUEST_YIELD, true, 0, 1},
    {"a kick to one that waits outside a run", PLACE_WAITING, REQUEST_KICK, false, 0, 0},
    {"a yield to one that waits outside a run", PLACE_WAITING, REQUEST_YIELD, false, 0, 0},
    {"a wake to one that waits outside a run", PLACE_WAITING, REQUEST_WAKE, false, 0, 1},
    {"a stop to one that waits outside a run", PLACE_WAITING, REQUEST_STOP, false, 0, 1},
};

static void the_place_decides_how_the_vp_is_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct setup setup;
        bool running = !places[i].running;

        print_message("%s\n", places[i].name);
        set_up(&setup);
        setup.fake.misuse = 0;
        atomic_store(&setup.vp->place, (uint32_t)places[i].place);
        assert_int_equal(vp_request(setup.vp, places[i].bits, &running), places[i].bits);
        assert_int_equal(running, places[i].running);
        /* Set again, nothing is new and nobody is called. */
        assert_int_equal(vp_request(setup.vp, places[i].bits, NULL), 0);
        assert_int_equal(fake_count(&setup.fake, FAKE_VP_KICK), places[i].kicks);
        assert_int_equal(setup.counting_host.unparks,
                         places[i].unparks + places[i].kicks); /* the fake's kick unparks too */
        atomic_store(&setup.fake.misuse, 0);                   /* it was never really entered */
        fake_rig_finish(&setup.rig);
    }
}

static void a_wake_is_shown_to_a_recorder(void **state)
{
    (void)state;
    struct setup setup;

    set_up(&setup);
    vmr_partition_wake(setup.rig.partition, 0);
    assert_int_equal(fake_count(&setup.fake, FAKE_ASYNC_BEGIN), 1);
    assert_int_equal(fake_count(&setup.fake, FAKE_ASYNC_END), 1);
    assert_int_equal(setup.vp->requests, REQUEST_WAKE);
    fake_rig_finish(&setup.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_that_does_not_exist_is_harmless),
        cmocka_unit_test(only_the_first_of_many_counts),
        cmocka_unit_test(the_place_decides_how_the_vp_is_reached),
        cmocka_unit_test(a_wake_is_shown_to_a_recorder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
