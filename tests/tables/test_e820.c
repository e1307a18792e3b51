/* SPDX-License-Identifier: MIT */
/*
 * A whole map, line by line.
 */

#include "lib/tables/e820.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "tests/tables/machines.h"

#define GIB MACHINE_GIB

struct entry {
    uint64_t start, size;
    uint32_t type;
};

static void check(const struct machine_shape *shape, struct vmr_gpa_range tables, const struct entry *expected,
                  size_t count)
{
    struct machine *machine = machine_create(shape);
    struct vmr_firmware_tables_options options = {.base = 0};
    struct typed_range item = {tables, E820_ACPI};
    struct range_list places = {&item, 1, 1, false};
    struct tables_input input;
    struct writer writer;
    struct arena arena = {0};

    machine_change(machine)->memory.vtl2_ram = (struct vmr_gpa_range){10 * GIB, 11 * GIB};
    tables_input_init(&input, machine_resolved(machine), &options);
    writer_init(&writer, 10000);
    assert_true(e820_write(&writer, &arena, &input, &places));
    for (size_t i = 0; i < count && i < writer.length / 20; i++) {
        const uint8_t *entry = writer.bytes + i * 20;

        if (load_le64(entry) != expected[i].start || load_le64(entry + 8) != expected[i].size ||
            load_le32(entry + 16) != expected[i].type)
            fail_msg("entry %zu: 0x%llx, 0x%llx, %u", i, (unsigned long long)load_le64(entry),
                     (unsigned long long)load_le64(entry + 8), load_le32(entry + 16));
    }
    assert_int_equal(writer.length, 20 * count);
    writer_finish(&writer);
    arena_finish(&arena);
    machine_destroy(machine);
}

static void tables_in_the_bios_area(void **state)
{
    static const struct machine_shape shape = {.nodes = 2, .node_memory = 2 * GIB};
    static const struct entry expected[] = {
        {0, 0x9fc00, E820_RAM},
        {0x9fc00, 0xe0000 - 0x9fc00, E820_RESERVED},
        {0xe0000, 0x4000, E820_ACPI},
        {0xe4000, 0x1c000, E820_RESERVED},
        {0x100000, 3 * GIB - 0x100000, E820_RAM}, /* of both nodes */
        {0xfec00000, 0x1000, E820_RESERVED},
        {0xfee00000, 0x1000, E820_RESERVED},
        {4 * GIB, GIB, E820_RAM},
        {10 * GIB, GIB, E820_RESERVED}, /* VTL 2's */
    };

    (void)state;
    check(&shape, (struct vmr_gpa_range){0xe0000, 0xe4000}, expected, sizeof(expected) / sizeof(expected[0]));
}

static void tables_at_the_end_of_ram_and_ecam(void **state)
{
    static const struct machine_shape shape = {.root_complexes = 2, .iommu = VMR_PCIE_IOMMU_INTEL_VTD, .cxl = true};
    static const struct entry expected[] = {
        {0, 0x9fc00, E820_RAM},
        {0x9fc00, 0x60400, E820_RESERVED},
        {0x100000, 0x3ff00000 - 0x1000, E820_RAM},
        {0x3ffff000, 0x1000, E820_ACPI},
        {0xd0000000, 0x40000, E820_RESERVED}, /* IOMMUs */
        {0xfec00000, 0x1000, E820_RESERVED},
        {0xfee00000, 0x1000, E820_RESERVED},
        {10 * GIB, GIB, E820_RESERVED},
        {UINT64_C(0x9000000000), UINT64_C(0x10000000), E820_RESERVED}, /* both halves of the ECAM */
        {UINT64_C(0x18000000000), UINT64_C(0x20000), E820_RESERVED},   /* registers of CXL host bridges */
    };

    (void)state;
    check(&shape, (struct vmr_gpa_range){0x3ffff000, 0x40000000}, expected, sizeof(expected) / sizeof(expected[0]));
}

static void a_writer_without_room_is_said(void **state)
{
    static const struct machine_shape shape = {.vps = 1};
    struct machine *machine = machine_create(&shape);
    struct vmr_firmware_tables_options options = {.base = 0};
    struct range_list places = {NULL, 0, 0, false};
    struct tables_input input;
    struct writer writer;
    struct arena arena = {0};

    (void)state;
    tables_input_init(&input, machine_resolved(machine), &options);
    writer_init(&writer, 30);
    assert_false(e820_write(&writer, &arena, &input, &places));
    places.failed = true;
    writer_clear(&writer);
    assert_false(e820_write(&writer, &arena, &input, &places));
    writer_finish(&writer);
    arena_finish(&arena);
    machine_destroy(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_in_the_bios_area),
        cmocka_unit_test(tables_at_the_end_of_ram_and_ecam),
        cmocka_unit_test(a_writer_without_room_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
