/* SPDX-License-Identifier: MIT */
/*
 * Steps to instructions: one small function an operation, and a table of them.
 * Variables are R8 to R15; the other registers are scratch within a step.
 */

#include "conformance/x86_64/steps.h"

#include "vmrig/hv_vtl.h"

/* Local APIC registers (Intel SDM vol. 3, table 11-1) and ICR commands (figure 11-12). */
#define XAPIC_ICR_LOW 0xfee00300u
#define XAPIC_ICR_HIGH 0xfee00310u
#define X2APIC_MSR_ICR 0x830u
#define ICR_ASSERT 0x4000u
#define ICR_INIT 0x0500u
#define ICR_STARTUP 0x0600u

static unsigned var_of(const struct vmr_step *step)
{
    return R8 + step->var;
}

static void lower_set(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, var_of(step), step->value);
}

static void lower_add(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RAX, step->value);
    emit_add(low->code, var_of(step), RAX);
}

static void lower_out(struct lowering *low, const struct vmr_step *step)
{
    if (step->op == VMR_STEP_OUT_VAR)
        emit_mov(low->code, RAX, var_of(step));
    else
        emit_mov_imm(low->code, RAX, step->value);
    emit_mov_imm(low->code, RDX, step->address);
    emit_out(low->code, step->size);
}

static void lower_in(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RDX, step->address);
    emit_in(low->code, step->size);
    emit_mov(low->code, var_of(step), RAX);
}

static void lower_string(struct lowering *low, const struct vmr_step *step)
{
    bool out = step->op == VMR_STEP_OUTS;
    uint8_t opcode = (uint8_t)((out ? 0x6eu : 0x6cu) | (step->size > 1 ? 1u : 0));

    emit_mov_imm(low->code, RDX, step->address);
    emit_mov_imm(low->code, RCX, step->count);
    emit_mov_imm(low->code, out ? RSI : RDI, step->value);
    emit(low->code, step->backward ? 0xfd : 0xfc);
    emit(low->code, 0xf3);
    if (step->size == 2)
        emit(low->code, 0x66);
    emit(low->code, opcode);
    emit(low->code, 0xfc);
}

static void lower_store(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RDI, step->address);
    if (step->op == VMR_STEP_STORE_VAR)
        emit_mov(low->code, RAX, var_of(step));
    else
        emit_mov_imm(low->code, RAX, step->value);
    emit_store(low->code, step->size);
}

static void lower_load(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RSI, step->address);
    emit_load(low->code, step->size);
    emit_mov(low->code, var_of(step), RAX);
}

static void lower_or(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RDI, step->address);
    emit_mov_imm(low->code, RAX, step->value);
    switch (step->size) {
    case 1:
        emit(low->code, 0xf0, 0x08, 0x07);
        return;
    case 2:
        emit(low->code, 0xf0, 0x66, 0x09, 0x07);
        return;
    case 4:
        emit(low->code, 0xf0, 0x09, 0x07);
        return;
    default:
        emit(low->code, 0xf0, 0x48, 0x09, 0x07);
    }
}

/* A fault in what follows goes on at `after`, with vector + 1 in the fault variable. */
static void fault_guard(struct lowering *low, uint32_t after)
{
    emit_zero(low->code, R8 + VMR_PROGRAM_FAULT_VAR);
    emit_mov_label(low->code, RAX, after);
    emit_mov_imm(low->code, RDI, IMAGE_FIXUP(low->vp));
    emit_store(low->code, 8);
}

static void fault_forget(struct lowering *low)
{
    emit_zero(low->code, RBX);
    emit_mov_imm(low->code, RDI, IMAGE_FIXUP(low->vp));
    emit(low->code, 0x48, 0x89, 0x1f); /* mov [rdi], rbx */
}

static void fault_unguard(struct lowering *low, uint32_t after)
{
    code_place(low->code, after);
    fault_forget(low);
}

static void lower_rdmsr(struct lowering *low, const struct vmr_step *step)
{
    uint32_t after = code_labels(low->code, 1);

    fault_guard(low, after);
    emit_mov_imm(low->code, RCX, step->address);
    emit_zero(low->code, RAX);
    emit_zero(low->code, RDX);
    emit(low->code, 0x0f, 0x32);
    fault_unguard(low, after);
    emit(low->code, 0x48, 0xc1, 0xe2, 0x20); /* shl rdx, 32 */
    emit(low->code, 0x48, 0x09, 0xd0);       /* or rax, rdx */
    if (step->var != VMR_PROGRAM_FAULT_VAR)
        emit_mov(low->code, var_of(step), RAX);
}

static void lower_wrmsr(struct lowering *low, const struct vmr_step *step)
{
    uint32_t after = code_labels(low->code, 1);

    fault_guard(low, after);
    emit_mov_imm(low->code, RCX, step->address);
    emit_mov_imm(low->code, RAX, step->value & UINT32_MAX);
    emit_mov_imm(low->code, RDX, step->value >> 32);
    emit(low->code, 0x0f, 0x30);
    fault_unguard(low, after);
}

static void lower_cpuid(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RAX, step->address);
    emit_mov_imm(low->code, RCX, step->value);
    emit(low->code, 0x0f, 0xa2);
    /* 64-bit moves: CPUID has cleared the upper halves. */
    emit_mov(low->code, R8 + 0, RAX);
    emit_mov(low->code, R8 + 1, RBX);
    emit_mov(low->code, R8 + 2, RCX);
    emit_mov(low->code, R8 + 3, RDX);
}

static void lower_expect(struct lowering *low, const struct vmr_step *step)
{
    uint32_t good = code_labels(low->code, 1);
    uint32_t index = (uint32_t)(step - low->program->steps);

    emit_mov(low->code, RBX, var_of(step));
    if (step->op == VMR_STEP_EXPECT_MASK) {
        emit_mov_imm(low->code, RAX, step->address);
        emit_and(low->code, RBX, RAX);
    }
    emit_mov_imm(low->code, RAX, step->value);
    emit_cmp(low->code, RBX, RAX);
    emit_jump_if(low->code, COND_EQUAL, good);
    emit_mov_imm(low->code, RCX, index);
    emit_mov(low->code, RBX, var_of(step));
    emit_jump(low->code, low->mismatch);
    code_place(low->code, good);
}

static void lower_jump(struct lowering *low, const struct vmr_step *step)
{
    emit_jump(low->code, low->first_step + step->target);
}

static void lower_jump_eq(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RAX, step->value);
    emit_cmp(low->code, var_of(step), RAX);
    emit_jump_if(low->code, COND_EQUAL, low->first_step + step->target);
}

static void lower_loop(struct lowering *low, const struct vmr_step *step)
{
    emit_dec(low->code, var_of(step));
    emit_jump_if(low->code, COND_NOT_EQUAL, low->first_step + step->target);
}

static void lower_spin(struct lowering *low, const struct vmr_step *step)
{
    (void)step;
    emit(low->code, 0xf3, 0x90, 0xeb, 0xfc); /* pause; jmp to it */
}

static void lower_spin_until(struct lowering *low, const struct vmr_step *step)
{
    uint32_t again = code_labels(low->code, 2);
    uint32_t out = again + 1;

    emit_mov_imm(low->code, RSI, step->address);
    emit_mov_imm(low->code, RBX, step->value);
    code_place(low->code, again);
    emit_load(low->code, step->size);
    emit_cmp(low->code, RAX, RBX);
    emit_jump_if(low->code, COND_EQUAL, out);
    emit(low->code, 0xf3, 0x90);
    emit_jump(low->code, again);
    code_place(low->code, out);
}

static void lower_one_byte(struct lowering *low, const struct vmr_step *step)
{
    static const uint8_t opcodes[VMR_STEP_OP_COUNT] = {
        [VMR_STEP_CLI] = 0xfa,
        [VMR_STEP_STI] = 0xfb,
        [VMR_STEP_HLT] = 0xf4,
        [VMR_STEP_NOP] = 0x90,
    };

    emit(low->code, opcodes[step->op]);
}

static uint64_t count_address(const struct lowering *low, uint64_t vector)
{
    return VMR_PROGRAM_COUNTS + (low->vp * 256u + (vector & 0xffu)) * 4u;
}

static void lower_wait_vector(struct lowering *low, const struct vmr_step *step)
{
    uint32_t again = code_labels(low->code, 2);
    uint32_t out = again + 1;

    emit_mov_imm(low->code, RSI, count_address(low, step->value));
    emit_mov_imm(low->code, RBX, step->count);
    code_place(low->code, again);
    /* Looked at with interrupts off: one that comes between the look and HLT is held back until STI; HLT. */
    emit(low->code, 0xfa);
    emit_load(low->code, 4);
    emit_cmp(low->code, RAX, RBX);
    emit_jump_if(low->code, COND_ABOVE_EQUAL, out);
    emit(low->code, 0xfb, 0xf4);
    emit_jump(low->code, again);
    code_place(low->code, out);
}

static void lower_read_count(struct lowering *low, const struct vmr_step *step)
{
    emit_mov_imm(low->code, RSI, count_address(low, step->value));
    emit_load(low->code, 4);
    emit_mov(low->code, var_of(step), RAX);
}

static void send_icr(struct lowering *low, uint32_t apic_id, uint32_t command)
{
    if (low->program->eoi == VMR_EOI_X2APIC) {
        emit_mov_imm(low->code, RCX, X2APIC_MSR_ICR);
        emit_mov_imm(low->code, RAX, command);
        emit_mov_imm(low->code, RDX, apic_id);
        emit(low->code, 0x0f, 0x30);
        return;
    }
    emit_mov_imm(low->code, RDI, XAPIC_ICR_HIGH);
    emit_mov_imm(low->code, RAX, apic_id << 24);
    emit_store(low->code, 4);
    emit_mov_imm(low->code, RDI, XAPIC_ICR_LOW);
    emit_mov_imm(low->code, RAX, command);
    emit_store(low->code, 4);
}

static void lower_start_vp(struct lowering *low, const struct vmr_step *step)
{
    send_icr(low, (uint32_t)step->value, ICR_ASSERT | ICR_INIT);
    send_icr(low, (uint32_t)step->value, ICR_ASSERT | ICR_STARTUP | VMR_PROGRAM_BASE >> 12);
}

static void lower_send_ipi(struct lowering *low, const struct vmr_step *step)
{
    send_icr(low, (uint32_t)step->value, ICR_ASSERT | ((uint32_t)step->address & 0xffu));
}

static void lower_checkpoint(struct lowering *low, const struct vmr_step *step)
{
    emit_out_port(low->code, VMR_PROGRAM_PORT_CHECKPOINT, (uint32_t)step->value);
}

static void lower_power(struct lowering *low, const struct vmr_step *step)
{
    emit_out_port(low->code, VMR_PROGRAM_PORT_POWER, step->op == VMR_STEP_POWER_OFF ? 1 : 2);
}

static void lower_hypercall(struct lowering *low, const struct vmr_step *step)
{
    static const unsigned arguments[4] = {RBX, RCX, RDX, RSI}; /* KVM's convention */

    for (unsigned i = 0; i < 4; i++)
        emit_mov(low->code, arguments[i], R8 + i);
    emit_mov_imm(low->code, RAX, step->value);
    emit(low->code, 0x0f, 0x01, 0xc1);
    emit_mov(low->code, var_of(step), RAX);
}

/* XMM0 to XMM5 from or to [RSI]: MOVUPS, opcode 0x10 loads and 0x11 stores. */
static void move_xmm(struct lowering *low, uint32_t address, uint8_t opcode)
{
    emit_mov_imm(low->code, RSI, address);
    for (uint8_t i = 0; i < 6; i++)
        emit(low->code, 0x0f, opcode, (uint8_t)(0x46u | (unsigned)i << 3), (uint8_t)(16u * i)); /* [rsi + 16 i] */
}

/* The halves of `from`: an upper one into the low 32 bits of `high`, and `low_half` whole, whatever is above. */
static void split(struct code *code, unsigned high, unsigned low_half, unsigned from)
{
    emit_mov(code, low_half, from);
    emit_mov(code, high, from);
    emit(code, 0x48, 0xc1, (uint8_t)(0xe8u | high), 0x20); /* shr high, 32 */
}

/* What is above 32 bits after a change of mode is undefined, and dropped. */
static void join(struct code *code, unsigned to, unsigned high, unsigned low_half)
{
    emit(code, 0x48, 0xc1, (uint8_t)(0xe0u | high), 0x20);           /* shl high, 32 */
    emit(code, 0x89, (uint8_t)(0xc0u | low_half << 3 | low_half));   /* mov low, low: zero extended */
    emit(code, 0x48, 0x09, (uint8_t)(0xc0u | low_half << 3 | high)); /* or high, low */
    emit_mov(code, to, high);
}

/*
 * The stack is empty between steps. A far return leads into the 32-bit segment,
 * and there another one, whose address and selector were pushed as one
 * quadword, leads back. R8 to R15 survive both (Intel SDM vol. 1, 3.4.1.1).
 */
static void call_from_32_bits(struct lowering *low, const struct vmr_step *step)
{
    struct code *code = low->code;
    uint32_t after = code_labels(code, 3), narrow = after + 1, back = after + 2;

    fault_guard(low, after); /* goes on in the segment of the fault */
    emit_mov_label(code, RAX, back);
    emit_mov_imm(code, RBX, (uint64_t)IMAGE_SELECTOR_CODE64 << 32);
    emit_add(code, RAX, RBX);
    emit(code, 0x50); /* push rax */
    emit_mov_label(code, RAX, narrow);
    emit(code, 0x6a, IMAGE_SELECTOR_CODE32, 0x50); /* push selector; push rax */
    split(code, RBX, RCX, R8 + 0);
    split(code, RDI, RSI, R8 + 1);
    emit_mov_imm(code, RBP, step->value);
    split(code, RDX, RAX, RBP);
    emit_mov_imm(code, RBP, step->address);
    emit(code, 0x48, 0xcb); /* far return */
    code_place(code, narrow);
    emit(code, 0xff, 0xd5); /* call ebp */
    code_place(code, after);
    emit(code, 0xbc); /* mov esp, ...: a fault leaves the return address behind */
    emit_le(code, IMAGE_STACK(low->vp) - 8, 4);
    emit(code, 0xcb); /* far return */
    code_place(code, back);
    join(code, R8 + 0, RBX, RCX);
    join(code, R8 + 1, RDI, RSI);
    join(code, var_of(step), RDX, RAX);
    fault_forget(low);
}

static void call_from_64_bits(struct lowering *low, const struct vmr_step *step)
{
    uint32_t after = code_labels(low->code, 1);

    emit(low->code, 0x48, 0x89, 0xe5); /* mov rbp, rsp: a fault leaves the return address behind */
    fault_guard(low, after);
    emit_mov(low->code, RDX, R8 + 0);
    emit_mov(low->code, R8 + 0, R8 + 1); /* R8, the output address, is variable 0 */
    emit_mov_imm(low->code, RCX, step->value);
    emit_mov_imm(low->code, RBX, step->address);
    emit_zero(low->code, RAX);
    emit(low->code, 0xff, 0xd3); /* call rbx */
    fault_unguard(low, after);
    emit(low->code, 0x48, 0x89, 0xec); /* mov rsp, rbp */
    emit_mov(low->code, R8 + 1, R8 + 0);
    emit_mov(low->code, R8 + 0, RDX);
    emit_mov(low->code, var_of(step), RAX);
}

static void lower_hv_call(struct lowering *low, const struct vmr_step *step)
{
    if (step->count != 0)
        move_xmm(low, step->count, 0x10);
    if (step->size == 4)
        call_from_32_bits(low, step);
    else
        call_from_64_bits(low, step);
    if (step->count != 0)
        move_xmm(low, step->count, 0x11);
}

/* The entry takes its input in RCX; what the other VTL does with shared registers, it does. */
static void lower_vtl_switch(struct lowering *low, const struct vmr_step *step)
{
    uint32_t after = code_labels(low->code, 1);
    bool call = step->op == VMR_STEP_VTL_CALL;

    emit(low->code, 0x48, 0x89, 0xe5); /* mov rbp, rsp: a fault leaves the return address behind */
    fault_guard(low, after);
    emit_mov_imm(low->code, RCX, call ? 0 : step->value);
    emit_mov_imm(low->code, RBX, step->address + (call ? HV_PAGE_VTL_CALL_64 : HV_PAGE_VTL_RETURN_64));
    emit(low->code, 0xff, 0xd3); /* call rbx */
    /* Back from the other VTL, which has used RBP and R15; a fault is this one's, and does not come here. */
    emit(low->code, 0x48, 0x89, 0xe5); /* mov rbp, rsp */
    emit_zero(low->code, R8 + VMR_PROGRAM_FAULT_VAR);
    fault_unguard(low, after);
    emit(low->code, 0x48, 0x89, 0xec); /* mov rsp, rbp */
}

static void lower_triple_fault(struct lowering *low, const struct vmr_step *step)
{
    (void)step;
    emit(low->code, 0x0f, 0x01, 0x1c, 0x25); /* lidt [disp32] */
    emit_le(low->code, IMAGE_IDTR_NONE, 4);
    emit(low->code, 0x0f, 0x0b);
}

static void lower_end(struct lowering *low, const struct vmr_step *step)
{
    (void)step;
    emit_jump(low->code, low->end);
}

static void (*const lowerings[VMR_STEP_OP_COUNT])(struct lowering *low, const struct vmr_step *step) = {
    [VMR_STEP_END] = lower_end,
    [VMR_STEP_SET] = lower_set,
    [VMR_STEP_ADD] = lower_add,
    [VMR_STEP_OUT] = lower_out,
    [VMR_STEP_OUT_VAR] = lower_out,
    [VMR_STEP_IN] = lower_in,
    [VMR_STEP_OUTS] = lower_string,
    [VMR_STEP_INS] = lower_string,
    [VMR_STEP_STORE] = lower_store,
    [VMR_STEP_STORE_VAR] = lower_store,
    [VMR_STEP_LOAD] = lower_load,
    [VMR_STEP_OR] = lower_or,
    [VMR_STEP_RDMSR] = lower_rdmsr,
    [VMR_STEP_WRMSR] = lower_wrmsr,
    [VMR_STEP_CPUID] = lower_cpuid,
    [VMR_STEP_EXPECT] = lower_expect,
    [VMR_STEP_EXPECT_MASK] = lower_expect,
    [VMR_STEP_JUMP] = lower_jump,
    [VMR_STEP_JUMP_EQ] = lower_jump_eq,
    [VMR_STEP_LOOP] = lower_loop,
    [VMR_STEP_SPIN] = lower_spin,
    [VMR_STEP_SPIN_UNTIL] = lower_spin_until,
    [VMR_STEP_CLI] = lower_one_byte,
    [VMR_STEP_STI] = lower_one_byte,
    [VMR_STEP_HLT] = lower_one_byte,
    [VMR_STEP_WAIT_VECTOR] = lower_wait_vector,
    [VMR_STEP_READ_COUNT] = lower_read_count,
    [VMR_STEP_START_VP] = lower_start_vp,
    [VMR_STEP_SEND_IPI] = lower_send_ipi,
    [VMR_STEP_CHECKPOINT] = lower_checkpoint,
    [VMR_STEP_HYPERCALL] = lower_hypercall,
    [VMR_STEP_HV_CALL] = lower_hv_call,
    [VMR_STEP_POWER_OFF] = lower_power,
    [VMR_STEP_RESET] = lower_power,
    [VMR_STEP_TRIPLE_FAULT] = lower_triple_fault,
    [VMR_STEP_NOP] = lower_one_byte,
    [VMR_STEP_VTL_CALL] = lower_vtl_switch,
    [VMR_STEP_VTL_RETURN] = lower_vtl_switch,
};

void lower_step(struct lowering *lowering, uint32_t index)
{
    const struct vmr_step *step = &lowering->program->steps[index];

    code_place(lowering->code, lowering->first_step + index);
    lowerings[step->op](lowering, step);
}
