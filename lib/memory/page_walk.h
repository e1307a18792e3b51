/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The guest's page tables, walked as its processor walks them (Intel SDM vol. 3,
 * chapter 4): no paging, 32-bit, PAE, 4-level, 5-level. Each entry is read once,
 * and there are at most five.
 */

#include "vmrig/memory.h"
#include "vmrig/vp_state.h"

/* What is asked of the page. Zeroed: whether it is there, for whatever reason. */
struct page_walk {
    const struct vmr_x86_regs *regs; /* CR0, CR3, CR4, EFER, RFLAGS.AC */
    uint8_t physical_bits;
    bool write, execute, data; /* `data`: a read or a write, which SMAP is about */
    bool check_privilege;      /* user or supervisor matters */
    bool user;
    bool ignore_ac;    /* SMAP refuses whatever RFLAGS.AC says */
    bool without_smap; /* SMAP is off */
    bool set_bits;     /* accessed in every entry, dirty for a write */
};

enum page_walk_result {
    PAGE_WALK_OK,
    PAGE_WALK_NOT_PRESENT,
    PAGE_WALK_PRIVILEGE, /* not for this access */
    PAGE_WALK_RESERVED,  /* an entry has bits that must be zero */
    PAGE_WALK_NO_TABLE   /* an entry is not in RAM, or cannot be changed there */
};

/* `ret_gpa`, written on success only, is the address that `guest_gva` stands for. */
enum page_walk_result page_walk(struct vmr_memory *memory, const struct page_walk *walk, uint64_t guest_gva,
                                vmr_gpa *ret_gpa);
