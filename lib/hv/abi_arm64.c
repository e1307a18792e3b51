/* SPDX-License-Identifier: MIT */
/*
 * The registers of arm64 callers (TLFS, Hypercall Interface, ARM64).
 *
 * HVC #1 has control in X0 and words from X1 on; the SMCCC form shifts
 * everything by one, because X0 holds the function, and gives its result where
 * the function was. Both have eight pairs, but HVC #1 puts output into the last
 * of them, wherever the input ends.
 */

#include "lib/hv/abi.h"

#define PAIRS 8u

static uint64_t control(const struct abi *abi, const struct vmr_hv_call_registers *registers)
{
    return registers->gpr[abi->first];
}

static void set_control(const struct abi *abi, struct vmr_hv_call_registers *registers, uint64_t value)
{
    abi_set_gpr(registers, abi->first, value);
}

static uint64_t no_vtl_input(const struct vmr_hv_call_registers *registers)
{
    (void)registers;
    return 0;
}

static void set_result(struct vmr_hv_call_registers *registers, uint64_t value)
{
    abi_set_gpr(registers, 0, value);
}

static uint64_t word(const struct abi *abi, const struct vmr_hv_call_registers *registers, unsigned index)
{
    return registers->gpr[abi->first + 1u + index];
}

static void set_word(const struct abi *abi, struct vmr_hv_call_registers *registers, unsigned index, uint64_t value)
{
    abi_set_gpr(registers, abi->first + 1u + index, value);
}

const struct abi abi_arm64_hvc = {
    .pairs = PAIRS,
    .fast_output = true,
    .output_at_end = true,
    .arm64 = true,
    .pc_mask = UINT64_MAX,
    .first = 0,
    .control = control,
    .set_control = set_control,
    .vtl_input = no_vtl_input,
    .set_result = set_result,
    .word = word,
    .set_word = set_word,
};

const struct abi abi_arm64_smccc = {
    .pairs = PAIRS,
    .fast_output = true,
    .arm64 = true,
    .pc_mask = UINT64_MAX,
    .first = 1,
    .control = control,
    .set_control = set_control,
    .vtl_input = no_vtl_input,
    .set_result = set_result,
    .word = word,
    .set_word = set_word,
};
