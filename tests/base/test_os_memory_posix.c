/* SPDX-License-Identifier: MIT */

/* Pages for guests: aligned, zeroed, and refused when there cannot be enough. */

#include "lib/base/os_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIZE ((size_t)64 * 4096)

static void pages_are_aligned_zeroed_and_writable(void **state)
{
    (void)state;
    uint8_t *bytes = os_memory_map(SIZE);

    assert_non_null(bytes);
    assert_int_equal((uintptr_t)bytes % 4096, 0);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], 0);
    memset(bytes, 0xa5, SIZE);
    os_memory_unmap(bytes, SIZE);
}

static void an_impossible_size_is_refused(void **state)
{
    (void)state;
    assert_null(os_memory_map(SIZE_MAX / 2 / 4096 * 4096));
}

static void unmapping_nothing_is_fine(void **state)
{
    (void)state;
    os_memory_unmap(NULL, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_aligned_zeroed_and_writable),
        cmocka_unit_test(an_impossible_size_is_refused),
        cmocka_unit_test(unmapping_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
