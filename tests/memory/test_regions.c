/* SPDX-License-Identifier: MIT */

/* The sorted table by itself: lookups at every boundary, overlaps, slots. */

#include "lib/memory/regions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void add(struct regions *regions, vmr_gpa gpa, uint64_t size)
{
    struct region region = {.gpa = gpa, .size = size, .slot = regions_free_slot(regions)};

    assert_true(regions_reserve(regions));
    regions_add(regions, &region);
}

/* [0x1000, 0x3000) and [0x3000, 0x4000) touch; [0x8000, 0x9000) stands alone. Added out of order. */
static void add_three(struct regions *regions)
{
    add(regions, 0x8000, 0x1000);
    add(regions, 0x1000, 0x2000);
    add(regions, 0x3000, 0x1000);
}

static const struct {
    const char *name;
    vmr_gpa gpa;
    size_t found, starts;
} finds[] = {
    {"below all", 0xfff, REGIONS_NONE, REGIONS_NONE},
    {"zero", 0, REGIONS_NONE, REGIONS_NONE},
    {"first byte of the first", 0x1000, 0, 0},
    {"inside the first", 0x2000, 0, REGIONS_NONE},
    {"last byte of the first", 0x2fff, 0, REGIONS_NONE},
    {"first byte of its neighbour", 0x3000, 1, 1},
    {"first byte after", 0x4000, REGIONS_NONE, REGIONS_NONE},
    {"last byte of the last", 0x8fff, 2, REGIONS_NONE},
    {"above all", 0x9000, REGIONS_NONE, REGIONS_NONE},
    {"the last address", UINT64_MAX, REGIONS_NONE, REGIONS_NONE},
};

static void addresses_are_found_up_to_the_last_byte(void **state)
{
    (void)state;
    struct regions regions = {0};

    assert_int_equal(regions_find(&regions, 0), REGIONS_NONE);
    add_three(&regions);
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        if (regions_find(&regions, finds[i].gpa) != finds[i].found ||
            regions_find_start(&regions, finds[i].gpa) != finds[i].starts)
            fail_msg("%s", finds[i].name);
    }
    regions_finish(&regions);
}

static const struct {
    const char *name;
    vmr_gpa gpa;
    uint64_t size;
    size_t other;
} overlaps[] = {
    {"ends where the first begins", 0, 0x1000, REGIONS_NONE},
    {"one byte into the first", 0, 0x1001, 0},
    {"inside the first", 0x1800, 0x10, 0},
    {"around everything", 0, 0x100000, 0},
    {"the last byte of the second", 0x3fff, 1, 1},
    {"fills the hole", 0x4000, 0x4000, REGIONS_NONE},
    {"one byte more than the hole", 0x4000, 0x4001, 2},
    {"after the last", 0x9000, UINT64_MAX - 0x9000, REGIONS_NONE},
};

static void overlaps_name_the_first_in_the_way(void **state)
{
    (void)state;
    struct regions regions = {0};

    add_three(&regions);
    for (size_t i = 0; i < sizeof(overlaps) / sizeof(overlaps[0]); i++) {
        if (regions_find_overlap(&regions, overlaps[i].gpa, overlaps[i].size) != overlaps[i].other)
            fail_msg("%s", overlaps[i].name);
    }
    regions_finish(&regions);
}

static void the_lowest_slot_is_used_again(void **state)
{
    (void)state;
    struct regions regions = {0};

    for (unsigned i = 0; i < 130; i++)
        add(&regions, i * 0x1000ull, 0x1000);
    assert_int_equal(regions_free_slot(&regions), 130);
    regions_remove(&regions, regions_find(&regions, 100 * 0x1000));
    regions_remove(&regions, regions_find(&regions, 64 * 0x1000));
    assert_int_equal(regions_free_slot(&regions), 64);
    add(&regions, 0x1000000, 0x1000);
    assert_int_equal(regions.items[regions_find(&regions, 0x1000000)].slot, 64);
    assert_int_equal(regions_free_slot(&regions), 100);
    assert_int_equal(regions.count, 129);
    assert_int_equal(regions.bytes, 129 * 0x1000);
    regions_finish(&regions);
}

static void a_full_table_has_used_every_slot_once(void **state)
{
    (void)state;
    struct regions regions = {0};

    for (uint32_t i = 0; i < VMR_MEMORY_REGION_MAX; i++) {
        assert_int_equal(regions_free_slot(&regions), i);
        add(&regions, i * 0x1000ull, 0x1000);
    }
    assert_int_equal(regions.count, VMR_MEMORY_REGION_MAX);
    assert_int_equal(regions_find(&regions, (VMR_MEMORY_REGION_MAX - 1) * 0x1000ull), VMR_MEMORY_REGION_MAX - 1);
    regions_finish(&regions);
    regions_finish(&regions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_found_up_to_the_last_byte),
        cmocka_unit_test(overlaps_name_the_first_in_the_way),
        cmocka_unit_test(the_lowest_slot_is_used_again),
        cmocka_unit_test(a_full_table_has_used_every_slot_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
