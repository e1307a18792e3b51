/* SPDX-License-Identifier: MIT */
/*
 * Texts that claim to be configurations: what is refused has findings that name
 * a rule and a place in the text, what is taken is taken by the check alone too,
 * and prints as something that reads and prints the same. The machine that it
 * asks for overlaps nowhere, has all its memory, is the same a second time, and
 * has tables, or it is said why not. [CFG-2] [CFG-3] [CFG-4] [RES-1] [LAY-2]
 */

#include "fuzz/fuzz.h"

#include <string.h>

#include "vmrig/config_file.h"
#include "vmrig/firmware_tables.h"

static uint32_t count_lines(const uint8_t *data, size_t size)
{
    uint32_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

static void check_findings(const struct vmr_config_report *report, const uint8_t *data, size_t size)
{
    const uint32_t lines = count_lines(data, size);

    FUZZ_CHECK(report->count > 0 && report->count <= VMR_CONFIG_FINDING_MAX);
    FUZZ_CHECK(report->omitted == 0 || report->count == VMR_CONFIG_FINDING_MAX);
    for (size_t i = 0; i < report->count; i++) {
        const struct vmr_config_finding *one = &report->findings[i];

        FUZZ_CHECK(vmr_config_rule_find(one->rule->code) == one->rule);
        FUZZ_CHECK(one->message[0] != '\0' && memchr(one->message, '\0', sizeof(one->message)));
        FUZZ_CHECK(memchr(one->path, '\0', sizeof(one->path)));
        FUZZ_CHECK(one->line <= lines && (one->line == 0) == (one->column == 0));
        FUZZ_CHECK(one->line != 0 || one->path[0] == '\0'); /* what has a path has a place */
        FUZZ_CHECK(i == 0 || one->line == 0 || one[-1].line <= one->line);
    }
}

static void check_same(const struct vmr_config_text *printed)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    struct vmr_config_text again;
    enum vmr_status status = vmr_config_file_read(printed->bytes, printed->length, &file, &report);

    FUZZ_CHECK(status == VMR_OK);
    FUZZ_CHECK(vmr_config_print(vmr_config_file_get(file), &again, NULL) == VMR_OK);
    FUZZ_CHECK(again.length == printed->length && memcmp(again.bytes, printed->bytes, again.length) == 0);
    free(again.bytes);
    vmr_config_file_destroy(file);
}

/* --- the machine --- */

static void check_addresses(const struct vmr_resolved *machine)
{
    const struct vmr_resolved_memory *memory = &machine->memory;
    uint64_t ram = 0, wanted = 0;

    for (size_t i = 0; i < memory->placement_count; i++) {
        const struct vmr_gpa_range *range = &memory->placements[i].range;

        FUZZ_CHECK(range->start < range->end && (range->start | range->end) % 4096 == 0);
        FUZZ_CHECK(i == 0 || memory->placements[i - 1].range.end <= range->start);
    }
    for (size_t i = 0; i < memory->ram_count; i++)
        ram += memory->ram[i].range.end - memory->ram[i].range.start;
    for (uint32_t i = 0; i < machine->numa.node_count; i++)
        wanted += machine->numa.nodes[i].mem ? machine->numa.nodes[i].mem->mem_size : 0;
    FUZZ_CHECK(ram == wanted && ram == memory->ram_size);
    FUZZ_CHECK(memory->top <= UINT64_C(1) << machine->physical_bits_needed);
}

static void check_buses(const struct vmr_resolved_pcie *pcie)
{
    for (uint32_t i = 0; i < pcie->port_count; i++) {
        const struct vmr_resolved_port *port = &pcie->ports[i];
        const struct vmr_pcie_root_complex_config *complex = pcie->root_complexes[port->root_complex].config;

        FUZZ_CHECK(port->bus >= complex->start_bus && port->bus < port->secondary_bus);
        FUZZ_CHECK(port->secondary_bus <= port->subordinate_bus && port->subordinate_bus <= complex->end_bus);
    }
}

static void check_forms(const struct vmr_resolved *machine, const struct vmr_resolved *again)
{
    struct vmr_config_text text, first, second;

    FUZZ_CHECK(vmr_resolved_print(machine, &text, NULL) == VMR_OK);
    free(text.bytes);
    FUZZ_CHECK(vmr_resolved_print_svg(machine, &text, NULL) == VMR_OK);
    free(text.bytes);
    FUZZ_CHECK(vmr_resolved_print_json(machine, &first, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_resolved_print_json(again, &second, NULL) == VMR_OK);
    FUZZ_CHECK(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0);
    free(first.bytes);
    free(second.bytes);
}

/* A step beyond the check: done, or refused with findings. */
static bool check_step(enum vmr_status status, struct vmr_config_report *report)
{
    FUZZ_CHECK(status == VMR_OK || status == VMR_E_CONFIG);
    FUZZ_CHECK((status == VMR_OK) == (report->count == 0));
    for (size_t i = 0; i < report->count; i++)
        FUZZ_CHECK(vmr_config_rule_find(report->findings[i].rule->code) == report->findings[i].rule);
    vmr_config_report_finish(report);
    return status == VMR_OK;
}

static void check_machine(const struct vmr_config *config)
{
    struct vmr_config_report report = {0};
    struct vmr_resolved *machine = NULL, *again = NULL;
    struct vmr_firmware_tables *tables = NULL;

    if (!check_step(vmr_resolve(config, &machine, &report), &report))
        return;
    report = (struct vmr_config_report){0};
    FUZZ_CHECK(check_step(vmr_resolve(config, &again, &report), &report));
    check_addresses(machine);
    check_buses(&machine->pcie);
    check_forms(machine, again);
    report = (struct vmr_config_report){0};
    (void)check_step(vmr_firmware_tables_build(machine, NULL, &tables, &report), &report);
    vmr_firmware_tables_destroy(tables);
    vmr_resolved_destroy(again);
    vmr_resolved_destroy(machine);
}

static void check_good(const struct vmr_config *config)
{
    struct vmr_config_report report = {0};
    struct vmr_config_text printed;

    FUZZ_CHECK(vmr_config_check(config, &report) == VMR_OK && report.count == 0);
    FUZZ_CHECK(vmr_config_print(config, &printed, NULL) == VMR_OK);
    check_same(&printed);
    free(printed.bytes);
    check_machine(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    enum vmr_status status = vmr_config_file_read(data, size, &file, &report);

    FUZZ_CHECK(status == VMR_OK || status == VMR_E_CONFIG);
    if (status == VMR_OK) {
        FUZZ_CHECK(report.count == 0 && report.omitted == 0);
        check_good(vmr_config_file_get(file));
    } else {
        FUZZ_CHECK(!file);
        check_findings(&report, data, size);
    }
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return 0;
}
