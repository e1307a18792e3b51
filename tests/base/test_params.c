/* SPDX-License-Identifier: MIT */
/*
 * Parameter values, right and wrong; what is wrong names key and value and
 * leaves the output alone.
 */

#include "lib/base/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct vmr_params one(const char *value)
{
    return (struct vmr_params){.count = 1, .items = {{"key", value}}};
}

static void booleans_have_six_words(void **state)
{
    static const struct {
        const char *text;
        enum vmr_status status;
        bool value;
    } rows[] = {
        {"true", VMR_OK, true},         {"1", VMR_OK, true},           {"yes", VMR_OK, true},
        {"false", VMR_OK, false},       {"0", VMR_OK, false},          {"no", VMR_OK, false},
        {"", VMR_E_CONFIG, false},      {"True", VMR_E_CONFIG, false}, {"on", VMR_E_CONFIG, false},
        {"true ", VMR_E_CONFIG, false}, {"2", VMR_E_CONFIG, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_params params = one(rows[i].text);
        bool value = !rows[i].value;

        if (params_get_bool(&params, "key", &value, NULL) != rows[i].status)
            fail_msg("\"%s\"", rows[i].text);
        assert_int_equal(value, rows[i].status ? !rows[i].value : rows[i].value);
    }
}

static void numbers_are_digits_in_a_range(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        uint32_t value;
    } rows[] = {
        {"10", true, 10},
        {"20", true, 20},
        {"015", true, 15},
        {"9", false, 0},
        {"21", false, 0},
        {"", false, 0},
        {"-11", false, 0},
        {"+11", false, 0},
        {"0x0f", false, 0},
        {"11 ", false, 0},
        {"4294967308", false, 0},           /* 12, if it wrapped at 32 bits */
        {"18446744073709551628", false, 0}, /* at 64 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_params params = one(rows[i].text);
        uint32_t value = 77;
        enum vmr_status status = params_get_number(&params, "key", 10, 20, &value, NULL);

        if (status != (rows[i].valid ? VMR_OK : VMR_E_CONFIG) || value != (rows[i].valid ? rows[i].value : 77))
            fail_msg("\"%s\": %u", rows[i].text, value);
    }
}

static void key_that_is_not_given_changes_nothing(void **state)
{
    static const char *const choices[] = {"a", "b", NULL};
    struct vmr_params params = one("b");
    bool flag = true;
    uint32_t number = 5;
    unsigned choice = 9;

    (void)state;
    assert_null(params_find(&params, "other"));
    assert_int_equal(params_get_bool(&params, "other", &flag, NULL), VMR_OK);
    assert_int_equal(params_get_number(&params, "other", 0, 1, &number, NULL), VMR_OK);
    assert_int_equal(params_get_choice(&params, "other", choices, &choice, NULL), VMR_OK);
    assert_true(flag);
    assert_int_equal(number, 5);
    assert_int_equal(choice, 9);
    assert_int_equal(params_get_choice(&params, "key", choices, &choice, NULL), VMR_OK);
    assert_int_equal(choice, 1);
}

static void message_names_key_value_and_choices(void **state)
{
    static const char *const choices[] = {"user", "split", NULL};
    struct vmr_params params = one("none");
    struct vmr_error err;
    unsigned choice = 9;
    bool flag = true;

    (void)state;
    assert_int_equal(params_get_choice(&params, "key", choices, &choice, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "parameter key: \"none\" is not one of user, split");
    assert_int_equal(choice, 9);
    assert_int_equal(params_get_bool(&params, "key", &flag, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "parameter key: \"none\""));
}

static void long_list_of_choices_is_cut_not_overrun(void **state)
{
    static const char *const choices[] = {"abcdefghijklmnopqrstuvwxyz", "bcdefghijklmnopqrstuvwxyza",
                                          "cdefghijklmnopqrstuvwxyzab", "defghijklmnopqrstuvwxyzabc",
                                          "efghijklmnopqrstuvwxyzabcd", NULL};
    struct vmr_params params = one("none");
    struct vmr_error err;
    unsigned choice;

    (void)state;
    assert_int_equal(params_get_choice(&params, "key", choices, &choice, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "cdefghijklmnopqrstuvwxyzab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans_have_six_words),
        cmocka_unit_test(numbers_are_digits_in_a_range),
        cmocka_unit_test(key_that_is_not_given_changes_nothing),
        cmocka_unit_test(message_names_key_value_and_choices),
        cmocka_unit_test(long_list_of_choices_is_cut_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
