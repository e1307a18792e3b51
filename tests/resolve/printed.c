/* SPDX-License-Identifier: MIT */
/*
 * One of everything.
 */

#include "tests/resolve/printed.h"

void printed_init(struct rig *rig)
{
    static const struct vmr_pcie_port_config root[] = {{.name = "r0", .hotplug = true}, {.name = "r<&>1"}},
                                             cxl_ports[] = {{.name = "x0", .cxl = true}},
                                             below[] = {{.name = "s0"}, {.name = "s1"}};
    static const struct vmr_root_complex_cxl_config cxl = {.hdm_size = 256 * MIB, .hdm_window_restrictions = 6};
    static const struct vmr_pcie_root_complex_config complexes[] = {
        {.index = 0,
         .name = "rc0",
         .end_bus = 15,
         .ports = root,
         .port_count = 2,
         .iommu = VMR_PCIE_IOMMU_INTEL_VTD,
         .vnode = {true, 1}},
        {.index = 1, .name = "rc1", .segment = 1, .end_bus = 3, .ports = cxl_ports, .port_count = 1, .cxl = &cxl},
    };
    static const struct vmr_pcie_switch_config one = {
        .name = "sw0", .parent_port = "r0", .ports = below, .port_count = 2};
    static const struct vmr_pcie_device_config device = {.port_name = "s1", .resource = {.id = "nvme"}};
    static const struct vmr_pcie_generic_initiator_config initiator = {.port_name = "s1", .node = 1};
    static const struct vmr_virtio_config virtio = {.bus = VMR_VIRTIO_MMIO, .resource = {.id = "virtio-rng"}};
    static const struct vmr_hypervisor_vtl2_config vtl2;

    rig_init(rig, VMR_ARCH_X86_64);
    rig_nodes(rig, 2, 3 * GIB);
    rig->config.processor_topology.proc_count = 4;
    rig->config.processor_topology.vps_per_socket = (struct vmr_optional_u32){true, 2};
    rig->config.pcie_root_complexes = complexes;
    rig->config.pcie_root_complex_count = 2;
    rig->config.pcie_switches = &one;
    rig->config.pcie_switch_count = 1;
    rig->config.pcie_devices = &device;
    rig->config.pcie_device_count = 1;
    rig->config.pcie_generic_initiators = &initiator;
    rig->config.pcie_generic_initiator_count = 1;
    rig->config.virtio_devices = &virtio;
    rig->config.virtio_device_count = 1;
    rig->config.hypervisor.with_hv = true;
    rig->config.hypervisor.with_vtl2 = &vtl2;
}
