/* SPDX-License-Identifier: MIT */
/*
 * Everything that can be asked for and is not there is refused by its path, all
 * in one go. Whether the configuration is right otherwise is the check's part.
 */

#include "lib/machine/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every byte is set, so every flag, count and pointer asks; what is only compared needs a value of its own. */
static void all_that_is_asked_for_is_found_in_one_go(void **state)
{
    static struct vmr_config config;
    struct vmr_config_report report = {0};

    (void)state;
    memset(&config, 1, sizeof(config));
    config.arch = VMR_ARCH_ARM64;
    config.load_mode.mode = VMR_LOAD_LINUX;
    config.vmgs.kind = VMR_VMGS_EPHEMERAL;
    config.hypervisor.with_isolation = VMR_ISOLATION_VBS;
    config.efi_diagnostics_log_level = VMR_EFI_DIAGNOSTICS_FULL;
    build_refuse(&config, &report);
    assert_true(report.count >= 45);
    for (size_t i = 0; i < report.count; i++) {
        assert_true(report.findings[i].path[0] != '\0');
        assert_memory_equal(report.findings[i].rule->code, "CFG-BUILD-", 10);
    }
    vmr_config_report_finish(&report);
}

static void a_machine_that_asks_for_nothing_is_not_refused(void **state)
{
    static struct vmr_config config;
    struct vmr_config_report report = {0};

    (void)state;
    build_refuse(&config, &report);
    assert_int_equal(report.count, 0);
    config.load_mode.mode = VMR_LOAD_FIRMWARE;
    config.hypervisor.with_hv = true;
    config.automatic_guest_reset = true;
    config.chipset.generic_pit = true;
    build_refuse(&config, &report);
    assert_int_equal(report.count, 0);
}

static void each_thing_is_refused_by_its_own_path(void **state)
{
    static const struct vmr_vmbus_config vmbus;
    static const struct {
        struct vmr_config config;
        const char *code, *path;
    } cases[] = {
        {{.arch = VMR_ARCH_ARM64}, "CFG-BUILD-ARCH", "arch"},
        {{.load_mode.mode = VMR_LOAD_UEFI}, "CFG-BUILD-LOAD-MODE", "load_mode"},
        {{.floppy_disk_count = 1}, "CFG-BUILD-DEVICE", "floppy_disks"},
        {{.ide_disk_count = 1}, "CFG-BUILD-DEVICE", "ide_disks"},
        {{.pcie_root_complex_count = 1}, "CFG-BUILD-DEVICE", "pcie_root_complexes"},
        {{.vpci_device_count = 1}, "CFG-BUILD-DEVICE", "vpci_devices"},
        {{.hypervisor.nested_virt = true}, "CFG-BUILD-FEATURE", "hypervisor.nested_virt"},
        {{.chipset.hyperv_vga = true}, "CFG-BUILD-DEVICE", "chipset.hyperv_vga"},
        {{.chipset.piix4_pci_bus = true}, "CFG-BUILD-DEVICE", "chipset.piix4_pci_bus"},
        {{.vmbus = &vmbus}, "CFG-BUILD-DEVICE", "vmbus"},
        {{.vtl2_vmbus = &vmbus}, "CFG-BUILD-DEVICE", "vtl2_vmbus"},
        {{.vmgs.kind = VMR_VMGS_EPHEMERAL}, "CFG-BUILD-DEVICE", "vmgs"},
        {{.secure_boot_enabled = true}, "CFG-BUILD-FEATURE", "secure_boot_enabled"},
        {{.vga_firmware.path = "vga.bin"}, "CFG-BUILD-DEVICE", "vga_firmware"},
        {{.isa_dma_controller.id = "dma"}, "CFG-BUILD-DEVICE", "isa_dma_controller"},
        {{.vpci_resource_count = 1}, "CFG-BUILD-DEVICE", "vpci_resources"},
        {{.hypervisor.with_isolation = VMR_ISOLATION_SNP}, "CFG-BUILD-FEATURE", "hypervisor.with_isolation"},
        {{.efi_diagnostics_log_level = VMR_EFI_DIAGNOSTICS_INFO}, "CFG-BUILD-FEATURE", "efi_diagnostics_log_level"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_config_report report = {0};

        build_refuse(&cases[i].config, &report);
        if (report.count != 1 || strcmp(report.findings[0].rule->code, cases[i].code) != 0 ||
            strcmp(report.findings[0].path, cases[i].path) != 0)
            fail_msg("case %zu: %zu findings, %s at %s", i, report.count,
                     report.count ? report.findings[0].rule->code : "", report.count ? report.findings[0].path : "");
        vmr_config_report_finish(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_asked_for_is_found_in_one_go),
        cmocka_unit_test(a_machine_that_asks_for_nothing_is_not_refused),
        cmocka_unit_test(each_thing_is_refused_by_its_own_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
