/* SPDX-License-Identifier: MIT */
/*
 * What a configuration can ask for and nothing here can do, as a table: each row
 * is a field that must be at its default. [CFG-5]
 */

#include "lib/machine/build.h"

#include <string.h>

#include "lib/config/rules.h"

enum asked_kind {
    ASKED_FLAG,    /* a bool that is true */
    ASKED_COUNT,   /* a size_t that is not 0 */
    ASKED_POINTER, /* a pointer that is not NULL, also one to a function */
};

struct asked {
    const char *path;
    enum asked_kind kind;
    size_t offset;
    enum rule_build rule;
    const char *what;
};

#define FLAG(member_, rule_, what_)                                                                                    \
    {                                                                                                                  \
        .path = #member_, .kind = ASKED_FLAG, .offset = offsetof(struct vmr_config, member_), .rule = (rule_),         \
        .what = (what_)                                                                                                \
    }
#define COUNT(path_, member_, what_)                                                                                   \
    {                                                                                                                  \
        .path = (path_), .kind = ASKED_COUNT, .offset = offsetof(struct vmr_config, member_),                          \
        .rule = RULE_BUILD_DEVICE, .what = (what_)                                                                     \
    }
#define POINTER(path_, member_, rule_, what_)                                                                          \
    {                                                                                                                  \
        .path = (path_), .kind = ASKED_POINTER, .offset = offsetof(struct vmr_config, member_), .rule = (rule_),       \
        .what = (what_)                                                                                                \
    }
#define CHIP(member_) FLAG(chipset.member_, RULE_BUILD_DEVICE, "the chipset has no such device")

/* In the order of struct vmr_config. */
static const struct asked rows[] = {
    COUNT("floppy_disks", floppy_disk_count, "there is no floppy controller"),
    COUNT("ide_disks", ide_disk_count, "there is no IDE controller"),
    COUNT("pcie_root_complexes", pcie_root_complex_count, "there is no PCI Express host bridge"),
    COUNT("pcie_devices", pcie_device_count, "there is no PCI Express"),
    COUNT("pcie_switches", pcie_switch_count, "there is no PCI Express"),
    COUNT("pcie_generic_initiators", pcie_generic_initiator_count, "there is no PCI Express"),
    COUNT("vpci_devices", vpci_device_count, "there is no VPCI bus"),
    POINTER("hypervisor.with_vtl2", hypervisor.with_vtl2, RULE_BUILD_FEATURE, "nothing here loads VTL 2"),
    FLAG(hypervisor.nested_virt, RULE_BUILD_FEATURE, "guests have no virtualization of their own"),
    CHIP(generic_isa_dma),
    CHIP(generic_isa_floppy),
    CHIP(generic_psp),
    CHIP(hyperv_firmware_pcat),
    CHIP(hyperv_firmware_uefi),
    CHIP(hyperv_framebuffer),
    CHIP(hyperv_guest_watchdog),
    CHIP(hyperv_ide),
    CHIP(hyperv_power_management),
    CHIP(hyperv_vga),
    CHIP(i440bx_host_pci_bridge),
    CHIP(piix4_cmos_rtc),
    CHIP(piix4_pci_bus),
    CHIP(piix4_pci_isa_bridge),
    CHIP(piix4_pci_usb_uhci_stub),
    CHIP(piix4_power_management),
    CHIP(underhill_vga_proxy),
    CHIP(winbond_super_io_and_floppy_stub),
    CHIP(winbond_super_io_and_floppy_full),
    POINTER("vmbus", vmbus, RULE_BUILD_DEVICE, "there is no VMBus"),
    POINTER("vtl2_vmbus", vtl2_vmbus, RULE_BUILD_DEVICE, "there is no VMBus"),
    COUNT("kernel_vmnics", kernel_vmnic_count, "there are no kernel NICs"),
    POINTER("framebuffer", framebuffer, RULE_BUILD_DEVICE, "there is no framebuffer"),
    POINTER("vga_firmware", vga_firmware.path, RULE_BUILD_DEVICE, "there is no VGA"),
    POINTER("vga_firmware", vga_firmware.bytes, RULE_BUILD_DEVICE, "there is no VGA"),
    FLAG(vtl2_gfx, RULE_BUILD_FEATURE, "there is no VTL 2"),
    COUNT("vpci_resources", vpci_resource_count, "devices of the host cannot be assigned"),
    FLAG(secure_boot_enabled, RULE_BUILD_FEATURE, "there is no UEFI"),
    POINTER("custom_uefi_vars.signatures", custom_uefi_vars.signatures, RULE_BUILD_FEATURE, "there is no UEFI"),
    COUNT("custom_uefi_vars.custom_vars", custom_uefi_vars.custom_var_count, "there is no UEFI"),
    COUNT("vmbus_devices", vmbus_device_count, "there is no VMBus"),
    COUNT("pci_chipset_devices", pci_chipset_device_count, "the PCI bus has nothing on it"),
    POINTER("isa_dma_controller", isa_dma_controller.id, RULE_BUILD_DEVICE, "there is no ISA DMA"),
    POINTER("live.input", live.input, RULE_BUILD_FEATURE, "nobody can type on the keyboard"),
    POINTER("live.firmware_event", live.firmware_event, RULE_BUILD_FEATURE, "firmware says nothing of itself"),
    POINTER("live.debugger", live.debugger, RULE_BUILD_FEATURE, "attach it to the machine's VP set instead"),
};

static bool is_asked(const struct asked *row, const struct vmr_config *config)
{
    const char *at = (const char *)config + row->offset;
    void *pointer;
    size_t count;
    bool flag;

    switch (row->kind) {
    case ASKED_FLAG:
        memcpy(&flag, at, sizeof(flag));
        return flag;
    case ASKED_COUNT:
        memcpy(&count, at, sizeof(count));
        return count != 0;
    case ASKED_POINTER:
        memcpy(&pointer, at, sizeof(pointer));
        return pointer != NULL;
    }
    return false;
}

static void refuse(struct vmr_config_report *report, enum rule_build rule, const char *path, const char *what)
{
    report_add_text(report, &rules_build[rule], path, "%s", what);
}

/* Choices, of which one or two can be done. */
static void refuse_choices(const struct vmr_config *config, struct vmr_config_report *report)
{
    enum vmr_load_mode mode = config->load_mode.mode;

    if (config->arch != VMR_ARCH_X86_64)
        refuse(report, RULE_BUILD_ARCH, "arch", "no hypervisor of this build runs arm64");
    if (mode != VMR_LOAD_NONE && mode != VMR_LOAD_FIRMWARE)
        refuse(report, RULE_BUILD_LOAD_MODE, "load_mode", "there is no loader for it");
    if (config->hypervisor.with_isolation != VMR_ISOLATION_NONE)
        refuse(report, RULE_BUILD_FEATURE, "hypervisor.with_isolation", "nothing here loads an isolated guest");
    if (config->vmgs.kind != VMR_VMGS_NONE)
        refuse(report, RULE_BUILD_DEVICE, "vmgs", "there is no store of guest state");
    if (config->efi_diagnostics_log_level != VMR_EFI_DIAGNOSTICS_DEFAULT)
        refuse(report, RULE_BUILD_FEATURE, "efi_diagnostics_log_level", "there is no UEFI");
}

void build_refuse(const struct vmr_config *config, struct vmr_config_report *report)
{
    refuse_choices(config, report);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (is_asked(&rows[i], config))
            refuse(report, rows[i].rule, rows[i].path, rows[i].what);
    }
}
