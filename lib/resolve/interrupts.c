/* SPDX-License-Identifier: MIT */
/*
 * Interrupt controllers of arm64, and the numbers of everything that raises an
 * interrupt. SPIs are given out from the highest down, so that what a guest knows
 * by number stays where it is when something is added.
 */

#include <inttypes.h>

#include "lib/config/rules.h"
#include "lib/resolve/resolve.h"

#define SPI_MAX 1019u /* interrupt ids from 1020 on are special (GIC architecture, 2.2.1) */
#define SPI_FLOOR 64u /* below it are SGIs, PPIs and the board's own SPIs */

#define X86_VIRTIO_GSI_FIRST 16u /* the IO-APIC's pins that no ISA device has */
#define X86_VIRTIO_GSI_COUNT 8u

struct spis {
    uint32_t next; /* one above the highest that is free */
};

static bool take(struct resolving *resolving, struct spis *spis, uint32_t count, const char *path, uint32_t *ret_first)
{
    if (spis->next < SPI_FLOOR + count) {
        report_add_text(resolving->report, &rules_number[RULE_NUMBER_INTERRUPTS], path,
                        "it needs %" PRIu32 " SPIs, and %" PRIu32 " are left", count,
                        spis->next > SPI_FLOOR ? spis->next - SPI_FLOOR : 0);
        return false;
    }
    spis->next -= count;
    *ret_first = spis->next;
    return true;
}

static struct vmr_gpa_range range_at(uint64_t start, uint64_t size)
{
    return (struct vmr_gpa_range){.start = start, .end = start + size};
}

static uint64_t or_default(struct vmr_optional_u64 given, uint64_t value)
{
    return given.given ? given.value : value;
}

static void place_frames(const struct vmr_arm64_topology_config *config, uint32_t vp_count,
                         struct vmr_resolved_gic *gic)
{
    const struct vmr_gic_config *wanted = &config->gic_config;

    gic->version = wanted->version == VMR_GIC_V2 ? VMR_GIC_V2 : VMR_GIC_V3;
    gic->distributor = range_at(or_default(wanted->gic_distributor_base, VMR_DEFAULT_GIC_DISTRIBUTOR_BASE),
                                gic->version == VMR_GIC_V2 ? VMR_GIC_V2_DISTRIBUTOR_SIZE : VMR_GIC_V3_DISTRIBUTOR_SIZE);
    /* One address for both kinds: the Linux default, for machines are to be the same everywhere. */
    if (gic->version == VMR_GIC_V2)
        gic->cpu_interface = range_at(or_default(wanted->cpu_interface_base, VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_LINUX),
                                      VMR_GIC_CPU_INTERFACE_SIZE);
    else
        gic->redistributors =
            range_at(or_default(wanted->gic_redistributors_base, VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_LINUX),
                     vp_count * VMR_GIC_REDISTRIBUTOR_SIZE);
}

static enum vmr_status choose_msi(struct resolving *resolving, const struct vmr_arm64_topology_config *config,
                                  struct spis *spis, struct vmr_resolved_gic *gic)
{
    uint32_t count = config->gic_msi.spi_count.given ? config->gic_msi.spi_count.value : VMR_DEFAULT_GIC_V2M_SPI_COUNT;

    gic->msi = config->gic_msi.kind;
    if (gic->msi == VMR_GIC_MSI_AUTO && gic->version == VMR_GIC_V2)
        gic->msi = VMR_GIC_MSI_V2M;
    if (gic->msi != VMR_GIC_MSI_V2M)
        gic->its = range_at(VMR_DEFAULT_GIC_ITS_BASE, VMR_GIC_ITS_SIZE);
    if (gic->msi == VMR_GIC_MSI_ITS)
        return VMR_OK;
    gic->v2m = range_at(VMR_DEFAULT_GIC_V2M_MSI_FRAME_BASE, VMR_GIC_V2M_MSI_FRAME_SIZE);
    gic->v2m_spi_count = count;
    return take(resolving, spis, count, "processor_topology.arm64.gic_msi", &gic->v2m_spi_base) ? VMR_OK : VMR_E_CONFIG;
}

static enum vmr_status give_spis(struct resolving *resolving, struct spis *spis)
{
    const struct vmr_resolved_pcie *pcie = &resolving->machine.pcie;

    for (uint32_t i = 0; i < pcie->iommu_count; i++) {
        struct vmr_resolved_iommu *iommu = &resolving->iommus[i];

        if (iommu->kind == VMR_PCIE_IOMMU_SMMU &&
            (!take(resolving, spis, 1, "pcie_root_complexes", &iommu->event_spi) ||
             !take(resolving, spis, 1, "pcie_root_complexes", &iommu->error_spi)))
            return VMR_E_CONFIG;
    }
    for (uint32_t i = 0; i < resolving->machine.virtio_mmio_count; i++) {
        if (!take(resolving, spis, 1, "virtio_devices", &resolving->virtio[i].irq))
            return VMR_E_CONFIG;
    }
    return VMR_OK;
}

static enum vmr_status resolve_arm64(struct resolving *resolving)
{
    static const struct vmr_arm64_topology_config defaults;
    const struct vmr_arm64_topology_config *config =
        resolving->config->processor_topology.arm64 ? resolving->config->processor_topology.arm64 : &defaults;
    struct vmr_resolved_gic *gic = arena_alloc(&resolving->arena, 1, sizeof(*gic));
    struct spis spis;

    if (!gic)
        return VMR_E_NOMEM;
    place_frames(config, resolving->machine.processors.vp_count, gic);
    gic->nr_irqs = config->gic_nr_irqs.given ? config->gic_nr_irqs.value : VMR_DEFAULT_GIC_NR_IRQS;
    gic->virt_timer_ppi = config->virt_timer_ppi.given ? config->virt_timer_ppi.value : VMR_DEFAULT_VIRT_TIMER_PPI;
    gic->vmbus_ppi = VMR_DEFAULT_VMBUS_PPI;
    gic->pmu_disabled = config->pmu_gsiv.kind == VMR_PMU_GSIV_DISABLED;
    gic->pmu_gsiv.given = config->pmu_gsiv.kind == VMR_PMU_GSIV_GIVEN;
    gic->pmu_gsiv.value = gic->pmu_gsiv.given ? config->pmu_gsiv.gsiv : 0;
    spis.next = gic->nr_irqs > SPI_MAX ? SPI_MAX + 1 : gic->nr_irqs;
    resolving->gic = gic;
    resolving->machine.processors.gic = gic;
    enum vmr_status status = choose_msi(resolving, config, &spis, gic);

    return status == VMR_OK ? give_spis(resolving, &spis) : status;
}

static enum vmr_status resolve_x86(struct resolving *resolving)
{
    if (resolving->machine.virtio_mmio_count > X86_VIRTIO_GSI_COUNT) {
        report_add_text(resolving->report, &rules_number[RULE_NUMBER_INTERRUPTS], "virtio_devices",
                        "%" PRIu32 " devices on MMIO, and GSIs for %u", resolving->machine.virtio_mmio_count,
                        X86_VIRTIO_GSI_COUNT);
        return VMR_E_CONFIG;
    }
    for (uint32_t i = 0; i < resolving->machine.virtio_mmio_count; i++)
        resolving->virtio[i].irq = X86_VIRTIO_GSI_FIRST + i;
    return VMR_OK;
}

enum vmr_status resolve_interrupts(struct resolving *resolving)
{
    return resolving->config->arch == VMR_ARCH_X86_64 ? resolve_x86(resolving) : resolve_arm64(resolving);
}
