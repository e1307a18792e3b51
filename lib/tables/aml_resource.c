/* SPDX-License-Identifier: MIT */
/*
 * Resource descriptors. Section numbers are those of ACPI 6.5.
 */

#include "lib/tables/aml_resource.h"

#define BUFFER_OP 0x11u
#define SMALL_IRQ 0x22u   /* 6.4.2.1, without the flags: edge, active high, not shared */
#define SMALL_DMA 0x2au   /* 6.4.2.2 */
#define SMALL_IO 0x47u    /* 6.4.2.5 */
#define SMALL_END 0x79u   /* 6.4.2.9 */
#define MEMORY32 0x86u    /* 6.4.3.4 */
#define DWORD_SPACE 0x87u /* 6.4.3.5.2 */
#define WORD_SPACE 0x88u  /* 6.4.3.5.3 */
#define INTERRUPT 0x89u   /* 6.4.3.6 */
#define QWORD_SPACE 0x8au /* 6.4.3.5.1 */

#define SPACE_MEMORY 0u
#define SPACE_BUS 2u
#define FIXED 0x0cu /* both ends */
#define CONSUMER 0x01u
#define WRITABLE 0x01u /* not cached */

size_t aml_resources(struct writer *writer)
{
    aml_name(writer, "_CRS");
    writer_u8(writer, BUFFER_OP);
    return writer->length;
}

void aml_resources_close(struct writer *writer, size_t mark)
{
    writer_u8(writer, SMALL_END);
    writer_u8(writer, 0); /* a checksum of zero: there is none */
    aml_close_buffer(writer, mark);
}

void aml_io(struct writer *writer, uint16_t port, uint8_t count)
{
    writer_u8(writer, SMALL_IO);
    writer_u8(writer, 1); /* all 16 bits are decoded */
    writer_le16(writer, port);
    writer_le16(writer, port);
    writer_u8(writer, 1);
    writer_u8(writer, count);
}

void aml_irq(struct writer *writer, unsigned line)
{
    writer_u8(writer, SMALL_IRQ);
    writer_le16(writer, (uint16_t)(1u << (line & 15)));
}

void aml_dma(struct writer *writer, unsigned channel)
{
    writer_u8(writer, SMALL_DMA);
    writer_u8(writer, (uint8_t)(1u << (channel & 7)));
    writer_u8(writer, 0); /* 8 bits, no bus master */
}

void aml_interrupt(struct writer *writer, uint32_t gsi, bool edge)
{
    writer_u8(writer, INTERRUPT);
    writer_le16(writer, 6);
    writer_u8(writer, (uint8_t)(CONSUMER | (edge ? 2u : 0u)));
    writer_u8(writer, 1);
    writer_le32(writer, gsi);
}

static void space_head(struct writer *writer, uint8_t kind, uint16_t length, uint8_t space, uint8_t flags)
{
    writer_u8(writer, kind);
    writer_le16(writer, length);
    writer_u8(writer, space);
    writer_u8(writer, flags);
    writer_u8(writer, space == SPACE_MEMORY ? WRITABLE : 0);
}

void aml_buses(struct writer *writer, uint8_t first, uint8_t last)
{
    space_head(writer, WORD_SPACE, 13, SPACE_BUS, FIXED);
    writer_le16(writer, 0);
    writer_le16(writer, first);
    writer_le16(writer, last);
    writer_le16(writer, 0);
    writer_le16(writer, (uint16_t)(last - first + 1));
}

static void memory_space(struct writer *writer, const struct vmr_gpa_range *range, uint8_t flags)
{
    uint64_t size = range->end - range->start;

    if (size == 0)
        return;
    if (range->end > UINT64_C(1) << 32 || size > UINT32_MAX) {
        space_head(writer, QWORD_SPACE, 43, SPACE_MEMORY, flags);
        writer_le64(writer, 0);
        writer_le64(writer, range->start);
        writer_le64(writer, range->end - 1);
        writer_le64(writer, 0);
        writer_le64(writer, size);
    } else {
        space_head(writer, DWORD_SPACE, 23, SPACE_MEMORY, flags);
        writer_le32(writer, 0);
        writer_le32(writer, (uint32_t)range->start);
        writer_le32(writer, (uint32_t)(range->end - 1));
        writer_le32(writer, 0);
        writer_le32(writer, (uint32_t)size);
    }
}

void aml_window(struct writer *writer, const struct vmr_gpa_range *range)
{
    memory_space(writer, range, FIXED);
}

void aml_taken(struct writer *writer, const struct vmr_gpa_range *range)
{
    memory_space(writer, range, FIXED | CONSUMER);
}

void aml_registers(struct writer *writer, vmr_gpa start, uint64_t size)
{
    if (start + size > UINT64_C(1) << 32 || size > UINT32_MAX) {
        aml_taken(writer, &(struct vmr_gpa_range){start, start + size});
        return;
    }
    writer_u8(writer, MEMORY32);
    writer_le16(writer, 9);
    writer_u8(writer, 1); /* writable */
    writer_le32(writer, (uint32_t)start);
    writer_le32(writer, (uint32_t)size);
}
