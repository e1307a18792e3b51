/* SPDX-License-Identifier: MIT */
/*
 * The order of findings: that of the document, whatever it was before.
 */

#include "lib/config/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* In their order. */
static const char *const paths[] = {
    "",
    "nonsense",
    "arch",
    "load_mode",
    "load_mode.linux.kernel",
    "load_mode.linux.custom_dsdt",
    "pcie_root_complexes",
    "pcie_root_complexes[2].ports",
    "pcie_root_complexes[2].ports[9].devfn",
    "pcie_root_complexes[2].ports[10].name",
    "pcie_root_complexes[2].ports[10].devfn",
    "pcie_root_complexes[10].segment",
    "pcie_devices[0].resource.parameters.z",
    "pcie_devices[0].resource.parameters.a[",
    "numa.nodes[1].mem.mem_size",
    "numa.nodes[1].vps.explicit[1]",
    "numa.nodes[1].vps.explicit[4000]",
    "numa.distances[0].src",
    "custom_uefi_vars.signatures.pk[0].sha256",
    "custom_uefi_vars.signatures.db[0].x509",
};

#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void fill(struct vmr_config_report *report, struct vmr_config_finding *findings, size_t step)
{
    *report = (struct vmr_config_report){.findings = findings, .count = PATHS, .capacity = PATHS};
    for (size_t i = 0; i < PATHS; i++)
        snprintf(findings[i].path, sizeof(findings[i].path), "%s", paths[i * step % PATHS]);
}

static void findings_come_in_the_order_of_the_document(void **state)
{
    static struct vmr_config_finding findings[PATHS];

    (void)state;
    /* Steps that share no factor with the number of paths: each is there once. */
    for (size_t step = 1; step < PATHS; step += 2) {
        struct vmr_config_report report;
        struct arena arena = {0};

        if (step == 5 || step == 15)
            continue;
        fill(&report, findings, step);
        assert_true(order_findings(&report, 0, &arena));
        for (size_t i = 2; i < PATHS; i++) {
            /* What has no place in the tables comes before all, as it came; parameters come as they came. */
            if (strstr(paths[i], "parameters"))
                assert_non_null(strstr(findings[i].path, "parameters"));
            else
                assert_string_equal(findings[i].path, paths[i]);
        }
        arena_finish(&arena);
    }
}

static void what_was_there_before_stays(void **state)
{
    static struct vmr_config_finding findings[PATHS];
    struct vmr_config_report report;
    struct arena arena = {0};

    (void)state;
    fill(&report, findings, PATHS - 1);
    assert_true(order_findings(&report, PATHS - 2, &arena));
    assert_string_equal(findings[1].path, paths[PATHS - 1]);
    assert_string_equal(findings[PATHS - 1].path, paths[2]);
    assert_string_equal(findings[PATHS - 2].path, paths[1]);
    assert_true(order_findings(&report, PATHS, &arena));
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_come_in_the_order_of_the_document),
        cmocka_unit_test(what_was_there_before_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
