/* SPDX-License-Identifier: MIT */
/*
 * Built where there is no disassembler: the tests that need one skip themselves.
 */

#include "tests/conformance/disassemble.h"

const char *disassembler_missing(void)
{
    return "built without Capstone (libcapstone-dev)";
}

size_t disassemble(const uint8_t *bytes, size_t length, uint64_t address, unsigned bits, char *ret_text, size_t size)
{
    (void)bytes;
    (void)length;
    (void)address;
    (void)bits;
    (void)size;
    ret_text[0] = '\0';
    return 0;
}
