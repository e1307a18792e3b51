/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores are little endian, at any address, and touch no byte beside.
 */

#include "lib/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* At odd addresses, which a cast to a wider type would not survive everywhere. */
static const uint8_t pattern[9] = {0, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};

static void loads_are_little_endian(void **state)
{
    (void)state;
    assert_int_equal(load_le16(pattern + 1), 0x8201);
    assert_true(load_le32(pattern + 1) == UINT32_C(0x84038201));
    assert_true(load_le64(pattern + 1) == UINT64_C(0x8807860584038201));
}

static void stores_are_the_inverse_and_no_more(void **state)
{
    (void)state;
    uint8_t bytes[10];

    for (unsigned length = 2; length <= 8; length *= 2) {
        memset(bytes, 0xee, sizeof(bytes));
        if (length == 2)
            store_le16(bytes + 1, 0x8201);
        else if (length == 4)
            store_le32(bytes + 1, UINT32_C(0x84038201));
        else
            store_le64(bytes + 1, UINT64_C(0x8807860584038201));
        assert_memory_equal(bytes + 1, pattern + 1, length);
        assert_int_equal(bytes[0], 0xee);
        assert_int_equal(bytes[length + 1], 0xee);
    }
}

static void lengths_known_at_run_time_work_alike(void **state)
{
    (void)state;
    for (unsigned length = 1; length <= 8; length++) {
        uint8_t bytes[10];
        uint64_t value = load_le(pattern + 1, length);

        assert_true(value == (UINT64_C(0x8807860584038201) & (UINT64_MAX >> (64 - 8 * length))));
        memset(bytes, 0xee, sizeof(bytes));
        store_le(bytes + 1, length, UINT64_C(0x8807860584038201));
        assert_memory_equal(bytes + 1, pattern + 1, length);
        assert_int_equal(bytes[length + 1], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_are_little_endian),
        cmocka_unit_test(stores_are_the_inverse_and_no_more),
        cmocka_unit_test(lengths_known_at_run_time_work_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
