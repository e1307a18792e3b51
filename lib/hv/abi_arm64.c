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

/* The first register of a convention: its control; the words follow. */
#define HVC_FIRST 0u
#define SMCCC_FIRST 1u

static uint64_t no_vtl_input(const struct vmr_hv_call_registers *registers)
{
    (void)registers;
    return 0;
}

static void set_result(struct vmr_hv_call_registers *registers, uint64_t value)
{
    abi_set_gpr(registers, 0, value);
}

static uint64_t hvc_control(const struct vmr_hv_call_registers *registers)
{
    return registers->gpr[HVC_FIRST];
}

static void hvc_set_control(struct vmr_hv_call_registers *registers, uint64_t value)
{
    abi_set_gpr(registers, HVC_FIRST, value);
}

static uint64_t hvc_word(const struct vmr_hv_call_registers *registers, unsigned index)
{
    return registers->gpr[HVC_FIRST + 1 + index];
}

static void hvc_set_word(struct vmr_hv_call_registers *registers, unsigned index, uint64_t value)
{
    abi_set_gpr(registers, HVC_FIRST + 1 + index, value);
}

static uint64_t hvc_input_gpa(const struct vmr_hv_call_registers *registers)
{
    return hvc_word(registers, 0);
}

static uint64_t hvc_output_gpa(const struct vmr_hv_call_registers *registers)
{
    return hvc_word(registers, 1);
}

const struct abi abi_arm64_hvc = {
    .pairs = PAIRS,
    .fast_output = true,
    .output_at_end = true,
    .arm64 = true,
    .pc_mask = UINT64_MAX,
    .control = hvc_control,
    .set_control = hvc_set_control,
    .input_gpa = hvc_input_gpa,
    .output_gpa = hvc_output_gpa,
    .vtl_input = no_vtl_input,
    .set_result = set_result,
    .word = hvc_word,
    .set_word = hvc_set_word,
};

static uint64_t smccc_control(const struct vmr_hv_call_registers *registers)
{
    return registers->gpr[SMCCC_FIRST];
}

static void smccc_set_control(struct vmr_hv_call_registers *registers, uint64_t value)
{
    abi_set_gpr(registers, SMCCC_FIRST, value);
}

static uint64_t smccc_word(const struct vmr_hv_call_registers *registers, unsigned index)
{
    return registers->gpr[SMCCC_FIRST + 1 + index];
}

static void smccc_set_word(struct vmr_hv_call_registers *registers, unsigned index, uint64_t value)
{
    abi_set_gpr(registers, SMCCC_FIRST + 1 + index, value);
}

static uint64_t smccc_input_gpa(const struct vmr_hv_call_registers *registers)
{
    return smccc_word(registers, 0);
}

static uint64_t smccc_output_gpa(const struct vmr_hv_call_registers *registers)
{
    return smccc_word(registers, 1);
}

const struct abi abi_arm64_smccc = {
    .pairs = PAIRS,
    .fast_output = true,
    .arm64 = true,
    .pc_mask = UINT64_MAX,
    .control = smccc_control,
    .set_control = smccc_set_control,
    .input_gpa = smccc_input_gpa,
    .output_gpa = smccc_output_gpa,
    .vtl_input = no_vtl_input,
    .set_result = set_result,
    .word = smccc_word,
    .set_word = smccc_set_word,
};
