/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * x86-64 registers that a guest asks for: their form on the wire, and whether a
 * processor can hold them (Intel SDM vol. 3, 27.3.1, as far as a hypervisor must
 * refuse the rest).
 */

#include "vmrig/vp_state.h"
#include "vmrig/hv_registers.h"

/* What the guest's processor has. */
struct x86_limits {
    uint64_t cr4;          /* bits that exist */
    uint8_t physical_bits; /* of an address in CR3 */
};

struct vmr_x86_segment x86_segment_load(const uint8_t guest_value[HV_REGISTER_VALUE_BYTES]);
void x86_segment_store(const struct vmr_x86_segment *segment, uint8_t ret_value[HV_REGISTER_VALUE_BYTES]);
struct vmr_x86_table x86_table_load(const uint8_t guest_value[HV_REGISTER_VALUE_BYTES]);
void x86_table_store(const struct vmr_x86_table *table, uint8_t ret_value[HV_REGISTER_VALUE_BYTES]);

bool x86_state_is_possible(const struct vmr_x86_regs *regs, const struct x86_limits *limits);
