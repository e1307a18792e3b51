/* SPDX-License-Identifier: MIT */
/*
 * vmrig config tables: what firmware will tell a guest of the machine.
 */

#include "tools/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/config_input.h"
#include "tools/infile.h"
#include "tools/outfile.h"
#include "vmrig/firmware_tables.h"

#define DSDT_BYTES_MAX (16u << 20)

enum tables_option {
    TABLES_OUTPUT
};

static const struct args_option tables_options[] = {
    [TABLES_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .value = "DIR",
                       .help = "write NAME.aml, NAME.bin, DTB.dtb there"},
};
const struct args_spec config_tables_spec = {
    .options = tables_options,
    .option_count = 1,
    .operands = {"FILE"},
    .details = "One line each: name, address, size, the sum of its bytes (0: it has a checksum).\n",
};

/* By what programs expect: tables with a header are AML files to iasl. */
static const char *suffix_of(const struct vmr_firmware_table *table)
{
    if (strcmp(table->name, "DTB") == 0)
        return "dtb";
    return strlen(table->name) == 4 && strcmp(table->name, "RSDP") != 0 && strcmp(table->name, "E820") != 0 ? "aml"
                                                                                                            : "bin";
}

static int write_table(const char *command, const char *folder, const struct vmr_firmware_table *table)
{
    char name[4096];
    struct outfile output;
    struct vmr_trace_sink sink;
    struct vmr_error err = {.message = ""};
    int length = snprintf(name, sizeof(name), "%s/%s.%s", folder, table->name, suffix_of(table));

    if (length < 0 || (size_t)length >= sizeof(name))
        return tool_fail(command, "'%s': the name is too long", folder);
    outfile_init(&output, name, OUTFILE_WHOLE);
    outfile_sink(&output, &sink);

    enum vmr_status status = outfile_open(&output, &err);

    if (!status)
        status = sink.write(sink.context, table->bytes, table->size);
    if (!status)
        status = outfile_finish(&output, &err);
    if (status) {
        outfile_explain(&output, &err);
        outfile_discard(&output);
        return tool_fail(command, "%s", err.message);
    }
    return TOOL_OK;
}

static int print_tables(const struct args *args, const struct vmr_firmware_tables *tables)
{
    const char *folder = args_value(args, TABLES_OUTPUT);
    int ret = TOOL_OK;

    for (size_t i = 0; i < tables->table_count && ret == TOOL_OK; i++) {
        const struct vmr_firmware_table *table = &tables->tables[i];
        uint8_t sum = 0;

        for (size_t at = 0; at < table->size; at++)
            sum = (uint8_t)(sum + table->bytes[at]);
        (void)printf("%-8s 0x%010" PRIx64 " %8zu 0x%02x\n", table->name, table->gpa, table->size, sum);
        if (folder)
            ret = write_table(args->command, folder, table);
    }
    return ret;
}

/* A custom DSDT that the configuration has as a path; `dsdt` stays empty where there is none. False: said. */
static bool read_dsdt(const char *command, const struct vmr_config *config, void **ret_bytes,
                      struct vmr_config_blob *dsdt)
{
    const struct vmr_config_blob *given = &config->load_mode.linux_direct.custom_dsdt;
    struct infile input;
    struct vmr_error err = {.message = ""};

    if (config->load_mode.mode != VMR_LOAD_LINUX || given->bytes || !given->path)
        return true;

    enum vmr_status status = infile_open(&input, given->path, &err);

    if (status) {
        (void)tool_fail(command, "%s", err.message);
        return false;
    }
    status = infile_read_all(&input, DSDT_BYTES_MAX, ret_bytes, &dsdt->size, &err);
    if (status) {
        infile_explain(&input, &err);
        (void)tool_fail(command, "'%s': %s", given->path, err.message);
    }
    infile_close(&input);
    dsdt->bytes = *ret_bytes;
    return status == VMR_OK;
}

int config_tables_run(const struct args *args)
{
    struct vmr_config_file *file = config_input_need(args->command, args->operands[0]);
    struct vmr_config_report report = {0};
    struct vmr_resolved *resolved = NULL;
    struct vmr_firmware_tables *tables = NULL;
    struct vmr_firmware_tables_options options = {.base = 0};
    void *dsdt = NULL;
    int ret = TOOL_FAILED;

    if (!file)
        return TOOL_FAILED;
    if (!read_dsdt(args->command, vmr_config_file_get(file), &dsdt, &options.dsdt)) {
        vmr_config_file_destroy(file);
        return TOOL_FAILED;
    }

    enum vmr_status status = vmr_resolve(vmr_config_file_get(file), &resolved, &report);

    if (!status)
        status = vmr_firmware_tables_build(resolved, &options, &tables, &report);
    if (status == VMR_OK) {
        ret = print_tables(args, tables);
    } else if (report.count > 0) {
        vmr_config_file_locate(file, &report);
        config_input_print_findings(stderr, args->operands[0], &report);
    } else {
        ret = tool_fail(args->command, "out of memory");
    }
    vmr_firmware_tables_destroy(tables);
    vmr_resolved_destroy(resolved);
    vmr_config_report_finish(&report);
    vmr_config_file_destroy(file);
    free(dsdt);
    return ret;
}
