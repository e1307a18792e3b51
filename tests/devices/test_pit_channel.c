/* SPDX-License-Identifier: MIT */
/*
 * One counter of the timer: outputs and counts tick by tick, against the data
 * sheet's drawings.
 */

#include "lib/devices/pit_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN 1000u

static struct pit_channel channel;

/* Access low byte only, so that one write loads the count. */
static void program(unsigned mode, uint8_t count)
{
    pit_channel_init(&channel, true);
    pit_channel_control(&channel, (uint8_t)(0x10 | mode << 1));
    pit_channel_write(&channel, count, BEGIN);
}

static void outputs_follow_the_mode(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
        uint8_t count;
        const char *out; /* from the tick of loading on */
    } cases[] = {
        {"0: high once the count is out", 0, 4, "0000111111"},
        {"2: low in the last tick of the period", 2, 4, "1110111011"},
        {"3: even halves", 3, 4, "1100110011"},
        {"3: an odd count is high for longer", 3, 5, "1110011100"},
        {"4: low for one tick", 4, 4, "1111011111"},
        {"6 is 2", 6, 3, "1101101101"},
        {"7 is 3", 7, 2, "1010101010"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        program(cases[i].mode, cases[i].count);
        for (unsigned tick = 0; cases[i].out[tick] != '\0'; tick++)
            assert_int_equal(pit_channel_out(&channel, BEGIN + tick), cases[i].out[tick] == '1');
    }
}

static void counts_run_down_and_wrap(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
        uint8_t count;
        uint8_t counts[6];
    } cases[] = {
        {"0 goes on below zero", 0, 3, {3, 2, 1, 0, 0xff, 0xfe}},
        {"2 never shows zero", 2, 3, {3, 2, 1, 3, 2, 1}},
        {"3 counts by two", 3, 6, {6, 4, 2, 6, 4, 2}},
        {"4 goes on below zero", 4, 2, {2, 1, 0, 0xff, 0xfe, 0xfd}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        program(cases[i].mode, cases[i].count);
        for (unsigned tick = 0; tick < 6; tick++)
            assert_int_equal(pit_channel_read(&channel, BEGIN + tick), cases[i].counts[tick]);
    }
}

static void zero_stands_for_the_whole_range(void **state)
{
    uint64_t edge = 0;

    (void)state;
    program(2, 0);
    assert_true(pit_channel_next_edge(&channel, BEGIN, &edge));
    assert_int_equal(edge, BEGIN + 65536);
    pit_channel_control(&channel, 0x15); /* BCD */
    pit_channel_write(&channel, 0, BEGIN);
    assert_true(pit_channel_next_edge(&channel, BEGIN, &edge));
    assert_int_equal(edge, BEGIN + 10000);
}

static void bcd_counts_read_as_bcd(void **state)
{
    (void)state;
    pit_channel_init(&channel, true);
    pit_channel_control(&channel, 0x35);
    pit_channel_write(&channel, 0x00, BEGIN);
    pit_channel_write(&channel, 0x12, BEGIN); /* 1200 */
    assert_int_equal(pit_channel_read(&channel, BEGIN + 1), 0x99);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 1), 0x11);
}

static void latched_count_stands_still_until_both_bytes_are_read(void **state)
{
    (void)state;
    pit_channel_init(&channel, true);
    pit_channel_control(&channel, 0x34);
    pit_channel_write(&channel, 0x00, BEGIN);
    pit_channel_write(&channel, 0x10, BEGIN); /* 4096 */
    pit_channel_latch_count(&channel, BEGIN + 1);
    pit_channel_latch_count(&channel, BEGIN + 300); /* ignored: the first was not read */
    assert_int_equal(pit_channel_read(&channel, BEGIN + 301), 0xff);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 302), 0x0f);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 4), 0xfc);
}

static void status_tells_output_null_count_and_mode(void **state)
{
    (void)state;
    pit_channel_init(&channel, true);
    pit_channel_control(&channel, 0x34);
    pit_channel_latch_status(&channel, BEGIN);
    assert_int_equal(pit_channel_read(&channel, BEGIN), 0xf4); /* no count was written yet */
    pit_channel_write(&channel, 4, BEGIN);
    pit_channel_write(&channel, 0, BEGIN);
    pit_channel_latch_status(&channel, BEGIN + 3);
    pit_channel_latch_count(&channel, BEGIN + 3);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 9), 0x34); /* status first, with the output low */
    assert_int_equal(pit_channel_read(&channel, BEGIN + 9), 1);
}

static void new_count_of_a_periodic_mode_waits_for_the_period(void **state)
{
    uint64_t edge = 0;

    (void)state;
    program(2, 10);
    pit_channel_write(&channel, 3, BEGIN + 4);
    pit_channel_latch_status(&channel, BEGIN + 4);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 4) & 0x40, 0x40);
    assert_true(pit_channel_next_edge(&channel, BEGIN + 4, &edge));
    assert_int_equal(edge, BEGIN + 10);
    assert_true(pit_channel_next_edge(&channel, BEGIN + 10, &edge));
    assert_int_equal(edge, BEGIN + 13);
    assert_true(pit_channel_next_edge(&channel, BEGIN + 100, &edge));
    assert_int_equal(edge, BEGIN + 103);
}

static void edges_come_where_the_output_rises(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
        uint64_t after, edge; /* 0: none */
    } cases[] = {
        {"0: once", 0, 0, 10},
        {"0: not twice", 0, 10, 0},
        {"2: each period", 2, 10, 20},
        {"3: each period", 3, 9, 10},
        {"4: after the strobe", 4, 0, 11},
        {"5: not without a trigger", 5, 0, 0},
        {"1: not without a trigger", 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t edge = 0;

        print_message("%s\n", cases[i].name);
        program(cases[i].mode, 10);
        assert_int_equal(pit_channel_next_edge(&channel, BEGIN + cases[i].after, &edge), cases[i].edge != 0);
        assert_int_equal(edge, cases[i].edge != 0 ? BEGIN + cases[i].edge : 0);
    }
}

static void low_gate_stops_and_triggers(void **state)
{
    (void)state;
    program(0, 10);
    pit_channel_set_gate(&channel, false, BEGIN + 4);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 100), 6);
    pit_channel_set_gate(&channel, true, BEGIN + 100);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 102), 4);

    program(3, 10);
    pit_channel_set_gate(&channel, false, BEGIN + 7);
    assert_true(pit_channel_out(&channel, BEGIN + 8)); /* forced high */
    pit_channel_set_gate(&channel, true, BEGIN + 50);
    assert_int_equal(pit_channel_read(&channel, BEGIN + 50), 10); /* begins anew */

    pit_channel_init(&channel, false);
    pit_channel_control(&channel, 0x12);
    pit_channel_write(&channel, 5, BEGIN);
    assert_true(pit_channel_out(&channel, BEGIN + 1));
    pit_channel_set_gate(&channel, true, BEGIN + 2);
    assert_false(pit_channel_out(&channel, BEGIN + 6));
    pit_channel_write(&channel, 50, BEGIN + 6); /* for the next trigger */
    assert_true(pit_channel_out(&channel, BEGIN + 7));
    pit_channel_set_gate(&channel, false, BEGIN + 8);
    pit_channel_set_gate(&channel, true, BEGIN + 9);
    assert_false(pit_channel_out(&channel, BEGIN + 58));
    assert_true(pit_channel_out(&channel, BEGIN + 59));
}

static void first_byte_stops_mode_0(void **state)
{
    uint64_t edge;

    (void)state;
    pit_channel_init(&channel, true);
    pit_channel_control(&channel, 0x30);
    pit_channel_write(&channel, 10, BEGIN);
    pit_channel_write(&channel, 0, BEGIN);
    pit_channel_write(&channel, 20, BEGIN + 5);
    assert_false(pit_channel_next_edge(&channel, BEGIN + 5, &edge));
    assert_false(pit_channel_out(&channel, BEGIN + 60));
    pit_channel_write(&channel, 0, BEGIN + 70);
    assert_true(pit_channel_next_edge(&channel, BEGIN + 70, &edge));
    assert_int_equal(edge, BEGIN + 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_follow_the_mode),
        cmocka_unit_test(counts_run_down_and_wrap),
        cmocka_unit_test(zero_stands_for_the_whole_range),
        cmocka_unit_test(bcd_counts_read_as_bcd),
        cmocka_unit_test(latched_count_stands_still_until_both_bytes_are_read),
        cmocka_unit_test(status_tells_output_null_count_and_mode),
        cmocka_unit_test(new_count_of_a_periodic_mode_waits_for_the_period),
        cmocka_unit_test(edges_come_where_the_output_rises),
        cmocka_unit_test(low_gate_stops_and_triggers),
        cmocka_unit_test(first_byte_stops_mode_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
