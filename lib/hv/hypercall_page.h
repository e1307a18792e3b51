/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The code in a guest's hypercall page (TLFS, Establishing the Hypercall
 * Interface). The entry at 0 means the same in 32-bit and in 64-bit mode. Those
 * of VTL call and return, at HV_PAGE_VTL_..., take their input in RCX (ECX) and
 * end with the VTL switched; they are there where there are VTLs.
 */

#include "vmrig/types.h"

/* Fills a page. `vmcall`: the instruction reaches user space; else an OUT that changes no register. */
void hypercall_page_fill(uint8_t ret_page[VMR_PAGE_SIZE], bool vmcall, bool vtls);
/* Whether a page holds such code, but for another hypervisor than `vmcall` says, or for one that serves the call. */
bool hypercall_page_is_foreign(const uint8_t page[VMR_PAGE_SIZE], bool vmcall, bool vtls);
