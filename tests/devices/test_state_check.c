/* SPDX-License-Identifier: MIT */
/* Rules over fields: the first that does not hold is named. */

#include "lib/devices/state_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct vmr_state_type type = {.name = "thing"};

static void the_first_broken_rule_is_named(void **state)
{
    const struct state_check checks[] = {
        STATE_BITS("low", 0x0fu, 0x0fu),
        STATE_RULE("even", 7u, false),
        STATE_BITS("high", 0x1ffu, 0xffu),
    };
    struct vmr_error err = {0};

    (void)state;
    assert_int_equal(state_check(&type, checks, 1, &err), VMR_OK);
    assert_int_equal(state_check(&type, checks, STATE_CHECKS(checks), &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "state 'thing': field 'even': the device cannot hold 0x7");
    assert_int_equal(state_check(&type, &checks[2], 1, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "state 'thing': field 'high': the device cannot hold 0x1ff");
}

static void bits_are_compared_in_full_width(void **state)
{
    const struct state_check above = STATE_BITS("wide", UINT64_C(1) << 40, 0xffffffffu);
    const struct state_check inside = STATE_BITS("wide", UINT64_C(1) << 40, UINT64_C(1) << 40);

    (void)state;
    assert_int_equal(state_check(&type, &above, 1, NULL), VMR_E_CONFIG);
    assert_int_equal(state_check(&type, &inside, 1, NULL), VMR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_broken_rule_is_named),
        cmocka_unit_test(bits_are_compared_in_full_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
