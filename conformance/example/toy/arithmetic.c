/* SPDX-License-Identifier: MIT */
/* Sums and what flags say of them (Intel SDM vol. 1, 3.4.3). */

#include "insn.h"

void toy_set_flags(struct toy_cpu *cpu, unsigned size, uint64_t result, bool carry, bool overflow)
{
    uint64_t flags = (carry ? FLAG_CF : 0u) | (overflow ? FLAG_OF : 0u);

    flags |= toy_cut(result, size) == 0 ? FLAG_ZF : 0u;
    flags |= result >> (8 * size - 1) & 1 ? FLAG_SF : 0u;
    flags |= __builtin_parity((unsigned)(result & 0xff)) ? 0u : FLAG_PF;
    cpu->regs.rflags = (cpu->regs.rflags & ~(uint64_t)FLAGS_STATUS) | flags;
}

uint64_t toy_calculate(struct toy_cpu *cpu, enum toy_operation op, unsigned size, uint64_t a, uint64_t b)
{
    bool borrow = (cpu->regs.rflags & FLAG_CF) != 0 && (op == OP_ADC || op == OP_SBB);
    uint64_t sign = UINT64_C(1) << (8 * size - 1), result;

    switch (op) {
    case OP_OR:
    case OP_AND:
    case OP_XOR:
        result = op == OP_OR ? a | b : op == OP_AND ? a & b : a ^ b;
        toy_set_flags(cpu, size, result, false, false);
        return result;
    case OP_ADD:
    case OP_ADC:
        result = toy_cut(a + b + borrow, size);
        toy_set_flags(cpu, size, result, result < a || (borrow && result == a),
                      ((a ^ result) & (b ^ result) & sign) != 0);
        return result;
    case OP_SBB:
    case OP_SUB:
    case OP_CMP:
    default:
        result = toy_cut(a - b - borrow, size);
        toy_set_flags(cpu, size, result, a < b || (borrow && a == b), ((a ^ b) & (a ^ result) & sign) != 0);
        return op == OP_CMP ? a : result;
    }
}

/* INC and DEC leave the carry alone. */
uint64_t toy_by_one(struct toy_cpu *cpu, bool up, unsigned size, uint64_t value)
{
    uint64_t carry = cpu->regs.rflags & FLAG_CF, result = toy_calculate(cpu, up ? OP_ADD : OP_SUB, size, value, 1);

    cpu->regs.rflags = (cpu->regs.rflags & ~(uint64_t)FLAG_CF) | carry;
    return result;
}

/* Into a register or memory; OR alone is whole there, also against other processors. */
bool toy_calculate_rm(struct toy_cpu *cpu, const struct toy_insn *in, enum toy_operation op, unsigned size, uint64_t b)
{
    uint64_t a;

    if (!toy_get_rm(cpu, in, size, &a))
        return false;
    uint64_t result = toy_calculate(cpu, op, size, a, toy_cut(b, size));

    if (op == OP_OR && !in->is_register)
        return toy_store_or(cpu, in->address, size, b);
    return op == OP_CMP || toy_set_rm(cpu, in, size, result);
}

bool toy_condition(const struct toy_cpu *cpu, unsigned code)
{
    uint64_t flags = cpu->regs.rflags;
    bool less = ((flags & FLAG_SF) != 0) != ((flags & FLAG_OF) != 0);
    const bool holds[] = {(flags & FLAG_OF) != 0,
                          (flags & FLAG_CF) != 0,
                          (flags & FLAG_ZF) != 0,
                          (flags & (FLAG_CF | FLAG_ZF)) != 0,
                          (flags & FLAG_SF) != 0,
                          (flags & FLAG_PF) != 0,
                          less,
                          less || (flags & FLAG_ZF) != 0};

    return holds[code >> 1 & 7] != ((code & 1) != 0);
}
