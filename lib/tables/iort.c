/* SPDX-License-Identifier: MIT */
/*
 * IORT: on arm64, which ids a device's requests and messages carry behind its
 * root complex. Arm DEN 0049; sections of issue E, in the revision of nodes that
 * tools know.
 *
 * A segment is one node, as an operating system finds nodes by segment; its
 * complexes are ranges of ids in it. Offsets are computed before anything is
 * written: an ITS group, then SMMUs, then segments.
 */

#include "lib/tables/acpi.h"

#include "lib/tables/tables.h"

#define IORT_REVISION 0u
#define IORT_HEADER 48u
#define ITS_GROUP_BYTES 24u
#define SMMU_BYTES 68u
#define ROOT_COMPLEX_BYTES 36u
#define MAPPING_BYTES 20u
#define COHERENT 1u
#define CACHED_BY_DEFAULT 3u /* CPM, DACS */
#define SMMU_COHERENT 1u     /* COHACC override */
#define NO_PROXIMITY 0u

static bool is_first_of_segment(const struct vmr_resolved_pcie *pcie, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (pcie->root_complexes[i].config->segment == pcie->root_complexes[index].config->segment)
            return false;
    }
    return true;
}

/* 3.1: common to all nodes. */
static void node_head(struct writer *writer, uint8_t kind, uint8_t revision, uint16_t bytes, uint32_t mappings)
{
    writer_u8(writer, kind);
    writer_le16(writer, (uint16_t)(bytes + mappings * MAPPING_BYTES));
    writer_u8(writer, revision);
    writer_le32(writer, 0);
    writer_le32(writer, mappings);
    writer_le32(writer, mappings > 0 ? bytes : 0);
}

/* 3.1.1, table 4: ids of the buses of a complex become others of the node at `target`. */
static void mapping(struct writer *writer, const struct vmr_pcie_root_complex_config *config, uint32_t first_output,
                    uint32_t target)
{
    uint32_t buses = (uint32_t)(config->end_bus - config->start_bus) + 1;

    writer_le32(writer, (uint32_t)config->start_bus << 8);
    writer_le32(writer, buses * 256 - 1);
    writer_le32(writer, first_output);
    writer_le32(writer, target);
    writer_le32(writer, 0);
}

static void its_group(struct writer *writer) /* 3.1.1.1 */
{
    node_head(writer, 0, 0, ITS_GROUP_BYTES, 0);
    writer_le32(writer, 1);
    writer_le32(writer, 0); /* the ITS of MADT */
}

static uint32_t smmu_bytes(const struct tables_input *input)
{
    return SMMU_BYTES + (input->its ? MAPPING_BYTES : 0);
}

/* 3.1.1.4: stream ids are the requester ids of the complex; the ITS's device ids have the segment too. */
static void smmu(struct writer *writer, const struct tables_input *input, const struct vmr_resolved_iommu *iommu)
{
    const struct vmr_pcie_root_complex_config *config =
        input->resolved->pcie.root_complexes[iommu->root_complex].config;

    node_head(writer, 4, 0, SMMU_BYTES, input->its ? 1 : 0);
    writer_le64(writer, iommu->mmio.start);
    writer_le32(writer, SMMU_COHERENT);
    writer_le32(writer, 0);
    writer_le64(writer, 0); /* VATOS */
    writer_le32(writer, 0); /* generic SMMUv3 */
    writer_le32(writer, iommu->event_spi);
    writer_le32(writer, 0); /* page requests */
    writer_le32(writer, iommu->error_spi);
    writer_le32(writer, 0); /* command sync */
    writer_le32(writer, NO_PROXIMITY);
    writer_le32(writer, 0); /* device id mapping of its own messages: it has wired interrupts */
    if (input->its)
        mapping(writer, config, ARM_DEVICE_ID(config->segment, config->start_bus << 8), IORT_HEADER);
}

/* Where the complex's requests go: an SMMU, the ITS, or (0) nowhere that has to be told. */
static uint32_t target_of(const struct tables_input *input, const struct vmr_resolved_root_complex *complex)
{
    uint32_t smmus = IORT_HEADER + (input->its ? ITS_GROUP_BYTES : 0), number = 0;

    if (complex->iommu == VMR_RESOLVED_NONE)
        return input->its ? IORT_HEADER : 0;
    for (uint32_t i = 0; i < complex->iommu; i++)
        number += input->resolved->pcie.iommus[i].kind == VMR_PCIE_IOMMU_SMMU;
    return smmus + number * smmu_bytes(input);
}

static void complex_mapping(struct writer *writer, const struct tables_input *input,
                            const struct vmr_resolved_root_complex *complex)
{
    uint32_t target = target_of(input, complex), first = (uint32_t)complex->config->start_bus << 8;
    bool is_smmu = complex->iommu != VMR_RESOLVED_NONE;

    if (target)
        mapping(writer, complex->config, is_smmu ? first : ARM_DEVICE_ID(complex->config->segment, first), target);
}

static void segment(struct writer *writer, const struct tables_input *input, uint32_t first) /* 3.1.1.3 */
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;
    uint16_t number = pcie->root_complexes[first].config->segment;
    uint32_t mappings = 0;

    for (uint32_t i = first; i < pcie->root_complex_count; i++)
        mappings += pcie->root_complexes[i].config->segment == number && target_of(input, &pcie->root_complexes[i]);
    node_head(writer, 2, 1, ROOT_COMPLEX_BYTES, mappings);
    writer_le32(writer, COHERENT);
    writer_u8(writer, 0);
    writer_le16(writer, 0);
    writer_u8(writer, CACHED_BY_DEFAULT);
    writer_le32(writer, 0); /* no ATS */
    writer_le32(writer, number);
    writer_u8(writer, 64); /* address bits of its devices */
    acpi_zeros(writer, 3);
    for (uint32_t i = first; i < pcie->root_complex_count; i++) {
        if (pcie->root_complexes[i].config->segment == number)
            complex_mapping(writer, input, &pcie->root_complexes[i]);
    }
}

void iort_write(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;
    uint32_t nodes = (input->its ? 1 : 0) + tables_iommu_count(input, VMR_PCIE_IOMMU_SMMU);

    for (uint32_t i = 0; i < pcie->root_complex_count; i++)
        nodes += is_first_of_segment(pcie, i);
    acpi_begin(writer, "IORT", IORT_REVISION);
    writer_le32(writer, nodes);
    writer_le32(writer, IORT_HEADER);
    writer_le32(writer, 0);
    if (input->its)
        its_group(writer);
    for (uint32_t i = 0; i < pcie->iommu_count; i++) {
        if (pcie->iommus[i].kind == VMR_PCIE_IOMMU_SMMU)
            smmu(writer, input, &pcie->iommus[i]);
    }
    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        if (is_first_of_segment(pcie, i))
            segment(writer, input, i);
    }
    acpi_end(writer);
}
