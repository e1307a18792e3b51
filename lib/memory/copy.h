/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Copies between private memory and memory that a guest shares.
 *
 * The guest, and other threads, may change the shared side at any moment. Each
 * shared byte is loaded or stored exactly once, in relaxed atomic pieces of at
 * most eight bytes: the compiler may neither repeat a load nor invent a store,
 * and a race gives old or new bytes, never undefined behaviour. [MEM-1]
 */

#include <stddef.h>
#include <stdint.h>

/* The private side must not overlap the shared side. Lengths may be 0. */
void copy_from_shared(void *private_bytes, const void *shared, size_t length);
void copy_to_shared(void *shared, const void *private_bytes, size_t length);
void copy_fill_shared(void *shared, uint8_t byte, size_t length);
