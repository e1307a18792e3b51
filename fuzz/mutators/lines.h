/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Changing text by lines: for targets whose inputs a person could have written.
 */

#include <stddef.h>
#include <stdint.h>

/* Lines that belong into such a text; they get other numbers by and by. */
struct lines_known {
    const char *const *lines;
    size_t count;
};

/* As LLVMFuzzerCustomMutator. One input in eight is left to the engine's own mutation of bytes. */
size_t lines_mutate(const struct lines_known *known, uint8_t *data, size_t size, size_t max_size, unsigned seed);
