/* SPDX-License-Identifier: MIT */
/*
 * Headers and checksums. Section numbers are those of ACPI 6.5.
 */

#include "lib/tables/acpi.h"

#include <string.h>

#include "lib/base/bytes.h"

#define LENGTH_AT 4u
#define OEM_ID "VMRIG "
#define OEM_TABLE_ID "VMRIG   "
#define CREATOR "VMRG"
#define RSDP_FIRST_PART 20u /* what revision 0 had, and what the first checksum covers */

void acpi_zeros(struct writer *writer, size_t count)
{
    static const uint8_t zeros[64];

    for (; count > sizeof(zeros); count -= sizeof(zeros))
        writer_copy(writer, zeros, sizeof(zeros));
    writer_copy(writer, zeros, count);
}

void acpi_text(struct writer *writer, const char *text, size_t length, char fill)
{
    size_t known = strlen(text);

    for (size_t i = 0; i < length; i++)
        writer_u8(writer, (uint8_t)(i < known ? text[i] : fill));
}

void acpi_io_register(struct writer *writer, uint16_t port, uint8_t bits)
{
    bool there = bits > 0;

    writer_u8(writer, there ? 1 : 0); /* system I/O */
    writer_u8(writer, bits);
    writer_u8(writer, 0);
    writer_u8(writer, bits == 8 ? 1 : 0); /* by bytes, or as the register's specification says */
    writer_le64(writer, there ? port : 0);
}

uint8_t acpi_checksum(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return (uint8_t)-sum;
}

void acpi_seal(uint8_t *table, size_t length)
{
    table[ACPI_CHECKSUM_AT] = 0;
    table[ACPI_CHECKSUM_AT] = acpi_checksum(table, length);
}

void acpi_begin(struct writer *writer, const char *signature, uint8_t revision)
{
    acpi_text(writer, signature, 4, ' ');
    writer_le32(writer, 0);
    writer_u8(writer, revision);
    writer_u8(writer, 0);
    acpi_text(writer, OEM_ID, 6, ' ');
    acpi_text(writer, OEM_TABLE_ID, 8, ' ');
    writer_le32(writer, 1);
    acpi_text(writer, CREATOR, 4, ' ');
    writer_le32(writer, 1);
}

void acpi_end(struct writer *writer)
{
    if (writer->length > UINT32_MAX)
        writer_fail(writer);
    if (!writer_ok(writer))
        return;
    store_le32(writer->bytes + LENGTH_AT, (uint32_t)writer->length);
    acpi_seal(writer->bytes, writer->length);
}

void acpi_rsdp(uint8_t *ret_bytes, vmr_gpa xsdt)
{
    memset(ret_bytes, 0, ACPI_RSDP_BYTES);
    memcpy(ret_bytes, "RSD PTR ", 8);
    memcpy(ret_bytes + 9, OEM_ID, 6);
    ret_bytes[15] = 2; /* revision; the RSDT of revision 0 is not there */
    store_le32(ret_bytes + 20, ACPI_RSDP_BYTES);
    store_le64(ret_bytes + 24, xsdt);
    ret_bytes[8] = acpi_checksum(ret_bytes, RSDP_FIRST_PART);
    ret_bytes[32] = acpi_checksum(ret_bytes, ACPI_RSDP_BYTES);
}
