/* SPDX-License-Identifier: MIT */
/*
 * MCFG and CEDT: where configuration space is, and where CXL's memory.
 */

#include "lib/tables/acpi.h"
#include "lib/tables/tables.h"

#define MCFG_REVISION 1u
#define CEDT_REVISION 1u
#define CHBS_BYTES 32u
#define CFMWS_BYTES 40u /* with one target */
#define CXL_2 1u

/* PCI Firmware Specification 3.3, table 4-3. The address is where bus 0 would be, whatever the first bus is. */
void mcfg_write(struct writer *writer, const struct tables_input *input)
{
    acpi_begin(writer, "MCFG", MCFG_REVISION);
    writer_le64(writer, 0);
    for (uint32_t i = 0; i < input->resolved->pcie.root_complex_count; i++) {
        const struct vmr_resolved_root_complex *complex = &input->resolved->pcie.root_complexes[i];

        writer_le64(writer, complex->ecam_base);
        writer_le16(writer, complex->config->segment);
        writer_u8(writer, complex->config->start_bus);
        writer_u8(writer, complex->config->end_bus);
        writer_le32(writer, 0);
    }
    acpi_end(writer);
}

/* CXL 3.0, 9.17.1.2: registers of a host bridge, which _UID names. */
static void host_bridge(struct writer *writer, const struct vmr_resolved_root_complex *complex)
{
    writer_u8(writer, 0);
    writer_u8(writer, 0);
    writer_le16(writer, CHBS_BYTES);
    writer_le32(writer, complex->config->index);
    writer_le32(writer, CXL_2);
    writer_le32(writer, 0);
    writer_le64(writer, complex->cxl_chbcr.start);
    writer_le64(writer, complex->cxl_chbcr.end - complex->cxl_chbcr.start);
}

/* CXL 3.0, 9.17.1.3: a window of one host bridge, so that there is nothing to interleave. */
static void window(struct writer *writer, const struct vmr_resolved_root_complex *complex)
{
    writer_u8(writer, 1);
    writer_u8(writer, 0);
    writer_le16(writer, CFMWS_BYTES);
    writer_le32(writer, 0);
    writer_le64(writer, complex->cxl_hdm.start);
    writer_le64(writer, complex->cxl_hdm.end - complex->cxl_hdm.start);
    writer_u8(writer, 0); /* one way */
    writer_u8(writer, 0); /* by modulo */
    writer_le16(writer, 0);
    writer_le32(writer, 0); /* 256 bytes at a time */
    writer_le16(writer, complex->config->cxl->hdm_window_restrictions);
    writer_le16(writer, 0); /* throttling group */
    writer_le32(writer, complex->config->index);
}

void cedt_write(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_pcie *pcie = &input->resolved->pcie;

    acpi_begin(writer, "CEDT", CEDT_REVISION);
    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        if (pcie->root_complexes[i].config->cxl)
            host_bridge(writer, &pcie->root_complexes[i]);
    }
    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        if (pcie->root_complexes[i].config->cxl && pcie->root_complexes[i].cxl_hdm.end > 0)
            window(writer, &pcie->root_complexes[i]);
    }
    acpi_end(writer);
}
