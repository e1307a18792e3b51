/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which tables a machine has, and what their formats cannot say of it, whatever
 * it is resolved to.
 */

#include "vmrig/config_report.h"

/* Whether the machine is described by a device tree; by ACPI. Both where nothing is loaded on arm64. */
bool config_has_tree(const struct vmr_config *config);
bool config_has_acpi(const struct vmr_config *config);

/* Lists are as long as they say. */
void config_check_tables(const struct vmr_config *config, struct vmr_config_report *report);

/* Why `dsdt`, which has bytes, is no DSDT; NULL: it is one. Its checksum is not looked at: that is set anew. */
const char *config_dsdt_fault(const struct vmr_config_blob *dsdt);
