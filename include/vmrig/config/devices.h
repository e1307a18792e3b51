/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that is not on PCI Express: disks, the chipset, VMBus, virtio,
 * VPCI, firmware variables and stores.
 */

#include "vmrig/config/values.h"

VMR_BEGIN_DECLS

enum vmr_device_vtl {
    VMR_DEVICE_VTL0,
    VMR_DEVICE_VTL1,
    VMR_DEVICE_VTL2,
    VMR_DEVICE_VTL_COUNT
};

struct vmr_floppy_config {
    struct vmr_resource disk; /* required */
    bool read_only;
};

enum vmr_ide_media {
    VMR_IDE_MEDIA_DISK,
    VMR_IDE_MEDIA_DVD,
    VMR_IDE_MEDIA_COUNT
};

/* Each channel (0, 1) has two drives (0, 1). */
struct vmr_ide_config {
    uint8_t channel, drive;
    enum vmr_ide_media media;
    struct vmr_resource resource; /* required: a disk, or for a DVD a SCSI device */
    bool read_only;               /* of a disk */
};

struct vmr_vpci_config {
    enum vmr_device_vtl vtl;
    struct vmr_guid instance_id; /* unique, also in data2 and data3, which make the device id that a guest sees */
    struct vmr_resource resource;
    struct vmr_optional_u32 vnode;
};

enum vmr_virtio_bus {
    VMR_VIRTIO_MMIO,
    VMR_VIRTIO_PCI,
    VMR_VIRTIO_BUS_COUNT
};

struct vmr_virtio_config {
    enum vmr_virtio_bus bus;
    struct vmr_resource resource;
};

struct vmr_vmbus_device_config {
    enum vmr_device_vtl vtl;
    struct vmr_resource resource;
};

struct vmr_vmbus_config {
    const char *vsock_listener; /* the path of a socket to listen at; NULL: none */
    const char *vsock_path;
    struct vmr_optional_u32 vmbus_max_version;
    bool vmbusproxy; /* Windows hosts */
    bool vtl2_redirect;
};

/* Windows hosts. */
struct vmr_kernel_vmnic_config {
    struct vmr_guid instance_id;
    uint8_t mac_address[6];
    struct vmr_guid switch_id, port_id;
};

/* Which devices the board has. The names are those of the interface document, without "with_". */
struct vmr_chipset_config {
    bool generic_cmos_rtc, generic_ioapic, generic_isa_dma, generic_isa_floppy, generic_pci_bus, generic_pic,
        generic_pit, generic_psp;
    bool hyperv_firmware_pcat, hyperv_firmware_uefi, hyperv_framebuffer, hyperv_guest_watchdog, hyperv_ide,
        hyperv_power_management, hyperv_vga;
    bool i440bx_host_pci_bridge;
    bool piix4_cmos_rtc, piix4_pci_bus, piix4_pci_isa_bridge, piix4_pci_usb_uhci_stub, piix4_power_management;
    bool underhill_vga_proxy;
    bool winbond_super_io_and_floppy_stub, winbond_super_io_and_floppy_full;
};

/* What firmware tells a guest that the board has, beside the devices above. */
struct vmr_chipset_capabilities {
    bool ioapic, pic, pit, generic_isa_dma, psp, guest_watchdog, i440bx_host_pci_bridge;
};

struct vmr_chipset_device_config {
    const char *name; /* required, unique */
    struct vmr_resource resource;
};

/* A device of the legacy PCI bus. */
struct vmr_pci_chipset_device_config {
    const char *name; /* required, unique among chipset devices too */
    struct vmr_resource resource;
    uint8_t bus, device, function;
};

struct vmr_framebuffer_config {
    uint64_t size; /* bytes, a multiple of 4 KiB */
};

enum vmr_vmgs_kind {
    VMR_VMGS_NONE,
    VMR_VMGS_DISK,
    VMR_VMGS_REPROVISION_ON_FAILURE, /* formatted anew if damaged */
    VMR_VMGS_REPROVISION,            /* formatted anew */
    VMR_VMGS_EPHEMERAL,              /* in memory */
    VMR_VMGS_KIND_COUNT
};

struct vmr_vmgs_config {
    enum vmr_vmgs_kind kind;
    struct vmr_resource disk; /* required but for NONE and EPHEMERAL */
};

enum vmr_uefi_signature_kind {
    VMR_UEFI_SIGNATURE_X509,
    VMR_UEFI_SIGNATURE_SHA256,
    VMR_UEFI_SIGNATURE_KIND_COUNT
};

struct vmr_uefi_signature {
    enum vmr_uefi_signature_kind kind;
    const uint8_t *bytes; /* one certificate (DER), or a digest of 32 bytes */
    size_t size;
};

struct vmr_uefi_signature_list {
    const struct vmr_uefi_signature *items;
    size_t item_count;
};

struct vmr_uefi_signatures {
    struct vmr_uefi_signature_list pk; /* exactly one */
    struct vmr_uefi_signature_list kek, db, dbx, moklist, moklistx;
};

struct vmr_uefi_variable {
    const char *name; /* required; unique with its guid */
    struct vmr_guid guid;
    uint32_t attr;
    const uint8_t *value;
    size_t value_size;
};

struct vmr_uefi_variables {
    const struct vmr_uefi_signatures *signatures; /* NULL: none */
    const struct vmr_uefi_variable *custom_vars;
    size_t custom_var_count;
};

VMR_END_DECLS
