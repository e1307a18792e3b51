/* SPDX-License-Identifier: MIT */
/*
 * Blocks out of records, and sinks that fail.
 */

#include "lib/trace/trace_writer.h"

#include "lib/base/bytes.h"
#include "tests/trace/fixture.h"

static void the_same_records_give_the_same_bytes(void **state)
{
    struct writer one, two;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 200}, &one);
    make_trace(&(struct sample_options){.repeat = 200}, &two);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.bytes, two.bytes, one.length);
    writer_finish(&one);
    writer_finish(&two);
}

/* Each block but the last has at least `least` and at most `most` bytes. */
static void check_blocks(const struct sample_options *options, size_t least, size_t most)
{
    struct writer trace;
    size_t blocks = 0;
    uint64_t records = 0;

    make_trace(options, &trace);
    size_t offset = TRACE_HEADER_BYTES + load_le32(trace.bytes + 24);
    struct trace_block_header header;

    for (; trace_block_header_decode(trace.bytes + offset, &header); blocks++) {
        assert_int_equal(header.first_sequence, records);
        records += header.records;
        offset += TRACE_BLOCK_HEADER_BYTES + header.stored_size;
        bool last = memcmp(trace.bytes + offset, trace_magic_footer, TRACE_MAGIC_BYTES) == 0;

        assert_true(header.raw_size <= most);
        assert_true(last || header.raw_size >= least);
    }
    assert_true(blocks > 2);
    assert_memory_equal(trace.bytes + offset, trace_magic_footer, TRACE_MAGIC_BYTES);
    assert_int_equal(load_le64(trace.bytes + offset + 8), records);
    assert_int_equal(load_le64(trace.bytes + offset + 24), blocks);
    assert_int_equal(load_le64(trace.bytes + trace.length - 16), offset);
    writer_finish(&trace);
}

/* The longest sample is far below 1,000 bytes. */
static void blocks_end_early_so_that_little_is_lost(void **state)
{
    (void)state;
    check_blocks(&(struct sample_options){.repeat = 40}, TRACE_BLOCK_GOAL, TRACE_BLOCK_GOAL + 1000);
}

static void blocks_of_the_first_format_are_full(void **state)
{
    (void)state;
    check_blocks(&(struct sample_options){.repeat = 400, .long_blocks = true}, VMR_TRACE_BLOCK_BYTES_MAX - 1000,
                 VMR_TRACE_BLOCK_BYTES_MAX);
}

static void compression_makes_it_smaller(void **state)
{
    struct writer plain, packed;

    (void)state;
    if (!vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD)) {
        print_message("skipped: this build has no zstd\n");
        skip();
    }
    make_trace(&(struct sample_options){.repeat = 200}, &plain);
    make_trace(&(struct sample_options){.repeat = 200, .codec = VMR_TRACE_CODEC_ZSTD}, &packed);
    assert_true(packed.length < plain.length / 3);
    writer_finish(&plain);
    writer_finish(&packed);
}

struct limited {
    unsigned calls_left, calls;
};

static enum vmr_status limited_write(void *context, const void *bytes, size_t length)
{
    struct limited *limited = context;

    (void)bytes;
    (void)length;
    limited->calls++;
    if (limited->calls_left == 0)
        return VMR_E_HOST;
    limited->calls_left--;
    return VMR_OK;
}

static void a_failed_sink_fails_everything_after_it(void **state)
{
    struct limited limited = {.calls_left = 1};
    struct trace_writer_options options = {.sink = {limited_write, &limited}, .codec = VMR_TRACE_CODEC_NONE};
    const struct trace_record record = {.kind = TRACE_NMI, .vp = 0};
    struct trace_writer *writer;
    struct vmr_error err = {0};

    (void)state;
    CHECK_OK(trace_writer_create(&options, &writer, NULL));
    for (unsigned i = 0; i < 100000; i++)
        (void)trace_writer_append(writer, &record);
    CHECK_STATUS(trace_writer_status(writer), VMR_E_HOST);
    CHECK_STATUS(trace_writer_append(writer, &record), VMR_E_HOST);
    CHECK_STATUS(trace_writer_finish(writer, true, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "writing failed"));
    assert_int_equal(limited.calls, 2);
    trace_writer_destroy(writer);
    limited = (struct limited){0};
    CHECK_STATUS(trace_writer_create(&options, &writer, NULL), VMR_E_HOST);
}

static void a_record_that_cannot_be_encoded_ends_the_trace(void **state)
{
    struct writer out;
    struct trace_writer_options options = {.codec = VMR_TRACE_CODEC_NONE};
    const struct trace_record good = {.kind = TRACE_NMI, .vp = 0}, bad = {.kind = TRACE_WINDOW, .vp = 0, .value = {2}};
    struct trace_writer *writer;
    struct vmr_error err = {0};

    (void)state;
    bytes_sink(&out, &options.sink);
    CHECK_OK(trace_writer_create(&options, &writer, NULL));
    CHECK_OK(trace_writer_append(writer, &good));
    CHECK_STATUS(trace_writer_append(writer, &bad), VMR_E_USAGE);
    CHECK_STATUS(trace_writer_finish(writer, true, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "record 1"));
    trace_writer_destroy(writer);
    writer_finish(&out);
}

static void options_are_checked(void **state)
{
    static const uint8_t tables[1];
    struct writer out;
    struct trace_writer_options options = {.codec = (enum vmr_trace_codec)VMR_TRACE_CODEC_COUNT};
    struct trace_writer *writer = NULL;

    (void)state;
    bytes_sink(&out, &options.sink);
    CHECK_STATUS(trace_writer_create(&options, &writer, NULL), VMR_E_USAGE);
    options.codec = VMR_TRACE_CODEC_NONE;
    options.tables = tables;
    options.tables_length = VMR_TRACE_HEADER_BYTES_MAX + 1;
    CHECK_STATUS(trace_writer_create(&options, &writer, NULL), VMR_E_CONFIG);
    assert_null(writer);
    writer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_records_give_the_same_bytes),
        cmocka_unit_test(blocks_end_early_so_that_little_is_lost),
        cmocka_unit_test(blocks_of_the_first_format_are_full),
        cmocka_unit_test(compression_makes_it_smaller),
        cmocka_unit_test(a_failed_sink_fails_everything_after_it),
        cmocka_unit_test(a_record_that_cannot_be_encoded_ends_the_trace),
        cmocka_unit_test(options_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
