/* SPDX-License-Identifier: MIT */
/*
 * Reports: order, limits, and text that does nothing to a terminal.
 */

#include "lib/config/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct vmr_config_rule rule = {"CFG-TEST", "It holds.", "Because."};

static void findings_come_in_the_order_of_the_document(void **state)
{
    static const struct {
        uint32_t line, column;
    } places[] = {{0, 0}, {3, 1}, {1, 9}, {0, 0}, {1, 2}, {3, 1}};
    static const char *const expected[] = {"4", "2", "1", "5", "0", "3"};
    struct vmr_config_report report = {0};

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        report_add_at(&report, &rule, &(struct report_place){"x", places[i].line, places[i].column}, "%u", i);
    report_sort(&report);
    for (unsigned i = 0; i < 6; i++)
        assert_string_equal(report.findings[i].message, expected[i]);
    vmr_config_report_finish(&report);
    assert_null(report.findings);
}

static void more_than_the_limit_are_counted_and_not_kept(void **state)
{
    struct vmr_config_report report = {0};

    (void)state;
    for (unsigned i = 0; i < VMR_CONFIG_FINDING_MAX + 10; i++)
        report_add(&report, &rule, NULL, "%u", i);
    assert_int_equal(report.count, VMR_CONFIG_FINDING_MAX);
    assert_int_equal(report.omitted, 10);
    assert_int_equal(report_total(&report), VMR_CONFIG_FINDING_MAX + 10);
    assert_string_equal(report.findings[VMR_CONFIG_FINDING_MAX - 1].message, "255");
    vmr_config_report_finish(&report);
}

static void control_characters_do_not_come_through(void **state)
{
    struct vmr_config_report report = {0};

    (void)state;
    report_add_at(&report, &rule, &(struct report_place){"a\tb", 1, 1}, "%s", "x\033[2Jy\x7fz");
    assert_string_equal(report.findings[0].path, "a?b");
    assert_string_equal(report.findings[0].message, "x?[2Jy?z");
    vmr_config_report_finish(&report);
}

static void a_place_that_is_a_text_is_kept_as_it_is(void **state)
{
    struct vmr_config_report report = {0};

    (void)state;
    report_add_text(&report, &rule, "numa.nodes[1]", "there are %d", 2);
    assert_string_equal(report.findings[0].path, "numa.nodes[1]");
    assert_string_equal(report.findings[0].message, "there are 2");
    assert_int_equal(report.findings[0].line, 0);
    vmr_config_report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_come_in_the_order_of_the_document),
        cmocka_unit_test(more_than_the_limit_are_counted_and_not_kept),
        cmocka_unit_test(a_place_that_is_a_text_is_kept_as_it_is),
        cmocka_unit_test(control_characters_do_not_come_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
