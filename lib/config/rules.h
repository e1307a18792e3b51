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
