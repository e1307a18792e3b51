/* SPDX-License-Identifier: MIT */
/* VTL switches, refused accesses and higher VTLs' interrupts in the loop, and what fails on the way. [VTL-8] [VTL-10]
 * [VTL-11] */

#include "tests/run/fixture.h"

#define FAULT(v, how)                                                                                                  \
    {                                                                                                                  \
        .exit = {                                                                                                      \
            .kind = VMR_EXIT_MEMORY_FAULT,                                                                             \
            .vtl = (v),                                                                                                \
            .u.memory_fault = {.gpa = 8, .size = 1, .flags = VMR_FAULT_VTL | (how)}                                    \
        }                                                                                                              \
    }
#define CALL_AT(v)                                                                                                     \
    {                                                                                                                  \
        .exit = {                                                                                                      \
            .kind = VMR_EXIT_IO,                                                                                       \
            .vtl = (v),                                                                                                \
            .u.io = {.port = VMR_HV_PORT, .size = 1, .direction = VMR_WRITE, .count = 1}                               \
        }                                                                                                              \
    }

/* A VP that begins in VTL 2, whose memory of one page is mapped late. */
static void begin(struct fixture *fixture, enum vmr_late_map_policy policy, const struct fake_step *steps, size_t count)
{
    const struct vmr_late_map late = {.policy = policy};
    const struct vmr_hv_vtl2_config config = {.late_map = &late};
    const struct vmr_hv_config hv = {.vtl2 = &config};

    *fixture = (struct fixture){0};
    fake_init(&fixture->fake);
    fixture->fake.hv = &hv;
    fake_script(&fixture->fake, 0, steps, count);
    fixture->fake.regs[0] =
        (struct vmr_x86_regs){.rip = 2, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};
    fixture_bind(fixture);
    fixture->fake.hv = NULL;
}

static void a_policy_is_followed(void **state)
{
    static const struct fake_step steps[] = {FAULT(2, 0), STEP_POWER_OFF};
    static const struct {
        enum vmr_late_map_policy policy;
        enum fake_call call;
        uint64_t value;
    } rows[] = {{VMR_LATE_MAP_LOG, FAKE_PASS_FAULT, 1}, {VMR_LATE_MAP_INJECT_EXCEPTION, FAKE_EXCEPTION, 13}};
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(&fixture, rows[i].policy, steps, COUNT(steps));
        assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
        assert_int_equal(fake_count(&fixture.fake, rows[i].call), 1);
        assert_int_equal(fixture.fake.values[rows[i].call], rows[i].value);
        fixture_finish(&fixture);
        begin(&fixture, rows[i].policy, steps, COUNT(steps));
        fixture.fake.fail_always = rows[i].call;
        assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
        fixture_finish(&fixture);
    }
    begin(&fixture, VMR_LATE_MAP_HALT, steps, COUNT(steps));
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
    assert_int_equal(fixture.result.exit.kind, VMR_EXIT_MEMORY_FAULT);
    fixture_finish(&fixture);
}

/* Without the flag it is the hypervisor's own, and nobody's to mend. */
static void another_memory_fault_is_fatal(void **state)
{
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_MEMORY_FAULT, .u.memory_fault = {.gpa = 8, .flags = 8}}}};
    struct fixture fixture;

    (void)state;
    begin(&fixture, VMR_LATE_MAP_LOG, steps, COUNT(steps));
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
    assert_int_equal(fake_count(&fixture.fake, FAKE_PASS_FAULT), 0);
    fixture_finish(&fixture);
}

static void set_up_page(struct fixture *fixture, uint8_t vtl)
{
    struct vmr_hv_guest *guest = vmr_partition_hv(fixture->rig.partition);

    /* The one page of RAM is late: it is the library that places the page, for VTL 0. */
    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, vtl, HV_MSR_GUEST_OS_ID, 1), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, vtl, HV_MSR_HYPERCALL, 1), VMR_MSR_OK);
}

static void plain_vtl2(struct fixture *fixture, const struct fake_step *steps, size_t count)
{
    static const struct vmr_hv_vtl2_config config = {.late_map = NULL};
    static const struct vmr_hv_config hv = {.vtl2 = &config};

    *fixture = (struct fixture){0};
    fake_init(&fixture->fake);
    fixture->fake.hv = &hv;
    fake_script(&fixture->fake, 0, steps, count);
    fixture->fake.regs[0] =
        (struct vmr_x86_regs){.rip = 2, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};
    fixture->fake.regs[0].gpr[VMR_X86_RCX] = HV_CALL_VTL_RETURN;
    fixture->fake.regs[0].gpr[VMR_X86_RAX] = 1;
    fixture_bind(fixture);
    set_up_page(fixture, VMR_VTL2);
}

static void a_return_enters_the_lower_vtl_with_its_registers(void **state)
{
    static const struct fake_step steps[] = {CALL_AT(2), STEP_POWER_OFF};
    static const enum fake_call calls[] = {FAKE_SWITCH_VTL, FAKE_SET_MSR};
    struct fixture fixture;

    (void)state;
    plain_vtl2(&fixture, steps, COUNT(steps));
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fixture.fake.values[FAKE_SWITCH_VTL], 0x100); /* VTL 0, for the first time */
    assert_int_equal(fake_count(&fixture.fake, FAKE_SET_MSR), 1);  /* PAT */
    assert_int_equal(vmr_vp_get_vtl(fixture.vp), VMR_VTL0);
    fixture_finish(&fixture);
    for (size_t i = 0; i < COUNT(calls); i++) {
        plain_vtl2(&fixture, steps, COUNT(steps));
        fixture.fake.fail_always = calls[i];
        assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
        fixture_finish(&fixture);
    }
}

/* VTL 2 gets a vector while VTL 0 runs: it is entered, asks for a window, and is injected. */
static void a_vector_of_a_higher_vtl_enters_it(void **state)
{
    static const struct fake_step steps[] = {CALL_AT(2),
                                             STEP_READ(1),
                                             {.exit = {.kind = VMR_EXIT_IRQ_WINDOW, .vtl = 2, .interrupt_ready = true}},
                                             STEP_POWER_OFF};
    const struct vmr_synic_target target = {.vp = 0, .vtl = VMR_VTL2, .sint = 4};
    struct fixture fixture;

    (void)state;
    plain_vtl2(&fixture, steps, COUNT(steps));
    struct vmr_hv_guest *guest = vmr_partition_hv(fixture.rig.partition);

    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, VMR_VTL2, HV_MSR_SINT0 + 4, 0x66), VMR_MSR_OK);
    assert_int_equal(vmr_synic_signal_event(vmr_hv_guest_synic(guest), &target, 3), VMR_SYNIC_SIGNALED);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&fixture.fake, FAKE_SWITCH_VTL), 2);
    assert_int_equal(fixture.fake.values[FAKE_SWITCH_VTL], VMR_VTL2);
    assert_int_equal(fake_count(&fixture.fake, FAKE_INTERRUPT), 1);
    assert_int_equal(fixture.fake.values[FAKE_INTERRUPT], 0x66);
    fixture_finish(&fixture);
}

static void a_vector_that_fails_is_fatal(void **state)
{
    static const struct fake_step steps[] = {{.exit = {.kind = VMR_EXIT_IRQ_WINDOW, .vtl = 2, .interrupt_ready = true}},
                                             STEP_POWER_OFF};
    const struct vmr_synic_target target = {.vp = 0, .vtl = VMR_VTL2, .sint = 4};
    struct fixture fixture;

    (void)state;
    plain_vtl2(&fixture, steps, COUNT(steps));
    struct vmr_hv_guest *guest = vmr_partition_hv(fixture.rig.partition);

    assert_int_equal(vmr_hv_guest_msr_write(guest, 0, VMR_VTL2, HV_MSR_SINT0 + 4, 0x66), VMR_MSR_OK);
    assert_int_equal(vmr_synic_signal_event(vmr_hv_guest_synic(guest), &target, 3), VMR_SYNIC_SIGNALED);
    fixture.fake.fail_always = FAKE_INTERRUPT;
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_followed),
        cmocka_unit_test(another_memory_fault_is_fatal),
        cmocka_unit_test(a_return_enters_the_lower_vtl_with_its_registers),
        cmocka_unit_test(a_vector_of_a_higher_vtl_enters_it),
        cmocka_unit_test(a_vector_that_fails_is_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
