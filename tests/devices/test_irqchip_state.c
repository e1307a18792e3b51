/* SPDX-License-Identifier: MIT */
/*
 * The state of lines, PIC and IO-APIC, and the reset of the whole chip: complete,
 * refused where no controller could hold it, no edge twice, none lost.
 */

#include "lib/devices/irqchip_set.h"
#include "vmrig/device_state.h"

#include "tests/devices/irqchip_rig.h"
#include "tests/support/state_rig.h"

#define VPS 2u
#define UNITS (3 + VPS)
enum unit_index {
    LINES,
    PIC,
    IOAPIC,
    LAPIC
};

static struct rig first, second;
static struct vmr_state_unit first_units[UNITS], second_units[UNITS];

static int setup(void **state)
{
    const struct vmr_irqchip_options options = {.vp_count = VPS};

    (void)state;
    rig_init(&first, options);
    rig_init(&second, options);
    assert_int_equal(vmr_irqchip_state_units(first.chip, first_units, UNITS), UNITS);
    assert_int_equal(vmr_irqchip_state_units(second.chip, second_units, UNITS), UNITS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_finish(&second);
    rig_finish(&first);
    return 0;
}

static void hand_over(void)
{
    for (size_t i = 0; i < UNITS; i++) {
        union state_value value;

        assert_int_equal(first_units[i].get(first_units[i].object, &value, NULL), VMR_OK);
        state_expect_round_trip(&second_units[i], &value);
    }
}

static void expect_alike(void)
{
    for (size_t i = 0; i < UNITS; i++) {
        union state_value value;

        assert_int_equal(first_units[i].get(first_units[i].object, &value, NULL), VMR_OK);
        state_expect(&second_units[i], &value, true);
    }
    assert_int_equal(pic_output(&first.chip->pic), pic_output(&second.chip->pic));
    assert_int_equal(first.chip->ioapic.lines, second.chip->ioapic.lines);
    assert_memory_equal(&first.chip->pic, &second.chip->pic, sizeof(first.chip->pic));
}

/* --- what there is --- */

static void the_options_decide_what_there_is(void **state)
{
    static const struct {
        const char *name;
        struct vmr_irqchip_options options;
        const char *units[6];
    } cases[] = {
        {"all", {.vp_count = 2}, {"interrupt-lines", "pic", "ioapic", "lapic", "lapic"}},
        {"split", {.vp_count = 2, .split = true}, {"interrupt-lines", "pic", "ioapic"}},
        {"no PIC", {.vp_count = 1, .without_pic = true}, {"interrupt-lines", "ioapic", "lapic"}},
        {"no IO-APIC", {.vp_count = 1, .without_ioapic = true}, {"interrupt-lines", "pic", "lapic"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_state_unit units[6] = {0};
        struct rig rig;
        size_t count = 0;

        print_message("%s\n", cases[i].name);
        rig_init(&rig, cases[i].options);
        while (cases[i].units[count])
            count++;
        assert_int_equal(vmr_irqchip_state_units(rig.chip, units, 1), count);
        assert_null(units[1].type);
        assert_int_equal(vmr_irqchip_state_units(rig.chip, units, 6), count);
        for (size_t j = 0; j < count; j++)
            assert_string_equal(units[j].type->name, cases[i].units[j]);
        rig_finish(&rig);
    }
    assert_int_equal(first_units[LAPIC].instance, 0);
    assert_int_equal(first_units[LAPIC + 1].instance, 1);
}

/* --- every field --- */

static const struct vmr_irqchip_lines_state lines_driven = {.levels = 0x00a01e, .arbitration = 1};
#define CHIP_DRIVEN                                                                                                    \
    {                                                                                                                  \
        .latched = 0x02, .mask = 0x81, .in_service = 0x11, .level_triggered = 0x08, .vector_base = 0x20,               \
        .cascade_lines = 0x04, .first = 3, .init_state = PIC_WANTS_ICW4, .programmed = true, .level_all = false,       \
        .single = true, .wants_icw4 = true, .auto_eoi = true, .rotate_on_auto_eoi = true, .special_mask = true,        \
        .special_nested = true, .read_in_service = true, .poll = true                                                  \
    }
static struct vmr_pic_state pic_driven = {.chips = {CHIP_DRIVEN, CHIP_DRIVEN}};
static const struct vmr_ioapic_state ioapic_driven = {
    .select = 0x12, .id = 0x0f000000, .entries = {[3] = UINT64_C(0xff0000000000c155), [5] = 0x10931}};

static void every_field_is_kept_and_counts(void **state)
{
    const void *values[] = {&lines_driven, &pic_driven, &ioapic_driven};
    struct vmr_pic_state all_level = pic_driven;

    (void)state;
    /* Level triggering of all lines and a latched edge exclude each other: of two chips each has one. */
    pic_driven.chips[1].level_all = true;
    pic_driven.chips[1].latched = 0;
    for (size_t i = LINES; i <= IOAPIC; i++) {
        state_expect_off_reset(&first_units[i], values[i]);
        state_expect_hash_of_each_field(&first_units[i], values[i]);
        state_expect_round_trip(&first_units[i], values[i]);
    }
    all_level.chips[0].level_all = true;
    state_expect_refused(&first_units[PIC], &all_level, "chip.latched");
}

static const struct {
    enum unit_index unit;
    const char *field;
    uint32_t element;
    uint64_t number;
} hostile[] = {
    {LINES, "levels", 0, 1u << 24},
    {LINES, "arbitration", 0, VPS},
    {PIC, "chip.latched", 0, 0x08}, /* of a line that is level triggered */
    {PIC, "chip.level-triggered", 0, 0x01},
    {PIC, "chip.level-triggered", 1, 0x01},
    {PIC, "chip.vector-base", 1, 0x21},
    {PIC, "chip.first", 0, 8},
    {PIC, "chip.init-state", 1, 4},
    {IOAPIC, "select", 0, 0x100},
    {IOAPIC, "id", 0, 1},
    {IOAPIC, "entries", 23, UINT64_C(1) << 17},
    {IOAPIC, "entries", 0, UINT64_C(1) << 14}, /* remote IRR of an edge */
};

static void what_no_controller_holds_is_refused(void **state)
{
    (void)state;
    assert_int_equal(first_units[PIC].set(first_units[PIC].object, &pic_driven, NULL), VMR_OK);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const struct vmr_state_unit *unit = &first_units[hostile[i].unit];
        union state_value value;

        assert_int_equal(unit->get(unit->object, &value, NULL), VMR_OK);
        state_put(unit->type, &value, hostile[i].field, hostile[i].element, hostile[i].number);
        state_expect_refused(unit, &value, hostile[i].field);
    }
}

static void lines_end_where_there_is_a_controller(void **state)
{
    const struct vmr_irqchip_lines_state cascade = {.levels = 0x4}, pin = {.levels = 0x10000};
    struct vmr_state_unit unit;
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .without_ioapic = true});
    (void)vmr_irqchip_state_units(rig.chip, &unit, 1);
    state_expect_refused(&unit, &cascade, "levels");
    state_expect_refused(&unit, &pin, "levels");
    rig_finish(&rig);
}

/* --- edges --- */

static uint64_t disturb_guest(struct rig *rig, uint32_t number, uint32_t more)
{
    static const uint16_t pic_ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x20, 0xa0};
    uint16_t port = pic_ports[number & 7u];
    vmr_vp_index vp = number & 1u;

    switch (number >> 4 & 7u) {
    case 0:
        rig_out(rig, port, (uint8_t)more);
        return 0;
    case 1:
        return rig_in(rig, port);
    case 2:
        rig_ioapic_set(rig, 0x10 + (number >> 8) % 48u, more & 0x1affff);
        return 0;
    case 3:
        rig_lapic_set(rig, vp, (number >> 8 & 0x3fu) << 4, more);
        return 0;
    case 4:
        return rig_lapic_get(rig, vp, (number >> 8 & 0x3fu) << 4);
    case 5:
        rig_lapic_set(rig, vp, 0x0f0, 0x1ff);
        return 0;
    case 6:
        rig_program_pic(rig);
        return 0;
    default:
        rig_lapic_set(rig, vp, 0x0b0, 0);
        return 0;
    }
}

static uint64_t disturb(struct rig *rig, uint32_t number, uint32_t more)
{
    struct vmr_irq_pending pending;

    switch (number >> 16 & 7u) {
    case 0:
        return rig->ops->irq(rig->chip, more % 26u, (more >> 8 & 1u) != 0);
    case 1:
        return rig->ops->msi(rig->chip,
                             &(struct vmr_msi){.address = 0xfee00000u | (more & 0x3000u), .data = more >> 4 & 0x7ffu});
    case 2:
        rig->now_ns += more << (number & 15u);
        return 0;
    case 3:
        pending = rig_poll(rig, number & 1u);
        return pending.interrupt | (uint64_t)pending.nmi << 1 | (uint64_t)pending.init << 2 |
               (uint64_t)pending.sipi << 3 | pending.deadline_ns << 8;
    case 4:
        return (uint64_t)rig_take(rig, number & 1u);
    default:
        return disturb_guest(rig, number, more);
    }
}

static void what_was_saved_goes_on_as_if_nothing_had_happened(void **state)
{
    uint32_t numbers = 3;

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        for (unsigned i = 0; i < 60; i++) {
            uint32_t number = state_next_number(&numbers);

            (void)disturb(&first, number, state_next_number(&numbers));
        }
        second.now_ns = first.now_ns;
        hand_over();
        expect_alike();
        for (unsigned i = 0; i < 60; i++) {
            uint32_t number = state_next_number(&numbers), more = state_next_number(&numbers);

            assert_int_equal(disturb(&first, number, more), disturb(&second, number, more));
        }
        expect_alike();
    }
}

/* The order of a restore: controllers, then the devices tell their levels once more. */
static void a_level_told_again_is_no_edge(void **state)
{
    (void)state;
    rig_enable_lapics(&first, VPS);
    rig_program_pic(&first);
    rig_set_pin(&first, 4, 0x44, 0);
    rig_set_pin(&first, 11, 0x4b, 0x8000); /* level */
    (void)first.ops->irq(first.chip, 4, true);
    (void)first.ops->irq(first.chip, 11, true);
    assert_int_equal(rig_take(&first, 0), 0x4b);
    hand_over();
    (void)second.ops->irq(second.chip, 4, true);
    (void)second.ops->irq(second.chip, 11, true);
    expect_alike();
    rig_lapic_set(&second, 0, 0x0b0, 0); /* EOI: the line is still held */
    assert_int_equal(rig_take(&second, 0), 0x4b);
    (void)second.ops->irq(second.chip, 11, false);
    rig_lapic_set(&second, 0, 0x0b0, 0);
    assert_int_equal(rig_take(&second, 0), 0x44); /* the one edge of line 4 */
    rig_lapic_set(&second, 0, 0x0b0, 0);
    assert_int_equal(rig_take(&second, 0), -1);
}

static void whoever_sleeps_is_woken(void **state)
{
    union state_value value;

    (void)state;
    for (size_t i = LINES; i <= PIC; i++) {
        rig_forget_wakes(&first);
        assert_int_equal(first_units[i].get(first_units[i].object, &value, NULL), VMR_OK);
        assert_int_equal(first_units[i].set(first_units[i].object, &value, NULL), VMR_OK);
        assert_int_equal(first.wakes[0], 1);
        assert_int_equal(first.wakes[1], 1);
    }
}

/* --- a split chip --- */

static void routes_follow_the_entries_and_nothing_is_sent(void **state)
{
    struct vmr_ioapic_state ioapic;
    struct vmr_state_unit units[3];
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .split = true});
    assert_int_equal(vmr_irqchip_state_units(rig.chip, units, 3), 3);
    (void)rig.ops->irq(rig.chip, 3, true);
    units[IOAPIC].at_reset(units[IOAPIC].object, &ioapic);
    ioapic.entries[3] = 0x43;
    assert_int_equal(units[IOAPIC].set(units[IOAPIC].object, &ioapic, NULL), VMR_OK);
    assert_int_equal(rig.logged, 1);
    assert_int_equal(rig.log[0].kind, RIG_ROUTE);
    assert_int_equal(rig.log[0].gsi, 3);
    rig.ops->reset(rig.chip);
    assert_int_equal(rig.logged, 2);
    assert_int_equal(rig.log[1].kind, RIG_ROUTE_GONE);
    rig_finish(&rig);
}

/* --- reset --- */

static void reset_is_power_up_and_leaves_the_lines_alone(void **state)
{
    uint32_t numbers = 5;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 60; i++) {
            uint32_t number = state_next_number(&numbers);

            (void)disturb(&first, number, state_next_number(&numbers));
        }
        (void)first.ops->irq(first.chip, 7, true);
        rig_forget_wakes(&first);
        first.ops->reset(first.chip);
        assert_int_equal(first.wakes[0], 1);
        assert_int_equal(first.wakes[1], 1);
        assert_true(first.chip->gsi_levels >> 7 & 1u);
        for (uint32_t gsi = 0; gsi < IOAPIC_PIN_COUNT; gsi++)
            (void)first.ops->irq(first.chip, gsi, false);
        expect_alike(); /* to the second chip, which is fresh */
        for (size_t i = 0; i < UNITS; i++) {
            union state_value value;

            first_units[i].at_reset(first_units[i].object, &value);
            state_expect(&first_units[i], &value, true);
        }
        assert_false(rig_poll(&first, 0).interrupt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_options_decide_what_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(every_field_is_kept_and_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_no_controller_holds_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_end_where_there_is_a_controller, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_saved_goes_on_as_if_nothing_had_happened, setup, teardown),
        cmocka_unit_test_setup_teardown(a_level_told_again_is_no_edge, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_sleeps_is_woken, setup, teardown),
        cmocka_unit_test_setup_teardown(routes_follow_the_entries_and_nothing_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_is_power_up_and_leaves_the_lines_alone, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
