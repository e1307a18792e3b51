/* SPDX-License-Identifier: MIT */
/*
 * Exits to bytes and back: every sample survives, in the size that was promised, and
 * bytes that were not written by the encoder are refused or encode to themselves.
 */

#include "lib/exit/exit_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/exit/exit_text.h"
#include "tests/exit/exit_samples.h"

#define ENCODED_MAX 8192u

static void encode(const struct vmr_exit *vp_exit, enum exit_part part, struct writer *writer)
{
    writer_init(writer, ENCODED_MAX);
    exit_encode(writer, vp_exit, part);
    assert_true(writer_ok(writer));
}

static void assert_prints_as(const struct vmr_exit *vp_exit, enum exit_part part, const char *expected)
{
    char line[EXIT_TEXT_MAX];

    exit_text_print(vp_exit, part, line, sizeof(line));
    assert_string_equal(line, expected);
}

static void every_sample_survives(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX], decoded_storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit = sample_exit(i, storage), decoded = {.kind = VMR_EXIT_FAIL};
        struct writer writer;
        struct reader reader;

        encode(&vp_exit, EXIT_WHOLE, &writer);
        reader_init(&reader, writer.bytes, writer.length);
        memset(decoded_storage, 0xee, sizeof(decoded_storage));
        assert_true(exit_decode(&reader, &decoded, decoded_storage, EXIT_INPUTS));
        assert_prints_as(&decoded, EXIT_INPUTS, sample_inputs(i));
        assert_true(exit_decode(&reader, &decoded, decoded_storage, EXIT_ANSWER));
        assert_prints_as(&decoded, EXIT_WHOLE, samples[i].whole);
        assert_true(exit_answer_equal(&vp_exit, &decoded));
        assert_int_equal(reader_left(&reader), 0);
        writer_finish(&writer);
    }
}

static void an_answer_that_is_not_there_yet_is_zero(void **state)
{
    (void)state;
    uint8_t storage[VMR_STRING_IO_BYTES_MAX], decoded_storage[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 16, .string = true, .bytes = storage}};
    struct writer writer;
    struct reader reader;

    memset(storage, 0xaa, sizeof(storage));
    memset(decoded_storage, 0xee, sizeof(decoded_storage));
    encode(&vp_exit, EXIT_INPUTS, &writer);
    reader_init(&reader, writer.bytes, writer.length);
    assert_true(exit_decode(&reader, &vp_exit, decoded_storage, EXIT_INPUTS));
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(decoded_storage[i], 0);
    assert_int_equal(decoded_storage[16], 0xee);
    writer_finish(&writer);
}

static void common_exits_are_small(void **state)
{
    static const struct {
        const char *name;
        struct vmr_exit vp_exit;
        size_t inputs_max, answer_max;
    } cases[] = {
        {"halt", {.kind = VMR_EXIT_HALT}, 1, 0},
        {"port write",
         {.kind = VMR_EXIT_IO, .u.io = {.port = 0x402, .size = 1, .direction = 1, .count = 1, .value = 0xff}},
         4,
         0},
        {"port read", {.kind = VMR_EXIT_IO, .u.io = {.port = 0x71, .size = 1, .count = 1, .value = 0xff}}, 2, 1},
        {"port read on KVM",
         {.kind = VMR_EXIT_IO,
          .native_reason = 2,
          .interrupt_ready = true,
          .u.io = {.port = 0x71, .size = 1, .count = 1, .value = 0xff}},
         4,
         1},
        {"mmio read", {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0xfee00020, .size = 4}}, 6, 1},
        {"odd mmio", {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 1, .size = 3}}, 3, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct writer inputs, answer;

        encode(&cases[i].vp_exit, EXIT_INPUTS, &inputs);
        encode(&cases[i].vp_exit, EXIT_ANSWER, &answer);
        if (inputs.length > cases[i].inputs_max || answer.length > cases[i].answer_max)
            fail_msg("%s: %zu and %zu bytes", cases[i].name, inputs.length, answer.length);
        writer_finish(&inputs);
        writer_finish(&answer);
    }
}

static void an_invalid_exit_is_not_encoded(void **state)
{
    (void)state;
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_IO, .u.io = {.size = 3, .count = 1}};
    struct writer writer;

    writer_init(&writer, ENCODED_MAX);
    exit_encode(&writer, &vp_exit, EXIT_INPUTS);
    assert_false(writer_ok(&writer));
    assert_int_equal(writer.length, 0);
    writer_finish(&writer);
}

/* Decodes one half; what is accepted must be valid and encode to the bytes that were read. */
static bool half_is_sound(struct reader *reader, struct vmr_exit *vp_exit, uint8_t *storage, enum exit_part part)
{
    size_t start = reader->position;
    char before[EXIT_TEXT_MAX], after[EXIT_TEXT_MAX];
    struct writer writer;

    vmr_exit_print(vp_exit, before, sizeof(before));
    if (!exit_decode(reader, vp_exit, storage, part)) {
        assert_false(reader_ok(reader));
        vmr_exit_print(vp_exit, after, sizeof(after));
        assert_string_equal(after, before); /* untouched */
        return false;
    }
    assert_true(vmr_exit_is_valid(vp_exit));
    encode(vp_exit, part, &writer);
    assert_int_equal(writer.length, reader->position - start);
    if (writer.length > 0)
        assert_memory_equal(writer.bytes, reader->bytes + start, writer.length);
    writer_finish(&writer);
    return true;
}

static bool decode_is_sound(const uint8_t *bytes, size_t length)
{
    uint8_t storage[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_EOI, .u.eoi.vector = 7};
    struct reader reader;

    reader_init(&reader, bytes, length);
    return half_is_sound(&reader, &vp_exit, storage, EXIT_INPUTS) &&
           half_is_sound(&reader, &vp_exit, storage, EXIT_ANSWER);
}

static void every_change_of_one_byte_is_refused_or_sound(void **state)
{
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit = sample_exit(i, storage);
        struct writer writer;

        encode(&vp_exit, EXIT_WHOLE, &writer);
        for (size_t at = 0; at < writer.length * 256; at++) {
            uint8_t original = writer.bytes[at / 256];

            writer.bytes[at / 256] = (uint8_t)at;
            refused += !decode_is_sound(writer.bytes, writer.length);
            writer.bytes[at / 256] = original;
        }
        writer_finish(&writer);
    }
    assert_true(refused > 1000); /* the checks are there at all */
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit = sample_exit(i, storage);
        struct writer writer;

        encode(&vp_exit, EXIT_WHOLE, &writer);
        for (size_t length = 0; length < writer.length; length++) {
            if (decode_is_sound(writer.bytes, length))
                fail_msg("%s cut to %zu", samples[i].name, length);
        }
        writer_finish(&writer);
    }
}

static void every_short_input_is_refused_or_sound(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const uint8_t bytes[8] = {(uint8_t)first, (uint8_t)second, 1, 2, 0x81, 1, 0, 0};

            (void)decode_is_sound(bytes, sizeof(bytes));
        }
    }
}

static void a_count_beyond_the_limit_reaches_no_memory(void **state)
{
    (void)state;
    /* A string read: kind io, an extra byte with `wide`, port 0, and a count of 4097. */
    const uint8_t bytes[] = {VMR_EXIT_IO | 0x80, 0x10, 0, 0x81, 0x20, 0, 0};
    uint8_t storage[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit = {0};
    struct reader reader;

    reader_init(&reader, bytes, sizeof(bytes));
    assert_false(exit_decode(&reader, &vp_exit, storage, EXIT_INPUTS));
}

static void a_failed_reader_decodes_nothing(void **state)
{
    (void)state;
    const uint8_t bytes[] = {VMR_EXIT_HALT};
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_HALT};
    struct reader reader;

    reader_init(&reader, bytes, sizeof(bytes));
    reader_fail(&reader);
    assert_false(exit_decode(&reader, &vp_exit, NULL, EXIT_ANSWER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_survives),
        cmocka_unit_test(an_answer_that_is_not_there_yet_is_zero),
        cmocka_unit_test(common_exits_are_small),
        cmocka_unit_test(an_invalid_exit_is_not_encoded),
        cmocka_unit_test(every_change_of_one_byte_is_refused_or_sound),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_short_input_is_refused_or_sound),
        cmocka_unit_test(a_count_beyond_the_limit_reaches_no_memory),
        cmocka_unit_test(a_failed_reader_decodes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
