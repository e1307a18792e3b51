/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Registers as GDB numbers them: its own for x86-64 (GDB manual, G.5.14), then
 * the system's. One list makes the numbers and the description that GDB reads.
 */

#include "lib/debug/packet.h"
#include "vmrig/vp_state.h"

/* The target description, an XML document: what qXfer:features:read:target.xml reads. */
const char *registers_target(void);

/* Appends register `number`. False: there is no such. */
bool registers_get(const struct vmr_x86_regs *regs, uint64_t number, struct reply *reply);
void registers_get_all(const struct vmr_x86_regs *regs, struct reply *reply);

/*
 * Changes register `number` to the bytes that `digits` are. False, and nothing
 * changed: no such register, another length, a selector of another value, or no
 * such register in the library's hands.
 */
bool registers_set(struct vmr_x86_regs *regs, uint64_t number, const char *digits, size_t length);
/* All of them, in order; what is not in the library's hands is skipped. False as above. */
bool registers_set_all(struct vmr_x86_regs *regs, const char *digits, size_t length);
