/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Coroutines: several stacks, one thread. The scheduler is their only user.
 *
 * Sanitizers are told of every switch. What a dropped coroutine's frames own is
 * lost: only its stack is freed. How registers move from one stack to another
 * is coroutine_x86_64.c, or coroutine_ucontext.c on other processors.
 */

#include <stdbool.h>
#include <stddef.h>

struct coroutine {
    void *context; /* where its registers wait while another one runs; on its own stack */
    void *mapping; /* stack and guard page; NULL: the thread's own stack */
    size_t mapping_size;
    void (*entry)(void *argument);
    void *argument;
    struct coroutine *left; /* who ran before, at each switch */
    /* The sanitizers' view. */
    const void *stack_bottom;
    size_t stack_size;
    void *fake_stack;
    void *fiber;
    struct coroutine *next; /* the owner's, for lists */
};

/* Makes the caller's own stack something that can be switched away from and back to. */
void coroutine_init_caller(struct coroutine *caller);

/* NULL: no memory. The first switch to it calls `entry`, which must not return. */
struct coroutine *coroutine_create(void);
void coroutine_destroy(struct coroutine *coroutine);

/* Prepares a coroutine, new or used, to begin with `entry`. */
void coroutine_begin(struct coroutine *coroutine, void (*entry)(void *argument), void *argument);
/* Lets go of what the sanitizers hold; it must not be running. */
void coroutine_end(struct coroutine *coroutine);

/* `from` is the one that runs. With `last`, it is never switched to again. */
void coroutine_switch(struct coroutine *from, struct coroutine *to, bool last);

/* --- one of the two switch files --- */

/* Lays out a context on the stack whose highest address is `top`, so that the first jump calls entry(argument). */
void *coroutine_context_create(void *bottom, size_t size, void (*entry)(void *argument), void *argument);
/* Saves the caller's registers on its stack, their place in *ret_from, and goes on where `to` was saved. */
void coroutine_context_jump(void **ret_from, void *to);
