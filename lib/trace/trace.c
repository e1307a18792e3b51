/* SPDX-License-Identifier: MIT */
/*
 * The public reader: records one by one, each also as its line of text. Behind
 * it is trace_reader.c; this file only shows records as the public header does.
 */

#include "vmrig/trace.h"

#include <stdlib.h>
#include <string.h>

#include "lib/trace/compress.h"
#include "lib/trace/trace_reader.h"
#include "lib/trace/trace_text.h"

struct vmr_trace_reader {
    struct trace_reader *inner;
    struct trace_text text;
    struct writer line;
    char *meta; /* where the pairs are */
    struct vmr_trace_meta pairs[VMR_TRACE_META_MAX];
    size_t pair_count;
};

static enum vmr_status memory_read(void *context, void *ret_bytes, size_t capacity, size_t *ret_length)
{
    struct vmr_trace_memory *memory = context;
    size_t left = memory->length - memory->position;
    size_t length = left < capacity ? left : capacity;

    if (length > 0)
        memcpy(ret_bytes, (const uint8_t *)memory->bytes + memory->position, length);
    memory->position += length;
    *ret_length = length;
    return VMR_OK;
}

void vmr_trace_source_memory(struct vmr_trace_memory *memory, struct vmr_trace_source *ret_source)
{
    *ret_source = (struct vmr_trace_source){.read = memory_read, .context = memory};
}

bool vmr_trace_codec_available(enum vmr_trace_codec codec)
{
    if (codec == VMR_TRACE_CODEC_ZSTD)
        return trace_compress_available();
    return codec == VMR_TRACE_CODEC_DEFAULT || codec == VMR_TRACE_CODEC_NONE;
}

enum vmr_status vmr_trace_reader_create(const struct vmr_trace_source *source,
                                        const struct vmr_trace_read_options *options,
                                        struct vmr_trace_reader **ret_reader, struct vmr_error *err)
{
    struct vmr_trace_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    trace_text_init(&reader->text);
    writer_init(&reader->line, TEXT_LINE_MAX);
    enum vmr_status status = trace_reader_create(source, options && options->strict, &reader->inner, err);

    if (!status) {
        reader->pair_count = trace_reader_meta(reader->inner, reader->pairs, &reader->meta);
        if (!reader->meta)
            status = vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    }
    if (status) {
        vmr_trace_reader_destroy(reader);
        return status;
    }
    *ret_reader = reader;
    return VMR_OK;
}

void vmr_trace_reader_destroy(struct vmr_trace_reader *reader)
{
    if (!reader)
        return;
    trace_reader_destroy(reader->inner);
    trace_text_finish(&reader->text);
    writer_finish(&reader->line);
    free(reader->meta);
    free(reader);
}

void vmr_trace_reader_get_info(const struct vmr_trace_reader *reader, struct vmr_trace_info *ret_info)
{
    trace_reader_info(reader->inner, ret_info);
}

bool vmr_trace_reader_get_meta(const struct vmr_trace_reader *reader, size_t n, struct vmr_trace_meta *ret_meta)
{
    if (n >= reader->pair_count)
        return false;
    *ret_meta = reader->pairs[n];
    return true;
}

enum vmr_status vmr_trace_reader_next(struct vmr_trace_reader *reader, struct vmr_trace_record *ret_record,
                                      bool *ret_end, struct vmr_error *err)
{
    struct trace_record record;
    bool end;
    enum vmr_status status = trace_reader_next(reader->inner, &record, &end, err);

    if (status || end) {
        if (!status)
            *ret_end = true;
        return status;
    }
    const struct trace_kind_info *info = trace_kind_info(record.kind);

    writer_clear(&reader->line);
    trace_text_print(&reader->text, &reader->line, &record);
    writer_u8(&reader->line, 0);
    if (!writer_ok(&reader->line))
        return vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    *ret_record = (struct vmr_trace_record){
        .sequence = record.sequence,
        .exit = record.exit,
        .vp = record.vp == TRACE_NO_VP ? 0 : record.vp,
        .has_vp = record.vp != TRACE_NO_VP,
        .reaction = trace_record_is_reaction(&record),
        .kind = info ? info->name : "optional",
        .vp_exit = record.kind == TRACE_EXIT ? record.vp_exit : NULL,
        .text = (const char *)reader->line.bytes,
    };
    *ret_end = false;
    return VMR_OK;
}
