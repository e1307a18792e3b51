/* SPDX-License-Identifier: MIT */
#pragma once

/* The fields of struct vmr_x86_regs, for tables of classes that hold one: FIELD(member, name), names behind PREFIX. */

#define X86_SEGMENT_FIELDS(FIELD, PREFIX, member)                                                                      \
    FIELD(member.base, PREFIX #member ".base"), FIELD(member.limit, PREFIX #member ".limit"),                          \
        FIELD(member.selector, PREFIX #member ".selector"), FIELD(member.attributes, PREFIX #member ".attributes")
#define X86_TABLE_FIELDS(FIELD, PREFIX, member)                                                                        \
    FIELD(member.base, PREFIX #member ".base"), FIELD(member.limit, PREFIX #member ".limit")
#define X86_GPR_FIELDS(FIELD, PREFIX)                                                                                  \
    FIELD(gpr[VMR_X86_RAX], PREFIX "rax"), FIELD(gpr[VMR_X86_RCX], PREFIX "rcx"),                                      \
        FIELD(gpr[VMR_X86_RDX], PREFIX "rdx"), FIELD(gpr[VMR_X86_RBX], PREFIX "rbx"),                                  \
        FIELD(gpr[VMR_X86_RSP], PREFIX "rsp"), FIELD(gpr[VMR_X86_RBP], PREFIX "rbp"),                                  \
        FIELD(gpr[VMR_X86_RSI], PREFIX "rsi"), FIELD(gpr[VMR_X86_RDI], PREFIX "rdi"),                                  \
        FIELD(gpr[VMR_X86_R8], PREFIX "r8"), FIELD(gpr[VMR_X86_R9], PREFIX "r9"),                                      \
        FIELD(gpr[VMR_X86_R10], PREFIX "r10"), FIELD(gpr[VMR_X86_R11], PREFIX "r11"),                                  \
        FIELD(gpr[VMR_X86_R12], PREFIX "r12"), FIELD(gpr[VMR_X86_R13], PREFIX "r13"),                                  \
        FIELD(gpr[VMR_X86_R14], PREFIX "r14"), FIELD(gpr[VMR_X86_R15], PREFIX "r15")

#define X86_REGISTER_FIELDS(FIELD, PREFIX)                                                                             \
    X86_GPR_FIELDS(FIELD, PREFIX), FIELD(rip, PREFIX "rip"), FIELD(rflags, PREFIX "rflags"),                           \
        X86_SEGMENT_FIELDS(FIELD, PREFIX, cs), X86_SEGMENT_FIELDS(FIELD, PREFIX, ds),                                  \
        X86_SEGMENT_FIELDS(FIELD, PREFIX, es), X86_SEGMENT_FIELDS(FIELD, PREFIX, fs),                                  \
        X86_SEGMENT_FIELDS(FIELD, PREFIX, gs), X86_SEGMENT_FIELDS(FIELD, PREFIX, ss),                                  \
        X86_SEGMENT_FIELDS(FIELD, PREFIX, tr), X86_SEGMENT_FIELDS(FIELD, PREFIX, ldtr),                                \
        X86_TABLE_FIELDS(FIELD, PREFIX, gdtr), X86_TABLE_FIELDS(FIELD, PREFIX, idtr), FIELD(cr0, PREFIX "cr0"),        \
        FIELD(cr2, PREFIX "cr2"), FIELD(cr3, PREFIX "cr3"), FIELD(cr4, PREFIX "cr4"), FIELD(cr8, PREFIX "cr8"),        \
        FIELD(efer, PREFIX "efer"), FIELD(apic_base, PREFIX "apic-base")
