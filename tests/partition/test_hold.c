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

struct holder {
    struct vmr_partition *partition;
    _Atomic bool holds;
};

static void hold_too(void *argument)
{
    struct holder *holder = argument;

    assert_int_equal(partition_hold(holder->partition, NULL), VMR_OK);
    holder->holds = true;
    partition_release(holder->partition);
}

static void there_is_one_holder_at_a_time(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_thread *thread;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct holder other = {.partition = rig.partition};

    assert_int_equal(partition_hold(rig.partition, NULL), VMR_OK);
    assert_int_equal(rig.host.ops->thread_start(rig.host.context, "holder", hold_too, &other, &thread), VMR_OK);
    for (unsigned k = 0; k < 1000; k++)
        (void)sync_relax(&rig.host);
    assert_false(other.holds);
    partition_release(rig.partition);
    rig.host.ops->thread_join(rig.host.context, thread);
    assert_true(other.holds);
    fake_rig_finish(&rig);
}

static unsigned waits;

static bool count_wait(struct vmr_backend_vm *vm, bool (*is_over)(void *context), void *context)
{
    (void)vm;
    waits++;
    return is_over(context);
}

/* Also that nobody is there to be waited for: a recording has one record for each wait. */
static void a_backend_that_orders_vps_is_asked_to_wait(void **state)
{
    (void)state;
    const struct vmr_hv_vp_set none = {.all = false}, all = {.all = true};
    struct vmr_backend table;
    struct fake fake;
    struct fake_rig rig;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 2);
    const struct vmr_backend *kept = rig.partition->backend;

    table = *kept;
    table.vm_wait = count_wait;
    rig.partition->backend = &table;
    waits = 0;
    assert_int_equal(partition_hold(rig.partition, NULL), VMR_OK);
    assert_int_equal(waits, 1);
    /* It is held, and nobody will release it. */
    struct vmr_error err = {.message = ""};

    assert_int_equal(partition_hold(rig.partition, &err), VMR_E_DEADLOCK);
    assert_non_null(strstr(err.message, "held already"));
    assert_int_equal(waits, 2);
    partition_release(rig.partition);
    partition_expel(rig.partition, &none, 0, REQUEST_FLUSH);
    assert_int_equal(waits, 2);
    partition_expel(rig.partition, &all, 0, REQUEST_FLUSH);
    assert_int_equal(waits, 3);
    rig.partition->backend = kept;
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_enters_while_somebody_holds),
        cmocka_unit_test(whoever_is_expelled_has_flushed_before_it_enters_again),
        cmocka_unit_test(vps_that_do_not_run_are_not_waited_for),
        cmocka_unit_test(there_is_one_holder_at_a_time),
        cmocka_unit_test(a_backend_that_orders_vps_is_asked_to_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
