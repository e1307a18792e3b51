/* SPDX-License-Identifier: MIT */
/*
 * A trace into another trace: to text, to binary, cut. All read record by
 * record and write as they read.
 */

#include <stdlib.h>

#include "lib/trace/output.h"
#include "lib/trace/trace_reader.h"
#include "lib/trace/trace_text.h"
#include "lib/trace/trace_writer.h"

static void tell(const struct trace_reader *reader, struct vmr_trace_info *ret_info)
{
    if (ret_info)
        trace_reader_info(reader, ret_info);
}

/* --- to text --- */

/* A comment where records are missing. */
static void print_gap(struct output *output, const struct trace_reader *reader, uint64_t *lost_before)
{
    struct vmr_trace_info info;

    trace_reader_info(reader, &info);
    if (info.lost_records == *lost_before)
        return;
    output_print(output, "# %llu records are lost", (unsigned long long)(info.lost_records - *lost_before));
    output_line_end(output);
    *lost_before = info.lost_records;
}

static enum vmr_status print_records(struct trace_reader *reader, struct trace_text *text, struct output *output,
                                     struct vmr_error *err)
{
    uint64_t lost = 0;

    while (!output->status) {
        struct trace_record record;
        bool end;
        enum vmr_status status = trace_reader_next(reader, &record, &end, err);

        if (status)
            return status;
        print_gap(output, reader, &lost);
        if (end)
            break;
        trace_text_print(text, &output->text, &record);
        output_line_end(output);
    }
    struct vmr_trace_info info;

    trace_reader_info(reader, &info);
    if (!info.cut) {
        output_print(output, "end");
        output_line_end(output);
    }
    return VMR_OK;
}

enum vmr_status vmr_trace_print(const struct vmr_trace_source *source, const struct vmr_trace_sink *sink,
                                struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    struct trace_reader *reader;
    struct output output;
    struct reader tables;
    enum vmr_status status = trace_reader_create(source, false, &reader, err);

    if (status)
        return status;
    struct trace_text *text = malloc(sizeof(*text));

    if (!text) {
        trace_reader_destroy(reader);
        return vmr_error_set(err, VMR_E_NOMEM, "trace: out of memory");
    }
    trace_text_init(text);
    output_init(&output, sink);
    trace_reader_tables(reader, &tables);
    trace_text_print_head(&output.text, trace_reader_header(reader), &tables);
    status = print_records(reader, text, &output, err);
    /* What was read before a failure is still worth printing. */
    enum vmr_status written = output_finish(&output, status ? NULL : err);

    tell(reader, ret_info);
    trace_text_finish(text);
    free(text);
    trace_reader_destroy(reader);
    return status ? status : written;
}

/* --- to binary --- */

struct copy {
    struct trace_reader *reader;
    struct trace_writer *writer;
    const struct vmr_trace_cut_options *cut;
};

/* Whether the record is behind the last exit that is wanted. */
static bool is_behind(const struct copy *copy, const struct trace_record *record)
{
    return copy->cut->exits > 0 && record->exit > copy->cut->exits;
}

static enum vmr_status copy_records(struct copy *copy, bool *ret_whole, struct vmr_error *err)
{
    for (;;) {
        struct trace_record record;
        bool end;
        enum vmr_status status = trace_reader_next(copy->reader, &record, &end, err);

        if (status)
            return status;
        if (end || is_behind(copy, &record)) {
            struct vmr_trace_info info;

            trace_reader_info(copy->reader, &info);
            /* A trace that was cut on purpose is whole. */
            *ret_whole = !end || !info.cut;
            return VMR_OK;
        }
        if (copy->cut->inputs_only && trace_record_is_reaction(&record))
            continue;
        if (trace_writer_append(copy->writer, &record))
            return VMR_OK; /* the writer keeps the failure */
    }
}

static enum vmr_status copy_trace(const struct vmr_trace_source *source, const struct vmr_trace_cut_options *cut,
                                  const struct vmr_trace_sink *sink, struct vmr_trace_info *ret_info,
                                  struct vmr_error *err)
{
    struct copy copy = {.cut = cut};
    struct reader tables;
    bool whole = false;
    enum vmr_status status = trace_reader_create(source, false, &copy.reader, err);

    if (status)
        return status;
    const struct trace_header *header = trace_reader_header(copy.reader);

    trace_reader_tables(copy.reader, &tables);
    struct trace_writer_options options = {
        .sink = *sink,
        .codec = cut->codec == VMR_TRACE_CODEC_DEFAULT ? header->codec : cut->codec,
        .minor = header->minor < TRACE_MINOR ? header->minor : TRACE_MINOR,
        .inputs_only = cut->inputs_only || (header->flags & TRACE_FLAG_INPUTS_ONLY) != 0,
        .tables = tables.bytes,
        .tables_length = tables.length,
    };

    status = trace_writer_create(&options, &copy.writer, err);
    if (!status)
        status = copy_records(&copy, &whole, err);
    if (copy.writer) {
        enum vmr_status written = trace_writer_finish(copy.writer, whole && !status, status ? NULL : err);

        status = status ? status : written;
    }
    tell(copy.reader, ret_info);
    trace_writer_destroy(copy.writer);
    trace_reader_destroy(copy.reader);
    return status;
}

enum vmr_status vmr_trace_pack(const struct vmr_trace_source *source, enum vmr_trace_codec codec,
                               const struct vmr_trace_sink *sink, struct vmr_trace_info *ret_info,
                               struct vmr_error *err)
{
    struct vmr_trace_cut_options nothing = {.codec = codec};

    return copy_trace(source, &nothing, sink, ret_info, err);
}

enum vmr_status vmr_trace_cut(const struct vmr_trace_source *source, const struct vmr_trace_cut_options *options,
                              const struct vmr_trace_sink *sink, struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    return copy_trace(source, options, sink, ret_info, err);
}
