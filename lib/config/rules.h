/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All rules, in tables by the step that applies them. A rule is named by its
 * table and its number there: &rules_file[RULE_FILE_SYNTAX]. Each table is in a
 * file of its own.
 */

#include "vmrig/config_report.h"

/* Of a file, whatever it configures. */
enum rule_file {
    RULE_FILE_SYNTAX,
    RULE_FILE_ENCODING,
    RULE_FILE_SIZE,
    RULE_FILE_DEPTH,
    RULE_FILE_VALUES,
    RULE_FILE_KEY_UNKNOWN,
    RULE_FILE_KEY_TWICE,
    RULE_FILE_TYPE,
    RULE_FILE_INTEGER,
    RULE_FILE_NUMBER_FIT,
    RULE_FILE_NUMBER_TEXT,
    RULE_FILE_NAME_UNKNOWN,
    RULE_FILE_CHOICE,
    RULE_FILE_ITEMS,
    RULE_FILE_TEXT_NUL,
    RULE_FILE_GUID,
    RULE_FILE_MAC,
    RULE_FILE_RANGE,
    RULE_FILE_BYTES,
    RULE_FILE_RESOURCE,
    RULE_FILE_COUNT
};
extern const struct vmr_config_rule rules_file[RULE_FILE_COUNT];

/* Of the address space. */
enum rule_address {
    RULE_ADDRESS_SIZE,
    RULE_ADDRESS_ALIGNMENT,
    RULE_ADDRESS_RANGE,
    RULE_ADDRESS_OVERLAP,
    RULE_ADDRESS_EXHAUSTED,
    RULE_ADDRESS_ECAM,
    RULE_ADDRESS_VTL2_RAM,
    RULE_ADDRESS_COUNT
};
extern const struct vmr_config_rule rules_address[RULE_ADDRESS_COUNT];

/* Of numbers that follow from the configuration. */
enum rule_number {
    RULE_NUMBER_BUSES,
    RULE_NUMBER_INTERRUPTS,
    RULE_NUMBER_COUNT
};
extern const struct vmr_config_rule rules_number[RULE_NUMBER_COUNT];

/* Of the host. */
enum rule_host {
    RULE_HOST_ARCH,
    RULE_HOST_VPS,
    RULE_HOST_ADDRESS_BITS,
    RULE_HOST_X2APIC,
    RULE_HOST_GIC,
    RULE_HOST_ITS,
    RULE_HOST_NESTED,
    RULE_HOST_VTL2,
    RULE_HOST_ISOLATION,
    RULE_HOST_COUNT
};
extern const struct vmr_config_rule rules_host[RULE_HOST_COUNT];
/* Of building: what is asked for and is not there. */
enum rule_build {
    RULE_BUILD_ARCH,
    RULE_BUILD_LOAD_MODE,
    RULE_BUILD_DEVICE,
    RULE_BUILD_CONTROLLERS,
    RULE_BUILD_CAPABILITY,
    RULE_BUILD_RESOURCE,
    RULE_BUILD_PARAMETER,
    RULE_BUILD_TWICE,
    RULE_BUILD_TOPOLOGY,
    RULE_BUILD_NUMA,
    RULE_BUILD_BACKING,
    RULE_BUILD_RAM,
    RULE_BUILD_CLOCK,
    RULE_BUILD_FILE,
    RULE_BUILD_FEATURE,
    RULE_BUILD_COUNT
};
extern const struct vmr_config_rule rules_build[RULE_BUILD_COUNT];
/* Of firmware tables. */
enum rule_tables {
    RULE_TABLES_DSDT,
    RULE_TABLES_DSDT_BYTES,
    RULE_TABLES_CMDLINE,
    RULE_TABLES_TREE_CXL,
    RULE_TABLES_TREE_INITIATOR,
    RULE_TABLES_ALIGNMENT,
    RULE_TABLES_NOT_RAM,
    RULE_TABLES_OVERLAP,
    RULE_TABLES_NO_ROOM,
    RULE_TABLES_TREE_SIZE,
    RULE_TABLES_COUNT
};
extern const struct vmr_config_rule rules_tables[RULE_TABLES_COUNT];
