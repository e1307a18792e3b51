/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records into a binary trace: fills blocks, and hands each full one to the
 * sink. Holds one block whatever the length of the trace. Once something has
 * failed it stays failed and the sink gets nothing more.
 */

#include "lib/trace/format.h"
#include "lib/trace/record.h"
#include "vmrig/trace_position.h"

struct trace_writer;

struct trace_writer_options {
    struct vmr_trace_sink sink;
    enum vmr_trace_codec codec;
    bool inputs_only;
    uint16_t minor;        /* of the format: TRACE_MINOR, or what the trace that is converted says */
    bool plain_blocks;     /* the header names `codec`, and no block is compressed: for bytes that nobody keeps */
    const uint8_t *tables; /* copied into the header */
    size_t tables_length;
};

/* What VMR_TRACE_CODEC_DEFAULT means here; VMR_E_UNSUPPORTED for one that this build lacks. */
enum vmr_status trace_codec_resolve(enum vmr_trace_codec codec, enum vmr_trace_codec *ret_codec, struct vmr_error *err);

/* Writes the header. */
enum vmr_status trace_writer_create(const struct trace_writer_options *options, struct trace_writer **ret_writer,
                                    struct vmr_error *err);
void trace_writer_destroy(struct trace_writer *writer);

/* Numbers the record: `sequence` and `exit` of it are not looked at. */
enum vmr_status trace_writer_append(struct trace_writer *writer, const struct trace_record *record);
/* The last block; then, if `with_footer`, the footer. */
enum vmr_status trace_writer_finish(struct trace_writer *writer, bool with_footer, struct vmr_error *err);
/* Where the writer is: what follows from the records alone, not from how they are stored. */
void trace_writer_position(const struct trace_writer *writer, struct vmr_trace_position *ret_position);
enum vmr_status trace_writer_status(const struct trace_writer *writer);
