/* SPDX-License-Identifier: MIT */
/*
 * From one controller to another: MSIs, IPIs by every mode, shorthand and
 * destination, arbitration, EOI, and what a split chip tells the hypervisor.
 */

#include "lib/devices/irqchip_set.h"

#include "tests/devices/irqchip_rig.h"

#define LEVEL (1u << 15)
#define MASKED (1u << 16)
#define LOGICAL (1u << 11)
#define VP_COUNT 4u

static bool send_msi(struct rig *rig, uint64_t address, uint32_t data)
{
    return rig->ops->msi(rig->chip, &(struct vmr_msi){.address = address, .data = data});
}

/* Who has something waiting, a bit each; takes it. */
static unsigned who_got(struct rig *rig, uint32_t mode, int vector)
{
    unsigned who = 0;

    for (vmr_vp_index vp = 0; vp < VP_COUNT; vp++) {
        struct vmr_irq_pending pending = rig_poll(rig, vp);
        bool got = false;

        assert_int_equal(pending.nmi + pending.init + pending.sipi + pending.interrupt <= 1, 1);
        if (mode <= IRQ_LOWEST)
            got = pending.interrupt && rig_take(rig, vp) == vector;
        else
            got = mode == IRQ_NMI ? pending.nmi : mode == IRQ_INIT ? pending.init : pending.sipi;
        assert_int_equal(got, pending.nmi || pending.init || pending.sipi || pending.interrupt);
        assert_int_equal(rig->wakes[vp] != 0, got); /* who has something new was woken, and nobody else */
        who |= (unsigned)got << vp;
    }
    return who;
}

struct target {
    const char *name;
    uint32_t icr_high, icr_low;
    unsigned meant; /* VPs, a bit each */
};

/* VP 1 sends. */
static const struct target targets[] = {
    {"physical 2", 2u << 24, 0, 1u << 2},           {"physical 1, itself", 1u << 24, 0, 1u << 1},
    {"physical 9, nobody", 9u << 24, 0, 0},         {"physical, all", 0xffu << 24, 0, 0xf},
    {"logical 0 and 3", 0x09u << 24, LOGICAL, 0x9}, {"logical, all", 0xffu << 24, LOGICAL, 0xf},
    {"self", 2u << 24, 1u << 18, 1u << 1},          {"all including self", 2u << 24, 2u << 18, 0xf},
    {"all others", 2u << 24, 3u << 18, 0xd},
};

static bool is_valid(uint32_t icr_low, uint32_t mode)
{
    uint32_t shorthand = icr_low >> 18 & 3;

    if (mode == IRQ_SMI || mode == IRQ_RESERVED || mode == IRQ_EXTINT)
        return false;
    return mode == IRQ_FIXED || shorthand == 0 || shorthand == 3;
}

static void each_ipi_reaches_whom_it_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        for (uint32_t mode = 0; mode < 8; mode++) {
            struct rig rig;

            print_message("%s, mode %u\n", targets[i].name, mode);
            rig_init(&rig, (struct vmr_irqchip_options){.vp_count = VP_COUNT});
            rig_enable_lapics(&rig, VP_COUNT);
            for (vmr_vp_index vp = 0; vp < VP_COUNT; vp++)
                (void)rig_poll(&rig, vp);
            rig_forget_wakes(&rig);
            rig_lapic_set(&rig, 1, 0x310, targets[i].icr_high);
            rig_lapic_set(&rig, 1, 0x300, targets[i].icr_low | mode << 8 | 0x4000 | 0x41);
            unsigned who = who_got(&rig, mode, 0x41);
            unsigned meant = is_valid(targets[i].icr_low, mode) ? targets[i].meant : 0;

            if (mode == IRQ_LOWEST && meant != 0) /* one of them */
                assert_true(who != 0 && (who & ~meant) == 0 && (who & (who - 1)) == 0);
            else
                assert_int_equal(who, meant);
            rig_finish(&rig);
        }
    }
}

static void x2apic_ipis_reach_vps_beyond_8_bits(void **state)
{
    struct vmr_irqchip_options options = {.vp_count = 300};
    struct rig rig;

    (void)state;
    rig_init(&rig, options);
    rig.ops->set_wake(rig.chip, NULL, NULL);
    /* VP 0 is in xAPIC mode; those without an 8-bit ID are not. */
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x1b, 0xfee00d00), VMR_MSR_OK);
    assert_int_equal(rig.ops->msr_write(rig.chip, 299, 0x80f, 0x1ff), VMR_MSR_OK);
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x830, UINT64_C(299) << 32 | 0x4041), VMR_MSR_OK);
    assert_int_equal(rig_take(&rig, 299), 0x41);
    assert_int_equal(rig_take(&rig, 299 & 0xff), -1);
    /* Cluster 18, member 11. */
    assert_int_equal(rig.ops->msr_write(rig.chip, 0, 0x830, UINT64_C(0x00120800) << 32 | 0x4842), VMR_MSR_OK);
    assert_int_equal(rig.ops->msr_write(rig.chip, 299, 0x80b, 0), VMR_MSR_OK);
    assert_int_equal(rig_take(&rig, 299), 0x42);
    rig_finish(&rig);
}

static void msis_mean_what_the_manual_says(void **state)
{
    static const struct {
        const char *name;
        uint64_t address;
        uint32_t data;
        bool taken;
        unsigned meant;
    } cases[] = {
        {"physical 1", 0xfee01000, 0x41, true, 0x2},
        {"physical, nobody", 0xfee09000, 0x41, false, 0},
        {"logical", 0xfee05004, 0x41, true, 0x5},
        {"all", 0xfeeff000, 0x41, true, 0xf},
        {"redirection hint", 0xfee0400c, 0x41, true, 0x4},
        {"level, asserted", 0xfee01000, 0xc041, true, 0x2},
        {"level, de-asserted", 0xfee01000, 0x8041, true, 0},
        {"bad vector", 0xfee01000, 0x0f, false, 0},
        {"smi", 0xfee01000, 0x0200, false, 0},
        {"reserved", 0xfee01000, 0x0341, false, 0},
        {"start-up is an ICR's alone", 0xfee01000, 0x0641, false, 0},
        {"not an MSI", 0xfec01000, 0x41, false, 0},
        {"above 4 GiB", UINT64_C(0x1fee01000), 0x41, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;

        print_message("%s\n", cases[i].name);
        rig_init(&rig, (struct vmr_irqchip_options){.vp_count = VP_COUNT});
        rig_enable_lapics(&rig, VP_COUNT);
        for (vmr_vp_index vp = 0; vp < VP_COUNT; vp++)
            (void)rig_poll(&rig, vp);
        rig_forget_wakes(&rig);
        assert_int_equal(send_msi(&rig, cases[i].address, cases[i].data), cases[i].taken);
        assert_int_equal(who_got(&rig, IRQ_FIXED, 0x41), cases[i].meant);
        rig_finish(&rig);
    }
}

static void lowest_priority_prefers_the_least_busy_and_takes_turns(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = VP_COUNT});
    rig_enable_lapics(&rig, 3); /* VP 3 is software disabled and never chosen */
    for (unsigned round = 0; round < 2; round++) {
        for (vmr_vp_index vp = 0; vp < 3; vp++) {
            assert_true(send_msi(&rig, 0xfeeff00c, 0x41));
            assert_int_equal(rig_take(&rig, vp), 0x41);
            rig_lapic_set(&rig, vp, 0xb0, 0);
        }
    }
    rig_lapic_set(&rig, 0, 0x80, 0x20);
    rig_lapic_set(&rig, 1, 0x80, 0x30);
    rig_lapic_set(&rig, 2, 0x80, 0x10);
    for (uint8_t vector = 0x60; vector < 0x63; vector++)
        assert_true(send_msi(&rig, 0xfeeff00c, vector));
    assert_int_equal(rig_take(&rig, 2), 0x62);
    assert_int_equal(rig_take(&rig, 0), -1);
    rig_finish(&rig);
}

static void a_level_pin_waits_for_whoever_took_it(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
    rig_set_pin(&rig, 10, 0x50, LEVEL);
    assert_true(rig.ops->irq(rig.chip, 10, true));
    assert_int_equal(rig_take(&rig, 0), -1); /* software disabled: nobody takes it yet */
    rig_enable_lapics(&rig, 2);
    assert_int_equal(rig_take(&rig, 0), 0x50);
    assert_int_equal(rig_take(&rig, 0), -1);
    rig_forget_wakes(&rig);
    rig_lapic_set(&rig, 0, 0xb0, 0); /* still held */
    assert_int_equal(rig.wakes[0], 1);
    assert_int_equal(rig_take(&rig, 0), 0x50);
    assert_true(rig.ops->irq(rig.chip, 10, false));
    rig_lapic_set(&rig, 0, 0xb0, 0);
    assert_int_equal(rig_take(&rig, 0), -1);
    assert_int_equal(rig_ioapic_get(&rig, 0x10 + 20), 0x50 | LEVEL);
    rig_finish(&rig);
}

/* Which edges a pin's mode makes, at VP 1: the modes of the data sheet, 3.2.4, each by name. */
static void a_pin_does_what_its_mode_says(void **state)
{
    static const struct {
        const char *name;
        uint32_t mode;
        bool nmi, init;
    } cases[] = {
        {"smi", IRQ_SMI, false, false},  {"reserved", IRQ_RESERVED, false, false}, {"nmi", IRQ_NMI, true, false},
        {"init", IRQ_INIT, false, true}, {"start-up", IRQ_STARTUP, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint32_t trigger = 0; trigger <= LEVEL; trigger += LEVEL) {
            struct rig rig;

            print_message("%s, trigger %#x\n", cases[i].name, trigger);
            rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
            rig_enable_lapics(&rig, 2);
            rig_ioapic_set(&rig, 0x11 + 2 * 20, 1u << 24);
            rig_set_pin(&rig, 20, 0x41, cases[i].mode << 8 | trigger);
            for (unsigned pulse = 0; pulse < 2; pulse++) {
                assert_true(rig.ops->irq(rig.chip, 20, true));
                struct vmr_irq_pending pending = rig_poll(&rig, 1);

                assert_int_equal(pending.nmi, cases[i].nmi);
                assert_int_equal(pending.init, cases[i].init);
                assert_false(pending.sipi || pending.interrupt);
                assert_true(rig.ops->irq(rig.chip, 20, false));
            }
            rig_finish(&rig);
        }
    }
}

#define EXTINT ((uint32_t)IRQ_EXTINT << 8)

static void an_extint_pin_brings_the_pics_interrupts(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
    rig_enable_lapics(&rig, 2);
    rig_program_pic(&rig);
    rig_ioapic_set(&rig, 0x11, 1u << 24); /* pin 0 is the PIC's, to VP 1 */
    rig_set_pin(&rig, 0, 0, EXTINT);
    rig_forget_wakes(&rig);
    assert_true(rig.ops->irq(rig.chip, 4, true));
    assert_true(rig.ops->irq(rig.chip, 3, true));
    assert_true(rig.wakes[1] > 0);
    assert_int_equal(rig.wakes[0], 0);
    assert_int_equal(rig_take(&rig, 0), -1);
    assert_int_equal(rig_take(&rig, 1), 0x08 + 3);
    assert_int_equal(rig_take(&rig, 1), -1);
    rig_out(&rig, 0x20, 0x20); /* the other has waited in the PIC: a new edge of its output */
    assert_int_equal(rig_take(&rig, 1), 0x08 + 4);
    assert_int_equal(rig_take(&rig, 1), -1);
    rig_out(&rig, 0x20, 0x20);
    rig_set_pin(&rig, 0, 0, EXTINT | MASKED);
    assert_true(rig.ops->irq(rig.chip, 4, false));
    assert_true(rig.ops->irq(rig.chip, 4, true));
    assert_int_equal(rig_take(&rig, 1), -1);
    rig_finish(&rig);
}

/* With automatic EOI the next one asks at once: but for the acknowledge cycle the output would never fall. */
static void each_acknowledge_is_an_edge_of_the_pics_output(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    rig_enable_lapics(&rig, 1);
    rig_program_pic(&rig);
    rig_out(&rig, 0x20, 0x11);
    rig_out(&rig, 0x21, 0x08);
    rig_out(&rig, 0x21, 0x04);
    rig_out(&rig, 0x21, 0x03); /* ICW4: automatic EOI */
    rig_set_pin(&rig, 0, 0, EXTINT);
    assert_true(rig.ops->irq(rig.chip, 3, true));
    assert_true(rig.ops->irq(rig.chip, 4, true));
    assert_int_equal(rig_take(&rig, 0), 0x08 + 3);
    assert_int_equal(rig_take(&rig, 0), 0x08 + 4);
    assert_int_equal(rig_take(&rig, 0), -1);
    rig_finish(&rig);
}

/* Without a PIC behind it an ExtINT means nothing; with one that has nothing the vector is its spurious one. */
static void an_extint_that_is_no_pics_is_spurious_or_nothing(void **state)
{
    (void)state;
    for (unsigned without_pic = 0; without_pic < 2; without_pic++) {
        struct rig rig;

        rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .without_pic = without_pic != 0});
        rig_enable_lapics(&rig, 1);
        if (!without_pic)
            rig_program_pic(&rig);
        rig_set_pin(&rig, 20, 0, EXTINT);
        assert_true(rig.ops->irq(rig.chip, 20, true));
        assert_int_equal(rig_take(&rig, 0), without_pic ? -1 : 0x08 + 7);
        assert_int_equal(rig_take(&rig, 0), -1);
        rig_finish(&rig);
    }
}

static void expect_events(struct rig *rig, const struct rig_event *events, unsigned count)
{
    assert_int_equal(rig->logged, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(rig->log[i].kind, events[i].kind);
        assert_int_equal(rig->log[i].gsi, events[i].gsi);
        assert_true(rig->log[i].msi.address == events[i].msi.address);
        assert_int_equal(rig->log[i].msi.data, events[i].msi.data);
    }
    rig->logged = 0;
}

#define EXPECT(rig, ...)                                                                                               \
    do {                                                                                                               \
        const struct rig_event expected[] = {__VA_ARGS__};                                                             \
        expect_events(rig, expected, sizeof(expected) / sizeof(expected[0]));                                          \
    } while (0)

static void a_split_chip_routes_before_it_delivers(void **state)
{
    const struct vmr_msi msi = {.address = 0xfee00000, .data = 0xc050};
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .split = true});
    assert_true(rig.ops->irq(rig.chip, 11, true));
    expect_events(&rig, NULL, 0);
    rig_set_pin(&rig, 11, 0x50, LEVEL);
    EXPECT(&rig, {RIG_ROUTE, 11, msi}, {RIG_DELIVER, 0, msi});
    rig_set_pin(&rig, 11, 0x50, LEVEL); /* nothing new */
    expect_events(&rig, NULL, 0);
    rig.ops->eoi(rig.chip, 0x50); /* still held */
    EXPECT(&rig, {RIG_DELIVER, 0, msi});
    rig_set_pin(&rig, 11, 0x50, LEVEL | MASKED); /* its EOI is still to come */
    expect_events(&rig, NULL, 0);
    rig.ops->eoi(rig.chip, 0x50);
    EXPECT(&rig, {RIG_ROUTE_GONE, 11, {0}});
    rig_finish(&rig);
}

static void a_level_that_the_hypervisor_refuses_is_tried_again(void **state)
{
    const struct vmr_msi msi = {.address = 0xfee00000, .data = 0xc050};
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .split = true});
    rig_set_pin(&rig, 11, 0x50, LEVEL);
    rig.refuse = true;
    assert_true(rig.ops->irq(rig.chip, 11, true));
    EXPECT(&rig, {RIG_ROUTE, 11, msi}, {RIG_DELIVER, 0, msi});
    rig.refuse = false;
    assert_true(rig.ops->irq(rig.chip, 11, true));
    EXPECT(&rig, {RIG_DELIVER, 0, msi});
    assert_true(rig.ops->irq(rig.chip, 11, true));
    expect_events(&rig, NULL, 0);
    rig_finish(&rig);
}

static void one_eoi_may_free_every_pin(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1, .split = true});
    for (unsigned pin = 0; pin < IOAPIC_PIN_COUNT; pin++)
        rig_set_pin(&rig, pin, 0x50, LEVEL);
    rig.logged = 0;
    for (uint32_t gsi = 1; gsi < IOAPIC_PIN_COUNT; gsi++)
        assert_true(rig.ops->irq(rig.chip, gsi, true));
    assert_int_equal(rig.logged, 23);
    rig.logged = 0;
    rig.ops->eoi(rig.chip, 0x50);
    assert_int_equal(rig.logged, 23);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_ipi_reaches_whom_it_names),
        cmocka_unit_test(x2apic_ipis_reach_vps_beyond_8_bits),
        cmocka_unit_test(msis_mean_what_the_manual_says),
        cmocka_unit_test(lowest_priority_prefers_the_least_busy_and_takes_turns),
        cmocka_unit_test(a_level_pin_waits_for_whoever_took_it),
        cmocka_unit_test(a_pin_does_what_its_mode_says),
        cmocka_unit_test(an_extint_pin_brings_the_pics_interrupts),
        cmocka_unit_test(each_acknowledge_is_an_edge_of_the_pics_output),
        cmocka_unit_test(an_extint_that_is_no_pics_is_spurious_or_nothing),
        cmocka_unit_test(a_split_chip_routes_before_it_delivers),
        cmocka_unit_test(a_level_that_the_hypervisor_refuses_is_tried_again),
        cmocka_unit_test(one_eoi_may_free_every_pin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
