/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all ACPI tables have in common: the header, the checksum, and addresses
 * in the generic form. A writer holds one table, from its first byte.
 *
 * Revisions are those of ACPI 6.3, the newest that tools in use can check; what
 * later editions have added is not needed here.
 */

#include "lib/base/writer.h"
#include "vmrig/types.h"

#define ACPI_HEADER_BYTES 36u /* ACPI 6.5, 5.2.6 */
#define ACPI_CHECKSUM_AT 9u
#define ACPI_RSDP_BYTES 36u /* 5.2.5.3 */

/* Four characters; the length and the checksum are left for acpi_end. */
void acpi_begin(struct writer *writer, const char *signature, uint8_t revision);
void acpi_end(struct writer *writer);

void acpi_zeros(struct writer *writer, size_t count);
/* A text without its end, and as many of `fill` as are missing to `length`. */
void acpi_text(struct writer *writer, const char *text, size_t length, char fill);

/* Generic address (5.2.3.2) of a register in I/O space; a width of 0: there is none. */
void acpi_io_register(struct writer *writer, uint16_t port, uint8_t bits);

/* What, added to the sum of `bytes`, makes it zero. */
uint8_t acpi_checksum(const uint8_t *bytes, size_t length);
/* Of a table whose bytes were changed. */
void acpi_seal(uint8_t *table, size_t length);

/* ACPI_RSDP_BYTES that point to the XSDT. */
void acpi_rsdp(uint8_t *ret_bytes, vmr_gpa xsdt);
