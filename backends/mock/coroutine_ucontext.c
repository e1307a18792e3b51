/* SPDX-License-Identifier: MIT */
/*
 * Moving between stacks with ucontext: for processors that have no file of
 * their own. Slower, since each switch saves the signal mask with a system call.
 */

#include "backends/mock/coroutine.h"

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

/* Sits at the top of the new stack until the coroutine has begun. */
struct first_context {
    ucontext_t context;
    void (*entry)(void *argument);
    void *argument;
};

/* makecontext passes ints: a pointer travels in two halves. */
static void start(unsigned high, unsigned low)
{
    const struct first_context *first = (const struct first_context *)(uintptr_t)((uint64_t)high << 32 | (uint64_t)low);

    first->entry(first->argument);
    abort();
}

void *coroutine_context_create(void *bottom, size_t size, void (*entry)(void *argument), void *argument)
{
    uintptr_t top = ((uintptr_t)bottom + size - sizeof(struct first_context)) & ~(uintptr_t)63;
    struct first_context *first = (struct first_context *)top;
    uint64_t address = (uint64_t)top;

    (void)getcontext(&first->context);
    first->entry = entry;
    first->argument = argument;
    first->context.uc_stack.ss_sp = bottom;
    first->context.uc_stack.ss_size = top - (uintptr_t)bottom;
    first->context.uc_link = NULL;
    makecontext(&first->context, (void (*)(void))start, 2, (unsigned)(address >> 32), (unsigned)address);
    return &first->context;
}

void coroutine_context_jump(void **ret_from, void *to)
{
    ucontext_t here;

    *ret_from = &here;
    (void)swapcontext(&here, to);
}
