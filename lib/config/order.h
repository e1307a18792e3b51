/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The order of a configuration's fields, for findings that were made in another.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/arena.h"
#include "vmrig/config_report.h"

/* Puts the findings from index `first` on in the order of their paths; those of one place stay in theirs. False: out of
   memory, and nothing was moved. */
bool order_findings(struct vmr_config_report *report, size_t first, struct arena *arena);
