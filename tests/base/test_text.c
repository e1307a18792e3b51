/* SPDX-License-Identifier: MIT */
/*
 * Numbers and bytes out of text: what is taken, what is refused, to the digit.
 */

#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbers_are_decimal_or_hexadecimal(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"10", 10},
        {"007", 7},
        {"0x10", 16},
        {"0xFf", 255},
        {"18446744073709551615", UINT64_MAX},
        {"0xffffffffffffffff", UINT64_MAX},
        {"0x00000000000000000001", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = ~cases[i].value;

        if (!text_parse_number(cases[i].text, strlen(cases[i].text), &value) || value != cases[i].value)
            fail_msg("%s", cases[i].text);
    }
}

static void what_is_no_number_is_refused_and_changes_nothing(void **state)
{
    static const char *const cases[] = {
        "",
        "0x",
        "x1",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1_000",
        "0X10",
        "ff",
        "0xg",
        "1e3",
        "/",
        "1:",
        "0x/",
        "0x1G",
        "@",
        "18446744073709551616",
        "0x10000000000000000",
        "99999999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 42;

        if (text_parse_number(cases[i], strlen(cases[i]), &value) || value != 42)
            fail_msg("'%s'", cases[i]);
    }
}

static void only_the_given_length_is_read(void **state)
{
    (void)state;
    uint64_t value = 0;

    assert_true(text_parse_number("123", 2, &value));
    assert_true(value == 12);
}

static void bytes_are_pairs_of_digits(void **state)
{
    (void)state;
    uint8_t bytes[3] = {0, 0, 0xee};

    assert_true(text_parse_hex("0aFf", 4, bytes, 2));
    assert_int_equal(bytes[0], 0x0a);
    assert_int_equal(bytes[1], 0xff);
    assert_int_equal(bytes[2], 0xee);
}

static void bytes_that_are_odd_too_many_or_no_digits_are_refused(void **state)
{
    static const char *const cases[] = {"", "0", "0a0", "0a0b0c", "0g", "g0", "0x"};
    uint8_t bytes[3] = {0, 0, 0xee};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (text_parse_hex(cases[i], strlen(cases[i]), bytes, 2))
            fail_msg("'%s'", cases[i]);
    }
    assert_int_equal(bytes[2], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
        cmocka_unit_test(what_is_no_number_is_refused_and_changes_nothing),
        cmocka_unit_test(only_the_given_length_is_read),
        cmocka_unit_test(bytes_are_pairs_of_digits),
        cmocka_unit_test(bytes_that_are_odd_too_many_or_no_digits_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
