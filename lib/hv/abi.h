/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A calling convention: where control, addresses, result and the parameters of
 * fast calls are in the registers. One constant for each, in abi_x64.c and
 * abi_arm64.c; the dispatcher knows no register by name.
 *
 * Fast parameters are words of 8 bytes, numbered from 0, two to a pair. In every
 * convention a slow call has the address of its input in word 0 and that of its
 * output in word 1.
 */

#include "vmrig/hv.h"

struct abi {
    uint8_t pairs;      /* of registers for a fast call */
    bool fast_output;   /* a fast call may have output */
    bool output_at_end; /* it fills the last pairs; else those right after the input */
    bool arm64;         /* which sizes apply */
    uint64_t pc_mask;
    uint8_t first; /* arm64: the register of the control; the words follow it */
    uint64_t (*control)(const struct abi *abi, const struct vmr_hv_call_registers *registers);
    void (*set_control)(const struct abi *abi, struct vmr_hv_call_registers *registers, uint64_t value);
    uint64_t (*vtl_input)(const struct vmr_hv_call_registers *registers);
    void (*set_result)(struct vmr_hv_call_registers *registers, uint64_t value);
    uint64_t (*word)(const struct abi *abi, const struct vmr_hv_call_registers *registers, unsigned index);
    void (*set_word)(const struct abi *abi, struct vmr_hv_call_registers *registers, unsigned index, uint64_t value);
};

extern const struct abi abi_x64, abi_x86, abi_arm64_hvc, abi_arm64_smccc;

/* NULL for a number that is none of enum vmr_hv_abi. */
const struct abi *abi_find(unsigned number);

/* `length` bytes of fast parameters from word 0 on; they must fit the pairs. */
void abi_read_fast(const struct abi *abi, const struct vmr_hv_call_registers *registers, uint8_t *ret_bytes,
                   size_t length);

/* Stores at `offset` bytes from word 0 on. Bytes around them, also in the same register, stay. */
void abi_write_fast(const struct abi *abi, struct vmr_hv_call_registers *registers, size_t offset, const uint8_t *bytes,
                    size_t length);

/* Sets a register and its bit in the mask. */
static inline void abi_set_gpr(struct vmr_hv_call_registers *registers, unsigned index, uint64_t value)
{
    registers->gpr[index] = value;
    registers->gpr_modified |= UINT32_C(1) << index;
}
