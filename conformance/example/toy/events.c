/* SPDX-License-Identifier: MIT */
/* What comes between two instructions: interrupts and exceptions (Intel SDM vol. 3, 6.14). */

#include "insn.h"

bool toy_load_segment(struct toy_cpu *cpu, struct vmr_x86_segment *segment, uint16_t selector)
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
        if (!toy_push(cpu, 8, frame[i]))
            return false;
    }
    if (error >= 0 && !toy_push(cpu, 8, (uint64_t)error))
        return false;
    regs->rip = (gate & 0xffff) | (gate >> 32 & 0xffff0000) | high << 32;
    regs->rflags &= ~(uint64_t)(FLAG_TF | ((gate >> 40 & 1) == 0 ? FLAG_IF : 0));
    return toy_load_segment(cpu, &regs->cs, (uint16_t)(gate >> 16));
}

/* A second fault is a double fault, a third one shuts down. False: `cpu->exit` is filled. */
bool toy_deliver(struct toy_cpu *cpu, uint8_t vector, int64_t error)
{
    struct vmr_x86_regs saved = cpu->regs;

    cpu->shadow = false;
    cpu->asked = cpu->answered = 0;
    bool entered = enter_handler(cpu, vector, error);

    if (!entered) {
        cpu->regs = saved;
        entered = enter_handler(cpu, VECTOR_DF, 0);
    }
    cpu->asked = cpu->answered = 0;
    if (entered)
        return true;
    cpu->regs = saved;
    cpu->exit = (struct vmr_exit){.kind = VMR_EXIT_SHUTDOWN};
    return false;
}

bool toy_is_ready(const struct toy_cpu *cpu)
{
    return (cpu->regs.rflags & FLAG_IF) != 0 && !cpu->shadow && cpu->interrupt == 0 && cpu->exception == 0;
}

bool toy_deliver_events(struct toy_cpu *cpu)
{
    uint8_t exception = (uint8_t)(cpu->exception - 1), interrupt = (uint8_t)(cpu->interrupt - 1);

    if (cpu->exception != 0) {
        cpu->exception = 0;
        return toy_deliver(cpu, exception, exception == VECTOR_GP ? 0 : -1);
    }
    if (cpu->interrupt != 0) { /* it was given when the guest was ready for it */
        cpu->interrupt = 0;
        return toy_deliver(cpu, interrupt, -1);
    }
    if (!cpu->nmi || cpu->nmi_masked || cpu->shadow)
        return true;
    cpu->nmi = false;
    cpu->nmi_masked = true;
    return toy_deliver(cpu, VECTOR_NMI, -1);
}
