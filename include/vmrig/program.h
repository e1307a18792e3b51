/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guest programs as data.
 *
 * A program is a list of steps: what the guest does, and what it must see. The
 * mock interprets the steps; an assembler lowers the same steps to machine code
 * for hypervisors that run instructions. One program, every backend. [PROG-1]
 *
 * The guest has eight 64-bit variables (R8 to R15 on x86-64), RAM by guest physical address, and an interrupt handler
 * on every vector, which counts and acknowledges. It speaks to the host through the ports below.
 */

#include "vmrig/error.h"

VMR_BEGIN_DECLS

#define VMR_PROGRAM_VAR_COUNT 8u
/* The last step that can fault (RDMSR, WRMSR, HV_CALL) leaves its vector + 1 here, or 0. */
#define VMR_PROGRAM_FAULT_VAR 7u

/*
 * The guest's low memory. What the assembler needs lies in [BASE, END); the
 * rest is the program's. All addresses below 4 GiB are mapped to themselves.
 */
#define VMR_PROGRAM_BASE 0x8000u
#define VMR_PROGRAM_END 0x80000u
#define VMR_PROGRAM_DATA 0x100000u    /* free for the program, from here to the end of RAM */
#define VMR_PROGRAM_RAM_MIN 0x200000u /* 2 MiB of RAM at 0 are enough for every program */
/* A 32-bit count per vector and VP: [vp][256], kept by the interrupt handlers. */
#define VMR_PROGRAM_COUNTS 0x60000u
#define VMR_PROGRAM_VP_MAX 16u

/* 32-bit ports to the host. */
#define VMR_PROGRAM_PORT_CHECKPOINT 0x5e0u /* write: the checkpoint's number */
#define VMR_PROGRAM_PORT_MISMATCH 0x5e4u   /* write, three times: step, low half, high half of the value seen */
#define VMR_PROGRAM_PORT_END 0x5e8u        /* write: the program has ended; the value is 0 */
#define VMR_PROGRAM_PORT_POWER 0x5ecu      /* write: 1 power off, 2 reset (a device, not the hypervisor) */

enum vmr_step_op {
    VMR_STEP_END = 0,     /* tell the host, then HLT with interrupts off, for ever */
    VMR_STEP_SET,         /* var = value */
    VMR_STEP_ADD,         /* var += value */
    VMR_STEP_OUT,         /* port `address` <- value */
    VMR_STEP_OUT_VAR,     /* port `address` <- var */
    VMR_STEP_IN,          /* var = port `address` (zero extended) */
    VMR_STEP_OUTS,        /* REP OUTS: `count` items from RAM at `value` to port `address` */
    VMR_STEP_INS,         /* REP INS: `count` items from port `address` to RAM at `value` */
    VMR_STEP_STORE,       /* [address] = value, `size` 1..8: RAM or MMIO */
    VMR_STEP_STORE_VAR,   /* [address] = var */
    VMR_STEP_LOAD,        /* var = [address] (zero extended) */
    VMR_STEP_OR,          /* LOCK OR [address], value */
    VMR_STEP_RDMSR,       /* var = MSR `address`; the fault variable says whether it faulted */
    VMR_STEP_WRMSR,       /* MSR `address` = value; likewise */
    VMR_STEP_CPUID,       /* leaf `address`, subleaf `value`: variables 0-3 = eax, ebx, ecx, edx */
    VMR_STEP_EXPECT,      /* var must be `value`, else report and END */
    VMR_STEP_EXPECT_MASK, /* (var & address) must be `value` */
    VMR_STEP_JUMP,        /* to step `target` */
    VMR_STEP_JUMP_EQ,     /* to step `target` if var == value */
    VMR_STEP_LOOP,        /* if (--var) to step `target` */
    VMR_STEP_SPIN,        /* for ever, without leaving the guest */
    VMR_STEP_SPIN_UNTIL,  /* until [address], `size` bytes, is `value`; never leaves the guest */
    VMR_STEP_CLI,
    VMR_STEP_STI,
    VMR_STEP_HLT,
    VMR_STEP_WAIT_VECTOR, /* STI, HLT until vector `value` has been taken `count` times in all; ends with CLI */
    VMR_STEP_READ_COUNT,  /* var = times vector `value` has been taken by this VP */
    VMR_STEP_START_VP,    /* INIT, SIPI to the VP with APIC id `value`, which begins its own program */
    VMR_STEP_SEND_IPI,    /* fixed vector `address` to APIC id `value` */
    VMR_STEP_CHECKPOINT,  /* number `value` to the host */
    VMR_STEP_HYPERCALL,   /* VMCALL, number `value`, arguments in variables 0-3, result in var */
    /*
     * Calls the Hyper-V hypercall page at `address` with control word `value`. Variables 0 and 1 hold input and output
     * address, or the words of a fast call; afterwards what those registers hold. With a `count`, XMM0 to XMM5 are
     * loaded from the 96 bytes there before, and stored after. Result in var; the fault variable says whether it
     * faulted. `size` 4: from a 32-bit code segment, the values in halves (EDX:EAX, EBX:ECX, EDI:ESI), joined again
     * here.
     */
    VMR_STEP_HV_CALL,
    VMR_STEP_POWER_OFF, /* through the power port */
    VMR_STEP_RESET,     /* through the power port */
    VMR_STEP_TRIPLE_FAULT,
    VMR_STEP_NOP,        /* one instruction; for stepping and breakpoints */
    VMR_STEP_VTL_CALL,   /* through the hypercall page at `address`; the fault variable says whether it faulted */
    VMR_STEP_VTL_RETURN, /* likewise, with input `value`: 0, or 1 for a fast one */
    VMR_STEP_OP_COUNT
};

struct vmr_step {
    uint8_t op;   /* enum vmr_step_op */
    uint8_t size; /* 1, 2, 4, 8 */
    uint8_t var;
    bool backward; /* string I/O: direction flag set; `value` is the address of the first item moved */
    uint32_t count;
    uint32_t target;
    uint64_t address;
    uint64_t value;
};

/* How the interrupt handlers acknowledge. */
enum vmr_program_eoi {
    VMR_EOI_NONE,
    VMR_EOI_PIC,    /* ports 0x20 and, from vector 0x28 on, 0xa0 */
    VMR_EOI_XAPIC,  /* the local APIC page */
    VMR_EOI_X2APIC, /* MSR 0x80b */
    VMR_EOI_COUNT
};

enum vmr_program_start {
    VMR_START_LONG_MODE, /* registers are set to 64-bit mode by the loader */
    VMR_START_REAL_MODE, /* begins in real mode and climbs by itself, as after a SIPI */
    VMR_START_COUNT
};

struct vmr_program {
    const char *name;
    const struct vmr_step *steps;
    uint32_t count;
    uint8_t start; /* enum vmr_program_start */
    uint8_t eoi;   /* enum vmr_program_eoi; also selects how IPIs are sent (NONE, PIC: xAPIC) */
};

#define VMR_PROGRAM_STEP_MAX 4096u

/*
 * VMR_E_CONFIG, naming the step, for an operation, size, variable, target or
 * operand that is out of range (a value wider than its size, a store into the
 * assembler's memory), and for a last step that goes on to the next: end with
 * END, JUMP, SPIN or TRIPLE_FAULT. Every interpreter and assembler asks this
 * first.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_program_check(const struct vmr_program *program, struct vmr_error *err);
/* "out", "wait-vector", ... */
VMR_API const char *vmr_step_op_name(uint32_t op);

/* One line a step is the point. */
/* clang-format off */
#define VMR_SET(v, x)                                                                                                  \
    {                                                                                                                  \
        .op = VMR_STEP_SET, .var = (v), .value = (x)                                                                   \
    }
#define VMR_ADD(v, x)                                                                                                  \
    {                                                                                                                  \
        .op = VMR_STEP_ADD, .var = (v), .value = (x)                                                                   \
    }
#define VMR_OUT(port, n, x)                                                                                            \
    {                                                                                                                  \
        .op = VMR_STEP_OUT, .size = (n), .address = (port), .value = (x)                                               \
    }
#define VMR_OUT_VAR(port, n, v)                                                                                        \
    {                                                                                                                  \
        .op = VMR_STEP_OUT_VAR, .size = (n), .address = (port), .var = (v)                                             \
    }
#define VMR_IN(v, port, n)                                                                                             \
    {                                                                                                                  \
        .op = VMR_STEP_IN, .size = (n), .address = (port), .var = (v)                                                  \
    }
#define VMR_OUTS(port, n, c, gpa)                                                                                      \
    {                                                                                                                  \
        .op = VMR_STEP_OUTS, .size = (n), .address = (port), .count = (c), .value = (gpa)                              \
    }
#define VMR_INS(port, n, c, gpa)                                                                                       \
    {                                                                                                                  \
        .op = VMR_STEP_INS, .size = (n), .address = (port), .count = (c), .value = (gpa)                               \
    }
#define VMR_STORE(gpa, n, x)                                                                                           \
    {                                                                                                                  \
        .op = VMR_STEP_STORE, .size = (n), .address = (gpa), .value = (x)                                              \
    }
#define VMR_STORE_VAR(gpa, n, v)                                                                                       \
    {                                                                                                                  \
        .op = VMR_STEP_STORE_VAR, .size = (n), .address = (gpa), .var = (v)                                            \
    }
#define VMR_LOAD(v, gpa, n)                                                                                            \
    {                                                                                                                  \
        .op = VMR_STEP_LOAD, .size = (n), .address = (gpa), .var = (v)                                                 \
    }
#define VMR_OR(gpa, n, x)                                                                                              \
    {                                                                                                                  \
        .op = VMR_STEP_OR, .size = (n), .address = (gpa), .value = (x)                                                 \
    }
#define VMR_RDMSR(v, msr)                                                                                              \
    {                                                                                                                  \
        .op = VMR_STEP_RDMSR, .var = (v), .address = (msr)                                                             \
    }
#define VMR_WRMSR(msr, x)                                                                                              \
    {                                                                                                                  \
        .op = VMR_STEP_WRMSR, .address = (msr), .value = (x)                                                           \
    }
#define VMR_CPUID(leaf, sub)                                                                                           \
    {                                                                                                                  \
        .op = VMR_STEP_CPUID, .address = (leaf), .value = (sub)                                                        \
    }
#define VMR_EXPECT(v, x)                                                                                               \
    {                                                                                                                  \
        .op = VMR_STEP_EXPECT, .var = (v), .value = (x)                                                                \
    }
#define VMR_EXPECT_MASK(v, m, x)                                                                                       \
    {                                                                                                                  \
        .op = VMR_STEP_EXPECT_MASK, .var = (v), .address = (m), .value = (x)                                           \
    }
#define VMR_JUMP(t)                                                                                                    \
    {                                                                                                                  \
        .op = VMR_STEP_JUMP, .target = (t)                                                                             \
    }
#define VMR_JUMP_EQ(v, x, t)                                                                                           \
    {                                                                                                                  \
        .op = VMR_STEP_JUMP_EQ, .var = (v), .value = (x), .target = (t)                                                \
    }
#define VMR_LOOP(v, t)                                                                                                 \
    {                                                                                                                  \
        .op = VMR_STEP_LOOP, .var = (v), .target = (t)                                                                 \
    }
#define VMR_SPIN() {.op = VMR_STEP_SPIN}
#define VMR_SPIN_UNTIL(gpa, n, x)                                                                                      \
    {                                                                                                                  \
        .op = VMR_STEP_SPIN_UNTIL, .size = (n), .address = (gpa), .value = (x)                                         \
    }
#define VMR_CLI() {.op = VMR_STEP_CLI}
#define VMR_STI() {.op = VMR_STEP_STI}
#define VMR_HLT() {.op = VMR_STEP_HLT}
#define VMR_WAIT_VECTOR(x, c)                                                                                          \
    {                                                                                                                  \
        .op = VMR_STEP_WAIT_VECTOR, .value = (x), .count = (c)                                                         \
    }
#define VMR_READ_COUNT(v, x)                                                                                           \
    {                                                                                                                  \
        .op = VMR_STEP_READ_COUNT, .var = (v), .value = (x)                                                            \
    }
#define VMR_START_VP(id)                                                                                               \
    {                                                                                                                  \
        .op = VMR_STEP_START_VP, .value = (id)                                                                         \
    }
#define VMR_SEND_IPI(id, x)                                                                                            \
    {                                                                                                                  \
        .op = VMR_STEP_SEND_IPI, .value = (id), .address = (x)                                                         \
    }
#define VMR_CHECKPOINT(x)                                                                                              \
    {                                                                                                                  \
        .op = VMR_STEP_CHECKPOINT, .value = (x)                                                                        \
    }
#define VMR_HYPERCALL(v, x)                                                                                            \
    {                                                                                                                  \
        .op = VMR_STEP_HYPERCALL, .var = (v), .value = (x)                                                             \
    }
#define VMR_HV_CALL(v, page, control) VMR_HV_CALL_XMM(v, page, control, 0)
#define VMR_HV_CALL32(v, page, control)                                                                                \
    {                                                                                                                  \
        .op = VMR_STEP_HV_CALL, .size = 4, .var = (v), .address = (page), .value = (control)                           \
    }
#define VMR_HV_CALL_XMM(v, page, control, gpa)                                                                         \
    {                                                                                                                  \
        .op = VMR_STEP_HV_CALL, .size = 8, .var = (v), .address = (page), .value = (control), .count = (gpa)           \
    }
#define VMR_POWER_OFF() {.op = VMR_STEP_POWER_OFF}
#define VMR_RESET() {.op = VMR_STEP_RESET}
#define VMR_TRIPLE_FAULT() {.op = VMR_STEP_TRIPLE_FAULT}
#define VMR_NOP() {.op = VMR_STEP_NOP}
#define VMR_VTL_CALL(page)                                                                                             \
    {                                                                                                                  \
        .op = VMR_STEP_VTL_CALL, .address = (page)                                                                     \
    }
#define VMR_VTL_RETURN(page, x)                                                                                        \
    {                                                                                                                  \
        .op = VMR_STEP_VTL_RETURN, .address = (page), .value = (x)                                                     \
    }
#define VMR_END() {.op = VMR_STEP_END}
/* clang-format on */

VMR_END_DECLS
