/* SPDX-License-Identifier: MIT */
/*
 * Blocks through zstd. The level is fixed: the same records must always give
 * the same file.
 */

#include "lib/trace/compress.h"

#include <stdlib.h>
#include <zstd.h>

/* On boot traces higher levels save a few percent and cost several times the time. */
#define LEVEL 3

struct trace_compressor {
    ZSTD_CCtx *out;
    ZSTD_DCtx *in;
};

bool trace_compress_available(void)
{
    return true;
}

struct trace_compressor *trace_compressor_create(void)
{
    struct trace_compressor *compressor = calloc(1, sizeof(*compressor));

    if (!compressor)
        return NULL;
    compressor->out = ZSTD_createCCtx();
    compressor->in = ZSTD_createDCtx();
    if (!compressor->out || !compressor->in) {
        trace_compressor_destroy(compressor);
        return NULL;
    }
    return compressor;
}

void trace_compressor_destroy(struct trace_compressor *compressor)
{
    if (!compressor)
        return;
    (void)ZSTD_freeCCtx(compressor->out);
    (void)ZSTD_freeDCtx(compressor->in);
    free(compressor);
}

size_t trace_compress(struct trace_compressor *compressor, void *ret_stored, size_t capacity, const void *raw,
                      size_t length)
{
    size_t stored = ZSTD_compressCCtx(compressor->out, ret_stored, capacity, raw, length, LEVEL);

    return ZSTD_isError(stored) ? 0 : stored;
}

bool trace_decompress(struct trace_compressor *compressor, void *ret_raw, size_t length, const void *stored,
                      size_t stored_length)
{
    return ZSTD_decompressDCtx(compressor->in, ret_raw, length, stored, stored_length) == length;
}
