/* SPDX-License-Identifier: MIT */
/*
 * Records as lines, and lines that are none.
 */

#include "lib/trace/trace_text.h"

#include "tests/trace/fixture.h"

static struct trace_text printer, parser;

static void start(void)
{
    trace_text_init(&printer);
    trace_text_init(&parser);
}

static void finish(void)
{
    trace_text_finish(&printer);
    trace_text_finish(&parser);
}

static void every_kind_survives_as_text(void **state)
{
    struct writer line;
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    (void)state;
    start();
    writer_init(&line, TEXT_LINE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct trace_record sample = samples[i], back;
        struct vmr_error err = {0};

        sample.sequence = i;
        writer_clear(&line);
        trace_text_print(&printer, &line, &sample);
        assert_true(writer_ok(&line));
        if (trace_text_parse(&parser, (const char *)line.bytes, line.length, &back, &err))
            fail_msg("%.*s: %s", (int)line.length, (const char *)line.bytes, err.message);
        assert_int_equal(back.sequence, i);
        if (!trace_record_equal(&back, &sample))
            fail_msg("%.*s", (int)line.length, (const char *)line.bytes);
    }
    writer_finish(&line);
    finish();
}

static const struct {
    struct trace_record record;
    const char *line;
} lines[] = {
    {{.kind = TRACE_TIME, .vp = 3, .sequence = 7, .value = {1234}}, "7 vp3 time ns=1234"},
    {{.kind = TRACE_ANSWER, .vp = 0, .sequence = 8, .value = {0x26}}, "8 vp0 ~ answer value=0x26"},
    {{.kind = TRACE_ASYNC, .vp = TRACE_NO_VP, .value = {VMR_ASYNC_IRQ, 4, 1}}, "0 vm async what=irq a=0x4 b=0x1"},
    {{.kind = TRACE_READ, .vp = 0, .value = {0x5000}, .bytes = (const uint8_t *)"\x01\xff", .length = 2},
     "0 vp0 read gpa=0x5000 bytes=01ff"},
    {{.kind = TRACE_WRITE, .vp = 0, .value = {0x5000}}, "0 vp0 ~ write gpa=0x5000 bytes="},
    {{.kind = TRACE_STATUS, .vp = 0, .value = {TRACE_OP_SET_MSR, VMR_E_GUEST}}, "0 vp0 status op=set-msr status=guest"},
    {{.kind = 60, .optional = true, .vp = 0, .bytes = (const uint8_t *)"\x01", .length = 1},
     "0 vp0 optional kind=60 bytes=01"},
};

static void lines_look_as_documented(void **state)
{
    struct writer line;

    (void)state;
    start();
    writer_init(&line, TEXT_LINE_MAX);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        writer_clear(&line);
        trace_text_print(&printer, &line, &lines[i].record);
        writer_u8(&line, 0);
        assert_string_equal((const char *)line.bytes, lines[i].line);
    }
    writer_finish(&line);
    finish();
}

static void only_registers_that_changed_are_printed(void **state)
{
    struct vmr_x86_regs regs = {.rip = 0xfff0};
    struct trace_record record = {.kind = TRACE_REGS, .vp = 0, .regs = &regs};
    struct writer line;

    (void)state;
    start();
    writer_init(&line, TEXT_LINE_MAX);
    trace_text_print(&printer, &line, &record);
    regs.gpr[VMR_X86_RAX] = 1;
    writer_clear(&line);
    trace_text_print(&printer, &line, &record);
    writer_u8(&line, 0);
    assert_string_equal((const char *)line.bytes, "0 vp0 regs rax=0x1");
    writer_finish(&line);
    finish();
}

static const struct {
    const char *line, *message;
} wrong[] = {
    {"", "a record begins with its number"},
    {"x vp0 nmi", "a record begins with its number"},
    {"1", "vm or vp<number>"},
    {"1 vp2048 ~ nmi", "vm or vp<number>"},
    {"1 cpu0 ~ nmi", "vm or vp<number>"},
    {"1 vp0", "no kind of record"},
    {"1 vp0 nmi", "nmi is a reaction"},
    {"1 vp0 ~ enter", "enter is no reaction"},
    {"1 vp0 frob", "no kind of record: \"frob\""},
    {"1 vp0 time", "where ns= is expected"},
    {"1 vp0 time ms=1", "\"ms=1\" where ns= is expected"},
    {"1 vp0 time ns=-1", "time: ns=-1 is out of range"},
    {"1 vp0 time ns=18446744073709551616", "out of range"},
    {"1 vp0 ~ window wanted=2", "window: wanted=2 is out of range"},
    {"1 vp0 park result=late", "park: result=late is out of range"},
    {"1 vp0 ~ nmi x", "surplus words: \"x\""},
    {"1 vp0 ~ nmi ", NULL}, /* the printer leaves no space; one at the end is no word */
    {"1 vp0  ~ nmi", "no kind of record: \"\""},
    {"1 vp0 read gpa=1", "bytes= is expected"},
    {"1 vp0 read gpa=1 bytes=0", "no hexadecimal bytes"},
    {"1 vp0 read gpa=1 bytes=0g", "no hexadecimal bytes"},
    {"1 vp0 regs rix=1", "no register: \"rix=1\""},
    {"1 vp0 regs cs.selector=0x10000", "no value that the register can hold"},
    {"1 vm regs rax=1", "registers belong to a VP"},
    {"1 vp0 exit", ""},
    {"1 vp0 exit none", "no exit"},
    {"1 vp0 exit io read port=0x71", ""},
    {"1 vp0 optional kind=7 bytes=", "a kind that is not known"},
    {"1 vp0 optional kind=64 bytes=", "a kind that is not known"},
    {"1 vp0 ~ optional kind=60 bytes=", "no kind of record"},
};

static void what_is_wrong_with_a_line_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct trace_record record;
        struct vmr_error err = {0};

        start();
        enum vmr_status status = trace_text_parse(&parser, wrong[i].line, strlen(wrong[i].line), &record, &err);

        if (status != (wrong[i].message ? VMR_E_CORRUPT : VMR_OK) ||
            (wrong[i].message && !strstr(err.message, wrong[i].message)))
            fail_msg("\"%s\": %s", wrong[i].line, err.message);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_survives_as_text),
        cmocka_unit_test(lines_look_as_documented),
        cmocka_unit_test(only_registers_that_changed_are_printed),
        cmocka_unit_test(what_is_wrong_with_a_line_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
