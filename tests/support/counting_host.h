/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ordinary host, with its parkers and threads counted, one of its calls
 * failing on demand, and time that a test can move. And memory that runs out
 * at the n-th allocation, for programs linked with -Wl,--wrap=calloc.
 */

#include <stdatomic.h>
#include <stddef.h>

#include "vmrig/host.h"

struct counting_host {
    struct vmr_host inner;
    uint32_t fail_at; /* the n-th parker or thread is refused, from 1; 0: none */
    _Atomic uint32_t calls;
    _Atomic uint32_t live_parkers, live_threads;
    _Atomic uint32_t unparks;
    _Atomic bool deadlocks; /* park answers DEADLOCK instead of waiting */
    _Atomic uint64_t now;   /* 0: the real clock */
    _Atomic uint32_t log_lines;
};

void counting_host_init(struct counting_host *fake, struct vmr_host *ret_host);

/* The n-th allocation from now on fails; 0: none. */
void fail_allocation(unsigned nth);
/* Counts one. Whether it is to fail. */
bool allocation_fails_now(void);
/* Whether it has. */
bool allocation_failed(void);
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
/* Where these are wrapped too. */
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__real_realloc(void *at, size_t size);
