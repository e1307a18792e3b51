/* SPDX-License-Identifier: MIT */
/*
 * Firmware tables of a resolved configuration, read as a guest reads them: from
 * the anchor, by addresses. No machine is run.
 */

#include "conformance/conformance.h"

#include <string.h>

#include "vmrig/firmware_tables.h"

#define GIB UINT64_C(0x40000000)
#define VPS 6u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct vmr_memory_config memory = {.mem_size = 2 * GIB};
static const struct vmr_numa_node nodes[] = {{.mem = &memory}, {.mem = &memory}};
static const struct vmr_pcie_port_config ports[] = {{.name = "port0"}, {.name = "port1"}};
static const struct vmr_pcie_root_complex_config complexes[] = {
    {.name = "rc0", .end_bus = 63, .ports = ports, .port_count = COUNT(ports)},
    {.name = "rc1", .index = 1, .segment = 1, .start_bus = 16, .end_bus = 31},
};

static struct vmr_config machine(void)
{
    return (struct vmr_config){
        .load_mode = {.mode = VMR_LOAD_LINUX, .linux_direct = {.kernel = {.path = "vmlinux"}}},
        .numa = {.nodes = nodes, .node_count = COUNT(nodes)},
        .processor_topology = {.proc_count = VPS, .vps_per_socket = {true, 2}},
        .chipset = {.generic_ioapic = true},
        .pcie_root_complexes = complexes,
        .pcie_root_complex_count = COUNT(complexes),
    };
}

/* A machine and its tables; both are gone with tables_finish. */
struct made {
    struct vmr_resolved *resolved;
    struct vmr_firmware_tables *tables;
};

static enum vmr_status make(struct conf *conf, const struct vmr_config *config,
                            const struct vmr_firmware_tables_options *options, struct made *ret_made,
                            struct vmr_config_report *report)
{
    enum vmr_status status = vmr_resolve(config, &ret_made->resolved, report);

    CONF_CHECK(conf, status == VMR_OK, "no machine: %s", report->count ? report->findings[0].message : "");
    return status ? status : vmr_firmware_tables_build(ret_made->resolved, options, &ret_made->tables, report);
}

static void made_finish(struct made *made)
{
    vmr_firmware_tables_destroy(made->tables);
    vmr_resolved_destroy(made->resolved);
}

static uint64_t number(const uint8_t *bytes, unsigned length)
{
    uint64_t value = 0;

    while (length-- > 0)
        value = value << 8 | bytes[length];
    return value;
}

static bool sums_up(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    while (length-- > 0)
        sum = (uint8_t)(sum + bytes[length]);
    return sum == 0;
}

/* What begins at an address. NULL: nothing. */
static const struct vmr_firmware_table *at(const struct vmr_firmware_tables *tables, vmr_gpa gpa)
{
    for (size_t i = 0; gpa != 0 && i < tables->table_count; i++) {
        if (tables->tables[i].gpa == gpa)
            return &tables->tables[i];
    }
    return NULL;
}

/* --- TAB-1 --- */

static void check_pointers(struct conf *conf, const struct vmr_firmware_tables *tables)
{
    const struct vmr_firmware_table *rsdp = at(tables, 0xe0000), *xsdt;

    CONF_REQUIRE(conf, rsdp && rsdp->size == 36 && sums_up(rsdp->bytes, 20) && sums_up(rsdp->bytes, 36), "no RSDP");
    xsdt = at(tables, number(rsdp->bytes + 24, 8));
    CONF_REQUIRE(conf, xsdt && memcmp(xsdt->bytes, "XSDT", 4) == 0, "the RSDP points to no XSDT");
    for (size_t offset = 36; offset < xsdt->size; offset += 8) {
        const struct vmr_firmware_table *table = at(tables, number(xsdt->bytes + offset, 8));

        CONF_REQUIRE(conf, table && number(table->bytes + 4, 4) == table->size && sums_up(table->bytes, table->size),
                     "entry %zu of the XSDT is no table", (offset - 36) / 8);
        if (memcmp(table->bytes, "FACP", 4) == 0)
            CONF_CHECK(conf, at(tables, number(table->bytes + 140, 8)), "the FADT points to no DSDT");
    }
    for (size_t i = 1; i < tables->table_count; i++)
        CONF_CHECK(conf,
                   tables->tables[i - 1].gpa == 0 ||
                       tables->tables[i - 1].gpa + tables->tables[i - 1].size <= tables->tables[i].gpa,
                   "%s overlaps %s", tables->tables[i - 1].name, tables->tables[i].name);
}

static void alike_and_connected(struct conf *conf)
{
    const struct vmr_config config = machine();
    struct vmr_config_report report = {.count = 0};
    struct made one = {NULL, NULL}, other = {NULL, NULL};

    CONF_CHECK(conf, make(conf, &config, NULL, &one, &report) == VMR_OK, "no tables");
    CONF_CHECK(conf, make(conf, &config, NULL, &other, &report) == VMR_OK, "no tables");
    if (one.tables && other.tables) {
        check_pointers(conf, one.tables);
        CONF_CHECK_EQ(conf, one.tables->table_count, other.tables->table_count, "tables");
        for (size_t i = 0; i < one.tables->table_count; i++) {
            const struct vmr_firmware_table *a = &one.tables->tables[i], *b = &other.tables->tables[i];

            CONF_CHECK(conf, a->gpa == b->gpa && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0,
                       "%s is another the second time", a->name);
        }
    }
    made_finish(&one);
    made_finish(&other);
    vmr_config_report_finish(&report);
}

/* --- TAB-2 --- */

/* Entries of {type, length} with this type, in the table from `offset`. */
static uint32_t entries(const struct vmr_firmware_table *table, size_t offset, uint8_t type)
{
    uint32_t count = 0;

    for (; table && offset + 2 <= table->size && table->bytes[offset + 1] >= 2; offset += table->bytes[offset + 1])
        count += table->bytes[offset] == type;
    return count;
}

static uint64_t memory_of(const struct vmr_firmware_table *srat)
{
    uint64_t size = 0;

    for (size_t offset = 48; offset + 2 <= srat->size && srat->bytes[offset + 1] >= 2;
         offset += srat->bytes[offset + 1])
        size += srat->bytes[offset] == 1 ? number(srat->bytes + offset + 16, 8) : 0;
    return size;
}

static void check_content(struct conf *conf, const struct made *made)
{
    const struct vmr_firmware_table *madt = vmr_firmware_tables_find(made->tables, "APIC");
    const struct vmr_firmware_table *srat = vmr_firmware_tables_find(made->tables, "SRAT");
    const struct vmr_firmware_table *slit = vmr_firmware_tables_find(made->tables, "SLIT");
    const struct vmr_firmware_table *mcfg = vmr_firmware_tables_find(made->tables, "MCFG");

    CONF_REQUIRE(conf, madt && srat && slit && mcfg, "a table is missing");
    CONF_CHECK_EQ(conf, entries(madt, 44, 0), VPS, "processors of the MADT");
    CONF_CHECK_EQ(conf, entries(madt, 44, 1), 1, "I/O APICs of the MADT");
    CONF_CHECK_EQ(conf, entries(srat, 48, 0), VPS, "processors of the SRAT");
    CONF_CHECK_EQ(conf, memory_of(srat), made->resolved->memory.ram_size, "memory of the SRAT");
    CONF_CHECK_EQ(conf, slit->size, 44 + COUNT(nodes) * COUNT(nodes), "the SLIT");
    CONF_REQUIRE(conf, mcfg->size == 44 + 16 * COUNT(complexes), "the MCFG has %zu bytes", mcfg->size);
    for (size_t i = 0; i < COUNT(complexes); i++) {
        const uint8_t *entry = mcfg->bytes + 44 + 16 * i;

        CONF_CHECK_EQ(conf, number(entry, 8) + ((uint64_t)entry[10] << 20),
                      made->resolved->pcie.root_complexes[i].ecam.start, "the first bus of a root complex");
        CONF_CHECK(conf, number(entry + 8, 2) == complexes[i].segment && entry[11] == complexes[i].end_bus,
                   "segment or buses of root complex %zu", i);
    }
}

static void complete(struct conf *conf)
{
    const struct vmr_config config = machine();
    struct vmr_config_report report = {.count = 0};
    struct made made = {NULL, NULL};

    if (make(conf, &config, NULL, &made, &report) == VMR_OK)
        check_content(conf, &made);
    CONF_CHECK(conf, made.tables, "no tables");
    made_finish(&made);
    vmr_config_report_finish(&report);
}

/* --- TAB-3 --- */

static void refused(struct conf *conf)
{
    static const uint8_t no_dsdt[40] = "SSDT";
    static const struct {
        struct vmr_firmware_tables_options options;
        const char *code;
    } cases[] = {
        {{.base = 0xe1008}, "CFG-TABLES-ALIGNMENT"},
        {{.base = UINT64_C(0xffffff000)}, "CFG-TABLES-NOT-RAM"},
        {{.smbios = 0xe1010}, "CFG-TABLES-OVERLAP"},
        {{.dsdt = {.bytes = no_dsdt, .size = sizeof(no_dsdt)}}, "CFG-TABLES-DSDT"},
    };
    const struct vmr_config config = machine();

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct vmr_config_report report = {.count = 0};
        struct made made = {NULL, NULL};
        enum vmr_status status = make(conf, &config, &cases[i].options, &made, &report);

        CONF_CHECK_EQ(conf, status, VMR_E_CONFIG, cases[i].code);
        CONF_CHECK(conf, !made.tables && report.count > 0 && strcmp(report.findings[0].rule->code, cases[i].code) == 0,
                   "%s: %s", cases[i].code, report.count > 0 ? report.findings[0].rule->code : "no finding");
        made_finish(&made);
        vmr_config_report_finish(&report);
    }
}

static const struct conf_scenario scenarios[] = {
    {.name = "tables_are_the_same_every_time_and_point_to_each_other",
     .family = "tables",
     .clauses = "TAB-1",
     .flags = CONF_NO_BACKEND,
     .run = alike_and_connected},
    {.name = "each_processor_range_and_bus_is_told_once",
     .family = "tables",
     .clauses = "TAB-2",
     .flags = CONF_NO_BACKEND,
     .run = complete},
    {.name = "what_has_no_place_or_form_is_refused_by_name",
     .family = "tables",
     .clauses = "TAB-3",
     .flags = CONF_NO_BACKEND,
     .run = refused},
};

CONF_FAMILY(tables, scenarios);
