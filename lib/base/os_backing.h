/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Pages for guest memory that are more than pages: shared with other processes,
 * large, near one of the host's nodes, there from the beginning.
 */

#include <stddef.h>

#include "vmrig/error.h"
#include "vmrig/memory.h"

struct os_backing {
    void *bytes;
    size_t size;
    int fd; /* of shared memory; else -1 */
};

/*
 * `size` is a nonzero multiple of the page size and of the huge page size, which is
 * a power of two above a page. VMR_E_UNAVAILABLE, with the wish that this host does not fulfil; VMR_E_NOMEM.
 */
VMR_MUST_CHECK enum vmr_status os_backing_map(const struct vmr_memory_backing *wanted, size_t size,
                                              struct os_backing *ret_backing, struct vmr_error *err);
void os_backing_unmap(const struct os_backing *backing);
