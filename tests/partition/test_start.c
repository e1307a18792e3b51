/* SPDX-License-Identifier: MIT */
/* Starting one VP from another: question and answer. [HC-13] */

#include "lib/partition/start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

struct rig {
    struct fake fake;
    struct fake_rig base;
    struct vmr_vp *vps[3];
    struct vmr_hv_initial start;
};

static void rig_init(struct rig *rig, enum vmr_irqchip irqchip)
{
    fake_init(&rig->fake);
    rig->fake.irqchip = irqchip;
    fake_rig_init(&rig->base, &rig->fake, NULL, 3);
    for (vmr_vp_index i = 0; i < 3; i++)
        assert_int_equal(vmr_partition_bind(rig->base.partition, i, &rig->vps[i], NULL), VMR_OK);
    vmr_x86_regs_sipi(&rig->start.regs, 0x77);
    rig->start.pat = 6;
}

static void rig_finish(struct rig *rig)
{
    for (unsigned i = 0; i < 3; i++)
        vmr_vp_unbind(rig->vps[i]);
    fake_rig_finish(&rig->base);
}

static enum vmr_hv_start_end ask(struct rig *rig, vmr_vp_index caller)
{
    return start_ask(rig->vps[2], rig->vps[caller], &rig->start);
}

static void the_vps_thread_answers(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, VMR_IRQCHIP_USER);
    rig.vps[2]->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_equal(atomic_load(&rig.vps[2]->requests), REQUEST_START);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(rig.vps[2]->activity, VMR_ACTIVITY_RUNNING);
    assert_int_equal(rig.fake.regs[2].cs.base, 0x77000);
    assert_int_equal(rig.fake.values[FAKE_SET_MSR], 0x277 + 6);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_DONE);
    /* Collected: the next is a new question. */
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_REFUSED);
    assert_int_equal(fake_count(&rig.fake, FAKE_SET_REGS), 1);
    rig_finish(&rig);
}

static void in_the_hypervisor_it_is_asked_whether_the_vp_waits(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, VMR_IRQCHIP_KERNEL);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(fake_count(&rig.fake, FAKE_GET_ACTIVITY), 1);
    (void)ask(&rig, 0);
    rig_finish(&rig);
}

static void of_two_one_starts_it(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, VMR_IRQCHIP_USER);
    rig.vps[2]->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_equal(ask(&rig, 1), VMR_HV_START_ASKED);
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(ask(&rig, 1), VMR_HV_START_REFUSED);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_DONE);
    rig_finish(&rig);
}

/* An answer that nobody collects yet is in nobody's way, and its owner still gets it. */
static void a_refusal_may_be_asked_over(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, VMR_IRQCHIP_USER);
    rig.vps[2]->activity = VMR_ACTIVITY_RUNNING;
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(ask(&rig, 1), VMR_HV_START_ASKED);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_REFUSED);
    rig.vps[2]->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(ask(&rig, 1), VMR_HV_START_DONE);
    rig_finish(&rig);
}

static void without_a_question_nothing_is_taken(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, VMR_IRQCHIP_USER);
    rig.vps[2]->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    assert_int_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(rig.vps[2]->activity, VMR_ACTIVITY_WAIT_FOR_SIPI);
    rig_finish(&rig);
}

static void a_failing_hypervisor_is_the_vps_own(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, VMR_IRQCHIP_USER);
    rig.vps[2]->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    rig.fake.fail_always = FAKE_SET_REGS;
    assert_int_equal(ask(&rig, 0), VMR_HV_START_ASKED);
    assert_int_not_equal(start_take(rig.vps[2]), VMR_OK);
    assert_int_equal(ask(&rig, 0), VMR_HV_START_DONE);
    rig.fake.fail_always = FAKE_OPEN;
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vps_thread_answers),
        cmocka_unit_test(in_the_hypervisor_it_is_asked_whether_the_vp_waits),
        cmocka_unit_test(of_two_one_starts_it),
        cmocka_unit_test(a_refusal_may_be_asked_over),
        cmocka_unit_test(without_a_question_nothing_is_taken),
        cmocka_unit_test(a_failing_hypervisor_is_the_vps_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
