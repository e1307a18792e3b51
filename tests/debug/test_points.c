/* SPDX-License-Identifier: MIT */
/* Breakpoints in the processor's four: which it has, which are the same, which fit. */

#include "lib/debug/points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_processor_has_some(void **state)
{
    static const struct {
        struct point point;
        bool possible;
    } cases[] = {
        {{.kind = POINT_SOFTWARE, .length = 1, .address = 0x1001}, true},
        {{.kind = POINT_HARDWARE, .length = 1, .address = UINT64_MAX}, true},
        {{.kind = POINT_HARDWARE, .length = 2, .address = 0x1000}, false},
        {{.kind = POINT_SOFTWARE, .length = 0, .address = 0x1000}, false},
        {{.kind = POINT_WRITE, .length = 1, .address = 0x1001}, true},
        {{.kind = POINT_WRITE, .length = 2, .address = 0x1002}, true},
        {{.kind = POINT_WRITE, .length = 2, .address = 0x1001}, false},
        {{.kind = POINT_WRITE, .length = 3, .address = 0x1000}, false},
        {{.kind = POINT_ACCESS, .length = 8, .address = 0x1008}, true},
        {{.kind = POINT_ACCESS, .length = 8, .address = 0x1004}, false},
        {{.kind = POINT_ACCESS, .length = 16, .address = 0x1000}, false},
        {{.kind = POINT_READ, .length = 4, .address = 0x1000}, false},
        {{.kind = POINT_KIND_COUNT, .length = 1, .address = 0x1000}, false},
        {{.kind = 255, .length = 1, .address = 0x1000}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (point_is_possible(&cases[i].point) != cases[i].possible)
            fail_msg("case %zu", i);
    }
}

static void four_fit_and_the_same_counts_once(void **state)
{
    struct points points = {.slots = {{.used = false}}};
    struct point point = {.kind = POINT_HARDWARE, .length = 1};

    (void)state;
    for (point.address = 0; point.address < 4; point.address++) {
        assert_true(points_add(&points, &point));
        assert_true(points_add(&points, &point));
    }
    assert_false(points_add(&points, &point));
    point.address = 3;
    assert_true(points_add(&points, &point));
    point.kind = POINT_SOFTWARE; /* another, at the same place */
    assert_false(points_add(&points, &point));
    points_remove(&points, &point); /* which is not there */
    assert_false(points_add(&points, &point));
    point = (struct point){.kind = POINT_HARDWARE, .length = 1, .address = 1};
    points_remove(&points, &point);
    points_remove(&points, &point);
    point.address = 9;
    assert_true(points_add(&points, &point));
    assert_int_equal(points.slots[1].address, 9);
}

static void slots_are_breakpoints_of_their_kind(void **state)
{
    const struct points points = {.slots = {{true, POINT_SOFTWARE, 1, 0x1000},
                                            {true, POINT_WRITE, 8, 0x2000},
                                            {false, 0, 0, 0},
                                            {true, POINT_ACCESS, 2, 0x3000}}};
    struct vmr_debug_state debug = {.single_step = true, .breakpoints[2] = {.enabled = true}};

    (void)state;
    points_to_state(&points, &debug);
    assert_true(debug.single_step);
    assert_false(debug.breakpoints[2].enabled);
    assert_true(debug.breakpoints[0].enabled && debug.breakpoints[1].enabled && debug.breakpoints[3].enabled);
    assert_int_equal(debug.breakpoints[0].kind, VMR_BREAK_EXECUTE);
    assert_int_equal(debug.breakpoints[1].kind, VMR_BREAK_WRITE);
    assert_int_equal(debug.breakpoints[1].length, 8);
    assert_int_equal(debug.breakpoints[1].address, 0x2000);
    assert_int_equal(debug.breakpoints[3].kind, VMR_BREAK_ACCESS);
    assert_int_equal(debug.breakpoints[3].length, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_processor_has_some),
        cmocka_unit_test(four_fit_and_the_same_counts_once),
        cmocka_unit_test(slots_are_breakpoints_of_their_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
