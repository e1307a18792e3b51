/* SPDX-License-Identifier: MIT */
/*
 * The keyboard's answers.
 */

#include "lib/devices/keyboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void commands_are_answered(void **state)
{
    static const struct {
        const char *name;
        size_t sent, answered;
        uint8_t bytes[3], answers[4];
    } cases[] = {
        {"reset", 1, 2, {0xff}, {0xfa, 0xaa}},
        {"identify", 1, 3, {0xf2}, {0xfa, 0xab, 0x83}},
        {"echo", 1, 1, {0xee}, {0xee}},
        {"enable, disable, defaults", 3, 3, {0xf4, 0xf5, 0xf6}, {0xfa, 0xfa, 0xfa}},
        {"LEDs take a parameter, whatever it is", 2, 2, {0xed, 0xff}, {0xfa, 0xfa}},
        {"rate takes a parameter", 2, 2, {0xf3, 0x00}, {0xfa, 0xfa}},
        {"scan set is 2", 2, 3, {0xf0, 0x00}, {0xfa, 0xfa, 0x02}},
        {"no such scan set", 2, 2, {0xf0, 0x04}, {0xfa, 0xfe}},
        {"no such command", 2, 2, {0x00, 0xa5}, {0xfe, 0xfe}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keyboard keyboard;
        uint8_t answers[sizeof(cases[0].bytes) * KEYBOARD_ANSWER_MAX] = {0};
        size_t length = 0;

        print_message("%s\n", cases[i].name);
        keyboard_init(&keyboard);
        for (size_t j = 0; j < cases[i].sent; j++)
            length += keyboard_write(&keyboard, cases[i].bytes[j], &answers[length]);
        assert_int_equal(length, cases[i].answered);
        assert_memory_equal(answers, cases[i].answers, length);
    }
}

static void scan_set_is_kept_until_reset(void **state)
{
    struct keyboard keyboard;
    uint8_t answer[KEYBOARD_ANSWER_MAX];

    (void)state;
    keyboard_init(&keyboard);
    (void)keyboard_write(&keyboard, 0xf0, answer);
    assert_int_equal(keyboard_write(&keyboard, 1, answer), 1);
    (void)keyboard_write(&keyboard, 0xf0, answer);
    assert_int_equal(keyboard_write(&keyboard, 0, answer), 2);
    assert_int_equal(answer[1], 1);
    (void)keyboard_write(&keyboard, 0xff, answer);
    assert_int_equal(keyboard.scan_set, 2);
}

static void every_pair_of_bytes_is_answered_within_bounds(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        struct keyboard keyboard;
        uint8_t answer[KEYBOARD_ANSWER_MAX];

        keyboard_init(&keyboard);
        assert_in_range(keyboard_write(&keyboard, (uint8_t)(pair >> 8), answer), 1, KEYBOARD_ANSWER_MAX);
        assert_in_range(keyboard_write(&keyboard, (uint8_t)pair, answer), 1, KEYBOARD_ANSWER_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_answered),
        cmocka_unit_test(scan_set_is_kept_until_reset),
        cmocka_unit_test(every_pair_of_bytes_is_answered_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
