/* SPDX-License-Identifier: MIT */
/*
 * Instruction encodings and label resolution. REX is computed in one place from
 * the two register numbers; everything else is the opcode.
 */

#include "conformance/x86_64/emit.h"

#include <string.h>

#define NOT_PLACED UINT32_MAX
#define REX_W 0x48u
#define REX_R 0x04u
#define REX_B 0x01u

void code_init(struct code *code, uint64_t origin)
{
    code->origin = origin;
    code->length = 0;
    code->overflow = false;
    code->label_count = 0;
    code->fixup_count = 0;
}

uint32_t code_labels(struct code *code, uint32_t count)
{
    uint32_t first = code->label_count;

    if (count > CODE_LABEL_MAX - first) {
        code->overflow = true;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++)
        code->labels[first + i] = NOT_PLACED;
    code->label_count += count;
    return first;
}

void code_place(struct code *code, uint32_t label)
{
    code->labels[label] = code->length;
}

void emit_bytes(struct code *code, const void *bytes, uint32_t count)
{
    if (code->overflow || count > CODE_BYTES_MAX - code->length) {
        code->overflow = true;
        return;
    }
    memcpy(code->bytes + code->length, bytes, count);
    code->length += count;
}

void emit_le(struct code *code, uint64_t value, unsigned bytes)
{
    uint8_t little[8];

    for (unsigned i = 0; i < bytes; i++)
        little[i] = (uint8_t)(value >> (8 * i));
    emit_bytes(code, little, bytes);
}

static void emit_fixup(struct code *code, uint32_t label, bool absolute)
{
    if (code->overflow || code->fixup_count == CODE_FIXUP_MAX) {
        code->overflow = true;
        return;
    }
    code->fixups[code->fixup_count++] = (struct fixup){.at = code->length, .label = label, .absolute = absolute};
    emit_le(code, 0, absolute ? 8 : 4);
}

bool code_finish(struct code *code)
{
    for (uint32_t i = 0; !code->overflow && i < code->fixup_count; i++) {
        const struct fixup *fixup = &code->fixups[i];
        uint32_t target = code->labels[fixup->label];
        unsigned width = fixup->absolute ? 8 : 4;
        uint64_t value = fixup->absolute ? code->origin + target : (uint64_t)target - (fixup->at + 4u);

        if (target == NOT_PLACED)
            return false;
        for (unsigned byte = 0; byte < width; byte++)
            code->bytes[fixup->at + byte] = (uint8_t)(value >> (8 * byte));
    }
    return !code->overflow;
}

static uint8_t rex(unsigned reg, unsigned rm)
{
    return (uint8_t)(REX_W | (reg >= R8 ? REX_R : 0) | (rm >= R8 ? REX_B : 0));
}

static uint8_t mod_registers(unsigned reg, unsigned rm)
{
    return (uint8_t)(0xc0u | (reg & 7u) << 3 | (rm & 7u));
}

/* opcode /r with two 64-bit registers */
static void emit_rr(struct code *code, uint8_t opcode, unsigned reg, unsigned rm)
{
    emit(code, rex(reg, rm), opcode, mod_registers(reg, rm));
}

void emit_mov_imm(struct code *code, unsigned reg, uint64_t value)
{
    emit(code, rex(0, reg), (uint8_t)(0xb8u | (reg & 7u)));
    emit_le(code, value, 8);
}

void emit_mov(struct code *code, unsigned to, unsigned from)
{
    emit_rr(code, 0x89, from, to);
}

void emit_add(struct code *code, unsigned to, unsigned from)
{
    emit_rr(code, 0x01, from, to);
}

void emit_cmp(struct code *code, unsigned left, unsigned right)
{
    emit_rr(code, 0x39, right, left);
}

void emit_and(struct code *code, unsigned to, unsigned from)
{
    emit_rr(code, 0x21, from, to);
}

void emit_zero(struct code *code, unsigned reg)
{
    emit_rr(code, 0x31, reg, reg);
}

void emit_dec(struct code *code, unsigned reg)
{
    emit_rr(code, 0xff, 1, reg);
}

void emit_store(struct code *code, unsigned size)
{
    switch (size) {
    case 1:
        emit(code, 0x88, 0x07);
        return;
    case 2:
        emit(code, 0x66, 0x89, 0x07);
        return;
    case 4:
        emit(code, 0x89, 0x07);
        return;
    default:
        emit(code, 0x48, 0x89, 0x07);
    }
}

void emit_load(struct code *code, unsigned size)
{
    emit_zero(code, RAX); /* the short forms leave the upper bits alone */
    switch (size) {
    case 1:
        emit(code, 0x8a, 0x06);
        return;
    case 2:
        emit(code, 0x66, 0x8b, 0x06);
        return;
    case 4:
        emit(code, 0x8b, 0x06);
        return;
    default:
        emit(code, 0x48, 0x8b, 0x06);
    }
}

void emit_out(struct code *code, unsigned size)
{
    if (size == 1)
        emit(code, 0xee);
    else if (size == 2)
        emit(code, 0x66, 0xef);
    else
        emit(code, 0xef);
}

void emit_in(struct code *code, unsigned size)
{
    emit_zero(code, RAX);
    if (size == 1)
        emit(code, 0xec);
    else if (size == 2)
        emit(code, 0x66, 0xed);
    else
        emit(code, 0xed);
}

void emit_out_port(struct code *code, uint16_t port, uint32_t value)
{
    emit(code, 0xb8); /* mov eax, value */
    emit_le(code, value, 4);
    emit(code, 0xba); /* mov edx, port */
    emit_le(code, port, 4);
    emit_out(code, 4);
}

void emit_jump(struct code *code, uint32_t label)
{
    emit(code, 0xe9);
    emit_fixup(code, label, false);
}

void emit_jump_if(struct code *code, enum condition condition, uint32_t label)
{
    emit(code, 0x0f, (uint8_t)(0x80u | (unsigned)condition));
    emit_fixup(code, label, false);
}

void emit_mov_label(struct code *code, unsigned reg, uint32_t label)
{
    emit(code, rex(0, reg), (uint8_t)(0xb8u | (reg & 7u)));
    emit_fixup(code, label, true);
}
