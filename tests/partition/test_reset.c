/* SPDX-License-Identifier: MIT */
/*
 * Reset in two phases: every call of it failing at every position, what is
 * forgotten and what is not, and who may come when. [RST-1] [RST-2] [RST-3]
 */

#include "lib/partition/reset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/partition/lifecycle.h"
#include "tests/support/counting_host.h"
#include "tests/support/fake_backend.h"

#define VPS 2u

struct reset_rig {
    struct fake fake;
    struct fake_rig rig;
    struct vmr_vp *vps[VPS];
    unsigned chip_resets;
};

static void init(struct reset_rig *reset)
{
    *reset = (struct reset_rig){.chip_resets = 0};
    fake_init(&reset->fake);
    reset->fake.caps.vp_classes = FAKE_STATE_CLASSES;
    reset->fake.caps.vm_classes = UINT64_C(1) << VMR_VM_CLOCK;
    fake_rig_init(&reset->rig, &reset->fake, NULL, VPS);
    for (vmr_vp_index i = 0; i < VPS; i++)
        assert_int_equal(vmr_partition_bind(reset->rig.partition, i, &reset->vps[i], NULL), VMR_OK);
}

static void finish(struct reset_rig *reset)
{
    for (vmr_vp_index i = 0; i < VPS; i++)
        vmr_vp_unbind(reset->vps[i]);
    fake_rig_finish(&reset->rig);
}

/* All of it; each VP has its part whatever becomes of the other. The first error. */
static enum vmr_status reset_all(struct reset_rig *reset, struct vmr_error *err)
{
    enum vmr_status first = vmr_partition_reset(reset->rig.partition, err);

    bool begun = first == VMR_OK;

    for (vmr_vp_index i = 0; begun && i < VPS; i++) {
        struct vmr_error later;
        enum vmr_status status = vmr_vp_reset(reset->vps[i], first ? &later : err);

        first = first ? first : status;
    }
    return first;
}

static void every_call_that_fails_keeps_the_partition_unusable(void **state)
{
    (void)state;
    static const enum fake_call calls[] = {FAKE_VM_RESET,  FAKE_SET_VM_STATE, FAKE_VP_RESET,
                                           FAKE_SET_STATE, FAKE_GET_REGS,     FAKE_SET_DEBUG};
    struct reset_rig reset;
    const struct vmr_vp_io io = {0};
    struct vmr_run_result result;
    struct vmr_exit vp_exit = {0};
    unsigned failed = 0;

    init(&reset);
    for (uint32_t nth = 1;; nth++) {
        struct vmr_error err = {0};

        atomic_store(&reset.fake.failable, 0);
        reset.fake.fail_at = nth;
        enum vmr_status status = reset_all(&reset, &err);

        reset.fake.fail_at = 0;
        if (!status)
            break;
        failed++;
        assert_int_equal(status, VMR_E_HOST);
        assert_string_not_equal(err.message, "");
        assert_false(vmr_partition_is_usable(reset.rig.partition));
        assert_int_equal(vmr_vp_run(reset.vps[0], NULL, &io, &result), VMR_E_STATE);
        assert_int_equal(vmr_vp_step(reset.vps[0], &vp_exit), VMR_E_STATE);
        assert_int_equal(reset.vps[0]->state, VP_BOUND);
        assert_int_equal(reset.vps[1]->state, VP_BOUND);
    }
    assert_true(vmr_partition_is_usable(reset.rig.partition));
    assert_true(failed > 2 * 8);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        assert_true(fake_count(&reset.fake, calls[i]) > 0);
    finish(&reset);
}

static void memory_that_runs_out_is_a_failure_like_others(void **state)
{
    (void)state;
    struct reset_rig reset;
    unsigned failed = 0;

    init(&reset);
    for (unsigned nth = 1;; nth++) {
        struct vmr_error err = {0};

        fail_allocation(nth);
        enum vmr_status status = reset_all(&reset, &err);
        bool ran_out = allocation_failed();

        fail_allocation(0);
        if (!ran_out)
            break;
        failed++;
        assert_int_equal(status, VMR_E_NOMEM);
        assert_false(vmr_partition_is_usable(reset.rig.partition));
    }
    assert_int_equal(failed, 1 + VPS);
    assert_true(vmr_partition_is_usable(reset.rig.partition));
    finish(&reset);
}

static void classes_are_set_in_declared_order(void **state)
{
    (void)state;
    struct reset_rig reset;
    const struct vmr_x86_regs *regs = (const void *)reset.fake.states[1][VMR_VP_REGISTERS];

    init(&reset);
    reset.fake.clock.ns = 5;
    assert_int_equal(reset_all(&reset, NULL), VMR_OK);
    assert_int_equal(reset.fake.clock.ns, 0);
    assert_true(reset.fake.state_log_count > VPS * 6u);
    for (size_t i = 1; i < reset.fake.state_log_count / VPS; i++)
        assert_true(reset.fake.state_log[i] > reset.fake.state_log[i - 1]);
    assert_int_equal(regs->rip, 0xfff0);
    assert_int_equal(fake_count(&reset.fake, FAKE_VM_RESET), 1);
    assert_int_equal(fake_count(&reset.fake, FAKE_VP_RESET), VPS);
    finish(&reset);
}

/* --- what is forgotten --- */

static void what_the_guest_was_asked_is_forgotten_and_what_the_host_was_is_not(void **state)
{
    (void)state;
    struct reset_rig reset;
    struct vmr_vp *vp;

    init(&reset);
    vp = reset.vps[0];
    assert_int_equal(vmr_partition_nmi(reset.rig.partition, 0), VMR_OK);
    assert_int_equal(vmr_partition_kick(reset.rig.partition, 0), VMR_KICK_LATCHED);
    assert_true(vmr_partition_request_yield(reset.rig.partition, 0));
    vp->exit = (struct vmr_exit){.kind = VMR_EXIT_IO};
    vp->exit_pending = vp->interrupt_ready = vp->window_requested = vp->start_due = vp->reset_due = true;
    vp->starts = 2;
    vp->tpr = vp->guest_tpr = 5;
    vp->activity = VMR_ACTIVITY_HALTED;
    vp->deadline_ns = 77;
    vp->debug.single_step = true;
    vp->recheck = false;
    assert_int_equal(vmr_partition_reset(reset.rig.partition, NULL), VMR_OK);
    assert_int_equal(atomic_load(&vp->requests), REQUEST_KICK | REQUEST_YIELD);
    assert_int_equal(vmr_partition_nmi(reset.rig.partition, 0), VMR_OK); /* in the window: after it */
    assert_int_equal(vmr_vp_reset(vp, NULL), VMR_OK);
    assert_int_equal(atomic_load(&vp->requests), REQUEST_KICK | REQUEST_YIELD | REQUEST_NMI);
    assert_int_equal(vp->exit.kind, VMR_EXIT_NONE);
    assert_false(vp->exit_pending || vp->interrupt_ready || vp->window_requested || vp->start_due || vp->reset_due);
    assert_int_equal(vp->starts, 0);
    assert_int_equal(vp->tpr + vp->guest_tpr, 0);
    assert_int_equal(vp->activity, VMR_ACTIVITY_RUNNING);
    assert_int_equal(vp->deadline_ns, VMR_NEVER);
    assert_false(vp->debug.single_step);
    assert_true(vp->recheck);
    assert_int_equal(vmr_vp_reset(reset.vps[1], NULL), VMR_OK);
    finish(&reset);
}

static void set_no_wake(void *chip, void (*wake)(void *context, vmr_vp_index vp), void *context)
{
    (void)chip;
    (void)wake;
    (void)context;
}

static void count_reset(void *chip)
{
    (*(unsigned *)chip)++;
}

static void an_attached_chip_is_reset_once(void **state)
{
    (void)state;
    static const struct vmr_irqchip_ops ops = {.set_wake = set_no_wake, .reset = count_reset};
    struct reset_rig reset = {.chip_resets = 0};

    fake_init(&reset.fake);
    reset.fake.caps.vp_classes = FAKE_STATE_CLASSES;
    fake_rig_init(&reset.rig, &reset.fake, NULL, VPS);
    assert_int_equal(vmr_partition_attach_irqchip(reset.rig.partition, &ops, &reset.chip_resets, NULL), VMR_OK);
    for (vmr_vp_index i = 0; i < VPS; i++)
        assert_int_equal(vmr_partition_bind(reset.rig.partition, i, &reset.vps[i], NULL), VMR_OK);
    reset.vps[1]->activity = VMR_ACTIVITY_RUNNING;
    assert_int_equal(reset_all(&reset, NULL), VMR_OK);
    assert_int_equal(reset.chip_resets, 1);
    assert_int_equal(reset.vps[1]->activity, VMR_ACTIVITY_WAIT_FOR_SIPI);
    finish(&reset);
}

/* --- when --- */

static void no_reset_while_a_vp_runs_or_once_one_is_dead(void **state)
{
    (void)state;
    static const enum vp_state states[] = {VP_RUNNING, VP_DEAD};
    struct reset_rig reset;
    struct vmr_error err = {0};

    init(&reset);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        atomic_store(&reset.vps[1]->state, states[i]);
        assert_int_equal(vmr_partition_reset(reset.rig.partition, &err), VMR_E_STATE);
        assert_non_null(strstr(err.message, "VP 1"));
        assert_non_null(strstr(err.message, vp_state_name(states[i])));
        assert_true(vmr_partition_is_usable(reset.rig.partition));
    }
    atomic_store(&reset.vps[1]->state, VP_BOUND);
    assert_int_equal(fake_count(&reset.fake, FAKE_VM_RESET), 0);
    finish(&reset);
}

/* Well only after its own part: not by the partition's, not by a scrub or a restore, and not by a part out of turn. */
static void a_reset_makes_a_vp_well_that_has_failed(void **state)
{
    (void)state;
    struct reset_rig reset;
    struct vmr_error err = {0};
    struct vmr_exit vp_exit = {0};

    init(&reset);
    atomic_store(&reset.vps[1]->state, VP_FAILED);
    assert_int_equal(vmr_vp_reset(reset.vps[1], &err), VMR_E_STATE);
    assert_int_equal(reset.vps[1]->state, VP_FAILED);
    assert_int_equal(vmr_partition_restore_begin(reset.rig.partition, &err), VMR_E_STATE);
    assert_string_equal(err.message, "restore: VP 1 is failed");
    assert_int_equal(vmr_partition_reset(reset.rig.partition, &err), VMR_OK);
    assert_int_equal(reset.vps[1]->state, VP_FAILED);
    assert_int_equal(vmr_vp_step(reset.vps[1], &vp_exit), VMR_E_STATE);
    assert_int_equal(vmr_vp_reset(reset.vps[1], &err), VMR_OK);
    assert_int_equal(reset.vps[1]->state, VP_BOUND);
    assert_false(vmr_partition_is_usable(reset.rig.partition));
    for (vmr_vp_index i = 0; i < VPS; i++)
        assert_int_equal(vmr_vp_reset(reset.vps[i], &err), i == 1 ? VMR_E_STATE : VMR_OK);
    assert_true(vmr_partition_is_usable(reset.rig.partition));
    finish(&reset);
}

static void without_its_state_nothing_can_be_reset(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_error err = {0};

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(vmr_partition_reset(rig.partition, &err), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_partition_scrub(rig.partition, 1, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "fake"));
    assert_true(vmr_partition_is_usable(rig.partition));
    fake_rig_finish(&rig);
}

/* A VP that comes while a reset decides waits for the decision: here it was made before the VP had said that it runs.
 */
static void a_vp_that_finds_a_decision_under_way_follows_it(void **state)
{
    (void)state;
    struct reset_rig reset;

    init(&reset);
    atomic_store(&reset.rig.partition->phase, RESET_DECIDING);
    assert_int_equal(reset_enter(reset.vps[0], RESET_USABLE), VMR_E_STATE);
    assert_int_equal(reset.vps[0]->state, VP_BOUND);
    atomic_store(&reset.rig.partition->phase, RESET_BAD);
    assert_int_equal(reset_enter(reset.vps[0], RESET_USABLE), VMR_E_STATE);
    atomic_store(&reset.rig.partition->phase, RESET_USABLE);
    assert_int_equal(reset_enter(reset.vps[0], RESET_USABLE), VMR_OK);
    assert_int_equal(reset.vps[0]->state, VP_RUNNING);
    assert_int_equal(lifecycle_move(reset.vps[0], VP_OP_RETURN), VMR_OK);
    finish(&reset);
}

static void a_reset_that_is_under_way_is_not_begun_again(void **state)
{
    (void)state;
    struct reset_rig reset;
    struct vmr_error err = {0};

    init(&reset);
    reset.rig.partition->phase_busy = true;
    assert_int_equal(vmr_partition_reset(reset.rig.partition, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "being reset"));
    reset.rig.partition->phase_busy = false;
    assert_int_equal(reset_all(&reset, NULL), VMR_OK);
    finish(&reset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_that_fails_keeps_the_partition_unusable),
        cmocka_unit_test(memory_that_runs_out_is_a_failure_like_others),
        cmocka_unit_test(classes_are_set_in_declared_order),
        cmocka_unit_test(what_the_guest_was_asked_is_forgotten_and_what_the_host_was_is_not),
        cmocka_unit_test(an_attached_chip_is_reset_once),
        cmocka_unit_test(no_reset_while_a_vp_runs_or_once_one_is_dead),
        cmocka_unit_test(a_reset_makes_a_vp_well_that_has_failed),
        cmocka_unit_test(without_its_state_nothing_can_be_reset),
        cmocka_unit_test(a_vp_that_finds_a_decision_under_way_follows_it),
        cmocka_unit_test(a_reset_that_is_under_way_is_not_begun_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
