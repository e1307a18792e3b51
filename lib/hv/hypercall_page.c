/* SPDX-License-Identifier: MIT */
/* Whoever jumps into the page beside an entry meets a breakpoint. */

#include "lib/hv/hypercall_page.h"

#include <string.h>

#include "vmrig/hv_guest.h"

#define OP_VMMCALL_LAST 0xd9u /* AMD's VMMCALL: 0f 01 d9, for 0f 01 c1 */
#define OP_INT3 0xccu
#define OP_RET 0xc3u
#define OP_OUT_IMM8_AL 0xe6u
#define OP_MOV_IMM32 0xb8u /* + register: 0 EAX, 1 ECX */

static uint8_t *put(uint8_t *at, const uint8_t *code, size_t length)
{
    memcpy(at, code, length);
    return at + length;
}

static uint8_t *put_call(uint8_t *at, bool vmcall)
{
    static const uint8_t by_vmcall[] = {0x0f, 0x01, 0xc1};
    static const uint8_t by_port[] = {OP_OUT_IMM8_AL, VMR_HV_PORT};

    return vmcall ? put(at, by_vmcall, sizeof(by_vmcall)) : put(at, by_port, sizeof(by_port));
}

/* EDX:EAX is the control word, ECX the input. */
static void put_switch_32(uint8_t *at, uint8_t code, bool vmcall)
{
    const uint8_t registers[] = {OP_MOV_IMM32, code, 0, 0, 0, 0x31, 0xd2}; /* mov eax, code; xor edx, edx */

    *put_call(put(at, registers, sizeof(registers)), vmcall) = OP_RET;
}

/* RCX is the control word, RAX the input. */
static void put_switch_64(uint8_t *at, uint8_t code, bool vmcall)
{
    const uint8_t registers[] = {0x48, 0x89, 0xc8, OP_MOV_IMM32 + 1, code, 0, 0, 0}; /* mov rax, rcx; mov ecx, code */

    *put_call(put(at, registers, sizeof(registers)), vmcall) = OP_RET;
}

void hypercall_page_fill(uint8_t ret_page[VMR_PAGE_SIZE], bool vmcall, bool vtls)
{
    memset(ret_page, OP_INT3, VMR_PAGE_SIZE);
    *put_call(ret_page, vmcall) = OP_RET;
    if (!vtls)
        return;
    put_switch_32(ret_page + HV_PAGE_VTL_CALL_32, HV_CALL_VTL_CALL, vmcall);
    put_switch_64(ret_page + HV_PAGE_VTL_CALL_64, HV_CALL_VTL_CALL, vmcall);
    put_switch_32(ret_page + HV_PAGE_VTL_RETURN_32, HV_CALL_VTL_RETURN, vmcall);
    put_switch_64(ret_page + HV_PAGE_VTL_RETURN_64, HV_CALL_VTL_RETURN, vmcall);
}

bool hypercall_page_is_foreign(const uint8_t page[VMR_PAGE_SIZE], bool vmcall, bool vtls)
{
    uint8_t code[VMR_PAGE_SIZE];

    hypercall_page_fill(code, !vmcall, vtls);
    if (memcmp(page, code, sizeof(code)) == 0)
        return true;
    hypercall_page_fill(code, true, vtls);
    code[2] = OP_VMMCALL_LAST; /* a hypervisor that serves the call itself writes what its processor has */
    return memcmp(page, code, sizeof(code)) == 0;
}
