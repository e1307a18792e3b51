/* SPDX-License-Identifier: MIT */
/*
 * Free space: what is taken is gone, what is left is found from both ends.
 */

#include "lib/resolve/free_space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PAGE UINT64_C(4096)

static void taking_splits_and_empties_ranges(void **state)
{
    struct free_space space;

    (void)state;
    assert_true(free_space_init(&space));
    assert_true(free_space_take(&space, 0, PAGE));
    assert_true(free_space_take(&space, 4 * PAGE, PAGE));
    assert_true(free_space_take(&space, 8 * PAGE, PAGE));
    assert_int_equal(space.count, 3);
    assert_int_equal(free_space_left(&space, 0, 9 * PAGE), 6 * PAGE);
    assert_int_equal(free_space_left(&space, 2 * PAGE, 6 * PAGE), 3 * PAGE);
    assert_true(free_space_take(&space, PAGE, 3 * PAGE)); /* all of a range */
    assert_true(free_space_take(&space, FREE_SPACE_END - PAGE, PAGE));
    assert_int_equal(space.count, 2);
    assert_int_equal(free_space_left(&space, 0, FREE_SPACE_END), FREE_SPACE_END - 7 * PAGE);
    free_space_finish(&space);
}

static void the_lowest_and_the_highest_place_are_found(void **state)
{
    struct free_space space;
    uint64_t start = 0;

    (void)state;
    assert_true(free_space_init(&space));
    assert_true(free_space_take(&space, 16 * PAGE, PAGE));
    assert_true(free_space_take(&space, 24 * PAGE, FREE_SPACE_END - 24 * PAGE)); /* left: 0-15, 17-23 */
    assert_true(free_space_lowest(&space, PAGE, PAGE, 0, &start));
    assert_int_equal(start, 0);
    assert_true(free_space_lowest(&space, 2 * PAGE, 8 * PAGE, PAGE, &start));
    assert_int_equal(start, 8 * PAGE);
    assert_true(free_space_lowest(&space, PAGE, PAGE, 16 * PAGE, &start));
    assert_int_equal(start, 17 * PAGE);
    assert_false(free_space_lowest(&space, 8 * PAGE, PAGE, 9 * PAGE, &start));
    assert_true(free_space_highest(&space, 2 * PAGE, PAGE, FREE_SPACE_END, &start));
    assert_int_equal(start, 22 * PAGE);
    assert_true(free_space_highest(&space, 2 * PAGE, 8 * PAGE, FREE_SPACE_END, &start)); /* 16 is taken */
    assert_int_equal(start, 8 * PAGE);
    assert_true(free_space_highest(&space, 2 * PAGE, PAGE, 18 * PAGE, &start));
    assert_int_equal(start, 14 * PAGE);
    assert_false(free_space_highest(&space, 17 * PAGE, PAGE, FREE_SPACE_END, &start));
    free_space_finish(&space);
}

static void alignments_that_pass_the_end_find_nothing(void **state)
{
    struct free_space space;
    struct vmr_gpa_range range;
    uint64_t start;

    (void)state;
    assert_true(free_space_init(&space));
    assert_false(free_space_lowest(&space, PAGE, FREE_SPACE_END, 1, &start));
    assert_false(free_space_lowest(&space, PAGE, UINT64_C(1) << 63, 1, &start));
    assert_false(free_space_next(&space, UINT64_MAX, PAGE, &range));
    assert_false(free_space_lowest(&space, UINT64_MAX, PAGE, 0, &start));
    assert_true(free_space_highest(&space, FREE_SPACE_END, UINT64_C(1) << 63, FREE_SPACE_END, &start));
    assert_int_equal(start, 0);
    free_space_finish(&space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_splits_and_empties_ranges),
        cmocka_unit_test(the_lowest_and_the_highest_place_are_found),
        cmocka_unit_test(alignments_that_pass_the_end_find_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
