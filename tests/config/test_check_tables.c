/* SPDX-License-Identifier: MIT */
/*
 * Limits of table formats, at their edges.
 */

#include "lib/config/check_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t findings(const struct vmr_config *config, const char *cmdline, const char *code, const char *path)
{
    struct vmr_config_report report = {0};
    size_t count;

    config_check_tables(config, cmdline, &config->load_mode.linux_direct.custom_dsdt, &report);
    count = report.count;
    if (count > 0) {
        assert_string_equal(report.findings[0].rule->code, code);
        assert_string_equal(report.findings[0].path, path);
    }
    vmr_config_report_finish(&report);
    return count;
}

static void which_tables_a_machine_has(void **state)
{
    static const struct {
        enum vmr_arch arch;
        enum vmr_load_mode mode;
        enum vmr_linux_boot_mode boot;
        bool acpi, tree;
    } cases[] = {
        {VMR_ARCH_X86_64, VMR_LOAD_LINUX, VMR_LINUX_BOOT_ACPI, true, false},
        {VMR_ARCH_X86_64, VMR_LOAD_NONE, VMR_LINUX_BOOT_ACPI, true, false},
        {VMR_ARCH_ARM64, VMR_LOAD_LINUX, VMR_LINUX_BOOT_ACPI, true, false},
        {VMR_ARCH_ARM64, VMR_LOAD_LINUX, VMR_LINUX_BOOT_DEVICE_TREE, false, true},
        {VMR_ARCH_ARM64, VMR_LOAD_UEFI, VMR_LINUX_BOOT_DEVICE_TREE, true, false},
        {VMR_ARCH_ARM64, VMR_LOAD_NONE, VMR_LINUX_BOOT_ACPI, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_config config = {.arch = cases[i].arch, .load_mode.mode = cases[i].mode};

        config.load_mode.linux_direct.boot_mode = cases[i].boot;
        if (config_has_acpi(&config) != cases[i].acpi || config_has_tree(&config) != cases[i].tree)
            fail_msg("case %zu", i);
    }
}

static void a_node_has_less_than_2_pib(void **state)
{
    struct vmr_memory_config mem = {.mem_size = (UINT64_C(1) << 51) - 4096};
    struct vmr_numa_node nodes[2] = {{.mem = NULL}, {.mem = &mem}};
    struct vmr_config config = {.numa = {.nodes = nodes, .node_count = 2}};

    (void)state;
    assert_int_equal(findings(&config, NULL, "", ""), 0);
    mem.mem_size += 4096;
    assert_int_equal(findings(&config, NULL, "CFG-TABLES-NODE-SIZE", "numa.nodes[1].mem.mem_size"), 1);
}

static void a_command_line_has_a_limit_where_a_tree_holds_it(void **state)
{
    static char text[CONFIG_TREE_CMDLINE_MAX + 2];
    struct vmr_config config = {.arch = VMR_ARCH_ARM64, .load_mode.mode = VMR_LOAD_LINUX};

    (void)state;
    memset(text, 'a', CONFIG_TREE_CMDLINE_MAX + 1);
    assert_int_equal(findings(&config, text, "", ""), 0);
    config.load_mode.linux_direct.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE;
    assert_int_equal(findings(&config, text, "CFG-TABLES-CMDLINE", "load_mode.linux.cmdline"), 1);
    text[CONFIG_TREE_CMDLINE_MAX] = 0;
    assert_int_equal(findings(&config, text, "", ""), 0);
}

static void a_tree_alone_has_no_words_for_cxl_and_initiators(void **state)
{
    struct vmr_root_complex_cxl_config cxl = {.hdm_size = VMR_CXL_ALIGNMENT};
    struct vmr_pcie_root_complex_config complexes[2] = {{.name = "a"}, {.name = "b", .cxl = &cxl}};
    struct vmr_pcie_generic_initiator_config initiator = {"port", 0};
    struct vmr_config config = {.arch = VMR_ARCH_ARM64, .pcie_root_complexes = complexes};

    (void)state;
    config.pcie_root_complex_count = 2;
    config.pcie_generic_initiators = &initiator;
    config.pcie_generic_initiator_count = 1;
    assert_int_equal(findings(&config, NULL, "", ""), 0); /* ACPI says it */
    config.load_mode.mode = VMR_LOAD_LINUX;
    config.load_mode.linux_direct.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE;
    assert_int_equal(findings(&config, NULL, "CFG-TABLES-TREE-CXL", "pcie_root_complexes[1].cxl"), 2);
    config.pcie_root_complex_count = 1;
    assert_int_equal(findings(&config, NULL, "CFG-TABLES-TREE-INITIATOR", "pcie_generic_initiators[0]"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_tables_a_machine_has),
        cmocka_unit_test(a_node_has_less_than_2_pib),
        cmocka_unit_test(a_command_line_has_a_limit_where_a_tree_holds_it),
        cmocka_unit_test(a_tree_alone_has_no_words_for_cxl_and_initiators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
