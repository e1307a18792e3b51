/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writing nodes with libfdt: properties of cells and of texts, and the first
 * error kept, so that a writer has one check at the end.
 */

#include "lib/tables/input.h"

#define TREE_CELLS_MAX 32u

/* Phandles: which node is which. Processors have theirs from TREE_PHANDLE_CPUS. */
#define TREE_PHANDLE_GIC 1u
#define TREE_PHANDLE_MSI 2u
#define TREE_PHANDLE_CLOCK 3u
#define TREE_PHANDLE_SMMUS 0x100u
#define TREE_PHANDLE_CPUS 0x10000u

/* Interrupt specifiers of the GIC: kind, number in it, flags. */
#define TREE_SPI 0u
#define TREE_PPI 1u
#define TREE_EDGE 1u
#define TREE_LEVEL 4u

struct tree {
    uint8_t *bytes;
    int error; /* libfdt's first; 0: none */
    const struct tables_input *input;
};

/* "name@address" when there is one. */
void tree_open(struct tree *tree, const char *name);
void tree_open_at(struct tree *tree, const char *name, uint64_t address);
void tree_close(struct tree *tree);

void tree_flag(struct tree *tree, const char *name);
void tree_text(struct tree *tree, const char *name, const char *text);
/* Several texts, each with its end: "a\0b" and the length without the last end. */
void tree_texts(struct tree *tree, const char *name, const char *texts, size_t length);
void tree_number(struct tree *tree, const char *name, uint32_t value);
void tree_number64(struct tree *tree, const char *name, uint64_t value);
void tree_bytes(struct tree *tree, const char *name, const void *bytes, size_t length);

/* Cells that are collected and then make a property. */
struct tree_cells {
    uint8_t bytes[TREE_CELLS_MAX * 4];
    size_t length;
};
void tree_cell(struct tree_cells *cells, uint32_t value);
void tree_cell64(struct tree_cells *cells, uint64_t value);
void tree_cells(struct tree *tree, const char *name, const struct tree_cells *cells);
/* reg = <start size>. */
void tree_reg(struct tree *tree, const struct vmr_gpa_range *range);
/* interrupts = <kind number flags>, of an interrupt id. */
void tree_interrupt(struct tree *tree, uint32_t id, uint32_t flags);

/* --- parts of the tree --- */

void tree_processors(struct tree *tree);
void tree_pcie(struct tree *tree);
