/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one table of hypercalls that the library has a definition of.
 */

#include "vmrig/hv.h"

#define HYPERCALL_NONE SIZE_MAX

/* The place of a call in the table, and so in struct vmr_hv_calls; HYPERCALL_NONE if it is not there. */
size_t hypercall_table_find(uint64_t guest_code);
