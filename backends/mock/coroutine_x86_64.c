/* SPDX-License-Identifier: MIT */
/*
 * Moving between stacks on x86-64: the registers that a call preserves (System
 * V ABI 3.2.1) are pushed on the old stack and popped from the new one. No
 * system call, unlike ucontext, which saves the signal mask.
 */

#include "backends/mock/coroutine.h"

#include <stdint.h>
#include <string.h>

/*
 * A saved context, lowest address first: MXCSR and x87 control word, r15, r14,
 * r13, r12, rbx, rbp, return address.
 */
#define CONTEXT_WORDS 8u
#define CONTEXT_R13 3u
#define CONTEXT_R12 4u
#define CONTEXT_RETURN 7u
/* The power-up values (Intel SDM vol. 1, 8.1.5 and 10.2.3): all exceptions masked. */
#define MXCSR_DEFAULT UINT64_C(0x1f80)
#define X87_CONTROL_DEFAULT UINT64_C(0x37f)

/* Never called by C: a new context "returns" into it with entry in r13 and its argument in r12. */
void coroutine_context_start(void);

__asm__(".text\n"
        ".p2align 4\n"
        ".globl coroutine_context_start\n"
        ".hidden coroutine_context_start\n"
        ".type coroutine_context_start, @function\n"
        "coroutine_context_start:\n"
        "    xorl %ebp, %ebp\n" /* the end of the frame chain, for debuggers */
        "    movq %r12, %rdi\n"
        "    callq *%r13\n"
        "    ud2\n"
        ".size coroutine_context_start, . - coroutine_context_start\n"
        ".p2align 4\n"
        ".globl coroutine_context_jump\n"
        ".hidden coroutine_context_jump\n"
        ".type coroutine_context_jump, @function\n"
        "coroutine_context_jump:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    retq\n"
        ".size coroutine_context_jump, . - coroutine_context_jump\n");

void *coroutine_context_create(void *bottom, size_t size, void (*entry)(void *argument), void *argument)
{
    uint64_t words[CONTEXT_WORDS] = {0};
    uintptr_t top = ((uintptr_t)bottom + size) & ~(uintptr_t)15;
    void *context = (void *)(top - sizeof(words));

    words[0] = MXCSR_DEFAULT | X87_CONTROL_DEFAULT << 32;
    words[CONTEXT_R12] = (uint64_t)(uintptr_t)argument;
    words[CONTEXT_R13] = (uint64_t)(uintptr_t)entry;
    words[CONTEXT_RETURN] = (uint64_t)(uintptr_t)coroutine_context_start;
    memcpy(context, words, sizeof(words));
    return context;
}
