/* SPDX-License-Identifier: MIT */
/*
 * Anchors, headers, pointers.
 */

#include "tests/tables/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

uint16_t walk16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] + 256 * bytes[1]);
}

uint32_t walk32(const uint8_t *bytes)
{
    return walk16(bytes) + 65536u * walk16(bytes + 2);
}

uint64_t walk64(const uint8_t *bytes)
{
    return walk32(bytes) + (UINT64_C(1) << 32) * walk32(bytes + 4);
}

uint8_t walk_sum(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;

    while (size-- > 0)
        sum += bytes[size];
    return sum & 0xff;
}

const uint8_t *walk_memory(const struct walk *walk, vmr_gpa gpa, size_t size)
{
    for (size_t i = 0; i < walk->tables->table_count; i++) {
        const struct vmr_firmware_table *table = &walk->tables->tables[i];

        if (table->gpa != 0 && gpa >= table->gpa && gpa < table->gpa + table->size &&
            size <= table->gpa + table->size - gpa)
            return table->bytes + (gpa - table->gpa);
    }
    fail_msg("no table has the %zu bytes at 0x%llx", size, (unsigned long long)gpa);
    return NULL;
}

/* A PC is searched as the specification says; elsewhere somebody hands the address over. */
static const uint8_t *find_rsdp(const struct walk *walk)
{
    for (size_t i = 0; i < walk->tables->table_count; i++) {
        const struct vmr_firmware_table *table = &walk->tables->tables[i];
        bool is_pc = walk->resolved->config->arch == VMR_ARCH_X86_64;
        bool searched = !is_pc || (table->gpa >= 0xe0000 && table->gpa < 0x100000 && table->gpa % 16 == 0);

        if (searched && table->size >= 36 && memcmp(table->bytes, "RSD PTR ", 8) == 0)
            return table->bytes;
    }
    return NULL;
}

static const uint8_t *table_at(const struct walk *walk, vmr_gpa gpa, const char *signature, size_t *ret_size)
{
    const uint8_t *table = walk_memory(walk, gpa, 8);
    size_t size = walk32(table + 4);

    if (signature && memcmp(table, signature, 4) != 0)
        return NULL;
    table = walk_memory(walk, gpa, size);
    if (memcmp(table, "FACS", 4) != 0 && (size < 36 || walk_sum(table, size) != 0))
        fail_msg("%.4s: %zu bytes do not sum up to zero", (const char *)table, size);
    *ret_size = size;
    return table;
}

static const uint8_t *of_fadt(const struct walk *walk, const char *signature, size_t *ret_size)
{
    bool facs = strcmp(signature, "FACS") == 0;
    size_t size;
    const uint8_t *fadt = walk_need(walk, "FACP", &size);
    vmr_gpa gpa = walk64(fadt + (facs ? 132 : 140));

    assert_int_equal(size, 276);
    return gpa ? table_at(walk, gpa, signature, ret_size) : NULL;
}

const uint8_t *walk_find(const struct walk *walk, const char *signature, size_t *ret_size)
{
    const uint8_t *rsdp = find_rsdp(walk), *xsdt;
    size_t size;

    assert_non_null(rsdp);
    assert_int_equal(walk_sum(rsdp, 20), 0);
    assert_int_equal(walk_sum(rsdp, 36), 0);
    assert_int_equal(rsdp[15], 2);
    if (strcmp(signature, "FACS") == 0 || strcmp(signature, "DSDT") == 0)
        return of_fadt(walk, signature, ret_size);
    xsdt = table_at(walk, walk64(rsdp + 24), "XSDT", &size);
    assert_non_null(xsdt);
    assert_int_equal(size % 8, 4);
    for (size_t at = 36; at < size; at += 8) {
        const uint8_t *table = table_at(walk, walk64(xsdt + at), signature, ret_size);

        if (table)
            return table;
    }
    return NULL;
}

const uint8_t *walk_need(const struct walk *walk, const char *signature, size_t *ret_size)
{
    const uint8_t *table = walk_find(walk, signature, ret_size);

    if (!table)
        fail_msg("there is no %s", signature);
    return table;
}

const uint8_t *walk_next(struct walk_entries *entries, unsigned *ret_type, size_t *ret_length)
{
    const uint8_t *entry = entries->table + entries->at;
    size_t head = entries->type_bytes + entries->length_bytes;

    if (entries->at == entries->size)
        return NULL;
    assert_true(entries->size - entries->at >= head);
    *ret_type = entries->type_bytes == 1 ? entry[0] : walk16(entry);
    *ret_length = entries->length_bytes == 1 ? entry[entries->type_bytes] : walk16(entry + entries->type_bytes);
    assert_true(*ret_length >= head && *ret_length <= entries->size - entries->at);
    entries->at += *ret_length;
    return entry;
}

/* Ascending, apart from each other, in RAM. */
static void walk_places(const struct walk *walk)
{
    vmr_gpa end = 0;

    for (size_t i = 0; i < walk->tables->table_count; i++) {
        const struct vmr_firmware_table *table = &walk->tables->tables[i];
        vmr_gpa at = table->gpa;

        if (strcmp(table->name, "E820") == 0)
            continue;
        if (table->gpa < end)
            fail_msg("%s begins before its neighbour ends", table->name);
        end = table->gpa + table->size;
        for (size_t j = 0; j < walk->resolved->memory.ram_count; j++) {
            const struct vmr_gpa_range *ram = &walk->resolved->memory.ram[j].range;

            if (at >= ram->start && at < ram->end)
                at = ram->end < end ? ram->end : end;
        }
        if (at != end)
            fail_msg("%s is not in RAM", table->name);
    }
}

static void fixed_hardware(const struct walk *walk)
{
    size_t size;
    const uint8_t *fadt = walk_need(walk, "FACP", &size);
    bool pm = walk->resolved->config->chipset.hyperv_power_management;
    bool arm = walk->resolved->config->arch == VMR_ARCH_ARM64;

    assert_int_equal(walk32(fadt + 112) >> 20 & 1, !pm); /* hardware-reduced */
    assert_int_equal(walk32(fadt + 56), pm ? 0x400 : 0);
    assert_int_equal(walk16(fadt + 46), pm ? 9 : 0);
    assert_int_equal(walk16(fadt + 129), arm ? 3 : 0);
    if (pm)
        assert_int_equal(walk64(fadt + 152), 0x400);
    assert_int_equal(walk_find(walk, "FACS", &size) != NULL, pm);
    assert_non_null(walk_find(walk, "DSDT", &size));
}

static void timer(const struct walk *walk)
{
    size_t size;
    const uint8_t *gtdt = walk_find(walk, "GTDT", &size);

    assert_int_equal(gtdt != NULL, walk->resolved->config->arch == VMR_ARCH_ARM64);
    if (!gtdt)
        return;
    assert_int_equal(size, 104);
    assert_int_equal(walk32(gtdt + 64), walk->resolved->processors.gic->virt_timer_ppi);
}

/* Leaves of the tree of processors: each VP once, with as many above it as there are levels. */
static void topology(const struct walk *walk)
{
    const struct vmr_resolved_processors *processors = &walk->resolved->processors;
    struct walk_entries entries = {.at = 36, .length_bytes = 1, .type_bytes = 1};
    uint32_t leaves = 0, sockets = 0;
    const uint8_t *entry;
    unsigned type;
    size_t length;

    entries.table = walk_find(walk, "PPTT", &entries.size);
    if (!entries.table)
        return;
    while ((entry = walk_next(&entries, &type, &length))) {
        uint32_t flags = walk32(entry + 4), levels = 0;

        assert_true(type == 0 && length == 20);
        sockets += flags & 1;
        if ((flags & 8) == 0)
            continue;
        assert_int_equal(walk32(entry + 12), leaves);
        for (const uint8_t *up = entry; walk32(up + 8) != 0; levels++) {
            assert_true(walk32(up + 8) < (size_t)(up - entries.table));
            up = entries.table + walk32(up + 8);
            if (walk32(up + 8) == 0)
                assert_int_equal(walk32(up + 12), processors->vps[leaves].socket);
        }
        assert_int_equal(levels, processors->smt ? 2 : 1);
        leaves++;
    }
    assert_int_equal(leaves, processors->vp_count);
    assert_int_equal(sockets, processors->socket_count);
}

void walk_all(const struct vmr_firmware_tables *tables, const struct vmr_resolved *resolved)
{
    struct walk walk = {tables, resolved};

    walk_places(&walk);
    if (resolved->config->load_mode.mode == VMR_LOAD_LINUX &&
        resolved->config->load_mode.linux_direct.boot_mode == VMR_LINUX_BOOT_DEVICE_TREE)
        return;
    fixed_hardware(&walk);
    timer(&walk);
    topology(&walk);
    walk_madt(&walk);
    walk_srat(&walk);
    walk_slit(&walk);
    walk_pcie(&walk);
    walk_iommus(&walk);
    walk_smbios(&walk);
    walk_e820(&walk);
}
