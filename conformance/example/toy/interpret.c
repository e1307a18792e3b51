/* SPDX-License-Identifier: MIT */
/* One instruction (Intel SDM vol. 2). */

#include "insn.h"

#include <sched.h>

/* 00 to 3d: r/m and register, register and r/m, accumulator and immediate. */
static bool do_arithmetic(struct toy_cpu *cpu, struct toy_insn *in)
{
    enum toy_operation op = (enum toy_operation)(in->op >> 3);
    unsigned size = in->op & 1 ? in->size : 1;
    uint64_t b;

    if ((in->op & 7) >= 4) {
        in->reg = VMR_X86_RAX;
        b = toy_take_signed(in, size < 4 ? size : 4);
    } else if (!toy_take_modrm(cpu, in, 0)) {
        return false;
    } else if ((in->op & 2) == 0) {
        return toy_calculate_rm(cpu, in, op, size, toy_get_reg(cpu, in, in->reg, size));
    } else if (!toy_get_rm(cpu, in, size, &b)) {
        return false;
    }
    uint64_t result = toy_calculate(cpu, op, size, toy_get_reg(cpu, in, in->reg, size), toy_cut(b, size));

    if (op != OP_CMP)
        toy_set_reg(cpu, in, in->reg, size, result);
    return true;
}

static bool do_shift(struct toy_cpu *cpu, struct toy_insn *in)
{
    uint64_t value;

    if (!toy_take_modrm(cpu, in, 1) || !toy_get_rm(cpu, in, in->size, &value))
        return false;
    unsigned by = (unsigned)toy_take(in, 1) & (in->size == 8 ? 63 : 31);
    bool left = (in->reg & 7) == 4;

    if (!left && (in->reg & 7) != 5)
        return toy_stop(cpu, TOY_STUCK);
    if (by == 0)
        return true;
    bool carry = (left ? value >> (8 * in->size - by) : value >> (by - 1)) & 1;

    value = left ? value << by : value >> by;
    toy_set_flags(cpu, in->size, value, carry, false);
    return toy_set_rm(cpu, in, in->size, value);
}

static bool do_table(struct toy_cpu *cpu, struct toy_insn *in)
{
    struct vmr_x86_table *table = (in->reg & 7) == 2 ? &cpu->regs.gdtr : &cpu->regs.idtr;
    uint64_t limit, base;

    if (in->is_register && ((in->reg == 0 && in->rm == 1) || (in->reg == 3 && in->rm == 1)))
        return toy_do_hypercall(cpu, in);
    if (in->is_register || ((in->reg & 7) != 2 && (in->reg & 7) != 3))
        return toy_stop(cpu, TOY_STUCK);
    if (!toy_load(cpu, in->address, 2, &limit) || !toy_load(cpu, in->address + 2, in->mode == 8 ? 8 : 4, &base))
        return false;
    *table = (struct vmr_x86_table){.base = in->size == 2 ? base & 0xffffff : base, .limit = (uint16_t)limit};
    return true;
}

static bool do_control(struct toy_cpu *cpu, const struct toy_insn *in, bool write)
{
    struct vmr_x86_regs *regs = &cpu->regs;
    uint64_t *const control[16] = {&regs->cr0, NULL, &regs->cr2, &regs->cr3, &regs->cr4, [8] = &regs->cr8};
    unsigned size = in->mode == 8 ? 8 : 4;

    if (!control[in->reg])
        return toy_fault(cpu, VECTOR_UD, -1);
    if (!write) {
        toy_set_reg(cpu, in, in->rm, size, *control[in->reg]);
        return true;
    }
    *control[in->reg] = toy_get_reg(cpu, in, in->rm, size);
    if ((regs->cr0 & CR0_PG) != 0 && (regs->efer & EFER_LME) != 0)
        regs->efer |= EFER_LMA;
    else
        regs->efer &= ~(uint64_t)EFER_LMA;
    return true;
}

static bool do_two_bytes(struct toy_cpu *cpu, struct toy_insn *in)
{
    uint8_t op = (uint8_t)toy_take(in, 1);

    if (op >> 4 == 8) {
        uint64_t by = toy_take_signed(in, in->size == 2 ? 2 : 4);

        cpu->regs.rip += toy_condition(cpu, op) ? by : 0;
        return true;
    }
    switch (op) {
    case 0x01:
        return toy_take_modrm(cpu, in, 0) && do_table(cpu, in);
    case 0x0b:
        return toy_fault(cpu, VECTOR_UD, -1);
    case 0x20:
    case 0x22:
        return toy_take_modrm(cpu, in, 0) && do_control(cpu, in, op == 0x22);
    case 0x30:
    case 0x32:
        return toy_do_msr(cpu, op == 0x30);
    case 0xa2:
        return toy_do_cpuid(cpu);
    default:
        return toy_stop(cpu, TOY_STUCK);
    }
}

/* rip is that of the instruction until it is over: what is read of it has been added then. */
static bool jump_to(struct toy_cpu *cpu, const struct toy_insn *in, uint64_t target)
{
    cpu->regs.rip = (in->mode == 8 ? target : toy_cut(target, 4)) - in->at;
    return true;
}

static bool jump_far(struct toy_cpu *cpu, struct toy_insn *in, uint64_t target, uint16_t selector)
{
    return toy_load_segment(cpu, &cpu->regs.cs, selector) && jump_to(cpu, in, target);
}

static bool do_return(struct toy_cpu *cpu, struct toy_insn *in)
{
    uint64_t word[5] = {0};
    unsigned count = in->op == 0xc3 ? 1 : in->op == 0xcb ? 2 : 5, size = in->op == 0xc3 ? toy_stack_size(in) : in->size;

    if (count == 5 && size != 8)
        return toy_stop(cpu, TOY_STUCK); /* only that of long mode */
    for (unsigned i = 0; i < count; i++) {
        if (!toy_pop(cpu, size, &word[i]))
            return false;
    }
    if (count == 1)
        return jump_to(cpu, in, word[0]);
    if (count == 5) {
        cpu->regs.rflags = word[2] | FLAG_FIXED;
        cpu->regs.gpr[VMR_X86_RSP] = word[3];
        cpu->nmi_masked = false;
        if (!toy_load_segment(cpu, &cpu->regs.ss, (uint16_t)word[4]))
            return false;
    }
    cpu->regs.rip = word[0] - in->at;
    return toy_load_segment(cpu, &cpu->regs.cs, (uint16_t)word[1]);
}

/* fe and ff: INC, DEC, CALL, JMP, PUSH */
static bool do_group_ff(struct toy_cpu *cpu, struct toy_insn *in)
{
    unsigned size = in->op & 1 ? in->size : 1, which;
    uint64_t value;

    if (!toy_take_modrm(cpu, in, 0))
        return false;
    which = in->reg & 7;
    if (which >= 2)
        size = toy_stack_size(in);
    if (!toy_get_rm(cpu, in, size, &value))
        return false;
    switch (which) {
    case 0:
    case 1:
        return toy_set_rm(cpu, in, size, toy_by_one(cpu, which == 0, size, value));
    case 2:
        return toy_push(cpu, size, cpu->regs.rip + in->at) && jump_to(cpu, in, value);
    case 4:
        return jump_to(cpu, in, value);
    default:
        return toy_stop(cpu, TOY_STUCK);
    }
}

/* 80 to 8e: with ModRM */
static bool do_modrm(struct toy_cpu *cpu, struct toy_insn *in)
{
    struct vmr_x86_segment *const segments[] = {&cpu->regs.es, NULL,          &cpu->regs.ss,
                                                &cpu->regs.ds, &cpu->regs.fs, &cpu->regs.gs};
    unsigned size = in->op & 1 ? in->size : 1, immediate = in->op == 0x81 ? (size < 4 ? size : 4) : 1;
    uint64_t value;

    if (!toy_take_modrm(cpu, in, in->op <= 0x83 ? immediate : 0))
        return false;
    switch (in->op) {
    case 0x80:
    case 0x81:
    case 0x83:
        return toy_calculate_rm(cpu, in, (enum toy_operation)(in->reg & 7), size, toy_take_signed(in, immediate));
    case 0x84:
    case 0x85:
        if (!toy_get_rm(cpu, in, size, &value))
            return false;
        (void)toy_calculate(cpu, OP_AND, size, value, toy_get_reg(cpu, in, in->reg, size));
        return true;
    case 0x88:
    case 0x89:
        return toy_set_rm(cpu, in, size, toy_get_reg(cpu, in, in->reg, size));
    case 0x8a:
    case 0x8b:
        if (!toy_get_rm(cpu, in, size, &value))
            return false;
        toy_set_reg(cpu, in, in->reg, size, value);
        return true;
    case 0x8e:
        if (in->reg > 5 || !segments[in->reg])
            return toy_fault(cpu, VECTOR_UD, -1);
        return toy_get_rm(cpu, in, 2, &value) && toy_load_segment(cpu, segments[in->reg], (uint16_t)value);
    default:
        return toy_stop(cpu, TOY_STUCK);
    }
}

static bool do_store_immediate(struct toy_cpu *cpu, struct toy_insn *in)
{
    unsigned size = in->op & 1 ? in->size : 1, immediate = size < 4 ? size : 4;

    return toy_take_modrm(cpu, in, immediate) && toy_set_rm(cpu, in, size, toy_take_signed(in, immediate));
}

/* Those whose low bits are a register or a condition. */
static bool do_ranges(struct toy_cpu *cpu, struct toy_insn *in)
{
    unsigned reg = (in->op & 7u) | (in->rex & 1u) << 3;
    uint64_t value;

    switch (in->op & 0xf8) {
    case 0x40:
    case 0x48:
        value = toy_by_one(cpu, in->op < 0x48, in->size, toy_get_reg(cpu, in, reg, in->size));
        toy_set_reg(cpu, in, reg, in->size, value);
        return true;
    case 0x50:
        return toy_push(cpu, toy_stack_size(in), toy_get_reg(cpu, in, reg, toy_stack_size(in)));
    case 0x58:
        if (!toy_pop(cpu, toy_stack_size(in), &value))
            return false;
        toy_set_reg(cpu, in, reg, toy_stack_size(in), value);
        return true;
    case 0x70:
    case 0x78:
        value = toy_take_signed(in, 1);
        cpu->regs.rip += toy_condition(cpu, in->op) ? value : 0;
        return true;
    case 0xb0:
        toy_set_reg(cpu, in, reg, 1, toy_take(in, 1));
        return true;
    case 0xb8:
        toy_set_reg(cpu, in, reg, in->size, toy_take(in, in->size));
        return true;
    case 0x80:
    case 0x88:
        return do_modrm(cpu, in);
    default:
        return in->op >= 0xe0 ? toy_do_port(cpu, in) : toy_do_string(cpu, in);
    }
}

static bool do_flag(struct toy_cpu *cpu, struct toy_insn *in)
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
static bool execute(struct toy_cpu *cpu, struct toy_insn *in)
{
    uint64_t value;

    if (in->op < 0x40 && (in->op & 7) < 6)
        return do_arithmetic(cpu, in);
    switch (in->op) {
    case 0x0f:
        return do_two_bytes(cpu, in);
    case 0x68:
    case 0x6a:
        return toy_push(cpu, toy_stack_size(in), toy_take_signed(in, in->op == 0x6a ? 1 : in->size == 2 ? 2 : 4));
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
        value = toy_take_signed(in, in->size == 2 ? 2 : 4);
        return toy_push(cpu, toy_stack_size(in), cpu->regs.rip + in->at) &&
               jump_to(cpu, in, cpu->regs.rip + in->at + value);
    case 0xe9:
    case 0xeb:
        cpu->regs.rip += toy_take_signed(in, in->op == 0xeb ? 1 : in->size == 2 ? 2 : 4);
        return true;
    case 0xa2:
    case 0xa3:
        value = toy_take(in, in->mode) + (in->mode == 8 ? 0 : cpu->regs.ds.base);
        return toy_store(cpu, value, in->op & 1 ? in->size : 1, toy_get_reg(cpu, in, VMR_X86_RAX, in->size));
    case 0xea:
        value = toy_take(in, in->size == 2 ? 2 : 4);
        return jump_far(cpu, in, value, (uint16_t)toy_take(in, 2));
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
static bool decode(struct toy_cpu *cpu, struct toy_insn *in)
{
    const struct vmr_x86_regs *regs = &cpu->regs;
    bool code64 = mode_of(regs) == 8, narrow = false;

    in->mode = mode_of(regs);
    if (!toy_fetch(cpu, regs->rip + (code64 ? 0 : regs->cs.base), in->bytes, &in->count))
        return false;
    for (in->op = (uint8_t)toy_take(in, 1); in->op == 0x66 || in->op == 0xf0 || in->op == 0xf3;
         in->op = (uint8_t)toy_take(in, 1)) {
        narrow |= in->op == 0x66;
        in->repeats |= in->op == 0xf3;
        if (in->at >= in->count)
            return toy_stop(cpu, TOY_STUCK);
    }
    if (code64 && in->op >> 4 == 4) {
        in->rex = in->op;
        in->op = (uint8_t)toy_take(in, 1);
    }
    in->size = in->rex & 8 ? 8 : (in->mode == 2) != narrow ? 2 : 4;
    return true;
}

static bool fail(struct toy_cpu *cpu, const struct toy_insn *in)
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
    struct toy_insn in = {0};

    if (cpu->answered == 0 && !toy_deliver_events(cpu))
        return false;
    struct vmr_x86_regs saved = cpu->regs;

    cpu->asked = 0;
    cpu->outcome = TOY_DONE;
    if (decode(cpu, &in) && execute(cpu, &in) && in.at > in.count)
        cpu->outcome = TOY_STUCK; /* it is longer than what is there */
    if (cpu->outcome == TOY_DONE || cpu->outcome == TOY_HALTED) {
        cpu->regs.rip = toy_cut(cpu->regs.rip + in.at, mode_of(&cpu->regs));
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
    return toy_deliver(cpu, cpu->vector, cpu->error);
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
