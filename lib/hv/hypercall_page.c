/* SPDX-License-Identifier: MIT */
/* Whoever jumps into the page beside its entry meets a breakpoint. */

#include "lib/hv/hypercall_page.h"

#include <string.h>

#include "vmrig/hv_guest.h"

#define OP_INT3 0xccu
#define OP_RET 0xc3u
#define OP_OUT_IMM8_AL 0xe6u

void hypercall_page_fill(uint8_t ret_page[VMR_PAGE_SIZE], bool vmcall)
{
    static const uint8_t by_vmcall[] = {0x0f, 0x01, 0xc1, OP_RET};
    static const uint8_t by_port[] = {OP_OUT_IMM8_AL, VMR_HV_PORT, OP_RET};

    memset(ret_page, OP_INT3, VMR_PAGE_SIZE);
    if (vmcall)
        memcpy(ret_page, by_vmcall, sizeof(by_vmcall));
    else
        memcpy(ret_page, by_port, sizeof(by_port));
}
