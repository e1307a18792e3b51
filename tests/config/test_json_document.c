/* SPDX-License-Identifier: MIT */
/*
 * Texts of JSON, and what is none: places, limits, hostile bytes.
 */

#include "lib/config/json_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/config_file.h"

/* --- what is read --- */

static const char sample[] =
    "{\r\n"
    "  \"a\": [1, -2.5e3 , true,false,null],\n"
    "\t\"\\u00e9\\ud83d\\ude00\": \"x\\ny\", \"\xc3\xa9\xc3\xa9\": {\"b.c\": [[7]], \"b\": {\"c\": 8}},\n"
    "  \"z\":\"\" }\n";

/* Long because the table is: each kind of value, and of what is not there. */
static void values_have_their_places(void **state)
{
    static const struct {
        const char *path;
        uint32_t line, column;
        enum doc_kind kind;
        const char *text; /* of what has one */
    } rows[] = {
        {"", 1, 1, DOC_OBJECT, NULL},
        {"a", 2, 8, DOC_ARRAY, NULL},
        {"a[0]", 2, 9, DOC_NUMBER, "1"},
        {"a[1]", 2, 12, DOC_NUMBER, "-2.5e3"},
        {"a[2]", 2, 21, DOC_BOOL, "true"},
        {"a[3]", 2, 26, DOC_BOOL, "false"},
        {"a[4]", 2, 32, DOC_NULL, "null"},
        {"\xc3\xa9\xf0\x9f\x98\x80", 3, 24, DOC_TEXT, "x\ny"},
        {"\xc3\xa9\xc3\xa9", 3, 38, DOC_OBJECT, NULL},    /* two characters, four bytes */
        {"\xc3\xa9\xc3\xa9.b.c", 3, 46, DOC_ARRAY, NULL}, /* the longer key */
        {"\xc3\xa9\xc3\xa9.b.c[0][0]", 3, 48, DOC_NUMBER, "7"},
        {"\xc3\xa9\xc3\xa9.b", 3, 58, DOC_OBJECT, NULL},
        {"z", 4, 7, DOC_TEXT, ""},
        /* What is not there is where it would be. */
        {"a[5]", 2, 8, DOC_ARRAY, NULL},
        {"a[99999999999999999999]", 2, 8, DOC_ARRAY, NULL},
        {"a.b", 2, 8, DOC_ARRAY, NULL},
        {"z.b[3]", 4, 7, DOC_TEXT, ""},
        {"missing.key", 1, 1, DOC_OBJECT, NULL},
        {"[0]", 1, 1, DOC_OBJECT, NULL},
    };
    struct vmr_config_report report = {0};
    struct arena arena = {0};
    const struct doc_value *root = NULL;

    (void)state;
    assert_int_equal(doc_read(sample, sizeof(sample) - 1, &arena, &root, &report), VMR_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct doc_value *value = doc_find(root, rows[i].path);

        if (value->place.line != rows[i].line || value->place.column != rows[i].column || value->kind != rows[i].kind)
            fail_msg("%s: %u:%u", rows[i].path, value->place.line, value->place.column);
        if (rows[i].text && (value->length != strlen(rows[i].text) || memcmp(value->text, rows[i].text, value->length)))
            fail_msg("%s: %.*s", rows[i].path, (int)value->length, value->text);
    }
    assert_int_equal(root->count, 4);
    assert_true(doc_find(root, "a[2]")->flag && !doc_find(root, "a[3]")->flag);
    assert_int_equal(doc_find(root, "z")->key_place.column, 3);
    arena_finish(&arena);
}

/* --- what is refused --- */

static void expect_refusal(const char *text, size_t length, const char *code, uint32_t line, uint32_t column)
{
    struct vmr_config_report report = {0};
    struct arena arena = {0};
    const struct doc_value *root = NULL;
    /* Exactly as long as it says, so that one byte more is seen by a sanitizer. */
    char *copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, text, length);
    assert_int_equal(doc_read(copy, length, &arena, &root, &report), VMR_E_CONFIG);
    assert_null(root);
    assert_int_equal(report.count, 1);
    if (strcmp(report.findings[0].rule->code, code) != 0 || report.findings[0].line != line ||
        report.findings[0].column != column)
        fail_msg("%.40s: %s at %u:%u: %s", text, report.findings[0].rule->code, report.findings[0].line,
                 report.findings[0].column, report.findings[0].message);
    free(copy);
    arena_finish(&arena);
    vmr_config_report_finish(&report);
}

static void what_is_no_json_is_refused_where_it_is_not(void **state)
{
    static const struct {
        const char *text, *code;
        uint32_t line, column;
    } rows[] = {
        {"", "CFG-FILE-SYNTAX", 1, 1},
        {"{", "CFG-FILE-SYNTAX", 1, 2},
        {"{\"a\": 1", "CFG-FILE-SYNTAX", 1, 8},
        {"{\"a\": [1,\n2,]}", "CFG-FILE-SYNTAX", 2, 3},
        {"{\"a\" 1}", "CFG-FILE-SYNTAX", 1, 6},
        {"{} {}", "CFG-FILE-SYNTAX", 1, 4},
        {"{}}", "CFG-FILE-SYNTAX", 1, 3},
        {"{\"a\": 01}", "CFG-FILE-SYNTAX", 1, 7},
        {"{\"a\": tru}", "CFG-FILE-SYNTAX", 1, 7},
        {"// no comments\n{}", "CFG-FILE-SYNTAX", 1, 1},
        {"{\"a\": \"\\ud800\"}", "CFG-FILE-SYNTAX", 1, 7},
        {"{\"a\": 1e999}", "CFG-FILE-SYNTAX", 1, 7},
        {"{\"a\": \"\xff\"}", "CFG-FILE-ENCODING", 1, 7},
        {"{\"a\": \"\xc0\x80\"}", "CFG-FILE-ENCODING", 1, 7},
        {"{\"a\": \"\xed\xa0\x80\"}", "CFG-FILE-ENCODING", 1, 7},
        {"{\"a\": \"\xe2\x82", "CFG-FILE-ENCODING", 1, 7},
        {"\xef\xbb\xbf{}", "CFG-FILE-SYNTAX", 1, 1}, /* a byte order mark is no space */
        {"{\"a\\u0000b\": 1}", "CFG-FILE-TEXT-NUL", 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_refusal(rows[i].text, strlen(rows[i].text), rows[i].code, rows[i].line, rows[i].column);
    expect_refusal("{\0}", 3, "CFG-FILE-SYNTAX", 1, 2);
    expect_refusal("{\"a\": \"\0\"}", 10, "CFG-FILE-SYNTAX", 1, 8);
}

static char *filled(size_t length, char c)
{
    char *text = malloc(length + 1);

    assert_non_null(text);
    memset(text, c, length);
    text[length] = '\0';
    return text;
}

static void limits_hold_before_anything_is_read(void **state)
{
    const size_t huge = (size_t)100 << 20;
    char *text = filled(huge, ' ');

    (void)state;
    expect_refusal(text, VMR_CONFIG_FILE_BYTES_MAX + 1u, "CFG-FILE-SIZE", 1, 1);
    expect_refusal(text, huge, "CFG-FILE-SIZE", 1, 1);
    memset(text, '[', VMR_CONFIG_FILE_BYTES_MAX);
    expect_refusal(text, VMR_CONFIG_FILE_BYTES_MAX, "CFG-FILE-DEPTH", 1, VMR_CONFIG_FILE_DEPTH_MAX + 1);
    for (size_t i = 0; i < VMR_CONFIG_FILE_BYTES_MAX; i++)
        text[i] = i % 2 == 0 ? '1' : ',';
    text[0] = '[';
    expect_refusal(text, VMR_CONFIG_FILE_BYTES_MAX, "CFG-FILE-VALUES", 1, 2 * VMR_CONFIG_FILE_VALUES_MAX - 2);
    free(text);
}

static void brackets_in_texts_are_none(void **state)
{
    struct vmr_config_report report = {0};
    struct arena arena = {0};
    const struct doc_value *root = NULL;
    char *text = filled(100, '[');

    (void)state;
    text[0] = '"';
    text[50] = '\\';
    text[51] = '"';
    text[99] = '"';
    assert_int_equal(doc_read(text, 100, &arena, &root, &report), VMR_OK);
    assert_int_equal(root->length, 97);
    free(text);
    arena_finish(&arena);
}

/* One line of four megabytes: places are counted once, not from its beginning for each value. */
static void a_long_line_takes_no_longer_than_many(void **state)
{
    struct vmr_config_report report = {0};
    struct arena arena = {0};
    const struct doc_value *root = NULL;
    const size_t count = VMR_CONFIG_FILE_VALUES_MAX - 2;
    const size_t length = 1 + 15 * count;
    char *text = filled(length, ' ');

    (void)state;
    text[0] = '[';
    for (size_t i = 0; i < count; i++)
        memcpy(text + 1 + 15 * i, "\"1234567890\"  ,", 15);
    text[length - 1] = ']';
    assert_int_equal(doc_read(text, length, &arena, &root, &report), VMR_OK);
    assert_int_equal(root->count, count);
    assert_int_equal(doc_find(root, "[262141]")->place.column, 2 + 15 * (count - 1));
    free(text);
    arena_finish(&arena);
}

static void a_text_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof(sample) - 3; length++) {
        struct vmr_config_report report = {0};
        struct arena arena = {0};
        const struct doc_value *root = NULL;
        char *copy = malloc(length > 0 ? length : 1);

        assert_non_null(copy);
        memcpy(copy, sample, length);
        assert_int_equal(doc_read(copy, length, &arena, &root, &report), VMR_E_CONFIG);
        assert_int_equal(report.count, 1);
        assert_true(report.findings[0].line > 0 && report.findings[0].column > 0);
        free(copy);
        vmr_config_report_finish(&report);
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_places),
        cmocka_unit_test(what_is_no_json_is_refused_where_it_is_not),
        cmocka_unit_test(limits_hold_before_anything_is_read),
        cmocka_unit_test(brackets_in_texts_are_none),
        cmocka_unit_test(a_long_line_takes_no_longer_than_many),
        cmocka_unit_test(a_text_may_end_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
