/* SPDX-License-Identifier: MIT */
/*
 * Ranges over ranges, by cases and against a map of single bytes.
 */

#include "lib/tables/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void neighbours_of_a_type_become_one(void **state)
{
    struct arena arena = {0};
    struct range_list list = ranges_create(&arena, 3);

    (void)state;
    ranges_append(&list, (struct vmr_gpa_range){0, 4}, 1);
    ranges_append(&list, (struct vmr_gpa_range){4, 6}, 1);
    ranges_append(&list, (struct vmr_gpa_range){6, 6}, 2);
    ranges_append(&list, (struct vmr_gpa_range){6, 7}, 2);
    ranges_append(&list, (struct vmr_gpa_range){8, 9}, 2);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].range.end, 6);
    ranges_append(&list, (struct vmr_gpa_range){10, 11}, 2);
    assert_true(list.failed);
    arena_finish(&arena);
}

#define BYTES 64u

/* A list of disjoint ranges, and the same as bytes. */
static struct range_list draw(struct arena *arena, uint8_t *map, uint32_t type)
{
    struct range_list list = ranges_create(arena, BYTES);
    vmr_gpa at = 0;

    while (at < BYTES) {
        vmr_gpa start = at + (unsigned)rand() % 12, end = start + (unsigned)rand() % 12;

        if (end > BYTES)
            break;
        ranges_add(&list, (struct vmr_gpa_range){start, end}, type + (unsigned)rand() % 2);
        if (end > start)
            memset(map + start, (int)list.items[list.count - 1].type, end - start);
        at = end;
    }
    return list;
}

static void the_upper_ranges_cover_the_lower(void **state)
{
    (void)state;
    srand(1);
    for (unsigned round = 0; round < 5000; round++) {
        uint8_t map[BYTES] = {0}, got[BYTES] = {0};
        struct arena arena = {0};
        struct range_list below = draw(&arena, map, 1), above = draw(&arena, map, 3);
        struct range_list out = ranges_overlay(&arena, &below, &above);

        assert_false(out.failed);
        for (size_t i = 0; i < out.count; i++) {
            const struct vmr_gpa_range *range = &out.items[i].range;

            assert_true(range->start < range->end);
            assert_true(i == 0 || range->start >= out.items[i - 1].range.end);
            memset(got + range->start, (int)out.items[i].type, range->end - range->start);
        }
        assert_memory_equal(got, map, BYTES);
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_of_a_type_become_one),
        cmocka_unit_test(the_upper_ranges_cover_the_lower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
