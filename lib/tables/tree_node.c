/* SPDX-License-Identifier: MIT */
/*
 * Nodes and properties. Cells are big endian, whatever the host is.
 */

#include "lib/tables/tree_node.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/bytes.h"

static void keep(struct tree *tree, int result)
{
    if (tree->error == 0 && result < 0)
        tree->error = result;
}

void tree_open(struct tree *tree, const char *name)
{
    keep(tree, fdt_begin_node(tree->bytes, name));
}

void tree_open_at(struct tree *tree, const char *name, uint64_t address)
{
    char full[48];

    (void)snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
    tree_open(tree, full);
}

void tree_close(struct tree *tree)
{
    keep(tree, fdt_end_node(tree->bytes));
}

void tree_bytes(struct tree *tree, const char *name, const void *bytes, size_t length)
{
    keep(tree, length <= INT32_MAX ? fdt_property(tree->bytes, name, bytes, (int)length) : -FDT_ERR_NOSPACE);
}

void tree_flag(struct tree *tree, const char *name)
{
    tree_bytes(tree, name, "", 0);
}

void tree_text(struct tree *tree, const char *name, const char *text)
{
    tree_texts(tree, name, text, strlen(text));
}

void tree_texts(struct tree *tree, const char *name, const char *texts, size_t length)
{
    tree_bytes(tree, name, texts, length + 1);
}

void tree_number(struct tree *tree, const char *name, uint32_t value)
{
    struct tree_cells cells = {.length = 0};

    tree_cell(&cells, value);
    tree_cells(tree, name, &cells);
}

void tree_number64(struct tree *tree, const char *name, uint64_t value)
{
    struct tree_cells cells = {.length = 0};

    tree_cell64(&cells, value);
    tree_cells(tree, name, &cells);
}

void tree_cell(struct tree_cells *cells, uint32_t value)
{
    if (cells->length == sizeof(cells->bytes))
        return; /* no binding here has as many */
    store_le32(cells->bytes + cells->length, __builtin_bswap32(value));
    cells->length += 4;
}

void tree_cell64(struct tree_cells *cells, uint64_t value)
{
    tree_cell(cells, (uint32_t)(value >> 32));
    tree_cell(cells, (uint32_t)value);
}

void tree_cells(struct tree *tree, const char *name, const struct tree_cells *cells)
{
    tree_bytes(tree, name, cells->bytes, cells->length);
}

void tree_reg(struct tree *tree, const struct vmr_gpa_range *range)
{
    struct tree_cells cells = {.length = 0};

    tree_cell64(&cells, range->start);
    tree_cell64(&cells, range->end - range->start);
    tree_cells(tree, "reg", &cells);
}

void tree_interrupt(struct tree *tree, uint32_t id, uint32_t flags)
{
    struct tree_cells cells = {.length = 0};
    bool shared = id >= ARM_SPI_BASE;

    tree_cell(&cells, shared ? TREE_SPI : TREE_PPI);
    tree_cell(&cells, id - (shared ? ARM_SPI_BASE : ARM_PPI_BASE));
    tree_cell(&cells, flags);
    tree_cells(tree, "interrupts", &cells);
}
