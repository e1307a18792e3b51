/* SPDX-License-Identifier: MIT */
/*
 * What stands above the records of a text.
 */

#include "lib/trace/trace_text.h"

#include "tests/trace/fixture.h"

static const struct {
    const char *line;
    enum vmr_trace_codec codec; /* DEFAULT: refused */
    bool inputs_only;
    uint16_t minor;
} firsts[] = {
    {"vmtx 1.0 min=1.0 codec=none", VMR_TRACE_CODEC_NONE, false, 0},
    {"vmtx 1.1 min=1.0 codec=none", VMR_TRACE_CODEC_NONE, false, 1},
    {"vmtx 1.0 min=1.0 codec=zstd inputs-only", VMR_TRACE_CODEC_ZSTD, true, 0},
    {"vmtx 2.0 min=1.0 codec=none", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.2 min=1.0 codec=none", VMR_TRACE_CODEC_NONE, false, 2},
    {"vmtx 1.3 min=1.0 codec=none", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.0 min=1.1 codec=none", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.0 codec=none", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.0 min=1.0 codec=lz4", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.0 min=1.0", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.0 min=1.0 codec=none what", VMR_TRACE_CODEC_DEFAULT, false, 0},
    {"vmtx 1.0 min=1.0 codec=none inputs-only x", VMR_TRACE_CODEC_DEFAULT, false, 0},
};

static void the_first_line_is_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        struct trace_text_first first = {.codec = VMR_TRACE_CODEC_DEFAULT};
        enum vmr_status status = trace_text_parse_first(firsts[i].line, strlen(firsts[i].line), &first, NULL);

        if (first.codec != firsts[i].codec || first.inputs_only != firsts[i].inputs_only ||
            first.minor != firsts[i].minor || (status == VMR_OK) != (first.codec != VMR_TRACE_CODEC_DEFAULT))
            fail_msg("%s", firsts[i].line);
    }
}

/* Prints the head, and parses it again: also that of a later version, which these readers can read. */
static void check_head(const struct writer *tables)
{
    const struct trace_header header = {.major = 1,
                                        .minor = 9,
                                        .min_reader_major = 1,
                                        .codec = VMR_TRACE_CODEC_NONE,
                                        .tables_length = (uint32_t)tables->length};
    struct trace_text_first first;
    struct writer head, back;
    struct reader reader;

    writer_init(&head, 1 << 20);
    writer_init(&back, VMR_TRACE_HEADER_BYTES_MAX);
    reader_init(&reader, tables->bytes, tables->length);
    trace_text_print_head(&head, &header, &reader);
    assert_true(writer_ok(&head));
    const char *line = (const char *)head.bytes, *end;
    size_t left = head.length;

    for (size_t i = 0; left > 0; i++) {
        end = memchr(line, '\n', left);
        assert_non_null(end);
        size_t length = (size_t)(end - line);

        assert_int_equal(trace_text_is_table(line, length), i > 0);
        if (i > 0)
            CHECK_OK(trace_text_parse_table(line, length, &back, NULL));
        else
            CHECK_OK(trace_text_parse_first(line, length, &first, NULL));
        line += length + 1;
        left -= length + 1;
    }
    assert_int_equal(back.length, tables->length);
    assert_memory_equal(back.bytes, tables->bytes, back.length);
    writer_finish(&head);
    writer_finish(&back);
}

static void tables_survive_as_lines(void **state)
{
    const struct vmr_trace_meta meta[] = {{"firmware", "two words = one value"}, {"empty", ""}};
    const struct trace_table unknown = {.type = 0x8005, .bytes = (const uint8_t *)"\x01\x02", .length = 2};
    const struct trace_table empty = {.type = 0x8006};
    struct writer tables;

    (void)state;
    writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
    CHECK_OK(trace_tables_build(&tables, meta, 2, NULL));
    trace_table_put(&tables, &unknown);
    trace_table_put(&tables, &empty);
    check_head(&tables);
    writer_finish(&tables);
}

static void malformed_tables_are_refused(void **state)
{
    static const char *const lines[] = {
        "table kinds exit", "table kinds 7exit", "table kinds 7:", "table kinds 256:x",
        "table 0x4 00",     "table 0x10000 00",  "table 0x8005 0", "table frob 1:x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct writer tables;

        writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
        if (trace_text_parse_table(lines[i], strlen(lines[i]), &tables, NULL) != VMR_E_CORRUPT)
            fail_msg("%s", lines[i]);
        writer_finish(&tables);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_is_taken_or_refused),
        cmocka_unit_test(tables_survive_as_lines),
        cmocka_unit_test(malformed_tables_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
