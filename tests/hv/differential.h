/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The dispatcher and the model of reference.c side by side: the same registers,
 * the same memory, a handler that does the same. What both share is made by a
 * fixed seed.
 */

#include "tests/hv/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PAGE UINT64_C(4096)

struct bench {
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_hv_calls calls;
    struct vmr_hv_caller caller;
    struct reference_handler ours, theirs;
    struct vmr_hv_call_registers registers, model;
    struct vmr_hv_result result;
    uint8_t ram[REFERENCE_RAM_BYTES]; /* the model's */
    uint64_t seed;
    unsigned instructions, outcomes[4], successes, forms;
};

void bench_init(struct bench *bench, uint64_t seed);
void bench_finish(struct bench *bench);
uint64_t bench_next(struct bench *bench);
unsigned bench_pick(struct bench *bench, unsigned below);

/* One hypercall instruction, on both sides: they must agree on everything, and change nothing that they do not name. */
void bench_execute(struct bench *bench);
/* Memory, which both sides have changed alike. */
void bench_compare_memory(struct bench *bench);

/* Junk in every register; the caller is chosen already. */
void bench_scramble(struct bench *bench);
/* Control and the first two words, where the convention wants them. */
void bench_set_parameters(struct bench *bench, uint64_t control, uint64_t first, uint64_t second);
