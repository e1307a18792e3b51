/* SPDX-License-Identifier: MIT */
/*
 * The kick word. A signal handler has no argument of ours, so this file holds
 * the library's only thread-local word, and the only mutable data outside an
 * object. Because it belongs to the thread and not to a VP, it stays right
 * when one thread runs several VPs in turn.
 */

#include "backends/kvm/kvm_kick.h"

#include <stdatomic.h>
#include <stdint.h>

#define NO_RUN ((uintptr_t)0)
#define CANCEL ((uintptr_t)1) /* never the address of a run page */

/* initial-exec: the handler must not allocate the thread's copy on first use. */
static _Thread_local _Atomic uintptr_t kick_word __attribute__((tls_model("initial-exec")));

/* Written by a handler between any two instructions of the thread, read by the kernel. */
static void set_immediate_exit(struct kvm_run *run, uint8_t value)
{
    *(volatile uint8_t *)&run->immediate_exit = value;
}

void kvm_kick_clear(struct kvm_run *run)
{
    set_immediate_exit(run, 0);
}

void kvm_kick_publish(struct kvm_run *run)
{
    if (atomic_exchange(&kick_word, (uintptr_t)run) == CANCEL)
        set_immediate_exit(run, 1);
}

void kvm_kick_retract(void)
{
    /* Only the handler runs against us, on this very thread: no other processor needs an order. */
    atomic_store_explicit(&kick_word, NO_RUN, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

void kvm_kick_force(struct kvm_run *run)
{
    set_immediate_exit(run, 1);
}

void kvm_kick_handler(int signal)
{
    uintptr_t word = atomic_load_explicit(&kick_word, memory_order_relaxed);

    (void)signal;
    if (word == NO_RUN)
        atomic_store_explicit(&kick_word, CANCEL, memory_order_relaxed);
    else if (word != CANCEL)
        set_immediate_exit((struct kvm_run *)word, 1);
}
