/* SPDX-License-Identifier: MIT */
/*
 * Rules: the board.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_chipset[RULE_CHIPSET_COUNT] = {
    [RULE_CHIPSET_ARM64] =
        {
            "CFG-CHIPSET-ARM64",
            "An arm64 board has none of the devices of a PC.",
            "They have I/O ports, or are on a bus that has, which arm64 does not have. Source: OpenVMM, chipset "
            "manifest.",
        },
    [RULE_CHIPSET_FIRMWARE_BOTH] =
        {
            "CFG-CHIPSET-FIRMWARE-BOTH",
            "A board has the device of one firmware.",
            "Only one firmware runs. Set the one that load_mode needs. Source: OpenVMM, chipset manifest.",
        },
    [RULE_CHIPSET_RTC_BOTH] =
        {
            "CFG-CHIPSET-RTC-BOTH",
            "A board has one real-time clock.",
            "Both are at I/O ports 0x70 and 0x71. Source: OpenVMM, chipset manifest.",
        },
    [RULE_CHIPSET_PCI_BUS_BOTH] =
        {
            "CFG-CHIPSET-PCI-BUS-BOTH",
            "A board has one legacy PCI bus.",
            "Both are at I/O ports 0xcf8 and 0xcfc. The generic one is for Linux, PIIX4 for the legacy BIOS. "
            "Source: PCI Local Bus 3.0, 3.2.2.3.2.",
        },
    [RULE_CHIPSET_POWER_BOTH] =
        {
            "CFG-CHIPSET-POWER-BOTH",
            "A board has one power management device.",
            "Both have the ports of the ACPI timer and of power states. Source: OpenVMM, chipset manifest.",
        },
    [RULE_CHIPSET_VGA_BOTH] =
        {
            "CFG-CHIPSET-VGA-BOTH",
            "A board has one VGA.",
            "Both are device 8 of the bus, and have the VGA's ports. Source: OpenVMM, chipset manifest.",
        },
    [RULE_CHIPSET_FLOPPY_BOTH] =
        {
            "CFG-CHIPSET-FLOPPY-BOTH",
            "A board has one first floppy controller.",
            "Both are at I/O ports 0x3f0 to 0x3f7; the stub takes them too. Source: OpenVMM, floppy controllers.",
        },
    [RULE_CHIPSET_WINBOND_BOTH] =
        {
            "CFG-CHIPSET-WINBOND-BOTH",
            "A board has one super I/O chip.",
            "The stub is for guests that look for the chip and have no floppy disks. Source: OpenVMM, chipset "
            "manifest.",
        },
    [RULE_CHIPSET_PIIX4_BUS] =
        {
            "CFG-CHIPSET-PIIX4-BUS",
            "Devices of a PIIX4 board need its PCI bus.",
            "Each has a place on that bus, and on no other. Set chipset.piix4_pci_bus. Source: OpenVMM, chipset "
            "manifest.",
        },
    [RULE_CHIPSET_FLOPPY_DMA] =
        {
            "CFG-CHIPSET-FLOPPY-DMA",
            "A floppy controller needs an ISA DMA controller.",
            "It moves data by channel 2. Set chipset.generic_isa_dma, or give isa_dma_controller. Source: Intel "
            "82077AA, 5.",
        },
    [RULE_CHIPSET_FRAMEBUFFER] =
        {
            "CFG-CHIPSET-FRAMEBUFFER",
            "The framebuffer device needs a framebuffer.",
            "Give framebuffer its size, or leave out chipset.hyperv_framebuffer. Source: OpenVMM, chipset "
            "manifest.",
        },
    [RULE_CHIPSET_VGA_FIRMWARE] =
        {
            "CFG-CHIPSET-VGA-FIRMWARE",
            "A VGA needs its ROM.",
            "The BIOS finds the VGA by its ROM. Give vga_firmware. Source: OpenVMM, chipset manifest.",
        },
    [RULE_CHIPSET_VGA_ISOLATED] =
        {
            "CFG-CHIPSET-VGA-ISOLATED",
            "A guest that the processor isolates has no VGA.",
            "Its memory would have to be shared with the host. Source: OpenVMM, SNP devices.",
        },
    [RULE_CHIPSET_I440BX_ISOLATED] =
        {
            "CFG-CHIPSET-I440BX-ISOLATED",
            "A guest that the processor isolates has no i440BX bridge.",
            "The bridge changes what lies below 1 MiB while the guest runs, and that is encrypted. Source: "
            "OpenVMM, SNP devices.",
        },
    [RULE_CHIPSET_DEVICE_NAME] =
        {
            "CFG-CHIPSET-DEVICE-NAME",
            "Devices of the board have a name each, on and off the PCI bus.",
            "Their state is saved under it, and found again by it. Source: OpenVMM, chipset devices.",
        },
    [RULE_CHIPSET_PCI_BUS_MISSING] =
        {
            "CFG-CHIPSET-PCI-BUS-MISSING",
            "Devices of the legacy PCI bus need the bus.",
            "Set chipset.generic_pci_bus or chipset.piix4_pci_bus. Source: OpenVMM, chipset devices.",
        },
    [RULE_CHIPSET_PCI_BUS_NUMBER] =
        {
            "CFG-CHIPSET-PCI-BUS-NUMBER",
            "The legacy PCI bus is bus 0.",
            "It has no bridges to others. Source: OpenVMM, chipset devices.",
        },
    [RULE_CHIPSET_PCI_DEVICE_NUMBER] =
        {
            "CFG-CHIPSET-PCI-DEVICE-NUMBER",
            "A device number is at most 31.",
            "It has five bits. Source: PCI Local Bus 3.0, 3.2.2.3.2.",
        },
    [RULE_CHIPSET_PCI_FUNCTION_NUMBER] =
        {
            "CFG-CHIPSET-PCI-FUNCTION-NUMBER",
            "A function number is at most 7.",
            "It has three bits. Source: PCI Local Bus 3.0, 3.2.2.3.2.",
        },
    [RULE_CHIPSET_PCI_BOARD] =
        {
            "CFG-CHIPSET-PCI-BOARD",
            "A device that is added has a place where the board has none.",
            "Bridges, IDE, USB and power management are devices 0 and 7, VGA is device 8, each where the board "
            "has it. Source: Intel PIIX4, 4; OpenVMM, chipset manifest.",
        },
    [RULE_CHIPSET_PCI_TAKEN] =
        {
            "CFG-CHIPSET-PCI-TAKEN",
            "Devices of the legacy PCI bus have a place each.",
            "Two cannot answer at one device and function. Source: PCI Local Bus 3.0, 3.2.2.3.2.",
        },
    [RULE_CHIPSET_PCI_FUNCTION_ZERO] =
        {
            "CFG-CHIPSET-PCI-FUNCTION-ZERO",
            "A device of the legacy PCI bus has a function 0.",
            "An operating system looks for function 0 of a device, and for no other if there is none. Source: PCI "
            "Local Bus 3.0, 3.2.2.3.4.",
        },
    [RULE_CHIPSET_DMA_ARM64] =
        {
            "CFG-CHIPSET-DMA-ARM64",
            "An arm64 board has no ISA DMA controller.",
            "It has no ISA bus. Leave out isa_dma_controller. Source: OpenVMM, chipset devices.",
        },
    [RULE_CHIPSET_DMA_BOTH] =
        {
            "CFG-CHIPSET-DMA-BOTH",
            "A board has one ISA DMA controller.",
            "Leave out chipset.generic_isa_dma, or isa_dma_controller. Source: OpenVMM, chipset devices.",
        },
    [RULE_CHIPSET_CAPABILITY_ARM64] =
        {
            "CFG-CHIPSET-CAPABILITY-ARM64",
            "Firmware of an arm64 machine is not told of the devices of a PC.",
            "Firmware would look for what is not there. Leave the capability out. Source: OpenVMM, chipset "
            "capabilities.",
        },
};
