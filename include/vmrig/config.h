/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The whole machine, as a user says it.
 *
 *   C structs, or JSON ── vmr_config_file_read ──> struct vmr_config ── vmr_config_check ──> no findings
 *       ── vmr_resolve ──> struct vmr_resolved: addresses, numbers, trees ── vmr_firmware_tables_build ──> tables
 *       ── vmr_resolved_check_host ──> fits this hypervisor ── vmr_machine_build ──> a machine
 *
 * Each step is a pure function of the one before: of nothing on the host, and in
 * the end only checked against it. [CFG-1] One validator serves every front end.
 *
 * Zero is the default of every field. Everything that is pointed to is borrowed.
 */

#include "vmrig/config/devices.h"
#include "vmrig/config/load.h"
#include "vmrig/config/pcie.h"
#include "vmrig/config/topology.h"
#include "vmrig/vtl.h"

VMR_BEGIN_DECLS

/* What JSON calls "hypervisor": what the guest finds, not which backend runs it. */
struct vmr_hypervisor_vtl2_config {
    bool vtl0_alias_map; /* VTL 0's memory again at the highest address bit */
    struct {
        bool given;
        enum vmr_late_map_policy value;
    } late_map_vtl0_memory; /* needs an IGVM file */
};

struct vmr_hypervisor_config {
    bool with_hv;                                       /* the Hyper-V guest interface */
    const struct vmr_hypervisor_vtl2_config *with_vtl2; /* NULL: none; needs with_hv */
    enum vmr_isolation with_isolation;
    bool nested_virt;
};

/* Sizes of what the layout places by itself. */
#define VMR_DEFAULT_CHIPSET_LOW_MMIO_SIZE_X86 (UINT32_C(128) << 20)
#define VMR_DEFAULT_CHIPSET_LOW_MMIO_SIZE_ARM64 (UINT32_C(512) << 20)
#define VMR_DEFAULT_CHIPSET_HIGH_MMIO_SIZE (UINT64_C(512) << 20)
#define VMR_DEFAULT_VTL2_CHIPSET_MMIO_SIZE (UINT64_C(1) << 30)

struct vmr_layout_config {
    struct vmr_optional_u32 chipset_low_mmio_size;  /* bytes, below 4 GiB; 0: what the architecture needs */
    struct vmr_optional_u64 chipset_high_mmio_size; /* bytes, above RAM; 0: none */
    struct vmr_optional_u64 vtl2_chipset_mmio_size; /* bytes, with VTL 2; 0: none */
    bool pcie_ecam_below_4gb;
};

enum vmr_efi_diagnostics_log_level {
    VMR_EFI_DIAGNOSTICS_DEFAULT,
    VMR_EFI_DIAGNOSTICS_INFO,
    VMR_EFI_DIAGNOSTICS_FULL,
    VMR_EFI_DIAGNOSTICS_LOG_LEVEL_COUNT
};

/*
 * What only a running embedder can give, and no file. Optional: and no machine
 * here takes one, so that vmr_machine_build refuses each by its name. [CFG-5]
 */
struct vmr_config_live {
    /* Keys for the guest: the machine fills `ret_scancodes` (set 1) when it has room. NULL: nobody types. */
    size_t (*input)(void *context, uint8_t *ret_scancodes, size_t capacity);
    /* The guest's firmware says that it boots, failed to, or gave up. */
    void (*firmware_event)(void *context, uint32_t event);
    /* The machine waits for a debugger here before it starts; NULL: none. */
    struct vmr_gdb *debugger;
    void *context;
};

struct vmr_config {
    enum vmr_arch arch;
    struct vmr_load_config load_mode;
    const struct vmr_floppy_config *floppy_disks;
    size_t floppy_disk_count;
    const struct vmr_ide_config *ide_disks;
    size_t ide_disk_count;
    const struct vmr_pcie_root_complex_config *pcie_root_complexes;
    size_t pcie_root_complex_count;
    const struct vmr_pcie_device_config *pcie_devices;
    size_t pcie_device_count;
    const struct vmr_pcie_switch_config *pcie_switches;
    size_t pcie_switch_count;
    const struct vmr_pcie_generic_initiator_config *pcie_generic_initiators;
    size_t pcie_generic_initiator_count;
    const struct vmr_vpci_config *vpci_devices;
    size_t vpci_device_count;
    struct vmr_numa_config numa;
    struct vmr_processor_config processor_topology;
    struct vmr_hypervisor_config hypervisor;
    struct vmr_chipset_config chipset;
    const struct vmr_vmbus_config *vmbus, *vtl2_vmbus;   /* NULL: none */
    const struct vmr_kernel_vmnic_config *kernel_vmnics; /* Windows hosts */
    size_t kernel_vmnic_count;
    const struct vmr_framebuffer_config *framebuffer; /* NULL: none */
    struct vmr_config_blob vga_firmware;
    bool vtl2_gfx;
    const struct vmr_virtio_config *virtio_devices;
    size_t virtio_device_count;
    const char *const *vpci_resources; /* Windows hosts: names of assigned devices */
    size_t vpci_resource_count;
    struct vmr_vmgs_config vmgs;
    bool secure_boot_enabled;
    struct vmr_uefi_variables custom_uefi_vars;
    const struct vmr_vmbus_device_config *vmbus_devices;
    size_t vmbus_device_count;
    const struct vmr_chipset_device_config *chipset_devices;
    size_t chipset_device_count;
    const struct vmr_pci_chipset_device_config *pci_chipset_devices;
    size_t pci_chipset_device_count;
    struct vmr_resource isa_dma_controller;
    struct vmr_chipset_capabilities chipset_capabilities;
    struct vmr_layout_config layout;
    int64_t rtc_delta_milliseconds; /* what the guest's real-time clock is ahead of its epoch */
    bool automatic_guest_reset;     /* a guest's reset starts the machine again without a word */
    enum vmr_efi_diagnostics_log_level efi_diagnostics_log_level;
    struct vmr_config_live live; /* in no file */
};

VMR_END_DECLS
