/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hypervisor whose VP 0 does what a list says: port accesses and HLT, then
 * nothing more. Small enough to be seen through, where the mock would hide what
 * a machine does behind what the mock does.
 */

#include "vmrig/machine.h"

enum scripted_op {
    SCRIPTED_OUT,
    SCRIPTED_IN,
    SCRIPTED_HALT, /* with interrupts on */
};

struct scripted_step {
    enum scripted_op op;
    uint16_t port;
    uint8_t value; /* SCRIPTED_IN: what must be answered */
};

#define SCRIPTED_VECTOR_MAX 64u

struct scripted {
    const struct scripted_step *steps;
    size_t count, done;
    unsigned wrong_answers;
    uint8_t vectors[SCRIPTED_VECTOR_MAX]; /* injected, oldest first */
    unsigned vector_count;
    _Atomic unsigned lines_raised; /* with interrupt controllers in the hypervisor: vm_irq to high */
    unsigned fail_call;            /* the n-th call that can fail does; 0: none */
    _Atomic unsigned calls;        /* VPs bind on their own threads */
    struct vmr_backend backend;
};

/* `ret_scripted` is the context of `ret_handle` and must outlive it. */
void scripted_handle(struct scripted *ret_scripted, const struct scripted_step *steps, size_t count,
                     struct vmr_hypervisor_handle *ret_handle);
