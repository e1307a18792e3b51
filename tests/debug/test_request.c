/* SPDX-License-Identifier: MIT */
/* Payloads word by word: what is not there is not taken. */

#include "lib/debug/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct request of(const char *text)
{
    return (struct request){text, strlen(text)};
}

static void words_are_taken_whole_or_not_at_all(void **state)
{
    struct request request = of("vCont;c");

    (void)state;
    assert_false(request_word(&request, "vCont;s"));
    assert_false(request_word(&request, "vCont;cc"));
    assert_int_equal(request.left, 7);
    assert_true(request_word(&request, "vCont;"));
    assert_false(request_is_over(&request));
    assert_true(request_word(&request, "c"));
    assert_true(request_is_over(&request));
    assert_false(request_word(&request, "c"));
    assert_true(request_word(&request, ""));
}

static void numbers_are_hexadecimal_and_of_64_bits(void **state)
{
    static const struct {
        const char *text;
        bool is_number;
        uint64_t value;
        size_t left;
    } cases[] = {
        {"0", true, 0, 0},
        {"1f,", true, 0x1f, 1},
        {"DeadBeef:", true, 0xdeadbeef, 1},
        {"ffffffffffffffff", true, UINT64_MAX, 0},
        {"00000000000000001", false, 0, 17},
        {"", false, 0, 0},
        {",1", false, 0, 2},
        {"-1", false, 0, 2},
        {"g", false, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request request = of(cases[i].text);
        uint64_t value = 0;

        if (request_number(&request, &value) != cases[i].is_number || value != cases[i].value ||
            request.left != cases[i].left)
            fail_msg("'%s': %#llx, %zu left", cases[i].text, (unsigned long long)value, request.left);
    }
}

static void only_what_is_left_is_read(void **state)
{
    struct request request = {"12swbreak+", 1};
    uint64_t value;

    (void)state;
    assert_false(request_holds(&request, "swbreak+"));
    assert_false(request_word(&request, "12"));
    assert_true(request_number(&request, &value));
    assert_int_equal(value, 1);
}

static void a_word_is_found_anywhere(void **state)
{
    const struct request request = of("qSupported:xmlRegisters=i386;swbreak+");

    (void)state;
    assert_true(request_holds(&request, "swbreak+"));
    assert_true(request_holds(&request, "qS"));
    assert_false(request_holds(&request, "hwbreak+"));
    assert_false(request_holds(&request, "swbreak+;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_taken_whole_or_not_at_all),
        cmocka_unit_test(numbers_are_hexadecimal_and_of_64_bits),
        cmocka_unit_test(only_what_is_left_is_read),
        cmocka_unit_test(a_word_is_found_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
