/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What firmware tables cannot say of a configuration, whatever it is resolved
 * to.
 */

#include "vmrig/config_report.h"

/* Linux's COMMAND_LINE_SIZE on arm64, without the end. */
#define CONFIG_TREE_CMDLINE_MAX 2047u

/* Whether the machine is described by a device tree; by ACPI. Both where nothing is loaded on arm64. */
bool config_has_tree(const struct vmr_config *config);
bool config_has_acpi(const struct vmr_config *config);

/* `cmdline` (NULL: none) and `dsdt` are those that are used: the configuration's, or others in their place. */
void config_check_tables(const struct vmr_config *config, const char *cmdline, const struct vmr_config_blob *dsdt,
                         struct vmr_config_report *report);
