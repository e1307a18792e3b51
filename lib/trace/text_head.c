/* SPDX-License-Identifier: MIT */
/*
 * What stands above the records of a text: the first line, the tables by name,
 * the metadata. A table of a type that this version does not know is carried
 * along as bytes.
 */

#include "lib/trace/trace_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/trace/words.h"

static const char *const table_names[] = {
    [TRACE_TABLE_KINDS] = "kinds",
    [TRACE_TABLE_EXITS] = "exits",
    [TRACE_TABLE_REGISTERS] = "registers",
};

static void put_text(struct writer *out, const char *text)
{
    writer_copy(out, text, strlen(text));
}

/* --- printing --- */

static void print_names(struct writer *out, const struct trace_table *table)
{
    struct reader reader;
    struct trace_table_entry entry;

    put_text(out, "table ");
    put_text(out, table_names[table->type]);
    reader_init(&reader, table->bytes, table->length);
    while (trace_table_entry_next(&reader, &entry)) {
        char number[16];

        (void)snprintf(number, sizeof(number), " %u%c", entry.id, entry.class ? '~' : ':');
        put_text(out, number);
        writer_copy(out, entry.name, entry.length);
    }
}

static void print_unknown(struct writer *out, const struct trace_table *table)
{
    char number[32];

    (void)snprintf(number, sizeof(number), "table %#x ", table->type);
    put_text(out, number);
    for (size_t i = 0; i < table->length; i++) {
        (void)snprintf(number, sizeof(number), "%02x", table->bytes[i]);
        put_text(out, number);
    }
}

void trace_text_print_head(struct writer *out, const struct trace_header *header, struct reader *tables)
{
    struct trace_table table;
    char line[96];

    /* Of a later version ours, as packing writes it too: what that one added is printed in the forms of this one. */
    unsigned minor = header->minor < TRACE_MINOR ? header->minor : TRACE_MINOR;

    (void)snprintf(line, sizeof(line), TEXT_MAGIC "%u.%u min=%u.%u codec=%s%s\n", TRACE_MAJOR, minor,
                   TRACE_MIN_READER_MAJOR, TRACE_MIN_READER_MINOR,
                   header->codec == VMR_TRACE_CODEC_ZSTD ? "zstd" : "none",
                   header->flags & TRACE_FLAG_INPUTS_ONLY ? " inputs-only" : "");
    put_text(out, line);
    while (trace_table_next(tables, &table)) {
        if (table.type == TRACE_TABLE_META) {
            put_text(out, "meta ");
            writer_copy(out, table.bytes, table.length);
        } else if (table.type >= TRACE_TABLE_KINDS && table.type <= TRACE_TABLE_REGISTERS) {
            print_names(out, &table);
        } else {
            print_unknown(out, &table);
        }
        put_text(out, "\n");
    }
}

/* --- parsing --- */

static enum vmr_status wrong(struct vmr_error *err, const char *what, const struct word *word)
{
    return vmr_error_set(err, VMR_E_CORRUPT, "%s: \"%.*s\"", what, word->length > 60 ? 60 : (int)word->length,
                         word->text);
}

/* One of the versions that there have been: a text keeps that of the trace it was printed from. */
static bool take_version(const struct word *word, uint16_t minor_max, uint16_t *ret_minor)
{
    char version[16];

    for (uint16_t minor = 0; minor <= minor_max; minor++) {
        (void)snprintf(version, sizeof(version), "%u.%u", TRACE_MAJOR, minor);
        if (word_is(word, version)) {
            *ret_minor = minor;
            return true;
        }
    }
    return false;
}

enum vmr_status trace_text_parse_first(const char *line, size_t length, struct trace_text_first *ret_first,
                                       struct vmr_error *err)
{
    struct words words;
    struct word word = {.text = "", .length = 0};
    struct trace_text_first first = {.codec = VMR_TRACE_CODEC_NONE};
    uint16_t min_reader;

    words_init(&words, line, length);
    (void)words_next(&words, &word); /* the magic */
    if (!words_next(&words, &word) || !take_version(&word, TRACE_MINOR, &first.minor))
        return wrong(err, "a version of the text form that this reader does not know", &word);
    if (!words_next(&words, &word) || !word_take_key(&word, "min") ||
        !take_version(&word, TRACE_MIN_READER_MINOR, &min_reader))
        return wrong(err, "min=1.0 is expected", &word);
    if (!words_next(&words, &word) || !word_take_key(&word, "codec"))
        return wrong(err, "codec= is expected", &word);
    if (word_is(&word, "zstd"))
        first.codec = VMR_TRACE_CODEC_ZSTD;
    else if (!word_is(&word, "none"))
        return wrong(err, "no codec", &word);
    if (words_next(&words, &word)) {
        if (!word_is(&word, "inputs-only"))
            return wrong(err, "inputs-only, or nothing, is expected", &word);
        first.inputs_only = true;
    }
    if (words_next(&words, &word))
        return wrong(err, "surplus words", &word);
    *ret_first = first;
    return VMR_OK;
}

bool trace_text_is_table(const char *line, size_t length)
{
    return (length > 6 && memcmp(line, "table ", 6) == 0) || (length > 5 && memcmp(line, "meta ", 5) == 0);
}

/* "7:exit" or "19~answer". */
static bool parse_entry(const struct word *word, struct writer *names)
{
    size_t digits = 0;
    uint64_t id;

    while (digits < word->length && word->text[digits] >= '0' && word->text[digits] <= '9')
        digits++;
    if (digits + 1 >= word->length || (word->text[digits] != ':' && word->text[digits] != '~') ||
        !text_parse_number(word->text, digits, &id) || id > UINT8_MAX || word->length - digits - 1 > UINT8_MAX)
        return false;
    writer_u8(names, (uint8_t)id);
    writer_u8(names, word->text[digits] == '~');
    writer_u8(names, (uint8_t)(word->length - digits - 1));
    writer_copy(names, word->text + digits + 1, word->length - digits - 1);
    return true;
}

static enum vmr_status parse_names(struct words *words, uint16_t type, struct writer *tables, struct vmr_error *err)
{
    struct writer names;
    struct word word;
    enum vmr_status status = VMR_OK;

    writer_init(&names, VMR_TRACE_HEADER_BYTES_MAX);
    while (!status && words_next(words, &word)) {
        if (!parse_entry(&word, &names))
            status = wrong(err, "a table entry is number:name or number~name", &word);
    }
    if (!writer_ok(&names))
        writer_fail(tables);
    struct trace_table table = {.type = type, .bytes = names.bytes, .length = names.length};

    if (!status)
        trace_table_put(tables, &table);
    writer_finish(&names);
    return status;
}

static enum vmr_status parse_unknown(const struct word *name, struct words *words, struct writer *tables,
                                     struct vmr_error *err)
{
    uint64_t type;
    struct word word;

    words_rest(words, &word);
    if (!word_number(name, &type) || type > UINT16_MAX || type <= TRACE_TABLE_META)
        return wrong(err, "no table", name);
    uint8_t *bytes = malloc(word.length / 2 + 1);

    if (!bytes)
        return vmr_error_set(err, VMR_E_NOMEM, "table: out of memory");
    struct trace_table table = {.type = (uint16_t)type, .bytes = bytes, .length = word.length / 2};
    bool fits = word.length == 0 || text_parse_hex(word.text, word.length, bytes, word.length / 2);

    if (fits)
        trace_table_put(tables, &table);
    free(bytes);
    return fits ? VMR_OK : wrong(err, "no hexadecimal bytes", &word);
}

enum vmr_status trace_text_parse_table(const char *line, size_t length, struct writer *tables, struct vmr_error *err)
{
    struct words words;
    struct word word = {.text = "", .length = 0};

    words_init(&words, line, length);
    (void)words_next(&words, &word);
    if (word_is(&word, "meta")) {
        words_rest(&words, &word);
        struct trace_table table = {
            .type = TRACE_TABLE_META, .bytes = (const uint8_t *)word.text, .length = word.length};

        trace_table_put(tables, &table);
        return VMR_OK;
    }
    if (!words_next(&words, &word))
        return wrong(err, "a table has a name", &word);
    for (uint16_t type = TRACE_TABLE_KINDS; type <= TRACE_TABLE_REGISTERS; type++) {
        if (word_is(&word, table_names[type]))
            return parse_names(&words, type, tables, err);
    }
    return parse_unknown(&word, &words, tables, err);
}
