/* SPDX-License-Identifier: MIT */
/*
 * Rules: disks, display, virtio and the guest's state file.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_device[RULE_DEVICE_COUNT] = {
    [RULE_DEVICE_FLOPPY_CONTROLLER] =
        {
            "CFG-DEVICE-FLOPPY-CONTROLLER",
            "Floppy disks need a controller.",
            "They would be in no drive. Set chipset.generic_isa_floppy or "
            "chipset.winbond_super_io_and_floppy_full. Source: OpenVMM, chipset manifest.",
        },
    [RULE_DEVICE_FLOPPY_GENERIC_ONE] =
        {
            "CFG-DEVICE-FLOPPY-GENERIC-ONE",
            "The generic controller has one floppy disk.",
            "It has one drive. Use chipset.winbond_super_io_and_floppy_full for two. Source: OpenVMM, floppy "
            "disks.",
        },
    [RULE_DEVICE_FLOPPY_COUNT] =
        {
            "CFG-DEVICE-FLOPPY-COUNT",
            "There are at most two floppy disks.",
            "Two controllers have a drive each. Source: OpenVMM, floppy disks.",
        },
    [RULE_DEVICE_FLOPPY_ISOLATED] =
        {
            "CFG-DEVICE-FLOPPY-ISOLATED",
            "A guest that the processor isolates has no floppy disks.",
            "The controller moves data by DMA to memory that the guest does not share. Source: OpenVMM, SNP "
            "devices.",
        },
    [RULE_DEVICE_IDE_CONTROLLER] =
        {
            "CFG-DEVICE-IDE-CONTROLLER",
            "IDE disks need a controller.",
            "They would be on no channel. Set chipset.hyperv_ide. Source: OpenVMM, chipset manifest.",
        },
    [RULE_DEVICE_IDE_TAKEN] =
        {
            "CFG-DEVICE-IDE-TAKEN",
            "Each IDE drive has one disk.",
            "Of two, a guest could see only one. Give the second another channel or drive. Source: OpenVMM, IDE "
            "disks.",
        },
    [RULE_DEVICE_IDE_ISOLATED] =
        {
            "CFG-DEVICE-IDE-ISOLATED",
            "A guest that the processor isolates has no IDE disks.",
            "The controller moves data by DMA to memory that the guest does not share. Use virtio. Source: "
            "OpenVMM, SNP devices.",
        },
    [RULE_DEVICE_FRAMEBUFFER_ZERO] =
        {
            "CFG-DEVICE-FRAMEBUFFER-ZERO",
            "A framebuffer is not empty.",
            "Leave it out to have none. Source: the layout of addresses.",
        },
    [RULE_DEVICE_FRAMEBUFFER_LARGE] =
        {
            "CFG-DEVICE-FRAMEBUFFER-LARGE",
            "A framebuffer has at most 1 GiB.",
            "Four times what the largest synthetic display shows; it has to have addresses beside other devices'. "
            "Source: Hyper-V synthetic video, VRAM.",
        },
    [RULE_DEVICE_VGA_FIRMWARE] =
        {
            "CFG-DEVICE-VGA-FIRMWARE",
            "The ROM of a VGA needs the VGA.",
            "It would be mapped nowhere. Set chipset.hyperv_vga, or leave out vga_firmware. Source: OpenVMM, "
            "chipset manifest.",
        },
    [RULE_DEVICE_VTL2_GFX_VTL2] =
        {
            "CFG-DEVICE-VTL2-GFX-VTL2",
            "VTL 2 can have the display only where there is VTL 2.",
            "Add hypervisor.with_vtl2, or leave out vtl2_gfx. Source: OpenVMM, --vtl2-gfx.",
        },
    [RULE_DEVICE_VTL2_GFX_FRAMEBUFFER] =
        {
            "CFG-DEVICE-VTL2-GFX-FRAMEBUFFER",
            "VTL 2 can have the display only where there is a framebuffer.",
            "It is mapped a second time for VTL 2. Add framebuffer, or leave out vtl2_gfx. Source: OpenVMM, "
            "--vtl2-gfx.",
        },
    [RULE_DEVICE_VIRTIO_PCI_BUS] =
        {
            "CFG-DEVICE-VIRTIO-PCI-BUS",
            "A virtio device on PCI needs the legacy PCI bus.",
            "Set chipset.generic_pci_bus; or have the device on mmio, or behind a PCIe port as a device of "
            "pcie_devices. Source: OpenVMM, virtio devices.",
        },
    [RULE_DEVICE_VPCI_RESOURCES] =
        {
            "CFG-DEVICE-VPCI-RESOURCES",
            "Devices that a Windows host assigns are for Windows hosts.",
            "They are handles of its hypervisor. Use pcie_devices or vpci_devices. Source: OpenVMM, "
            "vpci_resources.",
        },
    [RULE_DEVICE_VMGS_DISK_UNUSED] =
        {
            "CFG-DEVICE-VMGS-DISK-UNUSED",
            "A state file that is in memory, or not there, has no disk.",
            "Nothing would be stored on the disk. Choose another kind, or leave out the disk. Source: OpenVMM, "
            "VMGS.",
        },
    [RULE_DEVICE_VMGS_DISK_MISSING] =
        {
            "CFG-DEVICE-VMGS-DISK-MISSING",
            "A state file that outlives the machine has a disk.",
            "Without one nothing could be kept. Give the disk, or use ephemeral. Source: OpenVMM, VMGS.",
        },
    [RULE_DEVICE_VMGS_ISOLATED] =
        {
            "CFG-DEVICE-VMGS-ISOLATED",
            "A guest that the processor isolates has no state file on a disk.",
            "The host could read what the guest keeps there, and change it. Use ephemeral. Source: OpenVMM, SNP "
            "devices.",
        },
};
