/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One function for each table, each of which writes a whole one. Addresses of
 * other tables are left zero: whoever places them fills them in and seals the
 * table again.
 */

#include "lib/base/writer.h"
#include "lib/tables/input.h"

typedef void tables_write(struct writer *writer, const struct tables_input *input);

#define FADT_DSDT_AT 140u /* X_DSDT */
#define FADT_FACS_AT 132u /* X_FIRMWARE_CTRL */
#define FACS_BYTES 64u

tables_write facs_write; /* for machines with a power management block */
tables_write fadt_write;
tables_write dsdt_write;
tables_write ssdt_write; /* PCI Express */
tables_write madt_write;
tables_write srat_write;
tables_write slit_write;
tables_write mcfg_write;
tables_write cedt_write;
tables_write gtdt_write;
tables_write pptt_write;
tables_write ivrs_write;
tables_write dmar_write;
tables_write iort_write;
/* The structures that the anchor points to. */
tables_write smbios_write;

#define SMBIOS_ANCHOR_BYTES 24u
/* SMBIOS 3.0 anchor for structures of `length` bytes. */
void smbios_anchor(uint8_t *ret_bytes, vmr_gpa structures, uint32_t length);
