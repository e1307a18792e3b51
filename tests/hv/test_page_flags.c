/* SPDX-License-Identifier: MIT */
/* Words of flags by page, against an array that holds them all. */

#include "lib/hv/page_flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/counting_host.h"

static const uint64_t pages[] = {
    0, 1, 1023, 1024, UINT64_C(1) << 20, (UINT64_C(1) << 30) - 1, UINT64_C(1) << 30, PAGE_FLAGS_PAGE_END - 1};
#define COUNT (sizeof(pages) / sizeof(pages[0]))

static void what_is_set_is_got_and_found_in_order(void **state)
{
    struct page_flags flags = {0};
    uint64_t at = 0;

    (void)state;
    assert_int_equal(page_flags_get(&flags, 5), 0);
    assert_false(page_flags_next(&flags, &at, PAGE_FLAGS_PAGE_END));
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(page_flags_reserve(&flags, pages[i]));
        page_flags_set(&flags, pages[i], (uint32_t)i + 1);
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(page_flags_get(&flags, pages[i]), i + 1);
    assert_int_equal(page_flags_get(&flags, 2), 0);
    assert_int_equal(page_flags_get(&flags, PAGE_FLAGS_PAGE_END - 2), 0);
    for (size_t i = 0; i < COUNT; i++, at++) {
        assert_true(page_flags_next(&flags, &at, PAGE_FLAGS_PAGE_END));
        assert_int_equal(at, pages[i]);
    }
    assert_false(page_flags_next(&flags, &at, PAGE_FLAGS_PAGE_END));
    page_flags_finish(&flags);
    assert_int_equal(page_flags_get(&flags, 1), 0);
}

static void a_search_ends_where_it_is_told(void **state)
{
    struct page_flags flags = {0};
    uint64_t at = 7;

    (void)state;
    assert_true(page_flags_reserve(&flags, 1024));
    page_flags_set(&flags, 1024, 1);
    assert_false(page_flags_next(&flags, &at, 1024));
    assert_true(page_flags_next(&flags, &at, 1025));
    assert_int_equal(at, 1024);
    page_flags_set(&flags, 1024, 0);
    assert_false(page_flags_next(&flags, &at, 1025));
    page_flags_finish(&flags);
}

/* A page without room reads zero, and setting it does nothing. */
static void without_memory_there_is_no_room(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 4; nth++) {
        struct page_flags flags = {0};

        fail_allocation(nth);
        assert_false(page_flags_reserve(&flags, 77));
        fail_allocation(0);
        page_flags_set(&flags, 77, 1);
        assert_int_equal(page_flags_get(&flags, 77), 0);
        assert_true(page_flags_reserve(&flags, 77));
        page_flags_finish(&flags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_got_and_found_in_order),
        cmocka_unit_test(a_search_ends_where_it_is_told),
        cmocka_unit_test(without_memory_there_is_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
