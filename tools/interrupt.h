/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ctrl-C, SIGTERM and SIGHUP as a call on a thread of their own, where any
 * function may be called. The first one asks, the second ends the process.
 */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "vmrig/error.h"

struct interrupt {
    sigset_t signals;
    pthread_t thread;
    bool started;
    atomic_bool over;
    atomic_int signal; /* the first that came; 0: none */
    void (*attention)(void *context);
    void *context;
};

/* Blocks the signals, for the rest of the process: before any other thread is started. */
void interrupt_init(struct interrupt *interrupt);
/* From now on `attention` is called, also for a signal that came since interrupt_init. */
VMR_MUST_CHECK enum vmr_status interrupt_start(struct interrupt *interrupt, void (*attention)(void *context),
                                               void *context, struct vmr_error *err);
/* No call runs or will run when this returns. */
void interrupt_finish(struct interrupt *interrupt);
bool interrupt_came(struct interrupt *interrupt);
