/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The device tree of an arm64 machine, after the Devicetree Specification 0.4
 * and the bindings that Linux has.
 */

#include "lib/config/arena.h"
#include "lib/tables/input.h"

/* Where a tree ends to be one that Linux takes (Documentation/arch/arm64/booting.rst). */
#define TREE_BYTES_MAX (2u << 20)

/* Linux's COMMAND_LINE_SIZE on arm64, without the end. */
#define TREE_CMDLINE_MAX 2047u

enum tree_result {
    TREE_WRITTEN,
    TREE_NO_MEMORY,
    TREE_TOO_LARGE
};

/* In the arena. */
/* Linux's COMMAND_LINE_SIZE on arm64, without the end. */
#define TREE_CMDLINE_MAX 2047u

enum tree_result tree_write(struct arena *arena, const struct tables_input *input, const uint8_t **ret_bytes,
                            size_t *ret_size);
