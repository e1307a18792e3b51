/* SPDX-License-Identifier: MIT */
/*
 * The registers of x86 callers (TLFS, Hypercall Inputs; Extended Fast Hypercall
 * Inputs).
 *
 * In 64-bit mode a value is a register; the words of a fast call are RDX, R8
 * and the halves of XMM0 to XMM5. A 32-bit caller halves every value between
 * two registers, has two words and no output in registers.
 */

#include "lib/hv/abi.h"

#include "vmrig/vp_state.h"

#define XMM_WORD_FIRST 2u /* behind RDX and R8 */

/* --- 64-bit mode --- */

static uint64_t x64_control(const struct abi *abi, const struct vmr_hv_call_registers *registers)
{
    (void)abi;
    return registers->gpr[VMR_X86_RCX];
}

static void x64_set_control(const struct abi *abi, struct vmr_hv_call_registers *registers, uint64_t value)
{
    (void)abi;
    abi_set_gpr(registers, VMR_X86_RCX, value);
}

static uint64_t x64_vtl_input(const struct vmr_hv_call_registers *registers)
{
    return registers->gpr[VMR_X86_RAX];
}

static void x64_set_result(struct vmr_hv_call_registers *registers, uint64_t value)
{
    abi_set_gpr(registers, VMR_X86_RAX, value);
}

static uint64_t x64_word(const struct abi *abi, const struct vmr_hv_call_registers *registers, unsigned index)
{
    (void)abi;
    if (index < XMM_WORD_FIRST)
        return registers->gpr[index == 0 ? VMR_X86_RDX : VMR_X86_R8];
    const struct vmr_hv_xmm *xmm = &registers->xmm[(index - XMM_WORD_FIRST) / 2];

    return index % 2 == 0 ? xmm->low : xmm->high;
}

static void x64_set_word(const struct abi *abi, struct vmr_hv_call_registers *registers, unsigned index, uint64_t value)
{
    (void)abi;
    if (index < XMM_WORD_FIRST) {
        abi_set_gpr(registers, index == 0 ? VMR_X86_RDX : VMR_X86_R8, value);
        return;
    }
    unsigned number = (index - XMM_WORD_FIRST) / 2;
    struct vmr_hv_xmm *xmm = &registers->xmm[number];

    *(index % 2 == 0 ? &xmm->low : &xmm->high) = value;
    registers->xmm_modified |= (uint8_t)(1u << number);
}

const struct abi abi_x64 = {
    .pairs = 1 + VMR_HV_XMM_COUNT,
    .fast_output = true,
    .pc_mask = UINT64_MAX,
    .control = x64_control,
    .set_control = x64_set_control,
    .vtl_input = x64_vtl_input,
    .set_result = x64_set_result,
    .word = x64_word,
    .set_word = x64_set_word,
};

/* --- 32-bit callers --- */

/* What lies above 32 bits in a register is not the caller's. */
static uint64_t join(const struct vmr_hv_call_registers *registers, enum vmr_x86_gpr high, enum vmr_x86_gpr low)
{
    return registers->gpr[high] << 32 | (uint32_t)registers->gpr[low];
}

static void split(struct vmr_hv_call_registers *registers, enum vmr_x86_gpr high, enum vmr_x86_gpr low, uint64_t value)
{
    abi_set_gpr(registers, high, value >> 32);
    abi_set_gpr(registers, low, (uint32_t)value);
}

static uint64_t x86_control(const struct abi *abi, const struct vmr_hv_call_registers *registers)
{
    (void)abi;
    return join(registers, VMR_X86_RDX, VMR_X86_RAX);
}

/* Where the control was, too. */
static void x86_set_result(struct vmr_hv_call_registers *registers, uint64_t value)
{
    split(registers, VMR_X86_RDX, VMR_X86_RAX, value);
}

static void x86_set_control(const struct abi *abi, struct vmr_hv_call_registers *registers, uint64_t value)
{
    (void)abi;
    x86_set_result(registers, value);
}

static uint64_t x86_vtl_input(const struct vmr_hv_call_registers *registers)
{
    return (uint32_t)registers->gpr[VMR_X86_RCX];
}

static uint64_t x86_word(const struct abi *abi, const struct vmr_hv_call_registers *registers, unsigned index)
{
    (void)abi;
    return index == 0 ? join(registers, VMR_X86_RBX, VMR_X86_RCX) : join(registers, VMR_X86_RDI, VMR_X86_RSI);
}

/* Never for a call: it has no output. Here so that the two words are complete. */
static void x86_set_word(const struct abi *abi, struct vmr_hv_call_registers *registers, unsigned index, uint64_t value)
{
    (void)abi;
    if (index == 0)
        split(registers, VMR_X86_RBX, VMR_X86_RCX, value);
    else
        split(registers, VMR_X86_RDI, VMR_X86_RSI, value);
}

const struct abi abi_x86 = {
    .pairs = 1,
    .pc_mask = UINT32_MAX,
    .control = x86_control,
    .set_control = x86_set_control,
    .vtl_input = x86_vtl_input,
    .set_result = x86_set_result,
    .word = x86_word,
    .set_word = x86_set_word,
};
