/* SPDX-License-Identifier: MIT */
/*
 * The list of tables.
 */

#include "tests/config/check_cases.h"

const struct check_table check_tables[] = {
    {"field", cases_field},     {"load", cases_load},           {"device", cases_device},
    {"pcie", cases_pcie},       {"windows", cases_windows},     {"ports", cases_ports},
    {"numa", cases_numa},       {"processor", cases_processor}, {"hypervisor", cases_hypervisor},
    {"chipset", cases_chipset}, {"vmbus", cases_vmbus},         {"uefi", cases_uefi},
    {"layout", cases_layout},   {"tables", cases_tables},       {NULL, NULL},
};
