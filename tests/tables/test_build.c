/* SPDX-License-Identifier: MIT */
/*
 * Whole sets of tables: read back as a guest reads them, the same each time, and
 * refused where something has no place.
 */

#include "vmrig/firmware_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "lib/tables/acpi.h"
#include "tests/tables/machines.h"
#include "tests/tables/walk.h"

#define RANDOM_MACHINES 1500u

static void walk_shape(const struct machine_shape *shape, const char *what)
{
    struct machine *machine = machine_create(shape);
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};

    if (vmr_firmware_tables_build(machine_resolved(machine), NULL, &tables, &report) != VMR_OK)
        fail_msg("%s: %s", what, report.count ? report.findings[0].message : "no memory");
    walk_all(tables, machine_resolved(machine));
    vmr_firmware_tables_destroy(tables);
    machine_destroy(machine);
}

static void tables_say_what_was_resolved(void **state)
{
    const struct machine_shape *shape;

    (void)state;
    for (size_t i = 0; (shape = machine_shape(i)); i++) {
        print_message("%s\n", shape->name);
        walk_shape(shape, shape->name);
    }
}

static void so_do_those_of_any_machine(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < RANDOM_MACHINES; number++) {
        struct machine_shape shape = machine_random_shape(number);
        char what[32];

        (void)snprintf(what, sizeof(what), "machine %u", (unsigned)number);
        walk_shape(&shape, what);
    }
}

static void the_same_machine_has_the_same_tables(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 100; number++) {
        struct machine_shape shape = machine_random_shape(number);
        struct vmr_firmware_tables *tables[2];

        for (unsigned i = 0; i < 2; i++) {
            struct machine *machine = machine_create(&shape);
            struct vmr_config_report report = {0};

            assert_int_equal(vmr_firmware_tables_build(machine_resolved(machine), NULL, &tables[i], &report), VMR_OK);
            machine_destroy(machine);
        }
        assert_int_equal(tables[0]->table_count, tables[1]->table_count);
        for (size_t i = 0; i < tables[0]->table_count; i++) {
            assert_int_equal(tables[0]->tables[i].gpa, tables[1]->tables[i].gpa);
            assert_int_equal(tables[0]->tables[i].size, tables[1]->tables[i].size);
            assert_memory_equal(tables[0]->tables[i].bytes, tables[1]->tables[i].bytes, tables[0]->tables[i].size);
        }
        vmr_firmware_tables_destroy(tables[0]);
        vmr_firmware_tables_destroy(tables[1]);
    }
}

/* --- refusals --- */

/* The codes that were seen, each with a space behind. */
static char refused[4096];

static void refuse(const struct machine *machine, const struct vmr_firmware_tables_options *options, const char *code,
                   const char *path, const char *part)
{
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};

    assert_int_equal(vmr_firmware_tables_build(machine_resolved(machine), options, &tables, &report), VMR_E_CONFIG);
    assert_null(tables);
    assert_true(report.count >= 1);
    assert_string_equal(report.findings[0].rule->code, code);
    assert_true(strlen(refused) + strlen(code) + 2 < sizeof(refused));
    strcat(strcat(refused, code), " ");
    assert_string_equal(report.findings[0].path, path);
    if (!strstr(report.findings[0].message, part))
        fail_msg("'%s' does not name '%s'", report.findings[0].message, part);
    vmr_config_report_finish(&report);
}

static const struct machine_shape small = {.vps = 2, .load = VMR_LOAD_LINUX, .node_memory = 64 << 20};

static void places_are_checked(void **state)
{
    static const struct {
        struct vmr_firmware_tables_options options;
        const char *code, *part;
    } cases[] = {
        {{.base = 0xe1004}, "CFG-TABLES-ALIGNMENT", "the tables at 0xe1004"},
        {{.rsdp = 0xe0008}, "CFG-TABLES-ALIGNMENT", "RSDP at 0xe0008"},
        {{.smbios = 0xf0001}, "CFG-TABLES-ALIGNMENT", "SMBIOS3 at 0xf0001"},
        {{.base = 0x4000000}, "CFG-TABLES-NOT-RAM", "at 0x4000000"},
        {{.base = UINT64_C(0xfffffffffffff000)}, "CFG-TABLES-NOT-RAM", "at 0xfffffffffffff"},
        {{.rsdp = 0xf0000}, "CFG-TABLES-OVERLAP", "at 0xf0000"},
        {{.smbios = 0xe1000}, "CFG-TABLES-OVERLAP", "at 0xe1000"},
        {{.smbios = 0xe1010}, "CFG-TABLES-OVERLAP", "SMBIOS3 at 0xe1010"},
        {{.initrd = {0x3fff000, 0x4001000}}, "CFG-TABLES-NOT-RAM", "initial RAM disk at 0x3fff000"},
        {{.initrd = {0xe0000, 0xe1000}}, "CFG-TABLES-OVERLAP", "initial RAM disk at 0xe0000"},
    };
    struct machine *machine = machine_create(&small);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refuse(machine, &cases[i].options, cases[i].code, "", cases[i].part);
    machine_destroy(machine);
}

static void tables_go_where_they_are_told(void **state)
{
    struct vmr_firmware_tables_options options = {.base = 0x200000, .rsdp = 0x300010, .smbios = 0x400020};
    struct machine *machine = machine_create(&small);
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};

    (void)state;
    assert_int_equal(vmr_firmware_tables_build(machine_resolved(machine), &options, &tables, &report), VMR_OK);
    assert_int_equal(vmr_firmware_tables_find(tables, "DSDT")->gpa, 0x200000);
    assert_int_equal(vmr_firmware_tables_find(tables, "RSDP")->gpa, 0x300010);
    assert_int_equal(vmr_firmware_tables_find(tables, "SMBIOS3")->gpa, 0x400020);
    assert_null(vmr_firmware_tables_find(tables, "SLIT"));
    vmr_firmware_tables_destroy(tables);
    machine_destroy(machine);
}

/* 64 MiB minus: so many processors need more than the BIOS area, and there is only 1 MiB and a page of RAM. */
static void large_tables_need_ram_behind_the_first_mebibyte(void **state)
{
    struct machine_shape shape = {.vps = 1024, .node_memory = (1 << 20) + 4096};
    struct machine *machine = machine_create(&shape);

    (void)state;
    refuse(machine, NULL, "CFG-TABLES-NO-ROOM", "", "bytes of tables");
    machine_destroy(machine);
    shape.node_memory = 512 << 10;
    shape.vps = 1;
    machine = machine_create(&shape);
    refuse(machine, NULL, "CFG-TABLES-NOT-RAM", "", "RSDP: 36 bytes at 0xe0000");
    machine_destroy(machine);
}

/* --- what the caller gives --- */

static void a_custom_dsdt_is_taken_whole_or_refused(void **state)
{
    uint8_t bytes[40] = "DSDT";
    struct machine *machine = machine_create(&small);
    struct vmr_config_blob *blob = &machine_config(machine)->load_mode.linux_direct.custom_dsdt;
    struct vmr_firmware_tables_options options = {.dsdt = {.bytes = bytes, .size = sizeof(bytes)}};
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};
    static const char path[] = "load_mode.linux.custom_dsdt";

    (void)state;
    *blob = (struct vmr_config_blob){.path = "dsdt.aml"};
    refuse(machine, NULL, "CFG-TABLES-DSDT-BYTES", path, "dsdt.aml");
    refuse(machine, &options, "CFG-TABLES-DSDT", path, "length");
    store_le32(bytes + 4, sizeof(bytes));
    bytes[39] = 7;
    assert_int_equal(vmr_firmware_tables_build(machine_resolved(machine), &options, &tables, &report), VMR_OK);
    assert_int_equal(vmr_firmware_tables_find(tables, "DSDT")->size, sizeof(bytes));
    assert_int_equal(vmr_firmware_tables_find(tables, "DSDT")->bytes[39], 7);
    walk_all(tables, machine_resolved(machine)); /* its sum is right now */
    vmr_firmware_tables_destroy(tables);
    options.dsdt.size = 35;
    refuse(machine, &options, "CFG-TABLES-DSDT", path, "shorter");
    bytes[0] = 'S';
    *blob = options.dsdt = (struct vmr_config_blob){.bytes = bytes, .size = sizeof(bytes)};
    refuse(machine, &options, "CFG-TABLES-DSDT", path, "signature");
    refuse(machine, NULL, "CFG-TABLES-DSDT", path, "signature");
    machine_destroy(machine);
}

static void trees_have_limits(void **state)
{
    struct machine_shape tree = {.arch = VMR_ARCH_ARM64, .load = VMR_LOAD_LINUX, .boots_by_tree = true};
    struct vmr_firmware_tables_options options = {.cmdline = NULL};
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};
    char cmdline[2049];
    struct machine *machine = machine_create(&tree);

    (void)state;
    memset(cmdline, 'x', 2048);
    cmdline[2048] = 0;
    options.cmdline = cmdline;
    refuse(machine, &options, "CFG-TABLES-CMDLINE", "", "2048");
    cmdline[2047] = 0;
    assert_int_equal(vmr_firmware_tables_build(machine_resolved(machine), &options, &tables, &report), VMR_OK);
    vmr_firmware_tables_destroy(tables);
    machine_destroy(machine);
    tree.virtio = 20000;
    machine = machine_create(&tree);
    refuse(machine, NULL, "CFG-TABLES-TREE-SIZE", "", "2097152");
    machine_destroy(machine);
}

/* Of those that are applied here and not by vmr_config_check. */
static void each_rule_has_been_broken(void **state)
{
    const struct vmr_config_rule *rule;

    (void)state;
    for (size_t i = 0; (rule = vmr_config_rule_get(i)); i++) {
        if (strncmp(rule->code, "CFG-TABLES-", 11) == 0 && !strstr(refused, rule->code))
            fail_msg("%s: no case", rule->code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_say_what_was_resolved),
        cmocka_unit_test(so_do_those_of_any_machine),
        cmocka_unit_test(the_same_machine_has_the_same_tables),
        cmocka_unit_test(places_are_checked),
        cmocka_unit_test(tables_go_where_they_are_told),
        cmocka_unit_test(large_tables_need_ram_behind_the_first_mebibyte),
        cmocka_unit_test(a_custom_dsdt_is_taken_whole_or_refused),
        cmocka_unit_test(trees_have_limits),
        cmocka_unit_test(each_rule_has_been_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
