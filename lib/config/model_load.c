/* SPDX-License-Identifier: MIT */
/*
 * Tables: what a machine starts with.
 */

#include "lib/config/model_fields.h"

static const char *const boot_modes[VMR_LINUX_BOOT_MODE_COUNT] = {
    [VMR_LINUX_BOOT_ACPI] = "acpi",
    [VMR_LINUX_BOOT_DEVICE_TREE] = "device_tree",
};

#define OF struct vmr_load_linux
static const struct model_field linux_fields[] = {
    {KEY(kernel), .kind = MODEL_BLOB, .required = true, .about = "The kernel's file."},
    {KEY(initrd), .kind = MODEL_BLOB, .about = "The initial RAM disk's file."},
    {KEY(cmdline), .kind = MODEL_TEXT, .about = "The kernel's command line."},
    {KEY(enable_serial), .kind = MODEL_BOOL, .about = "Serial ports are described to the guest."},
    {KEY(custom_dsdt), .kind = MODEL_BLOB, .about = "A file with a DSDT instead of the generated one."},
    {KEY(boot_mode), NAMES(boot_modes), .about = "How the kernel finds its devices."},
};
const struct model_struct model_load_linux = {"load_linux", "A Linux kernel, loaded directly.", TABLE(linux_fields)};
#undef OF

static const char *const console_modes[VMR_UEFI_CONSOLE_MODE_COUNT] = {
    [VMR_UEFI_CONSOLE_DEFAULT] = "default",
    [VMR_UEFI_CONSOLE_COM1] = "com1",
    [VMR_UEFI_CONSOLE_COM2] = "com2",
    [VMR_UEFI_CONSOLE_NONE] = "none",
};

#define OF struct vmr_load_uefi
static const struct model_field uefi_fields[] = {
    {KEY(firmware), .kind = MODEL_BLOB, .required = true, .about = "The firmware's file."},
    {KEY(enable_debugging), .kind = MODEL_BOOL, .about = "The firmware waits for a debugger."},
    {KEY(enable_memory_protections), .kind = MODEL_BOOL, .about = "The firmware protects its memory strictly."},
    {KEY(disable_frontpage), .kind = MODEL_BOOL, .about = "No menu when nothing boots."},
    {KEY(enable_tpm), .kind = MODEL_BOOL, .about = "The firmware looks for a TPM."},
    {KEY(enable_battery), .kind = MODEL_BOOL, .about = "A battery is described to the guest."},
    {KEY(enable_serial), .kind = MODEL_BOOL, .about = "Serial ports are described to the guest."},
    {KEY(enable_vpci_boot), .kind = MODEL_BOOL, .about = "The firmware boots from VPCI devices."},
    {KEY(default_boot_always_attempt), .kind = MODEL_BOOL, .about = "The default entry is tried though others exist."},
    {KEY(enable_vmbus), .kind = MODEL_BOOL, .about = "The firmware uses VMBus."},
    {KEY(force_dma_bounce), .kind = MODEL_BOOL, .about = "DMA goes through bounce buffers."},
    {OPTIONAL(uefi_console_mode), NAMES(console_modes), .about = "Where the firmware's console is."},
    {KEY(bios_guid), .kind = MODEL_GUID, .about = "The machine's identity in SMBIOS."},
};
const struct model_struct model_load_uefi = {"load_uefi", "UEFI firmware.", TABLE(uefi_fields)};
#undef OF

static const char *const boot_devices[VMR_PCAT_BOOT_DEVICE_COUNT] = {
    [VMR_PCAT_BOOT_FLOPPY] = "floppy",
    [VMR_PCAT_BOOT_HARD_DRIVE] = "hard_drive",
    [VMR_PCAT_BOOT_OPTICAL] = "optical",
    [VMR_PCAT_BOOT_NETWORK] = "network",
};
static const struct model_field boot_device = {NAMES(boot_devices), .width = sizeof(enum vmr_pcat_boot_device)};

#define OF struct vmr_load_pcat
static const struct model_field pcat_fields[] = {
    {KEY(firmware), .kind = MODEL_BLOB, .required = true, .about = "The BIOS's file."},
    {KEY(boot_order), .kind = MODEL_FIXED, COUNTED(boot_order_count), .element = &boot_device,
     .item_max = VMR_PCAT_BOOT_DEVICE_COUNT, .about = "Each once; optical, hard_drive, network, floppy if empty."},
};
const struct model_struct model_load_pcat = {"load_pcat", "A legacy BIOS.", TABLE(pcat_fields)};
#undef OF

#define OF struct vmr_optional_u64
static const struct model_field vtl2_size_fields[] = {
    {.name = "size",
     PLACE(value),
     .optional = true,
     .given = offsetof(OF, given),
     .kind = MODEL_UNSIGNED,
     .is_size = true,
     .about = "Instead of the file's, and not below it."},
};
static const struct model_struct vtl2_size = {"vtl2_size", "How large VTL 2's memory is.", TABLE(vtl2_size_fields)};
#undef OF

#define OF struct vmr_load_igvm
static const struct model_field vtl2_bases[VMR_VTL2_BASE_ADDRESS_COUNT] = {
    [VMR_VTL2_BASE_FILE] = {.name = "file", .about = "Where the file says."},
    [VMR_VTL2_BASE_ABSOLUTE] = {.name = "absolute",
                                .kind = MODEL_UNSIGNED,
                                .is_hex = true,
                                .offset = INSIDE(vtl2_base_address, absolute),
                                .width = sizeof(vmr_gpa),
                                .about = "At this address."},
    [VMR_VTL2_BASE_MEMORY_LAYOUT] = {.name = "memory_layout",
                                     .kind = MODEL_STRUCT,
                                     .type = &vtl2_size,
                                     .offset = INSIDE(vtl2_base_address, size),
                                     .about = "In a range that the layout makes for it."},
    [VMR_VTL2_BASE_VTL2_ALLOCATE] = {.name = "vtl2_allocate",
                                     .kind = MODEL_STRUCT,
                                     .type = &vtl2_size,
                                     .offset = INSIDE(vtl2_base_address, size),
                                     .about = "Where the file says; VTL 2 finds memory of its own."},
};

static const struct model_field com_serial_fields[] = {
    {.name = "io_port",
     .kind = MODEL_UNSIGNED,
     .offset = INSIDE(com_serial, io_port),
     .width = sizeof(uint16_t),
     .is_hex = true,
     .about = "The first of its ports."},
    {.name = "irq",
     .kind = MODEL_UNSIGNED,
     .offset = INSIDE(com_serial, irq),
     .width = sizeof(uint32_t),
     .about = "Its interrupt."},
};
static const struct model_struct com_serial = {"com_serial", "A serial port that the file's code is told of.",
                                               .size = sizeof(((OF *)NULL)->com_serial), .fields = com_serial_fields,
                                               .field_count = 2};

static const struct model_field igvm_fields[] = {
    {KEY(file), .kind = MODEL_BLOB, .required = true, .about = "The IGVM file."},
    {KEY(cmdline), .kind = MODEL_TEXT, .about = "The command line of what is in it."},
    {KEY(vtl2_base_address), .kind = MODEL_CHOICE, ALTERNATIVES(vtl2_bases), .tag = INSIDE(vtl2_base_address, kind),
     .tag_width = sizeof(enum vmr_vtl2_base_address), .about = "Where the file's VTL 2 region goes."},
    {KEY(com_serial), .kind = MODEL_STRUCT, .type = &com_serial, .optional = true,
     .given = offsetof(OF, com_serial.given), .about = "A serial port that the file's code is told of."},
};
const struct model_struct model_load_igvm = {"load_igvm", "An IGVM file.", TABLE(igvm_fields)};
#undef OF

#define OF struct vmr_load_firmware
static const struct model_field firmware_fields[] = {
    {KEY(image), .kind = MODEL_BLOB, .required = true, .about = "A multiple of 64 KiB that ends at 4 GiB."},
};
const struct model_struct model_load_firmware = {"load_firmware", "A firmware image on the small PC.",
                                                 TABLE(firmware_fields)};
#undef OF

#define OF struct vmr_load_config
const struct model_field model_load_modes[VMR_LOAD_MODE_COUNT] = {
    [VMR_LOAD_NONE] = {.name = "none", .about = "Nothing is loaded."},
    [VMR_LOAD_LINUX] = {.name = "linux", PLACE(linux_direct), .kind = MODEL_STRUCT, .type = &model_load_linux},
    [VMR_LOAD_UEFI] = {KEY(uefi), .kind = MODEL_STRUCT, .type = &model_load_uefi},
    [VMR_LOAD_PCAT] = {KEY(pcat), .kind = MODEL_STRUCT, .type = &model_load_pcat},
    [VMR_LOAD_IGVM] = {KEY(igvm), .kind = MODEL_STRUCT, .type = &model_load_igvm},
    [VMR_LOAD_FIRMWARE] = {KEY(firmware), .kind = MODEL_STRUCT, .type = &model_load_firmware},
};
#undef OF
