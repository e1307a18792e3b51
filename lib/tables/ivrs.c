/* SPDX-License-Identifier: MIT */
/*
 * IVRS and DMAR: the IOMMUs of PCs. Sections of the AMD I/O Virtualization
 * Technology specification (48882, revision 3.07) and of Intel's VT-d
 * specification (revision 4.1).
 */

#include "lib/tables/acpi.h"
#include "lib/tables/tables.h"

#define IVRS_REVISION 1u
#define IVHD_BYTES 24u
#define IVHD_COHERENT 0x20u
#define IOMMU_CAPABILITY_AT 0x40u /* of the IOMMU's own function: the first behind the header */
#define RANGE_START 3u
#define RANGE_END 4u
#define SPECIAL 0x48u
#define SPECIAL_IOAPIC 1u

static void range_entry(struct writer *writer, uint8_t kind, uint16_t device_id)
{
    writer_u8(writer, kind);
    writer_le16(writer, device_id);
    writer_u8(writer, 0);
}

/* 5.2.2.1, of type 10h: all functions of the complex's buses; the IOMMU is function 0 of the first. */
static void ivhd(struct writer *writer, const struct tables_input *input, const struct vmr_resolved_iommu *iommu)
{
    const struct vmr_resolved_root_complex *complex = &input->resolved->pcie.root_complexes[iommu->root_complex];
    const struct vmr_pcie_root_complex_config *config = complex->config;
    bool ioapic = tables_has_ioapic_requests(input, complex);
    uint16_t first = (uint16_t)(config->start_bus << 8), last = (uint16_t)(config->end_bus << 8 | 0xff);

    writer_u8(writer, 0x10);
    writer_u8(writer, IVHD_COHERENT);
    writer_le16(writer, (uint16_t)(IVHD_BYTES + 8 + (ioapic ? 8 : 0)));
    writer_le16(writer, first);
    writer_le16(writer, IOMMU_CAPABILITY_AT);
    writer_le64(writer, iommu->mmio.start);
    writer_le16(writer, config->segment);
    writer_le16(writer, 0);
    writer_le32(writer, 0); /* features: the registers have them */
    range_entry(writer, RANGE_START, first);
    range_entry(writer, RANGE_END, last);
    if (!ioapic)
        return;
    writer_u8(writer, SPECIAL);
    writer_le16(writer, 0);
    writer_u8(writer, 0);
    writer_u8(writer, PC_IOAPIC_ID);
    writer_le16(writer, VMR_PCIE_IOAPIC_DEVFN);
    writer_u8(writer, SPECIAL_IOAPIC);
}

/* 5.2.1: how many bits addresses have: virtual, physical, and of guests (2 means 48). */
static uint32_t address_sizes(const struct tables_input *input)
{
    uint32_t physical = input->resolved->physical_bits_needed > 48 ? 52 : 48;

    return 48u << 15 | physical << 8 | 2u << 5;
}

void ivrs_write(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;

    acpi_begin(writer, "IVRS", IVRS_REVISION);
    writer_le32(writer, address_sizes(input));
    writer_le64(writer, 0);
    for (uint32_t i = 0; i < pcie->iommu_count; i++) {
        if (pcie->iommus[i].kind == VMR_PCIE_IOMMU_AMD_VI)
            ivhd(writer, input, &pcie->iommus[i]);
    }
    acpi_end(writer);
}

/* --- VT-d --- */

#define DMAR_REVISION 1u
#define INTERRUPT_REMAPPING 1u
#define DRHD_BYTES 16u
#define SCOPE_BYTES 8u /* with one step of a path */
#define INCLUDE_PCI_ALL 1u
#define SCOPE_BRIDGE 2u
#define SCOPE_IOAPIC 3u

static void scope(struct writer *writer, uint8_t kind, uint8_t id, uint8_t bus, uint8_t devfn) /* 8.3.1 */
{
    writer_u8(writer, kind);
    writer_u8(writer, SCOPE_BYTES);
    writer_le16(writer, 0);
    writer_u8(writer, id);
    writer_u8(writer, bus);
    writer_u8(writer, devfn >> 3);
    writer_u8(writer, devfn & 7);
}

static bool has_segment_alone(const struct vmr_resolved_pcie *pcie, uint32_t index)
{
    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        if (i != index && pcie->root_complexes[i].config->segment == pcie->root_complexes[index].config->segment)
            return false;
    }
    return true;
}

/* 8.3: of all of its segment where no other root complex is there, else of what is behind its root ports. */
static void drhd(struct writer *writer, const struct tables_input *input, const struct vmr_resolved_iommu *iommu)
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;
    const struct vmr_resolved_root_complex *complex = &pcie->root_complexes[iommu->root_complex];
    bool all = has_segment_alone(pcie, iommu->root_complex), ioapic = tables_has_ioapic_requests(input, complex);
    uint32_t scopes = (all ? 0 : complex->port_count) + (ioapic ? 1 : 0);

    writer_le16(writer, 0);
    writer_le16(writer, (uint16_t)(DRHD_BYTES + scopes * SCOPE_BYTES));
    writer_u8(writer, all ? INCLUDE_PCI_ALL : 0);
    writer_u8(writer, 0); /* registers in one page */
    writer_le16(writer, complex->config->segment);
    writer_le64(writer, iommu->mmio.start);
    if (ioapic)
        scope(writer, SCOPE_IOAPIC, PC_IOAPIC_ID, 0, VMR_PCIE_IOAPIC_DEVFN);
    for (uint32_t i = 0; !all && i < complex->port_count; i++) {
        const struct vmr_resolved_port *port = &pcie->ports[complex->first_port + i];

        scope(writer, SCOPE_BRIDGE, 0, port->bus, port->devfn);
    }
}

void dmar_write(struct writer *writer, const struct tables_input *input) /* 8.1 */
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;
    uint8_t bits = input->resolved->physical_bits_needed > 48 ? 52 : 48;

    acpi_begin(writer, "DMAR", DMAR_REVISION);
    writer_u8(writer, (uint8_t)(bits - 1));
    writer_u8(writer, INTERRUPT_REMAPPING);
    acpi_zeros(writer, 10);
    for (uint32_t i = 0; i < pcie->iommu_count; i++) {
        if (pcie->iommus[i].kind == VMR_PCIE_IOMMU_INTEL_VTD)
            drhd(writer, input, &pcie->iommus[i]);
    }
    acpi_end(writer);
}
