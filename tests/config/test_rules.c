/* SPDX-License-Identifier: MIT */
/*
 * The catalogue of rules: complete, without doubles, found by its codes.
 */

#include "lib/config/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_code(const char *code)
{
    if (strncmp(code, "CFG-", 4) != 0)
        return false;
    return strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(code) && strlen(code) < 48;
}

static void every_rule_has_a_code_of_its_own_a_sentence_and_an_explanation(void **state)
{
    const struct vmr_config_rule *one;
    size_t count = 0;

    (void)state;
    for (; (one = vmr_config_rule_get(count)); count++) {
        if (!one->code || !is_code(one->code) || vmr_config_rule_find(one->code) != one)
            fail_msg("rule %zu: %s", count, one->code ? one->code : "has no code");
        size_t length = strlen(one->summary);

        if (length == 0 || one->summary[length - 1] != '.' || strlen(one->explanation) < length)
            fail_msg("%s", one->code);
        if (!strstr(one->explanation, "Source: "))
            fail_msg("%s: names no source", one->code);
    }
    assert_true(count >= RULE_FILE_COUNT);
}

static void what_is_no_rule_is_not_found(void **state)
{
    (void)state;
    assert_null(vmr_config_rule_find(""));
    assert_null(vmr_config_rule_find("CFG-FILE-SYNTA"));
    assert_null(vmr_config_rule_get(SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_a_code_of_its_own_a_sentence_and_an_explanation),
        cmocka_unit_test(what_is_no_rule_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
