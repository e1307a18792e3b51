/* SPDX-License-Identifier: MIT */
/*
 * Members by offset: each width reads and writes its own bytes alone.
 */

#include "lib/base/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct sample {
    uint8_t byte;
    uint16_t half;
    bool flag;
    uint32_t word;
    uint64_t whole;
};

static const struct {
    size_t offset;
    unsigned width;
} members[] = {
    {offsetof(struct sample, byte), 1},
    {offsetof(struct sample, half), 2},
    {offsetof(struct sample, word), 4},
    {offsetof(struct sample, whole), 8},
};

static void members_are_read_at_their_width(void **state)
{
    (void)state;
    struct sample sample = {0x81, 0x8182, true, 0x81828384, UINT64_C(0x8182838485868788)};

    assert_true(field_get(&sample, offsetof(struct sample, byte), 1) == 0x81);
    assert_true(field_get(&sample, offsetof(struct sample, half), 2) == 0x8182);
    assert_true(field_get(&sample, offsetof(struct sample, flag), 1) == 1);
    assert_true(field_get(&sample, offsetof(struct sample, word), 4) == 0x81828384);
    assert_true(field_get(&sample, offsetof(struct sample, whole), 8) == UINT64_C(0x8182838485868788));
}

static void a_member_takes_its_largest_value_and_no_larger(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct sample sample = {0};
        uint64_t max = UINT64_MAX >> (64 - 8 * members[i].width);

        assert_true(field_set(&sample, members[i].offset, members[i].width, max));
        for (size_t j = 0; j < sizeof(members) / sizeof(members[0]); j++)
            assert_true(field_get(&sample, members[j].offset, members[j].width) == (i == j ? max : 0));
        if (members[i].width == 8)
            continue;
        assert_false(field_set(&sample, members[i].offset, members[i].width, max + 1));
        assert_true(field_get(&sample, members[i].offset, members[i].width) == max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_at_their_width),
        cmocka_unit_test(a_member_takes_its_largest_value_and_no_larger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
