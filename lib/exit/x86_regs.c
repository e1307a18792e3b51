/* SPDX-License-Identifier: MIT */
/*
 * x86-64 registers: the table of them, and the two states a processor starts
 * in. Nothing here depends on a hypervisor.
 */

#include "lib/exit/x86_regs.h"

#include <stddef.h>

#include "lib/base/field.h"

#define REG(text, m)                                                                                                   \
    {                                                                                                                  \
        text, offsetof(struct vmr_x86_regs, m), sizeof(((struct vmr_x86_regs *)0)->m)                                  \
    }
#define SEGMENT(s)                                                                                                     \
    REG(#s ".base", s.base), REG(#s ".limit", s.limit), REG(#s ".selector", s.selector),                               \
        REG(#s ".attributes", s.attributes)
#define TABLE(t) REG(#t ".base", t.base), REG(#t ".limit", t.limit)

static const struct {
    const char *name;
    uint16_t offset;
    uint8_t width;
} registers[] = {
    REG("rax", gpr[VMR_X86_RAX]),
    REG("rcx", gpr[VMR_X86_RCX]),
    REG("rdx", gpr[VMR_X86_RDX]),
    REG("rbx", gpr[VMR_X86_RBX]),
    REG("rsp", gpr[VMR_X86_RSP]),
    REG("rbp", gpr[VMR_X86_RBP]),
    REG("rsi", gpr[VMR_X86_RSI]),
    REG("rdi", gpr[VMR_X86_RDI]),
    REG("r8", gpr[VMR_X86_R8]),
    REG("r9", gpr[VMR_X86_R9]),
    REG("r10", gpr[VMR_X86_R10]),
    REG("r11", gpr[VMR_X86_R11]),
    REG("r12", gpr[VMR_X86_R12]),
    REG("r13", gpr[VMR_X86_R13]),
    REG("r14", gpr[VMR_X86_R14]),
    REG("r15", gpr[VMR_X86_R15]),
    REG("rip", rip),
    REG("rflags", rflags),
    SEGMENT(cs),
    SEGMENT(ds),
    SEGMENT(es),
    SEGMENT(fs),
    SEGMENT(gs),
    SEGMENT(ss),
    SEGMENT(tr),
    SEGMENT(ldtr),
    TABLE(gdtr),
    TABLE(idtr),
    REG("cr0", cr0),
    REG("cr2", cr2),
    REG("cr3", cr3),
    REG("cr4", cr4),
    REG("cr8", cr8),
    REG("efer", efer),
    REG("apic_base", apic_base),
};

#define REGISTER_COUNT (sizeof(registers) / sizeof(registers[0]))

_Static_assert(REGISTER_COUNT <= 64, "a set of registers is one word");

unsigned x86_reg_count(void)
{
    return REGISTER_COUNT;
}

const char *x86_reg_name(unsigned index)
{
    return index < REGISTER_COUNT ? registers[index].name : "unknown";
}

unsigned x86_reg_width(unsigned index)
{
    return index < REGISTER_COUNT ? registers[index].width : 0;
}

uint64_t x86_reg_get(const struct vmr_x86_regs *regs, unsigned index)
{
    return index < REGISTER_COUNT ? field_get(regs, registers[index].offset, registers[index].width) : 0;
}

bool x86_reg_set(struct vmr_x86_regs *regs, unsigned index, uint64_t value)
{
    return index < REGISTER_COUNT && field_set(regs, registers[index].offset, registers[index].width, value);
}

/* --- starting states --- */

#define RFLAGS_FIXED 0x2u     /* bit 1 is always set */
#define CR0_RESET 0x60000010u /* CD, NW, ET: caches off, real mode */
#define RDX_RESET 0x600u      /* family 6; the CPUID table may name another */
#define LIMIT_RESET 0xffffu   /* of every segment and table */
#define APIC_BASE_ENABLED 0xfee00800u
#define APIC_BASE_BSP 0x100u /* set in the boot processor alone */

/* Access rights: present, accessed, and the type. */
#define RIGHTS_CODE 0x9bu
#define RIGHTS_DATA 0x93u
#define RIGHTS_LDT 0x82u
#define RIGHTS_TSS 0x8bu

/* The same after power-up and after INIT, which a start-up IPI follows (Intel SDM vol. 3, table 10-1). */
static struct vmr_x86_regs common_state(void)
{
    const struct vmr_x86_segment data = {.limit = LIMIT_RESET, .attributes = RIGHTS_DATA};

    return (struct vmr_x86_regs){
        .gpr = {[VMR_X86_RDX] = RDX_RESET},
        .rflags = RFLAGS_FIXED,
        .cs = {.limit = LIMIT_RESET, .attributes = RIGHTS_CODE},
        .ds = data,
        .es = data,
        .fs = data,
        .gs = data,
        .ss = data,
        /* Busy: what hypervisors demand of a loaded task register, and processors hold. */
        .tr = {.limit = LIMIT_RESET, .attributes = RIGHTS_TSS},
        .ldtr = {.limit = LIMIT_RESET, .attributes = RIGHTS_LDT},
        .gdtr = {.limit = LIMIT_RESET},
        .idtr = {.limit = LIMIT_RESET},
        .cr0 = CR0_RESET,
        .apic_base = APIC_BASE_ENABLED,
    };
}

void vmr_x86_regs_reset(struct vmr_x86_regs *ret_regs)
{
    *ret_regs = common_state();
    ret_regs->rip = 0xfff0;
    /* The first instruction is 16 bytes below 4 GiB, though the selector says 0xf000. */
    ret_regs->cs.selector = 0xf000;
    ret_regs->cs.base = 0xffff0000;
    ret_regs->apic_base |= APIC_BASE_BSP;
}

void vmr_x86_regs_sipi(struct vmr_x86_regs *ret_regs, uint8_t vector)
{
    *ret_regs = common_state();
    ret_regs->cs.selector = (uint16_t)(vector << 8);
    ret_regs->cs.base = (uint64_t)vector << 12;
}
