/* SPDX-License-Identifier: MIT */
/*
 * Display, virtio and the guest's state file.
 */

#include "lib/config/check.h"

#include <inttypes.h>

#define RULE(name) &rules_device[RULE_DEVICE_##name]

#define FRAMEBUFFER_SIZE_MAX (UINT64_C(1) << 30)

static void check_framebuffer(struct check *check, const struct vmr_framebuffer_config *framebuffer)
{
    const struct config_path *place = at(check, "framebuffer");
    uint64_t size = framebuffer->size;

    if (size == 0)
        FOUND(check, RULE(FRAMEBUFFER_ZERO), place, "a size of 0");
    else if (is_multiple(size, VMR_PAGE_SIZE) && size > FRAMEBUFFER_SIZE_MAX)
        FOUND(check, RULE(FRAMEBUFFER_LARGE), place, "%#" PRIx64 ", at most %#" PRIx64, size, FRAMEBUFFER_SIZE_MAX);
}

void check_display(struct check *check)
{
    const struct vmr_config *config = &check->config;

    if (config->framebuffer)
        check_framebuffer(check, config->framebuffer);
    if (blob_is_given(&config->vga_firmware) && !config->chipset.hyperv_vga)
        FOUND(check, RULE(VGA_FIRMWARE), at(check, "vga_firmware"), "there is no chipset.hyperv_vga");
    if (config->vtl2_gfx && !config->hypervisor.with_vtl2)
        FOUND(check, RULE(VTL2_GFX_VTL2), at(check, "vtl2_gfx"), "there is no hypervisor.with_vtl2");
    else if (config->vtl2_gfx && !config->framebuffer)
        FOUND(check, RULE(VTL2_GFX_FRAMEBUFFER), at(check, "vtl2_gfx"), "there is no framebuffer");
}

void check_virtio(struct check *check)
{
    const struct vmr_config *config = &check->config;
    bool has_bus = config->chipset.generic_pci_bus || config->chipset.piix4_pci_bus;

    for (size_t i = 0; i < config->virtio_device_count; i++) {
        if (config->virtio_devices[i].bus == VMR_VIRTIO_PCI && !has_bus)
            FOUND(check, RULE(VIRTIO_PCI_BUS), at(check, "virtio_devices[%zu].bus", i),
                  "there is neither chipset.generic_pci_bus nor chipset.piix4_pci_bus");
    }
    if (config->vpci_resource_count > 0)
        FOUND(check, RULE(VPCI_RESOURCES), at(check, "vpci_resources"), "no host but Windows has them");
}

void check_vmgs(struct check *check)
{
    const struct vmr_vmgs_config *vmgs = &check->config.vmgs;
    bool has_disk = vmgs->disk.id != NULL;

    if (vmgs->kind == VMR_VMGS_NONE || vmgs->kind == VMR_VMGS_EPHEMERAL) {
        if (has_disk)
            FOUND(check, RULE(VMGS_DISK_UNUSED), at(check, "vmgs"), "a disk, and nothing is stored on it");
        return;
    }
    if (has_disk && is_hardware_isolated(check))
        FOUND(check, RULE(VMGS_ISOLATED), at(check, "vmgs"), "a disk, and the guest is isolated");
}
