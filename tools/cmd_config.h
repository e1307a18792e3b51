/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands of the group `vmrig config` that have a file of their own.
 */

#include "tools/command.h"

extern const struct args_spec config_resolve_spec, config_tables_spec;
int config_resolve(const struct args *args);
int config_tables(const struct args *args);
