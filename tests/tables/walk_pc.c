/* SPDX-License-Identifier: MIT */
/*
 * SMBIOS and the E820 map against the machine.
 */

#include "tests/tables/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct vmr_firmware_table *find(const struct walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->tables->table_count; i++) {
        if (strcmp(walk->tables->tables[i].name, name) == 0)
            return &walk->tables->tables[i];
    }
    return NULL;
}

/* The structure behind its strings, of which there are as many as its formatted part may name. */
static const uint8_t *behind(const uint8_t *one, const uint8_t *end, unsigned *ret_strings)
{
    const uint8_t *at = one + one[1];

    *ret_strings = 0;
    if (at[0] == 0 && at[1] == 0)
        return at + 2;
    while (at < end && *at) {
        at += strlen((const char *)at) + 1;
        (*ret_strings)++;
    }
    return at + 1;
}

struct smbios {
    unsigned of[128];
    uint64_t memory, mapped, cores, threads;
};

static void structure(struct smbios *smbios, const uint8_t *one)
{
    assert_true(one[0] < 128);
    smbios->of[one[0]]++;
    if (one[0] == 4) {
        assert_int_equal(one[1], 48);
        smbios->cores += walk16(one + 42);
        smbios->threads += walk16(one + 46);
        assert_int_equal(one[35], walk16(one + 42) < 255 ? walk16(one + 42) : 255);
    } else if (one[0] == 17) {
        uint64_t mib = walk16(one + 12) == 0x7fff ? walk32(one + 28) : walk16(one + 12);

        assert_int_equal(one[1], 40);
        assert_int_equal(mib >> 31, 0);
        smbios->memory += mib << 20;
    } else if (one[0] == 19) {
        bool wide = walk32(one + 4) == UINT32_MAX;

        assert_int_equal(one[1], 31);
        smbios->mapped +=
            wide ? walk64(one + 23) - walk64(one + 15) + 1 : ((uint64_t)walk32(one + 8) - walk32(one + 4) + 1) << 10;
    } else if (one[0] == 16) {
        assert_int_equal(one[1], 23);
        assert_int_equal(walk32(one + 7), 0x80000000u);
    }
}

void walk_smbios(const struct walk *walk)
{
    const struct vmr_firmware_table *anchor = find(walk, "SMBIOS3");
    const struct vmr_resolved *resolved = walk->resolved;
    struct smbios smbios = {{0}, 0, 0, 0, 0};
    unsigned strings, nodes = 0;
    uint64_t slack = 0;

    assert_true(anchor && anchor->size == 24 && anchor->gpa % 16 == 0);
    assert_memory_equal(anchor->bytes, "_SM3_", 5);
    assert_int_equal(walk_sum(anchor->bytes, 24), 0);

    size_t size = walk32(anchor->bytes + 12);
    const uint8_t *at = walk_memory(walk, walk64(anchor->bytes + 16), size), *end = at + size;

    for (; at < end; at = behind(at, end, &strings)) {
        assert_true(end - at >= 6 && at[1] >= 4);
        structure(&smbios, at);
    }
    assert_ptr_equal(at, end);
    for (uint32_t i = 0; i < resolved->numa.node_count; i++) {
        if (resolved->numa.nodes[i].mem) /* one device for each PiB */
            nodes += (unsigned)((resolved->numa.nodes[i].mem->mem_size - 1) >> 50) + 1;
        if (resolved->numa.nodes[i].mem)
            slack += (UINT64_C(0) - resolved->numa.nodes[i].mem->mem_size) % (UINT64_C(1) << 20);
    }
    assert_true(smbios.of[0] == 1 && smbios.of[1] == 1 && smbios.of[3] == 1 && smbios.of[16] == 1);
    assert_true(smbios.of[32] == 1 && smbios.of[127] == 1);
    assert_int_equal(smbios.of[4], resolved->processors.socket_count);
    assert_int_equal(smbios.of[17], nodes);
    assert_int_equal(smbios.of[19], resolved->memory.ram_count);
    assert_int_equal(smbios.threads, resolved->processors.vp_count);
    assert_int_equal(smbios.memory, resolved->memory.ram_size + slack); /* whole MiB */
    assert_int_equal(smbios.mapped, resolved->memory.ram_size);
}

/* --- E820 --- */

/* The type of a byte; 0: it is in no entry. */
static uint32_t type_at(const struct vmr_firmware_table *map, vmr_gpa gpa)
{
    for (size_t at = 0; at < map->size; at += 20) {
        if (gpa - walk64(map->bytes + at) < walk64(map->bytes + at + 8))
            return walk32(map->bytes + at + 16);
    }
    return 0;
}

/* RAM is what is RAM and is not otherwise needed. */
void walk_e820(const struct walk *walk)
{
    const struct vmr_firmware_table *map = find(walk, "E820");
    const struct vmr_resolved *resolved = walk->resolved;
    uint64_t end = 0;

    assert_int_equal(map != NULL, resolved->config->arch == VMR_ARCH_X86_64);
    if (!map)
        return;
    assert_int_equal(map->size % 20, 0);
    for (size_t at = 0; at < map->size; at += 20) {
        const uint8_t *entry = map->bytes + at;

        assert_true(walk64(entry) >= end && walk64(entry + 8) > 0);
        end = walk64(entry) + walk64(entry + 8);
        assert_true(walk32(entry + 16) >= 1 && walk32(entry + 16) <= 3);
    }
    for (size_t i = 0; i < resolved->memory.ram_count; i++) {
        assert_true(type_at(map, resolved->memory.ram[i].range.start) != 0);
        assert_true(type_at(map, resolved->memory.ram[i].range.end - 1) != 0);
    }
    for (size_t i = 0; i < walk->tables->table_count; i++) {
        const struct vmr_firmware_table *table = &walk->tables->tables[i];

        if (table == map)
            continue;
        assert_int_equal(type_at(map, table->gpa), 3);
        assert_int_equal(type_at(map, table->gpa + table->size - 1), 3);
    }
    for (uint32_t i = 0; i < resolved->pcie.root_complex_count; i++)
        assert_int_equal(type_at(map, resolved->pcie.root_complexes[i].ecam.start), 2);
    assert_int_equal(type_at(map, 0), 1);
    assert_int_equal(type_at(map, 0x9fbff), 1);
    assert_int_equal(type_at(map, 0x9fc00), 2);
    assert_int_equal(type_at(map, 0xfffff), 2);
    assert_int_equal(type_at(map, 0x100000), 1);
    assert_int_equal(type_at(map, 0xfee00000), 2);
    assert_int_equal(type_at(map, 0xfec00000), 2);
}
