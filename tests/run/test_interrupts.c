/* SPDX-License-Identifier: MIT */
/*
 * What waits for a VP is carried into the guest: when it is ready, through a
 * window, out of HLT, by INIT and SIPI; and a TPR that both sides change.
 * [INT-1] [INT-2] [INT-3] [EXIT-10] [HALT-2]
 */

#include "tests/run/fixture.h"

#include "tests/run/fake_chip.h"

#define READY(k)                                                                                                       \
    {                                                                                                                  \
        .exit = {.kind = (k), .interrupt_ready = true }                                                                \
    }

struct setup {
    struct fixture fixture;
    struct fake_chip chip;
};

/* VP `index` of two, with the chip attached. */
static void set_up(struct setup *setup, vmr_vp_index index, const struct fake_step *steps, size_t count)
{
    struct fixture *fixture = &setup->fixture;

    fake_init(&fixture->fake);
    fake_script(&fixture->fake, index, steps, count);
    fake_rig_init(&fixture->rig, &fixture->fake, NULL, 2);
    assert_int_equal(vmr_partition_attach_irqchip(fixture->rig.partition, &fake_chip_ops, &setup->chip, NULL), VMR_OK);
    assert_int_equal(vmr_partition_bind(fixture->rig.partition, index, &fixture->vp, NULL), VMR_OK);
    setup->chip.pending.deadline_ns = VMR_NEVER;
}

static void put_vectors(struct setup *setup, uint8_t first, size_t count)
{
    setup->chip.vector_count = count;
    for (size_t i = 0; i < count; i++)
        setup->chip.vectors[i] = (uint8_t)(first + i);
}

static void an_interrupt_waits_for_the_window(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), READY(VMR_EXIT_IRQ_WINDOW), STEP_POWER_OFF};
    struct setup setup = {0};

    put_vectors(&setup, 0x40, 1);
    set_up(&setup, 0, steps, COUNT(steps));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_INTERRUPT), 1);
    assert_int_equal(setup.fixture.fake.values[FAKE_INTERRUPT], 0x40);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_WINDOW), 2); /* wanted, and not any more */
    assert_int_equal(setup.fixture.fake.values[FAKE_WINDOW], 0);
    fixture_finish(&setup.fixture);
}

static void readiness_with_any_exit_is_used(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {READY(VMR_EXIT_EOI), READY(VMR_EXIT_EOI), STEP_POWER_OFF};
    struct setup setup = {0};

    put_vectors(&setup, 0x40, 2);
    set_up(&setup, 0, steps, COUNT(steps));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_INTERRUPT), 2); /* one an exit, in order */
    assert_int_equal(setup.fixture.fake.values[FAKE_INTERRUPT], 0x41);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_WINDOW), 4); /* each wants its own, the second at once */
    fixture_finish(&setup.fixture);
}

static void an_interrupt_that_vanished_is_not_injected(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {READY(VMR_EXIT_EOI), STEP_POWER_OFF};
    struct setup setup = {0};

    put_vectors(&setup, 0x40, 1);
    setup.chip.refuses = true;
    set_up(&setup, 0, steps, COUNT(steps));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(setup.chip.acknowledges, 1);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_INTERRUPT), 0);
    fixture_finish(&setup.fixture);
}

static void hlt_ends_with_an_interrupt_only_when_they_are_on(void **state)
{
    (void)state;
    static const struct fake_step on[] = {READY(VMR_EXIT_HALT), STEP_POWER_OFF};
    static const struct fake_step off[] = {STEP_OF(VMR_EXIT_HALT), STEP_POWER_OFF};
    struct setup setup = {0};

    put_vectors(&setup, 0x40, 1);
    set_up(&setup, 0, on, COUNT(on));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_INTERRUPT), 1);
    fixture_finish(&setup.fixture);

    setup = (struct setup){0};
    put_vectors(&setup, 0x40, 1);
    set_up(&setup, 0, off, COUNT(off));
    setup.chip.pending.deadline_ns = 0; /* wakes again and again: an interrupt that cannot be taken ends no HLT */
    struct vmr_stop_source *stop = NULL;

    assert_int_equal(vmr_stop_create(&setup.fixture.rig.host, &stop), VMR_OK);
    setup.fixture.vp->activity = VMR_ACTIVITY_HALTED;
    (void)vmr_partition_kick(setup.fixture.rig.partition, 0);
    assert_int_equal(must_run(&setup.fixture, stop), VMR_HALT_CANCEL);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_INTERRUPT), 0);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_VP_RUN), 0);
    vmr_stop_destroy(stop);
    fixture_finish(&setup.fixture);
}

static void an_nmi_ends_hlt_with_interrupts_off(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_POWER_OFF};
    struct setup setup = {.chip.pending.nmi = true};

    set_up(&setup, 0, steps, COUNT(steps));
    setup.fixture.vp->activity = VMR_ACTIVITY_HALTED;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_NMI), 1);
    fixture_finish(&setup.fixture);
}

static void a_sipi_starts_a_waiting_vp_once(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {READY(VMR_EXIT_EOI), STEP_POWER_OFF};
    struct setup setup = {.chip.pending = {.sipi = true, .sipi_vector = 0x9a}};
    struct vmr_x86_regs *regs = &setup.fixture.fake.regs[1];

    set_up(&setup, 1, steps, COUNT(steps));
    regs->apic_base = 0xfee00c00; /* x2APIC: neither INIT nor SIPI changes it */
    assert_int_equal(setup.fixture.vp->activity, VMR_ACTIVITY_WAIT_FOR_SIPI);
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(regs->cs.base, 0x9a000);
    assert_int_equal(regs->apic_base, 0xfee00c00);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_SET_REGS), 1);
    fake_script(&setup.fixture.fake, 1, steps, COUNT(steps));
    setup.fixture.fake.scripts[1].endless = true;
    setup.chip.pending.sipi = true; /* a second one: ignored [INT-3] */
    vmr_partition_wake(setup.fixture.rig.partition, 1);
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_SET_REGS), 1);
    fixture_finish(&setup.fixture);
}

static void init_begins_anew_and_takes_no_interrupt_along(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {READY(VMR_EXIT_EOI), STEP_POWER_OFF};

    for (vmr_vp_index index = 0; index < 2; index++) {
        struct setup setup = {0};
        struct vmr_x86_regs *regs = &setup.fixture.fake.regs[index];

        set_up(&setup, index, steps, COUNT(steps));
        setup.fixture.vp->activity = VMR_ACTIVITY_RUNNING;
        setup.fixture.vp->interrupt_ready = true; /* so said the last exit, of the life before */
        setup.chip.pending.init = true;
        setup.chip.pending.sipi = true;
        setup.chip.pending.sipi_vector = 1;
        put_vectors(&setup, 0x40, 1);
        regs->rflags = 0x202;
        regs->apic_base = 0xfee00d00;
        vmr_partition_wake(setup.fixture.rig.partition, index);
        assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
        assert_int_equal(regs->apic_base, 0xfee00d00);
        assert_int_equal(regs->rflags, 0x2);
        assert_int_equal(regs->cs.base, index == 0 ? 0xffff0000 : 0x1000);
        /* Only after the first exit of the new life said that it can be taken. */
        assert_int_equal(fake_count(&setup.fixture.fake, FAKE_INTERRUPT), 1);
        assert_int_equal(fake_count(&setup.fixture.fake, FAKE_WINDOW), 2);
        fixture_finish(&setup.fixture);
    }
}

/* Port 1: INIT, SIPI and an NMI come while the access is under way. Port 2, its second half, halts the VP. */
static enum vmr_exit_action edges_then_halt(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                            enum vmr_halt_reason *ret_reason)
{
    struct setup *setup = context;

    if (vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.port == 1) {
        setup->chip.pending.init = setup->chip.pending.sipi = setup->chip.pending.nmi = true;
        setup->chip.pending.sipi_vector = 0x9a;
        vmr_partition_wake(setup->fixture.rig.partition, vmr_vp_get_index(vp));
    }
    *ret_reason = VMR_HALT_RESET;
    return vp_exit->kind == VMR_EXIT_IO && vp_exit->u.io.port == 2 ? VMR_EXIT_HALT_VP : VMR_EXIT_DEFAULT;
}

static void edges_outlive_a_run_that_ends_by_finishing_its_exit(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        STEP_READ(1),
        {.exit = {.kind = VMR_EXIT_IO, .u.io = {.port = 2, .size = 1, .count = 1}}, .further = true},
        STEP_POWER_OFF};
    struct setup setup = {0};

    set_up(&setup, 1, steps, COUNT(steps));
    setup.fixture.vp->activity = VMR_ACTIVITY_RUNNING;
    setup.fixture.io.exit = edges_then_halt;
    setup.fixture.io.context = &setup;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_RESET);
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_SET_REGS), 2);
    assert_int_equal(setup.fixture.fake.regs[1].cs.base, 0x9a000);
    assert_int_equal(fake_count(&setup.fixture.fake, FAKE_NMI), 1);
    fixture_finish(&setup.fixture);
}

/* --- calls that fail --- */

static const struct {
    const char *name;
    enum fake_call call;
    struct vmr_irq_pending pending;
    size_t vectors;
    vmr_vp_index vp;
} failures[] = {
    {"an interrupt", FAKE_INTERRUPT, {.deadline_ns = VMR_NEVER}, 1, 0},
    {"an NMI", FAKE_NMI, {.nmi = true}, 0, 0},
    {"the registers of INIT", FAKE_SET_REGS, {.init = true}, 0, 0},
    {"the registers before INIT", FAKE_GET_REGS, {.init = true}, 0, 0},
    {"the registers of SIPI", FAKE_SET_REGS, {.sipi = true}, 0, 1},
};

static void what_cannot_be_carried_into_the_guest_is_fatal(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {READY(VMR_EXIT_EOI), STEP_POWER_OFF};

    for (size_t i = 0; i < COUNT(failures); i++) {
        struct setup setup = {0};

        print_message("%s\n", failures[i].name);
        set_up(&setup, failures[i].vp, steps, COUNT(steps));
        setup.chip.pending = failures[i].pending;
        put_vectors(&setup, 0x40, failures[i].vectors);
        setup.fixture.fake.fail_always = failures[i].call;
        assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_FATAL);
        assert_int_equal(setup.fixture.result.exit.kind, VMR_EXIT_FAIL);
        assert_int_equal(setup.fixture.result.exit.u.fail.code, VMR_E_HOST);
        setup.fixture.fake.fail_always = FAKE_OPEN;
        fixture_finish(&setup.fixture);
    }
}

/* --- TPR --- */

static void the_guests_tpr_reaches_the_chip_and_back(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_IO, .tpr = 5, .u.io = {.port = 1, .size = 1, .count = 1}}},
        {.exit = {.kind = VMR_EXIT_EOI, .tpr = 9}},
        STEP_POWER_OFF,
    };
    struct setup setup = {0};

    set_up(&setup, 0, steps, COUNT(steps));
    assert_true(vmr_partition_request_yield(setup.fixture.rig.partition, 0));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_NONE);
    setup.chip.tpr = 0;
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(setup.chip.polled_tpr, 9);
    fixture_finish(&setup.fixture);
}

/* The exit is finished at the stop, and with it what it said; the TPR is not forgotten. */
static void a_tpr_survives_a_stop(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_IO, .tpr = 5, .u.io = {.port = 1, .size = 1, .count = 1}}},
        {.exit = {.kind = VMR_EXIT_SHUTDOWN, .tpr = 5}},
    };
    struct setup setup = {0};

    set_up(&setup, 0, steps, COUNT(steps));
    struct vmr_exit vp_exit = {0};

    assert_int_equal(vmr_vp_step(setup.fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(vmr_vp_step_complete(setup.fixture.vp, &vp_exit), VMR_OK);
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_TRIPLE_FAULT);
    assert_int_equal(setup.chip.polled_tpr, 5);
    fixture_finish(&setup.fixture);
}

/* --- MSRs, EOI --- */

static void the_chip_is_asked_before_the_embedder(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 0x1b}}},
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 0x1b, .direction = VMR_WRITE, .value = 2}}},
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 0x1c}}},
        {.exit = {.kind = VMR_EXIT_EOI, .u.eoi = {.vector = 0x41}}},
        STEP_POWER_OFF,
    };
    struct setup setup = {0};

    set_up(&setup, 0, steps, COUNT(steps));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    const struct vmr_exit *answers = setup.fixture.fake.answers[0];

    assert_int_equal(answers[0].u.msr.value, 0x55);
    assert_false(answers[0].u.msr.fault);
    assert_true(answers[1].u.msr.fault);
    assert_true(answers[2].u.msr.fault);
    assert_int_equal(setup.chip.eoi, 0x41);
    fixture_finish(&setup.fixture);
}

static void an_exit_that_concerns_no_interrupt_asks_nothing(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_READ(2), STEP_READ(3), STEP_POWER_OFF};
    struct setup setup = {0};

    set_up(&setup, 0, steps, COUNT(steps));
    assert_int_equal(must_run(&setup.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(setup.chip.polls, 1); /* the first entry alone */
    fixture_finish(&setup.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupt_waits_for_the_window),
        cmocka_unit_test(readiness_with_any_exit_is_used),
        cmocka_unit_test(an_interrupt_that_vanished_is_not_injected),
        cmocka_unit_test(hlt_ends_with_an_interrupt_only_when_they_are_on),
        cmocka_unit_test(an_nmi_ends_hlt_with_interrupts_off),
        cmocka_unit_test(a_sipi_starts_a_waiting_vp_once),
        cmocka_unit_test(init_begins_anew_and_takes_no_interrupt_along),
        cmocka_unit_test(edges_outlive_a_run_that_ends_by_finishing_its_exit),
        cmocka_unit_test(what_cannot_be_carried_into_the_guest_is_fatal),
        cmocka_unit_test(the_guests_tpr_reaches_the_chip_and_back),
        cmocka_unit_test(a_tpr_survives_a_stop),
        cmocka_unit_test(the_chip_is_asked_before_the_embedder),
        cmocka_unit_test(an_exit_that_concerns_no_interrupt_asks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
