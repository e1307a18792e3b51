/* SPDX-License-Identifier: MIT */
/*
 * What is said of a trace.
 */

#include "vmrig/trace.h"

#include "tests/trace/fixture.h"

static void run(bool describe, const struct writer *trace, struct writer *ret_text, struct vmr_trace_info *ret_info)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct vmr_trace_source source = bytes_source(&memory, trace->bytes, trace->length);

    bytes_sink(ret_text, &sink);
    CHECK_OK((describe ? vmr_trace_describe : vmr_trace_stat)(&source, &sink, ret_info, NULL));
    writer_u8(ret_text, 0);
}

static void check_has(const struct writer *text, const char *line)
{
    if (!strstr((const char *)text->bytes, line))
        fail_msg("no \"%s\" in:\n%s", line, (const char *)text->bytes);
}

static void counts_are_by_kind_and_port(void **state)
{
    struct writer trace, text;
    struct vmr_trace_info info;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 3, .with_optional = true}, &trace);
    run(false, &trace, &text, &info);
    check_has(&text, "exits 15\n");
    check_has(&text, "records.exit 15 bytes ");
    check_has(&text, "records.time 9 bytes ");
    check_has(&text, "records.optional 3 bytes ");
    check_has(&text, "exits.io 9\n");
    check_has(&text, "exits.halt 3\n");
    check_has(&text, "exits.port.0x0071 3\n");
    check_has(&text, "raw-bytes-per-exit ");
    check_has(&text, "unknown-optional-records 3\n");
    check_has(&text, "complete yes\n");
    assert_int_equal(info.exits, 15);
    assert_int_equal(info.stored_bytes, trace.length);
    writer_finish(&text);
    writer_finish(&trace);
}

static void a_description_has_metadata_and_damage(void **state)
{
    struct writer trace, text;
    struct vmr_trace_info info;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 600}, &trace);
    run(true, &trace, &text, &info);
    check_has(&text, "format 1.2 binary\ncodec none\nreactions kept\n");
    check_has(&text, "meta firmware=bios, two words=x\n");
    assert_null(strstr((const char *)text.bytes, "damage"));
    writer_finish(&text);
    trace.bytes[70000] ^= 1;
    run(true, &trace, &text, &info);
    check_has(&text, "damages 1\n");
    check_has(&text, "lost-records ");
    writer_finish(&text);
    writer_finish(&trace);
}

static void an_empty_trace_has_no_ratio(void **state)
{
    static const char empty[] = "vmtx 1.0 min=1.0 codec=none\n";
    struct writer trace, text;
    struct vmr_trace_info info;

    (void)state;
    writer_init(&trace, 1000);
    writer_copy(&trace, empty, sizeof(empty) - 1);
    run(false, &trace, &text, &info);
    check_has(&text, "format 1.0 text\n");
    check_has(&text, "exits 0\n");
    check_has(&text, "complete no\n");
    assert_null(strstr((const char *)text.bytes, "per-exit"));
    writer_finish(&text);
    writer_finish(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_by_kind_and_port),
        cmocka_unit_test(a_description_has_metadata_and_damage),
        cmocka_unit_test(an_empty_trace_has_no_ratio),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
