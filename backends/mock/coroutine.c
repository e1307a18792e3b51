/* SPDX-License-Identifier: MIT */
/*
 * Stacks for coroutines, and the switch with its sanitizer annotations. Below
 * each stack lies a page without access, so that an overflow is a fault and not
 * a corrupted neighbour.
 */

#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */

#include "backends/mock/coroutine.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backends/mock/sanitizer.h"

/* Scenario bodies print reports and sanitizers widen frames; pages that are not touched cost nothing. */
#define STACK_SIZE ((size_t)512 * 1024)
#define GUARD_SIZE ((size_t)4096)

void coroutine_init_caller(struct coroutine *caller)
{
    *caller = (struct coroutine){.fiber = sanitizer_fiber_current()};
}

struct coroutine *coroutine_create(void)
{
    struct coroutine *coroutine = calloc(1, sizeof(*coroutine));

    if (!coroutine)
        return NULL;
    void *mapping =
        mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapping == MAP_FAILED) {
        free(coroutine);
        return NULL;
    }
    coroutine->mapping = mapping;
    coroutine->mapping_size = GUARD_SIZE + STACK_SIZE;
    if (mprotect(mapping, GUARD_SIZE, PROT_NONE) != 0) {
        coroutine_destroy(coroutine);
        return NULL;
    }
    coroutine->stack_bottom = (uint8_t *)mapping + GUARD_SIZE;
    coroutine->stack_size = STACK_SIZE;
    return coroutine;
}

void coroutine_destroy(struct coroutine *coroutine)
{
    if (!coroutine)
        return;
    coroutine_end(coroutine);
    (void)munmap(coroutine->mapping, coroutine->mapping_size);
    free(coroutine);
}

/* The first frame on a new stack. */
static void first_frame(void *argument)
{
    struct coroutine *self = argument;

    sanitizer_switch_end(NULL, &self->left->stack_bottom, &self->left->stack_size);
    self->entry(self->argument);
    abort(); /* entry returned: there is no frame to go back to */
}

void coroutine_begin(struct coroutine *coroutine, void (*entry)(void *argument), void *argument)
{
    coroutine->entry = entry;
    coroutine->argument = argument;
    coroutine->fake_stack = NULL;
    coroutine->fiber = sanitizer_fiber_create();
    coroutine->context =
        coroutine_context_create((uint8_t *)coroutine->mapping + GUARD_SIZE, STACK_SIZE, first_frame, coroutine);
}

void coroutine_end(struct coroutine *coroutine)
{
    if (coroutine->stack_bottom)
        sanitizer_forget_stack(coroutine->stack_bottom, coroutine->stack_size);
    sanitizer_fiber_destroy(coroutine->fiber);
    coroutine->fiber = NULL;
}

void coroutine_switch(struct coroutine *from, struct coroutine *to, bool last)
{
    to->left = from;
    sanitizer_switch_begin(last ? NULL : &from->fake_stack, to->stack_bottom, to->stack_size);
    sanitizer_fiber_switch(to->fiber);
    coroutine_context_jump(&from->context, to->context);
    /* Here again, some other switch having come back to `from`. */
    sanitizer_switch_end(from->fake_stack, &from->left->stack_bottom, &from->left->stack_size);
}
