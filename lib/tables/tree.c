/* SPDX-License-Identifier: MIT */
/*
 * The tree as a whole. It is written front to back into a buffer of which nobody
 * knows the size before: when one is too small, the next is twice as large.
 */

#include "lib/tables/tree.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "lib/tables/tree_node.h"

#define BUFFER_FIRST 16384u
#define UART_CLOCK_HZ 24000000u

static void chosen(struct tree *tree)
{
    const struct tables_input *input = tree->input;

    tree_open(tree, "chosen");
    tree_text(tree, "bootargs", input->cmdline);
    if (input->serial_count > 0) {
        char path[32];

        (void)snprintf(path, sizeof(path), "/serial@%llx", (unsigned long long)input->serials[0].base);
        tree_text(tree, "stdout-path", path);
    }
    if (input->initrd.end > input->initrd.start) {
        tree_number64(tree, "linux,initrd-start", input->initrd.start);
        tree_number64(tree, "linux,initrd-end", input->initrd.end);
    }
    tree_close(tree);
}

static void memory(struct tree *tree)
{
    const struct vmr_resolved *resolved = tree->input->resolved;

    for (size_t i = 0; i < resolved->memory.ram_count; i++) {
        const struct vmr_resolved_ram *ram = &resolved->memory.ram[i];

        tree_open_at(tree, "memory", ram->range.start);
        tree_text(tree, "device_type", "memory");
        tree_reg(tree, &ram->range);
        if (resolved->numa.node_count > 1)
            tree_number(tree, "numa-node-id", ram->vnode);
        tree_close(tree);
    }
}

/* Linux's numa.txt: <from, to, distance> of every pair. */
static void distances(struct tree *tree)
{
    const struct vmr_resolved_numa *numa = &tree->input->resolved->numa;
    void *matrix = NULL;

    if (numa->node_count < 2)
        return;
    tree_open(tree, "distance-map");
    tree_text(tree, "compatible", "numa-distance-map-v1");
    if (tree->error == 0)
        tree->error = fdt_property_placeholder(tree->bytes, "distance-matrix",
                                               (int)(numa->node_count * numa->node_count * 12), &matrix);
    for (uint32_t i = 0; matrix && tree->error == 0 && i < numa->node_count * numa->node_count; i++) {
        struct tree_cells cells = {.length = 0};

        tree_cell(&cells, i / numa->node_count);
        tree_cell(&cells, i % numa->node_count);
        tree_cell(&cells, numa->distances[i]);
        memcpy((uint8_t *)matrix + (size_t)i * 12, cells.bytes, 12);
    }
    tree_close(tree);
}

/* Linux's timer/arm,arch_timer.yaml; a guest has the virtual timer, and interrupts are named where one is not all. */
static void timer(struct tree *tree)
{
    const struct tables_input *input = tree->input;

    tree_open(tree, "timer");
    tree_text(tree, "compatible", "arm,armv8-timer");
    tree_interrupt(tree, input->resolved->processors.gic->virt_timer_ppi, TREE_LEVEL);
    tree_text(tree, "interrupt-names", "virt");
    tree_flag(tree, "always-on");
    tree_close(tree);
    if (!input->pmu_gsiv.given)
        return;
    tree_open(tree, "pmu");
    tree_text(tree, "compatible", "arm,armv8-pmuv3");
    tree_interrupt(tree, input->pmu_gsiv.value, TREE_LEVEL);
    tree_close(tree);
}

static void message_controller(struct tree *tree, const struct vmr_resolved_gic *gic)
{
    const struct vmr_gpa_range *range = tree->input->its ? &gic->its : &gic->v2m;

    tree_open_at(tree, tree->input->its ? "msi-controller" : "v2m", range->start);
    tree_text(tree, "compatible", tree->input->its ? "arm,gic-v3-its" : "arm,gic-v2m-frame");
    tree_flag(tree, "msi-controller");
    tree_reg(tree, range);
    if (tree->input->its) {
        tree_number(tree, "#msi-cells", 1);
    } else {
        tree_number(tree, "arm,msi-base-spi", gic->v2m_spi_base);
        tree_number(tree, "arm,msi-num-spis", gic->v2m_spi_count);
    }
    tree_number(tree, "phandle", TREE_PHANDLE_MSI);
    tree_close(tree);
}

/* Linux's interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml. */
static void interrupt_controller(struct tree *tree)
{
    const struct vmr_resolved_gic *gic = tree->input->resolved->processors.gic;
    const struct vmr_gpa_range *second = gic->version == VMR_GIC_V2 ? &gic->cpu_interface : &gic->redistributors;
    struct tree_cells cells = {.length = 0};

    tree_open_at(tree, "interrupt-controller", gic->distributor.start);
    tree_text(tree, "compatible", gic->version == VMR_GIC_V2 ? "arm,cortex-a15-gic" : "arm,gic-v3");
    tree_number(tree, "#interrupt-cells", 3);
    tree_flag(tree, "interrupt-controller");
    tree_cell64(&cells, gic->distributor.start);
    tree_cell64(&cells, gic->distributor.end - gic->distributor.start);
    tree_cell64(&cells, second->start);
    tree_cell64(&cells, second->end - second->start);
    tree_cells(tree, "reg", &cells);
    tree_number(tree, "#address-cells", 2);
    tree_number(tree, "#size-cells", 2);
    tree_flag(tree, "ranges");
    tree_number(tree, "phandle", TREE_PHANDLE_GIC);
    if (tree->input->its || tree->input->v2m)
        message_controller(tree, gic);
    tree_close(tree);
}

static void serials(struct tree *tree)
{
    static const char names[] = "uartclk\0apb_pclk", compatible[] = "arm,pl011\0arm,primecell";
    const struct tables_input *input = tree->input;

    if (input->serial_count == 0)
        return;
    tree_open(tree, "clock");
    tree_text(tree, "compatible", "fixed-clock");
    tree_number(tree, "#clock-cells", 0);
    tree_number(tree, "clock-frequency", UART_CLOCK_HZ);
    tree_number(tree, "phandle", TREE_PHANDLE_CLOCK);
    tree_close(tree);
    for (unsigned i = 0; i < input->serial_count; i++) {
        struct vmr_gpa_range range = {input->serials[i].base, input->serials[i].base + VMR_PL011_SIZE};
        struct tree_cells clocks = {.length = 0};

        tree_open_at(tree, "serial", range.start);
        tree_texts(tree, "compatible", compatible, sizeof(compatible) - 1);
        tree_reg(tree, &range);
        tree_interrupt(tree, input->serials[i].irq, TREE_LEVEL);
        tree_cell(&clocks, TREE_PHANDLE_CLOCK);
        tree_cell(&clocks, TREE_PHANDLE_CLOCK);
        tree_cells(tree, "clocks", &clocks);
        tree_texts(tree, "clock-names", names, sizeof(names) - 1);
        tree_close(tree);
    }
}

static void virtio_devices(struct tree *tree)
{
    for (uint32_t i = 0; i < tree->input->resolved->virtio_mmio_count; i++) {
        const struct vmr_resolved_virtio_mmio *virtio = &tree->input->resolved->virtio_mmio[i];

        tree_open_at(tree, "virtio", virtio->range.start);
        tree_text(tree, "compatible", "virtio,mmio");
        tree_reg(tree, &virtio->range);
        tree_interrupt(tree, virtio->irq, TREE_LEVEL);
        tree_flag(tree, "dma-coherent");
        tree_close(tree);
    }
}

static void identity_window(struct tree_cells *cells, const struct vmr_gpa_range *range)
{
    if (range->end == range->start)
        return;
    tree_cell64(cells, range->start);
    tree_cell64(cells, range->start);
    tree_cell64(cells, range->end - range->start);
}

/* Linux's bus/microsoft,vmbus.yaml: a bus around it, whose addresses are the machine's. */
static void vmbus(struct tree *tree)
{
    const struct vmr_resolved_memory *memory_map = &tree->input->resolved->memory;
    struct tree_cells cells = {.length = 0};

    if (!tree->input->config->vmbus)
        return;
    tree_open(tree, "hypervisor");
    tree_text(tree, "compatible", "microsoft,hyperv");
    tree_close(tree);
    tree_open_at(tree, "vmbus", memory_map->chipset_low_mmio.start);
    tree_text(tree, "compatible", "microsoft,vmbus");
    tree_number(tree, "#address-cells", 2);
    tree_number(tree, "#size-cells", 2);
    identity_window(&cells, &memory_map->chipset_low_mmio);
    identity_window(&cells, &memory_map->chipset_high_mmio);
    tree_cells(tree, "ranges", &cells);
    tree_flag(tree, "dma-coherent");
    tree_interrupt(tree, tree->input->resolved->processors.gic->vmbus_ppi, TREE_EDGE);
    tree_close(tree);
}

static void root(struct tree *tree)
{
    tree_open(tree, "");
    tree_text(tree, "compatible", "linux,dummy-virt");
    tree_text(tree, "model", "vmrig");
    tree_number(tree, "#address-cells", 2);
    tree_number(tree, "#size-cells", 2);
    tree_number(tree, "interrupt-parent", TREE_PHANDLE_GIC);
    chosen(tree);
    tree_processors(tree);
    memory(tree);
    distances(tree);
    timer(tree);
    interrupt_controller(tree);
    serials(tree);
    tree_pcie(tree);
    virtio_devices(tree);
    vmbus(tree);
    tree_close(tree);
}

static int write_into(uint8_t *bytes, size_t capacity, const struct tables_input *input)
{
    struct tree tree = {.bytes = bytes, .input = input};

    tree.error = fdt_create(bytes, (int)capacity);
    if (tree.error == 0)
        tree.error = fdt_finish_reservemap(bytes);
    root(&tree);
    return tree.error != 0 ? tree.error : fdt_finish(bytes);
}

enum tree_result tree_write(struct arena *arena, const struct tables_input *input, const uint8_t **ret_bytes,
                            size_t *ret_size)
{
    for (size_t capacity = BUFFER_FIRST; capacity <= TREE_BYTES_MAX; capacity *= 2) {
        uint8_t *bytes = arena_alloc(arena, capacity, 1);
        int error = bytes ? write_into(bytes, capacity, input) : 0;

        if (!bytes)
            return TREE_NO_MEMORY;
        if (error == 0) {
            *ret_bytes = bytes;
            *ret_size = fdt_totalsize(bytes);
            return TREE_WRITTEN;
        }
    }
    return TREE_TOO_LARGE; /* no other error is left: what is written does not depend on the buffer */
}
