/* SPDX-License-Identifier: MIT */
/*
 * The limits of table formats that a configuration alone can go beyond.
 */

#include "lib/config/check_tables.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/config/report.h"
#include "lib/config/rules.h"

#define DSDT_HEADER_BYTES 36u
#define SMBIOS_DEVICE_MIB_MAX INT32_MAX /* of 31 bits (DSP0134 3.6.0, 7.18.5) */

static bool boots_by_tree(const struct vmr_config *config)
{
    return config->load_mode.mode == VMR_LOAD_LINUX &&
           config->load_mode.linux_direct.boot_mode == VMR_LINUX_BOOT_DEVICE_TREE;
}

bool config_has_tree(const struct vmr_config *config)
{
    return config->arch == VMR_ARCH_ARM64 && (boots_by_tree(config) || config->load_mode.mode == VMR_LOAD_NONE);
}

bool config_has_acpi(const struct vmr_config *config)
{
    return config->arch != VMR_ARCH_ARM64 || !boots_by_tree(config);
}

static void check_nodes(const struct vmr_numa_config *numa, struct vmr_config_report *report)
{
    struct config_path path = {.length = 0};

    path_key(&path, "numa");
    path_key(&path, "nodes");
    for (size_t i = 0; i < numa->node_count; i++) {
        const struct vmr_memory_config *mem = numa->nodes[i].mem;

        if (!mem || mem->mem_size >> 20 <= SMBIOS_DEVICE_MIB_MAX)
            continue;

        size_t length = path_index(&path, i);

        path_key(&path, "mem");
        path_key(&path, "mem_size");
        report_add(report, &rules_tables[RULE_TABLES_NODE_SIZE], &path, "%" PRIu64 " bytes", mem->mem_size);
        path_cut(&path, length);
    }
}

static const char *dsdt_fault(const struct vmr_config_blob *dsdt)
{
    const uint8_t *bytes = dsdt->bytes;
    uint8_t sum = 0;

    if (dsdt->size < DSDT_HEADER_BYTES)
        return "shorter than a header";
    if (memcmp(bytes, "DSDT", 4) != 0)
        return "the signature is not DSDT";
    if (load_le32(bytes + 4) != dsdt->size)
        return "the length in the header is another";
    for (size_t i = 0; i < dsdt->size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum != 0 ? "the checksum is wrong" : NULL;
}

static void check_dsdt(const struct vmr_config_blob *dsdt, struct vmr_config_report *report)
{
    const char *fault = dsdt && dsdt->bytes ? dsdt_fault(dsdt) : NULL;
    struct config_path path = {.length = 0};

    if (!fault)
        return;
    path_key(&path, "load_mode");
    path_key(&path, "linux");
    path_key(&path, "custom_dsdt");
    report_add(report, &rules_tables[RULE_TABLES_DSDT], &path, "%zu bytes: %s", dsdt->size, fault);
}

static void check_cmdline(const char *cmdline, struct vmr_config_report *report)
{
    struct config_path path = {.length = 0};
    size_t length = cmdline ? strlen(cmdline) : 0;

    if (length <= CONFIG_TREE_CMDLINE_MAX)
        return;
    path_key(&path, "load_mode");
    path_key(&path, "linux");
    path_key(&path, "cmdline");
    report_add(report, &rules_tables[RULE_TABLES_CMDLINE], &path, "%zu bytes", length);
}

/* A tree that is there beside ACPI may be silent about what only ACPI can say. */
static void check_tree(const struct vmr_config *config, struct vmr_config_report *report)
{
    struct config_path path = {.length = 0};

    path_key(&path, "pcie_root_complexes");
    for (size_t i = 0; i < config->pcie_root_complex_count; i++) {
        size_t before = path_index(&path, i);

        path_key(&path, "cxl");
        if (config->pcie_root_complexes[i].cxl)
            report_add(report, &rules_tables[RULE_TABLES_TREE_CXL], &path, "root complex '%s'",
                       config->pcie_root_complexes[i].name);
        path_cut(&path, before);
    }
    path_cut(&path, 0);
    path_key(&path, "pcie_generic_initiators");
    for (size_t i = 0; i < config->pcie_generic_initiator_count; i++) {
        size_t before = path_index(&path, i);

        report_add(report, &rules_tables[RULE_TABLES_TREE_INITIATOR], &path, "port '%s'",
                   config->pcie_generic_initiators[i].port_name);
        path_cut(&path, before);
    }
}

void config_check_tables(const struct vmr_config *config, const char *cmdline, const struct vmr_config_blob *dsdt,
                         struct vmr_config_report *report)
{
    check_nodes(&config->numa, report);
    if (config->load_mode.mode == VMR_LOAD_LINUX && config_has_acpi(config))
        check_dsdt(dsdt, report);
    if (config_has_tree(config))
        check_cmdline(cmdline, report);
    if (!config_has_acpi(config))
        check_tree(config, report);
}
