/* SPDX-License-Identifier: MIT */
/* One instruction (Intel SDM vol. 2), and what comes between two: interrupts and exceptions (vol. 3, 6.14). */

#include "toy.h"

#include <sched.h>

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
struct insn {
    uint8_t bytes[15];
    unsigned count, at;
    unsigned mode; /* bytes of an address: 2, 4, 8 */
    unsigned size; /* of operands */
    uint8_t rex, op;
    bool repeats, is_register, sti;
    unsigned reg, rm; /* of ModRM; `rm` if it is a register */
    uint64_t address; /* if it is not */
};

/* --- parts of an instruction --- */

static uint64_t cut(uint64_t value, unsigned size)
{
    return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

static uint64_t widen(uint64_t value, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);

    return (cut(value, size) ^ sign) - sign;
}

/* Bytes behind the end of what is mapped are as good as those of no instruction: both end as TOY_STUCK. */
static uint64_t take(struct insn *in, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++, in->at++)
        value |= in->at < in->count ? (uint64_t)in->bytes[in->at] << 8 * i : 0;
    return value;
}

static uint64_t take_signed(struct insn *in, unsigned size)
{
    return widen(take(in, size), size);
}

/* AH to BH where there is no REX. */
static bool is_high(const struct insn *in, unsigned reg, unsigned size)
{
    return size == 1 && in->rex == 0 && reg >= 4;
}

static uint64_t get_reg(const struct toy_cpu *cpu, const struct insn *in, unsigned reg, unsigned size)
{
    if (is_high(in, reg, size))
        return cpu->regs.gpr[reg - 4] >> 8 & 0xff;
    return cut(cpu->regs.gpr[reg], size);
}

static void set_reg(struct toy_cpu *cpu, const struct insn *in, unsigned reg, unsigned size, uint64_t value)
{
    bool high = is_high(in, reg, size);
    uint64_t *gpr = &cpu->regs.gpr[high ? reg - 4 : reg];
    uint64_t mask = size >= 4 ? UINT64_MAX : (size == 2 ? 0xffffu : high ? 0xff00u : 0xffu);

    *gpr = (*gpr & ~mask) | ((cut(value, size) << (high ? 8 : 0)) & mask);
}

static void take_sib(struct toy_cpu *cpu, struct insn *in, unsigned mod)
{
    uint8_t sib = (uint8_t)take(in, 1);
    unsigned base = (sib & 7u) | (in->rex & 1u) << 3, index = (sib >> 3 & 7u) | (in->rex & 2u) << 2;

    in->address = (sib & 7u) == 5 && mod == 0 ? take_signed(in, 4) : cpu->regs.gpr[base];
    if (index != VMR_X86_RSP)
        in->address += cpu->regs.gpr[index] << (sib >> 6);
}

/* `behind`: the bytes of the instruction that follow, which an address relative to RIP counts from. */
static bool take_modrm(struct toy_cpu *cpu, struct insn *in, unsigned behind)
{
    uint8_t modrm = (uint8_t)take(in, 1);
    unsigned mod = modrm >> 6, rm = modrm & 7u;

    in->reg = (modrm >> 3 & 7u) | (in->rex & 4u) << 1;
    in->rm = rm | (in->rex & 1u) << 3;
    in->is_register = mod == 3;
    if (mod == 3)
        return true;
    if (in->mode == 2 && (mod != 0 || rm != 6))
        return toy_stop(cpu, TOY_STUCK);
    if (in->mode == 2)
        in->address = take(in, 2);
    else if (rm == 4)
        take_sib(cpu, in, mod);
    else if (rm == 5 && mod == 0)
        in->address = take_signed(in, 4) + (in->mode == 8 ? cpu->regs.rip + in->at + behind : 0);
    else
        in->address = cpu->regs.gpr[in->rm];
    if (mod != 0)
        in->address += take_signed(in, mod == 1 ? 1 : 4);
    if (in->mode != 8)
        in->address = cut(in->address, 4) + cpu->regs.ds.base;
    return true;
}

static bool get_rm(struct toy_cpu *cpu, const struct insn *in, unsigned size, uint64_t *ret_value)
{
    if (!in->is_register)
        return toy_load(cpu, in->address, size, ret_value);
    *ret_value = get_reg(cpu, in, in->rm, size);
    return true;
}

static bool set_rm(struct toy_cpu *cpu, const struct insn *in, unsigned size, uint64_t value)
{
    if (!in->is_register)
        return toy_store(cpu, in->address, size, value);
    set_reg(cpu, in, in->rm, size, value);
    return true;
}

static unsigned stack_size(const struct insn *in)
{
    return in->mode == 8 && in->size == 4 ? 8 : in->size;
}

static bool push(struct toy_cpu *cpu, unsigned size, uint64_t value)
{
    cpu->regs.gpr[VMR_X86_RSP] -= size;
    return toy_store(cpu, cpu->regs.gpr[VMR_X86_RSP], size, value);
}

static bool pop(struct toy_cpu *cpu, unsigned size, uint64_t *ret_value)
{
    cpu->regs.gpr[VMR_X86_RSP] += size;
    return toy_load(cpu, cpu->regs.gpr[VMR_X86_RSP] - size, size, ret_value);
}

/* --- segments, interrupts and exceptions --- */

static bool load_segment(struct toy_cpu *cpu, struct vmr_x86_segment *segment, uint16_t selector)
{
    unsigned at = selector & ~7u;
    uint64_t word;

    segment->selector = selector;
    if ((cpu->regs.cr0 & CR0_PE) == 0) {
        segment->base = (uint64_t)selector << 4;
        return true;
    }
    if (at == 0 && segment != &cpu->regs.cs) {
        segment->attributes = 0;
        return true;
    }
    if (at == 0 || at + 7 > cpu->regs.gdtr.limit)
        return toy_fault(cpu, VECTOR_GP, at);
    if (!toy_load(cpu, cpu->regs.gdtr.base + at, 8, &word))
        return false;
    segment->base = (word >> 16 & 0xffffff) | (word >> 56) << 24;
    segment->limit = (uint32_t)((word & 0xffff) | (word >> 32 & 0xf0000));
    segment->attributes = (uint16_t)(word >> 40 & 0xf0ff);
    if (segment->attributes >> 15)
        segment->limit = segment->limit << 12 | 0xfff;
    return true;
}

/* Through a gate of long mode. Others end here as a table that is too short does, by a fault. */
static bool enter_handler(struct toy_cpu *cpu, uint8_t vector, int64_t error)
{
    struct vmr_x86_regs *regs = &cpu->regs;
    const uint64_t frame[] = {regs->ss.selector, regs->gpr[VMR_X86_RSP], regs->rflags, regs->cs.selector, regs->rip};
    uint64_t gate, high;

    if ((regs->efer & EFER_LMA) == 0 || vector * 16u + 15 > regs->idtr.limit)
        return toy_fault(cpu, VECTOR_GP, vector * 8 + 2);
    if (!toy_load(cpu, regs->idtr.base + vector * 16u, 8, &gate) ||
        !toy_load(cpu, regs->idtr.base + vector * 16u + 8, 8, &high))
        return false;
    if ((gate >> 47 & 1) == 0)
        return toy_fault(cpu, VECTOR_GP, vector * 8 + 2);
    regs->gpr[VMR_X86_RSP] &= ~UINT64_C(15);
    for (unsigned i = 0; i < 5; i++) {
        if (!push(cpu, 8, frame[i]))
            return false;
    }
    if (error >= 0 && !push(cpu, 8, (uint64_t)error))
        return false;
    regs->rip = (gate & 0xffff) | (gate >> 32 & 0xffff0000) | high << 32;
    regs->rflags &= ~(uint64_t)(FLAG_TF | ((gate >> 40 & 1) == 0 ? FLAG_IF : 0));
    return load_segment(cpu, &regs->cs, (uint16_t)(gate >> 16));
}

/* A second fault is a double fault, a third one shuts down. False: `cpu->exit` is filled. */
static bool deliver(struct toy_cpu *cpu, uint8_t vector, int64_t error)
{
    struct vmr_x86_regs saved = cpu->regs;

    cpu->shadow = false;
    if (enter_handler(cpu, vector, error))
        return true;
    cpu->regs = saved;
    if (enter_handler(cpu, VECTOR_DF, 0))
        return true;
    cpu->regs = saved;
    cpu->exit = (struct vmr_exit){.kind = VMR_EXIT_SHUTDOWN};
    return false;
}

bool toy_is_ready(const struct toy_cpu *cpu)
{
    return (cpu->regs.rflags & FLAG_IF) != 0 && !cpu->shadow && cpu->interrupt == 0 && cpu->exception == 0;
}

static bool deliver_events(struct toy_cpu *cpu)
{
    uint8_t exception = (uint8_t)(cpu->exception - 1), interrupt = (uint8_t)(cpu->interrupt - 1);

    if (cpu->exception != 0) {
        cpu->exception = 0;
        return deliver(cpu, exception, exception == VECTOR_GP ? 0 : -1);
    }
    if (cpu->interrupt != 0) { /* it was given when the guest was ready for it */
        cpu->interrupt = 0;
        return deliver(cpu, interrupt, -1);
    }
    if (!cpu->nmi || cpu->nmi_masked || cpu->shadow)
        return true;
    cpu->nmi = false;
    cpu->nmi_masked = true;
    return deliver(cpu, VECTOR_NMI, -1);
}

/* --- arithmetic --- */

static void set_flags(struct toy_cpu *cpu, unsigned size, uint64_t result, bool carry, bool overflow)
{
    uint64_t flags = (carry ? FLAG_CF : 0u) | (overflow ? FLAG_OF : 0u);

    flags |= cut(result, size) == 0 ? FLAG_ZF : 0u;
    flags |= result >> (8 * size - 1) & 1 ? FLAG_SF : 0u;
    flags |= __builtin_parity((unsigned)(result & 0xff)) ? 0u : FLAG_PF;
    cpu->regs.rflags = (cpu->regs.rflags & ~(uint64_t)FLAGS_STATUS) | flags;
}

enum operation {
    OP_ADD,
    OP_OR,
    OP_ADC,
    OP_SBB,
    OP_AND,
    OP_SUB,
    OP_XOR,
    OP_CMP
};

static uint64_t calculate(struct toy_cpu *cpu, enum operation op, unsigned size, uint64_t a, uint64_t b)
{
    bool borrow = (cpu->regs.rflags & FLAG_CF) != 0 && (op == OP_ADC || op == OP_SBB);
    uint64_t sign = UINT64_C(1) << (8 * size - 1), result;

    switch (op) {
    case OP_OR:
    case OP_AND:
    case OP_XOR:
        result = op == OP_OR ? a | b : op == OP_AND ? a & b : a ^ b;
        set_flags(cpu, size, result, false, false);
        return result;
    case OP_ADD:
    case OP_ADC:
        result = cut(a + b + borrow, size);
        set_flags(cpu, size, result, result < a || (borrow && result == a), ((a ^ result) & (b ^ result) & sign) != 0);
        return result;
    case OP_SBB:
    case OP_SUB:
    case OP_CMP:
    default:
        result = cut(a - b - borrow, size);
        set_flags(cpu, size, result, a < b || (borrow && a == b), ((a ^ b) & (a ^ result) & sign) != 0);
        return op == OP_CMP ? a : result;
    }
}

/* INC and DEC leave the carry alone. */
static uint64_t by_one(struct toy_cpu *cpu, bool up, unsigned size, uint64_t value)
{
    uint64_t carry = cpu->regs.rflags & FLAG_CF, result = calculate(cpu, up ? OP_ADD : OP_SUB, size, value, 1);

    cpu->regs.rflags = (cpu->regs.rflags & ~(uint64_t)FLAG_CF) | carry;
    return result;
}

/* Into a register or memory; OR alone is whole there, also against other processors. */
static bool calculate_rm(struct toy_cpu *cpu, const struct insn *in, enum operation op, unsigned size, uint64_t b)
{
    uint64_t a;

    if (!get_rm(cpu, in, size, &a))
        return false;
    uint64_t result = calculate(cpu, op, size, a, cut(b, size));

    if (op == OP_OR && !in->is_register)
        return toy_store_or(cpu, in->address, size, b);
    return op == OP_CMP || set_rm(cpu, in, size, result);
}

/* 00 to 3d: r/m and register, register and r/m, accumulator and immediate. */
static bool do_arithmetic(struct toy_cpu *cpu, struct insn *in)
{
    enum operation op = (enum operation)(in->op >> 3);
    unsigned size = in->op & 1 ? in->size : 1;
    uint64_t b;

    if ((in->op & 7) >= 4) {
        in->reg = VMR_X86_RAX;
        b = take_signed(in, size < 4 ? size : 4);
    } else if (!take_modrm(cpu, in, 0)) {
        return false;
    } else if ((in->op & 2) == 0) {
        return calculate_rm(cpu, in, op, size, get_reg(cpu, in, in->reg, size));
    } else if (!get_rm(cpu, in, size, &b)) {
        return false;
    }
    uint64_t result = calculate(cpu, op, size, get_reg(cpu, in, in->reg, size), cut(b, size));

    if (op != OP_CMP)
        set_reg(cpu, in, in->reg, size, result);
    return true;
}

static bool condition(const struct toy_cpu *cpu, unsigned code)
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

static bool do_shift(struct toy_cpu *cpu, struct insn *in)
{
    uint64_t value;

    if (!take_modrm(cpu, in, 1) || !get_rm(cpu, in, in->size, &value))
        return false;
    unsigned by = (unsigned)take(in, 1) & (in->size == 8 ? 63 : 31);
    bool left = (in->reg & 7) == 4;

    if (!left && (in->reg & 7) != 5)
        return toy_stop(cpu, TOY_STUCK);
    if (by == 0)
        return true;
    bool carry = (left ? value >> (8 * in->size - by) : value >> (by - 1)) & 1;

    value = left ? value << by : value >> by;
    set_flags(cpu, in->size, value, carry, false);
    return set_rm(cpu, in, in->size, value);
}

/* --- input and output, MSRs, CPUID --- */

static uint64_t read_tsc(const struct toy_cpu *cpu)
{
    return cpu->vm->host.ops->now_ns(cpu->vm->host.context) + cpu->tsc_offset;
}

/* The place of an MSR that is kept here. */
static uint64_t *find_msr(struct toy_cpu *cpu, uint32_t index)
{
    /* SYSENTER, STAR to the SYSCALL mask, KERNEL_GS_BASE, PAT (Intel SDM vol. 4) */
    static const uint32_t kept[TOY_MSRS] = {0x174,      0x175,      0x176,      0xc0000081, 0xc0000082,
                                            0xc0000083, 0xc0000084, 0xc0000102, 0x277};

    if (index == MSR_TSC)
        return &cpu->tsc_offset;
    if (index == MSR_EFER)
        return &cpu->regs.efer;
    for (unsigned i = 0; i < TOY_MSRS; i++) {
        if (index == kept[i])
            return &cpu->msrs[i];
    }
    return NULL;
}

bool toy_get_msr(struct toy_cpu *cpu, uint32_t index, uint64_t *ret_value)
{
    const uint64_t *msr = find_msr(cpu, index);

    if (msr)
        *ret_value = index == MSR_TSC ? read_tsc(cpu) : *msr;
    return msr != NULL;
}

bool toy_set_msr(struct toy_cpu *cpu, uint32_t index, uint64_t value)
{
    uint64_t *msr = find_msr(cpu, index);

    if (!msr)
        return false;
    if (index == MSR_TSC)
        value -= read_tsc(cpu) - cpu->tsc_offset;
    if (index == MSR_EFER)
        value = (value & ~(uint64_t)EFER_LMA) | (*msr & EFER_LMA);
    *msr = value;
    return true;
}

static bool ask_port(struct toy_cpu *cpu, unsigned size, uint16_t port, bool write, uint64_t *value)
{
    struct vmr_exit question = {.kind = VMR_EXIT_IO}, answer;

    question.u.io = (struct vmr_exit_io){.port = port,
                                         .size = (uint8_t)size,
                                         .direction = write ? VMR_WRITE : VMR_READ,
                                         .count = 1,
                                         .value = write ? cut(*value, size) : 0};
    if (!toy_ask(cpu, &question, &answer))
        return false;
    if (!write)
        *value = answer.u.io.value;
    return true;
}

/* e4 to e7 with the port behind, ec to ef with it in DX. */
static bool do_port(struct toy_cpu *cpu, struct insn *in)
{
    unsigned size = in->op & 1 ? (in->size == 2 ? 2 : 4) : 1;
    uint16_t port = in->op & 8 ? (uint16_t)cpu->regs.gpr[VMR_X86_RDX] : (uint16_t)take(in, 1);
    uint64_t value = cpu->regs.gpr[VMR_X86_RAX];
    bool write = (in->op & 2) != 0;

    if (!ask_port(cpu, size, port, write, &value))
        return false;
    if (!write)
        set_reg(cpu, in, VMR_X86_RAX, size, value);
    return true;
}

/* One item; REP leaves the instruction pointer where it is until the last. */
static bool do_string(struct toy_cpu *cpu, struct insn *in)
{
    unsigned size = in->op & 1 ? (in->size == 2 ? 2 : 4) : 1;
    bool write = (in->op & 2) != 0;
    uint64_t *at = &cpu->regs.gpr[write ? VMR_X86_RSI : VMR_X86_RDI], *left = &cpu->regs.gpr[VMR_X86_RCX], value = 0;

    if (in->repeats && *left == 0)
        return true;
    if ((write && !toy_load(cpu, *at, size, &value)) ||
        !ask_port(cpu, size, (uint16_t)cpu->regs.gpr[VMR_X86_RDX], write, &value) ||
        (!write && !toy_store(cpu, *at, size, value)))
        return false;
    *at = cpu->regs.rflags & FLAG_DF ? *at - size : *at + size;
    if (in->repeats && --*left != 0)
        in->at = 0;
    return true;
}

static bool must_exit(const struct toy_vm *vm, uint32_t index)
{
    for (size_t i = 0; i < vm->msr_exit_count; i++) {
        if (index - vm->msr_exits[i].first < vm->msr_exits[i].count)
            return true;
    }
    return false;
}

static bool do_msr(struct toy_cpu *cpu, bool write)
{
    uint64_t *gpr = cpu->regs.gpr, value = write ? cut(gpr[VMR_X86_RAX], 4) | gpr[VMR_X86_RDX] << 32 : 0;
    uint32_t index = (uint32_t)gpr[VMR_X86_RCX];
    bool here =
        !must_exit(cpu->vm, index) && (write ? toy_set_msr(cpu, index, value) : toy_get_msr(cpu, index, &value));
    struct vmr_exit question = {.kind = VMR_EXIT_MSR}, answer = {0};

    question.u.msr = (struct vmr_exit_msr){.index = index, .direction = write ? VMR_WRITE : VMR_READ, .value = value};
    if (!here && !toy_ask(cpu, &question, &answer))
        return false;
    if (!here && answer.u.msr.fault)
        return toy_fault(cpu, VECTOR_GP, 0);
    if (write)
        return true;
    if (!here)
        value = answer.u.msr.value;
    gpr[VMR_X86_RAX] = cut(value, 4);
    gpr[VMR_X86_RDX] = value >> 32;
    return true;
}

static bool do_cpuid(struct toy_cpu *cpu)
{
    uint64_t *gpr = cpu->regs.gpr;
    uint32_t leaf = (uint32_t)gpr[VMR_X86_RAX], subleaf = (uint32_t)gpr[VMR_X86_RCX];
    struct vmr_cpuid_entry found = {0};

    for (size_t i = 0; i < cpu->vm->cpuid_count; i++) {
        const struct vmr_cpuid_entry *entry = &cpu->vm->cpuid[i];

        if (entry->leaf == leaf && (!entry->match_subleaf || entry->subleaf == subleaf))
            found = *entry;
    }
    if (leaf == 1) /* the APIC id, which is the VP's index [LIFE-3] */
        found.ebx = (found.ebx & 0xffffff) | cpu->index << 24;
    gpr[VMR_X86_RAX] = found.eax;
    gpr[VMR_X86_RBX] = found.ebx;
    gpr[VMR_X86_RCX] = found.ecx;
    gpr[VMR_X86_RDX] = found.edx;
    return true;
}

/* Who takes no answer back has written the registers itself. */
static bool do_hypercall(struct toy_cpu *cpu, const struct insn *in)
{
    const uint64_t *gpr = cpu->regs.gpr;
    struct vmr_exit question = {.kind = VMR_EXIT_HYPERCALL}, answer;

    question.u.hypercall =
        (struct vmr_exit_hypercall){.number = gpr[VMR_X86_RAX],
                                    .args = {gpr[VMR_X86_RBX], gpr[VMR_X86_RCX], gpr[VMR_X86_RDX], gpr[VMR_X86_RSI]},
                                    .long_mode = in->mode == 8};
    if (!toy_ask(cpu, &question, &answer))
        return false;
    if (answer.kind == VMR_EXIT_HYPERCALL)
        cpu->regs.gpr[VMR_X86_RAX] = answer.u.hypercall.result;
    return true;
}

/* --- the opcodes --- */

static bool do_table(struct toy_cpu *cpu, struct insn *in)
{
    struct vmr_x86_table *table = (in->reg & 7) == 2 ? &cpu->regs.gdtr : &cpu->regs.idtr;
    uint64_t limit, base;

    if (in->is_register && ((in->reg == 0 && in->rm == 1) || (in->reg == 3 && in->rm == 1)))
        return do_hypercall(cpu, in);
    if (in->is_register || ((in->reg & 7) != 2 && (in->reg & 7) != 3))
        return toy_stop(cpu, TOY_STUCK);
    if (!toy_load(cpu, in->address, 2, &limit) || !toy_load(cpu, in->address + 2, in->mode == 8 ? 8 : 4, &base))
        return false;
    *table = (struct vmr_x86_table){.base = in->size == 2 ? base & 0xffffff : base, .limit = (uint16_t)limit};
    return true;
}

static bool do_control(struct toy_cpu *cpu, const struct insn *in, bool write)
{
    struct vmr_x86_regs *regs = &cpu->regs;
    uint64_t *const control[16] = {&regs->cr0, NULL, &regs->cr2, &regs->cr3, &regs->cr4, [8] = &regs->cr8};
    unsigned size = in->mode == 8 ? 8 : 4;

    if (!control[in->reg])
        return toy_fault(cpu, VECTOR_UD, -1);
    if (!write) {
        set_reg(cpu, in, in->rm, size, *control[in->reg]);
        return true;
    }
    *control[in->reg] = get_reg(cpu, in, in->rm, size);
    if ((regs->cr0 & CR0_PG) != 0 && (regs->efer & EFER_LME) != 0)
        regs->efer |= EFER_LMA;
    else
        regs->efer &= ~(uint64_t)EFER_LMA;
    return true;
}

static bool do_two_bytes(struct toy_cpu *cpu, struct insn *in)
{
    uint8_t op = (uint8_t)take(in, 1);

    if (op >> 4 == 8) {
        uint64_t by = take_signed(in, in->size == 2 ? 2 : 4);

        cpu->regs.rip += condition(cpu, op) ? by : 0;
        return true;
    }
    switch (op) {
    case 0x01:
        return take_modrm(cpu, in, 0) && do_table(cpu, in);
    case 0x0b:
        return toy_fault(cpu, VECTOR_UD, -1);
    case 0x20:
    case 0x22:
        return take_modrm(cpu, in, 0) && do_control(cpu, in, op == 0x22);
    case 0x30:
    case 0x32:
        return do_msr(cpu, op == 0x30);
    case 0xa2:
        return do_cpuid(cpu);
    default:
        return toy_stop(cpu, TOY_STUCK);
    }
}

/* rip is that of the instruction until it is over: what is read of it has been added then. */
static bool jump_to(struct toy_cpu *cpu, const struct insn *in, uint64_t target)
{
    cpu->regs.rip = (in->mode == 8 ? target : cut(target, 4)) - in->at;
    return true;
}

static bool jump_far(struct toy_cpu *cpu, struct insn *in, uint64_t target, uint16_t selector)
{
    return load_segment(cpu, &cpu->regs.cs, selector) && jump_to(cpu, in, target);
}

static bool do_return(struct toy_cpu *cpu, struct insn *in)
{
    uint64_t word[5] = {0};
    unsigned count = in->op == 0xc3 ? 1 : in->op == 0xcb ? 2 : 5, size = in->op == 0xc3 ? stack_size(in) : in->size;

    if (count == 5 && size != 8)
        return toy_stop(cpu, TOY_STUCK); /* only that of long mode */
    for (unsigned i = 0; i < count; i++) {
        if (!pop(cpu, size, &word[i]))
            return false;
    }
    if (count == 1)
        return jump_to(cpu, in, word[0]);
    if (count == 5) {
        cpu->regs.rflags = word[2] | FLAG_FIXED;
        cpu->regs.gpr[VMR_X86_RSP] = word[3];
        cpu->nmi_masked = false;
        if (!load_segment(cpu, &cpu->regs.ss, (uint16_t)word[4]))
            return false;
    }
    cpu->regs.rip = word[0] - in->at;
    return load_segment(cpu, &cpu->regs.cs, (uint16_t)word[1]);
}

/* fe and ff: INC, DEC, CALL, JMP, PUSH */
static bool do_group_ff(struct toy_cpu *cpu, struct insn *in)
{
    unsigned size = in->op & 1 ? in->size : 1, which;
    uint64_t value;

    if (!take_modrm(cpu, in, 0))
        return false;
    which = in->reg & 7;
    if (which >= 2)
        size = stack_size(in);
    if (!get_rm(cpu, in, size, &value))
        return false;
    switch (which) {
    case 0:
    case 1:
        return set_rm(cpu, in, size, by_one(cpu, which == 0, size, value));
    case 2:
        return push(cpu, size, cpu->regs.rip + in->at) && jump_to(cpu, in, value);
    case 4:
        return jump_to(cpu, in, value);
    default:
        return toy_stop(cpu, TOY_STUCK);
    }
}

/* 80 to 8e: with ModRM */
static bool do_modrm(struct toy_cpu *cpu, struct insn *in)
{
    struct vmr_x86_segment *const segments[] = {&cpu->regs.es, NULL,          &cpu->regs.ss,
                                                &cpu->regs.ds, &cpu->regs.fs, &cpu->regs.gs};
    unsigned size = in->op & 1 ? in->size : 1, immediate = in->op == 0x81 ? (size < 4 ? size : 4) : 1;
    uint64_t value;

    if (!take_modrm(cpu, in, in->op <= 0x83 ? immediate : 0))
        return false;
    switch (in->op) {
    case 0x80:
    case 0x81:
    case 0x83:
        return calculate_rm(cpu, in, (enum operation)(in->reg & 7), size, take_signed(in, immediate));
    case 0x84:
    case 0x85:
        if (!get_rm(cpu, in, size, &value))
            return false;
        (void)calculate(cpu, OP_AND, size, value, get_reg(cpu, in, in->reg, size));
        return true;
    case 0x88:
    case 0x89:
        return set_rm(cpu, in, size, get_reg(cpu, in, in->reg, size));
    case 0x8a:
    case 0x8b:
        if (!get_rm(cpu, in, size, &value))
            return false;
        set_reg(cpu, in, in->reg, size, value);
        return true;
    case 0x8e:
        if (in->reg > 5 || !segments[in->reg])
            return toy_fault(cpu, VECTOR_UD, -1);
        return get_rm(cpu, in, 2, &value) && load_segment(cpu, segments[in->reg], (uint16_t)value);
    default:
        return toy_stop(cpu, TOY_STUCK);
    }
}

static bool do_store_immediate(struct toy_cpu *cpu, struct insn *in)
{
    unsigned size = in->op & 1 ? in->size : 1, immediate = size < 4 ? size : 4;

    return take_modrm(cpu, in, immediate) && set_rm(cpu, in, size, take_signed(in, immediate));
}

/* Those whose low bits are a register or a condition. */
static bool do_ranges(struct toy_cpu *cpu, struct insn *in)
{
    unsigned reg = (in->op & 7u) | (in->rex & 1u) << 3;
    uint64_t value;

    switch (in->op & 0xf8) {
    case 0x40:
    case 0x48:
        value = by_one(cpu, in->op < 0x48, in->size, get_reg(cpu, in, reg, in->size));
        set_reg(cpu, in, reg, in->size, value);
        return true;
    case 0x50:
        return push(cpu, stack_size(in), get_reg(cpu, in, reg, stack_size(in)));
    case 0x58:
        if (!pop(cpu, stack_size(in), &value))
            return false;
        set_reg(cpu, in, reg, stack_size(in), value);
        return true;
    case 0x70:
    case 0x78:
        value = take_signed(in, 1);
        cpu->regs.rip += condition(cpu, in->op) ? value : 0;
        return true;
    case 0xb0:
        set_reg(cpu, in, reg, 1, take(in, 1));
        return true;
    case 0xb8:
        set_reg(cpu, in, reg, in->size, take(in, in->size));
        return true;
    case 0x80:
    case 0x88:
        return do_modrm(cpu, in);
    default:
        return in->op >= 0xe0 ? do_port(cpu, in) : do_string(cpu, in);
    }
}

static bool do_flag(struct toy_cpu *cpu, struct insn *in)
{
    uint64_t flag = in->op < 0xfc ? FLAG_IF : FLAG_DF, before = cpu->regs.rflags;

    cpu->regs.rflags = in->op & 1 ? before | flag : before & ~flag;
    in->sti = in->op == 0xfb && (before & FLAG_IF) == 0;
    return true;
}

static bool do_halt(struct toy_cpu *cpu)
{
    cpu->exit = (struct vmr_exit){.kind = VMR_EXIT_HALT};
    cpu->outcome = TOY_HALTED;
    return true;
}

/* Long because it is a table: the opcodes that are alone. */
static bool execute(struct toy_cpu *cpu, struct insn *in)
{
    uint64_t value;

    if (in->op < 0x40 && (in->op & 7) < 6)
        return do_arithmetic(cpu, in);
    switch (in->op) {
    case 0x0f:
        return do_two_bytes(cpu, in);
    case 0x68:
    case 0x6a:
        return push(cpu, stack_size(in), take_signed(in, in->op == 0x6a ? 1 : in->size == 2 ? 2 : 4));
    case 0x90:
        return true;
    case 0xc1:
        return do_shift(cpu, in);
    case 0xc3:
    case 0xcb:
    case 0xcf:
        return do_return(cpu, in);
    case 0xc6:
    case 0xc7:
        return do_store_immediate(cpu, in);
    case 0xe8:
        value = take_signed(in, in->size == 2 ? 2 : 4);
        return push(cpu, stack_size(in), cpu->regs.rip + in->at) && jump_to(cpu, in, cpu->regs.rip + in->at + value);
    case 0xe9:
    case 0xeb:
        cpu->regs.rip += take_signed(in, in->op == 0xeb ? 1 : in->size == 2 ? 2 : 4);
        return true;
    case 0xa2:
    case 0xa3:
        value = take(in, in->mode) + (in->mode == 8 ? 0 : cpu->regs.ds.base);
        return toy_store(cpu, value, in->op & 1 ? in->size : 1, get_reg(cpu, in, VMR_X86_RAX, in->size));
    case 0xea:
        value = take(in, in->size == 2 ? 2 : 4);
        return jump_far(cpu, in, value, (uint16_t)take(in, 2));
    case 0xf4:
        return do_halt(cpu);
    case 0xfa:
    case 0xfb:
    case 0xfc:
    case 0xfd:
        return do_flag(cpu, in);
    case 0xfe:
    case 0xff:
        return do_group_ff(cpu, in);
    default:
        break;
    }
    static const uint8_t ranges[] = {0x40, 0x48, 0x50, 0x58, 0x70, 0x78, 0x80, 0x88, 0xb0, 0xb8};
    bool in_range = (in->op & 0xf4) == 0xe4 || (in->op & 0xfc) == 0x6c;

    for (unsigned i = 0; i < sizeof(ranges) && !in_range; i++)
        in_range = (in->op & 0xf8) == ranges[i];
    return in_range ? do_ranges(cpu, in) : toy_stop(cpu, TOY_STUCK);
}

static unsigned mode_of(const struct vmr_x86_regs *regs)
{
    if ((regs->efer & EFER_LMA) != 0 && (regs->cs.attributes & CODE_64) != 0)
        return 8;
    return regs->cs.attributes & CODE_32 ? 4 : 2;
}

/* Prefixes and opcode. */
static bool decode(struct toy_cpu *cpu, struct insn *in)
{
    const struct vmr_x86_regs *regs = &cpu->regs;
    bool code64 = mode_of(regs) == 8, narrow = false;

    in->mode = mode_of(regs);
    if (!toy_fetch(cpu, regs->rip + (code64 ? 0 : regs->cs.base), in->bytes, &in->count))
        return false;
    for (in->op = (uint8_t)take(in, 1); in->op == 0x66 || in->op == 0xf0 || in->op == 0xf3;
         in->op = (uint8_t)take(in, 1)) {
        narrow |= in->op == 0x66;
        in->repeats |= in->op == 0xf3;
        if (in->at >= in->count)
            return toy_stop(cpu, TOY_STUCK);
    }
    if (code64 && in->op >> 4 == 4) {
        in->rex = in->op;
        in->op = (uint8_t)take(in, 1);
    }
    in->size = in->rex & 8 ? 8 : (in->mode == 2) != narrow ? 2 : 4;
    return true;
}

static bool fail(struct toy_cpu *cpu, const struct insn *in)
{
    cpu->exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL};
    cpu->exit.u.fail.cause = VMR_FAIL_EMULATION;
    cpu->exit.u.fail.length = (uint8_t)in->count;
    for (unsigned i = 0; i < in->count; i++)
        cpu->exit.u.fail.bytes[i] = in->bytes[i];
    return false;
}

static bool interpret(struct toy_cpu *cpu)
{
    struct insn in = {0};

    if (cpu->answered == 0 && !deliver_events(cpu))
        return false;
    struct vmr_x86_regs saved = cpu->regs;

    cpu->asked = 0;
    cpu->outcome = TOY_DONE;
    if (decode(cpu, &in) && execute(cpu, &in) && in.at > in.count)
        cpu->outcome = TOY_STUCK; /* it is longer than what is there */
    if (cpu->outcome == TOY_DONE || cpu->outcome == TOY_HALTED) {
        cpu->regs.rip = cut(cpu->regs.rip + in.at, mode_of(&cpu->regs));
        cpu->shadow = in.sti;
        cpu->answered = 0;
        return cpu->outcome == TOY_DONE;
    }
    uint64_t cr2 = cpu->regs.cr2;

    cpu->regs = saved;
    if (cpu->outcome == TOY_ASKS) {
        cpu->pending = true;
        return false;
    }
    cpu->answered = 0;
    if (cpu->outcome == TOY_STUCK)
        return fail(cpu, &in);
    cpu->regs.cr2 = cr2;
    return deliver(cpu, cpu->vector, cpu->error);
}

void toy_cpu_reset(struct toy_cpu *cpu)
{
    vmr_x86_regs_reset(&cpu->regs);
    cpu->regs.gpr[VMR_X86_RDX] = TOY_FAMILY;
    if (cpu->index > 0)
        cpu->regs.apic_base &= ~APIC_BASE_BOOT;
    cpu->msrs[TOY_MSRS - 1] = PAT_RESET;
}

bool toy_step(struct toy_cpu *cpu)
{
    while (atomic_load(&cpu->vm->mappers) != 0)
        (void)sched_yield();
    (void)pthread_rwlock_rdlock(&cpu->vm->lock);
    bool goes_on = interpret(cpu);

    (void)pthread_rwlock_unlock(&cpu->vm->lock);
    return goes_on;
}
