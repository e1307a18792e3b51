/* SPDX-License-Identifier: MIT */
/*
 * All rules in one sequence: tables in the order of the steps.
 */

#include "lib/config/rules.h"

#include <string.h>

#include "lib/config/check_rules.h"

static const struct {
    const struct vmr_config_rule *rules;
    size_t count;
} tables[] = {
    /* The file; what the check looks at, part by part; resolution; the host; tables; building. One a line. */
    /* clang-format off */
    {rules_file, RULE_FILE_COUNT},
    {rules_field, RULE_FIELD_COUNT},
    {rules_load, RULE_LOAD_COUNT},
    {rules_device, RULE_DEVICE_COUNT},
    {rules_pcie, RULE_PCIE_COUNT},
    {rules_numa, RULE_NUMA_COUNT},
    {rules_processor, RULE_CPU_COUNT},
    {rules_hypervisor, RULE_HV_COUNT},
    {rules_chipset, RULE_CHIPSET_COUNT},
    {rules_vmbus, RULE_VMBUS_COUNT},
    {rules_uefi, RULE_UEFI_COUNT},
    {rules_layout, RULE_LAYOUT_COUNT},
    {rules_address, RULE_ADDRESS_COUNT},
    {rules_number, RULE_NUMBER_COUNT},
    {rules_host, RULE_HOST_COUNT},
    {rules_tables, RULE_TABLES_COUNT},
    {rules_build, RULE_BUILD_COUNT},
    /* clang-format on */
};

const struct vmr_config_rule *vmr_config_rule_get(size_t index)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (index < tables[i].count)
            return &tables[i].rules[index];
        index -= tables[i].count;
    }
    return NULL;
}

const struct vmr_config_rule *vmr_config_rule_find(const char *code)
{
    const struct vmr_config_rule *rule;

    for (size_t i = 0; (rule = vmr_config_rule_get(i)); i++) {
        if (strcmp(rule->code, code) == 0)
            return rule;
    }
    return NULL;
}
