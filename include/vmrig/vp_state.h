/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The registers of an x86-64 VP, as values.
 */

#include "vmrig/types.h"

VMR_BEGIN_DECLS

/* In the order of the instruction encoding. */
enum vmr_x86_gpr {
    VMR_X86_RAX,
    VMR_X86_RCX,
    VMR_X86_RDX,
    VMR_X86_RBX,
    VMR_X86_RSP,
    VMR_X86_RBP,
    VMR_X86_RSI,
    VMR_X86_RDI,
    VMR_X86_R8,
    VMR_X86_R9,
    VMR_X86_R10,
    VMR_X86_R11,
    VMR_X86_R12,
    VMR_X86_R13,
    VMR_X86_R14,
    VMR_X86_R15,
    VMR_X86_GPR_COUNT
};

/* `attributes`: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15 (the VMX access-rights layout). */
struct vmr_x86_segment {
    uint64_t base;
    uint32_t limit; /* in bytes */
    uint16_t selector;
    uint16_t attributes;
};

struct vmr_x86_table {
    uint64_t base;
    uint16_t limit;
};

struct vmr_x86_regs {
    uint64_t gpr[VMR_X86_GPR_COUNT];
    uint64_t rip, rflags;
    struct vmr_x86_segment cs, ds, es, fs, gs, ss, tr, ldtr;
    struct vmr_x86_table gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4, cr8, efer, apic_base;
};

/* What the processor holds after power-up (Intel SDM vol. 3, 10.1.1): rip 0xfff0, cs base 0xffff0000. In
 * apic_base the bit of the boot processor is set; the others lack it. [LIFE-8] */
VMR_API void vmr_x86_regs_reset(struct vmr_x86_regs *ret_regs);

/* Real mode at `vector` << 12, as a start-up IPI leaves it (Intel SDM vol. 3, 9.4.4.2). */
VMR_API void vmr_x86_regs_sipi(struct vmr_x86_regs *ret_regs, uint8_t vector);

/*
 * Whether the VP executes or waits for a start-up IPI. With interrupt
 * controllers attached or in the hypervisor, every VP but 0 begins by waiting,
 * as on hardware; without any, all begin running. [LIFE-9]
 */
enum vmr_activity {
    VMR_ACTIVITY_RUNNING,
    VMR_ACTIVITY_WAIT_FOR_SIPI,
    VMR_ACTIVITY_HALTED, /* HLT executed; leaves on an interrupt */
    VMR_ACTIVITY_COUNT
};

#define VMR_X86_BREAKPOINT_COUNT 4u

enum vmr_breakpoint_kind {
    VMR_BREAK_EXECUTE = 0,
    VMR_BREAK_WRITE = 1,
    VMR_BREAK_ACCESS = 3 /* the numbers of DR7.R/W */
};

struct vmr_breakpoint {
    bool enabled;
    uint8_t kind;     /* enum vmr_breakpoint_kind */
    uint8_t length;   /* 1, 2, 4, 8; 1 for execute */
    uint64_t address; /* linear, a multiple of the length */
};

/* Under which conditions a VP leaves the guest for a debugger. Zeroed: never. */
struct vmr_debug_state {
    bool single_step;
    struct vmr_breakpoint breakpoints[VMR_X86_BREAKPOINT_COUNT];
};

VMR_END_DECLS
