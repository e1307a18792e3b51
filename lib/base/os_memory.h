/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whole pages from the operating system, for guest memory: zeroed, page
 * aligned, and not part of any heap. Everything smaller comes from malloc.
 */

#include <stdbool.h>
#include <stddef.h>

/* `size` is a nonzero multiple of the page size. NULL if the host cannot promise that much. */
void *os_memory_map(size_t size);
void os_memory_unmap(void *bytes, size_t size); /* NULL is fine */
/*
 * Of `count` pages at `bytes`, which lie in what os_memory_map gave: those that
 * are not touched hold zeros, and reading them would make the system provide
 * them. False, and `ret_touched` is undefined: the system does not tell.
 */
bool os_memory_touched(const void *bytes, size_t count, bool *ret_touched);
