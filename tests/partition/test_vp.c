/* SPDX-License-Identifier: MIT */
/*
 * Binding and looking into a VP: order, clean points, debug states.
 * [LIFE-1] [LIFE-6] [LIFE-7] [LIFE-9] [EXIT-6] [DBG-1]
 */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

static const struct vmr_vp_io no_io = {0};

static const struct fake_step read_step[] = {
    {.exit = {.kind = VMR_EXIT_IO, .u.io = {.port = 0x71, .size = 1, .count = 1}}},
    {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 1}}, .further = true},
};

static struct vmr_vp *must_bind(struct fake_rig *rig, vmr_vp_index index)
{
    struct vmr_vp *vp = NULL;

    assert_int_equal(vmr_partition_bind(rig->partition, index, &vp, NULL), VMR_OK);
    return vp;
}

static void binding_is_refused_out_of_order(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_error err = {0};
    struct vmr_vp *other = NULL;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 2);
    assert_int_equal(vmr_partition_bind(rig.partition, 2, &other, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "VP 2"));
    struct vmr_vp *vp = must_bind(&rig, 1);

    assert_ptr_equal(vmr_vp_partition(vp), rig.partition);
    assert_int_equal(vmr_partition_bind(rig.partition, 1, &other, &err), VMR_E_STATE);
    assert_string_equal(err.message, "VP 1: cannot bind, it is bound");
    assert_null(other);
    assert_int_equal(fake_count(&fake, FAKE_VP_BIND), 1);
    vmr_vp_unbind(vp);
    vmr_vp_unbind(vp); /* not bound: nothing */
    vmr_vp_unbind(NULL);
    assert_int_equal(fake_count(&fake, FAKE_VP_UNBIND), 1);
    fake_rig_finish(&rig);
}

static void a_failed_bind_can_be_tried_again(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_vp *vp = NULL;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    fake.fail_always = FAKE_VP_BIND;
    assert_int_equal(vmr_partition_bind(rig.partition, 0, &vp, NULL), VMR_E_HOST);
    assert_null(vp);
    fake.fail_always = FAKE_OPEN;
    fake.caps.bits = 0; /* asked at proto time: no effect on this partition */
    vmr_vp_unbind(must_bind(&rig, 0));
    fake_rig_finish(&rig);
}

static void a_second_bind_needs_the_capability(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_error err = {0};
    struct vmr_vp *vp = NULL;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    vmr_vp_unbind(must_bind(&rig, 0));
    vmr_vp_unbind(must_bind(&rig, 0));
    fake_rig_finish(&rig);
    fake_init(&fake);
    fake.caps.bits &= ~(UINT64_C(1) << VMR_CAP_REBIND);
    fake_rig_init(&rig, &fake, NULL, 1);
    vmr_vp_unbind(must_bind(&rig, 0));
    assert_int_equal(vmr_partition_bind(rig.partition, 0, &vp, &err), VMR_E_UNSUPPORTED);
    assert_int_equal(fake_count(&fake, FAKE_VP_BIND), 1);
    fake_rig_finish(&rig);
}

static void a_vp_with_a_pending_exit_is_not_looked_into(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs = {.rip = 5};
    enum vmr_activity activity;
    uint64_t value;

    fake_init(&fake);
    fake_script(&fake, 0, read_step, 1);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    assert_int_equal(vmr_vp_set_regs(vp, &regs), VMR_OK);
    assert_int_equal(vmr_vp_step(vp, &vp_exit), VMR_OK);
    uint32_t calls = atomic_load(&fake.failable);

    assert_int_equal(vmr_vp_get_regs(vp, &regs), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_regs(vp, &regs), VMR_E_STATE);
    assert_int_equal(vmr_vp_get_msr(vp, 1, &value), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_msr(vp, 1, 2), VMR_E_STATE);
    assert_int_equal(vmr_vp_get_activity(vp, &activity), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_activity(vp, VMR_ACTIVITY_HALTED), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_debug_state(vp, NULL), VMR_E_STATE);
    assert_int_equal(atomic_load(&fake.failable), calls); /* the backend was not asked */
    assert_int_equal(vmr_vp_step_complete(vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_NONE);
    assert_int_equal(vmr_vp_get_regs(vp, &regs), VMR_OK);
    assert_int_equal(regs.rip, 5);
    vmr_vp_unbind(vp);
    assert_int_equal(vmr_vp_get_regs(vp, &regs), VMR_E_STATE);
    fake_rig_finish(&rig);
}

static void unbinding_completes_the_exit_in_the_order_that_backends_expect(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_exit vp_exit = {0};

    fake_init(&fake);
    fake_script(&fake, 0, read_step, 2);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    assert_int_equal(vmr_vp_step(vp, &vp_exit), VMR_OK);
    vmr_vp_unbind(vp);
    assert_int_equal(fake_count(&fake, FAKE_VP_COMPLETE), 2); /* the exit, and the rest of its instruction */
    assert_int_equal(fake_count(&fake, FAKE_VP_ENTER), fake_count(&fake, FAKE_VP_LEAVE));
    assert_int_equal(fake_count(&fake, FAKE_VP_ENTER), 2);
    fake_rig_finish(&rig); /* nothing was called out of order */
}

static void unbinding_gives_up_on_a_backend_that_never_finishes(void **state)
{
    (void)state;
    static const struct fake_step forever[] = {
        {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 1}}, .further = true},
    };
    struct fake fake;
    struct fake_rig rig;
    struct vmr_exit vp_exit = {0};

    fake_init(&fake);
    fake_script(&fake, 0, forever, 1);
    fake.scripts[0].endless = true;
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    assert_int_equal(vmr_vp_step(vp, &vp_exit), VMR_OK);
    vmr_vp_unbind(vp);
    assert_int_equal(fake_count(&fake, FAKE_VP_COMPLETE), VMR_COMPLETION_EXIT_MAX);
    fake_rig_finish(&rig);
}

static void registers_pass_through_with_the_backends_status(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    struct vmr_x86_regs regs = {.rip = 77};
    uint64_t value = 0;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    assert_int_equal(vmr_vp_get_msr(vp, 3, &value), VMR_OK);
    assert_int_equal(value, 0x1114);
    assert_int_equal(vmr_vp_set_msr(vp, 3, 4), VMR_OK);
    assert_int_equal(fake.values[FAKE_SET_MSR], 7);
    fake.fail_always = FAKE_SET_REGS;
    assert_int_equal(vmr_vp_set_regs(vp, &regs), VMR_E_HOST);
    fake.fail_always = FAKE_GET_MSR;
    assert_int_equal(vmr_vp_get_msr(vp, 3, &value), VMR_E_HOST);
    assert_int_equal(value, 0x1114);
    vmr_vp_unbind(vp);
    fake_rig_finish(&rig);
}

/* --- activity --- */

static bool chip_irq(void *chip, uint32_t gsi, bool level)
{
    (void)chip;
    (void)gsi;
    return level;
}

static void chip_set_wake(void *chip, void (*wake)(void *context, vmr_vp_index vp), void *context)
{
    (void)chip;
    (void)wake;
    (void)context;
}

static const struct {
    const char *name;
    enum vmr_irqchip irqchip;
    bool attach;
    enum vmr_activity boot, other;
} beginnings[] = {
    {"without any controllers all run", VMR_IRQCHIP_USER, false, VMR_ACTIVITY_RUNNING, VMR_ACTIVITY_RUNNING},
    {"with the library's the others wait", VMR_IRQCHIP_USER, true, VMR_ACTIVITY_RUNNING, VMR_ACTIVITY_WAIT_FOR_SIPI},
    {"in the hypervisor it says", VMR_IRQCHIP_KERNEL, false, VMR_ACTIVITY_HALTED, VMR_ACTIVITY_HALTED},
};

static void vps_begin_as_the_controllers_have_it(void **state)
{
    (void)state;
    static const struct vmr_irqchip_ops ops = {.irq = chip_irq, .set_wake = chip_set_wake};

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        struct fake fake;
        struct fake_rig rig;
        enum vmr_activity boot, other;

        print_message("%s\n", beginnings[i].name);
        fake_init(&fake);
        fake.irqchip = beginnings[i].irqchip;
        fake_rig_init(&rig, &fake, NULL, 2);
        if (beginnings[i].attach)
            assert_int_equal(vmr_partition_attach_irqchip(rig.partition, &ops, &fake, NULL), VMR_OK);
        struct vmr_vp *vps[] = {must_bind(&rig, 0), must_bind(&rig, 1)};

        assert_int_equal(vmr_vp_get_activity(vps[0], &boot), VMR_OK);
        assert_int_equal(vmr_vp_get_activity(vps[1], &other), VMR_OK);
        assert_int_equal(boot, beginnings[i].boot);
        assert_int_equal(other, beginnings[i].other);
        vmr_vp_unbind(vps[0]);
        vmr_vp_unbind(vps[1]);
        fake_rig_finish(&rig);
    }
}

static void an_activity_is_set_and_survives_a_rebind(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    enum vmr_activity activity = VMR_ACTIVITY_RUNNING;

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    assert_int_equal(vmr_vp_set_activity(vp, VMR_ACTIVITY_COUNT), VMR_E_USAGE);
    assert_int_equal(vmr_vp_set_activity(vp, VMR_ACTIVITY_HALTED), VMR_OK);
    vmr_vp_unbind(vp);
    vp = must_bind(&rig, 0);
    assert_int_equal(vmr_vp_get_activity(vp, &activity), VMR_OK);
    assert_int_equal(activity, VMR_ACTIVITY_HALTED);
    vmr_vp_unbind(vp);
    fake_rig_finish(&rig);
}

/* In HLT the interrupt flag alone says whether an interrupt can be taken; elsewhere the hypervisor must have said so.
 */
static void new_registers_decide_whether_an_interrupt_can_be_injected(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;
    const struct vmr_x86_regs off = {.rflags = 0x2}, on = {.rflags = 0x202};

    fake_init(&fake);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    vp->interrupt_ready = true;
    assert_int_equal(vmr_vp_set_regs(vp, &off), VMR_OK);
    assert_int_equal(vmr_vp_inject(vp, 0x20), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_regs(vp, &on), VMR_OK);
    assert_int_equal(vmr_vp_inject(vp, 0x20), VMR_E_STATE);
    assert_int_equal(vmr_vp_set_activity(vp, VMR_ACTIVITY_HALTED), VMR_OK);
    assert_int_equal(vmr_vp_inject(vp, 0x20), VMR_OK);
    assert_int_equal(fake.values[FAKE_INTERRUPT], 0x20);
    vmr_vp_unbind(vp);
    fake_rig_finish(&rig);
}

/* --- debug states --- */

#define POINT(k, l)                                                                                                    \
    {                                                                                                                  \
        .breakpoints = { [3] = {.enabled = true, .kind = (k), .length = (l), .address = 0x1000} }                      \
    }

static const struct {
    const char *name;
    struct vmr_debug_state debug;
    uint64_t missing; /* capabilities */
    enum vmr_status status;
} debug_states[] = {
    {"a single step", {.single_step = true}, 0, VMR_OK},
    {"a single step that cannot be", {.single_step = true}, UINT64_C(1) << VMR_CAP_SINGLE_STEP, VMR_E_UNSUPPORTED},
    {"a breakpoint", POINT(VMR_BREAK_EXECUTE, 1), 0, VMR_OK},
    {"a watchpoint of 8", POINT(VMR_BREAK_WRITE, 8), 0, VMR_OK},
    {"one that cannot be", POINT(VMR_BREAK_ACCESS, 4), UINT64_C(1) << VMR_CAP_HW_BREAKPOINT, VMR_E_UNSUPPORTED},
    {"an execution breakpoint of 4", POINT(VMR_BREAK_EXECUTE, 4), 0, VMR_E_USAGE},
    {"a watchpoint of 3", POINT(VMR_BREAK_WRITE, 3), 0, VMR_E_USAGE},
    {"the kind of an I/O breakpoint", POINT(2, 1), 0, VMR_E_USAGE},
    {"a watchpoint that is not aligned",
     {.breakpoints = {{.enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = 0x1002}}},
     0,
     VMR_E_USAGE},
    {"one that is off is not looked at", {.breakpoints = {{.kind = 9, .length = 9}}}, 0, VMR_OK},
};

static void must_have_debug(struct vmr_vp *vp, const struct vmr_debug_state *debug)
{
    struct vmr_debug_state got;

    memset(&got, 0xff, sizeof(got));
    assert_int_equal(vmr_vp_get_debug_state(vp, &got), VMR_OK);
    assert_int_equal(got.single_step, debug->single_step);
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        assert_int_equal(got.breakpoints[i].enabled, debug->breakpoints[i].enabled);
        assert_int_equal(got.breakpoints[i].kind, debug->breakpoints[i].kind);
        assert_int_equal(got.breakpoints[i].length, debug->breakpoints[i].length);
        assert_int_equal(got.breakpoints[i].address, debug->breakpoints[i].address);
    }
}

static void a_debug_state_is_honoured_or_refused(void **state)
{
    static const struct vmr_debug_state none = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(debug_states) / sizeof(debug_states[0]); i++) {
        struct fake fake;
        struct fake_rig rig;

        print_message("%s\n", debug_states[i].name);
        fake_init(&fake);
        fake.caps.bits &= ~debug_states[i].missing;
        fake_rig_init(&rig, &fake, NULL, 1);
        struct vmr_vp *vp = must_bind(&rig, 0);

        assert_int_equal(vmr_vp_set_debug_state(vp, &debug_states[i].debug), debug_states[i].status);
        assert_int_equal(fake_count(&fake, FAKE_SET_DEBUG), debug_states[i].status == VMR_OK);
        must_have_debug(vp, debug_states[i].status ? &none : &debug_states[i].debug);
        assert_int_equal(vmr_vp_set_debug_state(vp, NULL), VMR_OK);
        must_have_debug(vp, &none);
        vmr_vp_unbind(vp);
        fake_rig_finish(&rig);
    }
}

static void a_vp_that_failed_is_looked_into_and_never_runs(void **state)
{
    (void)state;
    static const struct fake_step fail[] = {{.exit = {.kind = VMR_EXIT_FAIL, .u.fail = {.code = 9}}}};
    struct fake fake;
    struct fake_rig rig;
    struct vmr_run_result result = {0};
    struct vmr_x86_regs regs;
    struct vmr_error err = {0};
    struct vmr_vp *again = NULL;

    fake_init(&fake);
    fake_script(&fake, 0, fail, 1);
    fake_rig_init(&rig, &fake, NULL, 1);
    struct vmr_vp *vp = must_bind(&rig, 0);

    assert_int_equal(vmr_vp_run(vp, NULL, &no_io, &result), VMR_OK);
    assert_int_equal(result.reason, VMR_HALT_FATAL);
    assert_int_equal(result.exit.u.fail.code, 9);
    assert_int_equal(vmr_vp_run(vp, NULL, &no_io, &result), VMR_E_STATE);
    assert_int_equal(vmr_vp_step(vp, &result.exit), VMR_E_STATE);
    assert_int_equal(vmr_vp_get_regs(vp, &regs), VMR_OK);
    vmr_vp_unbind(vp);
    assert_int_equal(vmr_partition_bind(rig.partition, 0, &again, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "dead"));
    assert_int_equal(fake_count(&fake, FAKE_VP_RUN), 1);
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding_is_refused_out_of_order),
        cmocka_unit_test(a_failed_bind_can_be_tried_again),
        cmocka_unit_test(a_second_bind_needs_the_capability),
        cmocka_unit_test(a_vp_with_a_pending_exit_is_not_looked_into),
        cmocka_unit_test(unbinding_completes_the_exit_in_the_order_that_backends_expect),
        cmocka_unit_test(unbinding_gives_up_on_a_backend_that_never_finishes),
        cmocka_unit_test(registers_pass_through_with_the_backends_status),
        cmocka_unit_test(vps_begin_as_the_controllers_have_it),
        cmocka_unit_test(an_activity_is_set_and_survives_a_rebind),
        cmocka_unit_test(new_registers_decide_whether_an_interrupt_can_be_injected),
        cmocka_unit_test(a_debug_state_is_honoured_or_refused),
        cmocka_unit_test(a_vp_that_failed_is_looked_into_and_never_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
