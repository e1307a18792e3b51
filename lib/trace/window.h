/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The last bytes of a source that is read once, front to back, so that a reader
 * can look at what follows before it decides how much to take.
 */

#include "vmrig/trace.h"

/* Enough for a block with its header, and for the longest line of a text: two digits for each byte of a block. */
#define WINDOW_BYTES (2u * VMR_TRACE_BLOCK_BYTES_MAX + 4096u)

struct window {
    struct vmr_trace_source source;
    uint64_t offset; /* of bytes[start] in the source */
    size_t start, end;
    bool ended;
    enum vmr_status status; /* the source's first failure, which also ends it */
    uint8_t bytes[WINDOW_BYTES];
};

void window_init(struct window *window, const struct vmr_trace_source *source);
/* Makes at least `length` bytes visible if the source has them; returns how many are. At most WINDOW_BYTES. */
size_t window_fill(struct window *window, size_t length);
const uint8_t *window_bytes(const struct window *window);
/* `length` visible bytes are done with. */
void window_take(struct window *window, size_t length);
