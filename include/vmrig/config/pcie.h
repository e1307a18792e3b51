/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * PCI Express: root complexes with their ports, switches behind ports, devices
 * behind either. Everything is wired by port names, which are unique.
 */

#include "vmrig/config/values.h"

VMR_BEGIN_DECLS

#define VMR_CONFIG_ROOT_COMPLEX_MAX 64u
#define VMR_PCIE_DEFAULT_LOW_MMIO_SIZE (UINT64_C(64) << 20)
#define VMR_PCIE_DEFAULT_HIGH_MMIO_SIZE (UINT64_C(1) << 30)

/* A window for BARs: a size, and the layout finds a place; or a place, for what the host has put there. */
struct vmr_pcie_mmio_config {
    bool fixed;
    uint64_t size;              /* bytes; 0: the default of the window */
    struct vmr_gpa_range range; /* with `fixed` */
};

/* One port: of a root complex, or downstream of a switch. */
struct vmr_pcie_port_config {
    const char *name;             /* required */
    struct vmr_optional_u8 devfn; /* device << 3 | function; the lowest that is free when the port's turn comes */
    bool hotplug;                 /* devices may come and go */
    struct vmr_optional_u16 acs_capabilities_supported;
    bool cxl;   /* a root port of a complex with `cxl` */
    bool pasid; /* requests may name a process address space */
};

/* CFMWS window restrictions (CXL specification, CEDT). */
#define VMR_CXL_WINDOW_DEVICE_COHERENT 0x01u /* CXL.mem type 2 */
#define VMR_CXL_WINDOW_HOST_ONLY 0x02u       /* CXL.mem type 3 */
#define VMR_CXL_WINDOW_VOLATILE 0x04u
#define VMR_CXL_WINDOW_PERSISTENT 0x08u
#define VMR_CXL_WINDOW_FIXED 0x10u
#define VMR_CXL_WINDOW_BI 0x20u
#define VMR_CXL_WINDOW_RESTRICTIONS 0x3fu

#define VMR_CXL_CHBCR_SIZE UINT64_C(0x10000)               /* component registers of a host bridge */
#define VMR_CXL_COMPONENT_REGISTERS_SIZE UINT64_C(0x10000) /* of a port */
#define VMR_CXL_ALIGNMENT (UINT64_C(256) << 20)            /* of an HDM window and its size */

struct vmr_root_complex_cxl_config {
    uint64_t hdm_size; /* bytes: host-managed device memory */
    uint16_t hdm_window_restrictions;
};

enum vmr_pcie_iommu {
    VMR_PCIE_IOMMU_NONE,
    VMR_PCIE_IOMMU_AMD_VI,    /* x86-64 */
    VMR_PCIE_IOMMU_SMMU,      /* arm64: SMMUv3 */
    VMR_PCIE_IOMMU_INTEL_VTD, /* x86-64 */
    VMR_PCIE_IOMMU_COUNT
};

/*
 * Where an x86-64 IOMMU sees the I/O APIC's interrupts come from, on bus 0 of segment 0 (IVRS, DMAR): nothing is there
 * for the guest to find, and no port may be.
 */
#define VMR_PCIE_IOAPIC_DEVFN 0xa0u /* device 20, function 0: elsewhere, Linux does not believe an IVRS */

struct vmr_pcie_root_complex_config {
    uint32_t index;
    const char *name; /* required, unique */
    uint16_t segment;
    uint8_t start_bus, end_bus; /* inclusive; those of a segment do not overlap */
    struct vmr_pcie_mmio_config low_mmio, high_mmio;
    const struct vmr_pcie_port_config *ports;
    size_t port_count;
    const struct vmr_root_complex_cxl_config *cxl; /* NULL: none */
    enum vmr_pcie_iommu iommu;
    struct vmr_optional_u32 vnode;
    bool preserve_bars; /* what BARs hold when they are first seen is where they stay */
};

/* After the switch that it hangs on, if on one. */
struct vmr_pcie_switch_config {
    const char *name;        /* required, unique */
    const char *parent_port; /* required */
    const struct vmr_pcie_port_config *ports;
    size_t port_count;
};

struct vmr_pcie_device_config {
    const char *port_name; /* required; one device a port */
    struct vmr_resource resource;
};

/* The device behind this port accesses memory as a processor of `node` would (ACPI, SRAT generic initiator). */
struct vmr_pcie_generic_initiator_config {
    const char *port_name;
    uint32_t node;
};

VMR_END_DECLS
