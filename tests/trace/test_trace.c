/* SPDX-License-Identifier: MIT */
/*
 * The public reader.
 */

#include "vmrig/trace.h"

#include "tests/trace/fixture.h"

static void records_come_with_their_line(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_trace_reader *reader;
    struct vmr_trace_record record;
    bool end = false;
    size_t count, seen = 0, exits = 0;
    const struct trace_record *samples = sample_records(&count);

    (void)state;
    make_trace(&(struct sample_options){0}, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    CHECK_OK(vmr_trace_reader_create(&source, &(struct vmr_trace_read_options){.strict = true}, &reader, NULL));
    for (;;) {
        CHECK_OK(vmr_trace_reader_next(reader, &record, &end, NULL));
        if (end)
            break;
        exits += samples[seen].kind == TRACE_EXIT;
        assert_int_equal(record.sequence, seen);
        assert_int_equal(record.exit, exits);
        assert_string_equal(record.kind, trace_kind_info(samples[seen].kind)->name);
        assert_int_equal(record.reaction, trace_kind_info(samples[seen].kind)->reaction);
        assert_int_equal(record.has_vp, samples[seen].vp != TRACE_NO_VP);
        assert_int_equal(record.vp_exit != NULL, samples[seen].kind == TRACE_EXIT);
        assert_non_null(strstr(record.text, record.kind));
        seen++;
    }
    assert_int_equal(seen, count);
    vmr_trace_reader_destroy(reader);
    writer_finish(&trace);
}

static void metadata_is_given_in_order(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_trace_reader *reader;
    struct vmr_trace_meta meta;

    (void)state;
    make_trace(&(struct sample_options){0}, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    CHECK_OK(vmr_trace_reader_create(&source, NULL, &reader, NULL));
    assert_true(vmr_trace_reader_get_meta(reader, 0, &meta));
    assert_string_equal(meta.key, "firmware");
    assert_string_equal(meta.value, "bios, two words=x");
    assert_true(vmr_trace_reader_get_meta(reader, 1, &meta));
    assert_string_equal(meta.value, "");
    assert_false(vmr_trace_reader_get_meta(reader, 2, &meta));
    vmr_trace_reader_destroy(reader);
    writer_finish(&trace);
}

static void destroying_nothing_is_fine(void **state)
{
    (void)state;
    vmr_trace_reader_destroy(NULL);
    vmr_recorder_destroy(NULL);
    vmr_replay_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_with_their_line),
        cmocka_unit_test(metadata_is_given_in_order),
        cmocka_unit_test(destroying_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
