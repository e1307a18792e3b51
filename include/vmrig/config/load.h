/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a machine starts with: a kernel, firmware, an IGVM file, or nothing.
 */

#include "vmrig/config/values.h"

VMR_BEGIN_DECLS

enum vmr_load_mode {
    VMR_LOAD_NONE, /* nothing is loaded */
    VMR_LOAD_LINUX,
    VMR_LOAD_UEFI,
    VMR_LOAD_PCAT,     /* legacy BIOS */
    VMR_LOAD_IGVM,     /* a file that says what lies where, for isolated guests and VTL 2 */
    VMR_LOAD_FIRMWARE, /* an image that ends at 4 GiB, on the small PC of vmrig/machine.h, such as SeaBIOS */
    VMR_LOAD_MODE_COUNT
};

/* How a Linux kernel that is loaded directly finds its devices. */
enum vmr_linux_boot_mode {
    VMR_LINUX_BOOT_ACPI,        /* on arm64 with a synthesized EFI system table */
    VMR_LINUX_BOOT_DEVICE_TREE, /* arm64 alone */
    VMR_LINUX_BOOT_MODE_COUNT
};

struct vmr_load_linux {
    struct vmr_config_blob kernel; /* required */
    struct vmr_config_blob initrd;
    const char *cmdline; /* NULL: empty */
    bool enable_serial;
    struct vmr_config_blob custom_dsdt; /* replaces the generated one; ACPI alone */
    enum vmr_linux_boot_mode boot_mode;
};

enum vmr_uefi_console_mode {
    VMR_UEFI_CONSOLE_DEFAULT,
    VMR_UEFI_CONSOLE_COM1,
    VMR_UEFI_CONSOLE_COM2,
    VMR_UEFI_CONSOLE_NONE,
    VMR_UEFI_CONSOLE_MODE_COUNT
};

struct vmr_load_uefi {
    struct vmr_config_blob firmware; /* required */
    bool enable_debugging;
    bool enable_memory_protections;
    bool disable_frontpage;
    bool enable_tpm;
    bool enable_battery;
    bool enable_serial;
    bool enable_vpci_boot;
    bool default_boot_always_attempt;
    bool enable_vmbus;
    bool force_dma_bounce;
    struct {
        bool given;
        enum vmr_uefi_console_mode value;
    } uefi_console_mode;
    struct vmr_guid bios_guid;
};

enum vmr_pcat_boot_device {
    VMR_PCAT_BOOT_FLOPPY,
    VMR_PCAT_BOOT_HARD_DRIVE,
    VMR_PCAT_BOOT_OPTICAL,
    VMR_PCAT_BOOT_NETWORK,
    VMR_PCAT_BOOT_DEVICE_COUNT
};

struct vmr_load_pcat {
    struct vmr_config_blob firmware; /* required */
    /* Each device once. Count 0: VMR_DEFAULT_PCAT_BOOT_ORDER. */
    enum vmr_pcat_boot_device boot_order[VMR_PCAT_BOOT_DEVICE_COUNT];
    size_t boot_order_count;
};
/* Optical, hard drive, network, floppy. */
VMR_API extern const enum vmr_pcat_boot_device vmr_default_pcat_boot_order[VMR_PCAT_BOOT_DEVICE_COUNT];

/* Where the VTL 2 region of an IGVM file goes. All but the first need a file that can be relocated. */
enum vmr_vtl2_base_address {
    VMR_VTL2_BASE_FILE, /* where the file says */
    VMR_VTL2_BASE_ABSOLUTE,
    VMR_VTL2_BASE_MEMORY_LAYOUT, /* in a range that the layout makes for it */
    VMR_VTL2_BASE_VTL2_ALLOCATE, /* where the file says; VTL 2 finds memory of its own */
    VMR_VTL2_BASE_ADDRESS_COUNT
};

struct vmr_load_igvm {
    struct vmr_config_blob file; /* required */
    const char *cmdline;         /* NULL: empty */
    struct {
        enum vmr_vtl2_base_address kind;
        vmr_gpa absolute;             /* with ABSOLUTE */
        struct vmr_optional_u64 size; /* with MEMORY_LAYOUT and VTL2_ALLOCATE: instead of the file's, not below it */
    } vtl2_base_address;
    struct {
        bool given;
        uint16_t io_port;
        uint32_t irq;
    } com_serial;
};

struct vmr_load_firmware {
    struct vmr_config_blob image; /* required; a multiple of 64 KiB, 16 MiB at most */
};

/* Of the parts, only the mode's is looked at. */
struct vmr_load_config {
    enum vmr_load_mode mode;
    struct vmr_load_linux linux_direct;
    struct vmr_load_uefi uefi;
    struct vmr_load_pcat pcat;
    struct vmr_load_igvm igvm;
    struct vmr_load_firmware firmware;
};

VMR_END_DECLS
