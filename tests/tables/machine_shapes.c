/* SPDX-License-Identifier: MIT */
/*
 * The shapes: some with a name, and one for every number.
 */

#include "tests/tables/machines.h"

#define X86 .arch = VMR_ARCH_X86_64
#define ARM .arch = VMR_ARCH_ARM64
#define LINUX .load = VMR_LOAD_LINUX, .serial = true
#define TREE .boots_by_tree = true

/* clang-format off: one a line */
static const struct machine_shape shapes[] = {
    {.name = "pc-one", X86},
    {.name = "pc-small", X86, LINUX, .vps = 2, .root_complexes = 1, .ports = 2},
    {.name = "pc-firmware", X86, .load = VMR_LOAD_FIRMWARE, .vps = 4},
    {.name = "pc-legacy", X86, LINUX, .vps = 2, .legacy = true, .power_management = true, .virtio = 3},
    {.name = "pc-hyperv",
     X86,
     .load = VMR_LOAD_UEFI,
     .serial = true,
     .vps = 8,
     .vps_per_socket = 4,
     .smt = true,
     .vmbus = true,
     .high_mmio = true,
     .power_management = true},
    {.name = "pc-numa",
     X86,
     LINUX,
     .vps = 16,
     .vps_per_socket = 4,
     .nodes = 4,
     .node_memory = 2 * MACHINE_GIB,
     .memory_less = 4,
     .root_complexes = 4,
     .ports = 2,
     .initiators = true},
    {.name = "pc-amd-vi",
     X86,
     LINUX,
     .vps = 4,
     .root_complexes = 3,
     .segments = 2,
     .ports = 2,
     .iommu = VMR_PCIE_IOMMU_AMD_VI},
    {.name = "pc-vtd",
     X86,
     LINUX,
     .vps = 4,
     .root_complexes = 3,
     .segments = 2,
     .ports = 2,
     .iommu = VMR_PCIE_IOMMU_INTEL_VTD},
    {.name = "pc-cxl", X86, LINUX, .vps = 2, .root_complexes = 2, .ports = 1, .cxl = true, .preserve_bars = true},
    {.name = "pc-wide-ids", X86, LINUX, .vps = 6, .apic_id_first = 252},
    {.name = "pc-limits",
     X86,
     LINUX,
     .vps = 1024,
     .vps_per_socket = 16,
     .smt = true,
     .nodes = 64,
     .root_complexes = 32,
     .segments = 4,
     .ports = 8,
     .iommu = VMR_PCIE_IOMMU_INTEL_VTD},
    {.name = "pc-huge", X86, LINUX, .vps = 300, .node_memory = UINT64_C(7) << 49},
    {.name = "arm-one", ARM, LINUX},
    {.name = "arm-tree",
     ARM,
     LINUX,
     TREE,
     .vps = 4,
     .vps_per_socket = 2,
     .nodes = 2,
     .root_complexes = 2,
     .ports = 2,
     .virtio = 2,
     .iommu = VMR_PCIE_IOMMU_SMMU,
     .pmu = true},
    {.name = "arm-tree-v2",
     ARM,
     LINUX,
     TREE,
     .vps = 2,
     .gic = VMR_GIC_V2,
     .root_complexes = 1,
     .ports = 1,
     .vmbus = true,
     .preserve_bars = true},
    {.name = "arm-v2m",
     ARM,
     LINUX,
     .vps = 4,
     .smt = true,
     .msi = VMR_GIC_MSI_V2M,
     .root_complexes = 1,
     .ports = 1,
     .pmu = true,
     .vmbus = true},
    {.name = "arm-v2", ARM, .load = VMR_LOAD_UEFI, .serial = true, .vps = 8, .gic = VMR_GIC_V2},
    {.name = "arm-smmu",
     ARM,
     LINUX,
     .vps = 4,
     .nodes = 2,
     .vps_per_socket = 2,
     .root_complexes = 5,
     .segments = 2,
     .ports = 1,
     .iommu = VMR_PCIE_IOMMU_SMMU,
     .cxl = true,
     .initiators = true},
    {.name = "arm-both",
     ARM,
     .vps = 255,
     .vps_per_socket = 16,
     .smt = true,
     .nodes = 4,
     .root_complexes = 2,
     .segments = 2,
     .ports = 3},
};
/* clang-format on */

const struct machine_shape *machine_shape(size_t index)
{
    return index < sizeof(shapes) / sizeof(shapes[0]) ? &shapes[index] : NULL;
}

/* SplitMix64. */
static uint32_t below(uint64_t *state, uint32_t limit)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % limit);
}

static void random_pcie(struct machine_shape *shape, uint64_t *state, bool arm)
{
    static const enum vmr_pcie_iommu pc[] = {VMR_PCIE_IOMMU_NONE, VMR_PCIE_IOMMU_AMD_VI, VMR_PCIE_IOMMU_INTEL_VTD};

    shape->segments = 1 + below(state, 4);
    shape->root_complexes = below(state, 4) ? below(state, 9) : below(state, 33);
    if (shape->root_complexes > 8 * shape->segments)
        shape->root_complexes = 8 * shape->segments;
    shape->ports = below(state, 9);
    shape->iommu = arm ? (below(state, 2) ? VMR_PCIE_IOMMU_SMMU : VMR_PCIE_IOMMU_NONE) : pc[below(state, 3)];
    shape->cxl = !shape->boots_by_tree && below(state, 4) == 0;
    shape->initiators = !shape->boots_by_tree && below(state, 3) == 0;
    shape->preserve_bars = below(state, 2);
}

struct machine_shape machine_random_shape(uint64_t number)
{
    static const enum vmr_load_mode loads[] = {VMR_LOAD_NONE, VMR_LOAD_LINUX, VMR_LOAD_UEFI};
    uint64_t state = number;
    bool arm = below(&state, 2);
    struct machine_shape shape = {
        .name = "random",
        .arch = arm ? VMR_ARCH_ARM64 : VMR_ARCH_X86_64,
        .load = loads[below(&state, 3)],
        .boots_by_tree = arm && below(&state, 2),
        .serial = below(&state, 2),
        .vps = 1 + (below(&state, 4) ? below(&state, 16) : below(&state, arm ? 255 : 400)),
        .vps_per_socket = 1 + below(&state, 20),
        .smt = below(&state, 2),
        .apic_id_first = below(&state, 3) ? 0 : below(&state, 300),
        .nodes = 1 + below(&state, below(&state, 8) ? 5 : 64),
        .node_memory = (1 + below(&state, 0x10000)) * UINT64_C(0x10000),
        .memory_less = below(&state, 4) ? 0 : 2,
        .virtio = below(&state, 8),
        .gic = arm && below(&state, 3) == 0 ? VMR_GIC_V2 : VMR_GIC_V3,
        .msi = (enum vmr_gic_msi_config)below(&state, 3),
        .pmu = below(&state, 2),
        .vmbus = below(&state, 2),
        .legacy = below(&state, 2),
        .power_management = !arm && below(&state, 2),
        .high_mmio = below(&state, 2),
    };

    if (shape.node_memory < 16 << 20)
        shape.node_memory = 16 << 20;
    shape.boots_by_tree = shape.boots_by_tree && shape.load == VMR_LOAD_LINUX;
    if (shape.gic == VMR_GIC_V2 && shape.msi == VMR_GIC_MSI_ITS)
        shape.msi = VMR_GIC_MSI_V2M;
    random_pcie(&shape, &state, arm);
    return shape;
}
