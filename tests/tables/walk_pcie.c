/* SPDX-License-Identifier: MIT */
/*
 * MCFG, CEDT, IVRS, DMAR and IORT against the machine.
 */

#include "tests/tables/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t size_of(const struct vmr_gpa_range *range)
{
    return range->end - range->start;
}

static const struct vmr_resolved_root_complex *complex_of(const struct walk *walk, uint16_t segment, uint8_t bus)
{
    const struct vmr_resolved_pcie *pcie = &walk->resolved->pcie;

    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *config = pcie->root_complexes[i].config;

        if (config->segment == segment && bus >= config->start_bus && bus <= config->end_bus)
            return &pcie->root_complexes[i];
    }
    fail_msg("no root complex has segment %u, bus %u", segment, bus);
    return NULL;
}

/* What a guest computes from an entry for the first bus is where that bus is. */
static void mcfg(const struct walk *walk)
{
    size_t size;
    const uint8_t *table = walk_find(walk, "MCFG", &size);

    assert_int_equal(table != NULL, walk->resolved->pcie.root_complex_count > 0);
    if (!table)
        return;
    assert_int_equal(size, 44 + 16 * walk->resolved->pcie.root_complex_count);
    for (size_t at = 44; at < size; at += 16) {
        const uint8_t *entry = table + at;
        const struct vmr_resolved_root_complex *complex = complex_of(walk, walk16(entry + 8), entry[10]);

        assert_int_equal(entry[10], complex->config->start_bus);
        assert_int_equal(entry[11], complex->config->end_bus);
        assert_int_equal(walk64(entry) + ((uint64_t)entry[10] << 20), complex->ecam.start);
        assert_int_equal(walk64(entry) + (((uint64_t)entry[11] + 1) << 20), complex->ecam.end);
    }
}

static void cedt(const struct walk *walk)
{
    const struct vmr_resolved_pcie *pcie = &walk->resolved->pcie;
    struct walk_entries entries = {.at = 36, .length_bytes = 2, .type_bytes = 2};
    unsigned bridges = 0, windows = 0, expected = 0, type;
    const uint8_t *entry;
    size_t length;

    for (uint32_t i = 0; i < pcie->root_complex_count; i++)
        expected += pcie->root_complexes[i].config->cxl != NULL;
    entries.table = walk_find(walk, "CEDT", &entries.size);
    assert_int_equal(entries.table != NULL, expected > 0);
    while (entries.table && (entry = walk_next(&entries, &type, &length))) {
        uint32_t uid = walk32(entry + (type == 0 ? 4 : 36)), at = 0;

        while (at < pcie->root_complex_count && pcie->root_complexes[at].config->index != uid)
            at++;
        assert_true(at < pcie->root_complex_count);

        const struct vmr_resolved_root_complex *complex = &pcie->root_complexes[at];

        assert_int_equal(length, type == 0 ? 32 : 40);
        assert_int_equal(walk64(entry + (type == 0 ? 16 : 8)),
                         type == 0 ? complex->cxl_chbcr.start : complex->cxl_hdm.start);
        assert_int_equal(walk64(entry + (type == 0 ? 24 : 16)),
                         size_of(type == 0 ? &complex->cxl_chbcr : &complex->cxl_hdm));
        if (type == 1)
            assert_int_equal(walk16(entry + 32), complex->config->cxl->hdm_window_restrictions);
        bridges += type == 0;
        windows += type == 1;
    }
    assert_int_equal(bridges, expected);
    assert_int_equal(windows, expected);
}

void walk_pcie(const struct walk *walk)
{
    size_t size;

    assert_int_equal(walk_find(walk, "SSDT", &size) != NULL, walk->resolved->pcie.root_complex_count > 0);
    mcfg(walk);
    cedt(walk);
}

static unsigned iommus_of(const struct walk *walk, enum vmr_pcie_iommu kind)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < walk->resolved->pcie.iommu_count; i++)
        count += walk->resolved->pcie.iommus[i].kind == kind;
    return count;
}

static const struct vmr_resolved_iommu *iommu_of(const struct walk *walk,
                                                 const struct vmr_resolved_root_complex *complex)
{
    assert_true(complex->iommu != VMR_RESOLVED_NONE);
    return &walk->resolved->pcie.iommus[complex->iommu];
}

/* IVHD blocks: type, flags, length. */
static void ivrs(const struct walk *walk)
{
    size_t size, at = 48, blocks = 0;
    const uint8_t *table = walk_find(walk, "IVRS", &size);
    unsigned expected = iommus_of(walk, VMR_PCIE_IOMMU_AMD_VI);

    assert_int_equal(table != NULL, expected > 0);
    for (; table && at < size; at += walk16(table + at + 2), blocks++) {
        const uint8_t *block = table + at, *entries = block + 24;
        const struct vmr_resolved_root_complex *complex = complex_of(walk, walk16(block + 16), block[5]);
        bool first = complex->config->segment == 0 && complex->config->start_bus == 0;

        assert_int_equal(block[0], 0x10);
        assert_int_equal(walk16(block + 2), first ? 40 : 32);
        assert_int_equal(walk64(block + 8), iommu_of(walk, complex)->mmio.start);
        assert_true(entries[0] == 3 && entries[2] == complex->config->start_bus && entries[1] == 0);
        assert_true(entries[4] == 4 && entries[6] == complex->config->end_bus && entries[5] == 0xff);
        if (first)
            assert_true(entries[8] == 0x48 && entries[13] == 0xa0 && entries[14] == 0 && entries[15] == 1);
    }
    if (table)
        assert_int_equal(at, size);
    assert_int_equal(blocks, expected);
}

/* Each unit has all of its segment, or each root port of its complex. */
static void drhd(const struct walk *walk, const uint8_t *unit, size_t length)
{
    struct walk_entries scopes = {.table = unit, .size = length, .at = 16, .length_bytes = 1, .type_bytes = 1};
    const struct vmr_resolved_root_complex *complex = NULL;
    unsigned bridges = 0, ioapics = 0, type;
    const uint8_t *scope;
    size_t scope_length;
    bool alone = true;

    for (uint32_t i = 0; i < walk->resolved->pcie.iommu_count; i++) {
        if (walk->resolved->pcie.iommus[i].mmio.start == walk64(unit + 8))
            complex = &walk->resolved->pcie.root_complexes[walk->resolved->pcie.iommus[i].root_complex];
    }
    assert_non_null(complex);
    assert_int_equal(walk16(unit + 6), complex->config->segment);
    while ((scope = walk_next(&scopes, &type, &scope_length))) {
        assert_int_equal(scope_length, 8);
        if (type == 3) {
            ioapics++;
            assert_true(scope[5] == 0 && scope[6] == 0x14 && scope[7] == 0);
            continue;
        }
        assert_int_equal(type, 2);

        const struct vmr_resolved_port *port = &walk->resolved->pcie.ports[complex->first_port + bridges++];

        assert_true(scope[5] == port->bus && scope[6] * 8 + scope[7] == port->devfn);
    }
    for (uint32_t i = 0; i < walk->resolved->pcie.root_complex_count; i++)
        alone = alone && (&walk->resolved->pcie.root_complexes[i] == complex ||
                          walk->resolved->pcie.root_complexes[i].config->segment != complex->config->segment);
    assert_int_equal(unit[4], alone);
    assert_int_equal(bridges, alone ? 0 : complex->port_count);
    assert_int_equal(ioapics, complex->config->segment == 0 && complex->config->start_bus == 0);
}

static void dmar(const struct walk *walk)
{
    struct walk_entries entries = {.at = 48, .length_bytes = 2, .type_bytes = 2};
    unsigned expected = iommus_of(walk, VMR_PCIE_IOMMU_INTEL_VTD), units = 0, type;
    const uint8_t *entry;
    size_t length;

    entries.table = walk_find(walk, "DMAR", &entries.size);
    assert_int_equal(entries.table != NULL, expected > 0);
    for (; entries.table && (entry = walk_next(&entries, &type, &length)); units++) {
        assert_int_equal(type, 0);
        drhd(walk, entry, length);
    }
    assert_int_equal(units, expected);
}

/* --- IORT --- */

/* What becomes of an id in a node: the mapping whose range has it. False: none has. */
static bool map(const uint8_t *table, uint32_t node_at, uint32_t id, uint32_t *ret_id, uint32_t *ret_node)
{
    const uint8_t *node = table + node_at, *mappings = node + walk32(node + 12);

    for (uint32_t i = 0; i < walk32(node + 8); i++) {
        const uint8_t *one = mappings + (size_t)i * 20;

        if (id < walk32(one) || id - walk32(one) > walk32(one + 4))
            continue;
        *ret_id = walk32(one + 8) + id - walk32(one);
        *ret_node = walk32(one + 12);
        return true;
    }
    return false;
}

static uint32_t node_of_segment(const uint8_t *table, uint16_t segment)
{
    uint32_t at = walk32(table + 40), found = 0;

    for (uint32_t i = 0; i < walk32(table + 36); i++, at += walk16(table + at + 1)) {
        if (table[at] != 2 || walk32(table + at + 28) != segment)
            continue;
        assert_int_equal(found, 0); /* once */
        found = at;
    }
    return found;
}

/* A device of the complex: its stream id at its SMMU, its device id at the ITS. */
static void ids_of(const struct walk *walk, const uint8_t *table, const struct vmr_resolved_root_complex *complex,
                   uint32_t rid)
{
    const struct vmr_resolved_gic *gic = walk->resolved->processors.gic;
    bool its = gic->version != VMR_GIC_V2 && gic->msi != VMR_GIC_MSI_V2M,
         has_smmu = complex->iommu != VMR_RESOLVED_NONE;
    uint32_t at = node_of_segment(table, complex->config->segment), id = rid;

    assert_true(at != 0);
    if (has_smmu) {
        assert_true(map(table, at, id, &id, &at));
        assert_int_equal(table[at], 4);
        assert_int_equal(id, rid);
        assert_int_equal(walk64(table + at + 16), iommu_of(walk, complex)->mmio.start);
        assert_int_equal(walk32(table + at + 44), iommu_of(walk, complex)->event_spi);
        assert_int_equal(walk32(table + at + 52), iommu_of(walk, complex)->error_spi);
    }
    assert_int_equal(map(table, at, id, &id, &at), its);
    if (its) {
        assert_int_equal(table[at], 0);
        assert_int_equal(id, rid | (uint32_t)complex->config->segment << 16);
    }
}

static void iort(const struct walk *walk)
{
    const struct vmr_resolved_pcie *pcie = &walk->resolved->pcie;
    size_t size;
    const uint8_t *table = walk_find(walk, "IORT", &size);
    uint32_t at, smmus = 0;

    if (!table) {
        assert_int_equal(iommus_of(walk, VMR_PCIE_IOMMU_SMMU), 0);
        return;
    }
    at = walk32(table + 40);
    for (uint32_t i = 0; i < walk32(table + 36); i++, at += walk16(table + at + 1)) {
        assert_true(at + 16 <= size);
        smmus += table[at] == 4;
    }
    assert_int_equal(at, size);
    assert_int_equal(smmus, iommus_of(walk, VMR_PCIE_IOMMU_SMMU));
    for (uint32_t i = 0; i < pcie->root_complex_count; i++) {
        ids_of(walk, table, &pcie->root_complexes[i], (uint32_t)pcie->root_complexes[i].config->start_bus << 8);
        ids_of(walk, table, &pcie->root_complexes[i], (uint32_t)pcie->root_complexes[i].config->end_bus << 8 | 0xff);
    }
}

void walk_iommus(const struct walk *walk)
{
    ivrs(walk);
    dmar(walk);
    if (walk->resolved->processors.gic)
        iort(walk);
}
