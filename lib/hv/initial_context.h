/* SPDX-License-Identifier: MIT */
#pragma once

/* The registers with which a guest lets a VP begin (TLFS, HV_INITIAL_VP_CONTEXT). */

#include "vmrig/hv_spec.h"
#include "vmrig/vtl.h"

/*
 * Reads HV_INITIAL_CONTEXT_BYTES that a guest wrote; what they do not hold is as
 * after power-up. HV_STATUS_INVALID_REGISTER_VALUE, and nothing written, for
 * what no processor could hold: paging without protection, long mode that does
 * not match paging and PAE, a memory type that there is not.
 */
enum hv_status initial_context_decode(const uint8_t *guest_context, struct vmr_hv_initial *ret_initial);
/* The same of one that was saved. */
bool initial_context_is_possible(const struct vmr_hv_initial *initial);
