/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic at its edges: where a sum wraps, where a range ends.
 */

#include "lib/base/checked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sums_and_products_fit_or_say_so(void **state)
{
    (void)state;
    uint64_t result = 0;

    assert_true(checked_add_u64(UINT64_MAX - 1, 1, &result));
    assert_true(result == UINT64_MAX);
    assert_false(checked_add_u64(UINT64_MAX, 1, &result));
    assert_true(checked_mul_u64(UINT64_C(1) << 32, UINT64_C(0xffffffff), &result));
    assert_true(result == UINT64_C(0xffffffff00000000));
    assert_false(checked_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &result));
}

static void ranges_contain_what_lies_inside(void **state)
{
    static const struct {
        const char *name;
        uint64_t base, size, start, length;
        bool inside;
    } cases[] = {
        {"whole", 0x1000, 0x1000, 0x1000, 0x1000, true},
        {"last byte", 0x1000, 0x1000, 0x1fff, 1, true},
        {"one byte too long", 0x1000, 0x1000, 0x1fff, 2, false},
        {"one byte before", 0x1000, 0x1000, 0xfff, 1, false},
        {"empty at the end", 0x1000, 0x1000, 0x2000, 0, true},
        {"empty past the end", 0x1000, 0x1000, 0x2001, 0, false},
        {"length wraps", 0, 0x1000, 8, UINT64_MAX, false},
        {"start and length wrap to the base", 0x1000, 0x1000, 0x1800, UINT64_MAX - 0x17ff, false},
        {"up to the top", UINT64_MAX - 0xfff, 0x1000, UINT64_MAX, 1, true},
        {"empty range", 5, 0, 5, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (range_contains(cases[i].base, cases[i].size, cases[i].start, cases[i].length) != cases[i].inside)
            fail_msg("%s", cases[i].name);
    }
}

static void ranges_overlap_when_they_share_a_byte(void **state)
{
    static const struct {
        const char *name;
        uint64_t a, a_length, b, b_length;
        bool overlaps;
    } cases[] = {
        {"same", 0x1000, 1, 0x1000, 1, true},
        {"neighbours", 0x1000, 0x1000, 0x2000, 0x1000, false},
        {"one shared byte", 0x1000, 0x1001, 0x2000, 0x1000, true},
        {"one inside the other", 0x1000, 0x1000, 0x1800, 1, true},
        {"up to the top", UINT64_MAX - 1, 1, UINT64_MAX, 1, false},
        {"the whole space", 0, UINT64_MAX, UINT64_MAX - 1, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (range_overlaps(cases[i].a, cases[i].a_length, cases[i].b, cases[i].b_length) != cases[i].overlaps ||
            range_overlaps(cases[i].b, cases[i].b_length, cases[i].a, cases[i].a_length) != cases[i].overlaps)
            fail_msg("%s", cases[i].name);
    }
}

static void alignment_is_exact(void **state)
{
    (void)state;
    assert_true(is_aligned(0, 4096));
    assert_true(is_aligned(UINT64_C(1) << 63, 4096));
    assert_false(is_aligned(4095, 4096));
    assert_false(is_aligned(4097, 4096));
    assert_true(is_aligned(4097, 1));
}

static void masks_have_eight_bits_a_byte(void **state)
{
    (void)state;
    assert_true(mask_of_bytes(1) == 0xff);
    assert_true(mask_of_bytes(4) == UINT32_MAX);
    assert_true(mask_of_bytes(7) == UINT64_MAX >> 8);
    assert_true(mask_of_bytes(8) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_fit_or_say_so),       cmocka_unit_test(ranges_contain_what_lies_inside),
        cmocka_unit_test(ranges_overlap_when_they_share_a_byte), cmocka_unit_test(alignment_is_exact),
        cmocka_unit_test(masks_have_eight_bits_a_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
