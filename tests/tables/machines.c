/* SPDX-License-Identifier: MIT */
/*
 * Machines from shapes. Whatever a shape says, nothing here wraps or overlaps.
 */

#include "tests/tables/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB MACHINE_GIB
#define MIB (UINT64_C(1) << 20)

struct machine {
    struct vmr_config config;
    struct vmr_resolved resolved;
    struct vmr_resolved_gic gic;
    struct vmr_resolved_vp *vps;
    struct vmr_resolved_node *nodes;
    struct vmr_numa_node *numa_nodes;
    struct vmr_memory_config *memories;
    uint8_t *distances;
    struct vmr_resolved_ram *ram;
    struct vmr_resolved_root_complex *complexes;
    struct vmr_pcie_root_complex_config *complex_configs;
    struct vmr_resolved_port *ports;
    struct vmr_pcie_port_config *port_configs;
    struct vmr_resolved_iommu *iommus;
    struct vmr_resolved_virtio_mmio *virtio;
    struct vmr_vmbus_config vmbus;
    struct vmr_root_complex_cxl_config cxl;
};

static void *zeroed(size_t count, size_t size)
{
    void *bytes = calloc(count > 0 ? count : 1, size);

    if (!bytes)
        abort();
    return bytes;
}

static uint32_t or_one(uint32_t value)
{
    return value ? value : 1;
}

static void make_processors(struct machine *machine, const struct machine_shape *shape)
{
    uint32_t count = or_one(shape->vps), per_socket = shape->vps_per_socket ? shape->vps_per_socket : count;
    uint32_t nodes = or_one(shape->nodes);

    machine->vps = zeroed(count, sizeof(*machine->vps));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t in_socket = i % per_socket;

        machine->vps[i] = (struct vmr_resolved_vp){
            .apic_id = shape->apic_id_first + i,
            .mpidr = UINT64_C(0x80000000) | (count == 1 ? UINT64_C(1) << 30 : 0) | (shape->smt ? 1u << 24 : 0) |
                     (uint64_t)(i / 16) << 8 | i % 16,
            .vnode = i / per_socket % nodes,
            .socket = i / per_socket,
            .core = shape->smt ? in_socket / 2 : in_socket,
            .thread = shape->smt ? in_socket % 2 : 0,
        };
    }
    machine->resolved.processors = (struct vmr_resolved_processors){
        .vps = machine->vps,
        .vp_count = count,
        .vps_per_socket = per_socket,
        .socket_count = (count + per_socket - 1) / per_socket,
        .smt = shape->smt,
        .gic = shape->arch == VMR_ARCH_ARM64 ? &machine->gic : NULL,
    };
}

static void make_nodes(struct machine *machine, const struct machine_shape *shape)
{
    uint32_t count = or_one(shape->nodes);

    machine->nodes = zeroed(count, sizeof(*machine->nodes));
    machine->memories = zeroed(count, sizeof(*machine->memories));
    machine->numa_nodes = zeroed(count, sizeof(*machine->numa_nodes));
    machine->distances = zeroed((size_t)count * count, 1);
    for (uint32_t i = 0; i < count; i++) {
        bool has_memory = shape->memory_less == 0 || i % shape->memory_less != shape->memory_less - 1;

        machine->memories[i].mem_size = shape->node_memory ? shape->node_memory : GIB;
        machine->nodes[i].mem = has_memory ? &machine->memories[i] : NULL;
        machine->numa_nodes[i].mem = machine->nodes[i].mem;
        for (uint32_t j = 0; j < count; j++)
            machine->distances[i * count + j] = (uint8_t)(i == j ? 10 : 20 + (i + 2 * j) % 100);
    }
    machine->resolved.numa = (struct vmr_resolved_numa){machine->nodes, count, machine->distances};
    machine->config.numa.nodes = machine->numa_nodes;
    machine->config.numa.node_count = count;
}

/* Upwards, around 3 GiB to 4 GiB. */
static void make_memory(struct machine *machine, const struct machine_shape *shape)
{
    struct vmr_resolved_memory *memory = &machine->resolved.memory;
    vmr_gpa next = shape->arch == VMR_ARCH_ARM64 ? GIB : 0;

    machine->ram = zeroed((size_t)machine->resolved.numa.node_count + 1, sizeof(*machine->ram));
    for (uint32_t i = 0; i < machine->resolved.numa.node_count; i++) {
        uint64_t left = machine->nodes[i].mem ? machine->nodes[i].mem->mem_size : 0;

        memory->ram_size += left;
        while (left > 0) {
            uint64_t here = next < 3 * GIB && 3 * GIB - next < left ? 3 * GIB - next : left;

            machine->ram[memory->ram_count++] = (struct vmr_resolved_ram){{next, next + here}, i};
            left -= here;
            next = next + here == 3 * GIB ? 4 * GIB : next + here;
        }
    }
    memory->ram = machine->ram;
    if (shape->high_mmio)
        memory->chipset_high_mmio = (struct vmr_gpa_range){UINT64_C(0x8000000000), UINT64_C(0x8020000000)};
    memory->chipset_low_mmio = shape->arch == VMR_ARCH_ARM64 ? (struct vmr_gpa_range){0xe0000000u, 0xef000000u}
                                                             : (struct vmr_gpa_range){0xf8000000u, 0xfe000000u};
    memory->top = UINT64_C(0x20000000000);
    machine->resolved.physical_bits_needed = 41;
}

static void make_virtio(struct machine *machine, const struct machine_shape *shape)
{
    machine->virtio = zeroed(shape->virtio, sizeof(*machine->virtio));
    for (uint32_t i = 0; i < shape->virtio; i++) {
        vmr_gpa start = 0xd8000000u + (vmr_gpa)i * 4096;

        machine->virtio[i] = (struct vmr_resolved_virtio_mmio){
            {start, start + 4096}, i, shape->arch == VMR_ARCH_ARM64 ? 40 + i : 16 + i % 8};
    }
    machine->resolved.virtio_mmio = machine->virtio;
    machine->resolved.virtio_mmio_count = shape->virtio;
}

static void make_gic(struct machine *machine, const struct machine_shape *shape)
{
    struct vmr_resolved_gic *gic = &machine->gic;
    bool v2 = shape->gic == VMR_GIC_V2;
    vmr_gpa second = UINT64_C(0xfdff0000) - (v2 ? 0x10000 : or_one(shape->vps) * VMR_GIC_REDISTRIBUTOR_SIZE);

    *gic = (struct vmr_resolved_gic){
        .version = v2 ? VMR_GIC_V2 : VMR_GIC_V3,
        .distributor = {0xffff0000u, UINT64_C(0x100000000)},
        .nr_irqs = 992,
        .virt_timer_ppi = VMR_DEFAULT_VIRT_TIMER_PPI,
        .vmbus_ppi = VMR_DEFAULT_VMBUS_PPI,
        .pmu_gsiv = {shape->pmu, 23},
        .msi = shape->msi,
        .v2m = {VMR_DEFAULT_GIC_V2M_MSI_FRAME_BASE, VMR_DEFAULT_GIC_V2M_MSI_FRAME_BASE + VMR_GIC_V2M_MSI_FRAME_SIZE},
        .v2m_spi_base = 928,
        .v2m_spi_count = 64,
    };
    if (v2)
        gic->cpu_interface = (struct vmr_gpa_range){second, second + 0x10000};
    else
        gic->redistributors = (struct vmr_gpa_range){second, UINT64_C(0xfdff0000)};
    if (!v2)
        gic->its = (struct vmr_gpa_range){VMR_DEFAULT_GIC_ITS_BASE, VMR_DEFAULT_GIC_ITS_BASE + VMR_GIC_ITS_SIZE};
}

/* --- PCI Express --- */

static void make_port(struct machine *machine, const struct machine_shape *shape, uint32_t complex, uint32_t index)
{
    uint32_t at = complex * shape->ports + index, start = machine->complex_configs[complex].start_bus;
    char *name = zeroed(32, 1);

    (void)snprintf(name, 32, "rc%u-port%u", complex, index);
    machine->port_configs[at].name = name;
    machine->ports[at] = (struct vmr_resolved_port){
        .config = &machine->port_configs[at],
        .root_complex = complex,
        .parent_switch = VMR_RESOLVED_NONE,
        .bus = (uint8_t)start,
        .devfn = (uint8_t)((index + 1) << 3),
        .secondary_bus = (uint8_t)(start + 1 + index),
        .subordinate_bus = (uint8_t)(start + 1 + index),
        .child_switch = VMR_RESOLVED_NONE,
        .device = VMR_RESOLVED_NONE,
        .initiator_node = shape->initiators ? index % or_one(shape->nodes) : VMR_RESOLVED_NONE,
    };
}

static void make_complex_config(struct machine *machine, const struct machine_shape *shape, uint32_t index)
{
    uint32_t segments = or_one(shape->segments), on_segment = (shape->root_complexes + segments - 1) / segments;
    uint32_t buses = 256 / or_one(on_segment), start = index / segments * buses;
    struct vmr_pcie_root_complex_config *config = &machine->complex_configs[index];
    char *name = zeroed(16, 1);

    (void)snprintf(name, 16, "rc%u", index);
    *config = (struct vmr_pcie_root_complex_config){
        .index = index,
        .name = name,
        .segment = (uint16_t)(index % segments),
        .start_bus = (uint8_t)start,
        .end_bus = (uint8_t)(start + buses - 1),
        .cxl = shape->cxl ? &machine->cxl : NULL,
        .iommu = shape->iommu,
        .ports = machine->port_configs + (size_t)index * shape->ports,
        .port_count = shape->ports,
        .preserve_bars = shape->preserve_bars,
    };
}

static struct vmr_gpa_range range_of(vmr_gpa start, uint64_t size)
{
    return (struct vmr_gpa_range){start, start + size};
}

static void make_complex(struct machine *machine, const struct machine_shape *shape, uint32_t index)
{
    struct vmr_resolved_root_complex *complex = &machine->complexes[index];

    make_complex_config(machine, shape, index);

    const struct vmr_pcie_root_complex_config *config = &machine->complex_configs[index];
    vmr_gpa ecam = UINT64_C(0x9000000000) + config->segment * 256 * MIB;

    *complex = (struct vmr_resolved_root_complex){
        .config = config,
        .ecam_base = ecam,
        .ecam = range_of(ecam + config->start_bus * MIB, ((uint64_t)config->end_bus - config->start_bus + 1) * MIB),
        .low_mmio = range_of(UINT64_C(0xc0000000) + index * 4 * MIB, 4 * MIB),
        .high_mmio = range_of(UINT64_C(0xa000000000) + index * GIB, GIB),
        .first_port = index * shape->ports,
        .port_count = shape->ports,
        .iommu = shape->iommu ? index : VMR_RESOLVED_NONE,
        .vnode = or_one(shape->nodes) > 1 ? index % shape->nodes : VMR_RESOLVED_NONE,
    };
    if (shape->cxl) {
        complex->cxl_hdm = range_of(UINT64_C(0x10000000000) + index * GIB, GIB);
        complex->cxl_chbcr = range_of(UINT64_C(0x18000000000) + index * VMR_CXL_CHBCR_SIZE, VMR_CXL_CHBCR_SIZE);
    }
    if (shape->iommu)
        machine->iommus[index] = (struct vmr_resolved_iommu){
            .kind = shape->iommu,
            .root_complex = index,
            .mmio = range_of(UINT64_C(0xd0000000) + index * UINT64_C(0x20000), 0x20000),
            .event_spi = 927 - 2 * index,
            .error_spi = 926 - 2 * index,
        };
    for (uint32_t i = 0; i < shape->ports; i++)
        make_port(machine, shape, index, i);
}

static void make_pcie(struct machine *machine, const struct machine_shape *shape)
{
    size_t ports = (size_t)shape->root_complexes * shape->ports;

    machine->complexes = zeroed(shape->root_complexes, sizeof(*machine->complexes));
    machine->complex_configs = zeroed(shape->root_complexes, sizeof(*machine->complex_configs));
    machine->iommus = zeroed(shape->root_complexes, sizeof(*machine->iommus));
    machine->ports = zeroed(ports, sizeof(*machine->ports));
    machine->port_configs = zeroed(ports, sizeof(*machine->port_configs));
    machine->cxl = (struct vmr_root_complex_cxl_config){GIB, VMR_CXL_WINDOW_HOST_ONLY | VMR_CXL_WINDOW_VOLATILE};
    for (uint32_t i = 0; i < shape->root_complexes; i++)
        make_complex(machine, shape, i);
    machine->config.pcie_root_complexes = machine->complex_configs;
    machine->config.pcie_root_complex_count = shape->root_complexes;
    machine->resolved.pcie = (struct vmr_resolved_pcie){
        .root_complexes = machine->complexes,
        .root_complex_count = shape->root_complexes,
        .ports = machine->ports,
        .port_count = (uint32_t)ports,
        .iommus = machine->iommus,
        .iommu_count = shape->iommu ? shape->root_complexes : 0,
    };
}

struct machine *machine_create(const struct machine_shape *shape)
{
    struct machine *machine = zeroed(1, sizeof(*machine));
    struct vmr_config *config = &machine->config;

    config->arch = shape->arch;
    config->load_mode.mode = shape->load;
    config->load_mode.linux_direct.boot_mode = shape->boots_by_tree ? VMR_LINUX_BOOT_DEVICE_TREE : VMR_LINUX_BOOT_ACPI;
    config->load_mode.linux_direct.enable_serial = config->load_mode.uefi.enable_serial = shape->serial;
    config->load_mode.linux_direct.cmdline = "console=ttyS0";
    config->chipset.generic_ioapic = shape->arch == VMR_ARCH_X86_64;
    config->chipset.generic_cmos_rtc = config->chipset.generic_pic = config->chipset.generic_pit =
        config->chipset.generic_isa_dma = shape->legacy;
    config->chipset.hyperv_power_management = shape->power_management;
    config->vmbus = shape->vmbus ? &machine->vmbus : NULL;
    machine->resolved.config = config;
    make_processors(machine, shape);
    make_nodes(machine, shape);
    make_memory(machine, shape);
    make_virtio(machine, shape);
    make_pcie(machine, shape);
    if (shape->arch == VMR_ARCH_ARM64)
        make_gic(machine, shape);
    return machine;
}

void machine_destroy(struct machine *machine)
{
    for (uint32_t i = 0; i < machine->resolved.pcie.root_complex_count; i++)
        free((void *)(uintptr_t)machine->complex_configs[i].name);
    for (uint32_t i = 0; i < machine->resolved.pcie.port_count; i++)
        free((void *)(uintptr_t)machine->port_configs[i].name);
    free(machine->vps);
    free(machine->nodes);
    free(machine->numa_nodes);
    free(machine->memories);
    free(machine->distances);
    free(machine->ram);
    free(machine->complexes);
    free(machine->complex_configs);
    free(machine->ports);
    free(machine->port_configs);
    free(machine->iommus);
    free(machine->virtio);
    free(machine);
}

const struct vmr_resolved *machine_resolved(const struct machine *machine)
{
    return &machine->resolved;
}

struct vmr_resolved *machine_change(struct machine *machine)
{
    return &machine->resolved;
}

struct vmr_config *machine_config(struct machine *machine)
{
    return &machine->config;
}
