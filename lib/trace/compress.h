/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One block through a compressor and back. The build takes compress_zstd.c or,
 * without zstd, compress_none.c; nothing else in the tree knows the difference.
 */

#include <stdbool.h>
#include <stddef.h>

bool trace_compress_available(void);

/* Working memory, used again for each block. */
struct trace_compressor;
struct trace_compressor *trace_compressor_create(void); /* NULL: out of memory, or not available */
void trace_compressor_destroy(struct trace_compressor *compressor);

/* The size stored, at most `capacity`; 0: it does not fit. The same bytes always give the same. */
size_t trace_compress(struct trace_compressor *compressor, void *ret_stored, size_t capacity, const void *raw,
                      size_t length);
/* False unless `stored` gives exactly `length` bytes. */
bool trace_decompress(struct trace_compressor *compressor, void *ret_raw, size_t length, const void *stored,
                      size_t stored_length);
