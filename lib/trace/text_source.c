/* SPDX-License-Identifier: MIT */
/*
 * Lines in, packed bytes out. The head is read when the source is made; records
 * are packed as they are asked for, and never more than a block waits here.
 */

#include "lib/trace/text_source.h"

#include <stdlib.h>
#include <string.h>

#include "lib/trace/trace_writer.h"

/* A packed block, its header, the trace's header and tables, the footer. */
#define PENDING_MAX (4u * VMR_TRACE_BLOCK_BYTES_MAX)

struct text_source {
    struct window window;
    struct trace_text text;
    struct trace_writer *writer;
    struct writer pending; /* packed and not asked for yet */
    size_t pending_taken;
    uint64_t line_number;
    uint64_t next_sequence;
    size_t line_length; /* of the line at the front of the window, once next_line has found it */
    bool ended, has_line;
    struct vmr_error error;
};

static enum vmr_status keep(void *context, const void *bytes, size_t length)
{
    struct text_source *text = context;

    writer_copy(&text->pending, bytes, length);
    return writer_ok(&text->pending) ? VMR_OK : VMR_E_NOMEM;
}

/* The line at the front of the window. False at the end. */
static bool next_line(struct text_source *text, enum vmr_status *ret_status)
{
    *ret_status = VMR_OK;
    if (text->has_line) {
        window_take(&text->window, text->line_length);
        if (window_fill(&text->window, 1) > 0)
            window_take(&text->window, 1); /* the line's end */
        text->has_line = false;
    }
    size_t seen = 0;

    for (;;) {
        size_t before = seen;
        const char *end;

        seen = window_fill(&text->window, before + 1);
        end = memchr(window_bytes(&text->window), '\n', seen);
        if (end || seen == before) {
            text->line_length = end ? (size_t)(end - (const char *)window_bytes(&text->window)) : seen;
            break;
        }
        if (seen >= WINDOW_BYTES) {
            *ret_status = vmr_error_set(&text->error, VMR_E_CORRUPT, "trace: line %llu is too long",
                                        (unsigned long long)text->line_number + 1);
            return false;
        }
    }
    if (text->window.status) {
        *ret_status = vmr_error_set(&text->error, text->window.status, "trace: line %llu: reading failed",
                                    (unsigned long long)text->line_number + 1);
        return false;
    }
    if (seen == 0)
        return false;
    text->line_number++;
    text->has_line = true;
    return true;
}

static const char *line(const struct text_source *text)
{
    return (const char *)window_bytes(&text->window);
}

/* Puts the line's number in front of what a parser said, or where a reader of bytes says that it is a trace. */
static enum vmr_status fail_line(struct text_source *text, struct vmr_error *error)
{
    size_t prefix = strncmp(error->message, "trace: ", 7) == 0 ? 7 : 0;

    memmove(error->message, error->message + prefix, sizeof(error->message) - prefix);
    return vmr_error_set(&text->error, error->status, "trace: line %llu: %s", (unsigned long long)text->line_number,
                         error->message);
}

static enum vmr_status pack_record(struct text_source *text)
{
    struct trace_record record;
    struct vmr_error error = {0};

    if (trace_text_parse(&text->text, line(text), text->line_length, &record, &error))
        return fail_line(text, &error);
    if (record.sequence < text->next_sequence)
        return vmr_error_set(&text->error, VMR_E_CORRUPT, "trace: line %llu: record %llu after %llu",
                             (unsigned long long)text->line_number, (unsigned long long)record.sequence,
                             (unsigned long long)text->next_sequence - 1);
    text->next_sequence = record.sequence + 1;
    enum vmr_status status = trace_writer_append(text->writer, &record);

    if (status)
        return vmr_error_set(&text->error, status, "trace: line %llu: the record cannot be packed",
                             (unsigned long long)text->line_number);
    return VMR_OK;
}

static bool is_skipped(const struct text_source *text)
{
    return text->line_length == 0 || line(text)[0] == '#';
}

static enum vmr_status end_pack(struct text_source *text, bool with_footer)
{
    text->ended = true;
    return trace_writer_finish(text->writer, with_footer, &text->error);
}

/* Packs until a block comes out, or the end. */
static enum vmr_status pack_some(struct text_source *text)
{
    enum vmr_status status = VMR_OK;

    writer_clear(&text->pending);
    text->pending_taken = 0;
    while (!status && text->pending.length == 0 && !text->ended) {
        if (!next_line(text, &status)) {
            if (!status)
                status = end_pack(text, false);
        } else if (text->line_length == 3 && memcmp(line(text), "end", 3) == 0) {
            status = end_pack(text, true);
        } else if (!is_skipped(text)) {
            status = pack_record(text);
        }
    }
    /* Only comments may follow the end. */
    while (!status && text->ended && next_line(text, &status)) {
        if (!is_skipped(text))
            status = vmr_error_set(&text->error, VMR_E_CORRUPT, "trace: line %llu: text after the end",
                                   (unsigned long long)text->line_number);
    }
    return status;
}

static enum vmr_status text_read(void *context, void *ret_bytes, size_t capacity, size_t *ret_length)
{
    struct text_source *text = context;

    if (text->pending_taken == text->pending.length && !text->ended && !text->error.status) {
        enum vmr_status status = pack_some(text);

        if (status)
            return status;
    }
    if (text->error.status)
        return text->error.status;
    size_t left = text->pending.length - text->pending_taken;
    size_t length = left < capacity ? left : capacity;

    if (length > 0)
        memcpy(ret_bytes, text->pending.bytes + text->pending_taken, length);
    text->pending_taken += length;
    *ret_length = length;
    return VMR_OK;
}

/* All lines up to the first record, which stays at the front. */
static enum vmr_status read_head(struct text_source *text, struct writer *tables, struct trace_writer_options *options)
{
    struct vmr_error error = {0};
    struct trace_text_first first;
    enum vmr_status status;

    if (!next_line(text, &status))
        return status ? status : vmr_error_set(&text->error, VMR_E_CORRUPT, "trace: line 1 is missing");
    if (trace_text_parse_first(line(text), text->line_length, &first, &error))
        return fail_line(text, &error);
    options->minor = first.minor;
    options->codec = first.codec;
    options->inputs_only = first.inputs_only;
    while (next_line(text, &status)) {
        if (is_skipped(text))
            continue;
        if (!trace_text_is_table(line(text), text->line_length))
            break;
        if (trace_text_parse_table(line(text), text->line_length, tables, &error))
            return fail_line(text, &error);
        /* Checked one by one, for the line's sake, and again as a whole by the reader. */
        if (trace_tables_check(tables->bytes, tables->length, &error))
            return fail_line(text, &error);
    }
    if (!status && !writer_ok(tables))
        status = vmr_error_set(&text->error, VMR_E_CORRUPT, "trace: line %llu: the tables are too long",
                               (unsigned long long)text->line_number);
    return status;
}

static enum vmr_status start_writer(struct text_source *text)
{
    struct writer tables;
    struct trace_writer_options options = {.sink = {.write = keep, .context = text}};

    writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
    enum vmr_status status = read_head(text, &tables, &options);

    if (!status) {
        /* What the text says of compression is for who packs it; here it would be undone at once. */
        options.plain_blocks = true;
        options.tables = tables.bytes;
        options.tables_length = tables.length;
        status = trace_writer_create(&options, &text->writer, &text->error);
    }
    writer_finish(&tables);
    /* The line that ended the head is the first record's: to be looked at again. */
    if (!status && text->has_line) {
        text->has_line = false;
        text->line_number--;
    }
    return status;
}

enum vmr_status text_source_create(const struct window *window, struct text_source **ret_text,
                                   struct vmr_trace_source *ret_source, struct vmr_error *err)
{
    struct text_source *text = calloc(1, sizeof(*text));

    if (!text)
        return vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    text->window = *window;
    trace_text_init(&text->text);
    writer_init(&text->pending, PENDING_MAX);
    enum vmr_status status = start_writer(text);

    if (status) {
        (void)vmr_error_set(err, status, "%s", text->error.message);
        text_source_destroy(text);
        return status;
    }
    *ret_text = text;
    *ret_source = (struct vmr_trace_source){.read = text_read, .context = text};
    return VMR_OK;
}

void text_source_destroy(struct text_source *text)
{
    if (!text)
        return;
    trace_text_finish(&text->text);
    trace_writer_destroy(text->writer);
    writer_finish(&text->pending);
    free(text);
}

const struct vmr_error *text_source_error(const struct text_source *text)
{
    return &text->error;
}
