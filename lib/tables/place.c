/* SPDX-License-Identifier: MIT */
/*
 * Places: first where everything would go, then one check of all of it, whoever
 * chose them.
 */

#include "lib/tables/place.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/checked.h"
#include "lib/config/report.h"
#include "lib/config/rules.h"

#define PC_RSDP UINT64_C(0xe0000)
#define PC_TABLES UINT64_C(0xe1000)
#define PC_SMBIOS UINT64_C(0xf0000)
#define PC_HIGH_MIN UINT64_C(0x100000)
#define BELOW_4_GIB (UINT64_C(1) << 32)
#define ARM_TABLES_OFFSET UINT64_C(0x200000)
#define NOWHERE UINT64_MAX

struct places {
    vmr_gpa base, rsdp, smbios, dtb;
};

uint8_t *table_set_find(const struct table_set *set, const char *name, size_t *ret_index)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->tables[i].name, name) == 0) {
            if (ret_index)
                *ret_index = i;
            return set->bytes[i];
        }
    }
    return NULL;
}

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

static uint64_t area_size(const struct table_set *set)
{
    uint64_t size = 0;

    for (size_t i = 0; i < set->area_count; i++)
        size += round_up(set->tables[i].size, TABLES_ALIGNMENT);
    return size;
}

/* The end of the last piece of RAM below 4 GiB that has room behind the first MiB. */
static vmr_gpa high_place(const struct vmr_resolved_memory *memory, uint64_t size)
{
    vmr_gpa best = NOWHERE;

    for (size_t i = 0; i < memory->ram_count; i++) {
        vmr_gpa start = memory->ram[i].range.start, end = memory->ram[i].range.end;

        start = start > PC_HIGH_MIN ? start : PC_HIGH_MIN;
        end = end < BELOW_4_GIB ? end : BELOW_4_GIB;
        if (end > start && end - start >= round_up(size, VMR_PAGE_SIZE) && (best == NOWHERE || end > best))
            best = (end - size) / VMR_PAGE_SIZE * VMR_PAGE_SIZE;
    }
    return best;
}

static vmr_gpa default_base(const struct tables_input *input, uint64_t size)
{
    const struct vmr_resolved_memory *memory = &input->resolved->memory;

    if (input->is_arm64)
        return (memory->ram_count > 0 ? memory->ram[0].range.start : 0) + ARM_TABLES_OFFSET;
    return size <= PC_SMBIOS - PC_TABLES ? PC_TABLES : high_place(memory, size);
}

static struct places choose(const struct table_set *set, const struct tables_input *input,
                            const struct vmr_firmware_tables_options *options)
{
    uint64_t size = area_size(set);
    struct places places = {options->base, options->rsdp, options->smbios, options->dtb};
    vmr_gpa behind;

    if (places.base == 0)
        places.base = default_base(input, size);
    behind = round_up(places.base + size, VMR_PAGE_SIZE);
    if (places.rsdp == 0)
        places.rsdp = input->is_arm64 ? places.base - VMR_PAGE_SIZE : PC_RSDP;
    if (places.smbios == 0)
        places.smbios = input->is_arm64 ? behind : PC_SMBIOS;
    if (places.dtb == 0)
        places.dtb = set->area_count > 0 ? round_up(places.smbios + 1, VMR_PAGE_SIZE) : places.base;
    return places;
}

static void check_alignment(const char *what, vmr_gpa gpa, uint64_t alignment, struct vmr_config_report *report)
{
    if (!is_aligned(gpa, alignment))
        report_add(report, &rules_tables[RULE_TABLES_ALIGNMENT], NULL, "%s at 0x%" PRIx64 ": no multiple of %" PRIu64,
                   what, gpa, alignment);
}

static bool is_ram(const struct vmr_resolved_memory *memory, vmr_gpa start, uint64_t size)
{
    for (size_t i = 0; i < memory->ram_count && size > 0; i++) {
        const struct vmr_gpa_range *ram = &memory->ram[i].range;

        if (start < ram->start || start >= ram->end)
            continue;

        uint64_t here = ram->end - start < size ? ram->end - start : size;

        start += here;
        size -= here;
    }
    return size == 0;
}

/* In ascending order; few enough for insertion. */
static void sort(struct table_set *set)
{
    for (size_t i = 1; i < set->count; i++) {
        struct vmr_firmware_table table = set->tables[i];
        uint8_t *bytes = set->bytes[i];
        size_t at = i;

        for (; at > 0 && set->tables[at - 1].gpa > table.gpa; at--) {
            set->tables[at] = set->tables[at - 1];
            set->bytes[at] = set->bytes[at - 1];
        }
        set->tables[at] = table;
        set->bytes[at] = bytes;
    }
}

static void check(const struct table_set *set, const struct tables_input *input, struct vmr_config_report *report)
{
    const struct vmr_gpa_range *initrd = &input->initrd;

    for (size_t i = 0; i < set->count; i++) {
        const struct vmr_firmware_table *table = &set->tables[i], *next = table + 1;

        if (!is_ram(&input->resolved->memory, table->gpa, table->size))
            report_add(report, &rules_tables[RULE_TABLES_NOT_RAM], NULL, "%s: %zu bytes at 0x%" PRIx64, table->name,
                       table->size, table->gpa);
        if (i + 1 < set->count && next->gpa - table->gpa < table->size)
            report_add(report, &rules_tables[RULE_TABLES_OVERLAP], NULL,
                       "%s: %zu bytes at 0x%" PRIx64 "; %s at 0x%" PRIx64, table->name, table->size, table->gpa,
                       next->name, next->gpa);
        if (initrd->end > initrd->start &&
            range_overlaps(table->gpa, table->size, initrd->start, initrd->end - initrd->start))
            report_add(report, &rules_tables[RULE_TABLES_OVERLAP], NULL,
                       "%s: %zu bytes at 0x%" PRIx64 "; the initial RAM disk at 0x%" PRIx64, table->name, table->size,
                       table->gpa, initrd->start);
    }
    if (initrd->end > initrd->start && !is_ram(&input->resolved->memory, initrd->start, initrd->end - initrd->start))
        report_add(report, &rules_tables[RULE_TABLES_NOT_RAM], NULL, "the initial RAM disk at 0x%" PRIx64,
                   initrd->start);
}

static void put(struct table_set *set, const char *name, vmr_gpa gpa)
{
    size_t at;

    if (table_set_find(set, name, &at))
        set->tables[at].gpa = gpa;
}

void place_tables(struct table_set *set, const struct tables_input *input,
                  const struct vmr_firmware_tables_options *options, struct vmr_config_report *report)
{
    struct places places = choose(set, input, options);
    vmr_gpa next = places.base;

    if (places.base == NOWHERE) {
        report_add(report, &rules_tables[RULE_TABLES_NO_ROOM], NULL, "%" PRIu64 " bytes of tables", area_size(set));
        return;
    }
    check_alignment("the tables", places.base, VMR_PAGE_SIZE, report);
    check_alignment("RSDP", places.rsdp, 16, report);
    check_alignment("SMBIOS3", places.smbios, 16, report);
    check_alignment("DTB", places.dtb, 8, report);
    for (size_t i = 0; i < set->area_count; i++) {
        set->tables[i].gpa = next;
        next += round_up(set->tables[i].size, TABLES_ALIGNMENT);
    }
    put(set, "RSDP", places.rsdp);
    put(set, "SMBIOS3", places.smbios);
    put(set, "DTB", places.dtb);
    sort(set);
    check(set, input, report);
}
