/* SPDX-License-Identifier: MIT */
/*
 * Binary to text to binary, and cuts. [TRC-3]
 */

#include "vmrig/trace.h"

#include "tests/trace/fixture.h"

static void pack(const struct writer *from, enum vmr_trace_codec codec, struct writer *ret_trace)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct vmr_error err = {0};
    struct vmr_trace_source source = bytes_source(&memory, from->bytes, from->length);

    bytes_sink(ret_trace, &sink);
    if (vmr_trace_pack(&source, codec, &sink, NULL, &err))
        fail_msg("%s", err.message);
}

static void check_same(const struct writer *a, const struct writer *b)
{
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->bytes, b->bytes, a->length);
}

static void text_and_back_is_bit_identical(void **state)
{
    static const struct sample_options options[] = {
        {0},
        {.repeat = 300},
        {.repeat = 300, .without_footer = true},
        {.repeat = 300, .with_optional = true},
        {.repeat = 300, .codec = VMR_TRACE_CODEC_ZSTD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct writer trace, text, back, text_again;

        if (options[i].codec && !vmr_trace_codec_available(options[i].codec))
            continue;
        make_trace(&options[i], &trace);
        print_trace(&trace, &text);
        pack(&text, VMR_TRACE_CODEC_DEFAULT, &back);
        check_same(&trace, &back);
        print_trace(&text, &text_again);
        check_same(&text, &text_again);
        writer_finish(&trace);
        writer_finish(&text);
        writer_finish(&back);
        writer_finish(&text_again);
    }
}

static void recompression_keeps_the_records(void **state)
{
    struct writer plain, packed, back;

    (void)state;
    if (!vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD)) {
        print_message("skipped: this build has no zstd\n");
        skip();
    }
    make_trace(&(struct sample_options){.repeat = 300}, &plain);
    pack(&plain, VMR_TRACE_CODEC_ZSTD, &packed);
    assert_true(packed.length < plain.length / 4);
    pack(&packed, VMR_TRACE_CODEC_NONE, &back);
    check_same(&plain, &back);
    writer_finish(&plain);
    writer_finish(&packed);
    writer_finish(&back);
}

static struct vmr_trace_info cut(const struct writer *trace, const struct vmr_trace_cut_options *options,
                                 struct writer *ret_text)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct vmr_trace_info info;
    struct writer shorter;
    struct vmr_trace_source source = bytes_source(&memory, trace->bytes, trace->length);

    bytes_sink(&shorter, &sink);
    CHECK_OK(vmr_trace_cut(&source, options, &sink, &info, NULL));
    print_trace(&shorter, ret_text);
    writer_u8(ret_text, 0);
    writer_finish(&shorter);
    return info;
}

static size_t count_of(const struct writer *text, const char *word)
{
    size_t count = 0;

    for (const char *at = (const char *)text->bytes; (at = strstr(at, word)); at++)
        count++;
    return count;
}

static void a_cut_keeps_what_follows_from_its_last_exit(void **state)
{
    struct writer trace, text;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 2}, &trace);
    (void)cut(&trace, &(struct vmr_trace_cut_options){.exits = 1}, &text);
    assert_int_equal(count_of(&text, " exit "), 1);
    assert_int_equal(count_of(&text, "~ answer value=0x26"), 1);
    assert_int_equal(count_of(&text, "\nend\n"), 1);
    writer_finish(&text);
    (void)cut(&trace, &(struct vmr_trace_cut_options){.exits = 1000}, &text);
    assert_int_equal(count_of(&text, " exit "), 10);
    writer_finish(&text);
    writer_finish(&trace);
}

static void a_cut_to_inputs_holds_no_reaction(void **state)
{
    struct writer trace, text;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 2}, &trace);
    (void)cut(&trace, &(struct vmr_trace_cut_options){.inputs_only = true}, &text);
    assert_int_equal(count_of(&text, " ~ "), 0);
    assert_int_equal(count_of(&text, " exit "), 10);
    assert_int_equal(count_of(&text, " inputs-only\n"), 1);
    writer_finish(&text);
    writer_finish(&trace);
}

static void a_damaged_trace_is_printed_with_its_gap(void **state)
{
    struct writer trace, text;
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct vmr_trace_info info;

    (void)state;
    make_trace(&(struct sample_options){.repeat = 600}, &trace);
    trace.bytes[70000] ^= 1;
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    bytes_sink(&text, &sink);
    CHECK_OK(vmr_trace_print(&source, &sink, &info, NULL));
    writer_u8(&text, 0);
    assert_int_equal(info.damages, 1);
    assert_true(info.lost_records > 0);
    assert_int_equal(count_of(&text, "\n# "), 1);
    text.length--;
    struct writer back;

    pack(&text, VMR_TRACE_CODEC_NONE, &back);
    writer_finish(&back);
    writer_finish(&text);
    writer_finish(&trace);
}

static enum vmr_status refuse(void *context, const void *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
    return VMR_E_HOST;
}

static void a_sink_that_fails_fails_the_call(void **state)
{
    const struct vmr_trace_sink sink = {.write = refuse};
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_error err = {0};

    (void)state;
    make_trace(&(struct sample_options){0}, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    CHECK_STATUS(vmr_trace_print(&source, &sink, NULL, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "writing failed"));
    source = bytes_source(&memory, trace.bytes, trace.length);
    CHECK_STATUS(vmr_trace_pack(&source, VMR_TRACE_CODEC_DEFAULT, &sink, NULL, NULL), VMR_E_HOST);
    source = bytes_source(&memory, trace.bytes, trace.length);
    CHECK_STATUS(vmr_trace_stat(&source, &sink, NULL, NULL), VMR_E_HOST);
    writer_finish(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back_is_bit_identical),
        cmocka_unit_test(recompression_keeps_the_records),
        cmocka_unit_test(a_cut_keeps_what_follows_from_its_last_exit),
        cmocka_unit_test(a_cut_to_inputs_holds_no_reaction),
        cmocka_unit_test(a_damaged_trace_is_printed_with_its_gap),
        cmocka_unit_test(a_sink_that_fails_fails_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
