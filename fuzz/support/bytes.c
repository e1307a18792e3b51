/* SPDX-License-Identifier: MIT */
/*
 * Bytes that grow: see bytes.h.
 */

#include "fuzz/support/bytes.h"

#include <stdlib.h>
#include <string.h>

bool bytes_append(struct bytes *bytes, const void *more, size_t length)
{
    if (length > bytes->limit - bytes->length)
        return false;
    if (length > bytes->capacity - bytes->length) {
        size_t capacity = 2 * bytes->capacity + length;
        uint8_t *at = realloc(bytes->at, capacity);

        if (!at)
            return false;
        bytes->at = at;
        bytes->capacity = capacity;
    }
    if (length > 0)
        memcpy(bytes->at + bytes->length, more, length);
    bytes->length += length;
    return true;
}

void bytes_finish(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){.limit = bytes->limit};
}

bool bytes_equal(const struct bytes *a, const struct bytes *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->at, b->at, a->length) == 0);
}

static enum vmr_status write_bytes(void *context, const void *bytes, size_t length)
{
    return bytes_append(context, bytes, length) ? VMR_OK : VMR_E_NOMEM;
}

struct vmr_trace_sink bytes_sink(struct bytes *bytes)
{
    return (struct vmr_trace_sink){.write = write_bytes, .context = bytes};
}
