/* SPDX-License-Identifier: MIT */
/*
 * MADT: processors and interrupt controllers. Section numbers are those of ACPI
 * 6.5.
 */

#include "lib/tables/acpi.h"
#include "lib/tables/tables.h"

#define MADT_REVISION 5u
#define PCAT_COMPAT 1u /* there are 8259s */
#define ENABLED 1u

/* Polarity and trigger (5.2.12.5, table 5.26). */
#define ACTIVE_HIGH_LEVEL 0x0du

/* 5.2.12.2, and 5.2.12.12 for what is too large for it: an id of 255 is all, and so is a _UID. */
static void pc_processors(struct writer *writer, const struct vmr_resolved_processors *processors)
{
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        uint32_t id = processors->vps[i].apic_id;

        if (id <= PC_APIC_ID_NARROW_MAX && i < UINT8_MAX) {
            writer_u8(writer, 0);
            writer_u8(writer, 8);
            writer_u8(writer, (uint8_t)i);
            writer_u8(writer, (uint8_t)id);
            writer_le32(writer, ENABLED);
        } else {
            writer_u8(writer, 9);
            writer_u8(writer, 16);
            writer_le16(writer, 0);
            writer_le32(writer, id);
            writer_le32(writer, ENABLED);
            writer_le32(writer, i);
        }
    }
}

static void ioapic(struct writer *writer) /* 5.2.12.3 */
{
    writer_u8(writer, 1);
    writer_u8(writer, 12);
    writer_u8(writer, PC_IOAPIC_ID);
    writer_u8(writer, 0);
    writer_le32(writer, (uint32_t)PC_IOAPIC_BASE);
    writer_le32(writer, 0); /* its first GSI */
}

static void source_override(struct writer *writer, uint8_t line, uint32_t gsi, uint16_t flags) /* 5.2.12.5 */
{
    writer_u8(writer, 2);
    writer_u8(writer, 10);
    writer_u8(writer, 0); /* ISA */
    writer_u8(writer, line);
    writer_le32(writer, gsi);
    writer_le16(writer, flags);
}

/* NMI at LINT1 of all processors: 5.2.12.7, and 5.2.12.13 where there are wide ids. */
static void local_nmi(struct writer *writer, bool wide)
{
    writer_u8(writer, 4);
    writer_u8(writer, 6);
    writer_u8(writer, UINT8_MAX);
    writer_le16(writer, 0);
    writer_u8(writer, 1);
    if (!wide)
        return;
    writer_u8(writer, 10);
    writer_u8(writer, 12);
    writer_le16(writer, 0);
    writer_le32(writer, UINT32_MAX);
    writer_u8(writer, 1);
    acpi_zeros(writer, 3);
}

static void pc_controllers(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_processors *processors = &input->resolved->processors;
    bool wide = processors->vp_count >= UINT8_MAX;

    for (uint32_t i = 0; i < processors->vp_count && !wide; i++)
        wide = processors->vps[i].apic_id > PC_APIC_ID_NARROW_MAX;
    pc_processors(writer, processors);
    if (input->ioapic) {
        ioapic(writer);
        if (input->pit)
            source_override(writer, 0, 2, 0); /* a PC's timer is wired to pin 2 */
        if (input->power_management)
            source_override(writer, PC_PM_IRQ, PC_PM_IRQ, ACTIVE_HIGH_LEVEL);
    }
    local_nmi(writer, wide);
}

/* --- arm64 --- */

static void gicc(struct writer *writer, const struct tables_input *input, uint32_t index) /* 5.2.12.14 */
{
    const struct vmr_resolved_gic *gic = input->resolved->processors.gic;

    writer_u8(writer, 0x0b);
    writer_u8(writer, 80);
    writer_le16(writer, 0);
    writer_le32(writer, index);
    writer_le32(writer, index); /* _UID */
    writer_le32(writer, ENABLED);
    writer_le32(writer, 0); /* parking protocol */
    writer_le32(writer, input->pmu_gsiv.given ? input->pmu_gsiv.value : 0);
    writer_le64(writer, 0); /* parked address */
    writer_le64(writer, gic->version == VMR_GIC_V2 ? gic->cpu_interface.start : 0);
    writer_le64(writer, 0); /* GICV */
    writer_le64(writer, 0); /* GICH */
    writer_le32(writer, 0); /* maintenance interrupt */
    writer_le64(writer, 0); /* its redistributor is in a range: gicr */
    writer_le64(writer, input->resolved->processors.vps[index].mpidr & UINT64_C(0xff00ffffff));
    acpi_zeros(writer, 4); /* power efficiency, statistical profiling */
}

static void gicd(struct writer *writer, const struct vmr_resolved_gic *gic) /* 5.2.12.15 */
{
    writer_u8(writer, 0x0c);
    writer_u8(writer, 24);
    writer_le16(writer, 0);
    writer_le32(writer, 0);
    writer_le64(writer, gic->distributor.start);
    writer_le32(writer, 0);
    writer_u8(writer, gic->version == VMR_GIC_V2 ? 2 : 3);
    acpi_zeros(writer, 3);
}

static void gicr(struct writer *writer, const struct vmr_resolved_gic *gic) /* 5.2.12.17 */
{
    writer_u8(writer, 0x0e);
    writer_u8(writer, 16);
    writer_le16(writer, 0);
    writer_le64(writer, gic->redistributors.start);
    writer_le32(writer, (uint32_t)(gic->redistributors.end - gic->redistributors.start));
}

static void msi_frame(struct writer *writer, const struct vmr_resolved_gic *gic) /* 5.2.12.16 */
{
    writer_u8(writer, 0x0d);
    writer_u8(writer, 24);
    writer_le16(writer, 0);
    writer_le32(writer, 0);
    writer_le64(writer, gic->v2m.start);
    writer_le32(writer, 1); /* count and base are these, not the frame's */
    writer_le16(writer, (uint16_t)gic->v2m_spi_count);
    writer_le16(writer, (uint16_t)gic->v2m_spi_base);
}

static void its(struct writer *writer, const struct vmr_resolved_gic *gic) /* 5.2.12.18 */
{
    writer_u8(writer, 0x0f);
    writer_u8(writer, 20);
    writer_le16(writer, 0);
    writer_le32(writer, 0); /* what IORT calls it */
    writer_le64(writer, gic->its.start);
    writer_le32(writer, 0);
}

static void arm_controllers(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_gic *gic = input->resolved->processors.gic;

    gicd(writer, gic);
    for (uint32_t i = 0; i < input->resolved->processors.vp_count; i++)
        gicc(writer, input, i);
    if (gic->version != VMR_GIC_V2)
        gicr(writer, gic);
    if (input->v2m)
        msi_frame(writer, gic);
    if (input->its)
        its(writer, gic);
}

void madt_write(struct writer *writer, const struct tables_input *input)
{
    acpi_begin(writer, "APIC", MADT_REVISION);
    writer_le32(writer, input->is_arm64 ? 0 : (uint32_t)PC_LAPIC_BASE);
    writer_le32(writer, input->pic ? PCAT_COMPAT : 0);
    if (input->is_arm64)
        arm_controllers(writer, input);
    else
        pc_controllers(writer, input);
    acpi_end(writer);
}
