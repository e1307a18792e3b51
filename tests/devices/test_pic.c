/* SPDX-License-Identifier: MIT */
/*
 * The pair of 8259A: programmed as a PC's firmware does, then each rule of the
 * data sheet by itself, then its priorities against a model that looks them up
 * in a list.
 */

#include "lib/devices/pic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MASTER 0x20u
#define MASTER_DATA 0x21u
#define SLAVE 0xa0u
#define SLAVE_DATA 0xa1u

#define OCW2_EOI 0x20u
#define OCW2_SPECIFIC 0x60u
#define READ_IRR 0x0au
#define READ_ISR 0x0bu
#define POLL 0x0cu
#define SPECIAL_MASK_ON 0x68u

/* Edge triggered, cascaded, vectors 0x08 and 0x70, as firmware leaves it; `icw4` for both. */
static void program(struct pic *pic, uint8_t icw4)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } words[] = {{MASTER, 0x11},     {SLAVE, 0x11},       {MASTER_DATA, 0x08},
                 {SLAVE_DATA, 0x70}, {MASTER_DATA, 0x04}, {SLAVE_DATA, 0x02}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        pic_write(pic, words[i].port, words[i].value);
    pic_write(pic, MASTER_DATA, icw4);
    pic_write(pic, SLAVE_DATA, icw4);
}

static struct pic programmed(uint8_t icw4)
{
    struct pic pic;

    pic_init(&pic);
    program(&pic, icw4);
    return pic;
}

static void pulse(struct pic *pic, unsigned line)
{
    pic_set_line(pic, line, true);
    pic_set_line(pic, line, false);
}

static uint8_t read_after(struct pic *pic, uint16_t port, uint8_t command)
{
    pic_write(pic, port, command);
    return pic_read(pic, port);
}

static void each_line_has_its_vector(void **state)
{
    (void)state;
    for (unsigned line = 0; line < PIC_LINE_COUNT; line++) {
        struct pic pic = programmed(1);

        pulse(&pic, line);
        if (line == PIC_CASCADE_LINE) {
            assert_false(pic_output(&pic)); /* no device is wired there */
            continue;
        }
        assert_true(pic_output(&pic));
        assert_int_equal(pic_acknowledge(&pic), line < 8 ? 0x08 + line : 0x70 + line - 8);
        assert_false(pic_output(&pic));
        assert_int_equal(read_after(&pic, MASTER, READ_ISR), line < 8 ? 1 << line : 1 << PIC_CASCADE_LINE);
        assert_int_equal(read_after(&pic, SLAVE, READ_ISR), line < 8 ? 0 : 1 << (line - 8));
    }
}

static void a_line_in_service_holds_back_lower_ones_until_its_eoi(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    pulse(&pic, 4);
    assert_int_equal(pic_acknowledge(&pic), 0x0c);
    pulse(&pic, 5);
    assert_false(pic_output(&pic));
    pulse(&pic, 4);
    assert_false(pic_output(&pic)); /* nor does it interrupt itself */
    pulse(&pic, 1);
    assert_int_equal(pic_acknowledge(&pic), 0x09);
    pic_write(&pic, MASTER, OCW2_EOI); /* of 1 */
    assert_int_equal(read_after(&pic, MASTER, READ_ISR), 1 << 4);
    assert_false(pic_output(&pic));
    pic_write(&pic, MASTER, OCW2_EOI); /* of 4 */
    assert_int_equal(pic_acknowledge(&pic), 0x0c);
    pic_write(&pic, MASTER, OCW2_SPECIFIC | 4);
    assert_int_equal(pic_acknowledge(&pic), 0x0d);
}

static void a_masked_line_waits_for_its_mask(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    pic_write(&pic, MASTER_DATA, 0xfe);
    pulse(&pic, 3);
    assert_false(pic_output(&pic));
    assert_int_equal(read_after(&pic, MASTER, READ_IRR), 1 << 3);
    assert_int_equal(pic_read(&pic, MASTER_DATA), 0xfe);
    pic_write(&pic, MASTER_DATA, 0xf7);
    assert_int_equal(pic_acknowledge(&pic), 0x0b);
    /* A masked cascade hides the slave. */
    pulse(&pic, 9);
    assert_false(pic_output(&pic));
    pic_write(&pic, MASTER, OCW2_EOI);
    pic_write(&pic, MASTER_DATA, 0xfb);
    assert_int_equal(pic_acknowledge(&pic), 0x71);
}

static void an_edge_counts_once_and_a_level_as_long_as_it_is_held(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    pic_set_line(&pic, 5, true);
    pic_set_line(&pic, 5, true);
    assert_int_equal(pic_acknowledge(&pic), 0x0d);
    pic_write(&pic, MASTER, OCW2_EOI);
    assert_false(pic_output(&pic)); /* still high, but no new edge */
    pic_write(&pic, 0x4d0, 0x20);
    assert_true(pic_output(&pic)); /* as a level it asks */
    assert_int_equal(pic_acknowledge(&pic), 0x0d);
    pic_write(&pic, MASTER, OCW2_EOI);
    assert_true(pic_output(&pic));
    pic_set_line(&pic, 5, false);
    assert_false(pic_output(&pic)); /* a level that is gone is forgotten */
    pulse(&pic, 5);
    pic_write(&pic, 0x4d0, 0);
    assert_false(pic_output(&pic)); /* and leaves no edge behind */
}

static void only_lines_that_may_be_level_triggered_can_be(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    pic_write(&pic, 0x4d0, 0xff);
    pic_write(&pic, 0x4d1, 0xff);
    assert_int_equal(pic_read(&pic, 0x4d0), 0xf8);
    assert_int_equal(pic_read(&pic, 0x4d1), 0xde);
    program(&pic, 1);
    assert_int_equal(pic_read(&pic, 0x4d0), 0xf8); /* not the 8259's: it survives the initialisation */
}

static void initialisation_forgets_edges_masks_and_what_is_in_service(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    pic_write(&pic, MASTER_DATA, 0x80);
    pulse(&pic, 1);
    (void)pic_acknowledge(&pic);
    pic_set_line(&pic, 6, true);
    pic_write(&pic, MASTER, READ_ISR);
    pic_write(&pic, MASTER, 0x11);
    pic_write(&pic, MASTER_DATA, 0x20);
    pulse(&pic, 0);
    assert_false(pic_output(&pic)); /* half initialised: it has no vector to give */
    pic_write(&pic, MASTER_DATA, 0x04);
    pic_write(&pic, MASTER_DATA, 0x01);
    assert_int_equal(pic_read(&pic, MASTER_DATA), 0);
    assert_int_equal(pic_read(&pic, MASTER), 1); /* IRR again: line 0, and not 6, which is high since before */
    assert_int_equal(pic_acknowledge(&pic), 0x20);
    pic_write(&pic, MASTER, OCW2_EOI);
    pic_set_line(&pic, 6, false);
    pic_set_line(&pic, 6, true);
    assert_int_equal(pic_acknowledge(&pic), 0x26);
}

static void words_that_icw1_announces_are_the_words_that_are_expected(void **state)
{
    static const struct {
        const char *name;
        uint8_t icw1;
        unsigned words; /* before the data port is the mask again */
    } cases[] = {{"cascade with ICW4", 0x11, 3},
                 {"cascade without ICW4", 0x10, 2},
                 {"single with ICW4", 0x13, 2},
                 {"single without ICW4", 0x12, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pic pic;

        print_message("%s\n", cases[i].name);
        pic_init(&pic);
        pic_write(&pic, MASTER, cases[i].icw1);
        for (unsigned word = 0; word < cases[i].words; word++)
            pic_write(&pic, MASTER_DATA, 0x40);
        assert_int_equal(pic_read(&pic, MASTER_DATA), 0);
        pic_write(&pic, MASTER_DATA, 0x5a);
        assert_int_equal(pic_read(&pic, MASTER_DATA), 0x5a);
    }
}

static void a_chip_that_was_never_programmed_is_silent(void **state)
{
    struct pic pic;

    (void)state;
    pic_init(&pic);
    pulse(&pic, 0);
    assert_false(pic_output(&pic));
    pic_write(&pic, MASTER_DATA, 0xa5); /* but its mask register is there: this is how software finds it */
    assert_int_equal(pic_read(&pic, MASTER_DATA), 0xa5);
}

static void a_single_chip_answers_for_line_2_itself(void **state)
{
    struct pic pic;

    (void)state;
    pic_init(&pic);
    pic_write(&pic, MASTER, 0x12);
    pic_write(&pic, MASTER_DATA, 0x40);
    pic_write(&pic, SLAVE, 0x12);
    pic_write(&pic, SLAVE_DATA, 0x70);
    pulse(&pic, 8);
    assert_int_equal(pic_acknowledge(&pic), 0x42);
}

/* Each starts with 3 and 6 in service (6 first, interrupted by 3), and then 0-7 all ask. */
static void each_end_of_interrupt_does_what_it_says(void **state)
{
    static const struct {
        const char *name;
        uint8_t ocw2;
        uint8_t isr;   /* afterwards */
        uint8_t first; /* served next, of all lines */
    } cases[] = {
        {"non-specific", 0x20, 0x40, 0},
        {"specific 6", 0x66, 0x08, 0},
        {"specific 5, not in service", 0x65, 0x48, 0},
        {"rotate non-specific", 0xa0, 0x40, 4},
        {"rotate specific 6", 0xe6, 0x08, 7},
        {"set priority 4", 0xc4, 0x48, 5},
        {"no operation", 0x42, 0x48, 0},
        {"rotate in auto EOI", 0x80, 0x48, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pic pic = programmed(1);

        print_message("%s\n", cases[i].name);
        pulse(&pic, 6);
        (void)pic_acknowledge(&pic);
        pulse(&pic, 3);
        (void)pic_acknowledge(&pic);
        pic_write(&pic, MASTER, cases[i].ocw2);
        assert_int_equal(read_after(&pic, MASTER, READ_ISR), cases[i].isr);
        pic_write(&pic, MASTER, OCW2_SPECIFIC | 3);
        pic_write(&pic, MASTER, OCW2_SPECIFIC | 6);
        for (unsigned line = 0; line < 8; line++)
            pulse(&pic, line == PIC_CASCADE_LINE ? 8 : line);
        assert_int_equal(pic_acknowledge(&pic), 0x08 + cases[i].first);
    }
}

static void automatic_eoi_leaves_nothing_in_service_and_can_rotate(void **state)
{
    struct pic pic = programmed(3);

    (void)state;
    pulse(&pic, 0);
    assert_int_equal(pic_acknowledge(&pic), 0x08);
    assert_int_equal(read_after(&pic, MASTER, READ_ISR), 0);
    pic_write(&pic, MASTER, 0x80);
    pulse(&pic, 0);
    pulse(&pic, 1);
    assert_int_equal(pic_acknowledge(&pic), 0x08);
    pulse(&pic, 0); /* is now the lowest */
    assert_int_equal(pic_acknowledge(&pic), 0x09);
    assert_int_equal(pic_acknowledge(&pic), 0x08);
    pic_write(&pic, MASTER, 0x00);
    pulse(&pic, 8);
    pulse(&pic, 9);
    assert_int_equal(pic_acknowledge(&pic), 0x70); /* the slave's second request is a new edge to the master */
    assert_int_equal(pic_acknowledge(&pic), 0x71);
    assert_false(pic_output(&pic));
}

static void special_mask_mode_lets_lower_lines_through(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    pulse(&pic, 3);
    (void)pic_acknowledge(&pic);
    pulse(&pic, 6);
    pic_write(&pic, MASTER_DATA, 1 << 3);
    assert_false(pic_output(&pic));
    pic_write(&pic, MASTER, SPECIAL_MASK_ON);
    assert_int_equal(pic_acknowledge(&pic), 0x0e);
    pic_write(&pic, MASTER, OCW2_EOI); /* ends 6: 3 is masked, and so not for a non-specific EOI */
    assert_int_equal(read_after(&pic, MASTER, READ_ISR), 1 << 3);
}

static void the_slave_interrupts_itself_only_in_special_fully_nested_mode(void **state)
{
    (void)state;
    for (unsigned special = 0; special < 2; special++) {
        struct pic pic = programmed(special ? 0x11 : 1);

        pulse(&pic, 14);
        assert_int_equal(pic_acknowledge(&pic), 0x76);
        pulse(&pic, 9);
        assert_int_equal(pic_output(&pic), special);
        pic_write(&pic, MASTER, OCW2_EOI);
        assert_int_equal(pic_acknowledge(&pic), 0x71);
    }
}

static void a_poll_takes_the_interrupt_and_names_the_line(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    assert_int_equal(read_after(&pic, MASTER, POLL), 0);
    pulse(&pic, 5);
    assert_int_equal(read_after(&pic, MASTER, POLL), 0x85);
    assert_false(pic_output(&pic));
    assert_int_equal(read_after(&pic, MASTER, READ_ISR), 1 << 5); /* one read is a poll, the next is not */
    pic_write(&pic, MASTER, OCW2_EOI);
    pulse(&pic, 12);
    assert_int_equal(read_after(&pic, SLAVE, POLL), 0x84);
    assert_false(pic_output(&pic)); /* the slave took its request back from the master */
}

static void nobody_asking_is_the_spurious_line_7(void **state)
{
    struct pic pic = programmed(1);

    (void)state;
    assert_int_equal(pic_acknowledge(&pic), 0x0f);
    assert_int_equal(read_after(&pic, MASTER, READ_ISR), 0); /* which is how software tells it from a real one */
    pulse(&pic, 9);
    pic_write(&pic, SLAVE_DATA, 0xff);
    assert_false(pic_output(&pic)); /* a request that the slave took back does not reach the processor */
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* The data sheet's words: go through the lines by priority until one is in service; the first that asks is served. */
static int model_next(const uint8_t *order, unsigned irr, unsigned imr, unsigned isr)
{
    for (unsigned i = 0; i < 8; i++) {
        if (isr >> order[i] & 1)
            return -1;
        if (irr >> order[i] & ~imr >> order[i] & 1)
            return order[i];
    }
    return -1;
}

/* Masks, EOIs, rotations and requests in any order. Long because each case changes the chip and the model alike. */
static void priorities_agree_with_a_list(void **state)
{
    struct pic pic = programmed(1);
    unsigned irr = 0;
    unsigned imr = 0;
    unsigned isr = 0;
    uint8_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    uint32_t seed = 1;

    (void)state;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned line = next_random(&seed) & 7u;
        int expected = model_next(order, irr, imr, isr);

        assert_int_equal(pic_output(&pic), expected >= 0);
        switch (next_random(&seed) % 5) {
        case 0: /* not the cascade, whose line is not ours to pulse */
            if (line != PIC_CASCADE_LINE) {
                pulse(&pic, line);
                irr |= 1u << line;
            }
            break;
        case 1:
            imr = next_random(&seed) & 0xffu;
            pic_write(&pic, MASTER_DATA, (uint8_t)imr);
            break;
        case 2:
            pic_write(&pic, MASTER, (uint8_t)(OCW2_SPECIFIC | line));
            isr &= ~(1u << line);
            break;
        case 3:
            pic_write(&pic, MASTER, (uint8_t)(0xc0 | line));
            for (unsigned i = 0; i < 8; i++)
                order[i] = (uint8_t)((line + 1 + i) & 7u);
            break;
        default:
            assert_int_equal(pic_acknowledge(&pic), 0x08 + (expected < 0 ? 7 : expected));
            if (expected >= 0) {
                irr &= ~(1u << expected);
                isr |= 1u << expected;
            }
            break;
        }
    }
}

static void any_bytes_at_any_port_leave_a_chip_that_answers(void **state)
{
    static const uint16_t ports[] = {MASTER, MASTER_DATA, SLAVE, SLAVE_DATA, 0x4d0, 0x4d1, 0x22, 0xffff};
    struct pic pic;
    uint32_t seed = 7;

    (void)state;
    pic_init(&pic);
    for (unsigned step = 0; step < 100000; step++) {
        uint16_t port = ports[next_random(&seed) % 8];

        pic_write(&pic, port, (uint8_t)next_random(&seed));
        pic_set_line(&pic, next_random(&seed) % 20, next_random(&seed) & 1);
        (void)pic_read(&pic, ports[next_random(&seed) % 8]);
        if (pic_output(&pic))
            (void)pic_acknowledge(&pic);
    }
    assert_int_equal(pic_read(&pic, 0x22), 0xff);
    pic_init(&pic);
    program(&pic, 1);
    pulse(&pic, 0);
    assert_int_equal(pic_acknowledge(&pic), 0x08);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_its_vector),
        cmocka_unit_test(a_line_in_service_holds_back_lower_ones_until_its_eoi),
        cmocka_unit_test(a_masked_line_waits_for_its_mask),
        cmocka_unit_test(an_edge_counts_once_and_a_level_as_long_as_it_is_held),
        cmocka_unit_test(only_lines_that_may_be_level_triggered_can_be),
        cmocka_unit_test(initialisation_forgets_edges_masks_and_what_is_in_service),
        cmocka_unit_test(words_that_icw1_announces_are_the_words_that_are_expected),
        cmocka_unit_test(a_chip_that_was_never_programmed_is_silent),
        cmocka_unit_test(a_single_chip_answers_for_line_2_itself),
        cmocka_unit_test(each_end_of_interrupt_does_what_it_says),
        cmocka_unit_test(automatic_eoi_leaves_nothing_in_service_and_can_rotate),
        cmocka_unit_test(special_mask_mode_lets_lower_lines_through),
        cmocka_unit_test(the_slave_interrupts_itself_only_in_special_fully_nested_mode),
        cmocka_unit_test(a_poll_takes_the_interrupt_and_names_the_line),
        cmocka_unit_test(nobody_asking_is_the_spurious_line_7),
        cmocka_unit_test(priorities_agree_with_a_list),
        cmocka_unit_test(any_bytes_at_any_port_leave_a_chip_that_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
