/* SPDX-License-Identifier: MIT */
/*
 * The sliding window. Bytes move to the front only when the room behind them is
 * short, so that each byte is moved at most once for each WINDOW_BYTES read.
 */

#include "lib/trace/window.h"

#include <assert.h>
#include <string.h>

void window_init(struct window *window, const struct vmr_trace_source *source)
{
    window->source = *source;
    window->offset = 0;
    window->start = 0;
    window->end = 0;
    window->ended = false;
    window->status = VMR_OK;
}

static void read_more(struct window *window)
{
    size_t got = 0;
    size_t room = WINDOW_BYTES - window->end;
    enum vmr_status status = window->source.read(window->source.context, window->bytes + window->end, room, &got);

    if (status)
        window->status = status;
    /* A source that claims more than it was offered is at its end: nothing it says can be used. */
    if (status || got == 0 || got > room)
        window->ended = true;
    else
        window->end += got;
}

size_t window_fill(struct window *window, size_t length)
{
    assert(length <= WINDOW_BYTES);
    while (window->end - window->start < length && !window->ended) {
        if (WINDOW_BYTES - window->start < length || window->end == WINDOW_BYTES) {
            memmove(window->bytes, window->bytes + window->start, window->end - window->start);
            window->end -= window->start;
            window->start = 0;
        }
        read_more(window);
    }
    return window->end - window->start;
}

const uint8_t *window_bytes(const struct window *window)
{
    return window->bytes + window->start;
}

void window_take(struct window *window, size_t length)
{
    assert(length <= window->end - window->start);
    window->start += length;
    window->offset += length;
}
