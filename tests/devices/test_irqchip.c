/* SPDX-License-Identifier: MIT */
/*
 * The built-in controllers as the run loop sees them: what poll, acknowledge
 * and get_tpr say and when a VP is woken; lines, timers, INIT and SIPI; and two
 * threads at once.
 */

#include "vmrig/irqchip.h"

#include <stdlib.h>

#include "tests/devices/irqchip_rig.h"
#include "vmrig/limits.h"

#define LEVEL (1u << 15)
#define GHZ UINT64_C(1000000000)

static void options_out_of_range_are_refused_by_name(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_host(&rig);
    const struct {
        const char *says;
        struct vmr_irqchip_options options;
        struct vmr_bus *ports, *mmio;
        enum vmr_status status;
    } cases[] = {
        {"host", {.vp_count = 1}, rig.ports, rig.mmio, VMR_E_USAGE},
        {"vp_count 0", {.host = &rig.host}, rig.ports, rig.mmio, VMR_E_CONFIG},
        {"vp_count 2049", {.host = &rig.host, .vp_count = 2049}, rig.ports, rig.mmio, VMR_E_CONFIG},
        {"timer_hz 999", {.host = &rig.host, .vp_count = 1, .timer_hz = 999}, rig.ports, rig.mmio, VMR_E_CONFIG},
        {"timer_hz 10000000001",
         {.host = &rig.host, .vp_count = 1, .timer_hz = 10 * GHZ + 1},
         rig.ports,
         rig.mmio,
         VMR_E_CONFIG},
        {"port bus", {.host = &rig.host, .vp_count = 1}, NULL, rig.mmio, VMR_E_USAGE},
        {"MMIO bus", {.host = &rig.host, .vp_count = 1}, rig.ports, NULL, VMR_E_USAGE},
        {"MMIO bus", {.host = &rig.host, .vp_count = 1, .split = true}, rig.ports, NULL, VMR_E_USAGE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_irqchip_set *chip = NULL;
        struct vmr_error err = {0};

        assert_int_equal(vmr_irqchip_create(&cases[i].options, cases[i].ports, cases[i].mmio, &chip, &err),
                         cases[i].status);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_null(chip);
    }
    vmr_irqchip_destroy(NULL);
    rig_finish(&rig);
}

static void a_line_reaches_its_pin_and_its_pic_input(void **state)
{
    struct rig rig;

    (void)state;
    for (uint32_t gsi = 0; gsi < 26; gsi++) {
        unsigned pin = gsi == 0 ? 2 : gsi;
        int pic_vector = gsi < 8 ? 0x08 + (int)gsi : 0x70 + (int)gsi - 8;

        rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
        rig_enable_lapics(&rig, 1);
        rig_program_pic(&rig);
        for (unsigned i = 0; i < VMR_IOAPIC_PINS; i++)
            rig_set_pin(&rig, i, (uint8_t)(0x40 + i), 0);
        assert_int_equal(rig.ops->irq(rig.chip, gsi, true), gsi < VMR_IOAPIC_PINS);
        assert_int_equal(rig_take(&rig, 0), gsi < VMR_IOAPIC_PINS ? 0x40 + (int)pin : -1);
        rig_lapic_set(&rig, 0, 0x350, 0x700); /* LINT0 lets the PIC through */
        assert_int_equal(rig_take(&rig, 0), gsi < 16 && gsi != 2 ? pic_vector : -1);
        rig_finish(&rig);
    }
}

static void lines_0_and_2_share_a_pin_without_losing_either(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .without_pic = true});
    rig_enable_lapics(&rig, 1);
    rig_set_pin(&rig, 2, 0x42, LEVEL);
    assert_true(rig.ops->irq(rig.chip, 0, true));
    assert_true(rig.ops->irq(rig.chip, 2, true));
    assert_int_equal(rig_take(&rig, 0), 0x42);
    assert_true(rig.ops->irq(rig.chip, 0, false));
    rig_lapic_set(&rig, 0, 0xb0, 0);
    assert_int_equal(rig_take(&rig, 0), 0x42); /* 2 still holds it */
    assert_true(rig.ops->irq(rig.chip, 2, false));
    rig_lapic_set(&rig, 0, 0xb0, 0);
    assert_int_equal(rig_take(&rig, 0), -1);
    rig_finish(&rig);
}

static void lines_exist_only_with_their_controller(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .without_ioapic = true});
    assert_true(rig.ops->irq(rig.chip, 15, true));
    assert_false(rig.ops->irq(rig.chip, 2, true));
    assert_false(rig.ops->irq(rig.chip, 16, true));
    rig_finish(&rig);
}

/* Firmware that knows nothing of APICs: the PIC alone, as at power-up. */
static void pic_interrupts_reach_vp_0_before_any_setup(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
    rig_program_pic(&rig);
    (void)rig_poll(&rig, 0);
    (void)rig_poll(&rig, 1);
    rig_forget_wakes(&rig);
    assert_true(rig.ops->irq(rig.chip, 0, true));
    assert_int_equal(rig.wakes[0], 1);
    assert_int_equal(rig.wakes[1], 0);
    assert_int_equal(rig_take(&rig, 1), -1);
    assert_int_equal(rig_take(&rig, 0), 0x08);
    assert_int_equal(rig_take(&rig, 0), -1);
    assert_true(rig.ops->irq(rig.chip, 1, true));
    assert_int_equal(rig_take(&rig, 0), -1); /* behind line 0 until its EOI */
    rig_out(&rig, 0x20, 0x20);
    assert_int_equal(rig.wakes[0], 2);
    assert_int_equal(rig_take(&rig, 0), 0x09);
    rig_finish(&rig);
}

static void poll_reports_an_edge_once(void **state)
{
    struct rig rig;
    struct vmr_irq_pending pending;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
    assert_true(rig.ops->nmi(rig.chip, 1));
    assert_int_equal(rig.wakes[1], 1);
    assert_true(rig.ops->nmi(rig.chip, 1));
    assert_int_equal(rig.wakes[1], 1); /* no news */
    assert_true(rig_poll(&rig, 1).nmi);
    assert_false(rig_poll(&rig, 1).nmi);
    rig_lapic_set(&rig, 0, 0x310, 1u << 24);
    rig_lapic_set(&rig, 0, 0x300, 0x4500); /* INIT */
    rig_lapic_set(&rig, 0, 0x300, 0x4612); /* SIPI, twice, as every operating system */
    rig_lapic_set(&rig, 0, 0x300, 0x4612);
    pending = rig_poll(&rig, 1);
    assert_true(pending.init && pending.sipi);
    assert_int_equal(pending.sipi_vector, 0x12);
    pending = rig_poll(&rig, 1);
    assert_false(pending.init || pending.sipi);
    assert_false(rig.ops->nmi(rig.chip, 2));
    assert_false(rig.ops->lint(rig.chip, 2, 0));
    assert_false(rig.ops->lint(rig.chip, 0, 2));
    rig_lapic_set(&rig, 1, 0x0f0, 0x1ff);
    rig_lapic_set(&rig, 1, 0x360, 0x400);
    assert_true(rig.ops->lint(rig.chip, 1, 1));
    assert_true(rig_poll(&rig, 1).nmi);
    rig_finish(&rig);
}

static void a_timer_is_due_exactly_when_poll_said(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    rig_enable_lapics(&rig, 1);
    rig.now_ns = 1000;
    assert_true(rig_poll(&rig, 0).deadline_ns == VMR_NEVER);
    rig_lapic_set(&rig, 0, 0x3e0, 0xb);
    rig_lapic_set(&rig, 0, 0x320, 0x200ee); /* periodic */
    rig_forget_wakes(&rig);
    rig_lapic_set(&rig, 0, 0x380, 500000);
    assert_int_equal(rig.wakes[0], 1); /* the deadline is news to whoever sleeps on it */
    assert_true(rig_poll(&rig, 0).deadline_ns == 501000);
    rig.now_ns = 500999;
    assert_false(rig_poll(&rig, 0).interrupt);
    assert_int_equal(rig_lapic_get(&rig, 0, 0x390), 1);
    rig.now_ns = 501000;
    assert_true(rig_poll(&rig, 0).interrupt);
    assert_true(rig_poll(&rig, 0).deadline_ns == 1001000);
    assert_int_equal(rig_take(&rig, 0), 0xee);
    rig_lapic_set(&rig, 0, 0xb0, 0);
    rig.now_ns = 501000 + 10 * 500000 + 7; /* ten missed: one interrupt, and the beat is kept */
    assert_int_equal(rig_take(&rig, 0), 0xee);
    rig_lapic_set(&rig, 0, 0xb0, 0);
    assert_int_equal(rig_take(&rig, 0), -1);
    assert_true(rig_poll(&rig, 0).deadline_ns == 6001000);
    rig_finish(&rig);
}

static void the_timer_clock_is_an_option(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .timer_hz = 25000000, .x2apic = true});
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x80f, 0x1ff), VMR_MSR_OK);
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x83e, 0xb), VMR_MSR_OK);
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x832, 0x40), VMR_MSR_OK);
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x838, 100), VMR_MSR_OK);
    assert_true(rig_poll(&rig, 0).deadline_ns == 4000);
    uint64_t count = 0;

    rig.now_ns = 1000;
    assert_int_equal(rig.ops->msr_read(rig.chip, 0, 0x839, &count), VMR_MSR_OK);
    assert_true(count == 75);
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x832, 0x40040), VMR_MSR_FAULT); /* TSC-deadline mode */
    rig_finish(&rig);
}

static void cr8_and_the_tpr_are_one_register(void **state)
{
    struct rig rig;
    struct vmr_irq_pending pending;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    rig_enable_lapics(&rig, 1);
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 0);
    assert_true(rig.ops->msi(rig.chip, &(struct vmr_msi){.address = 0xfee00000, .data = 0x45}));
    assert_true(rig_poll(&rig, 0).interrupt);
    rig.ops->poll(rig.chip, 0, 0, 4, &pending); /* the guest wrote CR8 */
    assert_false(pending.interrupt);
    assert_int_equal(rig_lapic_get(&rig, 0, 0x80), 0x40);
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 4);
    rig_forget_wakes(&rig);
    rig_lapic_set(&rig, 0, 0x80, 0x35); /* and now the register: newer than the CR8 of that exit */
    assert_int_equal(rig.wakes[0], 1);
    rig.ops->poll(rig.chip, 0, 0, 4, &pending);
    assert_true(pending.interrupt);
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 3);
    assert_true(rig_poll(&rig, 0).interrupt);
    assert_int_equal(rig_lapic_get(&rig, 0, 0x80), 0x35);
    rig.ops->poll(rig.chip, 0, 0, 0, &pending); /* CR8 again */
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 0);
    rig_finish(&rig);
}

static void init_sets_the_tpr_back(void **state)
{
    struct rig rig;
    struct vmr_irq_pending pending;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    rig.ops->poll(rig.chip, 0, 0, 7, &pending);
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 7);
    rig_lapic_set(&rig, 0, 0x300, 0x4500); /* INIT to itself */
    rig.ops->poll(rig.chip, 0, 0, 7, &pending);
    assert_true(pending.init);
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 0);
    rig_finish(&rig);
}

/* One step of a random guest; returns what its VP took. */
static int random_step(struct rig *rig, uint32_t random, uint8_t vector)
{
    vmr_vp_index vp = random & 1;

    rig->now_ns += random & 63;
    switch (random >> 8 & 7) {
    case 0:
        (void)rig->ops->irq(rig->chip, vector & 15, random >> 12 & 1);
        return -1;
    case 1:
        (void)rig->ops->msi(rig->chip, &(struct vmr_msi){.address = 0xfee00000 | vp << 12, .data = vector});
        return -1;
    case 2:
        rig_lapic_set(rig, vp, 0xb0, 0);
        return -1;
    case 3:
        rig_lapic_set(rig, vp, 0x80, vector);
        return -1;
    case 4:
        rig_lapic_set(rig, 0, 0x380, vector);
        return -1;
    case 5:
        return rig_take(rig, vp);
    default:
        rig_out(rig, 0x20, 0x20);
        return -1;
    }
}

/* A TPR that changes and comes back makes the next poll look. */
static void nudge(struct rig *rig, vmr_vp_index vp)
{
    uint32_t tpr = rig_lapic_get(rig, vp, 0x80);

    rig_lapic_set(rig, vp, 0x80, tpr ^ 1);
    rig_lapic_set(rig, vp, 0x80, tpr);
}

/* The model is what a poll with a lock would say: a second chip, made to look each time. */
static void the_fast_answer_is_the_slow_one(void **state)
{
    struct rig rigs[2];
    uint32_t seed = 5;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rig_init(&rigs[i], (struct vmr_irqchip_options){.vp_count = 2});
        rig_enable_lapics(&rigs[i], 2);
        rig_program_pic(&rigs[i]);
        rig_lapic_set(&rigs[i], 0, 0x350, 0x700);
        rig_lapic_set(&rigs[i], 0, 0x320, 0x20071);
    }
    for (unsigned step = 0; step < 20000; step++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t random = seed >> 16;

        assert_int_equal(random_step(&rigs[0], random, (uint8_t)(seed >> 8)),
                         random_step(&rigs[1], random, (uint8_t)(seed >> 8)));
        nudge(&rigs[1], random & 1);
        struct vmr_irq_pending fast = rig_poll(&rigs[0], random & 1);
        struct vmr_irq_pending slow = rig_poll(&rigs[1], random & 1);

        assert_int_equal(fast.interrupt, slow.interrupt);
        assert_true(fast.deadline_ns == slow.deadline_ns);
    }
    rig_finish(&rigs[0]);
    rig_finish(&rigs[1]);
}

static void a_split_chip_has_no_local_apics(void **state)
{
    struct rig rig;
    uint64_t value = 0;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2, .split = true});
    rig_program_pic(&rig);
    rig.logged = 0;
    assert_true(rig.ops->irq(rig.chip, 4, true));
    assert_int_equal(rig.wakes[0], 1);
    assert_int_equal(rig_take(&rig, 1), -1);
    assert_int_equal(rig_take(&rig, 0), 0x0c);
    assert_int_equal(rig_take(&rig, 0), -1);
    assert_true(rig_poll(&rig, 0).deadline_ns == VMR_NEVER);
    assert_int_equal(rig.ops->msr_read(rig.chip, 0, 0x1b, &value), VMR_MSR_NOT_MINE);
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x1b, 0), VMR_MSR_NOT_MINE);
    assert_false(rig.ops->msi(rig.chip, &(struct vmr_msi){.address = 0xfee00000, .data = 0x41}));
    assert_false(rig.ops->nmi(rig.chip, 0));
    assert_false(rig.ops->lint(rig.chip, 0, 0));
    assert_int_equal(rig.ops->get_tpr(rig.chip, 0), 0);
    rig_finish(&rig);
}

static void a_vp_that_does_not_exist_gets_nothing(void **state)
{
    struct rig rig;
    struct vmr_irq_pending pending = {.interrupt = true};
    uint8_t vector;
    uint64_t value;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    rig.ops->poll(rig.chip, 1, 0, 0, &pending);
    assert_false(pending.interrupt);
    assert_true(pending.deadline_ns == VMR_NEVER);
    assert_false(rig.ops->acknowledge(rig.chip, 1, &vector));
    assert_int_equal(rig.ops->msr_read(rig.chip, 1, 0x1b, &value), VMR_MSR_NOT_MINE);
    assert_int_equal(rig.ops->get_tpr(rig.chip, 1), 0);
    rig_finish(&rig);
}

#define SENT_COUNT 2000u

static void send_many(void *argument)
{
    struct rig *rig = argument;

    for (uint32_t i = 0; i < SENT_COUNT; i++) {
        const struct vmr_msi msi = {.address = 0xfee00000, .data = 0x40 + (i & 0x3f)};

        assert_true(rig->ops->msi(rig->chip, &msi));
        assert_true(rig->ops->irq(rig->chip, 20, i & 1));
    }
}

static void no_wake(void *context, vmr_vp_index vp)
{
    (void)context;
    (void)vp;
}

/* Whatever is sent after the last look at a VP is seen by the next: nothing may hide behind the fast answer. */
static void an_interrupt_from_another_thread_is_seen_by_the_next_poll(void **state)
{
    const struct vmr_msi last = {.address = 0xfee00000, .data = 0xf0};
    struct vmr_thread *thread;
    struct rig rig;
    unsigned taken = 0;
    int vector;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    rig.ops->set_wake(rig.chip, no_wake, NULL);
    rig_enable_lapics(&rig, 1);
    rig_set_pin(&rig, 20, 0x90, 0);
    assert_int_equal(rig.host.ops->thread_start(rig.posix.context, "sender", send_many, &rig, &thread), VMR_OK);
    for (unsigned i = 0; i < 20000; i++) {
        if (rig_poll(&rig, 0).interrupt && rig_take(&rig, 0) >= 0) {
            rig_lapic_set(&rig, 0, 0xb0, 0);
            taken++;
        }
    }
    rig.host.ops->thread_join(rig.posix.context, thread);
    assert_true(rig.ops->msi(rig.chip, &last));
    assert_int_equal(rig_take(&rig, 0), 0xf0);
    rig_lapic_set(&rig, 0, 0xb0, 0);
    while ((vector = rig_take(&rig, 0)) >= 0) {
        rig_lapic_set(&rig, 0, 0xb0, 0);
        taken++;
    }
    assert_true(taken >= 65); /* each of 64 vectors and the pin, at least once */
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_out_of_range_are_refused_by_name),
        cmocka_unit_test(a_line_reaches_its_pin_and_its_pic_input),
        cmocka_unit_test(lines_0_and_2_share_a_pin_without_losing_either),
        cmocka_unit_test(lines_exist_only_with_their_controller),
        cmocka_unit_test(pic_interrupts_reach_vp_0_before_any_setup),
        cmocka_unit_test(poll_reports_an_edge_once),
        cmocka_unit_test(a_timer_is_due_exactly_when_poll_said),
        cmocka_unit_test(the_timer_clock_is_an_option),
        cmocka_unit_test(cr8_and_the_tpr_are_one_register),
        cmocka_unit_test(init_sets_the_tpr_back),
        cmocka_unit_test(the_fast_answer_is_the_slow_one),
        cmocka_unit_test(a_split_chip_has_no_local_apics),
        cmocka_unit_test(a_vp_that_does_not_exist_gets_nothing),
        cmocka_unit_test(an_interrupt_from_another_thread_is_seen_by_the_next_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
