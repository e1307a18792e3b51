/* SPDX-License-Identifier: MIT */
/*
 * The fixed layouts. Everything is little endian and hashed; a decoder believes
 * a field only after the hash over it fits and the field is within its limit.
 */

#include "lib/trace/format.h"

#include <string.h>
#include <xxhash.h>

#include "lib/base/bytes.h"
#include "lib/exit/x86_regs.h"
#include "lib/trace/record.h"

#define ENDIAN_TAG 0x01020304u
#define META_KEY_MAX 63u
#define META_VALUE_MAX 1023u
#define TABLE_HEADER_BYTES 8u

/* No magic is text, and none survives a transfer that changes line ends or strips the eighth bit. */
const uint8_t trace_magic_header[TRACE_MAGIC_BYTES] = {0x89, 'V', 'M', 'T', '\r', '\n', 0x1a, '\n'};
const uint8_t trace_magic_block[TRACE_MAGIC_BYTES] = {0x8b, 'V', 'M', 'T', 'B', '\r', '\n', 0x1a};
const uint8_t trace_magic_footer[TRACE_MAGIC_BYTES] = {0x8d, 'V', 'M', 'T', 'I', '\r', '\n', 0x1a};

uint64_t trace_hash(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}

/* --- header --- */

void trace_header_encode(const struct trace_header *header, uint8_t *ret_bytes)
{
    memset(ret_bytes, 0, TRACE_HEADER_BYTES);
    memcpy(ret_bytes, trace_magic_header, TRACE_MAGIC_BYTES);
    store_le16(ret_bytes + 8, header->major);
    store_le16(ret_bytes + 10, header->minor);
    store_le16(ret_bytes + 12, header->min_reader_major);
    store_le16(ret_bytes + 14, header->min_reader_minor);
    store_le32(ret_bytes + 16, ENDIAN_TAG);
    store_le32(ret_bytes + 20, header->flags);
    store_le32(ret_bytes + 24, header->tables_length);
    store_le32(ret_bytes + 28, (uint32_t)header->codec);
    store_le64(ret_bytes + 32, header->tables_hash);
    store_le64(ret_bytes + 56, trace_hash(ret_bytes, 56));
}

static bool codec_is_known(uint32_t wire_codec)
{
    return wire_codec == VMR_TRACE_CODEC_NONE || wire_codec == VMR_TRACE_CODEC_ZSTD;
}

static enum vmr_status check_version(const struct trace_header *header, struct vmr_error *err)
{
    unsigned needed = (unsigned)header->min_reader_major << 16 | header->min_reader_minor;

    if (needed <= (TRACE_MAJOR << 16 | TRACE_MINOR))
        return VMR_OK;
    return vmr_error_set(err, VMR_E_UNSUPPORTED, "trace: format %u.%u needs a reader of %u.%u; this one is %u.%u",
                         header->major, header->minor, header->min_reader_major, header->min_reader_minor, TRACE_MAJOR,
                         TRACE_MINOR);
}

enum vmr_status trace_header_decode(const uint8_t *bytes, struct trace_header *ret_header, struct vmr_error *err)
{
    struct trace_header header = {
        .major = load_le16(bytes + 8),
        .minor = load_le16(bytes + 10),
        .min_reader_major = load_le16(bytes + 12),
        .min_reader_minor = load_le16(bytes + 14),
        .flags = load_le32(bytes + 20),
        .tables_length = load_le32(bytes + 24),
        .tables_hash = load_le64(bytes + 32),
    };
    uint32_t wire_codec = load_le32(bytes + 28);

    if (memcmp(bytes, trace_magic_header, TRACE_MAGIC_BYTES) != 0)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 0: not a trace");
    if (load_le64(bytes + 56) != trace_hash(bytes, 56))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 0: the header's checksum does not fit");
    /* The version comes first: a later format may give the rest another meaning. */
    enum vmr_status status = check_version(&header, err);

    if (status)
        return status;
    if (load_le32(bytes + 16) != ENDIAN_TAG)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 16: byte order tag %#x", load_le32(bytes + 16));
    if (header.flags & ~TRACE_FLAG_INPUTS_ONLY)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 20: unknown flags %#x", header.flags);
    if (header.tables_length > VMR_TRACE_HEADER_BYTES_MAX)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 24: tables of %u bytes, at most %u",
                             header.tables_length, VMR_TRACE_HEADER_BYTES_MAX);
    if (!codec_is_known(wire_codec))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 28: unknown codec %u", wire_codec);
    if (load_le64(bytes + 40) != 0 || load_le64(bytes + 48) != 0)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset 40: reserved bytes are not zero");
    header.codec = (enum vmr_trace_codec)wire_codec;
    *ret_header = header;
    return VMR_OK;
}

/* --- tables --- */

const char *trace_table_name(uint16_t type, unsigned id, uint8_t *ret_class)
{
    const struct trace_kind_info *info = trace_kind_info(id);

    *ret_class = 0;
    if (type == TRACE_TABLE_KINDS && info) {
        *ret_class = info->reaction;
        return info->name;
    }
    if (type == TRACE_TABLE_EXITS && id < VMR_EXIT_KIND_COUNT)
        return vmr_exit_kind_name(id);
    if (type == TRACE_TABLE_REGISTERS && id < x86_reg_count())
        return x86_reg_name(id);
    return NULL;
}

static void put_names(struct writer *writer, uint16_t type, unsigned count)
{
    struct writer names;

    writer_init(&names, VMR_TRACE_HEADER_BYTES_MAX);
    for (unsigned id = 0; id < count; id++) {
        uint8_t class;
        const char *name = trace_table_name(type, id, &class);

        if (!name)
            continue;
        writer_u8(&names, (uint8_t)id);
        writer_u8(&names, class);
        writer_u8(&names, (uint8_t)strlen(name));
        writer_copy(&names, name, strlen(name));
    }
    struct trace_table table = {.type = type, .bytes = names.bytes, .length = names.length};

    trace_table_put(writer, &table);
    if (!writer_ok(&names))
        writer_fail(writer);
    writer_finish(&names);
}

void trace_table_put(struct writer *writer, const struct trace_table *table)
{
    writer_le16(writer, table->type);
    writer_le16(writer, 0);
    writer_le32(writer, (uint32_t)table->length);
    writer_copy(writer, table->bytes, table->length);
}

bool trace_meta_key_is_valid(const char *key, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", key[i]) || key[i] == '\0')
            return false;
    }
    return length >= 1 && length <= META_KEY_MAX;
}

bool trace_meta_value_is_valid(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return false;
    }
    return length <= META_VALUE_MAX;
}

static enum vmr_status put_meta(struct writer *writer, const struct vmr_trace_meta *meta, struct vmr_error *err)
{
    size_t key_length = meta->key ? strlen(meta->key) : 0;
    size_t value_length = meta->value ? strlen(meta->value) : 0;

    if (!trace_meta_key_is_valid(meta->key, key_length))
        return vmr_error_set(err, VMR_E_CONFIG, "metadata key \"%.80s\": 1 to %u of a-z 0-9 - _ .",
                             meta->key ? meta->key : "", META_KEY_MAX);
    if (!trace_meta_value_is_valid(meta->value, value_length))
        return vmr_error_set(err, VMR_E_CONFIG, "metadata %s: the value is too long or has control characters",
                             meta->key);
    writer_le16(writer, TRACE_TABLE_META);
    writer_le16(writer, 0);
    writer_le32(writer, (uint32_t)(key_length + 1 + value_length));
    writer_copy(writer, meta->key, key_length);
    writer_u8(writer, '=');
    writer_copy(writer, meta->value, value_length);
    return VMR_OK;
}

enum vmr_status trace_tables_build(struct writer *writer, const struct vmr_trace_meta *meta, size_t meta_count,
                                   struct vmr_error *err)
{
    if (meta_count > VMR_TRACE_META_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "metadata: %zu pairs, at most %u", meta_count, VMR_TRACE_META_MAX);
    put_names(writer, TRACE_TABLE_KINDS, TRACE_KIND_COUNT);
    put_names(writer, TRACE_TABLE_EXITS, VMR_EXIT_KIND_COUNT);
    put_names(writer, TRACE_TABLE_REGISTERS, x86_reg_count());
    for (size_t i = 0; i < meta_count; i++) {
        enum vmr_status status = put_meta(writer, &meta[i], err);

        if (status)
            return status;
    }
    return writer_ok(writer) ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "trace header: out of memory");
}

bool trace_table_next(struct reader *reader, struct trace_table *ret_table)
{
    if (reader_left(reader) == 0)
        return false;
    uint16_t type = reader_le16(reader);

    if (reader_le16(reader) != 0)
        reader_fail(reader);
    uint32_t wire_length = reader_le32(reader);
    const uint8_t *bytes = reader_view(reader, wire_length);

    if (!reader_ok(reader))
        return false;
    *ret_table = (struct trace_table){.type = type, .bytes = bytes, .length = wire_length};
    return true;
}

bool trace_table_entry_next(struct reader *reader, struct trace_table_entry *ret_entry)
{
    if (reader_left(reader) == 0)
        return false;
    struct trace_table_entry entry = {.id = reader_u8(reader)};

    entry.class = reader_u8(reader);
    entry.length = reader_u8(reader);
    entry.name = (const char *)reader_view(reader, entry.length);
    /* Names are words of the text form. */
    for (size_t i = 0; reader_ok(reader) && i < entry.length; i++) {
        if (entry.name[i] <= ' ' || entry.name[i] > '~')
            reader_fail(reader);
    }
    if (entry.length == 0 || entry.class > 1)
        reader_fail(reader);
    if (!reader_ok(reader))
        return false;
    *ret_entry = entry;
    return true;
}

static enum vmr_status check_names(const struct trace_table *table, struct vmr_error *err)
{
    struct reader reader;
    struct trace_table_entry entry;

    reader_init(&reader, table->bytes, table->length);
    while (trace_table_entry_next(&reader, &entry)) {
        uint8_t class;
        const char *name = trace_table_name(table->type, entry.id, &class);

        /* A number that is unknown here only matters where a record uses it. */
        if (name &&
            (strlen(name) != entry.length || memcmp(name, entry.name, entry.length) != 0 || class != entry.class))
            return vmr_error_set(err, VMR_E_UNSUPPORTED, "trace: table %u: number %u is \"%.*s\", here it is \"%s\"",
                                 table->type, entry.id, (int)entry.length, entry.name, name);
    }
    if (!reader_ok(&reader))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: table %u does not decode", table->type);
    return VMR_OK;
}

static enum vmr_status check_meta(const struct trace_table *table, size_t *count, struct vmr_error *err)
{
    const char *pair = (const char *)table->bytes;
    const char *equals = memchr(pair, '=', table->length);
    size_t key_length = equals ? (size_t)(equals - pair) : 0;

    if (!equals || !trace_meta_key_is_valid(pair, key_length) ||
        !trace_meta_value_is_valid(equals + 1, table->length - key_length - 1))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: metadata pair %zu is malformed", *count);
    if (++*count > VMR_TRACE_META_MAX)
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: more than %u metadata pairs", VMR_TRACE_META_MAX);
    return VMR_OK;
}

enum vmr_status trace_tables_check(const uint8_t *bytes, size_t length, struct vmr_error *err)
{
    struct reader reader;
    struct trace_table table;
    size_t meta_count = 0;

    reader_init(&reader, bytes, length);
    while (trace_table_next(&reader, &table)) {
        enum vmr_status status = VMR_OK;

        if (table.type >= TRACE_TABLE_KINDS && table.type <= TRACE_TABLE_REGISTERS)
            status = check_names(&table, err);
        else if (table.type == TRACE_TABLE_META)
            status = check_meta(&table, &meta_count, err);
        else if (!(table.type & TRACE_TABLE_OPTIONAL))
            status = vmr_error_set(err, VMR_E_UNSUPPORTED, "trace: unknown table %u", table.type);
        if (status)
            return status;
    }
    if (!reader_ok(&reader))
        return vmr_error_set(err, VMR_E_CORRUPT, "trace: offset %u: the tables do not decode", TRACE_HEADER_BYTES);
    return VMR_OK;
}

/* --- block header --- */

void trace_block_header_encode(const struct trace_block_header *header, uint8_t *ret_bytes)
{
    memcpy(ret_bytes, trace_magic_block, TRACE_MAGIC_BYTES);
    store_le64(ret_bytes + 8, header->first_sequence);
    store_le64(ret_bytes + 16, header->exits_before);
    store_le32(ret_bytes + 24, header->records);
    store_le32(ret_bytes + 28, header->raw_size);
    store_le32(ret_bytes + 32, header->stored_size);
    store_le32(ret_bytes + 36, (uint32_t)header->codec);
    store_le64(ret_bytes + 40, header->hash);
    store_le64(ret_bytes + 48, trace_hash(ret_bytes, 48));
}

bool trace_block_header_decode(const uint8_t *bytes, struct trace_block_header *ret_header)
{
    struct trace_block_header header = {
        .first_sequence = load_le64(bytes + 8),
        .exits_before = load_le64(bytes + 16),
        .records = load_le32(bytes + 24),
        .raw_size = load_le32(bytes + 28),
        .stored_size = load_le32(bytes + 32),
        .hash = load_le64(bytes + 40),
    };
    uint32_t wire_codec = load_le32(bytes + 36);

    if (memcmp(bytes, trace_magic_block, TRACE_MAGIC_BYTES) != 0 || load_le64(bytes + 48) != trace_hash(bytes, 48))
        return false;
    /* A record takes at least two bytes. */
    if (header.raw_size > VMR_TRACE_BLOCK_BYTES_MAX || header.records == 0 || header.records > header.raw_size / 2 ||
        header.stored_size == 0 || header.stored_size > header.raw_size || !codec_is_known(wire_codec))
        return false;
    if (wire_codec == VMR_TRACE_CODEC_NONE && header.stored_size != header.raw_size)
        return false;
    header.codec = (enum vmr_trace_codec)wire_codec;
    *ret_header = header;
    return true;
}

/* --- footer --- */

void trace_footer_encode(const struct trace_footer *footer, uint8_t *ret_bytes)
{
    memcpy(ret_bytes, trace_magic_footer, TRACE_MAGIC_BYTES);
    store_le64(ret_bytes + 8, footer->records);
    store_le64(ret_bytes + 16, footer->exits);
    store_le64(ret_bytes + 24, footer->blocks);
    store_le32(ret_bytes + 32, footer->entries);
    store_le32(ret_bytes + 36, footer->stride);
}

bool trace_footer_decode(const uint8_t *bytes, struct trace_footer *ret_footer)
{
    struct trace_footer footer = {
        .records = load_le64(bytes + 8),
        .exits = load_le64(bytes + 16),
        .blocks = load_le64(bytes + 24),
        .entries = load_le32(bytes + 32),
        .stride = load_le32(bytes + 36),
    };

    if (memcmp(bytes, trace_magic_footer, TRACE_MAGIC_BYTES) != 0 || footer.entries > TRACE_FOOTER_ENTRY_MAX)
        return false;
    *ret_footer = footer;
    return true;
}
