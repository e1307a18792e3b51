/* SPDX-License-Identifier: MIT */
/*
 * Which devices the board has: what sits at the same ports, and what needs
 * which bus.
 */

#include "lib/config/check.h"

#include "lib/base/field.h"

#define RULE(name) &rules_chipset[RULE_CHIPSET_##name]

#define DEVICE(name) offsetof(struct vmr_chipset_config, name), "chipset." #name

struct member {
    size_t offset;
    const char *key;
};

static bool has(const struct check *check, size_t offset)
{
    return field_get(&check->config.chipset, offset, sizeof(bool)) != 0;
}

/* What has I/O ports, or belongs to an x86 board. */
static void check_arm64(struct check *check)
{
    static const struct member x86_alone[] = {
        {DEVICE(generic_cmos_rtc)},
        {DEVICE(generic_ioapic)},
        {DEVICE(generic_isa_dma)},
        {DEVICE(generic_isa_floppy)},
        {DEVICE(generic_pci_bus)},
        {DEVICE(generic_pic)},
        {DEVICE(generic_pit)},
        {DEVICE(generic_psp)},
        {DEVICE(hyperv_firmware_pcat)},
        {DEVICE(hyperv_ide)},
        {DEVICE(hyperv_power_management)},
        {DEVICE(hyperv_vga)},
        {DEVICE(i440bx_host_pci_bridge)},
        {DEVICE(piix4_cmos_rtc)},
        {DEVICE(piix4_pci_bus)},
        {DEVICE(piix4_pci_isa_bridge)},
        {DEVICE(piix4_pci_usb_uhci_stub)},
        {DEVICE(piix4_power_management)},
        {DEVICE(underhill_vga_proxy)},
        {DEVICE(winbond_super_io_and_floppy_stub)},
        {DEVICE(winbond_super_io_and_floppy_full)},
    };

    for (size_t i = 0; is_arm64(check) && i < sizeof(x86_alone) / sizeof(x86_alone[0]); i++) {
        if (has(check, x86_alone[i].offset))
            FOUND(check, RULE(ARM64), at(check, "%s", x86_alone[i].key), "on arm64");
    }
}

/* Two of a kind, at the same ports. The second is named. */
static void check_pairs(struct check *check)
{
    static const struct {
        struct member first, second;
        const struct vmr_config_rule *rule;
    } pairs[] = {
        {{DEVICE(hyperv_firmware_pcat)}, {DEVICE(hyperv_firmware_uefi)}, RULE(FIRMWARE_BOTH)},
        {{DEVICE(generic_cmos_rtc)}, {DEVICE(piix4_cmos_rtc)}, RULE(RTC_BOTH)},
        {{DEVICE(generic_pci_bus)}, {DEVICE(piix4_pci_bus)}, RULE(PCI_BUS_BOTH)},
        {{DEVICE(hyperv_power_management)}, {DEVICE(piix4_power_management)}, RULE(POWER_BOTH)},
        {{DEVICE(hyperv_vga)}, {DEVICE(underhill_vga_proxy)}, RULE(VGA_BOTH)},
        {{DEVICE(generic_isa_floppy)}, {DEVICE(winbond_super_io_and_floppy_stub)}, RULE(FLOPPY_BOTH)},
        {{DEVICE(generic_isa_floppy)}, {DEVICE(winbond_super_io_and_floppy_full)}, RULE(FLOPPY_BOTH)},
        {{DEVICE(winbond_super_io_and_floppy_stub)}, {DEVICE(winbond_super_io_and_floppy_full)}, RULE(WINBOND_BOTH)},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (has(check, pairs[i].first.offset) && has(check, pairs[i].second.offset))
            FOUND(check, pairs[i].rule, at(check, "%s", pairs[i].second.key), "with %s", pairs[i].first.key);
    }
}

/* Devices with a place of their own on the PIIX4's bus, and on no other. */
static void check_bus(struct check *check)
{
    static const struct member on_bus[] = {
        {DEVICE(hyperv_ide)},
        {DEVICE(hyperv_vga)},
        {DEVICE(i440bx_host_pci_bridge)},
        {DEVICE(piix4_pci_isa_bridge)},
        {DEVICE(piix4_pci_usb_uhci_stub)},
        {DEVICE(piix4_power_management)},
        {DEVICE(underhill_vga_proxy)},
    };

    if (check->config.chipset.piix4_pci_bus || is_arm64(check))
        return;
    for (size_t i = 0; i < sizeof(on_bus) / sizeof(on_bus[0]); i++) {
        if (has(check, on_bus[i].offset))
            FOUND(check, RULE(PIIX4_BUS), at(check, "%s", on_bus[i].key), "there is no chipset.piix4_pci_bus");
    }
}

static void check_needs(struct check *check)
{
    const struct vmr_chipset_config *chipset = &check->config.chipset;
    bool lacks_dma = is_x86(check) && !chipset->generic_isa_dma && !check->config.isa_dma_controller.id;

    if (chipset->generic_isa_floppy && lacks_dma)
        FOUND(check, RULE(FLOPPY_DMA), at(check, "chipset.generic_isa_floppy"), "there is no ISA DMA controller");
    if (chipset->winbond_super_io_and_floppy_full && lacks_dma)
        FOUND(check, RULE(FLOPPY_DMA), at(check, "chipset.winbond_super_io_and_floppy_full"),
              "there is no ISA DMA controller");
    if (chipset->hyperv_framebuffer && !check->config.framebuffer)
        FOUND(check, RULE(FRAMEBUFFER), at(check, "chipset.hyperv_framebuffer"), "there is no framebuffer");
    if (chipset->hyperv_vga && !blob_is_given(&check->config.vga_firmware) && !is_hardware_isolated(check))
        FOUND(check, RULE(VGA_FIRMWARE), at(check, "chipset.hyperv_vga"), "there is no vga_firmware");
}

static void check_isolated(struct check *check)
{
    if (!is_hardware_isolated(check))
        return;
    if (check->config.chipset.hyperv_vga)
        FOUND(check, RULE(VGA_ISOLATED), at(check, "chipset.hyperv_vga"), "the guest is isolated");
    if (check->config.chipset.i440bx_host_pci_bridge)
        FOUND(check, RULE(I440BX_ISOLATED), at(check, "chipset.i440bx_host_pci_bridge"), "the guest is isolated");
}

void check_chipset(struct check *check)
{
    check_arm64(check);
    check_pairs(check);
    check_bus(check);
    check_needs(check);
    check_isolated(check);
}
