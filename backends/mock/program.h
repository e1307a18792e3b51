/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interpreter of guest programs: one call is one guest instruction, or what
 * of it can be done until the library has answered. Every function of the
 * interpreter is called again with the answer, and finds its place in the
 * flight.
 */

#include "backends/mock/machine.h"

#define EXCEPTION_GP 13u
#define MOCK_CODE64_ATTRIBUTES                                                                                         \
    0xa09bu /* of a program's code segment: flat, with the L bit (Intel SDM vol. 3, 3.4.5)                             \
             */

enum step_result {
    STEP_DONE,  /* the step is over */
    STEP_AGAIN, /* an instruction of it is; more follow */
    STEP_EXIT,  /* *vp_exit holds an exit, whose answer is awaited */
    STEP_LEAVE, /* the same, but nothing is awaited: called again, the step goes on */
    STEP_WAIT,  /* nothing to do until the VP is attended to */
    STEP_POLL   /* nothing to do until somebody else has moved */
};

/* The next step of the program, or the rest of the one in progress. */
enum step_result program_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
/* The same for the interrupt handler. STEP_DONE: it has returned. */
enum step_result handler_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
/* Enters the handler of `vector`. */
void handler_begin(struct vmr_backend_vp *vp, uint8_t vector);

/* --- one instruction each: STEP_DONE or STEP_EXIT --- */

enum step_result guest_out(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint16_t port,
                           uint8_t size, uint64_t value);
enum step_result guest_in(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint16_t port,
                          uint8_t size);
/* Moves flight->bytes from or to memory: RAM, the in-hypervisor local APIC, or MMIO exits. */
enum step_result guest_load(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, vmr_gpa gpa,
                            uint8_t size);
enum step_result guest_store(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, vmr_gpa gpa,
                             uint8_t size, uint64_t value);
/* Atomic OR in RAM that the VP's VTL may read and write; false: nothing is done. */
bool guest_or(struct vmr_backend_vp *vp, vmr_gpa gpa, uint64_t mask, uint8_t size);
/* Whether the VP's VTL may do `access`, HV_MAP_GPA_... bits, with a page; true for a hole. */
bool guest_may(struct vmr_backend_vp *vp, vmr_gpa gpa, uint8_t access);
/* The exit of a fetch from where it may not. */
enum step_result guest_refuse_fetch(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, vmr_gpa gpa);
/* *ret_fault: the instruction raised #GP. */
enum step_result guest_rdmsr(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint32_t index,
                             uint64_t *ret_value, bool *ret_fault);
enum step_result guest_wrmsr(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint32_t index,
                             uint64_t value, bool *ret_fault);
/* A call of a hypercall page: each call of this is one instruction of the page's code. */
enum step_result guest_hv_call(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                               const struct vmr_step *step);
enum step_result guest_string(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                              const struct vmr_step *step);
/* To the local APIC `id`: `low` is the low half of the interrupt command register (Intel SDM vol. 3, 11.6.1). */
enum step_result guest_ipi(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint32_t id,
                           uint32_t low);

/* Guest variable `index`. */
static inline uint64_t *program_var(struct vmr_backend_vp *vp, uint8_t index)
{
    return &vp->regs.gpr[VMR_X86_R8 + index];
}

static inline bool program_uses_x2apic(const struct vmr_backend_vp *vp)
{
    return vp->program->eoi == VMR_EOI_X2APIC;
}

/* Which step `rip` stands for; above every program's last if it is none. */
static inline uint32_t program_step_of(uint64_t rip)
{
    uint64_t offset = rip - VMR_MOCK_STEP_BASE;

    return offset % VMR_MOCK_STEP_BYTES != 0 || offset / VMR_MOCK_STEP_BYTES > VMR_PROGRAM_STEP_MAX
               ? UINT32_MAX
               : (uint32_t)(offset / VMR_MOCK_STEP_BYTES);
}

/*
 * How far a step has come is part of the address, since it is part of the VP's
 * state: behind the first instruction of a step of several the instruction
 * pointer is so many bytes behind the step's. Of what a flight holds the rest
 * belongs to one instruction, and is gone at a clean point.
 */
#define PLACE_STAGE 0x7u
#define PLACE_ITEMS 0x8u

static inline uint64_t program_place(const struct flight *flight)
{
    return (flight->stage & PLACE_STAGE) | (flight->items != 0 ? PLACE_ITEMS : 0);
}

/* The step's own address; `rip` unchanged if it is in no step. */
static inline uint64_t program_step_address(uint64_t rip)
{
    uint64_t address = rip & ~(uint64_t)(VMR_MOCK_STEP_BYTES - 1);

    return program_step_of(address) == UINT32_MAX ? rip : address;
}

/*
 * Whether these are registers in the code of a hypercall page. A program has no
 * stack, and a call must be part of the VP's state all the same: the step that it
 * goes back to is the base of its code segment, which 64-bit code does not use.
 */
static inline bool program_is_in_call(const struct vmr_x86_regs *regs)
{
    return program_step_of(regs->rip) == UINT32_MAX && program_step_of(regs->cs.base) != UINT32_MAX;
}

/* Whether registers that somebody gives a VP are of a program that has begun. */
static inline bool program_is_under_way(const struct vmr_x86_regs *regs)
{
    return (regs->cr0 & 1) != 0 &&
           (program_step_of(program_step_address(regs->rip)) != UINT32_MAX || program_is_in_call(regs));
}

/* Which step the VP is in, also while it is in the code of a hypercall page. */
static inline uint32_t program_step(const struct vmr_backend_vp *vp)
{
    return program_step_of(program_is_in_call(&vp->regs) ? vp->regs.cs.base : vp->regs.rip);
}

/* Where the count of `vector` lies. */
static inline vmr_gpa program_count_gpa(const struct vmr_backend_vp *vp, uint8_t vector)
{
    return VMR_PROGRAM_COUNTS + ((vmr_gpa)vp->index * 256 + vector) * 4;
}
