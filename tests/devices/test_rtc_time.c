/* SPDX-License-Identifier: MIT */
/*
 * The calendar: against known dates, and against a day-by-day walk that knows
 * nothing of the formulas.
 */

#include "lib/devices/rtc_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY UINT64_C(86400)

static void known_moments_convert(void **state)
{
    static const struct {
        const char *name;
        uint64_t seconds;
        struct rtc_time time;
    } cases[] = {
        {"the epoch was a Thursday", 0, {0, 0, 0, 5, 1, 1, 1970}},
        {"leap day of a leap century", 951782400, {0, 0, 0, 3, 29, 2, 2000}},
        {"last second of a year", 1704067199, {59, 59, 23, 1, 31, 12, 2023}},
        {"last second of 9999", 253402300799, {59, 59, 23, 6, 31, 12, 9999}},
        {"no leap day in 2100", 4107542400, {0, 0, 0, 2, 1, 3, 2100}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rtc_time time;

        print_message("%s\n", cases[i].name);
        rtc_time_from_seconds(cases[i].seconds, &time);
        assert_memory_equal(&time, &cases[i].time, sizeof(time));
        assert_int_equal(rtc_time_to_seconds(&time), cases[i].seconds);
    }
}

static unsigned days_in(unsigned month, unsigned year)
{
    static const unsigned days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 ? days[2] + leap : days[month];
}

static void every_day_of_five_centuries_follows_the_one_before(void **state)
{
    struct rtc_time expected = {.weekday = 5, .day = 1, .month = 1, .year = 1970};

    (void)state;
    for (uint64_t day = 0; expected.year < 2470; day++) {
        struct rtc_time time;

        rtc_time_from_seconds(day * DAY, &time);
        assert_memory_equal(&time, &expected, sizeof(time));
        assert_int_equal(rtc_time_to_seconds(&time), day * DAY);
        expected.weekday = expected.weekday % 7 + 1;
        if (++expected.day > days_in(expected.month, expected.year)) {
            expected.day = 1;
            expected.month = expected.month % 12 + 1;
            expected.year += expected.month == 1 ? 1 : 0;
        }
    }
}

static void fields_out_of_range_carry_over(void **state)
{
    static const struct {
        const char *name;
        struct rtc_time wild, tame;
    } cases[] = {
        {"day 31 of February", {.day = 31, .month = 2, .year = 2023}, {.day = 3, .month = 3, .year = 2023}},
        {"month 13", {.day = 1, .month = 13, .year = 2023}, {.day = 1, .month = 1, .year = 2024}},
        {"month and day 0", {.year = 2000}, {.day = 1, .month = 1, .year = 2000}},
        {"hour 165",
         {.hour = 165, .day = 1, .month = 1, .year = 2000},
         {.hour = 21, .day = 7, .month = 1, .year = 2000}},
        {"before 1970", {.hour = 9, .day = 31, .month = 12, .year = 1969}, {.day = 1, .month = 1, .year = 1970}},
        {"year 0", {0}, {.day = 1, .month = 1, .year = 1970}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        assert_int_equal(rtc_time_to_seconds(&cases[i].wild), rtc_time_to_seconds(&cases[i].tame));
    }
}

static void hours_survive_every_form(void **state)
{
    (void)state;
    for (unsigned form_bits = 0; form_bits < 4; form_bits++) {
        struct rtc_form form = {.binary = (form_bits & 1) != 0, .hours_24 = (form_bits & 2) != 0};

        for (unsigned hour = 0; hour < 24; hour++)
            assert_int_equal(rtc_decode_hour(rtc_encode_hour(hour, form), form), hour);
        for (unsigned value = 0; value < 100; value++)
            assert_int_equal(rtc_decode(rtc_encode(value, form), form), value);
    }
    assert_int_equal(rtc_encode_hour(0, (struct rtc_form){0}), 0x12);
    assert_int_equal(rtc_encode_hour(12, (struct rtc_form){0}), 0x92);
    assert_int_equal(rtc_encode_hour(23, (struct rtc_form){0}), 0x91);
}

static bool slow_between(const struct rtc_alarm *alarm, uint64_t after, uint64_t until)
{
    for (uint64_t s = after + 1; s <= until; s++) {
        if ((alarm->second == RTC_ANY || alarm->second == s % 60) &&
            (alarm->minute == RTC_ANY || alarm->minute == s / 60 % 60) &&
            (alarm->hour == RTC_ANY || alarm->hour == s / 3600 % 24))
            return true;
    }
    return false;
}

static void alarm_agrees_with_a_search_second_by_second(void **state)
{
    static const unsigned fields[] = {0, 1, 59, RTC_ANY, 165};
    static const uint64_t lengths[] = {0, 1, 2, 59, 60, 3599, 3600, 3601, 86399, 86400, 90000};

    (void)state;
    for (unsigned i = 0; i < 5 * 5 * 5 * 11; i++) {
        struct rtc_alarm alarm = {fields[i % 5], fields[i / 5 % 5], fields[i / 25 % 5]};
        uint64_t after = UINT64_C(1700000000) + i * 977;
        uint64_t until = after + lengths[i / 125];

        assert_int_equal(rtc_alarm_is_between(&alarm, after, until), slow_between(&alarm, after, until));
    }
}

static void alarm_that_never_matches_ends_soon_over_any_span(void **state)
{
    const struct rtc_alarm never = {.second = 61, .minute = RTC_ANY, .hour = RTC_ANY};
    const struct rtc_alarm daily = {.second = 3, .minute = 2, .hour = 1};

    (void)state;
    assert_false(rtc_alarm_is_between(&never, 0, UINT64_C(1) << 60));
    assert_true(rtc_alarm_is_between(&daily, 0, UINT64_C(1) << 60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_convert),
        cmocka_unit_test(every_day_of_five_centuries_follows_the_one_before),
        cmocka_unit_test(fields_out_of_range_carry_over),
        cmocka_unit_test(hours_survive_every_form),
        cmocka_unit_test(alarm_agrees_with_a_search_second_by_second),
        cmocka_unit_test(alarm_that_never_matches_ends_soon_over_any_span),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
