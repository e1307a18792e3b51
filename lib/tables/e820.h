/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The E820 map of a PC (ACPI 6.5, 15): RAM, and what of the rest a guest must
 * not take for free.
 */

#include "lib/base/writer.h"
#include "lib/tables/input.h"
#include "lib/tables/ranges.h"

#define E820_RAM 1u
#define E820_RESERVED 2u
#define E820_ACPI 3u /* tables, which a guest may use when it has read them */
#define E820_ENTRY_BYTES 20u

/* Places of tables, sorted, in pages. False: out of memory. */
bool e820_write(struct writer *writer, struct arena *arena, const struct tables_input *input,
                const struct range_list *tables);
