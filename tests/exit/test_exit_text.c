/* SPDX-License-Identifier: MIT */
/*
 * Text to exits: every sample comes back, what is wrong is refused with column and word,
 * and no text whatsoever yields an exit that is not valid.
 */

#include "lib/exit/exit_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/exit/exit_samples.h"

static enum vmr_status parse(const char *line, struct vmr_exit *ret_exit, uint8_t *storage, struct vmr_error *err)
{
    return exit_text_parse(line, strlen(line), ret_exit, storage, err);
}

static void assert_prints_as(const struct vmr_exit *vp_exit, const char *whole)
{
    char line[EXIT_TEXT_MAX];

    vmr_exit_print(vp_exit, line, sizeof(line));
    assert_string_equal(line, whole);
}

static void every_sample_comes_back_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit = {.kind = VMR_EXIT_FAIL};
        struct vmr_error err = {0};

        if (parse(samples[i].whole, &vp_exit, storage, &err))
            fail_msg("%s: %s", samples[i].name, err.message);
        assert_prints_as(&vp_exit, samples[i].whole);
    }
}

static void every_sample_comes_back_by_halves(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit;
        struct vmr_error err = {0};

        assert_int_equal(parse(sample_inputs(i), &vp_exit, storage, &err), VMR_OK);
        if (exit_text_parse_answer(samples[i].answer, 0, strlen(samples[i].answer), &vp_exit, storage, &err))
            fail_msg("%s: %s", samples[i].name, err.message);
        assert_prints_as(&vp_exit, samples[i].whole);
    }
}

static void fields_may_come_in_any_order_and_base(void **state)
{
    static const struct {
        const char *line, *whole;
    } cases[] = {
        {"  io   write\tvalue=83 size=0x1 port=1026  ", "io write port=0x402 size=1 value=0x53"},
        {"halt tpr=0xf ready vtl=0x2", "halt vtl=2 ready tpr=15"},
        {"io write bytes=AbCd string count=2 port=1 size=1", "io write port=0x1 size=1 count=2 string bytes=abcd"},
        {"system-event event=power-off", "system-event event=power-off detail=0x0"},
        {"mmio read gpa=0x10 size=1", "mmio read gpa=0x10 size=1 value=0x0"},
        {"io read port=1 size=2 count=2 string", "io read port=0x1 size=2 count=2 string bytes=00000000"},
        {"cpuid leaf=1", "cpuid leaf=0x1 subleaf=0x0 eax=0x0 ebx=0x0 ecx=0x0 edx=0x0"},
        {"shutdown", "shutdown vtl=0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit;
        struct vmr_error err = {0};

        memset(storage, 0xee, sizeof(storage));
        if (parse(cases[i].line, &vp_exit, storage, &err))
            fail_msg("%s: %s", cases[i].line, err.message);
        assert_prints_as(&vp_exit, cases[i].whole);
    }
}

/* A row for each message, because the column and the word are what a person needs. */
static void what_is_wrong_is_named_with_its_column(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"", "column 1: the line holds no exit"},
        {" \t ", "column 1: the line holds no exit"},
        {"  hlt", "column 3: 'hlt' is no kind of exit"},
        {"halt=1", "column 1: 'halt=1' is no kind of exit"},
        {"unknown", "column 1: 'unknown' is no kind of exit"},
        {"io", "column 3: 'read' or 'write' is missing"},
        {"io port=1", "column 4: 'port=1' is neither 'read' nor 'write'"},
        {"mmio readx gpa=0", "column 6: 'readx' is neither 'read' nor 'write'"},
        {"io write size=1 value=0", "column 1: 'io' without 'port'"},
        {"io write port=1 size=1", "column 1: 'io' without 'value'"},
        {"io write port=1 size=1 string count=1", "column 1: 'io' without 'bytes'"},
        {"msr read", "column 1: 'msr' without 'index'"},
        {"io write port=0x10000 size=1 value=0", "column 10: 'port=0x10000' does not fit the field"},
        {"io write port=-1 size=1 value=0", "column 10: 'port=-1' is not a number of at most 64 bits"},
        {"io write port= size=1 value=0", "column 10: 'port=' is not a number of at most 64 bits"},
        {"io write port size=1 value=0", "column 10: 'port' needs a value"},
        {"io write port=1 size=3 value=0", "column 17: 'size=3' is out of range here"},
        {"io write port=1 size=1 value=0x100", "column 24: 'value=0x100' is out of range here"},
        {"io write port=1 port=1 size=1 value=0", "column 17: 'port=1' is given twice"},
        {"io read port=1 size=1 count=3", "column 23: 'count=3' does not go with the other fields"},
        {"io read port=1 size=1 count=1 string value=0", "column 38: 'value=0' does not go with the other fields"},
        {"io read port=1 size=1 count=4097 string", "column 23: 'count=4097' is out of range here"},
        {"io read port=1 size=1 count=0 string", "column 23: 'count=0' is out of range here"},
        {"io write port=1 size=2 count=2 string bytes=0102",
         "column 1: 'io' has 2 bytes, but count=2 and size=2 make 4"},
        {"io write port=1 size=1 count=1 string bytes=012",
         "column 39: 'bytes=012' is not an even number of hexadecimal digits, at most 8192"},
        {"mmio read gpa=0xffd size=4", "column 11: 'gpa=0xffd' is out of range here"},
        {"mmio read gpa=0 size=4 direction=1", "column 24: 'direction=1' is no field of this exit"},
        {"halt ready=1", "column 6: 'ready=1' is a flag and takes no value"},
        {"halt vtl=3", "column 6: 'vtl=3' is out of range here"},
        {"halt value=0", "column 6: 'value=0' is no field of this exit"},
        {"debug step breakpoint=0 pc=0", "column 12: 'breakpoint=0' does not go with the other fields"},
        {"debug breakpoint=4 pc=0", "column 7: 'breakpoint=4' is out of range here"},
        {"system-event event=explode", "column 14: 'event=explode' is not one of the words for this field"},
        {"hypercall number=0 args=1,2,3,4,5,6,7",
         "column 20: 'args=1,2,3,4,5,6,7' is not one to six numbers with commas"},
        {"hypercall number=0 args=1,", "column 20: 'args=1,' is not one to six numbers with commas"},
        {"fail cause=host bytes=0", "column 17: 'bytes=0' is not an even number of hexadecimal digits, at most 128"},
        {"halt \x1b[31m", "column 6: '?[31m' is no field of this exit"},
        {"halt xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "column 6: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is no field of this exit"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit = {.kind = VMR_EXIT_EOI, .u.eoi.vector = 7};
        struct vmr_error err = {0};

        assert_int_equal(parse(cases[i].line, &vp_exit, storage, &err), VMR_E_CORRUPT);
        assert_string_equal(err.message, cases[i].message);
        assert_prints_as(&vp_exit, "eoi vector=0x7"); /* untouched */
    }
}

/* Rows of an exit and an answer; a row that is refused holds the message. */
static void an_answer_is_held_to_its_exit(void **state)
{
    static const struct {
        const char *inputs, *answer;
        const char *result; /* the exit, or the message */
        enum vmr_status status;
    } cases[] = {
        {"io read port=0x71 size=1", "value=38", "io read port=0x71 size=1 value=0x26", VMR_OK},
        {"msr read index=0x1b", "fault", "msr read index=0x1b value=0x0 fault", VMR_OK},
        {"msr write index=0x1b value=1", "", "msr write index=0x1b value=0x1", VMR_OK},
        {"cpuid leaf=1 eax=1 ebx=2", "eax=9", "cpuid leaf=0x1 subleaf=0x0 eax=0x9 ebx=0x2 ecx=0x0 edx=0x0", VMR_OK},
        {"io read port=1 size=1 value=5", "value=6", "io read port=0x1 size=1 value=0x6", VMR_OK},
        {"io write port=1 size=1 count=2 string bytes=0102", "", "io write port=0x1 size=1 count=2 string bytes=0102",
         VMR_OK},
        {"io read port=1 size=1", " ", "column 4: an answer to 'io' is missing", VMR_E_CORRUPT},
        {"hypercall number=1", "", "column 4: an answer to 'hypercall' is missing", VMR_E_CORRUPT},
        {"io read port=1 size=1", "value=0x100", "column 4: 'value=0x100' is out of range here", VMR_E_CORRUPT},
        {"io read port=1 size=1", "port=2", "column 4: 'port=2' is not part of this exit's answer", VMR_E_CORRUPT},
        {"io write port=1 size=1 value=0", "value=0", "column 4: 'value=0' is not part of this exit's answer",
         VMR_E_CORRUPT},
        {"io read port=1 size=1 count=2 string", "bytes=01",
         "column 1: 'io' has 1 bytes, but count=2 and size=1 make 2", VMR_E_CORRUPT},
        {"halt", "ready", "column 4: 'ready' is not part of this exit's answer", VMR_E_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit;
        struct vmr_error err = {0};
        char line[64] = "-> ";

        strncat(line, cases[i].answer, sizeof(line) - 4);
        assert_int_equal(parse(cases[i].inputs, &vp_exit, storage, &err), VMR_OK);
        assert_int_equal(exit_text_parse_answer(line, 3, strlen(line), &vp_exit, storage, &err), cases[i].status);
        if (cases[i].status)
            assert_string_equal(err.message, cases[i].result);
        else
            assert_prints_as(&vp_exit, cases[i].result);
    }
}

static void the_text_needs_no_end_mark(void **state)
{
    (void)state;
    uint8_t storage[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit;

    assert_int_equal(exit_text_parse("eoi vector=0x30", 14, &vp_exit, storage, NULL), VMR_OK);
    assert_int_equal(vp_exit.u.eoi.vector, 3);
}

static void a_whole_page_of_bytes_is_taken(void **state)
{
    (void)state;
    uint8_t storage[VMR_STRING_IO_BYTES_MAX], parsed[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit = {
        .kind = VMR_EXIT_IO,
        .u.io = {.size = 4, .count = 1024, .direction = VMR_WRITE, .string = true, .bytes = storage}};
    char line[EXIT_TEXT_MAX];

    for (size_t i = 0; i < sizeof(storage); i++)
        storage[i] = (uint8_t)(i * 13);
    vmr_exit_print(&vp_exit, line, sizeof(line));
    assert_int_equal(parse(line, &vp_exit, parsed, NULL), VMR_OK);
    assert_ptr_equal(vp_exit.u.io.bytes, parsed);
    assert_memory_equal(storage, parsed, sizeof(storage));
}

/* Characters that end words, begin values, or are digits: the ones that change how a line reads. */
static const char disturbing[] = " \t=,0x9f-rw\xff";

static void no_change_of_one_character_yields_an_invalid_exit(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        char line[256];
        size_t length = strlen(samples[i].whole);

        for (size_t at = 0; at < length * (sizeof(disturbing) - 1); at++) {
            uint8_t storage[VMR_STRING_IO_BYTES_MAX];
            struct vmr_exit vp_exit;

            memcpy(line, samples[i].whole, length);
            line[at % length] = disturbing[at / length];
            if (exit_text_parse(line, length, &vp_exit, storage, NULL) == VMR_OK)
                assert_true(vmr_exit_is_valid(&vp_exit));
        }
    }
}

static void no_cut_yields_an_invalid_exit(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        for (size_t length = 0; length < strlen(samples[i].whole); length++) {
            uint8_t storage[VMR_STRING_IO_BYTES_MAX];
            struct vmr_exit vp_exit;

            if (exit_text_parse(samples[i].whole, length, &vp_exit, storage, NULL) == VMR_OK)
                assert_true(vmr_exit_is_valid(&vp_exit));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_comes_back_whole),
        cmocka_unit_test(every_sample_comes_back_by_halves),
        cmocka_unit_test(fields_may_come_in_any_order_and_base),
        cmocka_unit_test(what_is_wrong_is_named_with_its_column),
        cmocka_unit_test(an_answer_is_held_to_its_exit),
        cmocka_unit_test(the_text_needs_no_end_mark),
        cmocka_unit_test(a_whole_page_of_bytes_is_taken),
        cmocka_unit_test(no_change_of_one_character_yields_an_invalid_exit),
        cmocka_unit_test(no_cut_yields_an_invalid_exit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
