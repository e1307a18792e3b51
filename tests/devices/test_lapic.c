/* SPDX-License-Identifier: MIT */
/*
 * What a local APIC does with interrupts: destinations, acceptance, priorities,
 * end of interrupt, errors, local interrupts, INIT and SIPI.
 */

#include "lib/devices/lapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GHZ UINT64_C(1000000000)

static struct lapic enabled_lapic(uint32_t id)
{
    struct lapic lapic;

    lapic_init(&lapic, id, false, GHZ);
    lapic_set_svr(&lapic, 0x1ff);
    return lapic;
}

static bool accept_vector(struct lapic *lapic, uint8_t vector, bool level)
{
    struct irq_message message = {.vector = vector, .level = level};

    return lapic_accept(lapic, &message);
}

static bool accept_mode(struct lapic *lapic, uint8_t mode, uint8_t vector)
{
    struct irq_message message = {.vector = vector, .mode = mode};

    return lapic_accept(lapic, &message);
}

static struct vmr_irq_pending edges_of(struct lapic *lapic)
{
    struct vmr_irq_pending pending = {0};

    lapic_take_edges(lapic, &pending);
    return pending;
}

#define FLAT 0xffffffffu
#define CLUSTER 0x0fffffffu

/* Long as its table is. */
static void destinations_mean_whom_the_manual_says(void **state)
{
    static const struct {
        const char *name;
        uint32_t id;
        bool x2apic;
        uint32_t ldr, dfr;
        struct irq_message message;
        bool matches;
    } cases[] = {
        {"physical, mine", 3, false, 0, FLAT, {.destination = 3}, true},
        {"physical, another's", 3, false, 0, FLAT, {.destination = 4}, false},
        {"physical, all", 3, false, 0, FLAT, {.destination = 0xff}, true},
        {"physical wide 0xff is nobody here", 3, true, 0, FLAT, {.destination = 0xff, .wide = true}, false},
        {"physical wide, all", 3, true, 0, FLAT, {.destination = UINT32_MAX, .wide = true}, true},
        {"physical narrow, all, in x2apic", 3, true, 0, FLAT, {.destination = 0xff}, true},
        {"physical wide, large id", 300, true, 0, FLAT, {.destination = 300, .wide = true}, true},
        {"flat, my bit", 0, false, 0x04000000, FLAT, {.destination = 0x06, .logical = true}, true},
        {"flat, not my bit", 0, false, 0x04000000, FLAT, {.destination = 0xfb, .logical = true}, false},
        {"flat, no bit of mine", 0, false, 0, FLAT, {.destination = 0x01, .logical = true}, false},
        {"flat, all", 0, false, 0, FLAT, {.destination = 0xff, .logical = true}, true},
        {"cluster, mine", 0, false, 0x21000000, CLUSTER, {.destination = 0x23, .logical = true}, true},
        {"cluster, another cluster", 0, false, 0x21000000, CLUSTER, {.destination = 0x31, .logical = true}, false},
        {"cluster, another member", 0, false, 0x21000000, CLUSTER, {.destination = 0x22, .logical = true}, false},
        {"an undefined model", 0, false, 0x01000000, 0x8fffffff, {.destination = 1, .logical = true}, false},
        {"wide logical to an xapic",
         0,
         false,
         0x01000000,
         FLAT,
         {.destination = 0x101, .logical = true, .wide = true},
         false},
        {"x2apic cluster", 0x25, true, 0, FLAT, {.destination = 0x20020, .logical = true, .wide = true}, true},
        {"x2apic other cluster", 0x25, true, 0, FLAT, {.destination = 0x30020, .logical = true, .wide = true}, false},
        {"x2apic other member", 0x25, true, 0, FLAT, {.destination = 0x20040, .logical = true, .wide = true}, false},
        {"x2apic logical by 8 bits", 5, true, 0, FLAT, {.destination = 0x20, .logical = true}, true},
        {"x2apic logical, all", 5, true, 0, FLAT, {.destination = UINT32_MAX, .logical = true, .wide = true}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic lapic;

        print_message("%s\n", cases[i].name);
        lapic_init(&lapic, cases[i].id, cases[i].x2apic, GHZ);
        lapic.ldr = cases[i].ldr;
        lapic.dfr = cases[i].dfr;
        assert_int_equal(lapic_matches(&lapic, &cases[i].message), cases[i].matches);
        lapic.base &= ~LAPIC_BASE_ENABLE;
        assert_false(lapic_matches(&lapic, &cases[i].message));
    }
}

enum power {
    ON,
    SOFTWARE_OFF,
    HARDWARE_OFF
};

static void each_mode_is_accepted_where_the_manual_says(void **state)
{
    static const struct {
        const char *name;
        uint8_t mode;
        bool accepted[3]; /* by enum power */
    } cases[] = {
        {"fixed", IRQ_FIXED, {true, false, false}},     {"lowest", IRQ_LOWEST, {true, false, false}},
        {"smi", IRQ_SMI, {false, false, false}},        {"reserved", IRQ_RESERVED, {false, false, false}},
        {"nmi", IRQ_NMI, {true, true, false}},          {"init", IRQ_INIT, {true, true, false}},
        {"start-up", IRQ_STARTUP, {true, true, false}}, {"extint", IRQ_EXTINT, {true, false, false}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned power = ON; power <= HARDWARE_OFF; power++) {
            struct lapic lapic = enabled_lapic(1);

            print_message("%s, power %u\n", cases[i].name, power);
            if (power == SOFTWARE_OFF)
                lapic_set_svr(&lapic, 0xff);
            if (power == HARDWARE_OFF)
                lapic.base &= ~LAPIC_BASE_ENABLE;
            assert_int_equal(lapic_can_arbitrate(&lapic), power == ON);
            assert_int_equal(accept_mode(&lapic, cases[i].mode, 0x40), cases[i].accepted[power]);
            struct vmr_irq_pending edges = edges_of(&lapic);

            assert_int_equal(edges.nmi, cases[i].accepted[power] && cases[i].mode == IRQ_NMI);
            assert_int_equal(edges.init, cases[i].accepted[power] && cases[i].mode == IRQ_INIT);
            assert_int_equal(edges.sipi, cases[i].accepted[power] && cases[i].mode == IRQ_STARTUP);
            assert_int_equal(lapic_has_interrupt(&lapic), cases[i].accepted[power] && cases[i].mode <= IRQ_LOWEST);
            assert_int_equal(lapic.extint, cases[i].accepted[power] && cases[i].mode == IRQ_EXTINT);
        }
    }
}

static void ppr_is_the_higher_of_task_and_service(void **state)
{
    static const struct {
        uint8_t tpr, in_service, ppr;
    } cases[] = {{0x00, 0, 0x00},    {0x35, 0, 0x35},    {0x00, 0x41, 0x40}, {0x35, 0x41, 0x40},
                 {0x45, 0x41, 0x45}, {0x4f, 0x51, 0x50}, {0xff, 0xfe, 0xff}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic lapic = enabled_lapic(0);
        uint8_t vector;

        if (cases[i].in_service) {
            assert_true(accept_vector(&lapic, cases[i].in_service, false));
            assert_true(lapic_acknowledge(&lapic, &vector));
        }
        lapic.tpr = cases[i].tpr;
        assert_int_equal(lapic_ppr(&lapic), cases[i].ppr);
    }
}

/* The model: 256 flags each way, and "the class of the highest requested beats task and service". */
struct model {
    bool requested[256], in_service[256];
    uint8_t tpr;
};

static int highest_of(const bool *flags)
{
    for (int vector = 255; vector >= 0; vector--) {
        if (flags[vector])
            return vector;
    }
    return -1;
}

static int model_next(const struct model *model)
{
    int requested = highest_of(model->requested);
    int in_service = highest_of(model->in_service);

    if (requested < 0 || requested / 16 <= model->tpr / 16 || (in_service >= 0 && requested / 16 <= in_service / 16))
        return -1;
    return requested;
}

static void priorities_agree_with_256_flags(void **state)
{
    struct lapic lapic = enabled_lapic(0);
    struct model model = {0};
    uint32_t seed = 42;

    (void)state;
    for (unsigned step = 0; step < 50000; step++) {
        seed = seed * 1664525u + 1013904223u;
        uint8_t vector = (uint8_t)(seed >> 24);
        struct lapic_effects effects = {0};
        int expected = model_next(&model);

        assert_int_equal(lapic_has_interrupt(&lapic), expected >= 0);
        switch (seed >> 16 & 3u) {
        case 0:
            assert_int_equal(accept_vector(&lapic, vector, false), vector >= 16);
            model.requested[vector] = model.requested[vector] || vector >= 16;
            break;
        case 1:
            lapic.tpr = vector >> 2;
            model.tpr = vector >> 2;
            break;
        case 2:
            lapic_eoi(&lapic, &effects);
            if (highest_of(model.in_service) >= 0)
                model.in_service[highest_of(model.in_service)] = false;
            break;
        default:
            assert_int_equal(lapic_acknowledge(&lapic, &vector), expected >= 0);
            if (expected < 0)
                break;
            assert_int_equal(vector, expected);
            model.requested[vector] = false;
            model.in_service[vector] = true;
            break;
        }
    }
}

static void only_a_level_tells_the_ioapic_of_its_end(void **state)
{
    struct lapic lapic = enabled_lapic(0);
    struct lapic_effects effects = {0};
    uint8_t vector;

    (void)state;
    lapic_eoi(&lapic, &effects);
    assert_false(effects.eoi); /* nothing was in service */
    assert_true(accept_vector(&lapic, 0x40, true));
    assert_true(lapic_acknowledge(&lapic, &vector));
    lapic_eoi(&lapic, &effects);
    assert_true(effects.eoi);
    assert_int_equal(effects.eoi_vector, 0x40);
    effects = (struct lapic_effects){0};
    assert_true(accept_vector(&lapic, 0x40, false));
    assert_true(lapic_acknowledge(&lapic, &vector));
    lapic_eoi(&lapic, &effects);
    assert_false(effects.eoi);
}

static void errors_interrupt_once_and_never_by_themselves(void **state)
{
    struct lapic lapic = enabled_lapic(0);

    (void)state;
    assert_false(accept_vector(&lapic, 15, false));
    assert_int_equal(lapic.esr_pending, LAPIC_ERROR_RECEIVE_VECTOR);
    assert_false(lapic_has_interrupt(&lapic)); /* masked */
    lapic.esr_pending = 0;
    lapic_set_lvt(&lapic, LAPIC_LVT_ERROR, 0xee);
    lapic_record_error(&lapic, LAPIC_ERROR_REGISTER);
    uint8_t vector;

    assert_true(lapic_acknowledge(&lapic, &vector));
    assert_int_equal(vector, 0xee);
    lapic_record_error(&lapic, LAPIC_ERROR_REGISTER);
    assert_int_equal(lapic.irr[0xee / 32], 0); /* an error that is known already */
    lapic.esr_pending = 0;
    lapic_set_lvt(&lapic, LAPIC_LVT_ERROR, 0x03);
    lapic_record_error(&lapic, LAPIC_ERROR_REGISTER);
    assert_int_equal(lapic.esr_pending, LAPIC_ERROR_REGISTER | LAPIC_ERROR_RECEIVE_VECTOR);
}

static void local_pins_do_what_their_entry_says(void **state)
{
    static const struct {
        const char *name;
        unsigned lint;
        uint32_t lvt;
        bool interrupt, nmi, init;
    } cases[] = {
        {"fixed", 0, 0x00041, true, false, false},
        {"fixed on lint1", 1, 0x00041, true, false, false},
        {"nmi", 1, 0x00400, false, true, false},
        {"nmi on lint0", 0, 0x00400, false, true, false},
        {"init", 0, 0x00500, false, false, true},
        {"masked", 0, 0x10041, false, false, false},
        {"masked nmi", 1, 0x10400, false, false, false},
        {"smi", 0, 0x00200, false, false, false},
        {"extint is the PIC's", 0, 0x00700, false, false, false},
        {"start-up is none of its", 0, 0x00600, false, false, false},
        {"a bad vector", 0, 0x00005, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic lapic = enabled_lapic(1);

        print_message("%s\n", cases[i].name);
        lapic_set_lvt(&lapic, cases[i].lint == 0 ? LAPIC_LVT_LINT0 : LAPIC_LVT_LINT1, cases[i].lvt);
        lapic_pulse_lint(&lapic, cases[i].lint);
        assert_int_equal(lapic_has_interrupt(&lapic), cases[i].interrupt);
        struct vmr_irq_pending edges = edges_of(&lapic);

        assert_int_equal(edges.nmi, cases[i].nmi);
        assert_int_equal(edges.init, cases[i].init);
    }
}

static void without_an_apic_lint1_is_the_nmi_pin(void **state)
{
    struct lapic lapic = enabled_lapic(1);

    (void)state;
    lapic.base &= ~LAPIC_BASE_ENABLE;
    lapic_pulse_lint(&lapic, 0);
    assert_false(edges_of(&lapic).nmi);
    lapic_pulse_lint(&lapic, 1);
    assert_true(edges_of(&lapic).nmi);
}

static void pic_interrupts_reach_the_boot_processor_until_told_otherwise(void **state)
{
    struct lapic boot, other;

    (void)state;
    lapic_init(&boot, 0, false, GHZ);
    lapic_init(&other, 1, false, GHZ);
    assert_true(lapic_takes_pic(&boot));
    assert_false(lapic_takes_pic(&other));
    lapic_set_svr(&boot, 0x1ff);
    assert_true(lapic_takes_pic(&boot));
    lapic_set_svr(&boot, 0xff); /* disabling masks every entry */
    assert_false(lapic_takes_pic(&boot));
    lapic_set_lvt(&boot, LAPIC_LVT_LINT0, 0x700);
    assert_false(lapic_takes_pic(&boot)); /* and keeps them so */
    lapic_set_svr(&boot, 0x1ff);
    lapic_set_lvt(&boot, LAPIC_LVT_LINT0, 0x700);
    assert_true(lapic_takes_pic(&boot));
    lapic_set_lvt(&boot, LAPIC_LVT_LINT0, 0x041);
    assert_false(lapic_takes_pic(&boot));
    boot.base &= ~LAPIC_BASE_ENABLE;
    other.base &= ~LAPIC_BASE_ENABLE;
    assert_true(lapic_takes_pic(&boot));
    assert_false(lapic_takes_pic(&other));
}

static void init_forgets_the_sipi_before_it_and_not_the_one_after(void **state)
{
    struct lapic lapic = enabled_lapic(1);
    struct vmr_irq_pending edges;

    (void)state;
    assert_true(accept_mode(&lapic, IRQ_STARTUP, 0x11));
    assert_true(accept_mode(&lapic, IRQ_NMI, 0));
    assert_true(accept_mode(&lapic, IRQ_INIT, 0));
    edges = edges_of(&lapic);
    assert_true(edges.init);
    assert_false(edges.sipi);
    assert_false(edges.nmi);
    assert_true(accept_mode(&lapic, IRQ_INIT, 0));
    assert_true(accept_mode(&lapic, IRQ_STARTUP, 0x22));
    assert_true(accept_mode(&lapic, IRQ_STARTUP, 0x33));
    edges = edges_of(&lapic);
    assert_true(edges.init && edges.sipi);
    assert_int_equal(edges.sipi_vector, 0x22); /* the first one starts it */
    edges = edges_of(&lapic);
    assert_false(edges.init || edges.sipi || edges.nmi);
}

static void init_resets_all_but_identity_and_mode(void **state)
{
    struct lapic lapic;

    (void)state;
    lapic_init(&lapic, 5, true, 2 * GHZ);
    lapic_set_svr(&lapic, 0x1ff);
    assert_true(accept_vector(&lapic, 0x40, false));
    lapic.tpr = 0x20;
    lapic_set_lvt(&lapic, LAPIC_LVT_TIMER, 0x50);
    lapic_timer_start(&lapic.timer, 100, 0);
    assert_true(accept_mode(&lapic, IRQ_INIT, 0));
    assert_int_equal(lapic.id, 5);
    assert_true(lapic_is_x2apic(&lapic) && lapic_is_enabled(&lapic));
    assert_int_equal(lapic.svr, 0xff);
    assert_int_equal(lapic.tpr, 0);
    assert_int_equal(lapic.irr[2], 0);
    assert_int_equal(lapic.lvt[LAPIC_LVT_TIMER], LAPIC_LVT_MASKED);
    assert_true(lapic_deadline(&lapic) == VMR_NEVER);
    assert_true(lapic.timer.hz == 2 * GHZ);
}

static void cr8_sets_the_class_and_keeps_the_sub_class(void **state)
{
    struct lapic lapic = enabled_lapic(0);

    (void)state;
    lapic.tpr = 0x35;
    lapic_set_cr8(&lapic, 3);
    assert_int_equal(lapic.tpr, 0x35);
    lapic_set_cr8(&lapic, 4);
    assert_int_equal(lapic.tpr, 0x40);
    lapic_set_cr8(&lapic, 0xf3); /* CR8 has four bits */
    assert_int_equal(lapic.tpr, 0x30);
}

static void a_timer_raises_its_vector_unless_masked(void **state)
{
    struct lapic lapic = enabled_lapic(0);

    (void)state;
    lapic_set_lvt(&lapic, LAPIC_LVT_TIMER, 0x50 | LAPIC_LVT_MASKED);
    lapic_timer_start(&lapic.timer, 100, 0);
    assert_true(lapic_deadline(&lapic) == VMR_NEVER);
    lapic_advance(&lapic, 1000);
    assert_false(lapic_has_interrupt(&lapic));
    lapic_set_lvt(&lapic, LAPIC_LVT_TIMER, 0x50 | LAPIC_LVT_TIMER_PERIODIC);
    lapic_timer_start(&lapic.timer, 1000000, 1000);
    assert_true(lapic_deadline(&lapic) == 1000 + 2000000); /* the divisor is 2 at power-up */
    lapic_advance(&lapic, 2001000);
    assert_true(lapic_has_interrupt(&lapic));
    assert_true(lapic_deadline(&lapic) == 1000 + 4000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(destinations_mean_whom_the_manual_says),
        cmocka_unit_test(each_mode_is_accepted_where_the_manual_says),
        cmocka_unit_test(ppr_is_the_higher_of_task_and_service),
        cmocka_unit_test(priorities_agree_with_256_flags),
        cmocka_unit_test(only_a_level_tells_the_ioapic_of_its_end),
        cmocka_unit_test(errors_interrupt_once_and_never_by_themselves),
        cmocka_unit_test(local_pins_do_what_their_entry_says),
        cmocka_unit_test(without_an_apic_lint1_is_the_nmi_pin),
        cmocka_unit_test(pic_interrupts_reach_the_boot_processor_until_told_otherwise),
        cmocka_unit_test(init_forgets_the_sipi_before_it_and_not_the_one_after),
        cmocka_unit_test(init_resets_all_but_identity_and_mode),
        cmocka_unit_test(cr8_sets_the_class_and_keeps_the_sub_class),
        cmocka_unit_test(a_timer_raises_its_vector_unless_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
