/* SPDX-License-Identifier: MIT */
/*
 * Stepping: one exit at a time, what of the caller's copy counts as an answer,
 * and a kick that counts once. [RUN-2] [RUN-13] [EXIT-2]
 */

#include "tests/run/fixture.h"

static void steps_yield_exits_and_carry_answers(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_WRITE(2, 9), STEP_OF(VMR_EXIT_HALT)};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, 1);
    vp_exit.u.io.value = 0x42;
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, 2);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_HALT);
    assert_int_equal(fixture.fake.answer_count[0], 2);
    assert_int_equal(fixture.fake.answers[0][0].u.io.value, 0x42);
    assert_int_equal(fixture.fake.answers[0][1].u.io.value, 9);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_ENTER), 3);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_LEAVE), 3);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_STEP);
    fixture_finish(&fixture);
}

/* --- the caller's copy, filled with nonsense --- */

static uint8_t backends_bytes[8];

static const struct {
    const char *name;
    struct vmr_exit exit;
    struct vmr_exit wanted;
} answers[] = {
    {"a port read",
     {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 2, .count = 1}},
     {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 2, .count = 1, .value = UINT64_C(0x5a5a5a5a5a5a5a5a)}}},
    {"a port write",
     {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 2, .count = 1, .direction = VMR_WRITE, .value = 7}},
     {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 2, .count = 1, .direction = VMR_WRITE, .value = 7}}},
    {"a string read",
     {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 2, .count = 4, .string = true, .bytes = backends_bytes}},
     {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 2, .count = 4, .string = true, .bytes = backends_bytes}}},
    {"an MMIO read",
     {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 8}},
     {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 8, .value = UINT64_C(0x5a5a5a5a5a5a5a5a)}}},
    {"an MMIO write",
     {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 8, .direction = VMR_WRITE, .value = 3}},
     {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 8, .direction = VMR_WRITE, .value = 3}}},
    {"an MSR write",
     {.kind = VMR_EXIT_MSR, .u.msr = {.index = 0x10, .direction = VMR_WRITE, .value = 3}},
     {.kind = VMR_EXIT_MSR, .u.msr = {.index = 0x10, .direction = VMR_WRITE, .value = 3, .fault = true}}},
    {"CPUID",
     {.kind = VMR_EXIT_CPUID, .u.cpuid = {.leaf = 1, .subleaf = 2, .eax = 3}},
     {.kind = VMR_EXIT_CPUID, .u.cpuid = {1, 2, 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a}}},
    {"a hypercall",
     {.kind = VMR_EXIT_HYPERCALL, .u.hypercall = {.number = 5, .args = {6}}},
     {.kind = VMR_EXIT_HYPERCALL, .u.hypercall = {.number = 5, .args = {6}, .result = UINT64_C(0x5a5a5a5a5a5a5a5a)}}},
};

static void nothing_but_the_answer_is_taken_from_the_callers_copy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        const struct fake_step steps[] = {{.exit = answers[i].exit}, STEP_OF(VMR_EXIT_HALT)};
        struct fixture fixture;
        struct vmr_exit vp_exit = {0};

        print_message("%s\n", answers[i].name);
        fixture_init(&fixture, steps, COUNT(steps));
        assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
        memset(&vp_exit.u, 0x5a, sizeof(vp_exit.u));
        if (vp_exit.kind == VMR_EXIT_MSR)
            vp_exit.u.msr.fault = true; /* 0x5a is no bool */
        assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
        assert_int_equal(fixture.fake.answer_count[0], 1);
        assert_memory_equal(&fixture.fake.answers[0][0].u, &answers[i].wanted.u, sizeof(vp_exit.u));
        fixture_finish(&fixture);
    }
}

static void an_answer_to_another_kind_is_none(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_OF(VMR_EXIT_HALT)};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    vp_exit = (struct vmr_exit){.kind = VMR_EXIT_MMIO, .u.mmio.value = 7};
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(fixture.fake.answers[0][0].kind, VMR_EXIT_IO);
    assert_int_equal(fixture.fake.answers[0][0].u.io.value, 0);
    fixture_finish(&fixture);
}

/* --- kicks --- */

static void kick_in_guest(void *context, vmr_vp_index vp)
{
    struct fixture *fixture = context;

    (void)vp;
    if (fixture->fake.in_guest_context) {
        fixture->fake.in_guest_context = NULL;
        assert_int_equal(vmr_partition_kick(fixture->rig.partition, 0), VMR_KICK_DELIVERED);
    }
}

static void guest_hook(void *context, vmr_vp_index vp)
{
    if (context)
        kick_in_guest(context, vp);
}

static void a_kick_in_the_guest_is_one_cancel(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_BLOCK, STEP_OF(VMR_EXIT_HALT)};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.fake.in_guest = guest_hook;
    fixture.fake.in_guest_context = &fixture;
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_CANCEL);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_KICK);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_HALT);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_STEP);
    assert_int_equal(fixture.vp->requests, 0);
    fixture_finish(&fixture);
}

static void a_kick_before_a_step_finishes_the_exit_first(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        STEP_READ(1),
        {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 1}}, .further = true},
        STEP_OF(VMR_EXIT_HALT),
    };
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vmr_partition_kick(fixture.rig.partition, 0), VMR_KICK_LATCHED);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_MMIO); /* the rest of the instruction */
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_KICK);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_CANCEL);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), 1);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_HALT);
    fixture_finish(&fixture);
}

static void other_requests_wait_for_a_run(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_OF(VMR_EXIT_HALT), STEP_POWER_OFF};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_true(vmr_partition_request_yield(fixture.rig.partition, 0));
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_HALT);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_NONE);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    fixture_finish(&fixture);
}

/* --- completing, failing, dispatching --- */

static void completing_ends_with_none(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        STEP_READ(1),
        {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x1000, .size = 1}}, .further = true},
    };
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_step_complete(fixture.vp, &vp_exit), VMR_OK); /* nothing is pending */
    assert_int_equal(vp_exit.kind, VMR_EXIT_NONE);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    vp_exit.u.io.value = 0x11;
    assert_int_equal(vmr_vp_step_complete(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_MMIO);
    vp_exit.u.mmio.value = 0x22;
    assert_int_equal(vmr_vp_step_complete(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_NONE);
    assert_int_equal(fixture.fake.answers[0][0].u.io.value, 0x11);
    assert_int_equal(fixture.fake.answers[0][1].u.mmio.value, 0x22);
    fixture_finish(&fixture);
}

static void a_failed_exit_is_never_stepped_over(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {{.exit = {.kind = VMR_EXIT_FAIL, .u.fail = {.code = 4}}}, STEP_READ(1)};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.fail.code, 4);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_E_STATE);
    assert_int_equal(vp_exit.u.fail.code, 4); /* untouched */
    assert_int_equal(vmr_vp_step_complete(fixture.vp, &vp_exit), VMR_E_STATE);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), 1);
    fixture_finish(&fixture);
}

static void dispatching_answers_in_place_and_refuses_nonsense(void **state)
{
    (void)state;
    struct fixture fixture;
    enum vmr_halt_reason reason = VMR_HALT_RESET;
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 4, .count = 1}};

    fixture_init(&fixture, NULL, 0);
    assert_int_equal(vmr_vp_dispatch(fixture.vp, &vp_exit, &fixture.io, &reason), VMR_OK);
    assert_int_equal(reason, VMR_HALT_NONE);
    assert_int_equal(vp_exit.u.io.value, 0xffffffff);
    vp_exit.u.io.size = 3;
    assert_int_equal(vmr_vp_dispatch(fixture.vp, &vp_exit, &fixture.io, &reason), VMR_E_USAGE);
    assert_int_equal(vmr_vp_dispatch(fixture.vp, &vp_exit, NULL, &reason), VMR_E_USAGE);
    fixture_finish(&fixture);
}

static void an_interrupt_needs_a_ready_guest_and_ends_hlt(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {{.exit = {.kind = VMR_EXIT_HALT, .interrupt_ready = true}},
                                             STEP_POWER_OFF};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason;

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_inject(fixture.vp, 0x30), VMR_E_STATE);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vmr_vp_dispatch(fixture.vp, &vp_exit, &fixture.io, &reason), VMR_OK);
    assert_int_equal(fixture.vp->activity, VMR_ACTIVITY_HALTED);
    assert_int_equal(vmr_vp_inject(fixture.vp, 0x30), VMR_OK);
    assert_int_equal(vmr_vp_inject(fixture.vp, 0x31), VMR_E_STATE); /* one at a time */
    assert_int_equal(fixture.fake.values[FAKE_INTERRUPT], 0x30);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF); /* it does not sleep on */
    assert_int_equal(vmr_vp_set_activity(fixture.vp, VMR_ACTIVITY_HALTED), VMR_OK);
    assert_int_equal(vmr_vp_inject_nmi(fixture.vp), VMR_OK);
    assert_int_equal(fixture.vp->activity, VMR_ACTIVITY_RUNNING);
    vmr_vp_request_window(fixture.vp, true);
    assert_int_equal(fixture.fake.values[FAKE_WINDOW], 1);
    vmr_vp_unbind(fixture.vp);
    assert_int_equal(vmr_vp_inject_nmi(fixture.vp), VMR_E_STATE);
    vmr_vp_request_window(fixture.vp, false);
    assert_int_equal(fixture.fake.values[FAKE_WINDOW], 1);
    fake_rig_finish(&fixture.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_yield_exits_and_carry_answers),
        cmocka_unit_test(nothing_but_the_answer_is_taken_from_the_callers_copy),
        cmocka_unit_test(an_answer_to_another_kind_is_none),
        cmocka_unit_test(a_kick_in_the_guest_is_one_cancel),
        cmocka_unit_test(a_kick_before_a_step_finishes_the_exit_first),
        cmocka_unit_test(other_requests_wait_for_a_run),
        cmocka_unit_test(completing_ends_with_none),
        cmocka_unit_test(a_failed_exit_is_never_stepped_over),
        cmocka_unit_test(dispatching_answers_in_place_and_refuses_nonsense),
        cmocka_unit_test(an_interrupt_needs_a_ready_guest_and_ends_hlt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
