/* SPDX-License-Identifier: MIT */
/*
 * Cases: what a machine starts with.
 */

#include "tests/config/check_cases.h"

#define BYTES(count)                                                                                                   \
    {                                                                                                                  \
        .bytes = blob, .size = count                                                                                   \
    }
#define X2032 X1024 X256 X256 X256 X64 X64 X64 X16 X16 X16
#define ABSOLUTE(gpa) .vtl2_base_address = {.kind = VMR_VTL2_BASE_ABSOLUTE, .absolute = gpa}
#define SIZED(choice, number) .vtl2_base_address = {.kind = VMR_VTL2_BASE_##choice, .size = SET(number)}
#define ORDER(...) .boot_order = {__VA_ARGS__}
#define FIRMWARE(...) .load_mode = {.mode = VMR_LOAD_FIRMWARE, .firmware = {.image = __VA_ARGS__}}
#define SERIAL(port, number) .com_serial = {.given = true, .io_port = port, .irq = number}

static const uint8_t blob[(16u << 20) + (64u << 10)];
static const uint8_t dsdt[36] = {'D', 'S', 'D', 'T', 36};
static const uint8_t short_dsdt[35] = {'D', 'S', 'D', 'T', 35};
static const uint8_t long_dsdt[37] = {'D', 'S', 'D', 'T', 36};
static const uint8_t ssdt[36] = {'S', 'S', 'D', 'T', 36};

const struct check_case cases_load[] = {
    GOOD(LINUX()),
    GOOD(LINUX(.cmdline = X2032 "123456789012345")),
    BAD("LOAD-CMDLINE-LONG", "load_mode.linux.cmdline", LINUX(.cmdline = X2032 "1234567890123456")),
    BAD("LOAD-CMDLINE-LONG", "load_mode.igvm.cmdline", IGVM(.cmdline = X2032 "1234567890123456")),
    GOOD(ARM64, LINUX(.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE)),
    BAD("LOAD-DEVICE-TREE-X86", "load_mode.linux.boot_mode", LINUX(.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE)),
    GOOD(LINUX(.custom_dsdt = FILE_AT("dsdt.aml"))),
    BAD("LOAD-DSDT-DEVICE-TREE", "load_mode.linux.custom_dsdt", ARM64,
        LINUX(.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE, .custom_dsdt = FILE_AT("dsdt.aml"))),
    GOOD(LINUX(.custom_dsdt = {.bytes = dsdt, .size = sizeof(dsdt)})),
    BAD("LOAD-DSDT-HEADER", "load_mode.linux.custom_dsdt",
        LINUX(.custom_dsdt = {.bytes = short_dsdt, .size = sizeof(short_dsdt)})),
    BAD("LOAD-DSDT-HEADER", "load_mode.linux.custom_dsdt",
        LINUX(.custom_dsdt = {.bytes = long_dsdt, .size = sizeof(long_dsdt)})),
    BAD("LOAD-DSDT-HEADER", "load_mode.linux.custom_dsdt", LINUX(.custom_dsdt = {.bytes = ssdt, .size = sizeof(ssdt)})),

    GOOD(HV, UEFI(.firmware = BYTES(6 * MIB))),
    BAD("LOAD-UEFI-SIZE", "load_mode.uefi.firmware", HV, UEFI(.firmware = BYTES(6 * MIB + 1))),
    GOOD(ARM64, UEFI(.firmware = BYTES(8 * MIB))),
    BAD("LOAD-UEFI-SIZE", "load_mode.uefi.firmware", ARM64, UEFI(.firmware = BYTES(8 * MIB + 1))),
    BAD("LOAD-UEFI-HV", "load_mode.uefi", UEFI(UEFI_FILE)),
    GOOD(HV, VMBUS, UEFI(UEFI_FILE, .enable_vmbus = true, .enable_vpci_boot = true)),
    BAD("LOAD-UEFI-VMBUS", "load_mode.uefi.enable_vmbus", HV, UEFI(UEFI_FILE, .enable_vmbus = true)),
    BAD("LOAD-UEFI-VPCI-BOOT", "load_mode.uefi.enable_vpci_boot", HV, UEFI(UEFI_FILE, .enable_vpci_boot = true)),
    GOOD(HV, UEFI(UEFI_FILE), CHIPSET(.hyperv_firmware_uefi = true)),
    BAD("LOAD-UEFI-PCAT-DEVICE", "load_mode.uefi", HV, UEFI(UEFI_FILE), CHIPSET(.hyperv_firmware_pcat = true)),

    GOOD(PCAT(.firmware = BYTES(256 * KIB))),
    BAD("LOAD-PCAT-SIZE", "load_mode.pcat.firmware", PCAT(.firmware = BYTES(256 * KIB - 1))),
    BAD("LOAD-PCAT-SIZE", "load_mode.pcat.firmware", PCAT(.firmware = BYTES(1))),
    BAD("LOAD-PCAT-SIZE", "load_mode.pcat.firmware", PCAT(.firmware = BYTES(256 * KIB + 1))),
    GOOD(PCAT(PCAT_FILE, .boot_order_count = 4,
              ORDER(VMR_PCAT_BOOT_NETWORK, VMR_PCAT_BOOT_OPTICAL, VMR_PCAT_BOOT_FLOPPY, VMR_PCAT_BOOT_HARD_DRIVE))),
    BAD("LOAD-BOOT-ORDER-COUNT", "load_mode.pcat.boot_order", PCAT(PCAT_FILE, .boot_order_count = 5)),
    BAD("LOAD-BOOT-ORDER-COUNT", "load_mode.pcat.boot_order", PCAT(PCAT_FILE, .boot_order_count = SIZE_MAX)),
    BAD("LOAD-BOOT-ORDER-COUNT", "load_mode.pcat.boot_order",
        PCAT(PCAT_FILE, .boot_order_count = 1, ORDER(VMR_PCAT_BOOT_NETWORK))),
    BAD("LOAD-BOOT-ORDER-COUNT", "load_mode.pcat.boot_order",
        PCAT(PCAT_FILE, .boot_order_count = 3,
             ORDER(VMR_PCAT_BOOT_NETWORK, VMR_PCAT_BOOT_OPTICAL, VMR_PCAT_BOOT_FLOPPY))),
    BAD("LOAD-BOOT-ORDER-TWICE", "load_mode.pcat.boot_order[3]",
        PCAT(PCAT_FILE, .boot_order_count = 4,
             ORDER(VMR_PCAT_BOOT_FLOPPY, VMR_PCAT_BOOT_OPTICAL, VMR_PCAT_BOOT_NETWORK, VMR_PCAT_BOOT_FLOPPY))),
    BAD("LOAD-BOOT-ORDER-TWICE", "load_mode.pcat.boot_order[1]",
        PCAT(PCAT_FILE, .boot_order_count = 4,
             ORDER(VMR_PCAT_BOOT_NETWORK, VMR_PCAT_BOOT_NETWORK, VMR_PCAT_BOOT_OPTICAL, VMR_PCAT_BOOT_FLOPPY))),
    BAD("FIELD-BLOB-EMPTY", "load_mode.pcat.firmware", PCAT(.firmware = BYTES(0))),
    BAD("LOAD-PCAT-ARM64", "load_mode.pcat", ARM64, PCAT(PCAT_FILE)),
    GOOD(PCAT(PCAT_FILE), CHIPSET(.hyperv_firmware_pcat = true)),
    BAD("LOAD-PCAT-UEFI-DEVICE", "load_mode.pcat", PCAT(PCAT_FILE), CHIPSET(.hyperv_firmware_uefi = true)),

    GOOD(IGVM()),
    GOOD(VTL2, IGVM(SIZED(MEMORY_LAYOUT, 2 * MIB))),
    GOOD(VTL2, IGVM(SIZED(VTL2_ALLOCATE, 64 * MIB))),
    BAD("LOAD-IGVM-VTL2", "load_mode.igvm.vtl2_base_address", IGVM(SIZED(MEMORY_LAYOUT, 2 * MIB))),
    BAD("LOAD-IGVM-VTL2", "load_mode.igvm.vtl2_base_address", IGVM(ABSOLUTE(0x8000000))),
    GOOD(VTL2, IGVM(ABSOLUTE(0xffffffffff000))),
    BAD("LOAD-IGVM-ADDRESS-ALIGNMENT", "load_mode.igvm.vtl2_base_address", VTL2, IGVM(ABSOLUTE(0x8000800))),
    BAD("LOAD-IGVM-ADDRESS-WIDTH", "load_mode.igvm.vtl2_base_address", VTL2, IGVM(ABSOLUTE(0x10000000000000))),
    BAD("LOAD-IGVM-SIZE-ZERO", "load_mode.igvm.vtl2_base_address", VTL2, IGVM(SIZED(MEMORY_LAYOUT, 0))),
    BAD("LOAD-IGVM-SIZE-ALIGNMENT", "load_mode.igvm.vtl2_base_address", VTL2, IGVM(SIZED(MEMORY_LAYOUT, MIB))),
    BAD("LOAD-IGVM-SIZE-ALIGNMENT", "load_mode.igvm.vtl2_base_address", VTL2, IGVM(SIZED(VTL2_ALLOCATE, 2 * MIB + 1))),
    GOOD(WITH_VTL2(.late_map_vtl0_memory.given = true), IGVM(SIZED(MEMORY_LAYOUT, 64 * MIB))),
    BAD("LOAD-IGVM-ALLOCATE-LATE-MAP", "load_mode.igvm.vtl2_base_address",
        WITH_VTL2(.late_map_vtl0_memory.given = true), IGVM(SIZED(VTL2_ALLOCATE, 64 * MIB))),
    GOOD(IGVM(SERIAL(1, 0))),
    GOOD(IGVM(SERIAL(0xfff8, 23))),
    GOOD(ARM64, IGVM(SERIAL(0x3f8, 24))),
    BAD("LOAD-IGVM-SERIAL-PORT", "load_mode.igvm.com_serial.io_port", IGVM(SERIAL(0, 4))),
    BAD("LOAD-IGVM-SERIAL-PORT", "load_mode.igvm.com_serial.io_port", IGVM(SERIAL(0xfff9, 4))),
    BAD("LOAD-IGVM-SERIAL-IRQ", "load_mode.igvm.com_serial.irq", IGVM(SERIAL(0x3f8, UINT32_MAX))),
    BAD("LOAD-IGVM-SERIAL-IRQ", "load_mode.igvm.com_serial.irq", IGVM(SERIAL(0x3f8, 24))),
    GOOD(IGVM(), ISOLATED(SNP)),
    BAD("LOAD-IGVM-TDX", "load_mode.igvm", IGVM(), ISOLATED(TDX)),

    GOOD(FIRMWARE(FILE_AT("bios.bin"))),
    GOOD(FIRMWARE(BYTES(16 * MIB))),
    GOOD(FIRMWARE(BYTES(64 * KIB))),
    BAD("LOAD-FIRMWARE-ARM64", "load_mode.firmware", ARM64, FIRMWARE(FILE_AT("bios.bin"))),
    BAD("LOAD-FIRMWARE-SIZE", "load_mode.firmware.image", FIRMWARE(BYTES(16 * MIB + 64 * KIB))),
    BAD("LOAD-FIRMWARE-SIZE", "load_mode.firmware.image", FIRMWARE(BYTES(64 * KIB - 1))),
    BAD("FIELD-BLOB-EMPTY", "load_mode.firmware.image", FIRMWARE(BYTES(0))),

    GOOD(LINUX(), ISOLATED(SNP)),
    BAD("LOAD-ISOLATED", "load_mode", PCAT(PCAT_FILE), ISOLATED(SNP)),
    BAD("LOAD-ISOLATED", "load_mode", ISOLATED(TDX)),
    END,
};
