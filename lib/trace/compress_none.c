/* SPDX-License-Identifier: MIT */
/*
 * A build without a compression library: blocks are stored as they are, and
 * compressed ones cannot be read.
 */

#include "lib/trace/compress.h"

bool trace_compress_available(void)
{
    return false;
}

struct trace_compressor *trace_compressor_create(void)
{
    return NULL;
}

void trace_compressor_destroy(struct trace_compressor *compressor)
{
    (void)compressor;
}

size_t trace_compress(struct trace_compressor *compressor, void *ret_stored, size_t capacity, const void *raw,
                      size_t length)
{
    (void)compressor;
    (void)ret_stored;
    (void)capacity;
    (void)raw;
    (void)length;
    return 0;
}

bool trace_decompress(struct trace_compressor *compressor, void *ret_raw, size_t length, const void *stored,
                      size_t stored_length)
{
    (void)compressor;
    (void)ret_raw;
    (void)length;
    (void)stored;
    (void)stored_length;
    return false;
}
