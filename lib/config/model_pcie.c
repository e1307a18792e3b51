/* SPDX-License-Identifier: MIT */
/*
 * Tables: PCI Express.
 */

#include "lib/config/model_fields.h"

#define OF struct vmr_pcie_mmio_config
static const struct model_field mmio_kinds[] = {
    {KEY(size), .kind = MODEL_UNSIGNED, .is_size = true, .about = "Bytes; the layout finds a place."},
    {.name = "fixed", PLACE(range), .kind = MODEL_RANGE, .about = "This place."},
};
#define WINDOW                                                                                                         \
    .kind = MODEL_CHOICE, ALTERNATIVES(mmio_kinds), .tag = offsetof(struct vmr_pcie_mmio_config, fixed),               \
    .tag_width = sizeof(bool)
#undef OF

#define OF struct vmr_pcie_port_config
static const struct model_field port_fields[] = {
    {KEY(name), .kind = MODEL_TEXT, .required = true, .about = "Unique among all ports."},
    {OPTIONAL(devfn), .kind = MODEL_UNSIGNED, .about = "device * 8 + function; else the lowest that is free."},
    {KEY(hotplug), .kind = MODEL_BOOL, .about = "Devices may come and go."},
    {OPTIONAL(acs_capabilities_supported), .kind = MODEL_UNSIGNED, .is_hex = true, .about = "The ACS capability mask."},
    {KEY(cxl), .kind = MODEL_BOOL, .about = "A root port of a complex with CXL speaks it."},
    {KEY(pasid), .kind = MODEL_BOOL, .about = "Requests may name a process address space."},
};
static const struct model_struct port = {"pcie_port", "A root port, or a downstream port of a switch.",
                                         TABLE(port_fields)};
#undef OF

#define OF struct vmr_root_complex_cxl_config
static const struct model_field cxl_fields[] = {
    {KEY(hdm_size), .kind = MODEL_UNSIGNED, .is_size = true, .align = VMR_CXL_ALIGNMENT,
     .about = "Host-managed device memory, in bytes."},
    {KEY(hdm_window_restrictions), .kind = MODEL_UNSIGNED, .is_hex = true, .max = VMR_CXL_WINDOW_RESTRICTIONS,
     .about = "What the window may be used for: CFMWS restrictions."},
};
static const struct model_struct cxl = {"root_complex_cxl", "CXL below a root complex.", TABLE(cxl_fields)};
#undef OF

static const char *const iommus[VMR_PCIE_IOMMU_COUNT] = {
    [VMR_PCIE_IOMMU_NONE] = "none",
    [VMR_PCIE_IOMMU_AMD_VI] = "amd_vi",
    [VMR_PCIE_IOMMU_SMMU] = "smmu",
    [VMR_PCIE_IOMMU_INTEL_VTD] = "intel_vtd",
};

#define OF struct vmr_pcie_root_complex_config
static const struct model_field root_complex_fields[] = {
    {KEY(index), .kind = MODEL_UNSIGNED, .about = "The number that firmware tables give it."},
    {KEY(name), .kind = MODEL_TEXT, .required = true, .about = "Unique among root complexes."},
    {KEY(segment), .kind = MODEL_UNSIGNED, .about = "The PCI segment."},
    {KEY(start_bus), .kind = MODEL_UNSIGNED, .about = "Its first bus."},
    {KEY(end_bus), .kind = MODEL_UNSIGNED, .about = "Its last bus."},
    {KEY(low_mmio), WINDOW, .about = "The window below 4 GiB; 64 MiB."},
    {KEY(high_mmio), WINDOW, .about = "The window above RAM; 1 GiB."},
    {KEY(ports), .kind = MODEL_ARRAY, COUNTED(port_count), ELEMENTS_OF(port), .about = "Its root ports."},
    {KEY(cxl), .kind = MODEL_POINTER, .type = &cxl, .about = "CXL below this root complex."},
    {KEY(iommu), NAMES(iommus), .about = "What translates its devices' addresses."},
    {OPTIONAL(vnode), .kind = MODEL_UNSIGNED, .about = "The NUMA node that it is near to."},
    {KEY(preserve_bars), .kind = MODEL_BOOL, .about = "What BARs hold when first seen is where they stay."},
};
const struct model_struct model_root_complex = {"pcie_root_complex", "A PCI Express root complex.",
                                                TABLE(root_complex_fields)};
#undef OF

#define OF struct vmr_pcie_switch_config
static const struct model_field switch_fields[] = {
    {KEY(name), .kind = MODEL_TEXT, .required = true, .about = "Unique among switches."},
    {KEY(parent_port), .kind = MODEL_TEXT, .required = true, .about = "The port that it hangs on."},
    {KEY(ports), .kind = MODEL_ARRAY, COUNTED(port_count), ELEMENTS_OF(port), .about = "Its downstream ports."},
};
const struct model_struct model_pcie_switch = {"pcie_switch", "A switch; after the one that it hangs on.",
                                               TABLE(switch_fields)};
#undef OF

#define OF struct vmr_pcie_device_config
static const struct model_field device_fields[] = {
    {KEY(port_name), .kind = MODEL_TEXT, .required = true, .about = "The port that it is behind."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_PCI_DEVICE), .required = true, .about = "The device."},
};
const struct model_struct model_pcie_device = {"pcie_device", "A device behind a port.", TABLE(device_fields)};
#undef OF

#define OF struct vmr_pcie_generic_initiator_config
static const struct model_field initiator_fields[] = {
    {KEY(port_name), .kind = MODEL_TEXT, .required = true, .about = "The port of the device."},
    {KEY(node), .kind = MODEL_UNSIGNED, .about = "The NUMA node."},
};
const struct model_struct model_generic_initiator = {
    "generic_initiator", "A device that accesses memory as a processor of a node would.", TABLE(initiator_fields)};
#undef OF
