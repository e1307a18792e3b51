/* SPDX-License-Identifier: MIT */
/*
 * Blocks into records. What does not decode is damage: the reader looks for the
 * next magic from the byte behind the bad one's and counts what was lost, or,
 * if it is strict, ends there. A source that ends too early is no damage; it is
 * a trace that was cut. [TRC-4]
 */

#include "lib/trace/trace_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/trace/codec.h"
#include "lib/trace/compress.h"
#include "lib/trace/text_source.h"
#include "lib/trace/window.h"

/* A block, unpacked, and how far it has been read. */
struct block {
    struct trace_block_header header;
    uint64_t offset;
    uint32_t records_left;
    struct reader cursor;
    uint8_t raw[VMR_TRACE_BLOCK_BYTES_MAX];
};

struct trace_reader {
    bool strict;
    bool ended;             /* nothing more to load */
    uint32_t current;       /* in `blocks`, a ring: the one that is read */
    uint32_t ahead;         /* how many behind it are loaded */
    enum vmr_status status; /* the final error */
    struct vmr_error error;
    struct trace_header header;
    uint8_t *tables;
    struct trace_state state;
    struct trace_compressor *compressor;
    struct text_source *text; /* NULL: the trace is binary */
    struct vmr_trace_info info;
    uint64_t sequence;        /* of the next record */
    uint64_t loaded_sequence; /* behind the last block loaded */
    size_t last_size;
    struct window window;
    struct block blocks[1 + TRACE_PEEK_BLOCKS];
};

#define RING (1u + TRACE_PEEK_BLOCKS)

/* The n-th from the one that is read. */
static struct block *block_at(struct trace_reader *reader, uint32_t n)
{
    return &reader->blocks[(reader->current + n) % RING];
}

static uint32_t records_left(const struct trace_reader *reader)
{
    return reader->blocks[reader->current].records_left;
}

/* --- failure and damage --- */

static enum vmr_status fail(struct trace_reader *reader)
{
    reader->status = reader->error.status;
    reader->ended = true;
    return reader->status;
}

/* Says that `length` bytes are of no use. Strict readers end. */
static void count_damage(struct trace_reader *reader, uint64_t offset, const char *what)
{
    if (reader->info.damages++ == 0)
        reader->info.first_damage = offset;
    if (reader->strict) {
        (void)vmr_error_set(&reader->error, VMR_E_CORRUPT, "trace: offset %llu: %s", (unsigned long long)offset, what);
        (void)fail(reader);
    }
}

static bool is_magic(const uint8_t *bytes)
{
    return memcmp(bytes, trace_magic_block, TRACE_MAGIC_BYTES) == 0 ||
           memcmp(bytes, trace_magic_footer, TRACE_MAGIC_BYTES) == 0;
}

static void lose(struct trace_reader *reader, size_t length)
{
    window_take(&reader->window, length);
    reader->info.lost_bytes += length;
}

/* Steps from the bad byte to the next magic, or to the end. */
static void resynchronise(struct trace_reader *reader)
{
    lose(reader, 1);
    while (window_fill(&reader->window, TRACE_MAGIC_BYTES) >= TRACE_MAGIC_BYTES) {
        if (is_magic(window_bytes(&reader->window)))
            return;
        lose(reader, 1);
    }
    lose(reader, window_fill(&reader->window, 1));
}

/* --- blocks --- */

enum load_result {
    LOAD_OK,
    LOAD_END,
    LOAD_BAD,
    LOAD_FAILED
};

static bool unpack(struct trace_reader *reader, struct block *block, const uint8_t *stored)
{
    if (block->header.codec == VMR_TRACE_CODEC_NONE) {
        memcpy(block->raw, stored, block->header.raw_size);
    } else {
        if (!trace_decompress(reader->compressor, block->raw, block->header.raw_size, stored,
                              block->header.stored_size))
            return false;
    }
    return trace_hash(block->raw, block->header.raw_size) == block->header.hash;
}

/* The window begins with a block's magic. */
static enum load_result load_block(struct trace_reader *reader, struct block *block)
{
    size_t seen = window_fill(&reader->window, TRACE_BLOCK_HEADER_BYTES);

    if (seen < TRACE_BLOCK_HEADER_BYTES)
        return LOAD_END;
    if (!trace_block_header_decode(window_bytes(&reader->window), &block->header))
        return LOAD_BAD;
    size_t length = TRACE_BLOCK_HEADER_BYTES + (size_t)block->header.stored_size;

    if (window_fill(&reader->window, length) < length)
        return LOAD_END;
    if (block->header.codec == VMR_TRACE_CODEC_ZSTD && !trace_compress_available()) {
        (void)vmr_error_set(&reader->error, VMR_E_UNSUPPORTED,
                            "trace: offset %llu: compressed with zstd, which this build lacks",
                            (unsigned long long)reader->window.offset);
        (void)fail(reader);
        return LOAD_FAILED;
    }
    /* A block from before one that was read already would be played twice. */
    if (block->header.first_sequence < reader->loaded_sequence ||
        !unpack(reader, block, window_bytes(&reader->window) + TRACE_BLOCK_HEADER_BYTES))
        return LOAD_BAD;
    block->offset = reader->window.offset;
    block->records_left = block->header.records;
    reader_init(&block->cursor, block->raw, block->header.raw_size);
    window_take(&reader->window, length);
    reader->info.raw_bytes += block->header.raw_size;
    reader->info.stored_bytes += length;
    return LOAD_OK;
}

/* What the footer says of the trace against what was read of it. Known damage explains all of it. */
static void check_footer(struct trace_reader *reader, const struct trace_footer *footer, uint64_t wire_offset)
{
    const char *what = NULL;

    if (footer->records > reader->loaded_sequence) {
        reader->info.lost_records += footer->records - reader->loaded_sequence;
        reader->loaded_sequence = footer->records;
        what = "blocks are missing before the footer";
    } else if (wire_offset != reader->window.offset) {
        what = "the footer is not where it says";
    }
    if (what && (reader->info.damages == 0 || reader->strict))
        count_damage(reader, reader->window.offset, what);
}

/* A stride and a number of entries that no writer would choose would make a whole footer look like one that is cut. */
static bool footer_is_plausible(const struct trace_footer *footer)
{
    return footer->stride > 0 && (footer->stride & (footer->stride - 1)) == 0 &&
           footer->entries == (footer->blocks + footer->stride - 1) / footer->stride;
}

/* The window begins with a footer's magic. Nothing may follow it. */
static enum load_result load_footer(struct trace_reader *reader)
{
    struct trace_footer footer;
    size_t seen = window_fill(&reader->window, TRACE_FOOTER_MAX + 1);
    const uint8_t *bytes = window_bytes(&reader->window);

    if (seen < TRACE_FOOTER_BYTES)
        return LOAD_END;
    if (!trace_footer_decode(bytes, &footer) || !footer_is_plausible(&footer))
        return LOAD_BAD;
    size_t hashed = TRACE_FOOTER_BYTES + (size_t)footer.entries * TRACE_FOOTER_ENTRY_BYTES;
    size_t length = hashed + TRACE_TRAILER_BYTES;

    if (seen < length)
        return LOAD_END;
    if (load_le64(bytes + hashed) != trace_hash(bytes, hashed) ||
        memcmp(bytes + hashed + 16, trace_magic_footer, TRACE_MAGIC_BYTES) != 0 || seen > length ||
        footer.records < reader->loaded_sequence)
        return LOAD_BAD;
    check_footer(reader, &footer, load_le64(bytes + hashed + 8));
    window_take(&reader->window, length);
    reader->info.stored_bytes += length;
    reader->info.cut = false;
    return LOAD_END;
}

static enum load_result load_any(struct trace_reader *reader, struct block *block)
{
    size_t seen = window_fill(&reader->window, TRACE_MAGIC_BYTES);

    if (seen < TRACE_MAGIC_BYTES)
        return LOAD_END;
    if (memcmp(window_bytes(&reader->window), trace_magic_block, TRACE_MAGIC_BYTES) == 0)
        return load_block(reader, block);
    if (memcmp(window_bytes(&reader->window), trace_magic_footer, TRACE_MAGIC_BYTES) == 0)
        return load_footer(reader);
    return LOAD_BAD;
}

static enum load_result source_failed(struct trace_reader *reader)
{
    if (reader->text && text_source_error(reader->text)->status)
        reader->error = *text_source_error(reader->text);
    else
        (void)vmr_error_set(&reader->error, reader->window.status, "trace: offset %llu: reading failed",
                            (unsigned long long)reader->window.offset);
    (void)fail(reader);
    return LOAD_FAILED;
}

/* The next block that can be read. */
static bool load(struct trace_reader *reader, struct block *block)
{
    while (!reader->ended) {
        enum load_result result = load_any(reader, block);

        if (reader->window.status)
            result = source_failed(reader);
        if (result == LOAD_BAD) {
            count_damage(reader, reader->window.offset, "no block that fits its checksum");
            if (!reader->strict)
                resynchronise(reader);
        } else if (result == LOAD_OK) {
            if (block->header.first_sequence > reader->loaded_sequence) {
                reader->info.lost_records += block->header.first_sequence - reader->loaded_sequence;
                if (reader->info.damages == 0 || reader->strict)
                    count_damage(reader, block->offset, "records are missing before this block");
            }
            reader->loaded_sequence = block->header.first_sequence + block->header.records;
            return reader->status == VMR_OK;
        } else {
            reader->info.lost_bytes += window_fill(&reader->window, 1);
            reader->ended = true;
        }
    }
    return false;
}

/* --- opening --- */

static enum vmr_status read_header(struct trace_reader *reader, struct vmr_error *err)
{
    size_t seen = window_fill(&reader->window, TRACE_HEADER_BYTES);

    if (reader->window.status) {
        (void)source_failed(reader);
        return vmr_error_set(err, reader->error.status, "%s", reader->error.message);
    }
    if (seen < TRACE_HEADER_BYTES)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: %zu bytes are too short for a header", seen);
    enum vmr_status status = trace_header_decode(window_bytes(&reader->window), &reader->header, err);

    if (status)
        return status;
    window_take(&reader->window, TRACE_HEADER_BYTES);
    size_t length = reader->header.tables_length;

    if (window_fill(&reader->window, length) < length)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset %u: the tables are cut off", TRACE_HEADER_BYTES);
    if (trace_hash(window_bytes(&reader->window), length) != reader->header.tables_hash)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset %u: the tables' checksum does not fit",
                             TRACE_HEADER_BYTES);
    status = trace_tables_check(window_bytes(&reader->window), length, err);
    if (status)
        return status;
    reader->tables = malloc(length > 0 ? length : 1);
    if (!reader->tables)
        return vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    memcpy(reader->tables, window_bytes(&reader->window), length);
    window_take(&reader->window, length);
    reader->info.stored_bytes = reader->window.offset;
    return VMR_OK;
}

/* Text is packed on the way in, so that there is one reader of records. */
static enum vmr_status open_text(struct trace_reader *reader, struct vmr_error *err)
{
    struct vmr_trace_source source;
    enum vmr_status status = text_source_create(&reader->window, &reader->text, &source, err);

    if (status)
        return status;
    window_init(&reader->window, &source);
    reader->info.text = true;
    return VMR_OK;
}

enum vmr_status trace_reader_create(const struct vmr_trace_source *source, bool strict,
                                    struct trace_reader **ret_reader, struct vmr_error *err)
{
    struct trace_reader *reader = calloc(1, sizeof(*reader));
    enum vmr_status status = VMR_OK;

    if (!reader)
        return vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    reader->strict = strict;
    trace_state_init(&reader->state);
    window_init(&reader->window, source);
    if (trace_compress_available()) {
        reader->compressor = trace_compressor_create();
        if (!reader->compressor)
            status = vmr_error_set(err, VMR_E_NOMEM, "trace reader: out of memory");
    }
    if (!status && window_fill(&reader->window, TEXT_MAGIC_BYTES) >= TEXT_MAGIC_BYTES &&
        memcmp(window_bytes(&reader->window), TEXT_MAGIC, TEXT_MAGIC_BYTES) == 0)
        status = open_text(reader, err);
    if (!status)
        status = read_header(reader, err);
    if (status) {
        trace_reader_destroy(reader);
        return status;
    }
    reader->info.major = reader->header.major;
    reader->info.minor = reader->header.minor;
    reader->info.codec = reader->header.codec;
    reader->info.inputs_only = (reader->header.flags & TRACE_FLAG_INPUTS_ONLY) != 0;
    reader->info.cut = true; /* until a footer is seen */
    *ret_reader = reader;
    return VMR_OK;
}

void trace_reader_destroy(struct trace_reader *reader)
{
    if (!reader)
        return;
    trace_state_finish(&reader->state);
    trace_compressor_destroy(reader->compressor);
    text_source_destroy(reader->text);
    free(reader->tables);
    free(reader);
}

const struct trace_header *trace_reader_header(const struct trace_reader *reader)
{
    return &reader->header;
}

void trace_reader_tables(const struct trace_reader *reader, struct reader *ret_tables)
{
    reader_init(ret_tables, reader->tables, reader->header.tables_length);
}

bool trace_reader_knows(const struct trace_reader *reader, enum trace_kind kind)
{
    struct reader tables, entries;
    struct trace_table table;
    struct trace_table_entry entry;

    trace_reader_tables(reader, &tables);
    while (trace_table_next(&tables, &table)) {
        if (table.type != TRACE_TABLE_KINDS)
            continue;
        reader_init(&entries, table.bytes, table.length);
        while (trace_table_entry_next(&entries, &entry)) {
            if (entry.id == kind)
                return true;
        }
    }
    return false;
}

void trace_reader_info(const struct trace_reader *reader, struct vmr_trace_info *ret_info)
{
    *ret_info = reader->info;
    ret_info->ended = reader->ended && records_left(reader) == 0 && reader->ahead == 0;
}

size_t trace_reader_last_size(const struct trace_reader *reader)
{
    return reader->last_size;
}

/* --- records --- */

/* Whether the n-th block from the one that is read is there, or can be had. */
static bool load_ahead(struct trace_reader *reader, uint32_t n)
{
    if (n > TRACE_PEEK_BLOCKS)
        return false;
    while (reader->ahead < n && load(reader, block_at(reader, reader->ahead + 1)))
        reader->ahead++;
    return reader->ahead >= n;
}

static bool enter_next_block(struct trace_reader *reader)
{
    if (!load_ahead(reader, 1))
        return false;
    reader->current = (reader->current + 1) % RING;
    reader->ahead--;
    trace_state_reset(&reader->state);
    reader->sequence = block_at(reader, 0)->header.first_sequence;
    reader->info.exits = block_at(reader, 0)->header.exits_before;
    return true;
}

/* The block's checksum fits and its records do not decode: whoever wrote it was wrong. The rest of it is lost. */
static void drop_block(struct trace_reader *reader, enum trace_decode_result result)
{
    struct block *block = block_at(reader, 0);
    char what[80] = "a record of the block does not decode";

    if (result == TRACE_DECODE_UNKNOWN)
        (void)snprintf(what, sizeof(what), "record %llu of the block is of an unknown kind",
                       (unsigned long long)(reader->sequence - block->header.first_sequence));
    reader->info.lost_records += block->records_left;
    reader->info.lost_bytes += reader_left(&block->cursor);
    block->records_left = 0;
    count_damage(reader, block->offset, what);
    /* What a look ahead has loaded lies behind the end. */
    if (reader->strict)
        reader->ahead = 0;
}

static bool is_last_and_more_follows(const struct block *block)
{
    return block->records_left == 1 && reader_left(&block->cursor) > 0;
}

static bool decode_next(struct trace_reader *reader, struct trace_record *record)
{
    struct block *block = block_at(reader, 0);
    size_t before = block->cursor.position;
    enum trace_decode_result result = trace_decode(&reader->state, &block->cursor, record);

    if (result == TRACE_DECODE_NOMEM) {
        (void)vmr_error_set(&reader->error, VMR_E_NOMEM, "trace reader: out of memory");
        (void)fail(reader);
        return false;
    }
    if (result == TRACE_DECODE_OK && is_last_and_more_follows(block))
        result = TRACE_DECODE_BAD;
    if (result != TRACE_DECODE_OK) {
        drop_block(reader, result);
        return false;
    }
    reader->last_size = block->cursor.position - before;
    block->records_left--;
    record->sequence = reader->sequence++;
    if (record->kind == TRACE_EXIT)
        reader->info.exits++;
    record->exit = reader->info.exits;
    reader->info.records++;
    if (!trace_kind_info(record->kind))
        reader->info.skipped_optional++;
    return true;
}

enum vmr_status trace_reader_next(struct trace_reader *reader, struct trace_record *ret_record, bool *ret_end,
                                  struct vmr_error *err)
{
    for (;;) {
        /* An error that a look ahead has met waits until what is before it was read. */
        if (records_left(reader) > 0) {
            if (decode_next(reader, ret_record)) {
                *ret_end = false;
                return VMR_OK;
            }
            if (reader->status == VMR_E_NOMEM)
                break;
        } else if (!enter_next_block(reader)) {
            break;
        }
    }
    if (reader->status)
        return vmr_error_set(err, reader->status, "%s", reader->error.message);
    *ret_end = true;
    return VMR_OK;
}

/* --- looking ahead --- */

void trace_reader_peek_begin(struct trace_reader *reader, struct trace_peek *ret_peek)
{
    *ret_peek = (struct trace_peek){.cursor = block_at(reader, 0)->cursor, .last_vp = reader->state.last_vp};
}

bool trace_reader_peek(struct trace_reader *reader, struct trace_peek *peek, struct trace_peeked *ret_record)
{
    if (reader_left(&peek->cursor) == 0) {
        uint32_t next = peek->ahead + 1;

        if (!load_ahead(reader, next)) {
            peek->end = next <= TRACE_PEEK_BLOCKS;
            return false;
        }
        *peek = (struct trace_peek){.cursor = block_at(reader, next)->cursor, .last_vp = TRACE_NO_VP, .ahead = next};
    }
    struct trace_peeked record = {0};

    if (!trace_skim(&peek->cursor, &peek->last_vp, &record.kind, &record.first))
        return false;
    record.vp = peek->last_vp;
    *ret_record = record;
    return true;
}

/* --- metadata --- */

size_t trace_reader_meta(const struct trace_reader *reader, struct vmr_trace_meta *ret_pairs, char **ret_storage)
{
    struct reader tables;
    struct trace_table table;
    size_t count = 0;

    trace_reader_tables(reader, &tables);
    /* Each pair keeps its length: "=" becomes a NUL, and one more ends the value. */
    char *place = calloc(1, tables.length + VMR_TRACE_META_MAX + 1);

    *ret_storage = place;
    while (place && count < VMR_TRACE_META_MAX && trace_table_next(&tables, &table)) {
        if (table.type != TRACE_TABLE_META)
            continue;
        memcpy(place, table.bytes, table.length);
        char *equals = strchr(place, '='); /* trace_tables_check has seen it */

        *equals = '\0';
        ret_pairs[count++] = (struct vmr_trace_meta){.key = place, .value = equals + 1};
        place += table.length + 1;
    }
    return count;
}
