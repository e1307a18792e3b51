/* SPDX-License-Identifier: MIT */
/*
 * MADT, SRAT, SLIT against the machine.
 */

#include "tests/tables/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *zeroed(size_t count, size_t size)
{
    void *bytes = calloc(count + 1, size);

    assert_non_null(bytes);
    return bytes;
}

/* Counts of structures by type. */
struct madt_counts {
    unsigned of[17];
};

static void processor(const struct walk *walk, unsigned type, const uint8_t *entry, uint8_t *seen)
{
    const struct vmr_resolved_processors *processors = &walk->resolved->processors;
    uint32_t uid = type == 0 ? entry[2] : type == 9 ? walk32(entry + 12) : walk32(entry + 8);
    uint32_t flags = type == 0 || type == 0 ? walk32(entry + 4) : type == 9 ? walk32(entry + 8) : walk32(entry + 12);

    assert_true(uid < processors->vp_count);
    assert_int_equal(seen[uid]++, 0);
    assert_int_equal(flags, 1);
    if (type == 0)
        assert_int_equal(entry[3], processors->vps[uid].apic_id);
    else if (type == 9)
        assert_int_equal(walk32(entry + 4), processors->vps[uid].apic_id);
    else
        assert_int_equal(walk64(entry + 68), processors->vps[uid].mpidr & UINT64_C(0xff00ffffff));
}

static void pc_controller(unsigned type, const uint8_t *entry)
{
    if (type == 1) {
        assert_int_equal(walk32(entry + 4), 0xfec00000);
        assert_int_equal(walk32(entry + 8), 0);
    } else if (type == 4) {
        assert_int_equal(entry[2], 0xff);
        assert_int_equal(entry[5], 1);
    }
}

static void gic(const struct walk *walk, unsigned type, const uint8_t *entry)
{
    const struct vmr_resolved_gic *gic = walk->resolved->processors.gic;

    if (type == 0x0b) {
        assert_int_equal(walk64(entry + 32), gic->version == VMR_GIC_V2 ? gic->cpu_interface.start : 0);
        assert_int_equal(walk32(entry + 20), gic->pmu_gsiv.given ? gic->pmu_gsiv.value : 0);
    } else if (type == 0x0c) {
        assert_int_equal(walk64(entry + 8), gic->distributor.start);
        assert_int_equal(entry[20], gic->version == VMR_GIC_V2 ? 2 : 3);
    } else if (type == 0x0d) {
        assert_int_equal(walk64(entry + 8), gic->v2m.start);
        assert_int_equal(walk16(entry + 20), gic->v2m_spi_count);
        assert_int_equal(walk16(entry + 22), gic->v2m_spi_base);
    } else if (type == 0x0e) {
        assert_int_equal(walk64(entry + 4), gic->redistributors.start);
        assert_int_equal(walk32(entry + 12), gic->redistributors.end - gic->redistributors.start);
    } else if (type == 0x0f) {
        assert_int_equal(walk64(entry + 8), gic->its.start);
    }
}

static void count_controllers(const struct walk *walk, const struct madt_counts *counts)
{
    const struct vmr_resolved *resolved = walk->resolved;
    const struct vmr_resolved_gic *controller = resolved->processors.gic;
    bool v2 = controller && controller->version == VMR_GIC_V2;
    bool its = controller && !v2 && controller->msi != VMR_GIC_MSI_V2M;

    if (!controller) {
        assert_int_equal(counts->of[1], 1);
        assert_int_equal(counts->of[4], 1);
        assert_int_equal(counts->of[10], counts->of[9] > 0);
        assert_int_equal(counts->of[0] + counts->of[9], resolved->processors.vp_count);
        return;
    }
    assert_int_equal(counts->of[0x0b], resolved->processors.vp_count);
    assert_int_equal(counts->of[0x0c], 1);
    assert_int_equal(counts->of[0x0d], !its);
    assert_int_equal(counts->of[0x0e], !v2);
    assert_int_equal(counts->of[0x0f], its);
}

void walk_madt(const struct walk *walk)
{
    static const uint8_t sizes[17] = {8, 12, 10, 0, 6, 0, 0, 0, 0, 16, 12, 80, 24, 24, 16, 20, 0};
    struct walk_entries entries = {.at = 44, .length_bytes = 1, .type_bytes = 1};
    uint8_t *seen = zeroed(walk->resolved->processors.vp_count, 1);
    struct madt_counts counts = {{0}};
    const uint8_t *entry;
    unsigned type;
    size_t length;

    entries.table = walk_need(walk, "APIC", &entries.size);
    while ((entry = walk_next(&entries, &type, &length))) {
        assert_true(type < 17 && length == sizes[type]);
        counts.of[type]++;
        if (type == 0 || type == 9 || type == 0x0b)
            processor(walk, type, entry, seen);
        if (walk->resolved->processors.gic)
            gic(walk, type, entry);
        else
            pc_controller(type, entry);
    }
    count_controllers(walk, &counts);
    free(seen);
}

/* --- SRAT --- */

struct srat {
    const struct walk *walk;
    uint8_t *seen; /* VPs */
    uint64_t memory;
    size_t ranges, initiators;
};

static uint32_t vp_of(const struct srat *srat, unsigned type, const uint8_t *entry)
{
    const struct vmr_resolved_processors *processors = &srat->walk->resolved->processors;
    uint32_t id = type == 0 ? entry[3] : type == 2 ? walk32(entry + 8) : walk32(entry + 6);

    if (type == 3)
        return id;
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        if (processors->vps[i].apic_id == id)
            return i;
    }
    return UINT32_MAX;
}

static void srat_processor(struct srat *srat, unsigned type, const uint8_t *entry)
{
    uint32_t vp = vp_of(srat, type, entry);
    uint32_t node = type == 0   ? entry[2] + 256u * entry[9] + 65536u * entry[10] + 16777216u * entry[11]
                    : type == 2 ? walk32(entry + 4)
                                : walk32(entry + 2);

    assert_true(vp < srat->walk->resolved->processors.vp_count);
    assert_int_equal(srat->seen[vp]++, 0);
    assert_int_equal(node, srat->walk->resolved->processors.vps[vp].vnode);
    assert_int_equal(walk32(entry + (type == 0 ? 4 : type == 2 ? 12 : 10)), 1);
}

static void srat_memory(struct srat *srat, const uint8_t *entry)
{
    const struct vmr_resolved_memory *memory = &srat->walk->resolved->memory;
    uint64_t start = walk64(entry + 8), size = walk64(entry + 16);
    bool found = false;

    for (size_t i = 0; i < memory->ram_count; i++)
        found = found || (memory->ram[i].range.start == start && memory->ram[i].range.end == start + size &&
                          memory->ram[i].vnode == walk32(entry + 2));
    assert_true(found);
    assert_int_equal(walk32(entry + 28), 1);
    srat->memory += size;
    srat->ranges++;
}

static void srat_initiator(struct srat *srat, const uint8_t *entry)
{
    const struct vmr_resolved_pcie *pcie = &srat->walk->resolved->pcie;
    bool found = false;

    assert_int_equal(entry[3], 1);
    for (uint32_t i = 0; i < pcie->port_count; i++)
        found = found || (pcie->ports[i].initiator_node == walk32(entry + 4) &&
                          pcie->root_complexes[pcie->ports[i].root_complex].config->segment == walk16(entry + 8) &&
                          pcie->ports[i].secondary_bus == entry[10] && entry[11] == 0);
    assert_true(found);
    assert_int_equal(walk32(entry + 24), 1);
    srat->initiators++;
}

void walk_srat(const struct walk *walk)
{
    static const uint8_t sizes[6] = {16, 40, 24, 18, 0, 32};
    struct walk_entries entries = {.at = 48, .length_bytes = 1, .type_bytes = 1};
    const struct vmr_resolved *resolved = walk->resolved;
    struct srat srat = {.walk = walk, .seen = zeroed(resolved->processors.vp_count, 1)};
    const uint8_t *entry;
    uint32_t initiators = 0;
    unsigned type;
    size_t length;

    entries.table = walk_need(walk, "SRAT", &entries.size);
    while ((entry = walk_next(&entries, &type, &length))) {
        assert_true(type < 6 && length == sizes[type]);
        if (type == 1)
            srat_memory(&srat, entry);
        else if (type == 5)
            srat_initiator(&srat, entry);
        else
            srat_processor(&srat, type, entry);
    }
    for (uint32_t i = 0; i < resolved->processors.vp_count; i++)
        assert_int_equal(srat.seen[i], 1);
    for (uint32_t i = 0; i < resolved->pcie.port_count; i++)
        initiators += resolved->pcie.ports[i].initiator_node != VMR_RESOLVED_NONE;
    assert_int_equal(srat.initiators, initiators);
    assert_int_equal(srat.ranges, resolved->memory.ram_count);
    assert_int_equal(srat.memory, resolved->memory.ram_size);
    free(srat.seen);
}

void walk_slit(const struct walk *walk)
{
    const struct vmr_resolved_numa *numa = &walk->resolved->numa;
    size_t size, pairs = (size_t)numa->node_count * numa->node_count;
    const uint8_t *slit = walk_find(walk, "SLIT", &size);

    assert_int_equal(slit != NULL, numa->node_count > 1);
    if (!slit)
        return;
    assert_int_equal(size, 44 + pairs);
    assert_int_equal(walk64(slit + 36), numa->node_count);
    assert_memory_equal(slit + 44, numa->distances, pairs);
}
