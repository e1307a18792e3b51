/* SPDX-License-Identifier: MIT */
/*
 * Cases: the board, and what is added to it.
 */

#include "tests/config/check_cases.h"

#define PC(...) CHIPSET(.piix4_pci_bus = true, __VA_ARGS__)
#define ROM .vga_firmware = FILE_AT("vga.rom")
#define ADDED(...) LIST(chipset_devices, chipset_device_count, vmr_chipset_device_config, __VA_ARGS__)
#define ADDED_PCI(...) LIST(pci_chipset_devices, pci_chipset_device_count, vmr_pci_chipset_device_config, __VA_ARGS__)
#define AT(text, number, part)                                                                                         \
    {                                                                                                                  \
        .name = text, .resource = SOME, .device = number, .function = part                                             \
    }
#define PCI_BUS CHIPSET(.generic_pci_bus = true)
#define TOLD(...) .chipset_capabilities = {__VA_ARGS__}
#define ON_ARM64(device) BAD("CHIPSET-ARM64", "chipset." #device, ARM64, CHIPSET(.device = true))
#define TOLD_ON_ARM64(device)                                                                                          \
    BAD("CHIPSET-CAPABILITY-ARM64", "chipset_capabilities." #device, ARM64, TOLD(.device = true))
#define ALONE(device) BAD("CHIPSET-PIIX4-BUS", "chipset." #device, CHIPSET(.device = true))
#define ON_BOARD(own, number, part)                                                                                    \
    BAD("CHIPSET-PCI-BOARD", "pci_chipset_devices[0].device", PC(.own = true), ADDED_PCI(AT("a", number, part)))
#define DMA .isa_dma_controller = SOME

const struct check_case cases_chipset[] = {
    GOOD(ROM,
         PC(.generic_ioapic = true, .generic_isa_dma = true, .generic_pic = true, .generic_pit = true,
            .hyperv_firmware_pcat = true, .hyperv_guest_watchdog = true, .hyperv_ide = true, .hyperv_vga = true,
            .i440bx_host_pci_bridge = true, .piix4_cmos_rtc = true, .piix4_pci_isa_bridge = true,
            .piix4_pci_usb_uhci_stub = true, .piix4_power_management = true, .winbond_super_io_and_floppy_full = true)),
    GOOD(CHIPSET(.generic_cmos_rtc = true, .generic_pci_bus = true, .hyperv_power_management = true,
                 .generic_psp = true, .hyperv_firmware_uefi = true)),
    GOOD(ARM64, CHIPSET(.hyperv_firmware_uefi = true, .hyperv_guest_watchdog = true)),
    GOOD(PC(.underhill_vga_proxy = true)),
    ON_ARM64(generic_cmos_rtc),
    ON_ARM64(generic_ioapic),
    ON_ARM64(generic_isa_dma),
    ON_ARM64(generic_pci_bus),
    ON_ARM64(generic_pic),
    ON_ARM64(generic_pit),
    ON_ARM64(generic_psp),
    ON_ARM64(hyperv_firmware_pcat),
    ON_ARM64(hyperv_ide),
    ON_ARM64(hyperv_power_management),
    ON_ARM64(i440bx_host_pci_bridge),
    ON_ARM64(piix4_cmos_rtc),
    ON_ARM64(piix4_pci_bus),
    ON_ARM64(piix4_pci_isa_bridge),
    ON_ARM64(piix4_pci_usb_uhci_stub),
    ON_ARM64(piix4_power_management),
    ON_ARM64(underhill_vga_proxy),
    ON_ARM64(winbond_super_io_and_floppy_stub),
    BAD("CHIPSET-ARM64", "chipset.generic_isa_floppy", ARM64, CHIPSET(.generic_isa_floppy = true)),
    BAD("CHIPSET-ARM64", "chipset.winbond_super_io_and_floppy_full", ARM64,
        CHIPSET(.winbond_super_io_and_floppy_full = true)),
    BAD("CHIPSET-ARM64", "chipset.hyperv_vga", ARM64, ROM, CHIPSET(.hyperv_vga = true)),

    BAD("CHIPSET-FIRMWARE-BOTH", "chipset.hyperv_firmware_uefi",
        CHIPSET(.hyperv_firmware_pcat = true, .hyperv_firmware_uefi = true)),
    BAD("CHIPSET-RTC-BOTH", "chipset.piix4_cmos_rtc", CHIPSET(.generic_cmos_rtc = true, .piix4_cmos_rtc = true)),
    BAD("CHIPSET-PCI-BUS-BOTH", "chipset.piix4_pci_bus", PC(.generic_pci_bus = true)),
    BAD("CHIPSET-POWER-BOTH", "chipset.piix4_power_management",
        PC(.hyperv_power_management = true, .piix4_power_management = true)),
    BAD("CHIPSET-VGA-BOTH", "chipset.underhill_vga_proxy", ROM, PC(.hyperv_vga = true, .underhill_vga_proxy = true)),
    BAD("CHIPSET-FLOPPY-BOTH", "chipset.winbond_super_io_and_floppy_stub", DMA,
        CHIPSET(.generic_isa_floppy = true, .winbond_super_io_and_floppy_stub = true)),
    BAD("CHIPSET-FLOPPY-BOTH", "chipset.winbond_super_io_and_floppy_full", DMA,
        CHIPSET(.generic_isa_floppy = true, .winbond_super_io_and_floppy_full = true)),
    BAD("CHIPSET-WINBOND-BOTH", "chipset.winbond_super_io_and_floppy_full", DMA,
        CHIPSET(.winbond_super_io_and_floppy_stub = true, .winbond_super_io_and_floppy_full = true)),
    ALONE(hyperv_ide),
    ALONE(i440bx_host_pci_bridge),
    ALONE(piix4_pci_isa_bridge),
    ALONE(piix4_pci_usb_uhci_stub),
    ALONE(piix4_power_management),
    ALONE(underhill_vga_proxy),
    BAD("CHIPSET-PIIX4-BUS", "chipset.hyperv_vga", ROM, CHIPSET(.hyperv_vga = true, .generic_pci_bus = true)),
    GOOD(DMA, CHIPSET(.generic_isa_floppy = true)),
    BAD("CHIPSET-FLOPPY-DMA", "chipset.generic_isa_floppy", CHIPSET(.generic_isa_floppy = true)),
    BAD("CHIPSET-FLOPPY-DMA", "chipset.winbond_super_io_and_floppy_full",
        CHIPSET(.winbond_super_io_and_floppy_full = true)),
    GOOD(CHIPSET(.winbond_super_io_and_floppy_stub = true)),
    BAD("CHIPSET-FRAMEBUFFER", "chipset.hyperv_framebuffer", CHIPSET(.hyperv_framebuffer = true)),
    BAD("CHIPSET-VGA-FIRMWARE", "chipset.hyperv_vga", PC(.hyperv_vga = true)),
    BAD("CHIPSET-VGA-ISOLATED", "chipset.hyperv_vga", LINUX(), ISOLATED(SNP), PC(.hyperv_vga = true)),
    BAD("CHIPSET-I440BX-ISOLATED", "chipset.i440bx_host_pci_bridge", LINUX(), ISOLATED(SNP),
        PC(.i440bx_host_pci_bridge = true)),

    GOOD(PCI_BUS, ADDED({"a", SOME}, {"b", SOME}), ADDED_PCI(AT("c", 1, 0), AT("d", 31, 0), AT("e", 31, 7))),
    BAD("CHIPSET-DEVICE-NAME", "chipset_devices[2].name", ADDED({"a", SOME}, {"b", SOME}, {"a", SOME})),
    BAD("CHIPSET-DEVICE-NAME", "pci_chipset_devices[0].name", PCI_BUS, ADDED({"b", SOME}, {"a", SOME}),
        ADDED_PCI(AT("a", 1, 0))),
    BAD("CHIPSET-DEVICE-NAME", "pci_chipset_devices[1].name", PCI_BUS, ADDED_PCI(AT("a", 1, 0), AT("a", 2, 0))),
    BAD("CHIPSET-PCI-BUS-MISSING", "pci_chipset_devices", ADDED_PCI(AT("a", 1, 0))),
    BAD("CHIPSET-PCI-BUS-NUMBER", "pci_chipset_devices[0].bus", PCI_BUS,
        ADDED_PCI({.name = "a", .resource = SOME, .bus = 1, .device = 1})),
    BAD("CHIPSET-PCI-DEVICE-NUMBER", "pci_chipset_devices[0].device", PCI_BUS, ADDED_PCI(AT("a", 32, 0))),
    BAD("CHIPSET-PCI-FUNCTION-NUMBER", "pci_chipset_devices[1].function", PCI_BUS,
        ADDED_PCI(AT("a", 1, 0), AT("b", 1, 8))),
    GOOD(PCI_BUS, ADDED({"e", SOME}, {"d", SOME}), ADDED_PCI(AT("c", 31, 7), AT("b", 31, 0), AT("a", 1, 0))),
    BAD("CHIPSET-PCI-BOARD", "pci_chipset_devices[0].device", PCI_BUS, ADDED_PCI(AT("a", 0, 0))),
    ON_BOARD(i440bx_host_pci_bridge, 0, 0),
    ON_BOARD(piix4_pci_isa_bridge, 7, 0),
    BAD("CHIPSET-PCI-BOARD", "pci_chipset_devices[0].device", ROM, PC(.hyperv_vga = true), ADDED_PCI(AT("a", 8, 0))),
    ON_BOARD(underhill_vga_proxy, 8, 0),
    BAD("CHIPSET-PCI-BOARD", "pci_chipset_devices[1].device", PC(.piix4_pci_usb_uhci_stub = true),
        ADDED_PCI(AT("a", 7, 0), AT("b", 7, 2))),
    GOOD(PC(.piix4_pci_isa_bridge = true), ADDED_PCI(AT("a", 7, 2), AT("b", 8, 0))),
    BAD("CHIPSET-PCI-TAKEN", "pci_chipset_devices[2].device", PCI_BUS,
        ADDED_PCI(AT("a", 3, 0), AT("b", 3, 1), AT("c", 3, 1))),
    BAD("CHIPSET-PCI-TAKEN", "pci_chipset_devices[2].device", PCI_BUS,
        ADDED_PCI(AT("a", 31, 0), AT("b", 31, 7), AT("c", 31, 7))),
    BAD("CHIPSET-PCI-DEVICE-NUMBER", "pci_chipset_devices[1].device", PCI_BUS,
        ADDED_PCI(AT("a", 1, 0), AT("b", 33, 1))),
    BAD("CHIPSET-PCI-FUNCTION-ZERO", "pci_chipset_devices[0].function", PCI_BUS, ADDED_PCI(AT("a", 3, 1))),
    GOOD(DMA),
    BAD("CHIPSET-DMA-BOTH", "isa_dma_controller", DMA, CHIPSET(.generic_isa_dma = true)),
    BAD("CHIPSET-DMA-ARM64", "isa_dma_controller", ARM64, DMA),
    GOOD(TOLD(.ioapic = true, .pic = true, .pit = true, .psp = true)),
    GOOD(ARM64, TOLD(.guest_watchdog = true)),
    TOLD_ON_ARM64(ioapic),
    TOLD_ON_ARM64(pic),
    TOLD_ON_ARM64(pit),
    TOLD_ON_ARM64(generic_isa_dma),
    TOLD_ON_ARM64(psp),
    TOLD_ON_ARM64(i440bx_host_pci_bridge),
    END,
};
