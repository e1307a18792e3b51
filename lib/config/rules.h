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
    RULE_FILE_COUNT
};
extern const struct vmr_config_rule rules_file[RULE_FILE_COUNT];
