/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes that grow up to a limit, and a trace sink that fills them.
 */

#include "vmrig/trace.h"

struct bytes {
    uint8_t *at;
    size_t length, capacity;
    size_t limit;
};

/* False: it would be above the limit, or memory ran out. Then nothing was appended. */
bool bytes_append(struct bytes *bytes, const void *more, size_t length);
/* Frees them; what is left is empty, with the same limit. */
void bytes_finish(struct bytes *bytes);
bool bytes_equal(const struct bytes *a, const struct bytes *b);
/* VMR_E_NOMEM at the limit. */
struct vmr_trace_sink bytes_sink(struct bytes *bytes);
