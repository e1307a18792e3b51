/* SPDX-License-Identifier: MIT */
/*
 * A resolved machine as a picture: the address map from the top down, not to
 * scale, with the PCI Express tree beside it. One file, no script, no reference
 * to anything outside; colours follow what the viewer prefers.
 */

#include <inttypes.h>
#include <stdio.h>

#include "lib/config/text_out.h"
#include "vmrig/resolved.h"

#define ROW 22u
#define MARGIN 20u
#define MAP_X 190u
#define MAP_WIDTH 330u
#define TREE_X 580u
#define TREE_WIDTH 620u
#define INDENT 18u
#define TITLE 34u

static const char style[] =
    "<style>"
    "svg{background:#fff;color:#1c2024;font:12px monospace}"
    "text{fill:currentColor}.dim{opacity:.65}.line{stroke:currentColor;stroke-opacity:.35;fill:none}"
    "rect{stroke:currentColor;stroke-opacity:.35}"
    ".reserved{fill:#d9dbde}.fixed{fill:#e7c9a0}.mmio32{fill:#f3d98b}.ram{fill:#a9d3b0}.mmio64{fill:#a8c5ea}"
    ".post-mmio{fill:#d3b5e5}.free{fill:none;stroke-dasharray:3 3}.port{fill:#a8c5ea}.switch{fill:#f3d98b}"
    ".complex{fill:#e7c9a0}.device{fill:#a9d3b0}"
    "@media(prefers-color-scheme:dark){svg{background:#16181c;color:#e6e8eb}"
    ".reserved{fill:#3a3d42}.fixed{fill:#6b4d22}.mmio32{fill:#6a5515}.ram{fill:#245c32}.mmio64{fill:#24477a}"
    ".post-mmio{fill:#53306c}.port{fill:#24477a}.switch{fill:#6a5515}.complex{fill:#6b4d22}.device{fill:#245c32}}"
    "</style>\n";

/* What a configuration calls something may hold what XML takes for its own. */
static void print_escaped(struct writer *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            text_out(out, "&lt;");
            break;
        case '>':
            text_out(out, "&gt;");
            break;
        case '&':
            text_out(out, "&amp;");
            break;
        case '"':
            text_out(out, "&quot;");
            break;
        default:
            writer_u8(out, (uint8_t)*text);
        }
    }
}

static void print_box(struct writer *out, unsigned x, unsigned y, unsigned width, const char *kind)
{
    text_out(out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"2\"/>", kind, x, y, width,
             ROW - 2);
}

static void print_label(struct writer *out, unsigned x, unsigned y, const char *text)
{
    text_out(out, "<text x=\"%u\" y=\"%u\">", x + 6, y + ROW - 8);
    print_escaped(out, text);
    text_out(out, "</text>\n");
}

/* --- the map --- */

static void print_address(struct writer *out, unsigned y, uint64_t address)
{
    text_out(out, "<text class=\"dim\" x=\"%u\" y=\"%u\" text-anchor=\"end\">%#" PRIx64 "</text>\n", MAP_X - 8,
             y + ROW - 8, address);
}

static unsigned count_rows(const struct vmr_resolved_memory *memory)
{
    unsigned rows = 0;
    vmr_gpa end = 0;

    for (size_t i = 0; i < memory->placement_count; i++) {
        rows += memory->placements[i].range.start > end ? 2 : 1;
        end = memory->placements[i].range.end;
    }
    return rows;
}

static void print_map(struct writer *out, const struct vmr_resolved_memory *memory)
{
    unsigned y = TITLE;

    for (size_t i = memory->placement_count; i-- > 0;) {
        const struct vmr_placement *placement = &memory->placements[i];
        vmr_gpa below = i > 0 ? memory->placements[i - 1].range.end : 0;

        print_address(out, y, placement->range.start);
        print_box(out, MAP_X, y, MAP_WIDTH, vmr_layout_phase_name(placement->phase));
        print_label(out, MAP_X, y, placement->tag);
        text_out(out, "<text class=\"dim\" x=\"%u\" y=\"%u\" text-anchor=\"end\">%#" PRIx64 "</text>\n",
                 MAP_X + MAP_WIDTH - 6, y + ROW - 8, placement->range.end - placement->range.start);
        y += ROW;
        if (placement->range.start > below) {
            print_address(out, y, below);
            print_box(out, MAP_X, y, MAP_WIDTH, "free");
            y += ROW;
        }
    }
}

/* --- the tree --- */

struct tree_out {
    struct writer *out;
    const struct vmr_resolved *machine;
    unsigned y;
};

static void print_node(struct tree_out *tree, unsigned depth, const char *kind, const char *address, const char *name)
{
    unsigned x = TREE_X + depth * INDENT;

    if (depth > 0)
        text_out(tree->out, "<path class=\"line\" d=\"M%u %uv%uh%u\"/>", x - INDENT / 2, tree->y - 4, ROW / 2 + 4,
                 INDENT / 2);
    print_box(tree->out, x, tree->y, 280, kind);
    print_label(tree->out, x, tree->y, name);
    text_out(tree->out, "<text class=\"dim\" x=\"%u\" y=\"%u\">%s</text>\n", x + 290, tree->y + ROW - 8, address);
    tree->y += ROW;
}

static void print_ports(struct tree_out *tree, uint32_t first, uint32_t count, unsigned depth)
{
    const struct vmr_resolved_pcie *pcie = &tree->machine->pcie;

    for (uint32_t i = first; i < first + count; i++) {
        const struct vmr_resolved_port *port = &pcie->ports[i];
        char address[64];

        (void)snprintf(address, sizeof(address), "%02x:%02x.%u, buses %02x-%02x", port->bus, port->devfn >> 3,
                       port->devfn & 7u, port->secondary_bus, port->subordinate_bus);
        print_node(tree, depth, "port", address, port->config->name);
        if (port->device != VMR_RESOLVED_NONE)
            print_node(tree, depth + 1, "device", "", tree->machine->config->pcie_devices[port->device].resource.id);
        if (port->child_switch != VMR_RESOLVED_NONE) {
            const struct vmr_resolved_switch *below = &pcie->switches[port->child_switch];

            (void)snprintf(address, sizeof(address), "%02x:00.0, inner bus %02x", below->upstream_bus,
                           below->internal_bus);
            print_node(tree, depth + 1, "switch", address, below->config->name);
            print_ports(tree, below->first_port, below->port_count, depth + 2);
        }
    }
}

static void print_tree(struct tree_out *tree)
{
    for (uint32_t i = 0; i < tree->machine->pcie.root_complex_count; i++) {
        const struct vmr_resolved_root_complex *complex = &tree->machine->pcie.root_complexes[i];
        char address[64];

        (void)snprintf(address, sizeof(address), "segment %04x, buses %02x-%02x", complex->config->segment,
                       complex->config->start_bus, complex->config->end_bus);
        print_node(tree, 0, "complex", address, complex->config->name);
        print_ports(tree, complex->first_port, complex->port_count, 1);
    }
}

static unsigned tree_rows(const struct vmr_resolved_pcie *pcie)
{
    unsigned rows = pcie->root_complex_count + pcie->port_count + pcie->switch_count;

    for (uint32_t i = 0; i < pcie->port_count; i++)
        rows += pcie->ports[i].device != VMR_RESOLVED_NONE;
    return rows;
}

enum vmr_status vmr_resolved_print_svg(const struct vmr_resolved *resolved, struct vmr_config_text *ret_text,
                                       struct vmr_error *err)
{
    unsigned map = count_rows(&resolved->memory), tree = tree_rows(&resolved->pcie);
    unsigned height = TITLE + (map > tree ? map : tree) * ROW + MARGIN;
    unsigned width = tree > 0 ? TREE_X + TREE_WIDTH : MAP_X + MAP_WIDTH + MARGIN;
    struct writer out;

    writer_init(&out, TEXT_OUT_MAX);
    text_out(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\">\n",
             width, height, width, height);
    text_out(&out, "<title>Address map%s</title>\n%s", tree > 0 ? " and PCI Express tree" : "", style);
    text_out(&out, "<text x=\"%u\" y=\"20\">Addresses, %u bits</text>\n", MAP_X, resolved->physical_bits_needed);
    print_map(&out, &resolved->memory);
    if (tree > 0) {
        struct tree_out all = {.out = &out, .machine = resolved, .y = TITLE};

        text_out(&out, "<text x=\"%u\" y=\"20\">PCI Express</text>\n", TREE_X);
        print_tree(&all);
    }
    text_out(&out, "</svg>\n");
    return text_out_finish(&out, ret_text, err);
}
