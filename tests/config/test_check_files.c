/* SPDX-License-Identifier: MIT */
/*
 * The check through the other front end: what is wrong with a struct is wrong
 * with the file that says the same, at the same place. And whatever becomes of a
 * good file, each finding names a place in it.
 */

#include "tests/config/cases_file.h"
#include "tests/config/check_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/json_document.h"
#include "vmrig/config_file.h"

#define MUTATIONS 100u /* of each good configuration */
#define MUTANT_MAX (64u << 10)

/* --- places --- */

/* The path without its last step. */
static void cut_step(char *path)
{
    size_t length = strlen(path);

    while (length > 0 && path[length - 1] != '.' && path[length - 1] != '[')
        length--;
    path[length > 0 ? length - 1 : 0] = '\0';
}

/* What stands at a path is deeper in the document than what stands at the path without its last step. */
static bool is_there(const struct doc_value *root, const char *path)
{
    char parent[VMR_CONFIG_PATH_MAX];

    strcpy(parent, path);
    cut_step(parent);
    return *path == '\0' || doc_find(root, path) != doc_find(root, parent);
}

/* Itself, or what it should be in. */
static bool names_a_place(const struct doc_value *root, const char *path)
{
    char parent[VMR_CONFIG_PATH_MAX];

    strcpy(parent, path);
    cut_step(parent);
    return is_there(root, path) || is_there(root, parent);
}

/* Of two values with one key, a path names either. */
static bool has_key_twice(const struct vmr_config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->findings[i].rule->code, "CFG-FILE-KEY-TWICE") == 0)
            return true;
    }
    return false;
}

static void check_places(const char *text, size_t length, const struct vmr_config_report *report)
{
    struct arena arena = {0};
    struct vmr_config_report none = {0};
    const struct doc_value *root;

    if (!has_key_twice(report) && doc_read(text, length, &arena, &root, &none) == VMR_OK) {
        for (size_t i = 0; i < report->count; i++) {
            if (!names_a_place(root, report->findings[i].path))
                fail_msg("%s at '%s' is nowhere in %.600s", report->findings[i].rule->code, report->findings[i].path,
                         text);
            if (report->findings[i].path[0] != '\0' && report->findings[i].line == 0)
                fail_msg("%s at '%s' has no line", report->findings[i].rule->code, report->findings[i].path);
        }
    }
    vmr_config_report_finish(&none);
    arena_finish(&arena);
}

/* --- cases as files --- */

/* The only finding of a text; false, and said: there is another, or none. */
static bool is_found(const char *text, size_t length, const char *code, const char *path)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    enum vmr_status status = vmr_config_file_read(text, length, &file, &report);
    bool right = code ? status == VMR_E_CONFIG && report.count == 1 &&
                            strcmp(report.findings[0].rule->code, code) == 0 &&
                            strcmp(report.findings[0].path, path) == 0
                      : status == VMR_OK;

    for (size_t i = 0; !right && i < report.count; i++)
        print_message("    %s at '%s': %s\n", report.findings[i].rule->code, report.findings[i].path,
                      report.findings[i].message);
    check_places(text, length, &report);
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return right;
}

/* Where a file cannot say the mistake, or says another: there is no such file, or the reader has refused it. */
static bool is_said_by_files(const struct check_case *one)
{
    if (one->config->load_mode.pcat.boot_order_count > VMR_PCAT_BOOT_DEVICE_COUNT)
        return false;
    return !one->code ||
           (strncmp(one->code, "CFG-FIELD-", 10) != 0 &&
            /* A range that ends before it begins, and disks of stores that have none. */
            strcmp(one->code, "CFG-PCIE-WINDOW-EMPTY") != 0 && strcmp(one->code, "CFG-DEVICE-VMGS-DISK-UNUSED") != 0 &&
            strcmp(one->code, "CFG-DEVICE-VMGS-DISK-MISSING") != 0);
}

static void a_file_is_refused_as_the_struct_is(void **state)
{
    size_t wrong = 0, count = 0;

    (void)state;
    for (const struct check_table *table = check_tables; table->name; table++) {
        for (const struct check_case *one = table->cases; one->config; one++) {
            struct vmr_config_text text = {0};

            if (!is_said_by_files(one) || vmr_config_print(one->config, &text, NULL) != VMR_OK)
                continue;
            if (!is_found(text.bytes, text.length, one->code, one->path)) {
                print_message("cases_%s.c:%d: want %s at '%s'\n%s", table->name, one->line,
                              one->code ? one->code : "none", one->path ? one->path : "", text.bytes);
                wrong++;
            }
            free(text.bytes);
            count++;
        }
    }
    print_message("%zu files\n", count);
    assert_true(count > 350);
    assert_int_equal(wrong, 0);
}

/* --- what is no configuration file --- */

static char *expand(const struct file_case *one, size_t *ret_length)
{
    size_t length = one->length ? one->length : strlen(one->text), head = length > 0 ? length - 1 : 0;
    size_t step = one->repeated ? strlen(one->repeated) : 0;
    char *text = malloc(length + step * one->times + 1);

    assert_non_null(text);
    memcpy(text, one->text, head);
    for (size_t i = 0; i < one->times; i++)
        memcpy(text + head + i * step, one->repeated, step);
    memcpy(text + head + one->times * step, one->text + head, length - head);
    *ret_length = length + step * one->times;
    return text;
}

static void a_text_that_is_none_is_refused_for_its_reason(void **state)
{
    (void)state;
    for (const struct file_case *one = cases_file; one->text; one++) {
        size_t length;
        char *text = expand(one, &length);

        if (!is_found(text, length, one->code, one->path))
            fail_msg("want %s at '%s': %.200s", one->code, one->path, one->text);
        free(text);
    }
}

/* --- each rule has a case --- */

static bool has_case(const char *code)
{
    for (const struct check_table *table = check_tables; table->name; table++) {
        for (const struct check_case *one = table->cases; one->config; one++) {
            if (one->code && strcmp(one->code, code) == 0)
                return true;
        }
    }
    for (const struct file_case *one = cases_file; one->text; one++) {
        if (strcmp(one->code, code) == 0)
            return true;
    }
    return false;
}

static void each_rule_has_a_case(void **state)
{
    const struct vmr_config_rule *rule;
    size_t without = 0;

    (void)state;
    for (size_t i = 0; (rule = vmr_config_rule_get(i)); i++) {
        if (!has_case(rule->code)) {
            print_message("%s: no case\n", rule->code);
            without++;
        }
    }
    assert_int_equal(without, 0);
}

/* --- files that something has happened to --- */

static uint64_t roll(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* A value of the text from `start` on; 0: there is none. */
static size_t value_length(const char *start)
{
    if (*start == '"')
        return strcspn(start + 1, "\"") + 2;
    return strspn(start, "-0123456789truefalsn");
}

/* Values, not keys, which are at the beginning of a line. */
static bool begins_value(const char *text, size_t at)
{
    return text[at] == '[' || (at > 0 && text[at] == ' ' && strchr(":,", text[at - 1]));
}

static size_t find_value(const char *text, size_t length, uint64_t *seed)
{
    size_t at = roll(seed) % length;

    while (at < length && !(begins_value(text, at) && value_length(text + at + 1) > 0))
        at++;
    return at < length ? at + 1 : 0;
}

/* One value becomes another: an edge, or what stands elsewhere in the text. */
static size_t mutate(const char *text, size_t length, uint64_t *seed, char *ret_mutant)
{
    static const char *const edges[] = {
        "0",
        "1",
        "2",
        "254",
        "255",
        "256",
        "1023",
        "1025",
        "65535",
        "4294967295",
        "-1",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"a\"",
        "\"0xffffffffffffffff\"",
        "\"0xfffffffffffff000\"",
        "\"0x10000000000000\"",
        "\"1GiB\"",
        "\"0xe0000000-0xefffffff\"",
        "\"arm64\"",
        "\"none\"",
        "\"empty\"",
        "9223372036854775807",
    };
    size_t at = find_value(text, length, seed), from = find_value(text, length, seed);
    const char *other = roll(seed) % 3 ? edges[roll(seed) % (sizeof(edges) / sizeof(edges[0]))] : text + from;
    size_t old_length = value_length(text + at);
    size_t other_length = other == text + from ? value_length(other) : strlen(other);

    memcpy(ret_mutant, text, at);
    memcpy(ret_mutant + at, other, other_length);
    memcpy(ret_mutant + at + other_length, text + at + old_length, length - at - old_length);
    return length - old_length + other_length;
}

static bool try_mutant(const char *text, size_t length)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    enum vmr_status status = vmr_config_file_read(text, length, &file, &report);

    assert_true(status == VMR_OK ? report.count == 0 : status == VMR_E_CONFIG && report.count > 0);
    check_places(text, length, &report);
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return status != VMR_OK;
}

static void whatever_becomes_of_a_file_findings_name_places_in_it(void **state)
{
    static char mutants[2][MUTANT_MAX];
    uint64_t seed = 1;
    size_t refused = 0, count = 0;

    (void)state;
    for (const struct check_table *table = check_tables; table->name; table++) {
        for (const struct check_case *one = table->cases; one->config; one++) {
            struct vmr_config_text text = {0};

            if (one->code || vmr_config_print(one->config, &text, NULL) != VMR_OK || text.length > MUTANT_MAX / 2) {
                free(text.bytes);
                continue;
            }
            for (size_t i = 0; i < MUTATIONS; i++, count++) {
                size_t length = mutate(text.bytes, text.length, &seed, mutants[0]);

                if (i % 2)
                    length = mutate(mutants[0], length, &seed, mutants[1]);
                refused += try_mutant(mutants[i % 2], length);
            }
            free(text.bytes);
        }
    }
    print_message("%zu of %zu refused\n", refused, count);
    assert_true(refused > count / 4 && refused < count * 19 / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_refused_as_the_struct_is),
        cmocka_unit_test(a_text_that_is_none_is_refused_for_its_reason),
        cmocka_unit_test(each_rule_has_a_case),
        cmocka_unit_test(whatever_becomes_of_a_file_findings_name_places_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
