/* SPDX-License-Identifier: MIT */
/*
 * Names and defaults of a configuration's small values.
 */

#include "vmrig/config.h"

const char *vmr_resource_kind_name(enum vmr_resource_kind kind)
{
    static const char *const names[VMR_RESOURCE_KIND_COUNT] = {
        [VMR_RESOURCE_CHIPSET_DEVICE] = "chipset-device",
        [VMR_RESOURCE_LEGACY_PCI_DEVICE] = "legacy-pci-device",
        [VMR_RESOURCE_ISA_DMA] = "isa-dma",
        [VMR_RESOURCE_PCI_DEVICE] = "pci-device",
        [VMR_RESOURCE_VIRTIO_DEVICE] = "virtio-device",
        [VMR_RESOURCE_VMBUS_DEVICE] = "vmbus-device",
        [VMR_RESOURCE_DISK] = "disk",
        [VMR_RESOURCE_SCSI_DEVICE] = "scsi-device",
    };

    return (unsigned)kind < VMR_RESOURCE_KIND_COUNT ? names[kind] : "unknown";
}

const enum vmr_pcat_boot_device vmr_default_pcat_boot_order[VMR_PCAT_BOOT_DEVICE_COUNT] = {
    VMR_PCAT_BOOT_OPTICAL,
    VMR_PCAT_BOOT_HARD_DRIVE,
    VMR_PCAT_BOOT_NETWORK,
    VMR_PCAT_BOOT_FLOPPY,
};
