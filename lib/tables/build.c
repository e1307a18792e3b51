/* SPDX-License-Identifier: MIT */
/*
 * All tables of a machine: written, placed, and then told of each other.
 */

#include "vmrig/firmware_tables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/config/check_tables.h"
#include "lib/config/report.h"
#include "lib/config/rules.h"
#include "lib/tables/acpi.h"
#include "lib/tables/e820.h"
#include "lib/tables/place.h"
#include "lib/tables/tables.h"
#include "lib/tables/tree.h"

#define TABLE_BYTES_MAX (64u << 20) /* a thousand times what a machine at all limits needs */

struct firmware_tables {
    struct vmr_firmware_tables shown; /* first: what callers hold */
    struct arena arena;
    struct table_set set;
};

/* What is being built, and with what. */
struct builder {
    struct firmware_tables *out;
    struct tables_input input;
    const struct vmr_firmware_tables_options *options;
    struct vmr_config_report *report;
    struct writer writer; /* one table at a time */
    bool no_memory;
};

/* Takes `bytes`, which are the arena's. */
static void add(struct builder *builder, const char *name, uint8_t *bytes, size_t size)
{
    struct table_set *set = &builder->out->set;
    struct vmr_firmware_table *table = &set->tables[set->count];

    if (!bytes || set->count == TABLES_MAX) {
        builder->no_memory = true;
        return;
    }
    strncpy(table->name, name, sizeof(table->name) - 1);
    table->bytes = bytes;
    table->size = size;
    set->bytes[set->count++] = bytes;
}

static void add_copy(struct builder *builder, const char *name, const void *bytes, size_t size)
{
    uint8_t *copy = arena_alloc(&builder->out->arena, size, 1);

    if (copy)
        memcpy(copy, bytes, size);
    add(builder, name, copy, size);
}

static void add_written(struct builder *builder, const char *name, tables_write *write)
{
    writer_clear(&builder->writer);
    write(&builder->writer, &builder->input);
    if (writer_ok(&builder->writer))
        add_copy(builder, name, builder->writer.bytes, builder->writer.length);
    else
        builder->no_memory = true;
}

/* --- which tables there are --- */

static bool always(const struct tables_input *input)
{
    (void)input;
    return true;
}

static bool has_fixed_hardware(const struct tables_input *input)
{
    return input->power_management;
}

static bool has_pcie(const struct tables_input *input)
{
    return input->resolved->pcie.root_complex_count > 0;
}

static bool has_nodes(const struct tables_input *input)
{
    return input->resolved->numa.node_count > 1;
}

static bool has_cxl(const struct tables_input *input)
{
    return tables_cxl_count(input) > 0;
}

static bool has_amd_vi(const struct tables_input *input)
{
    return tables_iommu_count(input, VMR_PCIE_IOMMU_AMD_VI) > 0;
}

static bool has_vtd(const struct tables_input *input)
{
    return tables_iommu_count(input, VMR_PCIE_IOMMU_INTEL_VTD) > 0;
}

static bool is_arm64(const struct tables_input *input)
{
    return input->is_arm64;
}

/* Without an ITS and SMMUs ids mean nothing. */
static bool has_ids(const struct tables_input *input)
{
    return input->is_arm64 && has_pcie(input) && (input->its || tables_iommu_count(input, VMR_PCIE_IOMMU_SMMU) > 0);
}

/* In their order in memory. The first two are the FADT's, all others the XSDT's. */
static const struct {
    const char *signature;
    tables_write *write;
    bool (*is_there)(const struct tables_input *input);
} acpi_tables[] = {
    {"FACS", facs_write, has_fixed_hardware},
    {"DSDT", dsdt_write, always},
    {"FACP", fadt_write, always},
    {"APIC", madt_write, always},
    {"SRAT", srat_write, always},
    {"SLIT", slit_write, has_nodes},
    {"MCFG", mcfg_write, has_pcie},
    {"SSDT", ssdt_write, has_pcie},
    {"CEDT", cedt_write, has_cxl},
    {"IVRS", ivrs_write, has_amd_vi},
    {"DMAR", dmar_write, has_vtd},
    {"GTDT", gtdt_write, is_arm64},
    {"PPTT", pptt_write, is_arm64},
    {"IORT", iort_write, has_ids},
};

static bool is_in_xsdt(const char *name)
{
    return strcmp(name, "FACS") != 0 && strcmp(name, "DSDT") != 0 && strcmp(name, "XSDT") != 0 &&
           strcmp(name, "SMBIOS") != 0;
}

/* The one that stands in for ours; NULL: none. */
static const struct vmr_config_blob *custom_dsdt(const struct builder *builder)
{
    const struct vmr_load_config *load = &builder->input.config->load_mode;
    const struct vmr_config_blob *own = &load->linux_direct.custom_dsdt;

    if (!config_has_acpi(builder->input.config))
        return NULL;
    if (builder->options->dsdt.bytes)
        return &builder->options->dsdt;
    return load->mode == VMR_LOAD_LINUX && (own->bytes || own->path) ? own : NULL;
}

/* With a zero for each table, to be filled in when they have places. */
static void add_xsdt(struct builder *builder)
{
    const struct table_set *set = &builder->out->set;
    struct writer *writer = &builder->writer;

    writer_clear(writer);
    acpi_begin(writer, "XSDT", 1); /* ACPI 6.5, 5.2.8 */
    for (size_t i = 0; i < set->count; i++) {
        if (is_in_xsdt(set->tables[i].name))
            writer_le64(writer, 0);
    }
    acpi_end(writer);
    if (writer_ok(writer))
        add_copy(builder, "XSDT", writer->bytes, writer->length);
    else
        builder->no_memory = true;
}

/* People edit tables, and forget the sum. */
static void add_dsdt(struct builder *builder, const struct vmr_config_blob *dsdt)
{
    size_t at = builder->out->set.count;

    add_copy(builder, "DSDT", dsdt->bytes, dsdt->size);
    if (!builder->no_memory)
        acpi_seal(builder->out->set.bytes[at], dsdt->size);
}

static void add_acpi(struct builder *builder)
{
    const struct vmr_config_blob *dsdt = custom_dsdt(builder);
    static const uint8_t zeros[ACPI_RSDP_BYTES + SMBIOS_ANCHOR_BYTES];

    for (size_t i = 0; i < sizeof(acpi_tables) / sizeof(acpi_tables[0]); i++) {
        if (!acpi_tables[i].is_there(&builder->input))
            continue;
        if (dsdt && acpi_tables[i].write == dsdt_write)
            add_dsdt(builder, dsdt);
        else
            add_written(builder, acpi_tables[i].signature, acpi_tables[i].write);
    }
    add_xsdt(builder);
    add_written(builder, "SMBIOS", smbios_write);
    builder->out->set.area_count = builder->out->set.count;
    add_copy(builder, "RSDP", zeros, ACPI_RSDP_BYTES);
    add_copy(builder, "SMBIOS3", zeros, SMBIOS_ANCHOR_BYTES);
}

static void add_tree(struct builder *builder)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;

    switch (tree_write(&builder->out->arena, &builder->input, &bytes, &size)) {
    case TREE_WRITTEN:
        add_copy(builder, "DTB", bytes, size);
        break;
    case TREE_NO_MEMORY:
        builder->no_memory = true;
        break;
    case TREE_TOO_LARGE:
        report_add(builder->report, &rules_tables[RULE_TABLES_TREE_SIZE], NULL, "more than %u bytes", TREE_BYTES_MAX);
        break;
    }
}

/* --- addresses --- */

static vmr_gpa place_of(const struct table_set *set, const char *name)
{
    size_t at;

    return table_set_find(set, name, &at) ? set->tables[at].gpa : 0;
}

static size_t size_of(const struct table_set *set, const char *name)
{
    size_t at;

    return table_set_find(set, name, &at) ? set->tables[at].size : 0;
}

/* One that was made before: the set is whole here. */
static uint8_t *table_of(const struct table_set *set, const char *name)
{
    uint8_t *bytes = table_set_find(set, name, NULL);

    assert(bytes);
    return bytes;
}

/* Entries in the order of addresses, which is that in which the tables were written. */
static void connect_acpi(struct table_set *set)
{
    uint8_t *fadt = table_of(set, "FACP"), *xsdt = table_of(set, "XSDT");
    uint8_t *entry = xsdt + ACPI_HEADER_BYTES;

    store_le64(fadt + FADT_FACS_AT, place_of(set, "FACS"));
    store_le64(fadt + FADT_DSDT_AT, place_of(set, "DSDT"));
    acpi_seal(fadt, size_of(set, "FACP"));
    for (size_t i = 0; i < sizeof(acpi_tables) / sizeof(acpi_tables[0]); i++) {
        vmr_gpa gpa = place_of(set, acpi_tables[i].signature);

        if (gpa == 0 || !is_in_xsdt(acpi_tables[i].signature))
            continue;
        store_le64(entry, gpa);
        entry += 8;
    }
    acpi_seal(xsdt, size_of(set, "XSDT"));
    acpi_rsdp(table_of(set, "RSDP"), place_of(set, "XSDT"));
    smbios_anchor(table_of(set, "SMBIOS3"), place_of(set, "SMBIOS"), (uint32_t)size_of(set, "SMBIOS"));
}

/* The map comes last, as it says where the others are, and first, as it is nowhere. */
static void add_map(struct builder *builder)
{
    struct firmware_tables *out = builder->out;
    struct table_set *set = &out->set;
    struct range_list places = ranges_create(&out->arena, set->count);

    for (size_t i = 0; i < set->count; i++) {
        vmr_gpa start = set->tables[i].gpa / VMR_PAGE_SIZE * VMR_PAGE_SIZE,
                end = set->tables[i].gpa + set->tables[i].size;

        end = (end + VMR_PAGE_SIZE - 1) / VMR_PAGE_SIZE * VMR_PAGE_SIZE;
        if (places.count > 0 && !places.failed && places.items[places.count - 1].range.end > start)
            start = places.items[places.count - 1].range.end;
        ranges_append(&places, (struct vmr_gpa_range){start, end}, E820_ACPI);
    }
    writer_clear(&builder->writer);
    if (!e820_write(&builder->writer, &out->arena, &builder->input, &places)) {
        builder->no_memory = true;
        return;
    }
    add_copy(builder, "E820", builder->writer.bytes, builder->writer.length);
    if (builder->no_memory)
        return;

    struct vmr_firmware_table map = set->tables[set->count - 1];

    memmove(set->tables + 1, set->tables, (set->count - 1) * sizeof(map));
    set->tables[0] = map;
}

/* What the caller has put in the place of something that vmr_config_check has seen. */
static void check_given(struct builder *builder)
{
    const struct vmr_config_blob *dsdt = custom_dsdt(builder);
    const char *fault = dsdt && dsdt->bytes ? config_dsdt_fault(dsdt) : NULL;
    size_t length = strlen(builder->input.cmdline);
    struct config_path path = {.length = 0};

    path_key(&path, "load_mode");
    path_key(&path, "linux");
    path_key(&path, "custom_dsdt");
    if (dsdt && !dsdt->bytes)
        report_add(builder->report, &rules_tables[RULE_TABLES_DSDT_BYTES], &path, "'%s'", dsdt->path);
    if (fault)
        report_add(builder->report, &rules_tables[RULE_TABLES_DSDT], &path, "%zu bytes: %s", dsdt->size, fault);
    if (config_has_tree(builder->input.config) && length > TREE_CMDLINE_MAX)
        report_add(builder->report, &rules_tables[RULE_TABLES_CMDLINE], NULL, "%zu bytes, at most %u", length,
                   TREE_CMDLINE_MAX);
}

static void build(struct builder *builder)
{
    const struct vmr_config *config = builder->input.config;
    size_t found = report_total(builder->report);

    check_given(builder);
    if (report_total(builder->report) != found)
        return;
    if (config_has_acpi(config))
        add_acpi(builder);
    if (config_has_tree(config))
        add_tree(builder);
    if (builder->no_memory || report_total(builder->report) != found)
        return;
    place_tables(&builder->out->set, &builder->input, builder->options, builder->report);
    if (report_total(builder->report) != found)
        return;
    if (config_has_acpi(config))
        connect_acpi(&builder->out->set);
    if (!builder->input.is_arm64)
        add_map(builder);
}

enum vmr_status vmr_firmware_tables_build(const struct vmr_resolved *resolved,
                                          const struct vmr_firmware_tables_options *options,
                                          struct vmr_firmware_tables **ret_tables, struct vmr_config_report *report)
{
    static const struct vmr_firmware_tables_options none = {.base = 0};
    struct builder builder = {.options = options ? options : &none, .report = report};
    size_t found = report_total(report);

    builder.out = calloc(1, sizeof(*builder.out));
    if (!builder.out)
        return VMR_E_NOMEM;
    tables_input_init(&builder.input, resolved, builder.options);
    writer_init(&builder.writer, TABLE_BYTES_MAX);
    build(&builder);
    writer_finish(&builder.writer);
    if (builder.no_memory || report_total(report) != found) {
        vmr_firmware_tables_destroy(&builder.out->shown);
        return builder.no_memory ? VMR_E_NOMEM : VMR_E_CONFIG;
    }
    builder.out->shown.tables = builder.out->set.tables;
    builder.out->shown.table_count = builder.out->set.count;
    *ret_tables = &builder.out->shown;
    return VMR_OK;
}

void vmr_firmware_tables_destroy(struct vmr_firmware_tables *tables)
{
    struct firmware_tables *all = (struct firmware_tables *)tables;

    if (!all)
        return;
    arena_finish(&all->arena);
    free(all);
}

const struct vmr_firmware_table *vmr_firmware_tables_find(const struct vmr_firmware_tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->table_count; i++) {
        if (strcmp(tables->tables[i].name, name) == 0)
            return &tables->tables[i];
    }
    return NULL;
}
