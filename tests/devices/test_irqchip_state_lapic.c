/* SPDX-License-Identifier: MIT */
/* The state of a local APIC: complete, refused where no register could hold it, and its timer and edges after it. */

#include "lib/devices/irqchip_set.h"
#include "vmrig/device_state.h"

#include "tests/devices/irqchip_rig.h"
#include "tests/support/state_rig.h"

static struct rig rig;
static struct vmr_state_unit units[2];

static int setup(void **state)
{
    struct vmr_state_unit all[5];

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
    assert_int_equal(vmr_irqchip_state_units(rig.chip, all, 5), 5);
    units[0] = all[3];
    units[1] = all[4];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_finish(&rig);
    return 0;
}

static const struct vmr_lapic_state driven = {
    .base = VMR_LAPIC_GPA | LAPIC_BASE_ENABLE | LAPIC_BASE_X2APIC,
    .tpr = 0x21,
    .tpr_written = true,
    .ldr = 0x01000000,
    .dfr = 0x0fffffff,
    .svr = 0x1f0,
    .icr_low = 0x000c4031,
    .icr_high = 0x12345678,
    .esr = 0x20,
    .esr_pending = 0xe0,
    .lvt = {0x20030, 0x31, 0x32, 0x10700, 0x400, 0x35},
    .irr = {[1] = 0x10, [7] = 0x80000000},
    .isr = {[3] = 0x8},
    .tmr = {[1] = 0x10},
    .auto_eoi = {[7] = 0x80000000},
    .timer_initial = 1000000,
    .timer_divide = 0xb,
    .timer_due_ns = 5000000,
    .nmi = true,
    .init = true,
    .sipi = true,
    .sipi_vector = 0x9f,
    .extint = true,
};

static void every_field_is_kept_and_counts(void **state)
{
    (void)state;
    state_expect_off_reset(&units[0], &driven);
    state_expect_off_reset(&units[1], &driven);
    state_expect_hash_of_each_field(&units[1], &driven);
    state_expect_round_trip(&units[1], &driven);
    state_expect_round_trip(&units[0], &driven);
}

static void each_vp_has_its_own(void **state)
{
    union state_value other;

    (void)state;
    units[0].at_reset(units[0].object, &other);
    assert_int_equal(units[1].set(units[1].object, &driven, NULL), VMR_OK);
    state_expect(&units[0], &other, true);
    assert_int_equal(rig.wakes[0], 0);
    assert_int_equal(rig.wakes[1], 1);
    assert_true(((struct vmr_lapic_state *)(void *)&other)->base & LAPIC_BASE_BSP);
    units[1].at_reset(units[1].object, &other);
    assert_false(((struct vmr_lapic_state *)(void *)&other)->base & LAPIC_BASE_BSP);
}

static void what_no_register_holds_is_refused(void **state)
{
    static const struct {
        const char *field;
        uint32_t element;
        uint64_t number;
    } cases[] = {
        {"base", 0, 0xfee01800},
        {"base", 0, 0xfee00400}, /* x2APIC without being on */
        {"base", 0, 0xfee00801},
        {"tpr", 0, 0x100},
        {"ldr", 0, 1},
        {"dfr", 0, 0xf0000000},
        {"svr", 0, 0x400},
        {"icr-low", 0, 0x1000},
        {"esr", 0, 1},
        {"esr-pending", 0, 0x100},
        {"lvt", LAPIC_LVT_TIMER, 0x40030}, /* TSC deadline */
        {"lvt", LAPIC_LVT_ERROR, 0x400},
        {"irr", 0, 0x8000},
        {"isr", 0, 1},
        {"tmr", 0, 1},
        {"auto-eoi", 0, 1},
        {"timer-divide", 0, 4},
        {"timer-initial", 0, 0}, /* and due all the same */
    };
    struct vmr_lapic_state narrow = driven;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_lapic_state value = driven;
        const char *named = strcmp(cases[i].field, "timer-initial") == 0 ? "timer-due-ns" : cases[i].field;

        state_put(units[0].type, &value, cases[i].field, cases[i].element, cases[i].number);
        state_expect_refused(&units[0], &value, named);
    }
    narrow.base &= ~LAPIC_BASE_X2APIC; /* an xAPIC's destination has eight bits */
    state_expect_refused(&units[0], &narrow, "icr-high");
}

static void without_a_pic_nothing_comes_from_it(void **state)
{
    struct vmr_state_unit all[3];
    struct rig other;

    (void)state;
    rig_init(&other, (struct vmr_irqchip_options){.vp_count = 1, .without_pic = true});
    assert_int_equal(vmr_irqchip_state_units(other.chip, all, 3), 3);
    state_expect_refused(&all[2], &driven, "extint");
    rig_finish(&other);
}

static void a_timer_that_was_set_is_due_when_it_says(void **state)
{
    struct vmr_lapic_state value;
    struct vmr_irq_pending pending;

    (void)state;
    rig_enable_lapics(&rig, 2);
    assert_int_equal(rig_poll(&rig, 1).deadline_ns, VMR_NEVER);
    assert_int_equal(units[1].get(units[1].object, &value, NULL), VMR_OK);
    value.lvt[LAPIC_LVT_TIMER] = 0x30;
    value.timer_initial = 1000;
    value.timer_due_ns = 777;
    value.nmi = true;
    assert_int_equal(units[1].set(units[1].object, &value, NULL), VMR_OK);
    pending = rig_poll(&rig, 1);
    assert_int_equal(pending.deadline_ns, 777);
    assert_true(pending.nmi);
    assert_false(pending.interrupt);
    rig.now_ns = 777;
    pending = rig_poll(&rig, 1);
    assert_true(pending.interrupt);
    assert_false(pending.nmi);
    assert_int_equal(rig_take(&rig, 1), 0x30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_is_kept_and_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(each_vp_has_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(what_no_register_holds_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_pic_nothing_comes_from_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_that_was_set_is_due_when_it_says, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
