/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading tables as an operating system does: from guest memory, beginning with
 * the anchor, believing only what is there. Shares nothing with what writes them.
 */

#include "vmrig/firmware_tables.h"

struct walk {
    const struct vmr_firmware_tables *tables; /* all of guest memory that there is */
    const struct vmr_resolved *resolved;
};

/* `size` bytes of guest memory; fails the test where there is none. */
const uint8_t *walk_memory(const struct walk *walk, vmr_gpa gpa, size_t size);
uint16_t walk16(const uint8_t *bytes);
uint32_t walk32(const uint8_t *bytes);
uint64_t walk64(const uint8_t *bytes);
uint8_t walk_sum(const uint8_t *bytes, size_t size);

/* The table with this signature that the XSDT or the FADT has; NULL: neither. The header's length and sum are right. */
const uint8_t *walk_find(const struct walk *walk, const char *signature, size_t *ret_size);
/* It is there. */
const uint8_t *walk_need(const struct walk *walk, const char *signature, size_t *ret_size);

/* Structures {type, length} behind `at`. NULL: no more. The length is at least 2, and inside. */
struct walk_entries {
    const uint8_t *table;
    size_t size, at;
    unsigned length_bytes, type_bytes; /* 1 and 1, or 2 and 2 */
};
const uint8_t *walk_next(struct walk_entries *entries, unsigned *ret_type, size_t *ret_length);

/* Everything below, and that no table is there that should not be. */
void walk_all(const struct vmr_firmware_tables *tables, const struct vmr_resolved *resolved);

void walk_madt(const struct walk *walk);
void walk_srat(const struct walk *walk);
void walk_slit(const struct walk *walk);
void walk_pcie(const struct walk *walk);
void walk_iommus(const struct walk *walk);
void walk_smbios(const struct walk *walk);
void walk_e820(const struct walk *walk);
