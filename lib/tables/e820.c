/* SPDX-License-Identifier: MIT */
/*
 * RAM below what a PC has in its first megabyte, below the tables.
 */

#include "lib/tables/e820.h"

/* What a BIOS keeps for itself: its data area below 640 KiB, then video memory and ROM up to 1 MiB. */
#define BIOS_DATA UINT64_C(0x9fc00)
#define BIOS_END UINT64_C(0x100000)

static struct range_list ram(struct arena *arena, const struct vmr_resolved_memory *memory)
{
    struct range_list list = ranges_create(arena, memory->ram_count);

    for (size_t i = 0; i < memory->ram_count; i++)
        ranges_add(&list, memory->ram[i].range, E820_RAM);
    ranges_sort(&list);
    return list;
}

/* Registers that no bus enumerates, and VTL 2's memory. Disjoint, as the layout has made them so. */
static struct range_list reserved(struct arena *arena, const struct tables_input *input)
{
    const struct vmr_resolved *resolved = input->resolved;
    struct range_list list =
        ranges_create(arena, 4 + 2 * (size_t)resolved->pcie.root_complex_count + resolved->pcie.iommu_count);

    ranges_add(&list, (struct vmr_gpa_range){BIOS_DATA, BIOS_END}, E820_RESERVED);
    if (input->ioapic)
        ranges_add(&list, (struct vmr_gpa_range){PC_IOAPIC_BASE, PC_IOAPIC_BASE + VMR_PAGE_SIZE}, E820_RESERVED);
    ranges_add(&list, (struct vmr_gpa_range){PC_LAPIC_BASE, PC_LAPIC_BASE + VMR_PAGE_SIZE}, E820_RESERVED);
    ranges_add(&list, resolved->memory.vtl2_ram, E820_RESERVED);
    for (uint32_t i = 0; i < resolved->pcie.root_complex_count; i++) {
        ranges_add(&list, resolved->pcie.root_complexes[i].ecam, E820_RESERVED);
        ranges_add(&list, resolved->pcie.root_complexes[i].cxl_chbcr, E820_RESERVED);
    }
    for (uint32_t i = 0; i < resolved->pcie.iommu_count; i++)
        ranges_add(&list, resolved->pcie.iommus[i].mmio, E820_RESERVED);
    ranges_sort(&list);
    return list;
}

bool e820_write(struct writer *writer, struct arena *arena, const struct tables_input *input,
                const struct range_list *tables)
{
    struct range_list lowest = ram(arena, &input->resolved->memory), middle = reserved(arena, input);
    struct range_list taken = ranges_overlay(arena, &middle, tables);
    struct range_list all = ranges_overlay(arena, &lowest, &taken);

    if (all.failed)
        return false;
    for (size_t i = 0; i < all.count; i++) {
        writer_le64(writer, all.items[i].range.start);
        writer_le64(writer, all.items[i].range.end - all.items[i].range.start);
        writer_le32(writer, all.items[i].type);
    }
    return writer_ok(writer);
}
