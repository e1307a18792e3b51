/* SPDX-License-Identifier: MIT */

/* Copies to and from shared memory: every alignment, every short length, and not one byte more. */

#include "lib/memory/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 64
#define GUARD 0xee

static void number_bytes(uint8_t *bytes)
{
    for (unsigned i = 0; i < ROOM; i++)
        bytes[i] = (uint8_t)(i + 1);
}

/* Runs `check` for each start of both sides within a word, and each length up to four words. */
static void for_each_shape(void (*check)(size_t shared_start, size_t private_start, size_t length))
{
    for (size_t shared_start = 0; shared_start < 9; shared_start++) {
        for (size_t private_start = 0; private_start < 9; private_start++) {
            for (size_t length = 0; length <= 33; length++)
                check(shared_start, private_start, length);
        }
    }
}

static void check_from(size_t shared_start, size_t private_start, size_t length)
{
    uint64_t shared[ROOM / 8];
    uint8_t private_bytes[ROOM], want[ROOM];

    number_bytes((uint8_t *)shared);
    memset(private_bytes, GUARD, ROOM);
    memset(want, GUARD, ROOM);
    memcpy(want + private_start, (uint8_t *)shared + shared_start, length);
    copy_from_shared(private_bytes + private_start, (uint8_t *)shared + shared_start, length);
    assert_memory_equal(private_bytes, want, ROOM);
}

static void check_to(size_t shared_start, size_t private_start, size_t length)
{
    uint64_t shared[ROOM / 8];
    uint8_t private_bytes[ROOM], want[ROOM];

    number_bytes(private_bytes);
    memset(shared, GUARD, ROOM);
    memset(want, GUARD, ROOM);
    memcpy(want + shared_start, private_bytes + private_start, length);
    copy_to_shared((uint8_t *)shared + shared_start, private_bytes + private_start, length);
    assert_memory_equal(shared, want, ROOM);
}

static void check_fill(size_t shared_start, size_t value, size_t length)
{
    uint64_t shared[ROOM / 8];
    uint8_t want[ROOM];

    memset(shared, GUARD, ROOM);
    memset(want, GUARD, ROOM);
    memset(want + shared_start, (int)value, length);
    copy_fill_shared((uint8_t *)shared + shared_start, (uint8_t)value, length);
    assert_memory_equal(shared, want, ROOM);
}

static void copying_from_moves_exactly_the_bytes(void **state)
{
    (void)state;
    for_each_shape(check_from);
}

static void copying_to_moves_exactly_the_bytes(void **state)
{
    (void)state;
    for_each_shape(check_to);
}

static void filling_sets_exactly_the_bytes(void **state)
{
    (void)state;
    for_each_shape(check_fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copying_from_moves_exactly_the_bytes),
        cmocka_unit_test(copying_to_moves_exactly_the_bytes),
        cmocka_unit_test(filling_sets_exactly_the_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
