/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Resource templates: what _CRS consists of (ACPI 6.5, 6.4).
 */

#include "lib/tables/aml.h"
#include "vmrig/config.h"

/* Name (_CRS, ResourceTemplate () { ... }); closed with aml_resources_close. */
size_t aml_resources(struct writer *writer);
void aml_resources_close(struct writer *writer, size_t mark);

void aml_io(struct writer *writer, uint16_t port, uint8_t count);
/* Of the 16 lines of a PC: edge-triggered, active high. */
void aml_irq(struct writer *writer, unsigned line);
void aml_dma(struct writer *writer, unsigned channel);
/* A GSI, active high. */
void aml_interrupt(struct writer *writer, uint32_t gsi, bool edge);
/* A device's own registers, wherever they are; at most 4 GiB of them. */
void aml_registers(struct writer *writer, vmr_gpa start, uint64_t size);
void aml_buses(struct writer *writer, uint8_t first, uint8_t last);
/* Addresses that a bridge hands on; nothing for an empty range. */
void aml_window(struct writer *writer, const struct vmr_gpa_range *range);
/* Addresses that are taken; nothing for an empty range. */
void aml_taken(struct writer *writer, const struct vmr_gpa_range *range);
