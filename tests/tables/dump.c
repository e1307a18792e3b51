/* SPDX-License-Identifier: MIT */
/*
 * Writes the tables of all machines with a name, for other programs to look at:
 * `dump FOLDER` makes FOLDER/MACHINE.TABLE, and FOLDER/MACHINE.json with what
 * they are to say; it prints a line for each: machine, table, address, size,
 * hash.
 */

#include <inttypes.h>
#include <stdio.h>

#include "tests/tables/machines.h"

/* FNV-1a. */
static uint64_t hash(const uint8_t *bytes, size_t size)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
    return value;
}

static bool write_file(const char *folder, const char *machine, const struct vmr_firmware_table *table)
{
    char path[4096];
    FILE *file;
    bool written;

    (void)snprintf(path, sizeof(path), "%s/%s.%s", folder, machine, table->name);
    file = fopen(path, "wb");
    if (!file)
        return false;
    written = fwrite(table->bytes, 1, table->size, file) == table->size;
    return fclose(file) == 0 && written;
}

static void write_range(FILE *file, const char *name, const struct vmr_gpa_range *range)
{
    (void)fprintf(file, ", \"%s\": [%" PRIu64 ", %" PRIu64 "]", name, range->start, range->end);
}

static void write_complex(FILE *file, const struct vmr_resolved_root_complex *complex)
{
    const struct vmr_pcie_root_complex_config *config = complex->config;

    (void)fprintf(file, "{\"uid\": %u, \"segment\": %u, \"buses\": [%u, %u], \"node\": %d, \"cxl\": %d", config->index,
                  config->segment, config->start_bus, config->end_bus,
                  complex->vnode == VMR_RESOLVED_NONE ? -1 : (int)complex->vnode,
                  config->cxl ? config->cxl->hdm_window_restrictions : -1);
    write_range(file, "low", &complex->low_mmio);
    write_range(file, "high", &complex->high_mmio);
    write_range(file, "ecam", &complex->ecam);
    write_range(file, "hdm", &complex->cxl_hdm);
    write_range(file, "chbcr", &complex->cxl_chbcr);
    (void)fprintf(file, ", \"preserve\": %d}", config->preserve_bars);
}

static bool write_facts(const char *folder, const char *name, const struct vmr_resolved *resolved)
{
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.json", folder, name);
    file = fopen(path, "w");
    if (!file)
        return false;
    (void)fprintf(file, "{\"vps\": %u, \"virtio\": [", resolved->processors.vp_count);
    for (uint32_t i = 0; i < resolved->virtio_mmio_count; i++)
        (void)fprintf(file, "%s[%" PRIu64 ", %u]", i ? ", " : "", resolved->virtio_mmio[i].range.start,
                      resolved->virtio_mmio[i].irq);
    (void)fprintf(file, "], \"complexes\": [");
    for (uint32_t i = 0; i < resolved->pcie.root_complex_count; i++) {
        (void)fprintf(file, "%s", i ? ", " : "");
        write_complex(file, &resolved->pcie.root_complexes[i]);
    }
    (void)fprintf(file, "]");
    write_range(file, "chipset", &resolved->memory.chipset_low_mmio);
    (void)fprintf(file, "}\n");
    return fclose(file) == 0;
}

static bool dump(const char *folder, const struct machine_shape *shape)
{
    struct machine *machine = machine_create(shape);
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};
    bool good = vmr_firmware_tables_build(machine_resolved(machine), NULL, &tables, &report) == VMR_OK;

    for (size_t i = 0; i < report.count; i++)
        (void)fprintf(stderr, "%s: %s: %s\n", shape->name, report.findings[i].rule->code, report.findings[i].message);
    for (size_t i = 0; good && i < tables->table_count; i++) {
        const struct vmr_firmware_table *table = &tables->tables[i];

        printf("%s %s 0x%" PRIx64 " %zu %016" PRIx64 "\n", shape->name, table->name, table->gpa, table->size,
               hash(table->bytes, table->size));
        good = write_file(folder, shape->name, table);
    }
    good = good && write_facts(folder, shape->name, machine_resolved(machine));
    vmr_firmware_tables_destroy(tables);
    vmr_config_report_finish(&report);
    machine_destroy(machine);
    return good;
}

int main(int argc, char **argv)
{
    const struct machine_shape *shape;

    if (argc != 2)
        return 2;
    for (size_t i = 0; (shape = machine_shape(i)); i++) {
        if (!dump(argv[1], shape)) {
            (void)fprintf(stderr, "%s: no tables\n", shape->name);
            return 1;
        }
    }
    return 0;
}
