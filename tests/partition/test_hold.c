/* SPDX-License-Identifier: MIT */
/* Holding VPs out of the guest, on real threads. */

#include "lib/partition/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

/* A VP that stays in the guest until it is kicked, again and again, until the stop. */
struct runner {
    struct fake_rig *rig;
    struct vmr_stop_source *stop;
    struct vmr_thread *thread;
    enum vmr_status status;
};

static void run(void *argument)
{
    struct runner *runner = argument;
    const struct vmr_vp_io io = {0};
    struct vmr_run_result result = {0};
    struct vmr_vp *vp;

    runner->status = vmr_partition_bind(runner->rig->partition, 0, &vp, NULL);
    if (!runner->status)
        runner->status = vmr_vp_run(vp, runner->stop, &io, &result);
    vmr_vp_unbind(vp);
}

static void begin(struct runner *runner, struct fake_rig *rig, struct fake *fake)
{
    const struct vmr_host_ops *ops = rig->host.ops;

    *runner = (struct runner){.rig = rig};
    assert_int_equal(vmr_stop_create(&rig->host, &runner->stop), VMR_OK);
    assert_int_equal(ops->thread_start(rig->host.context, "vp", run, runner, &runner->thread), VMR_OK);
    while (fake_count(fake, FAKE_VP_RUN) == 0)
        (void)sync_relax(&rig->host);
}

static void end(struct runner *runner)
{
    vmr_stop_set(runner->stop);
    runner->rig->host.ops->thread_join(runner->rig->host.context, runner->thread);
    vmr_stop_destroy(runner->stop);
    assert_int_equal(runner->status, VMR_OK);
}

static void nobody_enters_while_somebody_holds(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct runner runner;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    begin(&runner, &rig, &fake);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(partition_hold(rig.partition, NULL), VMR_OK);
        uint32_t entered = fake_count(&fake, FAKE_VP_RUN);

        assert_int_not_equal(atomic_load(&rig.partition->vps[0].place), PLACE_GUEST);
        for (unsigned k = 0; k < 20; k++)
            (void)sync_relax(&rig.host);
        assert_int_equal(fake_count(&fake, FAKE_VP_RUN), entered);
        partition_release(rig.partition);
        while (fake_count(&fake, FAKE_VP_RUN) == entered)
            (void)sync_relax(&rig.host); /* and then it goes on */
    }
    end(&runner);
    fake_rig_finish(&rig);
}

static void whoever_is_expelled_has_flushed_before_it_enters_again(void **state)
{
    const struct vmr_hv_vp_set all = {.all = true};
    struct fake fake;
    struct fake_rig rig;
    struct runner runner;

    (void)state;
    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    begin(&runner, &rig, &fake);
    for (uint32_t i = 1; i <= 50; i++) {
        partition_expel(rig.partition, &all, UINT32_MAX, REQUEST_FLUSH);
        while (fake_count(&fake, FAKE_FLUSH) < i)
            (void)sync_relax(&rig.host);
    }
    end(&runner);
    assert_int_equal(fake_count(&fake, FAKE_FLUSH), 50);
    fake_rig_finish(&rig);
}

static void vps_that_do_not_run_are_not_waited_for(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 3);
    assert_int_equal(partition_hold(rig.partition, NULL), VMR_OK);
    partition_release(rig.partition);
    assert_int_equal(fake_count(&fake, FAKE_VP_KICK), 0);
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_enters_while_somebody_holds),
        cmocka_unit_test(whoever_is_expelled_has_flushed_before_it_enters_again),
        cmocka_unit_test(vps_that_do_not_run_are_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
