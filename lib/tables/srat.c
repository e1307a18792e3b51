/* SPDX-License-Identifier: MIT */
/*
 * SRAT and SLIT: what is near to what. Section numbers are those of ACPI 6.5.
 */

#include "lib/tables/acpi.h"
#include "lib/tables/tables.h"

#define SRAT_REVISION 3u
#define SLIT_REVISION 1u
#define ENABLED 1u

/* 5.2.16.1; a domain of 32 bits is in two pieces. */
static void lapic(struct writer *writer, const struct vmr_resolved_vp *vp)
{
    writer_u8(writer, 0);
    writer_u8(writer, 16);
    writer_u8(writer, (uint8_t)vp->vnode);
    writer_u8(writer, (uint8_t)vp->apic_id);
    writer_le32(writer, ENABLED);
    writer_u8(writer, 0);
    writer_u8(writer, (uint8_t)(vp->vnode >> 8));
    writer_u8(writer, (uint8_t)(vp->vnode >> 16));
    writer_u8(writer, (uint8_t)(vp->vnode >> 24));
    writer_le32(writer, 0); /* clock domain */
}

static void x2apic(struct writer *writer, const struct vmr_resolved_vp *vp) /* 5.2.16.3 */
{
    writer_u8(writer, 2);
    writer_u8(writer, 24);
    writer_le16(writer, 0);
    writer_le32(writer, vp->vnode);
    writer_le32(writer, vp->apic_id);
    writer_le32(writer, ENABLED);
    writer_le32(writer, 0);
    writer_le32(writer, 0);
}

static void gicc(struct writer *writer, uint32_t index, uint32_t vnode) /* 5.2.16.4 */
{
    writer_u8(writer, 3);
    writer_u8(writer, 18);
    writer_le32(writer, vnode);
    writer_le32(writer, index); /* _UID */
    writer_le32(writer, ENABLED);
    writer_le32(writer, 0);
}

/* Each processor in the form that MADT has it in. */
static void processors(struct writer *writer, const struct tables_input *input)
{
    for (uint32_t i = 0; i < input->resolved->processors.vp_count; i++) {
        const struct vmr_resolved_vp *vp = &input->resolved->processors.vps[i];

        if (input->is_arm64)
            gicc(writer, i, vp->vnode);
        else if (vp->apic_id <= PC_APIC_ID_NARROW_MAX && i < UINT8_MAX)
            lapic(writer, vp);
        else
            x2apic(writer, vp);
    }
}

static void memory(struct writer *writer, const struct vmr_resolved_ram *ram) /* 5.2.16.2 */
{
    writer_u8(writer, 1);
    writer_u8(writer, 40);
    writer_le32(writer, ram->vnode);
    writer_le16(writer, 0);
    writer_le64(writer, ram->range.start);
    writer_le64(writer, ram->range.end - ram->range.start);
    writer_le32(writer, 0);
    writer_le32(writer, ENABLED); /* neither hot-pluggable nor non-volatile */
    writer_le64(writer, 0);
}

/* 5.2.16.6: a PCI device by segment and address; it is the first function behind its port. */
static void generic_initiator(struct writer *writer, const struct tables_input *input,
                              const struct vmr_resolved_port *port)
{
    writer_u8(writer, 5);
    writer_u8(writer, 32);
    writer_u8(writer, 0);
    writer_u8(writer, 1); /* the handle is PCI's */
    writer_le32(writer, port->initiator_node);
    writer_le16(writer, input->resolved->pcie.root_complexes[port->root_complex].config->segment);
    writer_u8(writer, port->secondary_bus); /* the bus first, as nowhere else */
    writer_u8(writer, 0);                   /* device and function */
    acpi_zeros(writer, 12);
    writer_le32(writer, ENABLED);
    writer_le32(writer, 0);
}

void srat_write(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved *resolved = input->resolved;

    acpi_begin(writer, "SRAT", SRAT_REVISION);
    writer_le32(writer, 1);
    writer_le64(writer, 0);
    processors(writer, input);
    for (size_t i = 0; i < resolved->memory.ram_count; i++)
        memory(writer, &resolved->memory.ram[i]);
    for (uint32_t i = 0; i < resolved->pcie.port_count; i++) {
        if (resolved->pcie.ports[i].initiator_node != VMR_RESOLVED_NONE)
            generic_initiator(writer, input, &resolved->pcie.ports[i]);
    }
    acpi_end(writer);
}

void slit_write(struct writer *writer, const struct tables_input *input) /* 5.2.17 */
{
    const struct vmr_resolved_numa *numa = &input->resolved->numa;

    acpi_begin(writer, "SLIT", SLIT_REVISION);
    writer_le64(writer, numa->node_count);
    writer_copy(writer, numa->distances, (size_t)numa->node_count * numa->node_count);
    acpi_end(writer);
}
