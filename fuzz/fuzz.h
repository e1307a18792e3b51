/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What targets, mutators and engines agree on. A target is one file that
 * defines LLVMFuzzerTestOneInput and keeps nothing between two calls; the
 * engine (libFuzzer, AFL++) or support/replayer.c calls it.
 *
 * A target breaks off at FUZZ_INPUT_MAX bytes, which meson.build takes from
 * targets.txt, so that work and memory of one input are bounded.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmrig/error.h"

/* 0, always: every input is worth keeping if it reaches something new. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A mutator's: changes `data` in place and gives the new size. libFuzzer only. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* The engine's own mutation of bytes, for mutators to build on. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* An oracle: what must hold for every input. Kept in every build. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fuzz_fail(__FILE__, __LINE__, "does not hold: " #condition);                                               \
    } while (0)

/* A call that may succeed or fail, but with a status. */
#define FUZZ_ANY(call) FUZZ_CHECK((unsigned)(call) < VMR_STATUS_COUNT)

/* What must never happen has. */
#define FUZZ_NEVER(what) fuzz_fail(__FILE__, __LINE__, "happened: " what)

_Noreturn static inline void fuzz_fail(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}
