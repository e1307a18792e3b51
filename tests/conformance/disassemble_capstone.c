/* SPDX-License-Identifier: MIT */
/*
 * Machine code as Capstone reads it.
 */

#include "tests/conformance/disassemble.h"

#include <stdio.h>
#include <string.h>

#include <capstone/capstone.h>

const char *disassembler_missing(void)
{
    return NULL;
}

size_t disassemble(const uint8_t *bytes, size_t length, uint64_t address, unsigned bits, char *ret_text, size_t size)
{
    cs_mode mode = bits == 64 ? CS_MODE_64 : bits == 32 ? CS_MODE_32 : CS_MODE_16;
    cs_insn *instructions;
    size_t read = 0, used = 0;
    csh handle;

    ret_text[0] = '\0';
    if (cs_open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK)
        return 0;
    size_t count = cs_disasm(handle, bytes, length, address, 0, &instructions);

    for (size_t i = 0; i < count; i++) {
        const char *operands = instructions[i].op_str;
        int printed = snprintf(ret_text + used, size - used, "%s%s%s%s", i ? "; " : "", instructions[i].mnemonic,
                               operands[0] ? " " : "", operands);

        if (printed < 0 || (size_t)printed >= size - used)
            break;
        used += (size_t)printed;
        read += instructions[i].size;
    }
    if (count > 0)
        cs_free(instructions, count);
    cs_close(&handle);
    return read;
}
