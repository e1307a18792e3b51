/* SPDX-License-Identifier: MIT */
/*
 * Every field of the tables at the edges of what it may be: written into a file
 * that has nothing else, and read again.
 */

#include "lib/config/json_reader.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What stands around a field: a value between the two makes a file. */
struct around {
    char before[1024], after[1024], path[VMR_CONFIG_PATH_MAX];
};

static size_t seen[MODEL_KIND_COUNT];

static void expect(const struct around *around, const char *value, const char *code)
{
    char text[4096];
    struct vmr_config_report report = {0};
    struct vmr_config config = {0};
    struct arena arena = {0};
    struct json_reader reader = {.arena = &arena, .report = &report};
    const struct doc_value *root = NULL;

    snprintf(text, sizeof(text), "%s%s%s", around->before, value, around->after);
    assert_int_equal(doc_read(text, strlen(text), &arena, &root, &report), VMR_OK);
    json_read_struct(&reader, &model_config, root, &config);
    if (!code && report.count > 0)
        fail_msg("%s: %s: %s", text, report.findings[0].path, report.findings[0].message);
    if (code && (report.count != 1 || strcmp(report.findings[0].rule->code, code) != 0))
        fail_msg("%s: %zu findings, not %s", text, report.count, code);
    if (code && strcmp(report.findings[0].path, around->path) != 0)
        fail_msg("%s: at %s", text, report.findings[0].path);
    vmr_config_report_finish(&report);
    arena_finish(&arena);
}

static void check_unsigned(const struct around *around, const struct model_field *field)
{
    const uint64_t most = field->width < 8 ? (UINT64_C(1) << (8 * field->width)) - 1 : UINT64_MAX;
    char text[48];

    expect(around, "0", NULL);
    snprintf(text, sizeof(text), "%" PRIu64, most);
    expect(around, text, NULL);
    snprintf(text, sizeof(text), "\"0x%" PRIx64 "\"", most);
    expect(around, text, NULL);
    snprintf(text, sizeof(text), "\"0x1%0*d\"", (int)(2 * field->width), 0);
    expect(around, text, "CFG-FILE-NUMBER-FIT");
    if (most < UINT64_MAX) {
        snprintf(text, sizeof(text), "%" PRIu64, most + 1);
        expect(around, text, "CFG-FILE-NUMBER-FIT");
    }
    expect(around, "18446744073709551616", "CFG-FILE-NUMBER-FIT");
    expect(around, "-1", "CFG-FILE-NUMBER-FIT");
    expect(around, "0.0", "CFG-FILE-INTEGER");
    expect(around, "\"1K\"", field->is_size ? NULL : "CFG-FILE-NUMBER-TEXT");
    expect(around, "true", "CFG-FILE-TYPE");
}

static void check_names(const struct around *around, const struct model_field *field)
{
    char text[64];

    for (size_t i = 0; i < field->name_count; i++) {
        snprintf(text, sizeof(text), "\"%s\"", field->names[i]);
        expect(around, text, NULL);
        snprintf(text, sizeof(text), "\"%s_\"", field->names[i]);
        expect(around, text, "CFG-FILE-NAME-UNKNOWN");
    }
    expect(around, "\"\"", "CFG-FILE-NAME-UNKNOWN");
    expect(around, "0", "CFG-FILE-TYPE");
}

static void check_alternatives(const struct around *around, const struct model_field *field);
static void check_struct(const struct around *around, const struct model_struct *type);
static void check_field(const struct around *around, const struct model_field *field);

/* One more step inwards: `open` and `close` are brackets, with the key. */
static struct around inside(const struct around *around, const char *open, const char *close, const char *step)
{
    struct around inner;
    int length = snprintf(inner.before, sizeof(inner.before), "%s%s", around->before, open);

    assert_true(length < (int)sizeof(inner.before));
    length = snprintf(inner.after, sizeof(inner.after), "%s%s", close, around->after);
    assert_true(length < (int)sizeof(inner.after));
    length = snprintf(inner.path, sizeof(inner.path), "%s%s%s", around->path,
                      step[0] != '[' && around->path[0] != '\0' ? "." : "", step);
    assert_true(length < (int)sizeof(inner.path));
    return inner;
}

static void check_struct(const struct around *around, const struct model_struct *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        char open[80];

        snprintf(open, sizeof(open), "{\"%s\": ", type->fields[i].name);

        struct around inner = inside(around, open, "}", type->fields[i].name);

        check_field(&inner, &type->fields[i]);
    }
    expect(around, "{}", NULL);
    expect(around, "null", "CFG-FILE-TYPE");
}

static void check_alternatives(const struct around *around, const struct model_field *field)
{
    for (size_t i = 0; i < field->alternative_count; i++) {
        const struct model_field *one = &field->alternatives[i];
        const bool bare = one->kind == MODEL_NOTHING || one->kind == MODEL_STRUCT;
        char text[80];

        snprintf(text, sizeof(text), "\"%s\"", one->name);
        expect(around, text, bare ? NULL : "CFG-FILE-CHOICE");
        snprintf(text, sizeof(text), "{\"%s\": ", one->name);

        struct around inner = inside(around, text, "}", one->name);

        if (one->kind != MODEL_NOTHING)
            check_field(&inner, one);
    }
    expect(around, "\"other\"", "CFG-FILE-NAME-UNKNOWN");
    expect(around, "1", "CFG-FILE-CHOICE");
}

static void check_array(const struct around *around, const struct model_field *field)
{
    struct around inner = inside(around, "[", "]", "[0]");

    check_field(&inner, field->element);
    expect(around, "[]", NULL);
    expect(around, "{}", "CFG-FILE-TYPE");
}

static void check_one_value(const struct around *around, const struct model_field *field)
{
    static const struct {
        const char *good, *bad, *code;
    } values[MODEL_KIND_COUNT] = {
        [MODEL_BOOL] = {"true", "1", "CFG-FILE-TYPE"},
        [MODEL_SIGNED] = {"-9223372036854775808", "9223372036854775808", "CFG-FILE-NUMBER-FIT"},
        [MODEL_TEXT] = {"\"\\u00e9\"", "\"\\u0000\"", "CFG-FILE-TEXT-NUL"},
        [MODEL_BLOB] = {"\"a/b\"", "[]", "CFG-FILE-TYPE"},
        [MODEL_GUID] = {"\"00112233-4455-6677-8899-aabbccddeeff\"", "\"00112233\"", "CFG-FILE-GUID"},
        [MODEL_MAC] = {"\"52:54:00:12:34:56\"", "\"525400123456\"", "CFG-FILE-MAC"},
        [MODEL_RANGE] = {"\"0x0-0xfffffffffffffffe\"", "\"0x0-0xffffffffffffffff\"", "CFG-FILE-RANGE"},
        [MODEL_BYTES] = {"\"00Ff\"", "\"00F\"", "CFG-FILE-BYTES"},
        [MODEL_RESOURCE] = {"{\"id\": \"a\"}", "{}", "CFG-FILE-RESOURCE"},
    };

    if (!values[field->kind].good)
        fail_msg("%s has a kind without values", around->path);
    expect(around, values[field->kind].good, NULL);
    expect(around, values[field->kind].bad, values[field->kind].code);
}

static void check_field(const struct around *around, const struct model_field *field)
{
    seen[field->kind]++;
    if (field->kind == MODEL_UNSIGNED)
        check_unsigned(around, field);
    else if (field->kind == MODEL_ENUM)
        check_names(around, field);
    else if (field->kind == MODEL_STRUCT || field->kind == MODEL_POINTER)
        check_struct(around, field->type);
    else if (field->kind == MODEL_ARRAY || field->kind == MODEL_FIXED)
        check_array(around, field);
    else if (field->kind == MODEL_CHOICE)
        check_alternatives(around, field);
    else
        check_one_value(around, field);
}

static void every_field_takes_what_fits_and_refuses_the_next(void **state)
{
    const struct around nothing = {0};

    (void)state;
    check_struct(&nothing, &model_config);
    for (int kind = MODEL_BOOL; kind < MODEL_PARAMETERS; kind++) {
        if (seen[kind] == 0)
            fail_msg("no field of kind %d", kind);
    }
    assert_true(seen[MODEL_UNSIGNED] > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_takes_what_fits_and_refuses_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
