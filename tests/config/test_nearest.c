/* SPDX-License-Identifier: MIT */
/*
 * Names that somebody may have meant.
 */

#include "lib/config/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const known[] = {"size", "side", "enable_serial", "mem_size", "x86"};

static const char *meant(const char *name)
{
    struct nearest nearest = {.name = name, .length = strlen(name)};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        nearest_look(&nearest, known[i]);
    return nearest.found;
}

static void what_differs_little_is_meant(void **state)
{
    (void)state;
    assert_string_equal(meant("sise"), "size"); /* of equally near ones the first */
    assert_string_equal(meant("size"), "size");
    assert_string_equal(meant("memsize"), "mem_size");
    assert_string_equal(meant("enable_seral"), "enable_serial");
    assert_string_equal(meant("enable-serials"), "enable_serial");
}

static void what_differs_much_is_not(void **state)
{
    char longest[NEAREST_LENGTH_MAX + 2];

    (void)state;
    memset(longest, 's', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(meant("kernel"));
    assert_null(meant(""));
    assert_null(meant("memory"));
    assert_null(meant(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_little_is_meant),
        cmocka_unit_test(what_differs_much_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
