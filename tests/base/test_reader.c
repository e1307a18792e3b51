/* SPDX-License-Identifier: MIT */
/*
 * The cursor over hostile bytes: it reads what is there, fails once, stays failed,
 * and then gives zeros.
 */

#include "lib/base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void fields_come_in_order(void **state)
{
    (void)state;
    struct reader reader;

    reader_init(&reader, bytes, 15);
    assert_int_equal(reader_u8(&reader), 1);
    assert_int_equal(reader_le16(&reader), 0x0302);
    assert_true(reader_le32(&reader) == 0x07060504);
    assert_true(reader_le64(&reader) == UINT64_C(0x0f0e0d0c0b0a0908));
    assert_true(reader_ok(&reader));
    assert_int_equal(reader_left(&reader), 0);
}

static void one_byte_too_few_fails_each_width(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 8; width *= 2) {
        struct reader reader;

        reader_init(&reader, bytes, width - 1);
        if (width == 1)
            assert_int_equal(reader_u8(&reader), 0);
        else if (width == 2)
            assert_int_equal(reader_le16(&reader), 0);
        else if (width == 4)
            assert_true(reader_le32(&reader) == 0);
        else
            assert_true(reader_le64(&reader) == 0);
        assert_false(reader_ok(&reader));
    }
}

static void a_failure_lasts(void **state)
{
    (void)state;
    struct reader reader;
    uint8_t copy[2] = {9, 9};

    reader_init(&reader, bytes, sizeof(bytes));
    assert_null(reader_view(&reader, sizeof(bytes) + 1));
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_u8(&reader), 0);
    assert_true(reader_varint(&reader) == 0);
    assert_true(reader_svarint(&reader) == 0);
    assert_null(reader_view(&reader, 0));
    reader_copy(&reader, copy, sizeof(copy));
    assert_int_equal(copy[0] | copy[1], 0);
    assert_false(reader_ok(&reader));
}

static void a_length_that_wraps_fails(void **state)
{
    (void)state;
    struct reader reader;

    reader_init(&reader, bytes, sizeof(bytes));
    assert_non_null(reader_view(&reader, 4));
    assert_null(reader_view(&reader, SIZE_MAX - 2));
    assert_false(reader_ok(&reader));
}

static void a_decoder_can_refuse(void **state)
{
    (void)state;
    struct reader reader;

    reader_init(&reader, bytes, sizeof(bytes));
    reader_fail(&reader);
    assert_false(reader_ok(&reader));
    assert_int_equal(reader_u8(&reader), 0);
}

static void an_empty_input_without_address_is_read(void **state)
{
    (void)state;
    struct reader reader;

    reader_init(&reader, NULL, 0);
    reader_copy(&reader, NULL, 0);
    assert_non_null(reader_view(&reader, 0));
    assert_true(reader_ok(&reader));
    assert_int_equal(reader_u8(&reader), 0);
    assert_false(reader_ok(&reader));
}

static void varints_of_shortest_form_are_read(void **state)
{
    static const struct {
        uint8_t bytes[10];
        size_t length;
        uint64_t value;
    } cases[] = {
        {{0}, 1, 0},
        {{0x7f}, 1, 0x7f},
        {{0x80, 1}, 2, 0x80},
        {{0xff, 0x7f}, 2, 0x3fff},
        {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, UINT32_MAX},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, 10, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reader reader;

        reader_init(&reader, cases[i].bytes, cases[i].length);
        assert_true(reader_varint(&reader) == cases[i].value);
        assert_true(reader_ok(&reader));
        assert_int_equal(reader_left(&reader), 0);
    }
}

static void varints_of_any_other_form_are_refused(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[11];
        size_t length;
    } cases[] = {
        {"cut", {0x80}, 1},
        {"zero in two bytes", {0x80, 0}, 2},
        {"a longer form", {0xff, 0x80, 0}, 3},
        {"65 bits", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, 10},
        {"eleven bytes", {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 1}, 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reader reader;

        reader_init(&reader, cases[i].bytes, cases[i].length);
        if (reader_varint(&reader) != 0 || reader_ok(&reader))
            fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_order),
        cmocka_unit_test(one_byte_too_few_fails_each_width),
        cmocka_unit_test(a_failure_lasts),
        cmocka_unit_test(a_length_that_wraps_fails),
        cmocka_unit_test(a_decoder_can_refuse),
        cmocka_unit_test(an_empty_input_without_address_is_read),
        cmocka_unit_test(varints_of_shortest_form_are_read),
        cmocka_unit_test(varints_of_any_other_form_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
