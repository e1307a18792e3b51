/* SPDX-License-Identifier: MIT */
/*
 * AML in bytes, as compilers write it.
 */

#include "lib/tables/aml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define IS(writer, ...)                                                                                                \
    do {                                                                                                               \
        static const uint8_t expected[] = {__VA_ARGS__};                                                               \
                                                                                                                       \
        assert_true(writer_ok(writer));                                                                                \
        assert_int_equal((writer)->length, sizeof(expected));                                                          \
        assert_memory_equal((writer)->bytes, expected, sizeof(expected));                                              \
        writer_clear(writer);                                                                                          \
    } while (0)

static int set_up(void **state)
{
    static struct writer writer;

    writer_init(&writer, 1u << 29);
    *state = &writer;
    return 0;
}

static int tear_down(void **state)
{
    writer_finish(*state);
    return 0;
}

static void integers_take_as_few_bytes_as_they_can(void **state)
{
    struct writer *writer = *state;

    aml_integer(writer, 0);
    aml_integer(writer, 1);
    aml_integer(writer, 2);
    aml_integer(writer, 0xff);
    aml_integer(writer, 0x100);
    aml_integer(writer, 0x10000);
    aml_integer(writer, UINT64_C(0x100000000));
    aml_integer(writer, UINT64_MAX);
    IS(writer, 0x00, 0x01, 0x0a, 2, 0x0a, 0xff, 0x0b, 0, 1, 0x0c, 0, 0, 1, 0, 0x0e, 0, 0, 0, 0, 1, 0, 0, 0, 0xff);
}

static void names_are_four_bytes_and_paths_say_how_many(void **state)
{
    struct writer *writer = *state;

    aml_path(writer, "A");
    IS(writer, 'A', '_', '_', '_');
    aml_path(writer, "\\_SB");
    IS(writer, '\\', '_', 'S', 'B', '_');
    aml_path(writer, "\\_SB.PC00");
    IS(writer, '\\', 0x2e, '_', 'S', 'B', '_', 'P', 'C', '0', '0');
    aml_path(writer, "A.B.CCCC");
    IS(writer, 0x2f, 3, 'A', '_', '_', '_', 'B', '_', '_', '_', 'C', 'C', 'C', 'C');
}

static void what_is_no_name_fails(void **state)
{
    static const char *const names[] = {"", "ABCDE", "A..B", "A.", "."};
    struct writer *writer = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        aml_path(writer, names[i]);
        assert_false(writer_ok(writer));
        writer_clear(writer);
    }
}

static void lengths_count_themselves(void **state)
{
    static const struct {
        size_t content, length_bytes;
        uint8_t first, second, third, fourth;
    } cases[] = {
        {0, 1, 0x01, 0, 0, 0},          {62, 1, 0x3f, 0, 0, 0},         {63, 2, 0x41, 0x04, 0, 0},
        {4093, 2, 0x4f, 0xff, 0, 0},    {4094, 3, 0x81, 0x00, 0x01, 0}, {1048572, 3, 0x8f, 0xff, 0xff, 0},
        {1048573, 4, 0xc1, 0, 0, 0x01},
    };
    struct writer *writer = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t mark = aml_if(writer);

        for (size_t j = 0; j < cases[i].content; j++)
            aml_op(writer, 0xee);
        aml_close(writer, mark);
        assert_int_equal(writer->length, 1 + cases[i].length_bytes + cases[i].content);
        assert_int_equal(writer->bytes[0], 0xa0);
        assert_int_equal(writer->bytes[1], cases[i].first);
        if (cases[i].length_bytes > 1)
            assert_int_equal(writer->bytes[2], cases[i].second);
        if (cases[i].length_bytes > 2)
            assert_int_equal(writer->bytes[3], cases[i].third);
        if (cases[i].length_bytes > 3)
            assert_int_equal(writer->bytes[4], cases[i].fourth);
        writer_clear(writer);
    }
}

static void a_length_that_is_too_long_fails(void **state)
{
    static const uint8_t block[4096];
    struct writer *writer = *state;
    size_t mark = aml_if(writer);

    for (size_t i = 0; i < 0x10000000 / sizeof(block); i++)
        writer_copy(writer, block, sizeof(block));
    assert_true(writer_ok(writer));
    aml_close(writer, mark);
    assert_false(writer_ok(writer));
    writer_clear(writer);
}

static void objects_nest(void **state)
{
    struct writer *writer = *state;
    size_t scope = aml_scope(writer, "_SB"), device = aml_device(writer, "DEV0"), package;

    aml_name_integer(writer, "_UID", 5);
    aml_name(writer, "_S5");
    package = aml_package(writer, 2);
    aml_integer(writer, 0);
    aml_integer(writer, 7);
    aml_close(writer, package);
    aml_close(writer, device);
    aml_close(writer, scope);
    IS(writer, 0x10, 0x1e, '_', 'S', 'B', '_', 0x5b, 0x82, 0x17, 'D', 'E', 'V', '0', 0x08, '_', 'U', 'I', 'D', 0x0a, 5,
       0x08, '_', 'S', '5', '_', 0x12, 0x05, 2, 0, 0x0a, 7);
}

static void methods_say_how_many_arguments_they_have(void **state)
{
    struct writer *writer = *state;
    size_t method = aml_method(writer, "_OSC", 4), otherwise;

    aml_op(writer, AML_RETURN);
    aml_op(writer, AML_ARG0 + 3);
    otherwise = aml_else(writer);
    aml_close(writer, otherwise);
    aml_close(writer, method);
    IS(writer, 0x14, 0x0a, '_', 'O', 'S', 'C', 0x0c, 0xa4, 0x6b, 0xa1, 0x01);
}

static void strings_ids_and_buffers(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct writer *writer = *state;

    aml_string(writer, "ab");
    IS(writer, 0x0d, 'a', 'b', 0);
    aml_eisa_id(writer, "PNP0A08");
    IS(writer, 0x0c, 0x41, 0xd0, 0x0a, 0x08);
    aml_buffer(writer, bytes, sizeof(bytes));
    IS(writer, 0x11, 0x06, 0x0a, 0x03, 1, 2, 3);
    aml_uuid(writer, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    IS(writer, 0x11, 0x13, 0x0a, 0x10, 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40, 0x96, 0x57, 0x74, 0x41, 0xc0,
       0x3d, 0xd7, 0x66);
}

static void ids_that_are_none_fail(void **state)
{
    static const char *const ids[] = {"PNP0A0", "PNP0A088", "pnp0A08", "PNP0G08"};
    static const char *const uuids[] = {"", "33db4d5b", "33db4d5b-1ff7-401c-9657-7441c03dd7zz",
                                        "33db4d5b-1ff7-401c-9657-7441c03dd76600"};
    struct writer *writer = *state;

    for (size_t i = 0; i < 4; i++) {
        aml_eisa_id(writer, ids[i]);
        assert_false(writer_ok(writer));
        writer_clear(writer);
        aml_uuid(writer, uuids[i]);
        assert_false(writer_ok(writer));
        writer_clear(writer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_as_few_bytes_as_they_can),
        cmocka_unit_test(names_are_four_bytes_and_paths_say_how_many),
        cmocka_unit_test(what_is_no_name_fails),
        cmocka_unit_test(lengths_count_themselves),
        cmocka_unit_test(a_length_that_is_too_long_fails),
        cmocka_unit_test(objects_nest),
        cmocka_unit_test(methods_say_how_many_arguments_they_have),
        cmocka_unit_test(strings_ids_and_buffers),
        cmocka_unit_test(ids_that_are_none_fail),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
