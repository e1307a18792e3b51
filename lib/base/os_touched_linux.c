/* SPDX-License-Identifier: MIT */
/*
 * Which pages a process has, by /proc/self/pagemap (proc_pid_pagemap(5)): an
 * entry of eight bytes a page, of which bit 63 says that the page is present and
 * bit 62 that it is swapped out, or on its way somewhere. Of private anonymous
 * memory a page that is neither is not there at all: it reads as zero.
 */

#include "lib/base/os_memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/base/os_fd.h"
#include "vmrig/types.h"

#define ENTRIES 512u
#define THERE (UINT64_C(3) << 62)

static bool look(int fd, uintptr_t page, size_t count, bool *ret_touched)
{
    uint64_t entries[ENTRIES];
    ssize_t length = (ssize_t)(count * sizeof(entries[0]));

    if (pread(fd, entries, (size_t)length, (off_t)(page * sizeof(entries[0]))) != length)
        return false;
    for (size_t i = 0; i < count; i++)
        ret_touched[i] = (entries[i] & THERE) != 0;
    return true;
}

bool os_memory_touched(const void *bytes, size_t count, bool *ret_touched)
{
    uintptr_t page = (uintptr_t)bytes / VMR_PAGE_SIZE;
    bool known = sysconf(_SC_PAGESIZE) == (long)VMR_PAGE_SIZE;
    int fd = known ? open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) : -1;

    known = fd >= 0;
    for (size_t done = 0; known && done < count; done += ENTRIES)
        known = look(fd, page + done, count - done < ENTRIES ? count - done : ENTRIES, ret_touched + done);
    if (fd >= 0)
        os_fd_close(fd);
    return known;
}
