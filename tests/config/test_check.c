/* SPDX-License-Identifier: MIT */
/*
 * The check of a configuration: each mistake of the tables is found, alone, at
 * its place, and each rule has a mistake.
 */

#include "tests/config/check_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name;
    const struct check_case *cases;
} tables[] = {
    {"field", cases_field},     {"load", cases_load},           {"device", cases_device},
    {"pcie", cases_pcie},       {"windows", cases_windows},     {"ports", cases_ports},
    {"numa", cases_numa},       {"processor", cases_processor}, {"hypervisor", cases_hypervisor},
    {"chipset", cases_chipset}, {"vmbus", cases_vmbus},         {"uefi", cases_uefi},
    {"layout", cases_layout},   {"tables", cases_tables},
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

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
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct check_case *one = tables[i].cases; one->config; one++, count++)
            wrong += check_case(tables[i].name, one);
    }
    print_message("%zu cases\n", count);
    assert_int_equal(wrong, 0);
}

static bool has_case(const char *code)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct check_case *one = tables[i].cases; one->config; one++) {
            if (one->code && strcmp(one->code, code) == 0)
                return true;
        }
    }
    return false;
}

static void each_rule_has_a_mistake(void **state)
{
    const struct vmr_config_rule *rule;
    size_t without = 0;

    (void)state;
    for (size_t i = 0; (rule = vmr_config_rule_get(i)); i++) {
        if (!has_case(rule->code) && strncmp(rule->code, "CFG-FILE-", 9) != 0 &&
            strncmp(rule->code, "CFG-TABLES-", 11) != 0) {
            print_message("%s: no case\n", rule->code);
            without++;
        }
    }
    assert_int_equal(without, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_found_alone_and_at_its_place),
        cmocka_unit_test(each_rule_has_a_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
