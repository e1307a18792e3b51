/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes of traces and consoles in memory, and the trace calls on them. Failing
 * here fails the process: no test can go on without.
 */

#include "vmrig/trace.h"

struct bytes {
    uint8_t *at; /* `length` bytes and a NUL */
    size_t length, capacity;
};

void bytes_append(struct bytes *bytes, const void *more, size_t length);
void bytes_finish(struct bytes *bytes); /* and makes it empty */
bool bytes_equal(const struct bytes *a, const struct bytes *b);
bool bytes_begin_with(const struct bytes *whole, const struct bytes *beginning);
/* The whole file. Folder NULL: `name` is a path. */
void bytes_read_file(const char *folder, const char *name, struct bytes *ret_bytes);
void bytes_write_file(const char *path, const struct bytes *bytes);

/* A sink that appends to `bytes`; it and they stay where they are. */
struct vmr_trace_sink bytes_sink(struct bytes *bytes);

void bytes_print(const struct bytes *trace, struct bytes *ret_text);
void bytes_pack(const struct bytes *trace, enum vmr_trace_codec codec, struct bytes *ret_trace);
void bytes_cut(const struct bytes *trace, const struct vmr_trace_cut_options *options, struct bytes *ret_trace);
