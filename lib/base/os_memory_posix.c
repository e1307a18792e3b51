/* SPDX-License-Identifier: MIT */
/*
 * Whole pages by mmap: the one place of the library that maps memory. Nothing
 * is reserved away: a size that the host obviously does not have is refused
 * here and now, instead of killing the process when a guest touches it.
 */

#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "lib/base/os_memory.h"

#include <sys/mman.h>

void *os_memory_map(size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return bytes == MAP_FAILED ? NULL : bytes;
}

void os_memory_unmap(void *bytes, size_t size)
{
    if (bytes)
        (void)munmap(bytes, size);
}
