/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The registers of struct vmr_x86_regs by number, so that traces and reports
 * can name them and store only those that changed. The numbers are stored in
 * traces: new registers go last. At most 64, so that a set of them is a word.
 */

#include "vmrig/vp_state.h"

unsigned x86_reg_count(void);
/* "rax", "cs.base", ...; "unknown" above the last. */
const char *x86_reg_name(unsigned index);
/* In bytes; 0 above the last. */
unsigned x86_reg_width(unsigned index);
/* 0 above the last. */
uint64_t x86_reg_get(const struct vmr_x86_regs *regs, unsigned index);
/* False, and nothing changed, above the last or if `value` is wider than the register. */
bool x86_reg_set(struct vmr_x86_regs *regs, unsigned index, uint64_t value);
