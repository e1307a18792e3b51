/* SPDX-License-Identifier: MIT */
/*
 * The I/O APIC: its registers as the data sheet lists them, edges and levels,
 * masks, the EOI, and what its entries look like as messages and as MSIs.
 */

#include "lib/devices/ioapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WINDOW 0x10u
#define EOI 0x40u
#define LEVEL (1u << 15)
#define MASKED (1u << 16)
#define REMOTE_IRR (1u << 14)

/* Takes down what is sent. */
struct receiver {
    unsigned count;
    unsigned pin;
    struct irq_message message;
    bool refuses;
};

static bool receive(void *context, unsigned pin, const struct irq_message *message)
{
    struct receiver *receiver = context;

    receiver->count++;
    receiver->pin = pin;
    receiver->message = *message;
    return !receiver->refuses;
}

struct rig {
    struct ioapic ioapic;
    struct receiver receiver;
    struct ioapic_sink sink;
};

static void rig_init(struct rig *rig)
{
    *rig = (struct rig){.sink = {.deliver = receive, .context = &rig->receiver}};
    ioapic_init(&rig->ioapic);
}

static void set_register(struct rig *rig, uint32_t number, uint32_t value)
{
    ioapic_write(&rig->ioapic, 0, number, &rig->sink);
    ioapic_write(&rig->ioapic, WINDOW, value, &rig->sink);
}

static uint32_t get_register(struct rig *rig, uint32_t number)
{
    ioapic_write(&rig->ioapic, 0, number, &rig->sink);
    return ioapic_read(&rig->ioapic, WINDOW);
}

static void set_entry(struct rig *rig, unsigned pin, uint32_t low)
{
    set_register(rig, 0x10 + 2 * pin, low);
}

static uint32_t get_entry(struct rig *rig, unsigned pin)
{
    return get_register(rig, 0x10 + 2 * pin);
}

static void line(struct rig *rig, unsigned pin, bool level)
{
    ioapic_set_line(&rig->ioapic, pin, level, &rig->sink);
}

static void registers_take_what_the_data_sheet_lets_them(void **state)
{
    static const struct {
        const char *name;
        uint32_t number, reset, ones; /* what it reads after power-up, and after all ones were written */
    } cases[] = {
        {"id", 0, 0, 0x0f000000},
        {"version", 1, 0x00170020, 0x00170020},
        {"arbitration follows the id", 2, 0x0f000000, 0x0f000000},
        {"none", 3, 0, 0},
        {"none before the entries", 0x0f, 0, 0},
        {"first entry, low", 0x10, 0x00010000, 0x0001afff},
        {"first entry, high", 0x11, 0, 0xff000000},
        {"last entry, low", 0x3e, 0x00010000, 0x0001afff},
        {"last entry, high", 0x3f, 0, 0xff000000},
        {"none after the entries", 0x40, 0, 0},
        {"none at the end", 0xff, 0, 0},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        assert_int_equal(get_register(&rig, cases[i].number), cases[i].reset);
        set_register(&rig, cases[i].number, UINT32_MAX);
        assert_int_equal(get_register(&rig, cases[i].number), cases[i].ones);
    }
    assert_int_equal(rig.receiver.count, 0);
    assert_int_equal(ioapic_read(&rig.ioapic, 0), 0xff);
}

static void an_entry_becomes_the_message_it_describes(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set_register(&rig, 0x10 + 2 * 7 + 1, 0x5a000000);
    set_entry(&rig, 7, 0x0931); /* logical, lowest priority, vector 0x31 */
    line(&rig, 7, true);
    assert_int_equal(rig.receiver.count, 1);
    assert_int_equal(rig.receiver.pin, 7);
    assert_int_equal(rig.receiver.message.destination, 0x5a);
    assert_int_equal(rig.receiver.message.vector, 0x31);
    assert_int_equal(rig.receiver.message.mode, IRQ_LOWEST);
    assert_true(rig.receiver.message.logical);
    assert_false(rig.receiver.message.level);
    assert_false(rig.receiver.message.wide);
}

static void an_edge_is_sent_once_and_not_kept_behind_a_mask(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set_entry(&rig, 3, 0x40);
    line(&rig, 3, true);
    line(&rig, 3, true);
    assert_int_equal(rig.receiver.count, 1);
    line(&rig, 3, false);
    line(&rig, 3, true);
    assert_int_equal(rig.receiver.count, 2);
    line(&rig, 3, false);
    set_entry(&rig, 3, 0x40 | MASKED);
    line(&rig, 3, true);
    set_entry(&rig, 3, 0x40);
    assert_int_equal(rig.receiver.count, 2);
    line(&rig, 24, true); /* no such pin */
    assert_int_equal(rig.receiver.count, 2);
}

static void a_level_is_sent_again_only_after_its_eoi(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set_entry(&rig, 9, 0x50 | LEVEL);
    line(&rig, 9, true);
    line(&rig, 9, false);
    line(&rig, 9, true);
    assert_int_equal(rig.receiver.count, 1);
    assert_true(rig.receiver.message.level);
    assert_int_equal(get_entry(&rig, 9), 0x50 | LEVEL | REMOTE_IRR);
    ioapic_eoi(&rig.ioapic, 0x51, &rig.sink); /* somebody else's */
    assert_int_equal(rig.receiver.count, 1);
    ioapic_write(&rig.ioapic, EOI, 0x50, &rig.sink); /* still held: asks again */
    assert_int_equal(rig.receiver.count, 2);
    line(&rig, 9, false);
    ioapic_eoi(&rig.ioapic, 0x50, &rig.sink);
    assert_int_equal(rig.receiver.count, 2);
    assert_int_equal(get_entry(&rig, 9), 0x50 | LEVEL);
}

static void a_level_that_is_held_is_sent_when_the_mask_goes(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    line(&rig, 1, true);
    set_entry(&rig, 1, 0x60 | LEVEL | MASKED);
    assert_int_equal(rig.receiver.count, 0);
    set_entry(&rig, 1, 0x60 | LEVEL);
    assert_int_equal(rig.receiver.count, 1);
    set_entry(&rig, 1, 0x60 | LEVEL | MASKED); /* served while masked: the EOI still comes */
    ioapic_eoi(&rig.ioapic, 0x60, &rig.sink);
    assert_int_equal(get_entry(&rig, 1), 0x60 | LEVEL | MASKED);
    assert_int_equal(rig.receiver.count, 1);
}

static void a_level_that_nobody_takes_is_tried_again(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig.receiver.refuses = true;
    set_entry(&rig, 2, 0x70 | LEVEL);
    line(&rig, 2, true);
    assert_int_equal(get_entry(&rig, 2), 0x70 | LEVEL);
    rig.receiver.refuses = false;
    ioapic_retry(&rig.ioapic, &rig.sink);
    assert_int_equal(rig.receiver.count, 2);
    ioapic_retry(&rig.ioapic, &rig.sink);
    assert_int_equal(rig.receiver.count, 2);
    ioapic_refused(&rig.ioapic, 2); /* it was not taken after all */
    ioapic_refused(&rig.ioapic, 24);
    ioapic_retry(&rig.ioapic, &rig.sink);
    assert_int_equal(rig.receiver.count, 3);
}

static void turning_a_pin_to_edge_and_back_frees_it(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set_entry(&rig, 4, 0x80 | LEVEL);
    line(&rig, 4, true);
    line(&rig, 4, false);
    set_entry(&rig, 4, 0x80 | MASKED);
    set_entry(&rig, 4, 0x80 | LEVEL);
    assert_int_equal(get_entry(&rig, 4), 0x80 | LEVEL);
    line(&rig, 4, true);
    assert_int_equal(rig.receiver.count, 2);
}

static void modes_without_an_eoi_are_edges(void **state)
{
    static const uint8_t modes[] = {IRQ_SMI, IRQ_NMI, IRQ_INIT, IRQ_EXTINT};

    (void)state;
    for (size_t i = 0; i < sizeof(modes); i++) {
        struct rig rig;

        rig_init(&rig);
        set_entry(&rig, 0, (uint32_t)modes[i] << 8 | 0x20 | LEVEL);
        line(&rig, 0, true);
        assert_int_equal(rig.receiver.count, 1);
        assert_int_equal(rig.receiver.message.mode, modes[i]);
        assert_false(rig.receiver.message.level);
        assert_int_equal(get_entry(&rig, 0) & REMOTE_IRR, 0);
    }
}

static void a_message_has_one_form_as_an_msi_or_none(void **state)
{
    static const struct {
        const char *name;
        struct irq_message message;
        bool exists;
        uint64_t address;
        uint32_t data;
    } cases[] = {
        {"fixed, physical", {.destination = 3, .vector = 0x41}, true, 0xfee03000, 0x0041},
        {"lowest, logical",
         {.destination = 0xff, .vector = 0x42, .mode = 1, .logical = true},
         true,
         0xfeeff004,
         0x0142},
        {"level", {.vector = 0x43, .level = true}, true, 0xfee00000, 0xc043},
        {"nmi", {.mode = IRQ_NMI}, true, 0xfee00000, 0x0400},
        {"extint", {.mode = IRQ_EXTINT}, false, 0, 0},
        {"start-up", {.mode = IRQ_STARTUP}, false, 0, 0},
        {"reserved", {.mode = IRQ_RESERVED}, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_msi msi = {0};

        print_message("%s\n", cases[i].name);
        assert_int_equal(ioapic_to_msi(&cases[i].message, &msi), cases[i].exists);
        assert_true(msi.address == cases[i].address);
        assert_int_equal(msi.data, cases[i].data);
    }
}

static void a_route_lasts_while_an_eoi_is_owed(void **state)
{
    struct rig rig;
    struct vmr_msi msi;

    (void)state;
    rig_init(&rig);
    assert_false(ioapic_route(&rig.ioapic, 5, &msi));
    set_entry(&rig, 5, 0x90 | LEVEL);
    assert_true(ioapic_route(&rig.ioapic, 5, &msi));
    assert_int_equal(msi.data, 0xc090);
    line(&rig, 5, true);
    set_entry(&rig, 5, 0x90 | LEVEL | MASKED);
    assert_true(ioapic_route(&rig.ioapic, 5, &msi));
    ioapic_eoi(&rig.ioapic, 0x90, &rig.sink);
    assert_false(ioapic_route(&rig.ioapic, 5, &msi));
}

static void any_access_is_harmless(void **state)
{
    struct rig rig;
    uint32_t seed = 3;

    (void)state;
    rig_init(&rig);
    for (unsigned step = 0; step < 200000; step++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t random = seed >> 8;

        ioapic_write(&rig.ioapic, step % 3 ? (random & 1 ? 0 : WINDOW) : random & 0xfff, random ^ seed << 20,
                     &rig.sink);
        (void)ioapic_read(&rig.ioapic, random >> 4 & 0xfff);
        (void)ioapic_read(&rig.ioapic, WINDOW);
        line(&rig, random % 26, random >> 9 & 1);
        rig.receiver.refuses = random >> 10 & 1;
    }
    assert_int_equal(ioapic_read(&rig.ioapic, 0x20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_take_what_the_data_sheet_lets_them),
        cmocka_unit_test(an_entry_becomes_the_message_it_describes),
        cmocka_unit_test(an_edge_is_sent_once_and_not_kept_behind_a_mask),
        cmocka_unit_test(a_level_is_sent_again_only_after_its_eoi),
        cmocka_unit_test(a_level_that_is_held_is_sent_when_the_mask_goes),
        cmocka_unit_test(a_level_that_nobody_takes_is_tried_again),
        cmocka_unit_test(turning_a_pin_to_edge_and_back_frees_it),
        cmocka_unit_test(modes_without_an_eoi_are_edges),
        cmocka_unit_test(a_message_has_one_form_as_an_msi_or_none),
        cmocka_unit_test(a_route_lasts_while_an_eoi_is_owed),
        cmocka_unit_test(any_access_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
