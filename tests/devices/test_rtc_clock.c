/* SPDX-License-Identifier: MIT */
/*
 * The clock chip: the time it shows, when it may be read, and its interrupts.
 */

#include "lib/devices/rtc_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define BEGIN UINT64_C(5000000000007)
/* 2023-11-14 22:13:20, a Tuesday. */
#define EPOCH UINT64_C(1700000000)

static struct rtc_clock clock;

static int setup(void **state)
{
    (void)state;
    clock = (struct rtc_clock){0};
    rtc_clock_init(&clock, EPOCH, 0);
    rtc_clock_advance(&clock, BEGIN);
    return 0;
}

static uint8_t read_at(uint64_t ns, unsigned index)
{
    rtc_clock_advance(&clock, BEGIN + ns);
    return rtc_clock_read(&clock, index);
}

static void write_at(uint64_t ns, unsigned index, uint8_t value)
{
    rtc_clock_advance(&clock, BEGIN + ns);
    rtc_clock_write(&clock, index, value);
}

static void epoch_is_shown_in_bcd(void **state)
{
    static const struct {
        unsigned index;
        uint8_t value;
    } registers[] = {
        {CMOS_SECOND, 0x20}, {CMOS_MINUTE, 0x13}, {CMOS_HOUR, 0x22},    {CMOS_WEEKDAY, 0x03}, {CMOS_DAY, 0x14},
        {CMOS_MONTH, 0x11},  {CMOS_YEAR, 0x23},   {CMOS_CENTURY, 0x20}, {CMOS_D, 0x80},       {CMOS_A, 0x26},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        assert_int_equal(read_at(0, registers[i].index), registers[i].value);
}

static void time_goes_on_with_the_host(void **state)
{
    (void)state;
    assert_int_equal(read_at(SECOND - 1, CMOS_SECOND), 0x20);
    assert_int_equal(read_at(SECOND, CMOS_SECOND), 0x21);
    assert_int_equal(read_at(40 * SECOND, CMOS_MINUTE), 0x14);
    assert_int_equal(read_at(39 * SECOND, CMOS_MINUTE), 0x14); /* an older look at the clock: time stands still */
}

static void a_clock_that_begins_within_a_second_changes_that_much_earlier(void **state)
{
    (void)state;
    clock = (struct rtc_clock){0};
    rtc_clock_init(&clock, EPOCH, 250000000);
    assert_int_equal(read_at(0, CMOS_SECOND), 0x20);
    assert_int_equal(read_at(SECOND - 250000001, CMOS_SECOND), 0x20);
    assert_int_equal(read_at(SECOND - 250000000, CMOS_SECOND), 0x21);
    assert_int_equal(read_at(2 * SECOND - 250000000, CMOS_SECOND), 0x22);
}

static void update_in_progress_precedes_the_update(void **state)
{
    static const struct {
        uint64_t ns;
        uint8_t uip;
    } cases[] = {{0, 0}, {SECOND - 244001, 0}, {SECOND - 244000, 0x80}, {SECOND - 1, 0x80}, {SECOND, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_at(cases[i].ns, CMOS_A) & 0x80, cases[i].uip);
}

static void guest_sets_the_time_while_it_holds_the_clock(void **state)
{
    (void)state;
    write_at(0, CMOS_B, 0x82);
    write_at(0, CMOS_HOUR, 0x05);
    write_at(0, CMOS_YEAR, 0x99);
    write_at(0, CMOS_CENTURY, 0x19);
    assert_int_equal(read_at(30 * SECOND, CMOS_SECOND), 0x20); /* held */
    assert_int_equal(read_at(30 * SECOND, CMOS_A) & 0x80, 0);
    write_at(30 * SECOND, CMOS_B, 0x02);
    assert_int_equal(read_at(32 * SECOND, CMOS_SECOND), 0x22);
    assert_int_equal(read_at(32 * SECOND, CMOS_HOUR), 0x05);
    assert_int_equal(read_at(32 * SECOND, CMOS_YEAR), 0x99);
    assert_int_equal(read_at(32 * SECOND, CMOS_CENTURY), 0x19);
}

static void form_of_numbers_follows_register_b(void **state)
{
    (void)state;
    write_at(0, CMOS_B, 0x06);
    assert_int_equal(read_at(0, CMOS_HOUR), 22);
    write_at(0, CMOS_B, 0x04);
    assert_int_equal(read_at(0, CMOS_HOUR), 0x8a); /* 10 in the evening */
    write_at(0, CMOS_B, 0x00);
    assert_int_equal(read_at(0, CMOS_HOUR), 0x90);
    write_at(0, CMOS_B, 0x02);
    assert_int_equal(read_at(0, CMOS_HOUR), 0x22);
}

static void first_update_after_divider_reset_comes_in_half_a_second(void **state)
{
    (void)state;
    write_at(0, CMOS_A, 0x76);
    assert_int_equal(read_at(9 * SECOND + 700, CMOS_SECOND), 0x20);
    write_at(9 * SECOND + 700, CMOS_A, 0x26);
    assert_int_equal(read_at(9 * SECOND + 700 + SECOND / 2 - 1, CMOS_SECOND), 0x20);
    assert_int_equal(read_at(9 * SECOND + 700 + SECOND / 2, CMOS_SECOND), 0x21);
}

static void flags_rise_without_interrupts_and_clear_on_read(void **state)
{
    (void)state;
    assert_int_equal(read_at(0, CMOS_C), 0);
    assert_int_equal(read_at(SECOND / 1000, CMOS_C), 0x40);
    /* The alarm registers hold zeros: midnight. */
    assert_int_equal(read_at(SECOND, CMOS_C), 0x50);
    assert_int_equal(read_at(SECOND, CMOS_C), 0);
    assert_int_equal(read_at(10 * 3600 * SECOND, CMOS_C), 0x70);
}

static void enabled_interrupts_have_exact_deadlines(void **state)
{
    static const struct {
        const char *name;
        uint8_t a, b, flag;
        uint64_t deadline;
    } cases[] = {
        {"update", 0x26, 0x12, 0x90, SECOND},   {"1024 Hz", 0x26, 0x42, 0xc0, 976563},
        {"2 Hz", 0x2f, 0x42, 0xc0, SECOND / 2}, {"256 Hz has two numbers", 0x21, 0x42, 0xc0, 3906250},
        {"8192 Hz", 0x23, 0x42, 0xc0, 122071},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)setup(state);
        print_message("%s\n", cases[i].name);
        write_at(0, CMOS_A, cases[i].a);
        write_at(0, CMOS_B, cases[i].b);
        assert_int_equal(rtc_clock_deadline(&clock), BEGIN + cases[i].deadline);
        rtc_clock_advance(&clock, BEGIN + cases[i].deadline - 1);
        assert_false(rtc_clock_irq(&clock));
        rtc_clock_advance(&clock, BEGIN + cases[i].deadline);
        assert_true(rtc_clock_irq(&clock));
        assert_int_equal(rtc_clock_deadline(&clock), VMR_NEVER); /* until C is read */
        assert_int_equal(rtc_clock_read(&clock, CMOS_C) & cases[i].flag, cases[i].flag);
        assert_false(rtc_clock_irq(&clock));
        assert_true(rtc_clock_deadline(&clock) > BEGIN + cases[i].deadline);
    }
}

static void nothing_enabled_needs_no_deadline(void **state)
{
    (void)state;
    assert_int_equal(rtc_clock_deadline(&clock), VMR_NEVER);
    write_at(0, CMOS_B, 0x42);
    write_at(0, CMOS_A, 0x20); /* rate 0: off */
    assert_int_equal(rtc_clock_deadline(&clock), VMR_NEVER);
    write_at(0, CMOS_B, 0x92); /* held: no updates */
    assert_int_equal(rtc_clock_deadline(&clock), VMR_NEVER);
}

static void alarm_rings_at_its_time_once(void **state)
{
    (void)state;
    write_at(0, CMOS_SECOND_ALARM, 0x30);
    write_at(0, CMOS_MINUTE_ALARM, 0x13);
    write_at(0, CMOS_HOUR_ALARM, 0xff);
    write_at(0, CMOS_B, 0x22);
    rtc_clock_advance(&clock, BEGIN + 9 * SECOND);
    assert_false(rtc_clock_irq(&clock));
    rtc_clock_advance(&clock, BEGIN + 10 * SECOND);
    assert_true(rtc_clock_irq(&clock));
    assert_int_equal(read_at(10 * SECOND, CMOS_C) & 0xa0, 0xa0);
    assert_int_equal(read_at(3600 * SECOND, CMOS_C) & 0x20, 0);
    assert_int_equal(read_at(3610 * SECOND, CMOS_C) & 0x20, 0x20);
}

static void read_only_registers_stay(void **state)
{
    (void)state;
    write_at(0, CMOS_C, 0xff);
    write_at(0, CMOS_D, 0x00);
    assert_int_equal(read_at(0, CMOS_C), 0);
    assert_int_equal(read_at(0, CMOS_D), 0x80);
    write_at(0, CMOS_A, 0xff);
    assert_int_equal(read_at(0, CMOS_A), 0x7f); /* UIP is not the guest's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(epoch_is_shown_in_bcd, setup),
        cmocka_unit_test_setup(a_clock_that_begins_within_a_second_changes_that_much_earlier, setup),
        cmocka_unit_test_setup(time_goes_on_with_the_host, setup),
        cmocka_unit_test_setup(update_in_progress_precedes_the_update, setup),
        cmocka_unit_test_setup(guest_sets_the_time_while_it_holds_the_clock, setup),
        cmocka_unit_test_setup(form_of_numbers_follows_register_b, setup),
        cmocka_unit_test_setup(first_update_after_divider_reset_comes_in_half_a_second, setup),
        cmocka_unit_test_setup(flags_rise_without_interrupts_and_clear_on_read, setup),
        cmocka_unit_test(enabled_interrupts_have_exact_deadlines),
        cmocka_unit_test_setup(nothing_enabled_needs_no_deadline, setup),
        cmocka_unit_test_setup(alarm_rings_at_its_time_once, setup),
        cmocka_unit_test_setup(read_only_registers_stay, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
