/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guest memory by the addresses that a VP uses: its page tables are walked, and
 * left as they are. A debugger may write where the guest may only read.
 */

#include "vmrig/memory.h"
#include "vmrig/vp_state.h"

struct virtual_memory {
    struct vmr_memory *memory;
    const struct vmr_x86_regs *regs; /* CR0, CR3, CR4, EFER */
    uint8_t physical_bits;
};

/* Copies up to the first byte that is not there, and returns how many bytes that was. */
size_t virtual_read(const struct virtual_memory *where, uint64_t gva, uint8_t *ret_bytes, size_t length);
/* All or nothing, as far as the guest leaves its tables alone. */
bool virtual_write(const struct virtual_memory *where, uint64_t gva, const uint8_t *bytes, size_t length);
