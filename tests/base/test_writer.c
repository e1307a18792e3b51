/* SPDX-License-Identifier: MIT */
/*
 * The growing buffer: what is written is what a reader finds, up to the limit and not
 * a byte further.
 */

#include "lib/base/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/reader.h"

static void every_field_is_read_back(void **state)
{
    static const uint64_t numbers[] = {0, 1, 0x7f, 0x80, 0x3fff, 0x4000, UINT32_MAX, UINT64_MAX};
    static const int64_t integers[] = {0, -1, 1, -64, 64, INT64_MAX, INT64_MIN};
    struct writer writer;
    struct reader reader;

    (void)state;
    writer_init(&writer, 4096);
    writer_u8(&writer, 0x81);
    writer_le16(&writer, 0x8182);
    writer_le32(&writer, 0x81828384);
    writer_le64(&writer, UINT64_C(0x8182838485868788));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        writer_varint(&writer, numbers[i]);
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
        writer_svarint(&writer, integers[i]);
    assert_true(writer_ok(&writer));
    reader_init(&reader, writer.bytes, writer.length);
    assert_int_equal(reader_u8(&reader), 0x81);
    assert_int_equal(reader_le16(&reader), 0x8182);
    assert_true(reader_le32(&reader) == 0x81828384);
    assert_true(reader_le64(&reader) == UINT64_C(0x8182838485868788));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_true(reader_varint(&reader) == numbers[i]);
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
        assert_true(reader_svarint(&reader) == integers[i]);
    assert_true(reader_ok(&reader));
    assert_int_equal(reader_left(&reader), 0);
    writer_finish(&writer);
}

static void small_integers_of_either_sign_take_one_byte(void **state)
{
    (void)state;
    struct writer writer;

    writer_init(&writer, 64);
    writer_svarint(&writer, -64);
    writer_svarint(&writer, 63);
    assert_int_equal(writer.length, 2);
    writer_finish(&writer);
}

static void the_limit_is_reached_and_not_passed(void **state)
{
    (void)state;
    struct writer writer;

    writer_init(&writer, 3);
    writer_le16(&writer, 1);
    writer_u8(&writer, 1);
    assert_true(writer_ok(&writer));
    writer_u8(&writer, 1);
    assert_false(writer_ok(&writer));
    assert_int_equal(writer.length, 3);
    writer_finish(&writer);
}

static void a_field_that_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    struct writer writer;

    writer_init(&writer, 3);
    writer_le32(&writer, 0);
    assert_int_equal(writer.length, 0);
    writer_u8(&writer, 1);
    assert_int_equal(writer.length, 0); /* a failure lasts */
    writer_copy(&writer, &writer, SIZE_MAX);
    assert_false(writer_ok(&writer));
    writer_finish(&writer);
}

static void an_encoder_can_refuse(void **state)
{
    (void)state;
    struct writer writer;

    writer_init(&writer, 8);
    writer_fail(&writer);
    writer_u8(&writer, 1);
    assert_false(writer_ok(&writer));
    assert_int_equal(writer.length, 0);
    writer_finish(&writer);
}

static void clearing_forgets_content_and_failure(void **state)
{
    (void)state;
    struct writer writer;

    writer_init(&writer, 1);
    writer_u8(&writer, 1);
    writer_u8(&writer, 2);
    assert_false(writer_ok(&writer));
    writer_clear(&writer);
    writer_u8(&writer, 3);
    assert_true(writer_ok(&writer));
    assert_int_equal(writer.length, 1);
    assert_int_equal(writer.bytes[0], 3);
    writer_finish(&writer);
}

static void growing_keeps_what_is_there(void **state)
{
    (void)state;
    struct writer writer;

    writer_init(&writer, 100000);
    for (unsigned i = 0; i < 100000; i++)
        writer_u8(&writer, (uint8_t)(i * 7));
    assert_true(writer_ok(&writer));
    assert_int_equal(writer.length, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(writer.bytes[i], (uint8_t)(i * 7));
    writer_finish(&writer);
}

static void finishing_a_zeroed_writer_is_fine(void **state)
{
    (void)state;
    struct writer writer = {0};

    writer_finish(&writer);
    writer_finish(&writer);
    assert_null(writer.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read_back),
        cmocka_unit_test(small_integers_of_either_sign_take_one_byte),
        cmocka_unit_test(the_limit_is_reached_and_not_passed),
        cmocka_unit_test(a_field_that_does_not_fit_is_not_begun),
        cmocka_unit_test(an_encoder_can_refuse),
        cmocka_unit_test(clearing_forgets_content_and_failure),
        cmocka_unit_test(growing_keeps_what_is_there),
        cmocka_unit_test(finishing_a_zeroed_writer_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
