/* SPDX-License-Identifier: MIT */
/*
 * Records as lines. The parser takes what the printer writes, in that order and
 * with single spaces, numbers in decimal or hexadecimal; tables and the first
 * line are in text_head.c.
 */

#include "lib/trace/trace_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/exit/exit_text.h"
#include "lib/exit/x86_regs.h"
#include "lib/trace/words.h"

void trace_text_init(struct trace_text *text)
{
    memset(text, 0, sizeof(*text));
    trace_regs_init(&text->known);
}

void trace_text_finish(struct trace_text *text)
{
    trace_regs_finish(&text->known);
}

/* --- printing --- */

static void put_text(struct writer *line, const char *text)
{
    writer_copy(line, text, strlen(text));
}

static void put_number(struct writer *line, const char *key, uint64_t value, bool hex)
{
    char buffer[96];

    (void)snprintf(buffer, sizeof(buffer), hex ? " %s=%#" PRIx64 : " %s=%" PRIu64, key, value);
    /* %#x leaves the 0x off a zero, which reads as decimal and means the same. */
    put_text(line, buffer);
}

static void put_hex(struct writer *line, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        writer_u8(line, (uint8_t)digits[bytes[i] >> 4]);
        writer_u8(line, (uint8_t)digits[bytes[i] & 0xf]);
    }
}

static void put_fields(struct writer *line, const struct trace_record *record, const struct trace_kind_info *info)
{
    for (size_t i = 0; i < info->field_count; i++) {
        const struct trace_field *field = &info->fields[i];

        if (field->type == TRACE_WORD && record->value[i] <= field->max) {
            put_text(line, " ");
            put_text(line, field->name);
            put_text(line, "=");
            put_text(line, field->words[record->value[i]]);
        } else {
            put_number(line, field->name, record->value[i], field->type == TRACE_HEX);
        }
    }
}

static void put_exit(struct writer *line, const struct vmr_exit *vp_exit)
{
    char buffer[EXIT_TEXT_MAX];

    put_text(line, " ");
    if (vp_exit->kind == VMR_EXIT_NONE) {
        put_text(line, "none");
        return;
    }
    (void)exit_text_print(vp_exit, EXIT_INPUTS, buffer, sizeof(buffer));
    put_text(line, buffer);
}

/* Those that differ from `known`; all that are not zero if that is NULL. */
static void put_regs(struct writer *line, const struct vmr_x86_regs *regs, const struct vmr_x86_regs *known)
{
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        if (x86_reg_get(regs, i) != (known ? x86_reg_get(known, i) : 0))
            put_number(line, x86_reg_name(i), x86_reg_get(regs, i), true);
    }
}

static void put_body(struct writer *line, const struct trace_record *record, const struct vmr_x86_regs *known)
{
    const struct trace_kind_info *info = trace_kind_info(record->kind);

    if (!info) {
        put_text(line, "optional");
        put_number(line, "kind", record->kind, false);
        put_text(line, " bytes=");
        put_hex(line, record->bytes, record->length);
        return;
    }
    put_text(line, info->name);
    put_fields(line, record, info);
    if (info->extra == TRACE_EXTRA_BYTES || info->extra == TRACE_EXTRA_NAME)
        put_text(line, info->extra == TRACE_EXTRA_NAME ? " name=" : " bytes=");
    if (info->extra == TRACE_EXTRA_BYTES)
        put_hex(line, record->bytes, record->length);
    if (info->extra == TRACE_EXTRA_NAME)
        writer_copy(line, record->bytes, record->length);
    if (record->regs)
        put_regs(line, record->regs, known);
    if (record->vp_exit)
        put_exit(line, record->vp_exit);
}

void trace_text_print_body(struct writer *line, const struct trace_record *record)
{
    put_body(line, record, NULL);
}

void trace_text_print(struct trace_text *text, struct writer *line, const struct trace_record *record)
{
    struct vmr_x86_regs *known = record->regs ? trace_regs_of(&text->known, record->vp) : NULL;
    char start[48];

    if (record->vp == TRACE_NO_VP)
        (void)snprintf(start, sizeof(start), "%" PRIu64 " vm ", record->sequence);
    else
        (void)snprintf(start, sizeof(start), "%" PRIu64 " vp%u ", record->sequence, record->vp);
    put_text(line, start);
    if (trace_record_is_reaction(record))
        put_text(line, "~ ");
    put_body(line, record, known);
    if (known)
        *known = *record->regs;
    else if (record->regs)
        writer_fail(line);
}

/* --- parsing --- */

static enum vmr_status wrong(struct vmr_error *err, const char *what, const struct word *word)
{
    return vmr_error_set(err, VMR_E_CORRUPT, "%s: \"%.*s\"", what, word->length > 60 ? 60 : (int)word->length,
                         word->text);
}

static bool parse_word(const struct trace_field *field, const struct word *word, uint64_t *ret_value)
{
    for (uint64_t i = 0; i <= field->max; i++) {
        if (word_is(word, field->words[i])) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

static enum vmr_status parse_fields(struct words *words, const struct trace_kind_info *info,
                                    struct trace_record *record, struct vmr_error *err)
{
    for (size_t i = 0; i < info->field_count; i++) {
        const struct trace_field *field = &info->fields[i];
        struct word word = {.text = "", .length = 0};

        if (!words_next(words, &word) || !word_take_key(&word, field->name))
            return vmr_error_set(err, VMR_E_CORRUPT, "%s: \"%.*s\" where %s= is expected", info->name,
                                 word.length > 60 ? 60 : (int)word.length, word.text, field->name);
        bool fits = field->type == TRACE_WORD ? parse_word(field, &word, &record->value[i])
                                              : word_number(&word, &record->value[i]) && record->value[i] <= field->max;

        if (!fits)
            return vmr_error_set(err, VMR_E_CORRUPT, "%s: %s=%.*s is out of range", info->name, field->name,
                                 word.length > 60 ? 60 : (int)word.length, word.text);
    }
    return VMR_OK;
}

static enum vmr_status parse_bytes(struct trace_text *text, struct words *words, size_t bytes_max, bool is_name,
                                   struct trace_record *record, struct vmr_error *err)
{
    struct word word = {.text = "", .length = 0};

    /* word_take_key wants something behind the "=", and there may be nothing. */
    if (!words_next(words, &word) || word.length < 5)
        return wrong(err, is_name ? "name= is expected" : "bytes= is expected", &word);
    bool empty = word_is(&word, is_name ? "name=" : "bytes=");

    if (!empty && !word_take_key(&word, is_name ? "name" : "bytes"))
        return wrong(err, is_name ? "name= is expected" : "bytes= is expected", &word);
    record->bytes = text->bytes;
    if (empty)
        return VMR_OK;
    if (is_name && word.length <= bytes_max) {
        memcpy(text->bytes, word.text, word.length);
        record->length = word.length;
        return VMR_OK;
    }
    if (is_name || !text_parse_hex(word.text, word.length, text->bytes, bytes_max))
        return wrong(err, "no hexadecimal bytes, or too many", &word);
    record->length = word.length / 2;
    return VMR_OK;
}

static bool find_register(const struct word *word, unsigned *ret_index, size_t *ret_name_length)
{
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        size_t length = strlen(x86_reg_name(i));

        if (word->length > length && word->text[length] == '=' && memcmp(word->text, x86_reg_name(i), length) == 0) {
            *ret_index = i;
            *ret_name_length = length;
            return true;
        }
    }
    return false;
}

static enum vmr_status parse_regs(struct trace_text *text, struct words *words, struct trace_record *record,
                                  struct vmr_error *err)
{
    struct vmr_x86_regs *known = trace_regs_of(&text->known, record->vp);
    struct word word;

    if (!known)
        return vmr_error_set(err, VMR_E_CORRUPT, "registers belong to a VP");
    text->regs = *known;
    while (words_next(words, &word)) {
        unsigned index;
        size_t length;
        uint64_t value;
        struct word number = word;

        if (!find_register(&word, &index, &length))
            return wrong(err, "no register", &word);
        number.text += length + 1;
        number.length -= length + 1;
        if (!word_number(&number, &value) || !x86_reg_set(&text->regs, index, value))
            return wrong(err, "no value that the register can hold", &word);
    }
    *known = text->regs;
    record->regs = &text->regs;
    return VMR_OK;
}

static enum vmr_status parse_exit(struct trace_text *text, struct words *words, bool may_be_none,
                                  struct trace_record *record, struct vmr_error *err)
{
    struct word rest;

    words_rest(words, &rest);
    memset(&text->vp_exit, 0, sizeof(text->vp_exit));
    record->vp_exit = &text->vp_exit;
    if (may_be_none && word_is(&rest, "none"))
        return VMR_OK;
    enum vmr_status status = exit_text_parse(rest.text, rest.length, &text->vp_exit, text->string, err);

    if (!status && text->vp_exit.kind == VMR_EXIT_NONE)
        return wrong(err, "no exit", &rest);
    return status;
}

static enum vmr_status parse_extra(struct trace_text *text, struct words *words, const struct trace_kind_info *info,
                                   struct trace_record *record, struct vmr_error *err)
{
    switch (info->extra) {
    case TRACE_EXTRA_NONE:
        return VMR_OK;
    case TRACE_EXTRA_BYTES:
        return parse_bytes(text, words, info->bytes_max, false, record, err);
    case TRACE_EXTRA_NAME:
        return parse_bytes(text, words, info->bytes_max, true, record, err);
    case TRACE_EXTRA_REGS:
        return parse_regs(text, words, record, err);
    case TRACE_EXTRA_EXIT:
        return parse_exit(text, words, false, record, err);
    case TRACE_EXTRA_EXIT_OR_NONE:
        return parse_exit(text, words, true, record, err);
    }
    return VMR_OK;
}

static unsigned kind_by_name(const struct word *word)
{
    for (unsigned kind = 1; kind < TRACE_KIND_COUNT; kind++) {
        if (word_is(word, trace_kind_info(kind)->name))
            return kind;
    }
    return TRACE_NONE;
}

static enum vmr_status parse_optional(struct trace_text *text, struct words *words, struct trace_record *record,
                                      struct vmr_error *err)
{
    struct word word = {.text = "", .length = 0};
    uint64_t kind = 0;

    if (!words_next(words, &word) || !word_take_key(&word, "kind") || !word_number(&word, &kind) ||
        kind > TRACE_KIND_MAX || trace_kind_info((unsigned)kind))
        return wrong(err, "optional: a kind that is not known is expected", &word);
    record->kind = (uint8_t)kind;
    record->optional = true;
    return parse_bytes(text, words, VMR_TRACE_BLOCK_BYTES_MAX, false, record, err);
}

/* Number and VP. */
static enum vmr_status parse_start(struct words *words, struct trace_record *record, struct vmr_error *err)
{
    struct word word = {.text = "", .length = 0};
    uint64_t vp = 0;

    if (!words_next(words, &word) || !word_number(&word, &record->sequence))
        return wrong(err, "a record begins with its number", &word);
    if (!words_next(words, &word) || word.length < 2)
        return wrong(err, "vm or vp<number> is expected", &word);
    if (word_is(&word, "vm"))
        return VMR_OK;
    struct word number = {.text = word.text + 2, .length = word.length - 2};

    if (memcmp(word.text, "vp", 2) != 0 || !word_number(&number, &vp) || vp >= VMR_VP_COUNT_MAX)
        return wrong(err, "vm or vp<number> is expected", &word);
    record->vp = (uint32_t)vp;
    return VMR_OK;
}

enum vmr_status trace_text_parse(struct trace_text *text, const char *line, size_t length,
                                 struct trace_record *ret_record, struct vmr_error *err)
{
    struct trace_record record = {.vp = TRACE_NO_VP};
    struct words words;
    struct word word = {.text = "", .length = 0};

    words_init(&words, line, length);
    enum vmr_status status = parse_start(&words, &record, err);

    if (status)
        return status;
    bool has_word = words_next(&words, &word);
    bool reaction = has_word && word_is(&word, "~");

    if (reaction)
        has_word = words_next(&words, &word);
    if (has_word && !reaction && word_is(&word, "optional")) {
        status = parse_optional(text, &words, &record, err);
    } else {
        record.kind = (uint8_t)kind_by_name(&word);
        const struct trace_kind_info *info = trace_kind_info(record.kind);

        if (!info)
            return wrong(err, "no kind of record", &word);
        if (info->reaction != reaction)
            return vmr_error_set(err, VMR_E_CORRUPT, "%s is %s reaction", info->name, reaction ? "no" : "a");
        status = parse_fields(&words, info, &record, err);
        if (!status)
            status = parse_extra(text, &words, info, &record, err);
    }
    if (status)
        return status;
    if (words_next(&words, &word))
        return wrong(err, "surplus words", &word);
    *ret_record = record;
    return VMR_OK;
}
