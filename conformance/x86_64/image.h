/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A guest program in guest memory: what lies where in [VMR_PROGRAM_BASE,
 * VMR_PROGRAM_END), and the registers it begins with.
 *
 *   0x08000  trampoline: real mode to long mode, then to the entry of the VP with this APIC id
 *   0x09000  GDT, descriptors of the tables, entry points, fixup addresses
 *   0x10000  one area a VP: interrupt descriptors, stubs, stack, code
 *   0x60000  counts (program.h)
 *   0x70000  page tables: the low 4 GiB, mapped to themselves
 */

#include "conformance/x86_64/emit.h"
#include "vmrig/memory.h"
#include "vmrig/vp_state.h"

#define IMAGE_VP_MAX 8u

#define IMAGE_TABLES 0x9000u
#define IMAGE_GDT IMAGE_TABLES
#define IMAGE_GDTR (IMAGE_TABLES + 0x100u)
#define IMAGE_IDTR_NONE (IMAGE_TABLES + 0x110u) /* a limit of 0: the next exception is a triple fault */
#define IMAGE_IDTR(vp) (IMAGE_TABLES + 0x200u + (vp)*16u)
#define IMAGE_ENTRIES (IMAGE_TABLES + 0x300u)             /* 64-bit entry point a VP */
#define IMAGE_FIXUP(vp) (IMAGE_TABLES + 0x400u + (vp)*8u) /* where to go on after a fault; 0: a fault is a mismatch */

#define IMAGE_AREA(vp) (0x10000u + (vp)*0xa000u)
#define IMAGE_IDT(vp) IMAGE_AREA(vp)
#define IMAGE_STUBS(vp) (IMAGE_AREA(vp) + 0x1000u)
#define IMAGE_STACK(vp) (IMAGE_AREA(vp) + 0x3000u) /* its top; 4 KiB below */
#define IMAGE_CODE(vp) (IMAGE_AREA(vp) + 0x3000u)
#define IMAGE_PAGE_TABLES 0x70000u
#define IMAGE_STUB_BYTES 16u

#define IMAGE_SELECTOR_CODE32 0x08u
#define IMAGE_SELECTOR_DATA 0x10u
#define IMAGE_SELECTOR_CODE64 0x18u

/* What all VPs share. The low 1 MiB must be RAM. */
VMR_MUST_CHECK enum vmr_status image_write_common(struct vmr_memory *memory);
/* One VP's program. VMR_E_CONFIG: the program is wrong, or too long. */
VMR_MUST_CHECK enum vmr_status image_write_program(struct vmr_memory *memory, vmr_vp_index vp,
                                                   const struct vmr_program *program, struct vmr_error *err);
/* What the VP's registers must be before its first step. */
void image_registers(const struct vmr_program *program, vmr_vp_index vp, struct vmr_x86_regs *ret_regs);

/* --- the parts, for tests --- */

/* The real-mode trampoline. */
void image_trampoline(struct code *code);
/* Entry, interrupt handlers and steps. `ret_handlers`: offsets of the handlers for interrupts and for exceptions. */
struct image_handlers {
    uint32_t interrupt, exception;
};
VMR_MUST_CHECK bool image_assemble(const struct vmr_program *program, vmr_vp_index vp, struct code *code,
                                   struct image_handlers *ret_handlers);
