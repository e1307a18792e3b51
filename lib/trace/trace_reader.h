/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A binary trace, or through text_source.h one in text form, into records.
 * Holds a few blocks whatever the length of the trace: the one that is read,
 * and those behind it that trace_reader_peek has looked at.
 */

#include "lib/trace/format.h"
#include "lib/trace/record.h"

struct trace_reader;

enum vmr_status trace_reader_create(const struct vmr_trace_source *source, bool strict,
                                    struct trace_reader **ret_reader, struct vmr_error *err);
void trace_reader_destroy(struct trace_reader *reader);

const struct trace_header *trace_reader_header(const struct trace_reader *reader);
/* The tables, as they are in the trace. */
void trace_reader_tables(const struct trace_reader *reader, struct reader *ret_tables);
/* Whether the trace's own table has the kind: if not, its maker recorded none. */
bool trace_reader_knows(const struct trace_reader *reader, enum trace_kind kind);
void trace_reader_info(const struct trace_reader *reader, struct vmr_trace_info *ret_info);

/* The record is valid until the next call. Errors are final: the same one again. */
enum vmr_status trace_reader_next(struct trace_reader *reader, struct trace_record *ret_record, bool *ret_end,
                                  struct vmr_error *err);

/* Looks at records further on, at most to the end of the TRACE_PEEK_BLOCKS-th block from here. */
#define TRACE_PEEK_BLOCKS 16u
struct trace_peek {
    struct reader cursor;
    uint32_t last_vp;
    uint32_t ahead; /* 0: in the block that is read; 1: in the next; ... */
    bool end;       /* nothing more to be seen because the trace ends, not because it is too far */
};
struct trace_peeked {
    unsigned kind;
    uint32_t vp;
    uint8_t first; /* byte of the payload; 0 if there is none */
};
void trace_reader_peek_begin(struct trace_reader *reader, struct trace_peek *ret_peek);
/* False: nothing more to be seen from here. */
bool trace_reader_peek(struct trace_reader *reader, struct trace_peek *peek, struct trace_peeked *ret_record);

/*
 * The metadata pairs, at most VMR_TRACE_META_MAX; returns how many. They point
 * into *ret_storage, the caller's to free; NULL: out of memory.
 */
size_t trace_reader_meta(const struct trace_reader *reader, struct vmr_trace_meta *ret_pairs, char **ret_storage);

/* Bytes that the last record took. */
size_t trace_reader_last_size(const struct trace_reader *reader);
