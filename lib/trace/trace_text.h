/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines of the text form: a record, a table, the first line. Printing and
 * parsing go through the same tables, and what is parsed prints the same. Both
 * sides keep the registers of each VP, because a line holds only those that
 * changed.
 */

#include "lib/trace/codec.h"
#include "lib/trace/format.h"

/* "vmtx " begins a text. */
#define TEXT_MAGIC "vmtx "
#define TEXT_MAGIC_BYTES 5u

/* The longest record is an optional one of unknown kind that fills a block: two digits a byte. */
#define TEXT_LINE_MAX (2u * VMR_TRACE_BLOCK_BYTES_MAX + 4096u)

struct trace_text {
    struct trace_regs_table known;
    struct vmr_x86_regs regs; /* the parser's */
    struct vmr_exit vp_exit;
    uint8_t string[VMR_STRING_IO_BYTES_MAX];
    uint8_t bytes[VMR_TRACE_BLOCK_BYTES_MAX];
};

void trace_text_init(struct trace_text *text);
void trace_text_finish(struct trace_text *text);

/* Appends the line, without its end. */
void trace_text_print(struct trace_text *text, struct writer *line, const struct trace_record *record);
/* The same without number and VP, for messages; registers are all printed, and nothing is remembered. */
void trace_text_print_body(struct writer *line, const struct trace_record *record);
/* What the record points to is valid until the next call. VMR_E_CORRUPT, saying what is wrong, but not in which line.
 */
enum vmr_status trace_text_parse(struct trace_text *text, const char *line, size_t length,
                                 struct trace_record *ret_record, struct vmr_error *err);

/* All lines before the records. */
void trace_text_print_head(struct writer *out, const struct trace_header *header, struct reader *tables);
/* The first line. */
struct trace_text_first {
    uint16_t minor;
    enum vmr_trace_codec codec;
    bool inputs_only;
};
enum vmr_status trace_text_parse_first(const char *line, size_t length, struct trace_text_first *ret_first,
                                       struct vmr_error *err);
/* Whether the line is a table; appends it to `tables` if so. */
bool trace_text_is_table(const char *line, size_t length);
enum vmr_status trace_text_parse_table(const char *line, size_t length, struct writer *tables, struct vmr_error *err);
