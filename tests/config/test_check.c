/* SPDX-License-Identifier: MIT */
/*
 * The check of a configuration: each mistake of the tables is found, alone, at
 * its place. That each rule has a mistake: test_check_files.c.
 */

#include "tests/config/check_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_as_said(const struct check_case *one, enum vmr_status status, const struct vmr_config_report *report)
{
    if (!one->code)
        return status == VMR_OK && report->count == 0;
    return status == VMR_E_CONFIG && report->count == 1 && strcmp(report->findings[0].rule->code, one->code) == 0 &&
           strcmp(report->findings[0].path, one->path) == 0 && report->findings[0].message[0] != '\0';
}

static size_t check_case(const char *table, const struct check_case *one)
{
    struct vmr_config_report report = {0};
    enum vmr_status status = vmr_config_check(one->config, &report);
    bool right = is_as_said(one, status, &report);

    if (!right)
        print_message("cases_%s.c:%d: status %d, want %s at %s\n", table, one->line, (int)status,
                      one->code ? one->code : "nothing", one->path ? one->path : "");
    for (size_t i = 0; !right && i < report.count; i++)
        print_message("    %s at '%s': %s\n", report.findings[i].rule->code, report.findings[i].path,
                      report.findings[i].message);
    vmr_config_report_finish(&report);
    return !right;
}

static void each_mistake_is_found_alone_and_at_its_place(void **state)
{
    size_t wrong = 0, count = 0;

    (void)state;
    for (const struct check_table *table = check_tables; table->name; table++) {
        for (const struct check_case *one = table->cases; one->config; one++, count++)
            wrong += check_case(table->name, one);
    }
    print_message("%zu cases\n", count);
    assert_int_equal(wrong, 0);
}

/* The end of a range is the first address behind it; texts give the last within. */
static void ranges_are_said_with_their_last_address(void **state)
{
    static const struct vmr_memory_config memory = {.mem_size = 1 << 20};
    static const struct vmr_numa_node node = {.mem = &memory};
    struct vmr_pcie_root_complex_config complexes[] = {
        {.name = "rc0", .high_mmio = {.fixed = true, .range = {0x400000000, 0x500000000}}},
        {.name = "rc1", .index = 1, .segment = 1, .high_mmio = {.fixed = true, .range = {0x440000000, 0x480000000}}},
    };
    struct vmr_config config = {
        .numa = {.nodes = &node, .node_count = 1}, .pcie_root_complexes = complexes, .pcie_root_complex_count = 2};
    struct vmr_config_report report = {0};

    (void)state;
    assert_int_equal(vmr_config_check(&config, &report), VMR_E_CONFIG);
    assert_string_equal(report.findings[0].message,
                        "0x440000000-0x47fffffff shares addresses with high_mmio of pcie_root_complexes[0]");
    vmr_config_report_finish(&report);
    report = (struct vmr_config_report){0};
    complexes[1].high_mmio.fixed = false;
    complexes[0].high_mmio.range = (struct vmr_gpa_range){0xff000000, 0x200000000};
    assert_int_equal(vmr_config_check(&config, &report), VMR_E_CONFIG);
    assert_string_equal(report.findings[0].message,
                        "0xff000000-0x1ffffffff shares addresses with the chipset's addresses");
    vmr_config_report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_found_alone_and_at_its_place),
        cmocka_unit_test(ranges_are_said_with_their_last_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
