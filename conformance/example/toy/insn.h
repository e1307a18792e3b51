/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the interpreter share: an instruction, its operands, and the bits of registers. */

#include "toy.h"

#define CR0_PE 1u
#define CR0_PG 0x80000000u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define FLAG_CF 1u
#define FLAG_FIXED 2u
#define FLAG_PF 4u
#define FLAG_ZF 0x40u
#define FLAG_SF 0x80u
#define FLAG_TF 0x100u
#define FLAG_IF 0x200u
#define FLAG_DF 0x400u
#define FLAG_OF 0x800u
#define FLAGS_STATUS (FLAG_CF | FLAG_PF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define CODE_32 0x4000u /* of a segment's attributes */
#define CODE_64 0x2000u
#define VECTOR_NMI 2u
#define VECTOR_UD 6u
#define VECTOR_DF 8u
#define VECTOR_GP 13u
#define APIC_BASE_BOOT UINT64_C(0x100)
#define PAT_RESET UINT64_C(0x0007040600070406)
#define MSR_TSC 0x10u
#define MSR_EFER 0xc0000080u

/* An instruction while it is being read. */
struct toy_insn {
    uint8_t bytes[15];
    unsigned count, at;
    unsigned mode; /* bytes of an address: 2, 4, 8 */
    unsigned size; /* of operands */
    uint8_t rex, op;
    bool repeats, is_register, sti;
    unsigned reg, rm; /* of ModRM; `rm` if it is a register */
    uint64_t address; /* if it is not */
};

enum toy_operation {
    OP_ADD,
    OP_OR,
    OP_ADC,
    OP_SBB,
    OP_AND,
    OP_SUB,
    OP_XOR,
    OP_CMP
};

static inline uint64_t toy_cut(uint64_t value, unsigned size)
{
    return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

/* --- operands.c --- */

uint64_t toy_widen(uint64_t value, unsigned size);
/* The next bytes of the instruction. */
uint64_t toy_take(struct toy_insn *in, unsigned size);
uint64_t toy_take_signed(struct toy_insn *in, unsigned size);
uint64_t toy_get_reg(const struct toy_cpu *cpu, const struct toy_insn *in, unsigned reg, unsigned size);
void toy_set_reg(struct toy_cpu *cpu, const struct toy_insn *in, unsigned reg, unsigned size, uint64_t value);
/* `behind`: the bytes of the instruction that follow, which an address relative to RIP counts from. */
bool toy_take_modrm(struct toy_cpu *cpu, struct toy_insn *in, unsigned behind);
bool toy_get_rm(struct toy_cpu *cpu, const struct toy_insn *in, unsigned size, uint64_t *ret_value);
bool toy_set_rm(struct toy_cpu *cpu, const struct toy_insn *in, unsigned size, uint64_t value);
/* What a push takes: never four bytes in 64-bit mode. */
unsigned toy_stack_size(const struct toy_insn *in);
bool toy_push(struct toy_cpu *cpu, unsigned size, uint64_t value);
bool toy_pop(struct toy_cpu *cpu, unsigned size, uint64_t *ret_value);

/* --- arithmetic.c --- */

void toy_set_flags(struct toy_cpu *cpu, unsigned size, uint64_t result, bool carry, bool overflow);
uint64_t toy_calculate(struct toy_cpu *cpu, enum toy_operation op, unsigned size, uint64_t a, uint64_t b);
uint64_t toy_by_one(struct toy_cpu *cpu, bool up, unsigned size, uint64_t value);
bool toy_calculate_rm(struct toy_cpu *cpu, const struct toy_insn *in, enum toy_operation op, unsigned size, uint64_t b);
bool toy_condition(const struct toy_cpu *cpu, unsigned code);

/* --- events.c --- */

bool toy_load_segment(struct toy_cpu *cpu, struct vmr_x86_segment *segment, uint16_t selector);
/* An exception or interrupt. False: `cpu->exit` is filled. */
bool toy_deliver(struct toy_cpu *cpu, uint8_t vector, int64_t error);
bool toy_deliver_events(struct toy_cpu *cpu);

/* --- outside.c --- */

bool toy_do_port(struct toy_cpu *cpu, struct toy_insn *in);
bool toy_do_string(struct toy_cpu *cpu, struct toy_insn *in);
bool toy_do_msr(struct toy_cpu *cpu, bool write);
bool toy_do_cpuid(struct toy_cpu *cpu);
bool toy_do_hypercall(struct toy_cpu *cpu, const struct toy_insn *in);
