/* SPDX-License-Identifier: MIT */
/*
 * vmrig config resolve, vmrig config tables: the machine that a configuration
 * file asks for, and what its guest is told of it.
 */

#include "tools/cmd_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/config_input.h"
#include "tools/infile.h"
#include "tools/json.h"
#include "tools/outfile.h"
#include "vmrig/firmware_tables.h"

#define DSDT_MAX (1u << 20)

/* A file, and the machine that it asks for. */
struct machine {
    struct vmr_config_file *file;
    struct vmr_resolved *resolved;
};

static void machine_finish(struct machine *machine)
{
    vmr_resolved_destroy(machine->resolved);
    vmr_config_file_destroy(machine->file);
}

/* What a step has found in the file, with its places. The step's status decides. */
static int say_findings(const struct args *args, const struct vmr_config_file *file, enum vmr_status status,
                        struct vmr_config_report *report)
{
    if (status == VMR_E_CONFIG) {
        vmr_config_file_locate(file, report);
        config_input_print_findings(stderr, args->operands[0], report);
    } else if (status != VMR_OK) {
        (void)tool_fail(args->command, "'%s': %s", args->operands[0], vmr_status_name(status));
    }
    vmr_config_report_finish(report);
    return status == VMR_OK ? TOOL_OK : TOOL_FAILED;
}

/* To be finished whatever comes back. */
static int machine_resolve(struct machine *machine, const struct args *args)
{
    struct vmr_config_report report = {0};

    machine->file = config_input_need(args->command, args->operands[0]);
    if (!machine->file)
        return TOOL_FAILED;
    enum vmr_status status = vmr_resolve(vmr_config_file_get(machine->file), &machine->resolved, &report);

    return say_findings(args, machine->file, status, &report);
}

static int write_file(const struct args *args, const char *name, const void *bytes, size_t size)
{
    struct vmr_error err = {0};
    struct vmr_trace_sink sink;
    struct outfile output;

    outfile_init(&output, name, OUTFILE_WHOLE);
    enum vmr_status status = outfile_open(&output, &err);

    outfile_sink(&output, &sink);
    if (status == VMR_OK)
        status = sink.write(sink.context, bytes, size);
    if (status == VMR_OK)
        status = outfile_finish(&output, &err);
    outfile_explain(&output, &err);
    outfile_discard(&output);
    return status == VMR_OK ? TOOL_OK : tool_fail(args->command, "%s", err.message);
}

/* --- resolve --- */

enum resolve_option {
    RESOLVE_JSON,
    RESOLVE_SVG
};

static const struct args_option resolve_options[] = {
    [RESOLVE_JSON] = {.name = "json", .help = "print JSON instead"},
    [RESOLVE_SVG] = {.name = "svg", .value = "FILE", .help = "draw it there instead"},
};
const struct args_spec config_resolve_spec = {
    .options = resolve_options,
    .option_count = 2,
    .operands = {"FILE"},
    .details = "Prints processors, address map and PCIe tree: all that the configuration leaves open,\n"
               "the same on every host.\n",
};

int config_resolve(const struct args *args)
{
    const char *svg = args_value(args, RESOLVE_SVG);
    struct machine machine = {0};
    struct vmr_config_text text = {0};
    struct vmr_error err = {0};

    if (svg && args_has(args, RESOLVE_JSON))
        return tool_usage(args->command, "--json and --svg are two different forms");
    if (machine_resolve(&machine, args) != TOOL_OK) {
        machine_finish(&machine);
        return TOOL_FAILED;
    }
    enum vmr_status status = svg                            ? vmr_resolved_print_svg(machine.resolved, &text, &err)
                             : args_has(args, RESOLVE_JSON) ? vmr_resolved_print_json(machine.resolved, &text, &err)
                                                            : vmr_resolved_print(machine.resolved, &text, &err);
    int ret = status == VMR_OK ? TOOL_OK : tool_fail(args->command, "%s", err.message);

    if (ret == TOOL_OK && svg)
        ret = write_file(args, svg, text.bytes, text.length);
    else if (ret == TOOL_OK)
        (void)fwrite(text.bytes, 1, text.length, stdout);
    free(text.bytes);
    machine_finish(&machine);
    return ret;
}

/* --- tables --- */

enum tables_option {
    TABLES_OUTPUT,
    TABLES_JSON
};

static const struct args_option tables_options[] = {
    [TABLES_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .value = "DIR",
                       .help = "write NAME.aml, NAME.bin, DTB.dtb there"},
    [TABLES_JSON] = {.name = "json", .help = "print JSON: {\"tables\": [{\"name\", \"gpa\", \"size\"}]}"},
};
const struct args_spec config_tables_spec = {
    .options = tables_options,
    .option_count = 2,
    .operands = {"FILE"},
    .details = "Lists what the guest's firmware tells it of the machine: ACPI, SMBIOS, E820, a device\n"
               "tree. Of several tables with one name the second is written to NAME2.aml.\n",
};

/* The DSDT that the configuration names; `ret_bytes` is for free(). NULL: it names none. */
static int read_dsdt(const struct args *args, const struct vmr_config *config, void **ret_bytes, size_t *ret_size)
{
    const struct vmr_load_config *load = &config->load_mode;
    const char *path = load->mode == VMR_LOAD_LINUX ? load->linux_direct.custom_dsdt.path : NULL;
    struct infile input = {0};
    struct vmr_error err = {0};

    if (!path)
        return TOOL_OK;
    char *whole = config_input_beside(args->operands[0], path);

    if (!whole)
        return tool_fail(args->command, "out of memory");
    enum vmr_status status = infile_open(&input, whole, &err);

    if (status == VMR_OK)
        status = infile_read_all(&input, DSDT_MAX, ret_bytes, ret_size, &err);
    infile_close(&input);
    free(whole);
    return status == VMR_OK ? TOOL_OK : tool_fail(args->command, "load_mode.linux.custom_dsdt: %s", err.message);
}

/* How many of that name come before it. */
static unsigned count_before(const struct vmr_firmware_tables *tables, size_t index)
{
    unsigned count = 0;

    for (size_t i = 0; i < index; i++)
        count += strcmp(tables->tables[i].name, tables->tables[index].name) == 0;
    return count;
}

/* By what programs expect: tables with a header are AML files to iasl. */
static const char *suffix_of(const struct vmr_firmware_table *table)
{
    if (strcmp(table->name, "DTB") == 0)
        return "dtb";
    return strlen(table->name) == 4 && strcmp(table->name, "RSDP") != 0 && strcmp(table->name, "E820") != 0 ? "aml"
                                                                                                            : "bin";
}

static int write_tables(const struct args *args, const char *folder, const struct vmr_firmware_tables *tables)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return tool_fail(args->command, "cannot make '%s': %s", folder, strerror(errno));
    for (size_t i = 0; i < tables->table_count; i++) {
        const struct vmr_firmware_table *table = &tables->tables[i];
        const unsigned before = count_before(tables, i);
        char name[4096], number[12] = "";

        if (before > 0)
            (void)snprintf(number, sizeof(number), "%u", before + 1);
        int length = snprintf(name, sizeof(name), "%s/%s%s.%s", folder, table->name, number, suffix_of(table));

        if (length >= (int)sizeof(name))
            return tool_fail(args->command, "'%s' is too long", folder);
        if (write_file(args, name, table->bytes, table->size) != TOOL_OK)
            return TOOL_FAILED;
    }
    return TOOL_OK;
}

static int list_tables(const struct args *args, const struct vmr_firmware_tables *tables)
{
    json_t *list = args_has(args, TABLES_JSON) ? json_array() : NULL;
    char gpa[24];

    for (size_t i = 0; i < tables->table_count; i++) {
        const struct vmr_firmware_table *table = &tables->tables[i];

        (void)snprintf(gpa, sizeof(gpa), "0x%" PRIx64, table->gpa);
        if (list)
            (void)json_array_append_new(
                list, json_pack("{s:s, s:s, s:I}", "name", table->name, "gpa", gpa, "size", (json_int_t)table->size));
        else
            (void)printf("%-8s %-12s %zu bytes\n", table->name, gpa, table->size);
    }
    return list ? json_print(args->command, json_pack("{s:o}", "tables", list)) : TOOL_OK;
}

static int make_tables(const struct args *args, const struct machine *machine)
{
    struct vmr_firmware_tables_options options = {0};
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_config_report report = {0};
    void *dsdt = NULL;

    if (read_dsdt(args, vmr_config_file_get(machine->file), &dsdt, &options.dsdt.size) != TOOL_OK)
        return TOOL_FAILED;
    options.dsdt.bytes = dsdt;
    enum vmr_status status = vmr_firmware_tables_build(machine->resolved, &options, &tables, &report);
    int ret = say_findings(args, machine->file, status, &report);
    const char *folder = args_value(args, TABLES_OUTPUT);

    if (ret == TOOL_OK)
        ret = folder ? write_tables(args, folder, tables) : list_tables(args, tables);
    vmr_firmware_tables_destroy(tables);
    free(dsdt);
    return ret;
}

int config_tables(const struct args *args)
{
    struct machine machine = {0};

    if (args_has(args, TABLES_OUTPUT) && args_has(args, TABLES_JSON))
        return tool_usage(args->command, "--json lists what --output writes: choose one");
    int ret = machine_resolve(&machine, args);

    if (ret == TOOL_OK)
        ret = make_tables(args, &machine);
    machine_finish(&machine);
    return ret;
}
