/* SPDX-License-Identifier: MIT */
/*
 * Traces that are whole, cut, damaged and hostile. [TRC-4]
 */

#include "lib/trace/trace_reader.h"

#include "lib/base/bytes.h"
#include "tests/trace/fixture.h"

/* Reads to the end; each record must be the sample that its number says. */
static enum vmr_status read_all(const uint8_t *bytes, size_t length, bool strict, struct vmr_trace_info *ret_info)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_source source = bytes_source(&memory, bytes, length);
    struct trace_reader *reader;
    enum vmr_status status = trace_reader_create(&source, strict, &reader, NULL);
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    if (status)
        return status;
    for (;;) {
        struct trace_record record;
        bool end;

        status = trace_reader_next(reader, &record, &end, NULL);
        if (status || end)
            break;
        if (!trace_record_equal(&record, &samples[record.sequence % count]))
            fail_msg("record %llu", (unsigned long long)record.sequence);
    }
    trace_reader_info(reader, ret_info);
    trace_reader_destroy(reader);
    return status;
}

static void a_whole_trace_is_read(void **state)
{
    struct writer trace;
    struct vmr_trace_info info;
    size_t count;

    (void)state;
    (void)sample_records(&count);
    for (enum vmr_trace_codec codec = VMR_TRACE_CODEC_DEFAULT; codec < VMR_TRACE_CODEC_COUNT; codec++) {
        if (!vmr_trace_codec_available(codec))
            continue;
        make_trace(&(struct sample_options){.repeat = 100, .codec = codec}, &trace);
        CHECK_OK(read_all(trace.bytes, trace.length, true, &info));
        assert_int_equal(info.records, 100 * count);
        assert_true(info.ended);
        assert_false(info.cut);
        assert_int_equal(info.damages, 0);
        assert_int_equal(info.lost_bytes, 0);
        assert_int_equal(info.stored_bytes, trace.length);
        writer_finish(&trace);
    }
}

static void a_trace_cut_at_any_byte_is_read_up_to_the_cut(void **state)
{
    struct writer trace;
    struct vmr_trace_info info;

    (void)state;
    make_trace(&(struct sample_options){0}, &trace);
    size_t head = TRACE_HEADER_BYTES + load_le32(trace.bytes + 24);

    for (size_t length = 0; length < trace.length; length++) {
        enum vmr_status status = read_all(trace.bytes, length, true, &info);

        if (length < head) {
            CHECK_STATUS(status, VMR_E_CORRUPT);
            continue;
        }
        CHECK_OK(status);
        assert_true(info.cut);
        assert_int_equal(info.damages, 0);
    }
    writer_finish(&trace);
}

/* Lenient: whatever is left is right (read_all checks), and it is said that something is missing. */
static void every_flipped_bit_is_noticed(void **state)
{
    struct writer trace;
    struct vmr_trace_info info;

    (void)state;
    make_trace(&(struct sample_options){0}, &trace);
    for (size_t bit = 0; bit < 8 * trace.length; bit++) {
        trace.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum vmr_status status = read_all(trace.bytes, trace.length, false, &info);

        if (!status && info.damages == 0)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        if (!status && read_all(trace.bytes, trace.length, true, &info) == VMR_OK)
            fail_msg("bit %zu of byte %zu, strict", bit % 8, bit / 8);
        trace.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    writer_finish(&trace);
}

static size_t find_block(const struct writer *trace, size_t number)
{
    size_t offset = TRACE_HEADER_BYTES + load_le32(trace->bytes + 24);
    struct trace_block_header header;

    for (size_t i = 0; i < number; i++) {
        assert_true(trace_block_header_decode(trace->bytes + offset, &header));
        offset += TRACE_BLOCK_HEADER_BYTES + header.stored_size;
    }
    return offset;
}

static void reading_goes_on_behind_a_damaged_block(void **state)
{
    struct writer trace;
    struct vmr_trace_info info;
    struct trace_block_header header;
    size_t count;

    (void)state;
    (void)sample_records(&count);
    make_trace(&(struct sample_options){.repeat = 600}, &trace);
    size_t second = find_block(&trace, 1);

    assert_true(trace_block_header_decode(trace.bytes + second, &header));
    for (size_t place = 0; place < 400; place += 13) {
        trace.bytes[second + place] ^= 0xff;
        CHECK_OK(read_all(trace.bytes, trace.length, false, &info));
        assert_int_equal(info.damages, 1);
        assert_int_equal(info.first_damage, second);
        assert_int_equal(info.lost_records, header.records);
        assert_int_equal(info.lost_bytes, TRACE_BLOCK_HEADER_BYTES + header.stored_size);
        assert_int_equal(info.records, 600 * count - header.records);
        CHECK_STATUS(read_all(trace.bytes, trace.length, true, &info), VMR_E_CORRUPT);
        trace.bytes[second + place] ^= 0xff;
    }
    writer_finish(&trace);
}

static void bytes_that_are_missing_or_too_many_lose_one_block_at_most(void **state)
{
    struct writer trace, other;
    struct vmr_trace_info info;
    struct trace_block_header header;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 600}, &trace);
    size_t second = find_block(&trace, 1);

    assert_true(trace_block_header_decode(trace.bytes + second, &header));
    writer_init(&other, 64u << 20);
    writer_copy(&other, trace.bytes, second + 100);
    writer_copy(&other, trace.bytes + second + 111, trace.length - second - 111);
    CHECK_OK(read_all(other.bytes, other.length, false, &info));
    assert_int_equal(info.lost_records, header.records);
    writer_clear(&other);
    writer_copy(&other, trace.bytes, second);
    writer_copy(&other, "garbage", 7);
    writer_copy(&other, trace.bytes + second, trace.length - second);
    CHECK_OK(read_all(other.bytes, other.length, false, &info));
    assert_int_equal(info.lost_records, 0);
    assert_int_equal(info.lost_bytes, 7);
    writer_finish(&other);
    writer_finish(&trace);
}

static void a_block_that_is_missing_or_doubled_is_damage(void **state)
{
    struct writer trace, other;
    struct vmr_trace_info info;
    struct trace_block_header header;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 600}, &trace);
    size_t second = find_block(&trace, 1), third = find_block(&trace, 2);

    assert_true(trace_block_header_decode(trace.bytes + second, &header));
    writer_init(&other, 64u << 20);
    writer_copy(&other, trace.bytes, second);
    writer_copy(&other, trace.bytes + third, trace.length - third);
    CHECK_OK(read_all(other.bytes, other.length, false, &info));
    assert_int_equal(info.damages, 1);
    assert_int_equal(info.lost_records, header.records);
    CHECK_STATUS(read_all(other.bytes, other.length, true, &info), VMR_E_CORRUPT);
    writer_clear(&other);
    writer_copy(&other, trace.bytes, third);
    writer_copy(&other, trace.bytes + second, trace.length - second);
    CHECK_OK(read_all(other.bytes, other.length, false, &info));
    assert_int_equal(info.damages, 1);
    assert_int_equal(info.lost_records, 0);
    writer_finish(&other);
    writer_finish(&trace);
}

static void unknown_records_are_skipped_if_they_are_optional(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct trace_reader *reader;
    struct trace_record record;
    struct vmr_trace_info info;
    struct vmr_error err = {0};
    bool end = false;

    (void)state;
    make_trace(&(struct sample_options){.with_optional = true, .repeat = 2}, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    CHECK_OK(trace_reader_create(&source, true, &reader, NULL));
    while (!end)
        CHECK_OK(trace_reader_next(reader, &record, &end, NULL));
    trace_reader_info(reader, &info);
    assert_int_equal(info.skipped_optional, 2);
    trace_reader_destroy(reader);

    /* The same record without the bit that says so; the checksums fit. */
    size_t block = find_block(&trace, 0);
    struct trace_block_header header;

    assert_true(trace_block_header_decode(trace.bytes + block, &header));
    trace.bytes[block + TRACE_BLOCK_HEADER_BYTES + header.raw_size - 6] &= 0x7f;
    header.hash = trace_hash(trace.bytes + block + TRACE_BLOCK_HEADER_BYTES, header.raw_size);
    trace_block_header_encode(&header, trace.bytes + block);
    source = bytes_source(&memory, trace.bytes, trace.length);
    CHECK_OK(trace_reader_create(&source, true, &reader, NULL));
    enum vmr_status status = VMR_OK;

    for (end = false; !end && !status;)
        status = trace_reader_next(reader, &record, &end, &err);
    CHECK_STATUS(status, VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "unknown kind"));
    trace_reader_destroy(reader);
    writer_finish(&trace);
}

static void what_is_no_trace_is_refused(void **state)
{
    static const char *const texts[] = {"", "x", "GIF89a", "vmtx", "\x89VMT\r\n\x1a\n"};
    static uint8_t zeros[200000];
    struct vmr_trace_info info;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        CHECK_STATUS(read_all((const uint8_t *)texts[i], strlen(texts[i]), false, &info), VMR_E_CORRUPT);
    CHECK_STATUS(read_all(zeros, sizeof(zeros), false, &info), VMR_E_CORRUPT);
}

static void looking_ahead_crosses_blocks(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct trace_reader *reader;
    struct trace_record record;
    bool end = false;
    uint64_t read = 0;
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    (void)state;
    make_trace(&(struct sample_options){.repeat = 200}, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    CHECK_OK(trace_reader_create(&source, true, &reader, NULL));
    for (; read < 200 * count; read++) {
        CHECK_OK(trace_reader_next(reader, &record, &end, NULL));
        assert_false(end);
        struct trace_peek peek;
        struct trace_peeked seen;

        trace_reader_peek_begin(reader, &peek);
        for (uint64_t ahead = 1; ahead <= 3 && read + ahead < 200 * count; ahead++) {
            assert_true(trace_reader_peek(reader, &peek, &seen));
            assert_int_equal(seen.kind, samples[(read + ahead) % count].kind);
            assert_int_equal(seen.vp, samples[(read + ahead) % count].vp);
        }
    }
    CHECK_OK(trace_reader_next(reader, &record, &end, NULL));
    assert_true(end);
    trace_reader_destroy(reader);
    writer_finish(&trace);
}

/* One loop of looking and one of reading, on traces of three lengths: long because each has its declarations. */
static void looking_ahead_ends_with_the_trace_or_with_what_is_held(void **state)
{
    /* How often the samples, and whether that fits into the blocks that are held. */
    static const struct {
        size_t repeat;
        bool end;
    } rows[] = {{1, true}, {20, true}, {1000, false}};
    size_t count;

    (void)state;
    (void)sample_records(&count);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct writer trace;
        struct vmr_trace_memory memory;
        struct trace_reader *reader;
        struct trace_record record;
        struct trace_peek peek;
        struct trace_peeked seen;
        bool end = false;
        size_t ahead = 0, read = 1;

        make_trace(&(struct sample_options){.repeat = rows[i].repeat}, &trace);
        struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

        CHECK_OK(trace_reader_create(&source, true, &reader, NULL));
        CHECK_OK(trace_reader_next(reader, &record, &end, NULL));
        trace_reader_peek_begin(reader, &peek);
        while (trace_reader_peek(reader, &peek, &seen))
            ahead++;
        assert_int_equal(peek.end, rows[i].end);
        if (rows[i].end)
            assert_int_equal(ahead + 1, rows[i].repeat * count);
        else
            assert_true(ahead > TRACE_PEEK_BLOCKS * TRACE_BLOCK_GOAL / 100);
        /* Nothing that was looked at is lost. */
        for (; !end; read++)
            CHECK_OK(trace_reader_next(reader, &record, &end, NULL));
        assert_int_equal(read - 1, rows[i].repeat * count);
        trace_reader_destroy(reader);
        writer_finish(&trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_trace_is_read),
        cmocka_unit_test(a_trace_cut_at_any_byte_is_read_up_to_the_cut),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(reading_goes_on_behind_a_damaged_block),
        cmocka_unit_test(bytes_that_are_missing_or_too_many_lose_one_block_at_most),
        cmocka_unit_test(a_block_that_is_missing_or_doubled_is_damage),
        cmocka_unit_test(unknown_records_are_skipped_if_they_are_optional),
        cmocka_unit_test(what_is_no_trace_is_refused),
        cmocka_unit_test(looking_ahead_crosses_blocks),
        cmocka_unit_test(looking_ahead_ends_with_the_trace_or_with_what_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
