/* SPDX-License-Identifier: MIT */
/*
 * Paths: steps, cutting back, and the longest.
 */

#include "lib/config/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void steps_are_joined_and_cut_off_again(void **state)
{
    struct config_path path = {0};

    (void)state;
    path_key(&path, "numa");
    size_t nodes = path_key(&path, "nodes");
    size_t third = path_index(&path, 3);

    path_key(&path, "mem");
    assert_string_equal(path.text, "numa.nodes[3].mem");
    path_cut(&path, third);
    assert_string_equal(path.text, "numa.nodes");
    path_cut(&path, nodes);
    assert_string_equal(path.text, "numa");
}

static void a_path_that_is_too_long_is_cut_and_comes_back(void **state)
{
    struct config_path path = {0};

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        path_key(&path, "abcdefgh");
    assert_int_equal(path.length, VMR_CONFIG_PATH_MAX - 1);
    assert_int_equal(strlen(path.text), path.length);
    path_cut(&path, 8);
    assert_string_equal(path.text, "abcdefgh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_joined_and_cut_off_again),
        cmocka_unit_test(a_path_that_is_too_long_is_cut_and_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
