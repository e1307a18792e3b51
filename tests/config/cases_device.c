/* SPDX-License-Identifier: MIT */
/*
 * Cases: disks, display, virtio and the guest's state file.
 */

#include "tests/config/check_cases.h"

#define FLOPPIES(...) LIST(floppy_disks, floppy_disk_count, vmr_floppy_config, __VA_ARGS__)
#define FLOPPY                                                                                                         \
    {                                                                                                                  \
        .disk = SOME                                                                                                   \
    }
#define FULL .generic_isa_dma = true, .winbond_super_io_and_floppy_full = true
#define GENERIC .generic_isa_dma = true, .generic_isa_floppy = true
#define DISKS(...) LIST(ide_disks, ide_disk_count, vmr_ide_config, __VA_ARGS__)
#define DISK(at_channel, at_drive)                                                                                     \
    {                                                                                                                  \
        .channel = at_channel, .drive = at_drive, .resource = SOME                                                     \
    }
#define IDE .piix4_pci_bus = true, .hyperv_ide = true
#define FRAMEBUFFER(bytes) .framebuffer = OF(vmr_framebuffer_config, .size = bytes)
#define VGA .piix4_pci_bus = true, .hyperv_vga = true
#define VIRTIO(where) LIST(virtio_devices, virtio_device_count, vmr_virtio_config, {.bus = where, .resource = SOME})
#define VMGS(what, ...) .vmgs = {.kind = VMR_VMGS_##what, __VA_ARGS__}

static const char *const vpci_names[] = {"a"};

const struct check_case cases_device[] = {
    GOOD(FLOPPIES(FLOPPY, FLOPPY), CHIPSET(FULL)),
    GOOD(FLOPPIES(FLOPPY), CHIPSET(GENERIC)),
    BAD("DEVICE-FLOPPY-CONTROLLER", "floppy_disks", FLOPPIES(FLOPPY)),
    BAD("DEVICE-FLOPPY-GENERIC-ONE", "floppy_disks[1]", FLOPPIES(FLOPPY, FLOPPY), CHIPSET(GENERIC)),
    BAD("DEVICE-FLOPPY-COUNT", "floppy_disks[2]", FLOPPIES(FLOPPY, FLOPPY, FLOPPY), CHIPSET(FULL)),
    BAD("DEVICE-FLOPPY-ISOLATED", "floppy_disks", FLOPPIES(FLOPPY), CHIPSET(FULL), LINUX(), ISOLATED(SNP)),

    GOOD(DISKS(DISK(0, 0), DISK(0, 1), DISK(1, 0), DISK(1, 1)), CHIPSET(IDE)),
    BAD("DEVICE-IDE-CONTROLLER", "ide_disks", DISKS(DISK(0, 0))),
    BAD("FIELD-RANGE", "ide_disks[1].channel", DISKS(DISK(0, 0), DISK(2, 0)), CHIPSET(IDE)),
    BAD("FIELD-RANGE", "ide_disks[1].drive", DISKS(DISK(0, 0), DISK(0, 2)), CHIPSET(IDE)),
    BAD("FIELD-RANGE", "ide_disks[0].drive", DISKS(DISK(0, 2), DISK(1, 0)), CHIPSET(IDE)),
    BAD("FIELD-RANGE", "ide_disks[0].drive", DISKS(DISK(0, 3), DISK(1, 1)), CHIPSET(IDE)),
    BAD("DEVICE-IDE-TAKEN", "ide_disks[2]", DISKS(DISK(1, 0), DISK(0, 1), DISK(1, 0)), CHIPSET(IDE)),
    BAD("DEVICE-IDE-ISOLATED", "ide_disks", DISKS(DISK(0, 0)), CHIPSET(IDE), LINUX(), ISOLATED(TDX)),

    GOOD(FRAMEBUFFER(4 * KIB), CHIPSET(.hyperv_framebuffer = true)),
    GOOD(FRAMEBUFFER(GIB)),
    BAD("DEVICE-FRAMEBUFFER-ZERO", "framebuffer", FRAMEBUFFER(0)),
    BAD("FIELD-MULTIPLE", "framebuffer.size", FRAMEBUFFER(4 * KIB + 1)),
    BAD("DEVICE-FRAMEBUFFER-LARGE", "framebuffer", FRAMEBUFFER(GIB + 4 * KIB)),
    GOOD(.vga_firmware = FILE_AT("vga.rom"), CHIPSET(VGA)),
    BAD("DEVICE-VGA-FIRMWARE", "vga_firmware", .vga_firmware = FILE_AT("vga.rom")),
    GOOD(VTL2, FRAMEBUFFER(MIB), .vtl2_gfx = true),
    BAD("DEVICE-VTL2-GFX-VTL2", "vtl2_gfx", FRAMEBUFFER(MIB), .vtl2_gfx = true),
    BAD("DEVICE-VTL2-GFX-FRAMEBUFFER", "vtl2_gfx", VTL2, .vtl2_gfx = true),

    GOOD(VIRTIO(VMR_VIRTIO_MMIO)),
    GOOD(VIRTIO(VMR_VIRTIO_PCI), CHIPSET(.generic_pci_bus = true)),
    GOOD(VIRTIO(VMR_VIRTIO_PCI), CHIPSET(.piix4_pci_bus = true)),
    BAD("DEVICE-VIRTIO-PCI-BUS", "virtio_devices[0].bus", VIRTIO(VMR_VIRTIO_PCI)),
    BAD("DEVICE-VPCI-RESOURCES", "vpci_resources", .vpci_resources = vpci_names, .vpci_resource_count = 1),

    GOOD(VMGS(EPHEMERAL, )),
    GOOD(VMGS(DISK, .disk = SOME)),
    BAD("DEVICE-VMGS-DISK-UNUSED", "vmgs", VMGS(EPHEMERAL, .disk = SOME)),
    BAD("DEVICE-VMGS-DISK-UNUSED", "vmgs", VMGS(NONE, .disk = SOME)),
    BAD("DEVICE-VMGS-DISK-MISSING", "vmgs.disk", VMGS(DISK, )),
    BAD("DEVICE-VMGS-DISK-MISSING", "vmgs.reprovision", VMGS(REPROVISION, )),
    BAD("DEVICE-VMGS-DISK-MISSING", "vmgs.reprovision_on_failure", VMGS(REPROVISION_ON_FAILURE, )),
    BAD("DEVICE-VMGS-ISOLATED", "vmgs", VMGS(DISK, .disk = SOME), LINUX(), ISOLATED(SNP)),
    END,
};
