/* SPDX-License-Identifier: MIT */
/* Which pages were touched: written, read, written with zeros, given back. */

#define _GNU_SOURCE /* madvise */

#include "lib/base/os_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PAGE 4096u
#define PAGES 1030u /* more than are asked for at once */

static void pages_are_touched_by_writing_and_given_back(void **state)
{
    static const unsigned written[] = {0, 3, 511, 512, 1029};
    static bool touched[PAGES];
    uint8_t *bytes = os_memory_map((size_t)PAGES * PAGE);
    unsigned count = 0;

    (void)state;
    assert_non_null(bytes);
    (void)madvise(bytes, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE); /* or its neighbours come with a page */
    memset(touched, true, sizeof(touched));
    assert_true(os_memory_touched(bytes, PAGES, touched));
    for (unsigned i = 0; i < PAGES; i++)
        assert_false(touched[i]);
    for (unsigned i = 0; i < sizeof(written) / sizeof(written[0]); i++)
        memset(bytes + (size_t)written[i] * PAGE, (int)i, PAGE); /* one of them with zeros */
    assert_true(os_memory_touched(bytes, PAGES, touched));
    for (unsigned i = 0; i < PAGES; i++)
        count += touched[i];
    for (unsigned i = 0; i < sizeof(written) / sizeof(written[0]); i++)
        assert_true(touched[written[i]]);
    assert_int_equal(count, sizeof(written) / sizeof(written[0]));
    assert_int_equal(madvise(bytes + 512 * PAGE, PAGE, MADV_DONTNEED), 0);
    assert_true(os_memory_touched(bytes + 511 * PAGE, 3, touched));
    assert_true(touched[0]);
    assert_false(touched[1] || touched[2]);
    os_memory_unmap(bytes, (size_t)PAGES * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_are_touched_by_writing_and_given_back)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
