/* SPDX-License-Identifier: MIT */
/*
 * The local APIC timer's counter against the clock: exact expiries, missed
 * periods, changes under way, and numbers at the ends of their ranges.
 */

#include "lib/devices/lapic_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmrig/limits.h"
#include "vmrig/types.h"

#define GHZ UINT64_C(1000000000)

static struct lapic_timer timer_at(uint64_t hz, uint32_t divide)
{
    struct lapic_timer timer;

    lapic_timer_reset(&timer, hz);
    lapic_timer_set_divide(&timer, divide, 0);
    return timer;
}

static void each_divide_code_divides(void **state)
{
    static const struct {
        uint32_t code;
        uint64_t divisor;
    } cases[] = {{0x0, 2},  {0x1, 4},   {0x2, 8}, {0x3, 16}, {0x8, 32},
                 {0x9, 64}, {0xa, 128}, {0xb, 1}, {0xf, 1},  {0x4, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic_timer timer = timer_at(GHZ, cases[i].code);

        lapic_timer_start(&timer, 1000, 5);
        assert_true(timer.due_ns == 5 + 1000 * cases[i].divisor);
        assert_int_equal(lapic_timer_current(&timer, 5 + 10 * cases[i].divisor), 990);
        assert_int_equal(timer.divide, cases[i].code & 0xb);
    }
}

static void one_shot_expires_once_and_exactly(void **state)
{
    struct lapic_timer timer = timer_at(GHZ, 0xb);

    (void)state;
    lapic_timer_start(&timer, 100, 1000);
    assert_int_equal(lapic_timer_current(&timer, 1000), 100);
    assert_int_equal(lapic_timer_current(&timer, 1099), 1);
    assert_false(lapic_timer_advance(&timer, false, 1099));
    assert_true(lapic_timer_advance(&timer, false, 1100));
    assert_int_equal(lapic_timer_current(&timer, 1100), 0);
    assert_false(lapic_timer_advance(&timer, false, VMR_NEVER - 1));
    assert_true(timer.due_ns == VMR_NEVER);
    assert_int_equal(timer.initial, 100);
}

#define PERIOD (10 * (uint64_t)VMR_LAPIC_PERIOD_NS_MIN)

static void missed_periods_count_once_and_keep_the_beat(void **state)
{
    static const struct {
        const char *name;
        uint64_t now, next;
    } cases[] = {{"in time", 7 + PERIOD, 7 + 2 * PERIOD},
                 {"one missed", 7 + 5 * PERIOD / 2, 7 + 3 * PERIOD},
                 {"at the second", 7 + 2 * PERIOD, 7 + 3 * PERIOD},
                 {"a long sleep", 8 + 1000 * PERIOD, 7 + 1001 * PERIOD},
                 {"the end of time", VMR_NEVER - 1, VMR_NEVER}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic_timer timer = timer_at(GHZ, 0xb);

        print_message("%s\n", cases[i].name);
        lapic_timer_start(&timer, (uint32_t)PERIOD, 7);
        assert_true(lapic_timer_advance(&timer, true, cases[i].now));
        assert_true(timer.due_ns == cases[i].next);
        assert_false(lapic_timer_advance(&timer, true, cases[i].now));
    }
}

/* The first expiry is the guest's own; what follows without a write of it keeps the limit, exactly. */
static void a_period_is_no_shorter_than_the_limit(void **state)
{
    static const struct {
        uint32_t count;
        uint64_t period;
    } cases[] = {{1, VMR_LAPIC_PERIOD_NS_MIN},
                 {VMR_LAPIC_PERIOD_NS_MIN - 1, VMR_LAPIC_PERIOD_NS_MIN},
                 {VMR_LAPIC_PERIOD_NS_MIN, VMR_LAPIC_PERIOD_NS_MIN},
                 {VMR_LAPIC_PERIOD_NS_MIN + 1, VMR_LAPIC_PERIOD_NS_MIN + 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic_timer timer = timer_at(GHZ, 0xb);
        uint64_t due = 1000 + cases[i].count;

        lapic_timer_start(&timer, cases[i].count, 1000);
        for (unsigned expiry = 0; expiry < 5; expiry++, due += cases[i].period) {
            assert_true(timer.due_ns == due);
            assert_int_equal(lapic_timer_current(&timer, due - 1), 1);
            assert_true(lapic_timer_advance(&timer, true, due));
            assert_int_equal(lapic_timer_current(&timer, due), cases[i].count);
        }
        lapic_timer_start(&timer, cases[i].count, due);
        assert_true(lapic_timer_advance(&timer, false, due + cases[i].count)); /* one-shot: exact */
    }
}

static void a_count_of_zero_stops(void **state)
{
    struct lapic_timer timer = timer_at(GHZ, 0xb);

    (void)state;
    lapic_timer_start(&timer, 100, 0);
    lapic_timer_start(&timer, 0, 50);
    assert_true(timer.due_ns == VMR_NEVER);
    assert_int_equal(lapic_timer_current(&timer, 50), 0);
    assert_false(lapic_timer_advance(&timer, true, GHZ));
}

static void another_divisor_changes_the_speed_of_what_is_left(void **state)
{
    struct lapic_timer timer = timer_at(GHZ, 0xb);

    (void)state;
    lapic_timer_start(&timer, 1000000, 0);
    lapic_timer_set_divide(&timer, 0x0, 600000);
    assert_int_equal(lapic_timer_current(&timer, 600000), 400000);
    assert_true(timer.due_ns == 600000 + 400000 * 2);
    assert_true(lapic_timer_advance(&timer, true, 1400000));
    assert_true(timer.due_ns == 1400000 + 1000000 * 2);
}

static void a_clock_read_before_the_start_shows_the_whole_count(void **state)
{
    struct lapic_timer timer = timer_at(GHZ, 0xb);

    (void)state;
    lapic_timer_start(&timer, 100, 1000);
    assert_int_equal(lapic_timer_current(&timer, 0), 100);
    assert_false(lapic_timer_advance(&timer, false, 0));
}

/* For every clock: never early, at most a nanosecond late, and the count falls from the initial one to zero. */
static void odd_clocks_round_up_and_never_show_zero_early(void **state)
{
    static const uint64_t clocks[] = {LAPIC_TIMER_HZ_MIN, 1193182,    24000000,          33333333,
                                      999999999,          1000000007, LAPIC_TIMER_HZ_MAX};
    static const uint32_t counts[] = {1, 2, 1000, 123456789, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
            struct lapic_timer timer = timer_at(clocks[i], 0xa);
            long double exact = (long double)counts[j] * 128 * GHZ / (long double)clocks[i];

            lapic_timer_start(&timer, counts[j], 0);
            assert_true((long double)timer.due_ns >= exact && (long double)timer.due_ns < exact + 1.001L);
            assert_int_equal(lapic_timer_current(&timer, 0), counts[j]);
            assert_true(lapic_timer_current(&timer, timer.due_ns - 1) >= 1);
            assert_int_equal(lapic_timer_current(&timer, timer.due_ns), 0);
            assert_true(lapic_timer_current(&timer, timer.due_ns / 2) <= counts[j] / 2 + 1);
        }
    }
}

static void an_expiry_beyond_the_end_of_time_is_never(void **state)
{
    struct lapic_timer timer = timer_at(LAPIC_TIMER_HZ_MIN, 0xa);

    (void)state;
    lapic_timer_start(&timer, UINT32_MAX, VMR_NEVER - 10);
    assert_true(timer.due_ns == VMR_NEVER);
    assert_false(lapic_timer_advance(&timer, true, VMR_NEVER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_divide_code_divides),
        cmocka_unit_test(one_shot_expires_once_and_exactly),
        cmocka_unit_test(missed_periods_count_once_and_keep_the_beat),
        cmocka_unit_test(a_period_is_no_shorter_than_the_limit),
        cmocka_unit_test(a_count_of_zero_stops),
        cmocka_unit_test(another_divisor_changes_the_speed_of_what_is_left),
        cmocka_unit_test(a_clock_read_before_the_start_shows_the_whole_count),
        cmocka_unit_test(odd_clocks_round_up_and_never_show_zero_early),
        cmocka_unit_test(an_expiry_beyond_the_end_of_time_is_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
