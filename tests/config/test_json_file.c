/* SPDX-License-Identifier: MIT */
/*
 * Files: what they say, what is wrong with them and where, and hostile ones.
 */

#include "vmrig/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/report.h"
#include "lib/config/rules.h"

/* A small machine, whose parts a test may break. */
static const char small[] = "{\"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": \"1GiB\"}}]}, \"load_mode\": \"none\"}";

static struct vmr_config_file *must_read(const char *text)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;

    if (vmr_config_file_read(text, strlen(text), &file, &report) != VMR_OK)
        fail_msg("%s: %s", report.findings[0].path, report.findings[0].message);
    assert_int_equal(report.count, 0);
    return file;
}

static void a_file_says_what_the_structs_hold(void **state)
{
    struct vmr_config_file *file = must_read(small);
    const struct vmr_config *config = vmr_config_file_get(file);

    (void)state;
    assert_int_equal(config->numa.node_count, 1);
    assert_true(config->numa.nodes[0].mem->mem_size == UINT64_C(1) << 30);
    assert_int_equal(config->numa.nodes[0].vps.kind, VMR_VPS_FROM_TOPOLOGY);
    assert_int_equal(config->load_mode.mode, VMR_LOAD_NONE);
    vmr_config_file_destroy(file);
    vmr_config_file_destroy(NULL);
}

static void the_text_is_not_needed_later(void **state)
{
    char *text = strdup(small);
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = must_read(text);

    (void)state;
    memset(text, 'x', strlen(text));
    free(text);
    report_add(&report, &rules_file[0], &(struct config_path){22, "numa.nodes[0].mem.size"}, "x");
    vmr_config_file_locate(file, &report);
    assert_int_equal(report.findings[0].line, 1);
    assert_int_equal(report.findings[0].column, 29); /* the object that has no such key */
    vmr_config_report_finish(&report);
    vmr_config_file_destroy(file);
}

/* What `text` is refused for: "line:column CODE path" a line. */
static void expect_findings(const char *text, const char *expected)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    char seen[8192] = "";
    size_t length = 0;

    assert_int_equal(vmr_config_file_read(text, strlen(text), &file, &report), VMR_E_CONFIG);
    assert_null(file);
    for (size_t i = 0; i < report.count; i++) {
        const struct vmr_config_finding *one = &report.findings[i];

        length += (size_t)snprintf(seen + length, sizeof(seen) - length, "%u:%u %s %s\n", one->line, one->column,
                                   one->rule->code, one->path);
        assert_true(length < sizeof(seen));
    }
    assert_string_equal(seen, expected);
    vmr_config_report_finish(&report);
}

static void everything_wrong_is_found_in_one_go_in_the_order_of_the_text(void **state)
{
    (void)state;
    expect_findings("{\n"
                    " \"arch\": \"x86\",\n"
                    " \"laod_mode\": 5,\n"
                    " \"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": \"1GB\"}, \"vps\": \"emty\"}]},\n"
                    " \"processor_topology\": {\"proc_count\": 1.0},\n"
                    " \"arch\": \"arm64\"\n"
                    "}",
                    "2:10 CFG-FILE-NAME-UNKNOWN arch\n"
                    "3:2 CFG-FILE-KEY-UNKNOWN laod_mode\n"
                    "4:42 CFG-FILE-NUMBER-TEXT numa.nodes[0].mem.mem_size\n"
                    "4:57 CFG-FILE-NAME-UNKNOWN numa.nodes[0].vps\n"
                    "5:39 CFG-FILE-INTEGER processor_topology.proc_count\n"
                    "6:2 CFG-FILE-KEY-TWICE arch\n");
}

static void findings_of_the_rules_have_places_among_those_of_the_text(void **state)
{
    (void)state;
    expect_findings("{\"numa\": {\"nodes\": [\n"
                    " {\"mem\": {\"mem_size\": 4097}},\n"
                    " {\"mem\": {\"mem_size\": true}}]},\n"
                    " \"secure_boot_enabled\": true}",
                    "2:23 CFG-NUMA-MEMORY-PAGE numa.nodes[0].mem.mem_size\n"
                    "3:23 CFG-FILE-TYPE numa.nodes[1].mem.mem_size\n"
                    "4:25 CFG-UEFI-SECURE-BOOT secure_boot_enabled\n");
}

static void what_could_not_be_read_is_not_missed_again(void **state)
{
    (void)state;
    /* A node without memory, a port without a name: that is how it looks to a check. */
    expect_findings("{\"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": true}}]}}",
                    "1:42 CFG-FILE-TYPE numa.nodes[0].mem.mem_size\n");
    expect_findings("{\"numa\": {\"nodes\": [{\"mem\": {\"mem_sise\": \"1GiB\"}}]}}",
                    "1:30 CFG-FILE-KEY-UNKNOWN numa.nodes[0].mem.mem_sise\n");
    expect_findings(
        "{\"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": \"1GiB\"}}]}, \"load_mode\": {\"linux\": {\"kernel\": 1}}}",
        "1:88 CFG-FILE-TYPE load_mode.linux.kernel\n");
    /* Nor what was meant. */
    expect_findings("{\"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": \"1GiB\"}}]}, \"load_mode\": {\"linux\": "
                    "{\"kernl\": \"a\"}}}",
                    "1:78 CFG-FILE-KEY-UNKNOWN load_mode.linux.kernl\n");
}

static void a_report_keeps_what_was_in_it(void **state)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;

    (void)state;
    report_add_at(&report, &rules_file[0], &(struct report_place){"other", 99, 1}, "of another file");
    assert_int_equal(vmr_config_file_read("{\"a\": 1}", 8, &file, &report), VMR_E_CONFIG);
    assert_true(report.count >= 2);
    assert_string_equal(report.findings[0].path, "other");
    vmr_config_report_finish(&report);
}

/* --- hostile texts: bounded, and never a crash --- */

static void more_mistakes_than_anybody_reads_are_counted(void **state)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    const size_t count = 100000;
    char *text = malloc(32 * count);
    size_t length = 1;

    (void)state;
    assert_non_null(text);
    text[0] = '{';
    for (size_t i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, "\"%s%zu\": 1,", i % 2 ? "numb" : "k", i / 4);
    text[length - 1] = '}';
    assert_int_equal(vmr_config_file_read(text, length, &file, &report), VMR_E_CONFIG);
    assert_int_equal(report.count, VMR_CONFIG_FINDING_MAX);
    /* Each key is unknown, and half of them come twice. */
    assert_true(report_total(&report) >= count + count / 2);
    vmr_config_report_finish(&report);
    free(text);
}

static void resources_may_stand_on_others_up_to_the_limit(void **state)
{
    char text[4096] = "{\"isa_dma_controller\": ";
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        strcat(text, "{\"id\": \"a\", \"parameters\": {\"b\": ");
    strcat(text, "1");
    for (unsigned i = 0; i < 20; i++)
        strcat(text, "}}");
    strcat(text, "}");
    assert_int_equal(vmr_config_file_read(text, strlen(text), &file, &report), VMR_E_CONFIG);
    assert_string_equal(report.findings[0].rule->code, "CFG-FILE-DEPTH");
    vmr_config_report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_says_what_the_structs_hold),
        cmocka_unit_test(the_text_is_not_needed_later),
        cmocka_unit_test(everything_wrong_is_found_in_one_go_in_the_order_of_the_text),
        cmocka_unit_test(findings_of_the_rules_have_places_among_those_of_the_text),
        cmocka_unit_test(what_could_not_be_read_is_not_missed_again),
        cmocka_unit_test(a_report_keeps_what_was_in_it),
        cmocka_unit_test(more_mistakes_than_anybody_reads_are_counted),
        cmocka_unit_test(resources_may_stand_on_others_up_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
