/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the targets that read traces do alike.
 */

#include "fuzz/support/bytes.h"

/* What one input may print or pack at most: damage of a trace is cheap to write and must not be dear to read. */
#define TRACES_OUTPUT_MAX (4u * 1024 * 1024)
/* Records that are looked at; a block of 64 KiB can hold 20,000. */
#define TRACES_RECORDS_MAX 100000u

/* A call of the form of vmr_trace_print. */
struct traces_call {
    enum vmr_status (*run)(const struct vmr_trace_source *source, const struct vmr_trace_sink *sink,
                           struct vmr_trace_info *ret_info, struct vmr_error *err);
};
/* Everything goes to `ret_out`, to be finished whatever comes back. */
enum vmr_status traces_convert(struct traces_call call, const void *bytes, size_t length, struct bytes *ret_out,
                               struct vmr_trace_info *ret_info);
/* vmr_trace_pack without compression, so that equal records give equal bytes. */
enum vmr_status traces_pack(const void *bytes, size_t length, struct bytes *ret_out, struct vmr_trace_info *ret_info);
/* Record by record; each is looked at. */
enum vmr_status traces_read(const void *bytes, size_t length, bool strict, struct vmr_trace_info *ret_info);
/* The trace is whole, undamaged and understood: what is converted must not lose anything. */
bool traces_are_whole(const struct vmr_trace_info *info);
