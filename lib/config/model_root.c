/* SPDX-License-Identifier: MIT */
/*
 * Tables: the whole machine.
 */

#include "lib/config/model_fields.h"

static const char *const arches[VMR_ARCH_COUNT] = {
    [VMR_ARCH_X86_64] = "x86_64",
    [VMR_ARCH_ARM64] = "arm64",
};
static const char *const late_maps[VMR_LATE_MAP_POLICY_COUNT] = {
    [VMR_LATE_MAP_LOG] = "log",
    [VMR_LATE_MAP_HALT] = "halt",
    [VMR_LATE_MAP_INJECT_EXCEPTION] = "inject_exception",
};
static const char *const isolations[VMR_ISOLATION_COUNT] = {
    [VMR_ISOLATION_NONE] = "none",
    [VMR_ISOLATION_VBS] = "vbs",
    [VMR_ISOLATION_SNP] = "snp",
    [VMR_ISOLATION_TDX] = "tdx",
};
static const char *const log_levels[VMR_EFI_DIAGNOSTICS_LOG_LEVEL_COUNT] = {
    [VMR_EFI_DIAGNOSTICS_DEFAULT] = "default",
    [VMR_EFI_DIAGNOSTICS_INFO] = "info",
    [VMR_EFI_DIAGNOSTICS_FULL] = "full",
};

#define OF struct vmr_hypervisor_vtl2_config
static const struct model_field vtl2_fields[] = {
    {KEY(vtl0_alias_map), .kind = MODEL_BOOL, .about = "VTL 0's memory again at the highest address bit."},
    {OPTIONAL(late_map_vtl0_memory), NAMES(late_maps), .about = "What an access before VTL 0's memory is there does."},
};
static const struct model_struct vtl2 = {"vtl2", "A paravisor in VTL 2.", TABLE(vtl2_fields)};
#undef OF

#define OF struct vmr_hypervisor_config
static const struct model_field hypervisor_fields[] = {
    {KEY(with_hv), .kind = MODEL_BOOL, .about = "The Hyper-V guest interface."},
    {KEY(with_vtl2), .kind = MODEL_POINTER, .type = &vtl2, .about = "A paravisor in VTL 2; needs with_hv."},
    {KEY(with_isolation), NAMES(isolations), .about = "Who keeps the host out."},
    {KEY(nested_virt), .kind = MODEL_BOOL, .about = "The guest may run a hypervisor."},
};
const struct model_struct model_hypervisor = {"hypervisor", "What hypervisor the guest finds.",
                                              TABLE(hypervisor_fields)};
#undef OF

#define OF struct vmr_layout_config
static const struct model_field layout_fields[] = {
    {OPTIONAL(chipset_low_mmio_size), .kind = MODEL_UNSIGNED, .is_size = true,
     .about = "Below 4 GiB; 128 MiB, on arm64 512 MiB. 0: what the architecture needs."},
    {OPTIONAL(chipset_high_mmio_size), .kind = MODEL_UNSIGNED, .is_size = true,
     .about = "Above RAM; 512 MiB. 0: none."},
    {OPTIONAL(vtl2_chipset_mmio_size), .kind = MODEL_UNSIGNED, .is_size = true, .about = "With VTL 2; 1 GiB. 0: none."},
    {KEY(pcie_ecam_below_4gb), .kind = MODEL_BOOL, .about = "PCIe configuration space lies below 4 GiB."},
};
const struct model_struct model_layout = {"layout", "Sizes of what the layout places.", TABLE(layout_fields)};
#undef OF

static const struct model_field text = {.kind = MODEL_TEXT, .width = sizeof(char *), .required = true};

#define OF struct vmr_config
#define LIST(key, counter, of_type, text)                                                                              \
    {                                                                                                                  \
        KEY(key), .kind = MODEL_ARRAY, COUNTED(counter), ELEMENTS_OF(of_type), .about = (text)                         \
    }
static const struct model_field config_fields[] = {
    {KEY(arch), NAMES(arches), .about = "The guest's architecture."},
    {KEY(load_mode), .kind = MODEL_CHOICE, ALTERNATIVES(model_load_modes), .tag = INSIDE(load_mode, mode),
     .tag_width = sizeof(enum vmr_load_mode), .about = "What it starts with."},
    LIST(floppy_disks, floppy_disk_count, model_floppy, "Floppy drives."),
    LIST(ide_disks, ide_disk_count, model_ide, "Drives of IDE channels."),
    {KEY(pcie_root_complexes), .kind = MODEL_ARRAY, COUNTED(pcie_root_complex_count), ELEMENTS_OF(model_root_complex),
     .item_max = VMR_CONFIG_ROOT_COMPLEX_MAX, .about = "PCI Express root complexes."},
    LIST(pcie_devices, pcie_device_count, model_pcie_device, "Devices behind PCIe ports."),
    LIST(pcie_switches, pcie_switch_count, model_pcie_switch, "Switches behind PCIe ports."),
    LIST(pcie_generic_initiators, pcie_generic_initiator_count, model_generic_initiator,
         "Devices that access memory as processors do."),
    LIST(vpci_devices, vpci_device_count, model_vpci, "PCI devices over VMBus."),
    {KEY(numa), .kind = MODEL_STRUCT, .type = &model_numa, .about = "Nodes of processors and memory."},
    {KEY(processor_topology), .kind = MODEL_STRUCT, .type = &model_processors, .about = "The processors."},
    {KEY(hypervisor), .kind = MODEL_STRUCT, .type = &model_hypervisor, .about = "What hypervisor the guest finds."},
    {KEY(chipset), .kind = MODEL_STRUCT, .type = &model_chipset, .about = "Which devices the board has."},
    {KEY(vmbus), .kind = MODEL_POINTER, .type = &model_vmbus, .about = "VMBus for VTL 0."},
    {KEY(vtl2_vmbus), .kind = MODEL_POINTER, .type = &model_vmbus, .about = "VMBus for VTL 2."},
    {KEY(kernel_vmnics), .kind = MODEL_ARRAY, COUNTED(kernel_vmnic_count), ELEMENTS_OF(model_vmnic), .windows = true,
     .about = "Network cards that the host's kernel serves."},
    {KEY(framebuffer), .kind = MODEL_POINTER, .type = &model_framebuffer, .about = "Memory that is looked at."},
    {KEY(vga_firmware), .kind = MODEL_BLOB, .about = "The VGA card's BIOS file."},
    {KEY(vtl2_gfx), .kind = MODEL_BOOL, .about = "VTL 2 has the framebuffer."},
    LIST(virtio_devices, virtio_device_count, model_virtio, "Virtio devices."),
    {KEY(vpci_resources), .kind = MODEL_ARRAY, COUNTED(vpci_resource_count), .element = &text, .windows = true,
     .about = "Names of assigned devices."},
    {KEY(vmgs), .kind = MODEL_CHOICE, ALTERNATIVES(model_vmgs_kinds), .tag = INSIDE(vmgs, kind),
     .tag_width = sizeof(enum vmr_vmgs_kind), .about = "The store of guest state."},
    {KEY(secure_boot_enabled), .kind = MODEL_BOOL, .about = "Firmware starts only what is signed."},
    {KEY(custom_uefi_vars), .kind = MODEL_STRUCT, .type = &model_uefi_variables,
     .about = "What UEFI firmware finds in its store."},
    LIST(vmbus_devices, vmbus_device_count, model_vmbus_device, "Devices over VMBus."),
    LIST(chipset_devices, chipset_device_count, model_chipset_device, "More devices of the board."),
    LIST(pci_chipset_devices, pci_chipset_device_count, model_pci_chipset_device, "Devices of the legacy PCI bus."),
    {KEY(isa_dma_controller), RESOURCE(VMR_RESOURCE_ISA_DMA), .about = "The ISA DMA controller."},
    {KEY(chipset_capabilities), .kind = MODEL_STRUCT, .type = &model_chipset_capabilities,
     .about = "What firmware tells a guest that the board has, beside its devices."},
    {KEY(layout), .kind = MODEL_STRUCT, .type = &model_layout, .about = "Sizes of what the layout places."},
    {KEY(rtc_delta_milliseconds), .kind = MODEL_SIGNED, .about = "What the guest's clock is ahead of its epoch."},
    {KEY(automatic_guest_reset), .kind = MODEL_BOOL, .about = "A guest's reset starts the machine again."},
    {KEY(efi_diagnostics_log_level), NAMES(log_levels), .about = "What of the firmware's log is kept."},
};
const struct model_struct model_config = {"config", "A virtual machine.", TABLE(config_fields)};
#undef OF
