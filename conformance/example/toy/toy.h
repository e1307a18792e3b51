/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A toy hypervisor, for the example backend to drive: what KVM is to a backend for KVM. It interprets the x86
 * instructions that small guests are made of, needs no device, and is slow. To keep the example short it speaks of
 * exits and registers in vmrig's own types.
 *
 *   memory.c      guest memory: slots, page tables, and the edge where an access becomes an exit
 *   interpret.c   one instruction; operands.c and arithmetic.c are what it is made of
 *   outside.c     instructions that leave the guest
 *   events.c      interrupts and exceptions
 */

#include <pthread.h>
#include <stdatomic.h>

#include <vmrig/backend.h>

#define TOY_TSC_HZ UINT64_C(1000000000) /* one count is a nanosecond of the host */
#define TOY_FAMILY 0x600u
#define TOY_ANSWERS 32u /* accesses of one instruction, or of an interrupt that ends in a double fault */
#define TOY_MSRS 9u

struct toy_slot {
    uint32_t number;
    uint64_t size;
    vmr_gpa gpa;
    uint8_t *host;
    bool read_only;
};

struct toy_vm {
    struct vmr_host host;
    struct vmr_cpuid_entry *cpuid;
    size_t cpuid_count;
    struct vmr_msr_range *msr_exits;
    size_t msr_exit_count;
    /* Read by VPs for one instruction at a time; written by who maps. */
    pthread_rwlock_t lock;
    _Atomic uint32_t mappers; /* who wait for the lock: VPs let them pass */
    size_t slot_count, slot_room;
    struct toy_slot *slots; /* those in use, in no order */
};

/* How an instruction ends. */
enum toy_outcome {
    TOY_DONE,
    TOY_HALTED, /* done, and there is nothing to do until an interrupt */
    TOY_ASKS,   /* an exit has to be answered first */
    TOY_FAULTS, /* `vector` and `error` say how */
    TOY_STUCK   /* it is none that we know */
};

struct toy_cpu {
    struct toy_vm *vm;
    vmr_vp_index index;
    struct vmr_x86_regs regs;
    uint64_t msrs[TOY_MSRS];
    uint64_t tsc_offset;
    /* What is on its way into the guest. 0: none; vector + 1. */
    uint32_t interrupt, exception;
    bool nmi, nmi_masked, shadow; /* shadow: interrupts wait for one instruction behind STI */
    /*
     * An instruction that needs an answer is given up, as if it had not begun, and done again once the answer is there.
     * So nothing has to be kept in the middle of an instruction but what its accesses came to, those of RAM as well:
     * the second time nothing is done twice, and nothing goes elsewhere because memory was mapped in between.
     */
    bool pending; /* the exit that was given last is to be answered */
    uint32_t answered, asked;
    struct vmr_exit answers[TOY_ANSWERS];
    struct vmr_exit exit; /* the last one */
    enum toy_outcome outcome;
    uint8_t vector;
    int64_t error; /* of a fault; -1: it has none */
};

/* --- for the backend --- */

/* What a processor holds at power-up. */
void toy_cpu_reset(struct toy_cpu *cpu);
/* Any thread. False: out of memory. */
bool toy_map(struct toy_vm *vm, const struct toy_slot *slot);
/* No processor uses what was there any more when this returns. Any thread. [MEM-4] */
void toy_unmap(struct toy_vm *vm, uint32_t number);
/* An instruction, or what comes before it. False: it has left the guest, and `cpu->exit` says why. */
bool toy_step(struct toy_cpu *cpu);
/* Whether the guest would take an interrupt now. */
bool toy_is_ready(const struct toy_cpu *cpu);
/* False: there is no such MSR here. */
bool toy_get_msr(struct toy_cpu *cpu, uint32_t index, uint64_t *ret_value);
bool toy_set_msr(struct toy_cpu *cpu, uint32_t index, uint64_t value);

/* --- memory.c, for the others: each false with the outcome set --- */

bool toy_stop(struct toy_cpu *cpu, enum toy_outcome outcome);
bool toy_fault(struct toy_cpu *cpu, uint8_t vector, int64_t error);
bool toy_ask(struct toy_cpu *cpu, const struct vmr_exit *question, struct vmr_exit *ret_answer);
bool toy_load(struct toy_cpu *cpu, uint64_t linear, unsigned size, uint64_t *ret_value);
bool toy_store(struct toy_cpu *cpu, uint64_t linear, unsigned size, uint64_t value);
/* [linear] OR `mask`, each byte in one piece where it is RAM. */
bool toy_store_or(struct toy_cpu *cpu, uint64_t linear, unsigned size, uint64_t mask);
/* Up to 15 bytes of code; `ret_count` may be less at the end of what is mapped. */
bool toy_fetch(struct toy_cpu *cpu, uint64_t linear, uint8_t ret_bytes[15], unsigned *ret_count);
