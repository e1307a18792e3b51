/* SPDX-License-Identifier: MIT */
/*
 * A resolved machine for people: processors, nodes, the address map, the PCI
 * Express tree.
 */

#include <inttypes.h>

#include "lib/config/text_out.h"
#include "vmrig/resolved.h"

static const char *const unit_names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

/* The largest unit that says the size exactly. */
static void print_size(struct writer *out, uint64_t size)
{
    unsigned unit = 0;

    while (size != 0 && size % 1024 == 0 && unit + 1 < sizeof(unit_names) / sizeof(unit_names[0])) {
        size /= 1024;
        unit++;
    }
    text_out(out, "%" PRIu64 " %s", size, unit_names[unit]);
}

static void print_range(struct writer *out, const char *name, const struct vmr_gpa_range *range)
{
    if (range->start < range->end)
        text_out(out, " %s %#" PRIx64 "-%#" PRIx64, name, range->start, range->end - 1);
}

/* --- processors --- */

static void print_gic(struct writer *out, const struct vmr_resolved_gic *gic)
{
    text_out(out, "  GICv%d:", gic->version == VMR_GIC_V2 ? 2 : 3);
    print_range(out, "distributor", &gic->distributor);
    print_range(out, "redistributors", &gic->redistributors);
    print_range(out, "cpu-interface", &gic->cpu_interface);
    text_out(out, "\n  interrupts %" PRIu32 ", timer PPI %" PRIu32 ", vmbus PPI %" PRIu32, gic->nr_irqs,
             gic->virt_timer_ppi, gic->vmbus_ppi);
    if (gic->pmu_gsiv.given)
        text_out(out, ", PMU GSIV %" PRIu32, gic->pmu_gsiv.value);
    text_out(out, "%s\n  MSIs:", gic->pmu_disabled ? ", no PMU" : "");
    print_range(out, "ITS", &gic->its);
    print_range(out, "v2m", &gic->v2m);
    if (gic->v2m_spi_count > 0)
        text_out(out, " (interrupts %" PRIu32 "-%" PRIu32 ")", gic->v2m_spi_base,
                 gic->v2m_spi_base + gic->v2m_spi_count - 1);
    text_out(out, "\n");
}

static void print_processors(struct writer *out, const struct vmr_resolved *machine)
{
    static const char *const x2apic[VMR_X2APIC_COUNT] = {"unsupported", "supported", "enabled"};
    const struct vmr_resolved_processors *processors = &machine->processors;
    bool x86 = machine->config->arch == VMR_ARCH_X86_64;

    text_out(out, "processors: %s, %" PRIu32 " VPs, %" PRIu32 " to a socket%s", x86 ? "x86_64" : "arm64",
             processors->vp_count, processors->vps_per_socket, processors->smt ? ", SMT" : "");
    if (x86)
        text_out(out, ", x2APIC %s", x2apic[processors->x2apic]);
    text_out(out, "\n");
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        const struct vmr_resolved_vp *vp = &processors->vps[i];

        text_out(out,
                 "  vp %-4" PRIu32 " node %-2" PRIu32 " socket %-3" PRIu32 " core %-3" PRIu32 " thread %" PRIu32
                 " %s %#" PRIx64 "\n",
                 i, vp->vnode, vp->socket, vp->core, vp->thread, x86 ? "apic" : "mpidr", x86 ? vp->apic_id : vp->mpidr);
    }
    if (processors->gic)
        print_gic(out, processors->gic);
}

/* --- nodes --- */

static void print_numa(struct writer *out, const struct vmr_resolved_numa *numa)
{
    text_out(out, "nodes: %" PRIu32 "\n", numa->node_count);
    for (uint32_t i = 0; i < numa->node_count; i++) {
        text_out(out, "  node %-2" PRIu32 " %4" PRIu32 " VPs, ", i, numa->nodes[i].vp_count);
        if (numa->nodes[i].mem)
            print_size(out, numa->nodes[i].mem->mem_size);
        else
            text_out(out, "no memory");
        text_out(out, "; distances");
        for (uint32_t k = 0; k < numa->node_count; k++)
            text_out(out, " %u", numa->distances[(size_t)i * numa->node_count + k]);
        text_out(out, "\n");
    }
}

/* --- addresses --- */

static void print_memory(struct writer *out, const struct vmr_resolved *machine)
{
    const struct vmr_resolved_memory *memory = &machine->memory;
    vmr_gpa end = 0;

    text_out(out, "addresses: ");
    print_size(out, memory->ram_size);
    text_out(out, " RAM, %u bits\n", machine->physical_bits_needed);
    for (size_t i = 0; i < memory->placement_count; i++) {
        const struct vmr_placement *placement = &memory->placements[i];

        if (placement->range.start > end) {
            text_out(out, "  %*s  ", 29, "");
            print_size(out, placement->range.start - end);
            text_out(out, " free\n");
        }
        text_out(out, "  %#14" PRIx64 " %#14" PRIx64 "  %-10s %-28s ", placement->range.start, placement->range.end - 1,
                 vmr_layout_phase_name(placement->phase), placement->tag);
        print_size(out, placement->range.end - placement->range.start);
        text_out(out, "\n");
        end = placement->range.end;
    }
    for (uint32_t i = 0; i < machine->virtio_mmio_count; i++)
        text_out(out, "  virtio %" PRIu32 " at %#" PRIx64 ", interrupt %" PRIu32 "\n", machine->virtio_mmio[i].device,
                 machine->virtio_mmio[i].range.start, machine->virtio_mmio[i].irq);
}

/* --- PCI Express --- */

static void print_ports(struct writer *out, const struct vmr_resolved *machine, uint32_t first, uint32_t count,
                        unsigned depth);

static void print_port(struct writer *out, const struct vmr_resolved *machine, const struct vmr_resolved_port *port,
                       unsigned depth)
{
    const struct vmr_resolved_pcie *pcie = &machine->pcie;

    text_out(out, "%*s%02x:%02x.%u %s -> bus %02x", (int)depth * 2, "", port->bus, port->devfn >> 3, port->devfn & 7,
             port->config->name, port->secondary_bus);
    if (port->subordinate_bus != port->secondary_bus)
        text_out(out, "-%02x", port->subordinate_bus);
    text_out(out, "%s%s", port->config->hotplug ? ", hotplug" : "", port->config->cxl ? ", CXL" : "");
    if (port->device != VMR_RESOLVED_NONE)
        text_out(out, ": %s", machine->config->pcie_devices[port->device].resource.id);
    if (port->initiator_node != VMR_RESOLVED_NONE)
        text_out(out, ", initiator of node %" PRIu32, port->initiator_node);
    text_out(out, "\n");
    if (port->child_switch != VMR_RESOLVED_NONE) {
        const struct vmr_resolved_switch *below = &pcie->switches[port->child_switch];

        text_out(out, "%*s%02x:00.0 switch %s\n", (int)depth * 2 + 2, "", below->upstream_bus, below->config->name);
        print_ports(out, machine, below->first_port, below->port_count, depth + 2);
    }
}

/* As deep as there are buses: 128 levels at most. */
static void print_ports(struct writer *out, const struct vmr_resolved *machine, uint32_t first, uint32_t count,
                        unsigned depth)
{
    for (uint32_t i = first; i < first + count; i++)
        print_port(out, machine, &machine->pcie.ports[i], depth);
}

static void print_complex(struct writer *out, const struct vmr_resolved *machine,
                          const struct vmr_resolved_root_complex *complex)
{
    static const char *const iommus[VMR_PCIE_IOMMU_COUNT] = {"none", "AMD-Vi", "SMMUv3", "VT-d"};
    const struct vmr_pcie_root_complex_config *config = complex->config;

    text_out(out, "  %s: segment %04x, buses %02x-%02x", config->name, config->segment, config->start_bus,
             config->end_bus);
    if (complex->vnode != VMR_RESOLVED_NONE)
        text_out(out, ", node %" PRIu32, complex->vnode);
    text_out(out, "\n   ");
    print_range(out, "ecam", &complex->ecam);
    print_range(out, "low", &complex->low_mmio);
    print_range(out, "high", &complex->high_mmio);
    print_range(out, "hdm", &complex->cxl_hdm);
    print_range(out, "chbcr", &complex->cxl_chbcr);
    text_out(out, "\n");
    if (complex->iommu != VMR_RESOLVED_NONE) {
        const struct vmr_resolved_iommu *iommu = &machine->pcie.iommus[complex->iommu];

        text_out(out, "    IOMMU %s", iommus[iommu->kind]);
        print_range(out, "at", &iommu->mmio);
        if (iommu->kind == VMR_PCIE_IOMMU_SMMU)
            text_out(out, ", interrupts %" PRIu32 ", %" PRIu32, iommu->event_spi, iommu->error_spi);
        text_out(out, "\n");
    }
    print_ports(out, machine, complex->first_port, complex->port_count, 2);
}

enum vmr_status vmr_resolved_print(const struct vmr_resolved *resolved, struct vmr_config_text *ret_text,
                                   struct vmr_error *err)
{
    struct writer out;

    writer_init(&out, TEXT_OUT_MAX);
    print_processors(&out, resolved);
    print_numa(&out, &resolved->numa);
    print_memory(&out, resolved);
    if (resolved->pcie.root_complex_count > 0)
        text_out(&out, "pcie: %" PRIu32 " ports, %" PRIu32 " switches\n", resolved->pcie.port_count,
                 resolved->pcie.switch_count);
    for (uint32_t i = 0; i < resolved->pcie.root_complex_count; i++)
        print_complex(&out, resolved, &resolved->pcie.root_complexes[i]);
    return text_out_finish(&out, ret_text, err);
}
