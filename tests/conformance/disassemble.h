/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An independent reading of machine code, for the tests of the assembler. The
 * file behind it depends on whether there is a disassembler to ask.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Instructions in Intel's syntax, separated by "; ", as of a processor in a mode
 * of `bits` (16, 32, 64). Ends at the first byte that is no instruction; gives
 * the number of bytes that were read.
 */
size_t disassemble(const uint8_t *bytes, size_t length, uint64_t address, unsigned bits, char *ret_text, size_t size);
/* NULL: there is one. */
const char *disassembler_missing(void);
