/* SPDX-License-Identifier: MIT */
/* Hypercall exits in the loop: finished first, served then, and what a failure on the way does. [HC-1] [HC-4] */

#include "tests/run/fixture.h"

static const struct vmr_hv_config all = {0};

#define CALL STEP_WRITE(VMR_HV_PORT, 0)

/* A VP over `steps`, whose guest has set the interface up with its page at 0. */
static void calling(struct fixture *fixture, const struct fake_step *steps, size_t count)
{
    *fixture = (struct fixture){0};
    fake_init(&fixture->fake);
    fixture->fake.hv = &all;
    fake_script(&fixture->fake, 0, steps, count);
    fixture->fake.regs[0] =
        (struct vmr_x86_regs){.rip = 2, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};
    fixture->fake.regs[0].gpr[VMR_X86_RCX] = HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST;
    fixture_bind(fixture);
    struct vmr_hv_guest *guest = vmr_partition_hv(fixture->rig.partition);

    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, 0, HV_MSR_GUEST_OS_ID, 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, 0, HV_MSR_HYPERCALL, 1), VMR_MSR_OK);
}

static void the_instruction_is_finished_before_registers_are_read(void **state)
{
    static const struct fake_step steps[] = {CALL, STEP_POWER_OFF};
    struct fixture fixture;

    (void)state;
    calling(&fixture, steps, COUNT(steps));
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_COMPLETE), 1);
    assert_int_equal(fixture.fake.regs[0].gpr[VMR_X86_RAX], HV_STATUS_INVALID_CONNECTION_ID);
    assert_int_equal(fixture.fake.regs[0].rip, 2);
    fixture_finish(&fixture);
}

static void an_undefined_call_raises_ud(void **state)
{
    static const struct fake_step steps[] = {CALL, STEP_POWER_OFF};
    struct fixture fixture;

    (void)state;
    calling(&fixture, steps, COUNT(steps));
    fixture.fake.regs[0].ss.attributes |= 0x60;
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&fixture.fake, FAKE_EXCEPTION), 1);
    assert_int_equal(fixture.fake.values[FAKE_EXCEPTION], 6);
    fixture_finish(&fixture);
}

static void what_fails_on_the_way_is_fatal(void **state)
{
    static const struct fake_step steps[] = {CALL, STEP_POWER_OFF};
    static const enum fake_call calls[] = {FAKE_GET_REGS, FAKE_SET_REGS};
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++) {
        calling(&fixture, steps, COUNT(steps));
        fixture.fake.fail_always = calls[i];
        assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
        assert_int_equal(fixture.result.exit.kind, VMR_EXIT_FAIL);
        fixture_finish(&fixture);
    }
}

static void other_accesses_to_the_port_are_a_devices(void **state)
{
    static const struct fake_step steps[] = {
        STEP_READ(VMR_HV_PORT),
        {.exit = {.kind = VMR_EXIT_IO, .u.io = {.port = VMR_HV_PORT, .size = 2, .direction = VMR_WRITE, .count = 1}}},
        STEP_POWER_OFF};
    struct fixture fixture;

    (void)state;
    calling(&fixture, steps, COUNT(steps));
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&fixture.fake, FAKE_GET_REGS), 0);
    assert_int_equal(fixture.fake.answers[0][0].u.io.value, 0xff);
    fixture_finish(&fixture);
}

static void a_step_loop_may_let_the_library_serve_it(void **state)
{
    static const struct fake_step steps[] = {CALL, STEP_POWER_OFF};
    struct fixture fixture;
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason;

    (void)state;
    calling(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vmr_vp_dispatch(fixture.vp, &vp_exit, &fixture.io, &reason), VMR_OK);
    assert_int_equal(reason, VMR_HALT_NONE);
    assert_int_equal(vp_exit.kind, VMR_EXIT_NONE);
    assert_int_equal(fixture.fake.regs[0].gpr[VMR_X86_RAX], HV_STATUS_INVALID_CONNECTION_ID);
    assert_int_equal(vmr_vp_step(fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_SYSTEM_EVENT);
    fixture_finish(&fixture);
}

#define SIMP 0u /* over the hypercall page: nobody calls */
#define SLOT (SIMP + 2 * HV_MESSAGE_BYTES)

static uint32_t slot_type(struct fixture *fixture)
{
    uint32_t type = 0;

    assert_int_equal(vmr_memory_read(fixture->rig.memory, SLOT, &type, sizeof(type)), VMR_OK);
    return type;
}

/* A guest that frees its slot at the second exit and says nothing; at the third, the next message is there. */
static enum vmr_exit_action free_slot(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                      enum vmr_halt_reason *ret_reason)
{
    struct fixture *fixture = context;
    const uint32_t expected[] = {1, 1, 2, 2};
    uint64_t call = fixture->io_calls++;

    (void)vp;
    (void)vp_exit;
    (void)ret_reason;
    assert_int_equal(slot_type(fixture), expected[call]);
    if (call == 1)
        assert_int_equal(vmr_memory_fill(fixture->rig.memory, SLOT, 0, 4), VMR_OK);
    return VMR_EXIT_DEFAULT;
}

static void what_waits_for_the_guest_is_looked_at_after_each_exit(void **state)
{
    static const struct fake_step steps[] = {STEP_READ(5), STEP_READ(5), STEP_READ(5), STEP_POWER_OFF};
    const struct vmr_synic_target target = {.sint = 2};
    struct vmr_synic_message message = {.type = 1};
    struct fixture fixture;

    (void)state;
    calling(&fixture, steps, COUNT(steps));
    struct vmr_hv_guest *guest = vmr_partition_hv(fixture.rig.partition);

    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, 0, HV_MSR_SIMP, SIMP | 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, 0, HV_MSR_SINT0 + 2, 0x45), VMR_MSR_OK);
    for (message.type = 1; message.type <= 2; message.type++)
        assert_int_equal(vmr_synic_post_message(vmr_hv_guest_synic(guest), &target, &message), VMR_OK);
    fixture.io.exit = free_slot;
    fixture.io.context = &fixture;
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fixture.io_calls, 4);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_instruction_is_finished_before_registers_are_read),
        cmocka_unit_test(an_undefined_call_raises_ud),
        cmocka_unit_test(what_fails_on_the_way_is_fatal),
        cmocka_unit_test(other_accesses_to_the_port_are_a_devices),
        cmocka_unit_test(a_step_loop_may_let_the_library_serve_it),
        cmocka_unit_test(what_waits_for_the_guest_is_looked_at_after_each_exit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
