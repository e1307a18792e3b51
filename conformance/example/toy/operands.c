/* SPDX-License-Identifier: MIT */
/* Bytes, registers, addresses and the stack (Intel SDM vol. 2, 2.1). */

#include "insn.h"

uint64_t toy_widen(uint64_t value, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);

    return (toy_cut(value, size) ^ sign) - sign;
}

/* Bytes behind the end of what is mapped are as good as those of no instruction: both end as TOY_STUCK. */
uint64_t toy_take(struct toy_insn *in, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++, in->at++)
        value |= in->at < in->count ? (uint64_t)in->bytes[in->at] << 8 * i : 0;
    return value;
}

uint64_t toy_take_signed(struct toy_insn *in, unsigned size)
{
    return toy_widen(toy_take(in, size), size);
}

/* AH to BH where there is no REX. */
static bool is_high(const struct toy_insn *in, unsigned reg, unsigned size)
{
    return size == 1 && in->rex == 0 && reg >= 4;
}

uint64_t toy_get_reg(const struct toy_cpu *cpu, const struct toy_insn *in, unsigned reg, unsigned size)
{
    if (is_high(in, reg, size))
        return cpu->regs.gpr[reg - 4] >> 8 & 0xff;
    return toy_cut(cpu->regs.gpr[reg], size);
}

void toy_set_reg(struct toy_cpu *cpu, const struct toy_insn *in, unsigned reg, unsigned size, uint64_t value)
{
    bool high = is_high(in, reg, size);
    uint64_t *gpr = &cpu->regs.gpr[high ? reg - 4 : reg];
    uint64_t mask = size >= 4 ? UINT64_MAX : (size == 2 ? 0xffffu : high ? 0xff00u : 0xffu);

    *gpr = (*gpr & ~mask) | ((toy_cut(value, size) << (high ? 8 : 0)) & mask);
}

static void take_sib(struct toy_cpu *cpu, struct toy_insn *in, unsigned mod)
{
    uint8_t sib = (uint8_t)toy_take(in, 1);
    unsigned base = (sib & 7u) | (in->rex & 1u) << 3, index = (sib >> 3 & 7u) | (in->rex & 2u) << 2;

    in->address = (sib & 7u) == 5 && mod == 0 ? toy_take_signed(in, 4) : cpu->regs.gpr[base];
    if (index != VMR_X86_RSP)
        in->address += cpu->regs.gpr[index] << (sib >> 6);
}

/* `behind`: the bytes of the instruction that follow, which an address relative to RIP counts from. */
bool toy_take_modrm(struct toy_cpu *cpu, struct toy_insn *in, unsigned behind)
{
    uint8_t modrm = (uint8_t)toy_take(in, 1);
    unsigned mod = modrm >> 6, rm = modrm & 7u;

    in->reg = (modrm >> 3 & 7u) | (in->rex & 4u) << 1;
    in->rm = rm | (in->rex & 1u) << 3;
    in->is_register = mod == 3;
    if (mod == 3)
        return true;
    if (in->mode == 2 && (mod != 0 || rm != 6))
        return toy_stop(cpu, TOY_STUCK);
    if (in->mode == 2)
        in->address = toy_take(in, 2);
    else if (rm == 4)
        take_sib(cpu, in, mod);
    else if (rm == 5 && mod == 0)
        in->address = toy_take_signed(in, 4) + (in->mode == 8 ? cpu->regs.rip + in->at + behind : 0);
    else
        in->address = cpu->regs.gpr[in->rm];
    if (mod != 0)
        in->address += toy_take_signed(in, mod == 1 ? 1 : 4);
    if (in->mode != 8)
        in->address = toy_cut(in->address, 4) + cpu->regs.ds.base;
    return true;
}

bool toy_get_rm(struct toy_cpu *cpu, const struct toy_insn *in, unsigned size, uint64_t *ret_value)
{
    if (!in->is_register)
        return toy_load(cpu, in->address, size, ret_value);
    *ret_value = toy_get_reg(cpu, in, in->rm, size);
    return true;
}

bool toy_set_rm(struct toy_cpu *cpu, const struct toy_insn *in, unsigned size, uint64_t value)
{
    if (!in->is_register)
        return toy_store(cpu, in->address, size, value);
    toy_set_reg(cpu, in, in->rm, size, value);
    return true;
}

unsigned toy_stack_size(const struct toy_insn *in)
{
    return in->mode == 8 && in->size == 4 ? 8 : in->size;
}

bool toy_push(struct toy_cpu *cpu, unsigned size, uint64_t value)
{
    cpu->regs.gpr[VMR_X86_RSP] -= size;
    return toy_store(cpu, cpu->regs.gpr[VMR_X86_RSP], size, value);
}

bool toy_pop(struct toy_cpu *cpu, unsigned size, uint64_t *ret_value)
{
    cpu->regs.gpr[VMR_X86_RSP] += size;
    return toy_load(cpu, cpu->regs.gpr[VMR_X86_RSP] - size, size, ret_value);
}
