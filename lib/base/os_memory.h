/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whole pages from the operating system, for guest memory: zeroed, page
 * aligned, and not part of any heap. Everything smaller comes from malloc.
 */

#include <stddef.h>

/* `size` is a nonzero multiple of the page size. NULL if the host cannot promise that much. */
void *os_memory_map(size_t size);
void os_memory_unmap(void *bytes, size_t size); /* NULL is fine */
