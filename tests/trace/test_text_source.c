/* SPDX-License-Identifier: MIT */
/*
 * Texts that are read as traces, and what is said of those that cannot be.
 */

#include "lib/trace/text_source.h"

#include "tests/trace/fixture.h"

#define HEAD "vmtx 1.0 min=1.0 codec=none\n"

static const struct {
    const char *name, *text;
    const char *message; /* NULL: read */
    uint64_t records;
    bool cut;
} texts[] = {
    {"no records", HEAD "end\n", NULL, 0, false},
    {"no end", HEAD "0 vp0 enter\n", NULL, 1, true},
    {"no line end", HEAD "0 vp0 enter\nend", NULL, 1, false},
    {"comments and empty lines", HEAD "# c\n\n0 vp0 enter\n#\nend\n# after\n\n", NULL, 1, false},
    {"numbers with a gap", HEAD "5 vp0 enter\n9 vp0 ~ halt\nend\n", NULL, 2, false},
    {"head alone", "vmtx 1.0 min=1.0 codec=none", NULL, 0, true},
    {"numbers that fall", HEAD "5 vp0 enter\n5 vp0 ~ halt\n", "line 3: record 5 after 5", 1, false},
    {"a bad first line", "vmtx 9.9\n", "line 1: a version", 0, false},
    {"a bad table", HEAD "table kinds x\n", "line 2: a table entry", 0, false},
    {"a table that names a kind otherwise", HEAD "# c\ntable kinds 7:exot\n", "line 3: table 1: number 7", 0, false},
    {"a bad record", HEAD "0 vp0 enter\n1 vp0 frob\n", "line 3: no kind of record: \"frob\"", 1, false},
    {"a table among the records", HEAD "0 vp0 enter\nmeta a=b\n", "line 3: a record begins with its number", 1, false},
    {"text behind the end", HEAD "0 vp0 enter\nend\n1 vp0 enter\n", "line 4: text after the end", 1, false},
};

/* Reads it to the end or the failure. */
static enum vmr_status read_text(const char *text, struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_source source = bytes_source(&memory, text, strlen(text));
    struct vmr_trace_reader *reader;
    struct vmr_trace_record record;
    bool end = false;
    enum vmr_status status = vmr_trace_reader_create(&source, NULL, &reader, err);

    *ret_info = (struct vmr_trace_info){0};
    if (status)
        return status;
    while (!status && !end)
        status = vmr_trace_reader_next(reader, &record, &end, err);
    vmr_trace_reader_get_info(reader, ret_info);
    vmr_trace_reader_destroy(reader);
    return status;
}

static void texts_are_read_or_the_line_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct vmr_trace_info info;
        struct vmr_error err = {0};
        enum vmr_status status = read_text(texts[i].text, &info, &err);

        if ((status != VMR_OK) != (texts[i].message != NULL) ||
            (texts[i].message && !strstr(err.message, texts[i].message)))
            fail_msg("%s: %s", texts[i].name, err.message);
        if (!texts[i].message && (info.records != texts[i].records || info.cut != texts[i].cut || !info.text))
            fail_msg("%s: %llu records", texts[i].name, (unsigned long long)info.records);
    }
}

static void a_line_that_is_too_long_is_refused(void **state)
{
    struct writer text;
    struct vmr_trace_info info;
    struct vmr_error err = {0};

    (void)state;
    writer_init(&text, 4 * TEXT_LINE_MAX);
    writer_copy(&text, HEAD "0 vp0 ", strlen(HEAD "0 vp0 "));
    for (size_t i = 0; i < TEXT_LINE_MAX + 10; i++)
        writer_u8(&text, 'x');
    writer_u8(&text, 0);
    CHECK_STATUS(read_text((const char *)text.bytes, &info, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "line 2 is too long"));
    writer_finish(&text);
}

static enum vmr_status fail_later(void *context, void *ret_bytes, size_t capacity, size_t *ret_length)
{
    unsigned *calls = context;

    (void)capacity;
    if ((*calls)++ > 0)
        return VMR_E_HOST;
    memcpy(ret_bytes, HEAD, strlen(HEAD));
    *ret_length = strlen(HEAD);
    return VMR_OK;
}

static void a_failing_source_is_no_end_of_text(void **state)
{
    unsigned calls = 0;
    const struct vmr_trace_source source = {.read = fail_later, .context = &calls};
    struct vmr_trace_reader *reader;
    struct vmr_error err = {0};

    (void)state;
    CHECK_STATUS(vmr_trace_reader_create(&source, NULL, &reader, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "line 2: reading failed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_or_the_line_is_named),
        cmocka_unit_test(a_line_that_is_too_long_is_refused),
        cmocka_unit_test(a_failing_source_is_no_end_of_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
