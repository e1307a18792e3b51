/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where tables go in guest memory.
 */

#include "lib/tables/input.h"

#define TABLES_MAX 24u
#define TABLES_ALIGNMENT 64u /* what a FACS needs (ACPI 6.5, 5.2.10) */

/* Tables that are written and not yet placed. */
struct table_set {
    struct vmr_firmware_table tables[TABLES_MAX]; /* [0, area_count) lie one behind the other */
    uint8_t *bytes[TABLES_MAX];                   /* the same bytes, to be changed */
    size_t count, area_count;
};

/* NULL: none of this name. */
uint8_t *table_set_find(const struct table_set *set, const char *name, size_t *ret_index);

/* Gives each of them its place; adds findings where a place is impossible. */
void place_tables(struct table_set *set, const struct tables_input *input,
                  const struct vmr_firmware_tables_options *options, struct vmr_config_report *report);
