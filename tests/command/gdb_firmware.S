/* SPDX-License-Identifier: MIT */
/*
 * A firmware image of 64 KiB for a debugger to walk through: from the first
 * instruction to 64-bit code at the addresses that its symbols have, where it
 * counts in memory and powers off. It is linked to where its copy below 1 MiB is.
 */

#define CR0_PE 1
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define DEBUG_EXIT 0xf4
#define EXIT_VALUE 0x2a

#define TABLES 0x1000 /* of page tables: three pages */
#define RIGHTS 3
#define LARGE_PAGE 0x83
#define STACK 0x7000

    .globl _start, long_mode, work, again, counter
    .set counter, 0x8000

    .text
    .code16
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss

    /* The first two MiB, where they are. RAM is zero. */
    movl $TABLES + 0x1000 + RIGHTS, TABLES
    movl $TABLES + 0x2000 + RIGHTS, TABLES + 0x1000
    movl $LARGE_PAGE, TABLES + 0x2000
    movl $TABLES, %eax
    movl %eax, %cr3
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    movl $EFER_LME, %eax
    xorl %edx, %edx
    wrmsr
    lgdtl %cs:gdt_pointer - _start
    movl $CR0_PG | CR0_PE, %eax
    movl %eax, %cr0
    ljmpl $8, $long_mode

    .code64
long_mode:
    movl $STACK, %esp
    movl $16, %eax
    movl %eax, %ss
    call work
    movw $DEBUG_EXIT, %dx
    movl $EXIT_VALUE, %eax
    outl %eax, %dx
halt:
    hlt
    jmp halt

work:
    movl $3, %ecx
again:
    incl counter
    decl %ecx
    jnz again
    ret

    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* code, 64 bits */
    .quad 0x00cf93000000ffff /* data */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt

    /* Here the processor begins. */
    .org 0xfff0
    .code16
    ljmpw $0xf000, $0
    .org 0xffff
    .byte 0
