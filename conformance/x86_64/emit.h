/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes of x86-64 machine code, with labels. A buffer that overflows stays
 * overflowed, so that a lowering is a list of instructions with one check at the
 * end. Encodings: Intel SDM vol. 2.
 *
 * Only instructions that KVM's instruction emulator knows are used, so that the
 * programs also run where the hypervisor emulates every one of them.
 */

#include "vmrig/program.h"

#define CODE_BYTES_MAX 0x7000u
#define CODE_LABEL_MAX (VMR_PROGRAM_STEP_MAX + 256u)
#define CODE_FIXUP_MAX 2048u

/* In the order of the encoding. */
enum reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8
};

enum condition {
    COND_BELOW = 2,
    COND_ABOVE_EQUAL = 3,
    COND_EQUAL = 4,
    COND_NOT_EQUAL = 5
};

/* A place in the code that a jump or an address refers to, perhaps before it is known. */
struct fixup {
    uint32_t at; /* offset of the field */
    uint32_t label;
    bool absolute; /* a 64-bit address; else a 32-bit displacement from the end of the field */
};

struct code {
    uint64_t origin; /* the guest address of byte 0 */
    uint32_t length;
    bool overflow;
    uint32_t label_count;
    uint32_t fixup_count;
    struct fixup fixups[CODE_FIXUP_MAX];
    uint32_t labels[CODE_LABEL_MAX]; /* offsets; UINT32_MAX: not placed */
    uint8_t bytes[CODE_BYTES_MAX];
};

void code_init(struct code *code, uint64_t origin);
/* Reserves `count` labels in a row; gives the first. */
uint32_t code_labels(struct code *code, uint32_t count);
void code_place(struct code *code, uint32_t label);
/* Resolves every fixup. False: overflow, or a label that was never placed. */
bool code_finish(struct code *code);

void emit_bytes(struct code *code, const void *bytes, uint32_t count);
/* emit(code, 0x0f, 0xa2) */
#define emit(code, ...) emit_bytes((code), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
void emit_le(struct code *code, uint64_t value, unsigned bytes);

/* var: R8 + number */
void emit_mov_imm(struct code *code, unsigned reg, uint64_t value);
void emit_mov(struct code *code, unsigned to, unsigned from);
void emit_add(struct code *code, unsigned to, unsigned from);
void emit_cmp(struct code *code, unsigned left, unsigned right);
void emit_and(struct code *code, unsigned to, unsigned from);
void emit_zero(struct code *code, unsigned reg);
void emit_dec(struct code *code, unsigned reg);
/* [RDI] <- RAX and RAX <- [RSI], `size` bytes, zero extended. */
void emit_store(struct code *code, unsigned size);
void emit_load(struct code *code, unsigned size);
/* Port in DX, value in AL, AX, EAX. */
void emit_out(struct code *code, unsigned size);
void emit_in(struct code *code, unsigned size);
/* EAX to a 32-bit port that is known. */
void emit_out_port(struct code *code, uint16_t port, uint32_t value);
void emit_jump(struct code *code, uint32_t label);
void emit_jump_if(struct code *code, enum condition condition, uint32_t label);
void emit_mov_label(struct code *code, unsigned reg, uint32_t label);
