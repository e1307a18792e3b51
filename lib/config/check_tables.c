/* SPDX-License-Identifier: MIT */
/*
 * The limits of table formats that a configuration alone can go beyond.
 */

#include "lib/config/check_tables.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/config/report.h"
#include "lib/config/rules.h"

#define DSDT_HEADER_BYTES 36u

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

const char *config_dsdt_fault(const struct vmr_config_blob *dsdt)
{
    const uint8_t *bytes = dsdt->bytes;

    if (dsdt->size < DSDT_HEADER_BYTES)
        return "shorter than a header";
    if (memcmp(bytes, "DSDT", 4) != 0)
        return "the signature is not DSDT";
    return load_le32(bytes + 4) != dsdt->size ? "the length in the header is another" : NULL;
}

static const char *name_of(const char *name)
{
    return name ? name : "";
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
                       name_of(config->pcie_root_complexes[i].name));
        path_cut(&path, before);
    }
    path_cut(&path, 0);
    path_key(&path, "pcie_generic_initiators");
    for (size_t i = 0; i < config->pcie_generic_initiator_count; i++) {
        size_t before = path_index(&path, i);

        report_add(report, &rules_tables[RULE_TABLES_TREE_INITIATOR], &path, "port '%s'",
                   name_of(config->pcie_generic_initiators[i].port_name));
        path_cut(&path, before);
    }
}

void config_check_tables(const struct vmr_config *config, struct vmr_config_report *report)
{
    if (!config_has_acpi(config))
        check_tree(config, report);
}
