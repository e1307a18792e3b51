/* SPDX-License-Identifier: MIT */
/*
 * Blocks out of records. A block ends with the record that makes it long enough
 * to be worth a block, so that a recording that is killed has lost little, or
 * before the one that does not fit. The next begins with fresh delta state, so
 * where blocks end follows from the records alone. [TRC-3] [TRC-4]
 */

#include "lib/trace/trace_writer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/trace/codec.h"
#include "lib/trace/compress.h"

struct index_entry {
    uint64_t offset;
    uint64_t exits_before;
};

struct trace_writer {
    struct vmr_trace_sink sink;
    enum vmr_trace_codec codec;
    size_t goal;            /* a block of so many bytes is handed on */
    enum vmr_status status; /* the first failure */
    struct trace_state state;
    struct writer block;
    uint32_t block_records;
    uint64_t block_sequence, block_exits; /* before the block */
    uint64_t records, exits, blocks;
    uint64_t chain; /* over the blocks so far */
    uint64_t offset;
    struct index_entry index[TRACE_FOOTER_ENTRY_MAX];
    uint32_t index_count, stride;
    struct trace_compressor *compressor; /* NULL: codec none */
    uint8_t out[TRACE_BLOCK_HEADER_BYTES + VMR_TRACE_BLOCK_BYTES_MAX];
};

enum vmr_status trace_codec_resolve(enum vmr_trace_codec codec, enum vmr_trace_codec *ret_codec, struct vmr_error *err)
{
    if ((unsigned)codec >= VMR_TRACE_CODEC_COUNT)
        return vmr_error_set(err, VMR_E_USAGE, "trace: codec %u does not exist", (unsigned)codec);
    if (codec == VMR_TRACE_CODEC_ZSTD && !trace_compress_available())
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "trace: compression with zstd, which this build lacks");
    if (codec == VMR_TRACE_CODEC_DEFAULT)
        codec = trace_compress_available() ? VMR_TRACE_CODEC_ZSTD : VMR_TRACE_CODEC_NONE;
    *ret_codec = codec;
    return VMR_OK;
}

static void put(struct trace_writer *writer, const void *bytes, size_t length)
{
    if (writer->status || length == 0)
        return;
    writer->status = writer->sink.write(writer->sink.context, bytes, length);
    writer->offset += length;
}

static void put_header(struct trace_writer *writer, const struct trace_writer_options *options)
{
    uint8_t bytes[TRACE_HEADER_BYTES];
    struct trace_header header = {
        .major = TRACE_MAJOR,
        .minor = options->minor,
        .min_reader_major = TRACE_MIN_READER_MAJOR,
        .min_reader_minor = TRACE_MIN_READER_MINOR,
        .flags = options->inputs_only ? TRACE_FLAG_INPUTS_ONLY : 0,
        .tables_length = (uint32_t)options->tables_length,
        .codec = writer->codec,
        .tables_hash = trace_hash(options->tables, options->tables_length),
    };

    trace_header_encode(&header, bytes);
    put(writer, bytes, sizeof(bytes));
    put(writer, options->tables, options->tables_length);
}

enum vmr_status trace_writer_create(const struct trace_writer_options *options, struct trace_writer **ret_writer,
                                    struct vmr_error *err)
{
    enum vmr_trace_codec codec = options->codec;
    enum vmr_status status = options->plain_blocks ? VMR_OK : trace_codec_resolve(options->codec, &codec, err);

    if (status)
        return status;
    if (options->tables_length > VMR_TRACE_HEADER_BYTES_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "trace: tables and metadata of %zu bytes, at most %u",
                             options->tables_length, VMR_TRACE_HEADER_BYTES_MAX);
    struct trace_writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return vmr_error_set(err, VMR_E_NOMEM, "trace writer: out of memory");
    writer->sink = options->sink;
    writer->codec = codec;
    writer->stride = 1;
    writer->goal = options->minor < TRACE_MINOR_SHORT_BLOCKS ? VMR_TRACE_BLOCK_BYTES_MAX : TRACE_BLOCK_GOAL;
    trace_state_init(&writer->state);
    writer_init(&writer->block, VMR_TRACE_BLOCK_BYTES_MAX);
    if (codec == VMR_TRACE_CODEC_ZSTD && !options->plain_blocks) {
        writer->compressor = trace_compressor_create();
        if (!writer->compressor)
            writer->status = VMR_E_NOMEM;
    }
    put_header(writer, options);
    status = writer->status;
    if (status) {
        trace_writer_destroy(writer);
        return vmr_error_set(err, status, "trace: the header could not be written");
    }
    *ret_writer = writer;
    return VMR_OK;
}

void trace_writer_destroy(struct trace_writer *writer)
{
    if (!writer)
        return;
    trace_state_finish(&writer->state);
    writer_finish(&writer->block);
    trace_compressor_destroy(writer->compressor);
    free(writer);
}

enum vmr_status trace_writer_status(const struct trace_writer *writer)
{
    return writer->status;
}

/* Keeps every stride-th block; when the index is full, every other one of those. */
static void index_block(struct trace_writer *writer)
{
    if (writer->blocks % writer->stride != 0)
        return;
    if (writer->index_count == TRACE_FOOTER_ENTRY_MAX) {
        for (uint32_t i = 0; i < TRACE_FOOTER_ENTRY_MAX / 2; i++)
            writer->index[i] = writer->index[2 * i];
        writer->index_count = TRACE_FOOTER_ENTRY_MAX / 2;
        writer->stride *= 2;
        if (writer->blocks % writer->stride != 0)
            return;
    }
    writer->index[writer->index_count++] =
        (struct index_entry){.offset = writer->offset, .exits_before = writer->block_exits};
}

static uint64_t chain_next(uint64_t chain, uint64_t block_hash)
{
    uint8_t bytes[16];

    store_le64(bytes, chain);
    store_le64(bytes + 8, block_hash);
    return trace_hash(bytes, sizeof(bytes));
}

static void flush_block(struct trace_writer *writer)
{
    struct writer *block = &writer->block;
    struct trace_block_header header = {
        .first_sequence = writer->block_sequence,
        .exits_before = writer->block_exits,
        .records = writer->block_records,
        .raw_size = (uint32_t)block->length,
        .stored_size = (uint32_t)block->length,
        .codec = VMR_TRACE_CODEC_NONE,
        .hash = trace_hash(block->bytes, block->length),
    };
    uint8_t *stored = writer->out + TRACE_BLOCK_HEADER_BYTES;
    /* One byte less: a block that does not shrink is stored as it is. */
    size_t size = writer->compressor
                      ? trace_compress(writer->compressor, stored, block->length - 1, block->bytes, block->length)
                      : 0;

    if (size > 0) {
        header.stored_size = (uint32_t)size;
        header.codec = VMR_TRACE_CODEC_ZSTD;
    } else {
        memcpy(stored, block->bytes, block->length);
    }
    index_block(writer);
    trace_block_header_encode(&header, writer->out);
    put(writer, writer->out, TRACE_BLOCK_HEADER_BYTES + header.stored_size);
    writer->blocks++;
    writer->chain = chain_next(writer->chain, header.hash);
    writer_clear(block);
    trace_state_reset(&writer->state);
    writer->block_records = 0;
    writer->block_sequence = writer->records;
    writer->block_exits = writer->exits;
}

enum vmr_status trace_writer_append(struct trace_writer *writer, const struct trace_record *record)
{
    if (writer->status)
        return writer->status;
    if (!trace_encode(&writer->state, &writer->block, record)) {
        /* Full, most likely. A record that an empty block refuses as well is one that cannot be recorded. */
        if (writer->block_records > 0)
            flush_block(writer);
        else
            trace_state_reset(&writer->state);
        if (!writer->status && !trace_encode(&writer->state, &writer->block, record))
            writer->status = VMR_E_USAGE;
        if (writer->status)
            return writer->status;
    }
    writer->block_records++;
    writer->records++;
    if (record->kind == TRACE_EXIT)
        writer->exits++;
    if (writer->block.length >= writer->goal)
        flush_block(writer);
    return writer->status;
}

void trace_writer_position(const struct trace_writer *writer, struct vmr_trace_position *ret_position)
{
    const struct writer *block = &writer->block;

    *ret_position =
        (struct vmr_trace_position){.records = writer->records, .exits = writer->exits, .digest = writer->chain};
    if (writer->block_records > 0)
        ret_position->digest = chain_next(writer->chain, trace_hash(block->bytes, block->length));
}

static void put_footer(struct trace_writer *writer)
{
    uint64_t offset = writer->offset;
    struct trace_footer footer = {
        .records = writer->records,
        .exits = writer->exits,
        .blocks = writer->blocks,
        .entries = writer->index_count,
        .stride = writer->stride,
    };
    size_t length = TRACE_FOOTER_BYTES;

    _Static_assert(TRACE_FOOTER_MAX <= VMR_TRACE_BLOCK_BYTES_MAX, "the footer is built where blocks are");
    trace_footer_encode(&footer, writer->out);
    for (uint32_t i = 0; i < writer->index_count; i++) {
        store_le64(writer->out + length, writer->index[i].offset);
        store_le64(writer->out + length + 8, writer->index[i].exits_before);
        length += TRACE_FOOTER_ENTRY_BYTES;
    }
    store_le64(writer->out + length, trace_hash(writer->out, length));
    store_le64(writer->out + length + 8, offset);
    memcpy(writer->out + length + 16, trace_magic_footer, TRACE_MAGIC_BYTES);
    put(writer, writer->out, length + TRACE_TRAILER_BYTES);
}

enum vmr_status trace_writer_finish(struct trace_writer *writer, bool with_footer, struct vmr_error *err)
{
    if (!writer->status && writer->block_records > 0)
        flush_block(writer);
    if (!writer->status && with_footer)
        put_footer(writer);
    if (writer->status == VMR_E_USAGE)
        return vmr_error_set(err, writer->status, "trace: record %llu cannot be encoded",
                             (unsigned long long)writer->records);
    if (writer->status)
        return vmr_error_set(err, writer->status, "trace: writing failed after %llu bytes",
                             (unsigned long long)writer->offset);
    return VMR_OK;
}
