/* SPDX-License-Identifier: MIT */
/*
 * Rules: what a machine starts with.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_load[RULE_LOAD_COUNT] = {
    [RULE_LOAD_CMDLINE_LONG] =
        {
            "CFG-LOAD-CMDLINE-LONG",
            "A command line has at most 2047 characters.",
            "A kernel keeps 2048 bytes of it, with a zero at the end, and drops the rest without a word. Shorten "
            "it, or put options into the initrd. Source: Linux, COMMAND_LINE_SIZE of x86 and arm64.",
        },
    [RULE_LOAD_DEVICE_TREE_X86] =
        {
            "CFG-LOAD-DEVICE-TREE-X86",
            "Linux on x86-64 is started with ACPI tables, not with a device tree.",
            "The x86 kernel of a PC looks for tables behind the zero page and for nothing else. Set boot_mode to "
            "acpi, or leave it out. Source: Linux x86 boot protocol.",
        },
    [RULE_LOAD_DSDT_DEVICE_TREE] =
        {
            "CFG-LOAD-DSDT-DEVICE-TREE",
            "A DSDT of one's own goes not with a device tree.",
            "With a device tree there are no ACPI tables in which it could stand. Leave out custom_dsdt, or set "
            "boot_mode to acpi. Source: ACPI 6.5, 5.2.11.",
        },
    [RULE_LOAD_DSDT_HEADER] =
        {
            "CFG-LOAD-DSDT-HEADER",
            "A DSDT of one's own is one table with its header.",
            "It begins with the signature DSDT, and its length, at offset 4, is that of the bytes given. Give the "
            "file that the ACPI compiler makes (.aml), not its source. Source: ACPI 6.5, 5.2.6.",
        },
    [RULE_LOAD_UEFI_SIZE] =
        {
            "CFG-LOAD-UEFI-SIZE",
            "A UEFI image fits its place: 6 MiB on x86-64, 8 MiB on arm64.",
            "It is put at a fixed address, and what firmware is told about the machine begins right behind it. "
            "Give an image that was built for this machine. Source: the loader's memory map.",
        },
    [RULE_LOAD_UEFI_HV] =
        {
            "CFG-LOAD-UEFI-HV",
            "UEFI on x86-64 needs the Hyper-V interface.",
            "The firmware tells time and talks to its host through it, and stops without it. Set "
            "hypervisor.with_hv. Source: OpenVMM, --uefi with --no-hv.",
        },
    [RULE_LOAD_UEFI_VMBUS] =
        {
            "CFG-LOAD-UEFI-VMBUS",
            "UEFI can use VMBus only where there is one.",
            "Firmware that waits for a bus that is never offered does not boot. Add vmbus, or leave out "
            "enable_vmbus. Source: OpenVMM, UEFI boot options.",
        },
    [RULE_LOAD_UEFI_VPCI_BOOT] =
        {
            "CFG-LOAD-UEFI-VPCI-BOOT",
            "UEFI can boot from VPCI devices only where there is VMBus.",
            "VPCI devices are offered over VMBus. Add vmbus, or leave out enable_vpci_boot. Source: OpenVMM, UEFI "
            "boot options.",
        },
    [RULE_LOAD_UEFI_PCAT_DEVICE] =
        {
            "CFG-LOAD-UEFI-PCAT-DEVICE",
            "UEFI goes not with the device of the legacy BIOS.",
            "Each firmware has a device through which it asks for its configuration; the other firmware's would "
            "answer at ports that this one does not expect. Set chipset.hyperv_firmware_uefi. Source: OpenVMM, "
            "chipset manifest.",
        },
    [RULE_LOAD_BOOT_ORDER_COUNT] =
        {
            "CFG-LOAD-BOOT-ORDER-COUNT",
            "A boot order names all four devices, or is left out.",
            "The BIOS reads four entries, so there is no shorter order. Add those that are missing at the end. "
            "Source: OpenVMM, PCAT boot order.",
        },
    [RULE_LOAD_BOOT_ORDER_TWICE] =
        {
            "CFG-LOAD-BOOT-ORDER-TWICE",
            "A boot order names each device once.",
            "A device that comes twice takes the place of another, from which the machine could then never boot. "
            "Source: OpenVMM, --pcat-boot-order.",
        },
    [RULE_LOAD_PCAT_ARM64] =
        {
            "CFG-LOAD-PCAT-ARM64",
            "A legacy BIOS starts x86-64 machines alone.",
            "It is x86 code. Use uefi or linux on arm64. Source: OpenVMM, load modes.",
        },
    [RULE_LOAD_PCAT_SIZE] =
        {
            "CFG-LOAD-PCAT-SIZE",
            "A legacy BIOS is 256 KiB.",
            "It is mapped to the end of the first MiB and of the first 4 GiB, and begins at its last 16 bytes: "
            "another size would have it begin elsewhere. Source: OpenVMM, PCAT loader.",
        },
    [RULE_LOAD_PCAT_UEFI_DEVICE] =
        {
            "CFG-LOAD-PCAT-UEFI-DEVICE",
            "A legacy BIOS goes not with the device of UEFI.",
            "Each firmware has a device through which it asks for its configuration; the other firmware's would "
            "answer at ports that this one does not expect. Set chipset.hyperv_firmware_pcat. Source: OpenVMM, "
            "chipset manifest.",
        },
    [RULE_LOAD_IGVM_VTL2] =
        {
            "CFG-LOAD-IGVM-VTL2",
            "Where VTL 2 of an IGVM file goes matters only with VTL 2.",
            "All choices but \"file\" are about VTL 2, and there would be none. Add hypervisor.with_vtl2, or leave "
            "out vtl2_base_address. Source: OpenVMM, IGVM loader.",
        },
    [RULE_LOAD_IGVM_ADDRESS_ALIGNMENT] =
        {
            "CFG-LOAD-IGVM-ADDRESS-ALIGNMENT",
            "An address for VTL 2 is a multiple of 4 KiB.",
            "Files are relocated by pages. Source: IGVM specification, relocatable regions.",
        },
    [RULE_LOAD_IGVM_ADDRESS_WIDTH] =
        {
            "CFG-LOAD-IGVM-ADDRESS-WIDTH",
            "An address for VTL 2 is below 2^52.",
            "No processor has more physical address bits. Source: Intel SDM vol. 3, 4.1.4; Arm ARM, D8.",
        },
    [RULE_LOAD_IGVM_SIZE_ZERO] =
        {
            "CFG-LOAD-IGVM-SIZE-ZERO",
            "A size for VTL 2 is not 0.",
            "There would be no room for what the file holds. Leave the size out to have the file's own. Source: "
            "OpenVMM, IGVM loader.",
        },
    [RULE_LOAD_IGVM_SIZE_ALIGNMENT] =
        {
            "CFG-LOAD-IGVM-SIZE-ALIGNMENT",
            "A size for VTL 2 is a multiple of 2 MiB.",
            "VTL 2 maps its memory with large pages. Source: OpenVMM, IGVM loader.",
        },
    [RULE_LOAD_IGVM_ALLOCATE_LATE_MAP] =
        {
            "CFG-LOAD-IGVM-ALLOCATE-LATE-MAP",
            "VTL 2 that finds its own memory cannot see VTL 0's late.",
            "What VTL 2 may touch before memory is mapped must be known when the machine starts, and VTL 2 would "
            "choose it only then. Choose another vtl2_base_address, or leave out late_map_vtl0_memory. Source: "
            "OpenVMM, late mapping.",
        },
    [RULE_LOAD_IGVM_SERIAL_PORT] =
        {
            "CFG-LOAD-IGVM-SERIAL-PORT",
            "A serial port has eight I/O ports, from 1 to 65535.",
            "Port 0 is the DMA controller's, and behind 65535 there is none. Source: PC16550D; Intel SDM vol. 1, "
            "19.3.",
        },
    [RULE_LOAD_IGVM_SERIAL_IRQ] =
        {
            "CFG-LOAD-IGVM-SERIAL-IRQ",
            "The interrupt of a serial port is an input of the I/O APIC.",
            "The I/O APIC has 24 inputs, numbered from 0; COM1 has 4, COM2 has 3. Source: Intel 82093AA, 3.0.",
        },
    [RULE_LOAD_IGVM_TDX] =
        {
            "CFG-LOAD-IGVM-TDX",
            "IGVM files are loaded for no isolation, VBS and SNP.",
            "What a file says for TDX is not understood by the loader. Choose another isolation, or linux. "
            "Source: OpenVMM, IGVM loader.",
        },
    [RULE_LOAD_FIRMWARE_ARM64] =
        {
            "CFG-LOAD-FIRMWARE-ARM64",
            "An image that ends at 4 GiB starts x86-64 machines alone.",
            "That is where these processors begin; arm64 ones do not. Source: Intel SDM vol. 3, 10.1.4.",
        },
    [RULE_LOAD_FIRMWARE_SIZE] =
        {
            "CFG-LOAD-FIRMWARE-SIZE",
            "An image that ends at 4 GiB is a multiple of 64 KiB, up to 16 MiB.",
            "It is mapped as memory below 4 GiB, in front of which devices have their addresses. Source: "
            "vmrig/machine.h, firmware_size.",
        },
    [RULE_LOAD_ISOLATED] =
        {
            "CFG-LOAD-ISOLATED",
            "A guest that the processor isolates starts from Linux or an IGVM file.",
            "What is loaded has to be measured before the guest runs, and only for these two it is known how. "
            "Source: OpenVMM, SNP boot.",
        },
};
