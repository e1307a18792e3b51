/* SPDX-License-Identifier: MIT */
/*
 * PCI Express hosts and SMMUs (Linux's pci/host-generic-pci.yaml,
 * pci/pci-msi.txt, pci/pci-iommu.txt, iommu/arm,smmu-v3.yaml).
 */

#include "lib/tables/tree_node.h"

/* The first cell of a PCI address: memory of 32 or of 64 bits, not prefetchable. */
#define PCI_MEMORY32 0x02000000u
#define PCI_MEMORY64 0x03000000u

static void window(struct tree_cells *cells, uint32_t space, const struct vmr_gpa_range *range)
{
    if (range->end == range->start)
        return;
    tree_cell(cells, space);
    tree_cell64(cells, range->start);
    tree_cell64(cells, range->start);
    tree_cell64(cells, range->end - range->start);
}

/* <requester id, node, id there, how many>, of all buses of the complex. */
static void id_map(struct tree *tree, const char *name, const struct vmr_pcie_root_complex_config *config,
                   uint32_t phandle, uint32_t segment)
{
    struct tree_cells cells = {.length = 0};
    uint32_t first = (uint32_t)config->start_bus << 8;

    tree_cell(&cells, first);
    tree_cell(&cells, phandle);
    tree_cell(&cells, ARM_DEVICE_ID(segment, first));
    tree_cell(&cells, ((uint32_t)(config->end_bus - config->start_bus) + 1) * 256);
    tree_cells(tree, name, &cells);
}

/* A v2m frame takes no ids: the same for all. */
static void messages(struct tree *tree, const struct vmr_pcie_root_complex_config *config)
{
    if (tree->input->its)
        id_map(tree, "msi-map", config, TREE_PHANDLE_MSI, config->segment);
    else if (tree->input->v2m)
        tree_number(tree, "msi-parent", TREE_PHANDLE_MSI);
}

static void host(struct tree *tree, const struct vmr_resolved_root_complex *complex)
{
    const struct vmr_pcie_root_complex_config *config = complex->config;
    struct tree_cells cells = {.length = 0};

    tree_open_at(tree, "pcie", complex->ecam.start);
    tree_text(tree, "compatible", "pci-host-ecam-generic");
    tree_text(tree, "device_type", "pci");
    tree_reg(tree, &complex->ecam);
    tree_number(tree, "#address-cells", 3);
    tree_number(tree, "#size-cells", 2);
    tree_number(tree, "linux,pci-domain", config->segment);
    tree_cell(&cells, config->start_bus);
    tree_cell(&cells, config->end_bus);
    tree_cells(tree, "bus-range", &cells);
    cells.length = 0;
    window(&cells, PCI_MEMORY32, &complex->low_mmio);
    window(&cells, PCI_MEMORY64, &complex->high_mmio);
    tree_cells(tree, "ranges", &cells);
    tree_flag(tree, "dma-coherent");
    messages(tree, config);
    if (complex->iommu != VMR_RESOLVED_NONE)
        id_map(tree, "iommu-map", config, TREE_PHANDLE_SMMUS + complex->iommu, 0);
    if (complex->vnode != VMR_RESOLVED_NONE && tree->input->resolved->numa.node_count > 1)
        tree_number(tree, "numa-node-id", complex->vnode);
    if (config->preserve_bars)
        tree_number(tree, "linux,pci-probe-only", 1);
    tree_close(tree);
}

/* Its own interrupts are edges. */
static void smmu(struct tree *tree, uint32_t index)
{
    static const char names[] = "eventq\0gerror";
    const struct vmr_resolved_iommu *iommu = &tree->input->resolved->pcie.iommus[index];
    struct tree_cells cells = {.length = 0};

    tree_open_at(tree, "iommu", iommu->mmio.start);
    tree_text(tree, "compatible", "arm,smmu-v3");
    tree_reg(tree, &iommu->mmio);
    tree_cell(&cells, TREE_SPI);
    tree_cell(&cells, iommu->event_spi - ARM_SPI_BASE);
    tree_cell(&cells, TREE_EDGE);
    tree_cell(&cells, TREE_SPI);
    tree_cell(&cells, iommu->error_spi - ARM_SPI_BASE);
    tree_cell(&cells, TREE_EDGE);
    tree_cells(tree, "interrupts", &cells);
    tree_texts(tree, "interrupt-names", names, sizeof(names) - 1);
    tree_number(tree, "#iommu-cells", 1);
    tree_flag(tree, "dma-coherent");
    tree_number(tree, "phandle", TREE_PHANDLE_SMMUS + index);
    tree_close(tree);
}

void tree_pcie(struct tree *tree)
{
    const struct vmr_resolved_pcie *pcie = &tree->input->resolved->pcie;

    for (uint32_t i = 0; i < pcie->iommu_count; i++) {
        if (pcie->iommus[i].kind == VMR_PCIE_IOMMU_SMMU)
            smmu(tree, i);
    }
    for (uint32_t i = 0; i < pcie->root_complex_count; i++)
        host(tree, &pcie->root_complexes[i]);
}
