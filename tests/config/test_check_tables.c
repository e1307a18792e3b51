/* SPDX-License-Identifier: MIT */
/*
 * Limits of table formats, at their edges.
 */

#include "lib/config/check_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t findings(const struct vmr_config *config, const char *code, const char *path)
{
    struct vmr_config_report report = {0};
    size_t count;

    config_check_tables(config, &report);
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
    assert_int_equal(findings(&config, "", ""), 0); /* ACPI says it */
    config.load_mode.mode = VMR_LOAD_LINUX;
    config.load_mode.linux_direct.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE;
    assert_int_equal(findings(&config, "CFG-LOAD-TREE-CXL", "pcie_root_complexes[1].cxl"), 2);
    config.pcie_root_complex_count = 1;
    assert_int_equal(findings(&config, "CFG-LOAD-TREE-INITIATOR", "pcie_generic_initiators[0]"), 1);
}

static void what_is_a_dsdt(void **state)
{
    uint8_t bytes[40] = {'D', 'S', 'D', 'T', 40};
    struct vmr_config_blob blob = {.bytes = bytes, .size = 40};

    (void)state;
    assert_null(config_dsdt_fault(&blob));
    blob.size = 39;
    assert_string_equal(config_dsdt_fault(&blob), "the length in the header is another");
    bytes[4] = 35;
    blob.size = 35;
    assert_string_equal(config_dsdt_fault(&blob), "shorter than a header");
    bytes[3] = 't';
    blob.size = 36;
    assert_string_equal(config_dsdt_fault(&blob), "the signature is not DSDT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_tables_a_machine_has),
        cmocka_unit_test(what_is_a_dsdt),
        cmocka_unit_test(a_tree_alone_has_no_words_for_cxl_and_initiators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
