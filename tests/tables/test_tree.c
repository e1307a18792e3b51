/* SPDX-License-Identifier: MIT */
/*
 * Device trees, read back with libfdt as a guest would.
 */

#include "lib/tables/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "tests/tables/machines.h"

struct tree_rig {
    struct arena arena;
    struct machine *machine;
    const struct vmr_resolved *resolved;
    const uint8_t *fdt;
};

static void rig_init(struct tree_rig *rig, const struct machine_shape *shape)
{
    struct vmr_firmware_tables_options options = {.initrd = {0x48000000, 0x48123456}};
    struct tables_input input;
    size_t size;

    *rig = (struct tree_rig){.machine = machine_create(shape)};
    rig->resolved = machine_resolved(rig->machine);
    tables_input_init(&input, rig->resolved, &options);
    assert_int_equal(tree_write(&rig->arena, &input, &rig->fdt, &size), TREE_WRITTEN);
    assert_int_equal(fdt_check_full(rig->fdt, size), 0);
    assert_int_equal(fdt_totalsize(rig->fdt), size);
}

static void rig_finish(struct tree_rig *rig)
{
    machine_destroy(rig->machine);
    arena_finish(&rig->arena);
}

/* Cell `index` of a property; fails where there is none. */
static uint32_t cell(const struct tree_rig *rig, int node, const char *name, int index)
{
    int length = 0;
    const uint8_t *bytes = fdt_getprop(rig->fdt, node, name, &length);

    if (!bytes || length < 4 * (index + 1))
        fail_msg("%s of %s: %d bytes", name, fdt_get_name(rig->fdt, node, NULL), length);
    return fdt32_ld((const fdt32_t *)(const void *)(bytes + 4 * index));
}

static uint64_t cells(const struct tree_rig *rig, int node, const char *name, int index)
{
    return (uint64_t)cell(rig, node, name, index) << 32 | cell(rig, node, name, index + 1);
}

static int at(const struct tree_rig *rig, const char *path)
{
    int node = fdt_path_offset(rig->fdt, path);

    if (node < 0)
        fail_msg("no node %s", path);
    return node;
}

static bool is_compatible(const struct tree_rig *rig, int node, const char *what)
{
    return fdt_node_check_compatible(rig->fdt, node, what) == 0;
}

static void check_processors(const struct tree_rig *rig)
{
    const struct vmr_resolved_processors *processors = &rig->resolved->processors;
    int cpus = at(rig, "/cpus"), node;
    uint32_t count = 0;

    fdt_for_each_subnode(node, rig->fdt, cpus)
    {
        if (strncmp(fdt_get_name(rig->fdt, node, NULL), "cpu@", 4) != 0)
            continue;
        assert_true(count < processors->vp_count);
        assert_int_equal(cell(rig, node, "reg", 0), processors->vps[count].mpidr & 0xffffff);
        if (rig->resolved->numa.node_count > 1)
            assert_int_equal(cell(rig, node, "numa-node-id", 0), processors->vps[count].vnode);
        count++;
    }
    assert_int_equal(count, processors->vp_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct vmr_resolved_vp *vp = &processors->vps[i];
        char path[80], thread[16] = "";

        if (processors->smt)
            (void)snprintf(thread, sizeof(thread), "/thread%u", vp->thread);
        (void)snprintf(path, sizeof(path), "/cpus/cpu-map/socket%u/cluster0/core%u%s", vp->socket, vp->core, thread);
        node = fdt_node_offset_by_phandle(rig->fdt, cell(rig, at(rig, path), "cpu", 0));
        assert_int_equal(cell(rig, node, "reg", 0), vp->mpidr & 0xffffff);
    }
}

static void check_memory(const struct tree_rig *rig)
{
    const struct vmr_resolved *resolved = rig->resolved;
    uint32_t nodes = resolved->numa.node_count;
    int map = fdt_path_offset(rig->fdt, "/distance-map");

    for (size_t i = 0; i < resolved->memory.ram_count; i++) {
        const struct vmr_resolved_ram *ram = &resolved->memory.ram[i];
        char path[40];
        int node;

        (void)snprintf(path, sizeof(path), "/memory@%llx", (unsigned long long)ram->range.start);
        node = at(rig, path);
        assert_int_equal(cells(rig, node, "reg", 0), ram->range.start);
        assert_int_equal(cells(rig, node, "reg", 2), ram->range.end - ram->range.start);
        if (nodes > 1)
            assert_int_equal(cell(rig, node, "numa-node-id", 0), ram->vnode);
    }
    assert_int_equal(map >= 0, nodes > 1);
    for (uint32_t i = 0; nodes > 1 && i < nodes * nodes; i++) {
        assert_int_equal(cell(rig, map, "distance-matrix", (int)i * 3), i / nodes);
        assert_int_equal(cell(rig, map, "distance-matrix", (int)i * 3 + 1), i % nodes);
        assert_int_equal(cell(rig, map, "distance-matrix", (int)i * 3 + 2), resolved->numa.distances[i]);
    }
}

static void check_gic(const struct tree_rig *rig)
{
    const struct vmr_resolved_gic *gic = rig->resolved->processors.gic;
    bool v2 = gic->version == VMR_GIC_V2, its = !v2 && gic->msi != VMR_GIC_MSI_V2M;
    int node = fdt_node_offset_by_phandle(rig->fdt, cell(rig, 0, "interrupt-parent", 0)), messages;
    int timer = at(rig, "/timer");

    assert_true(is_compatible(rig, node, v2 ? "arm,cortex-a15-gic" : "arm,gic-v3"));
    assert_int_equal(cells(rig, node, "reg", 0), gic->distributor.start);
    assert_int_equal(cells(rig, node, "reg", 4), v2 ? gic->cpu_interface.start : gic->redistributors.start);
    assert_int_equal(cells(rig, node, "reg", 4) + cells(rig, node, "reg", 6),
                     v2 ? gic->cpu_interface.end : gic->redistributors.end);
    messages = fdt_first_subnode(rig->fdt, node);
    assert_true(is_compatible(rig, messages, its ? "arm,gic-v3-its" : "arm,gic-v2m-frame"));
    assert_int_equal(cells(rig, messages, "reg", 0), its ? gic->its.start : gic->v2m.start);
    if (!its) {
        assert_int_equal(cell(rig, messages, "arm,msi-base-spi", 0), gic->v2m_spi_base);
        assert_int_equal(cell(rig, messages, "arm,msi-num-spis", 0), gic->v2m_spi_count);
    }
    assert_int_equal(cell(rig, timer, "interrupts", 0), 1);
    assert_int_equal(cell(rig, timer, "interrupts", 1), gic->virt_timer_ppi - 16);
    if (gic->pmu_gsiv.given)
        assert_int_equal(cell(rig, at(rig, "/pmu"), "interrupts", 1), gic->pmu_gsiv.value - 16);
    else
        assert_true(fdt_path_offset(rig->fdt, "/pmu") < 0);
}

static void check_host(const struct tree_rig *rig, const struct vmr_resolved_root_complex *complex)
{
    const struct vmr_resolved_gic *gic = rig->resolved->processors.gic;
    const struct vmr_pcie_root_complex_config *config = complex->config;
    uint32_t rid = (uint32_t)config->start_bus << 8, ids = (config->end_bus - config->start_bus + 1u) * 256;
    char path[40];
    int node, smmu;

    (void)snprintf(path, sizeof(path), "/pcie@%llx", (unsigned long long)complex->ecam.start);
    node = at(rig, path);
    assert_int_equal(cells(rig, node, "reg", 0), complex->ecam.start);
    assert_int_equal(cells(rig, node, "reg", 2), complex->ecam.end - complex->ecam.start);
    assert_int_equal(cell(rig, node, "bus-range", 0), config->start_bus);
    assert_int_equal(cell(rig, node, "bus-range", 1), config->end_bus);
    assert_int_equal(cell(rig, node, "linux,pci-domain", 0), config->segment);
    assert_int_equal(cell(rig, node, "ranges", 0), 0x02000000);
    assert_int_equal(cells(rig, node, "ranges", 1), complex->low_mmio.start);
    assert_int_equal(cells(rig, node, "ranges", 3), complex->low_mmio.start);
    assert_int_equal(cells(rig, node, "ranges", 5), complex->low_mmio.end - complex->low_mmio.start);
    assert_int_equal(cell(rig, node, "ranges", 7), 0x03000000);
    assert_int_equal(cells(rig, node, "ranges", 10), complex->high_mmio.start);
    if (gic->version != VMR_GIC_V2 && gic->msi != VMR_GIC_MSI_V2M) {
        assert_int_equal(cell(rig, node, "msi-map", 0), rid);
        assert_int_equal(cell(rig, node, "msi-map", 2), rid | (uint32_t)config->segment << 16);
        assert_int_equal(cell(rig, node, "msi-map", 3), ids);
    } else {
        assert_true(fdt_node_offset_by_phandle(rig->fdt, cell(rig, node, "msi-parent", 0)) > 0);
    }
    if (complex->iommu == VMR_RESOLVED_NONE)
        return;
    smmu = fdt_node_offset_by_phandle(rig->fdt, cell(rig, node, "iommu-map", 1));
    assert_true(is_compatible(rig, smmu, "arm,smmu-v3"));
    assert_int_equal(cells(rig, smmu, "reg", 0), rig->resolved->pcie.iommus[complex->iommu].mmio.start);
    assert_int_equal(cell(rig, smmu, "interrupts", 1), rig->resolved->pcie.iommus[complex->iommu].event_spi - 32);
    assert_int_equal(cell(rig, smmu, "interrupts", 4), rig->resolved->pcie.iommus[complex->iommu].error_spi - 32);
    assert_int_equal(cell(rig, node, "iommu-map", 2), rid);
}

static void check_devices(const struct tree_rig *rig)
{
    int chosen = at(rig, "/chosen");
    char path[40];

    assert_int_equal(cells(rig, chosen, "linux,initrd-start", 0), 0x48000000);
    assert_int_equal(cells(rig, chosen, "linux,initrd-end", 0), 0x48123456);
    for (uint32_t i = 0; i < rig->resolved->virtio_mmio_count; i++) {
        const struct vmr_resolved_virtio_mmio *virtio = &rig->resolved->virtio_mmio[i];
        int node;

        (void)snprintf(path, sizeof(path), "/virtio@%llx", (unsigned long long)virtio->range.start);
        node = at(rig, path);
        assert_true(is_compatible(rig, node, "virtio,mmio"));
        assert_int_equal(cells(rig, node, "reg", 2), 4096);
        assert_int_equal(cell(rig, node, "interrupts", 0), 0);
        assert_int_equal(cell(rig, node, "interrupts", 1), virtio->irq - 32);
    }
}

static void a_tree_says_what_was_resolved(void **state)
{
    unsigned trees = 0;

    (void)state;
    for (uint64_t number = 0; trees < 300; number++) {
        struct machine_shape shape = machine_random_shape(number);
        struct tree_rig rig;

        if (shape.arch != VMR_ARCH_ARM64 || !shape.boots_by_tree)
            continue;
        trees++;
        rig_init(&rig, &shape);
        check_processors(&rig);
        check_memory(&rig);
        check_gic(&rig);
        check_devices(&rig);
        for (uint32_t i = 0; i < rig.resolved->pcie.root_complex_count; i++)
            check_host(&rig, &rig.resolved->pcie.root_complexes[i]);
        rig_finish(&rig);
    }
}

static void the_console_is_the_first_serial_port(void **state)
{
    const struct machine_shape shape = {.arch = VMR_ARCH_ARM64, .load = VMR_LOAD_LINUX, .serial = true, .vmbus = true};
    struct tree_rig rig;
    const char *path;
    int node;

    (void)state;
    rig_init(&rig, &shape);
    path = fdt_getprop(rig.fdt, at(&rig, "/chosen"), "stdout-path", NULL);
    assert_non_null(path);
    node = at(&rig, path);
    assert_true(is_compatible(&rig, node, "arm,pl011"));
    assert_int_equal(cells(&rig, node, "reg", 0), VMR_DEFAULT_PL011_BASE_0);
    assert_int_equal(cell(&rig, node, "interrupts", 1), 1);
    assert_int_equal(cell(&rig, at(&rig, "/serial@effeb000"), "interrupts", 1), 2);
    assert_string_equal(fdt_getprop(rig.fdt, at(&rig, "/chosen"), "bootargs", NULL), "console=ttyS0");
    assert_true(is_compatible(&rig, at(&rig, "/hypervisor"), "microsoft,hyperv"));
    assert_int_equal(cell(&rig, at(&rig, "/vmbus@e0000000"), "interrupts", 1), 2);
    rig_finish(&rig);
}

/* MPIDR's fourth affinity is in another word. */
static void wide_affinities_take_two_cells(void **state)
{
    const struct machine_shape shape = {.arch = VMR_ARCH_ARM64, .vps = 2};
    struct machine *machine = machine_create(&shape);
    struct vmr_resolved_vp vps[2];
    struct vmr_firmware_tables_options options = {.base = 0};
    struct tree_rig rig = {.machine = machine, .resolved = machine_resolved(machine)};
    struct tables_input input;
    size_t size;

    (void)state;
    memcpy(vps, rig.resolved->processors.vps, sizeof(vps));
    vps[1].mpidr = UINT64_C(0x80000000) | UINT64_C(5) << 32 | 7;
    machine_change(machine)->processors.vps = vps;
    tables_input_init(&input, rig.resolved, &options);
    assert_int_equal(tree_write(&rig.arena, &input, &rig.fdt, &size), TREE_WRITTEN);
    assert_int_equal(cell(&rig, at(&rig, "/cpus"), "#address-cells", 0), 2);
    assert_int_equal(cells(&rig, at(&rig, "/cpus/cpu@500000007"), "reg", 0), UINT64_C(0x500000007));
    arena_finish(&rig.arena);
    machine_destroy(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_says_what_was_resolved),
        cmocka_unit_test(the_console_is_the_first_serial_port),
        cmocka_unit_test(wide_affinities_take_two_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
