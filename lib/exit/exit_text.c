/* SPDX-License-Identifier: MIT */
/*
 * One line of text to an exit. The line is words parted by spaces: the kind,
 * the direction where the kind has one, then fields as exit_fields.c lists
 * them. Whatever is wrong is reported with its column and word, and nothing
 * passes that is not a valid exit. The other direction is in exit_print.c.
 */

#include "lib/exit/exit_text.h"

#include <string.h>

#include "lib/base/field.h"
#include "lib/base/text.h"
#include "lib/exit/exit_fields.h"

/* Fields of a kind and common ones together; a bit for each in `seen`. */
#define FIELD_MAX 16u
/* What of a word a message shows. */
#define WORD_SHOWN_MAX 40u

struct parser {
    const char *line;
    size_t length;
    size_t position;
    /* The word being read: a name, and a value if there is a '='. */
    size_t word_start, name_length, word_length;
    struct vmr_exit *vp_exit;
    uint8_t *string_storage;
    size_t string_length;
    uint32_t seen;
    size_t columns[FIELD_MAX]; /* where each field seen begins */
    struct vmr_error *err;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* False at the end of the line. */
static bool next_word(struct parser *parser)
{
    while (parser->position < parser->length && is_space(parser->line[parser->position]))
        parser->position++;
    parser->word_start = parser->position;
    while (parser->position < parser->length && !is_space(parser->line[parser->position]))
        parser->position++;
    parser->word_length = parser->position - parser->word_start;
    if (parser->word_length == 0)
        return false;
    const char *equals = memchr(parser->line + parser->word_start, '=', parser->word_length);

    parser->name_length = equals ? (size_t)(equals - parser->line) - parser->word_start : parser->word_length;
    return true;
}

/* The text comes from a file: shown cut, and without what a terminal would act on. */
static enum vmr_status refuse_text(const struct parser *parser, size_t start, size_t length, const char *why)
{
    char shown[WORD_SHOWN_MAX + 1];
    size_t count = length < WORD_SHOWN_MAX ? length : WORD_SHOWN_MAX;

    for (size_t i = 0; i < count; i++) {
        char c = parser->line[start + i];

        shown[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    shown[count] = '\0';
    return vmr_error_set(parser->err, VMR_E_CORRUPT, "column %zu: '%s%s' %s", start + 1, shown,
                         count < length ? "..." : "", why);
}

static enum vmr_status refuse_word(const struct parser *parser, const char *why)
{
    return refuse_text(parser, parser->word_start, parser->word_length, why);
}

static bool word_is(const struct parser *parser, const char *text)
{
    return parser->name_length == strlen(text) &&
           memcmp(parser->line + parser->word_start, text, parser->name_length) == 0;
}

/* --- values --- */

static bool parse_args(const char *text, size_t length, uint64_t *ret_args)
{
    for (unsigned i = 0; i < EXIT_ARG_COUNT; i++) {
        const char *comma = memchr(text, ',', length);
        size_t part = comma ? (size_t)(comma - text) : length;

        if (!text_parse_number(text, part, &ret_args[i]))
            return false;
        if (!comma)
            return true;
        text += part + 1;
        length -= part + 1;
    }
    return false;
}

static bool parse_enumerator(const struct exit_field *field, const char *text, size_t length, uint64_t *ret_value)
{
    for (uint32_t i = 0; i < field->word_count; i++) {
        if (strlen(field->word(i)) == length && memcmp(field->word(i), text, length) == 0) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

static enum vmr_status parse_scalar(struct parser *parser, const struct exit_field *field, const char *text,
                                    size_t length)
{
    uint64_t value;

    if (field->type == EXIT_FIELD_WORD) {
        if (!parse_enumerator(field, text, length, &value))
            return refuse_word(parser, "is not one of the words for this field");
    } else if (!text_parse_number(text, length, &value)) {
        return refuse_word(parser, "is not a number of at most 64 bits");
    }
    if (!field_set(parser->vp_exit, field->offset, field->width, value))
        return refuse_word(parser, "does not fit the field");
    return VMR_OK;
}

static enum vmr_status parse_value(struct parser *parser, const struct exit_field *field)
{
    struct vmr_exit *vp_exit = parser->vp_exit;

    if (field->type == EXIT_FIELD_FLAG) {
        if (parser->name_length != parser->word_length)
            return refuse_word(parser, "is a flag and takes no value");
        (void)field_set(vp_exit, field->offset, field->width, 1);
        return VMR_OK;
    }
    if (parser->name_length == parser->word_length)
        return refuse_word(parser, "needs a value");
    const char *text = parser->line + parser->word_start + parser->name_length + 1;
    size_t length = parser->word_length - parser->name_length - 1;

    if (field->type == EXIT_FIELD_ARGS) {
        return parse_args(text, length, vp_exit->u.hypercall.args)
                   ? VMR_OK
                   : refuse_word(parser, "is not one to six numbers with commas");
    }
    if (field->type == EXIT_FIELD_STRING) {
        parser->string_length = length / 2;
        return text_parse_hex(text, length, parser->string_storage, VMR_STRING_IO_BYTES_MAX)
                   ? VMR_OK
                   : refuse_word(parser, "is not an even number of hexadecimal digits, at most 8192");
    }
    if (field->type == EXIT_FIELD_BYTES) {
        if (!text_parse_hex(text, length, vp_exit->u.fail.bytes, VMR_EXIT_FAIL_BYTES_MAX))
            return refuse_word(parser, "is not an even number of hexadecimal digits, at most 128");
        vp_exit->u.fail.length = (uint8_t)(length / 2);
        return VMR_OK;
    }
    return parse_scalar(parser, field, text, length);
}

/* --- fields --- */

/* The `index`-th field of the exit's kind, the common ones after its own; NULL after the last. */
static const struct exit_field *field_at(const struct parser *parser, unsigned index)
{
    const struct exit_field *field = exit_fields_of_kind(parser->vp_exit->kind);

    for (; field->name; field++) {
        if (index-- == 0)
            return field;
    }
    for (field = exit_fields_common(parser->vp_exit->kind); field->name; field++) {
        if (index-- == 0)
            return field;
    }
    return NULL;
}

static enum vmr_status parse_field(struct parser *parser, enum exit_part part)
{
    const struct exit_field *field;
    unsigned index = 0;

    while ((field = field_at(parser, index)) != NULL &&
           (field->type == EXIT_FIELD_DIRECTION || !word_is(parser, field->name)))
        index++;
    if (!field || index >= FIELD_MAX)
        return refuse_word(parser, "is no field of this exit");
    if (part == EXIT_ANSWER && !exit_field_applies(field, parser->vp_exit, EXIT_ANSWER))
        return refuse_word(parser, "is not part of this exit's answer");
    if (parser->seen >> index & 1)
        return refuse_word(parser, "is given twice");
    parser->seen |= UINT32_C(1) << index;
    parser->columns[index] = parser->word_start;
    return parse_value(parser, field);
}

/* Points at the field that makes the exit invalid, if the line holds it. */
static enum vmr_status refuse_exit(struct parser *parser, const char *bad_field)
{
    const struct exit_field *field;

    for (unsigned i = 0; (field = field_at(parser, i)) != NULL; i++) {
        if (strcmp(field->name, bad_field) != 0 || !(parser->seen >> i & 1))
            continue;
        parser->position = parser->columns[i];
        (void)next_word(parser);
        return refuse_word(parser, "is out of range here");
    }
    return vmr_error_set(parser->err, VMR_E_CORRUPT, "column 1: '%s' has no valid '%s'",
                         vmr_exit_kind_name(parser->vp_exit->kind), bad_field);
}

/* Fields that are there must have a meaning, and those that cannot be left out must be there. */
static enum vmr_status check_presence(struct parser *parser, enum exit_part part)
{
    const struct exit_field *field;

    for (unsigned i = 0; (field = field_at(parser, i)) != NULL; i++) {
        bool seen = (parser->seen >> i & 1) != 0;

        if (seen && !exit_field_exists(field, parser->vp_exit)) {
            parser->position = parser->columns[i];
            (void)next_word(parser);
            return refuse_word(parser, "does not go with the other fields");
        }
        if (seen || field->optional || field->type == EXIT_FIELD_DIRECTION)
            continue;
        if (part == EXIT_INPUTS && exit_field_applies(field, parser->vp_exit, part))
            return vmr_error_set(parser->err, VMR_E_CORRUPT, "column 1: '%s' without '%s'",
                                 vmr_exit_kind_name(parser->vp_exit->kind), field->name);
    }
    return VMR_OK;
}

/* A string that is read may wait for its answer; one that is written has arrived whole. */
static enum vmr_status finish_string(struct parser *parser, enum exit_part part)
{
    struct vmr_exit_io *io = &parser->vp_exit->u.io;

    if (parser->vp_exit->kind != VMR_EXIT_IO || !io->string)
        return VMR_OK;
    if (part == EXIT_ANSWER && !exit_is_read(parser->vp_exit))
        return VMR_OK;
    io->bytes = parser->string_storage;
    if (exit_bad_field(parser->vp_exit))
        return VMR_OK; /* which the caller reports */
    size_t wanted = (size_t)io->count * io->size;

    if (parser->string_length == 0 && exit_is_read(parser->vp_exit))
        memset(parser->string_storage, 0, wanted);
    else if (parser->string_length != wanted)
        return vmr_error_set(parser->err, VMR_E_CORRUPT,
                             "column 1: 'io' has %zu bytes, but count=%u and size=%u make %zu", parser->string_length,
                             io->count, io->size, wanted);
    return VMR_OK;
}

static enum vmr_status finish_exit(struct parser *parser, enum exit_part part)
{
    enum vmr_status status = check_presence(parser, part);

    if (!status)
        status = finish_string(parser, part);
    if (status)
        return status;
    const char *bad_field = exit_bad_field(parser->vp_exit);

    return bad_field ? refuse_exit(parser, bad_field) : VMR_OK;
}

/* --- lines --- */

static enum vmr_status parse_kind(struct parser *parser)
{
    if (!next_word(parser))
        return vmr_error_set(parser->err, VMR_E_CORRUPT, "column 1: the line holds no exit");
    if (parser->name_length != parser->word_length)
        return refuse_word(parser, "is no kind of exit");
    uint32_t kind = 0;

    while (kind < VMR_EXIT_KIND_COUNT && !word_is(parser, vmr_exit_kind_name(kind)))
        kind++;
    if (kind == VMR_EXIT_KIND_COUNT)
        return refuse_word(parser, "is no kind of exit");
    parser->vp_exit->kind = kind;
    if (kind == VMR_EXIT_IO)
        parser->vp_exit->u.io.count = 1;
    return VMR_OK;
}

static enum vmr_status parse_direction(struct parser *parser)
{
    const struct exit_field *field = exit_fields_of_kind(parser->vp_exit->kind);

    if (!field->name || field->type != EXIT_FIELD_DIRECTION)
        return VMR_OK;
    if (!next_word(parser))
        return vmr_error_set(parser->err, VMR_E_CORRUPT, "column %zu: 'read' or 'write' is missing",
                             parser->length + 1);
    bool write = word_is(parser, "write");

    if (parser->name_length != parser->word_length || (!write && !word_is(parser, "read")))
        return refuse_word(parser, "is neither 'read' nor 'write'");
    (void)field_set(parser->vp_exit, field->offset, field->width, write ? VMR_WRITE : VMR_READ);
    return VMR_OK;
}

enum vmr_status exit_text_parse(const char *line, size_t length, struct vmr_exit *ret_exit, uint8_t *string_storage,
                                struct vmr_error *err)
{
    struct vmr_exit vp_exit;
    struct parser parser = {
        .line = line, .length = length, .vp_exit = &vp_exit, .string_storage = string_storage, .err = err};

    memset(&vp_exit, 0, sizeof(vp_exit));
    enum vmr_status status = parse_kind(&parser);

    if (!status)
        status = parse_direction(&parser);
    while (!status && next_word(&parser))
        status = parse_field(&parser, EXIT_INPUTS);
    if (!status)
        status = finish_exit(&parser, EXIT_INPUTS);
    if (!status)
        *ret_exit = vp_exit;
    return status;
}

/* CPUID results stay: they are what the backend proposes. */
static void clear_answer(struct vmr_exit *vp_exit)
{
    for (const struct exit_field *field = exit_fields_of_kind(vp_exit->kind); field->name; field++) {
        if (field->part != EXIT_FIELD_BOTH && field->type != EXIT_FIELD_STRING &&
            exit_field_applies(field, vp_exit, EXIT_ANSWER))
            (void)field_set(vp_exit, field->offset, field->width, 0);
    }
}

/* An MSR write that succeeds is answered by silence, as is an exit that takes no answer. */
static bool may_be_silent(const struct vmr_exit *vp_exit)
{
    for (const struct exit_field *field = exit_fields_of_kind(vp_exit->kind); field->name; field++) {
        if (!(field->optional && field->part == EXIT_FIELD_ANSWER) && exit_field_applies(field, vp_exit, EXIT_ANSWER))
            return false;
    }
    return true;
}

enum vmr_status exit_text_parse_answer(const char *line, size_t start, size_t length, struct vmr_exit *vp_exit,
                                       uint8_t *string_storage, struct vmr_error *err)
{
    struct vmr_exit answered = *vp_exit;
    struct parser parser = {.line = line,
                            .length = length,
                            .position = start,
                            .vp_exit = &answered,
                            .string_storage = string_storage,
                            .err = err};
    enum vmr_status status = VMR_OK;

    clear_answer(&answered);
    while (!status && next_word(&parser))
        status = parse_field(&parser, EXIT_ANSWER);
    if (!status && parser.seen == 0 && !may_be_silent(vp_exit))
        return vmr_error_set(err, VMR_E_CORRUPT, "column %zu: an answer to '%s' is missing", start + 1,
                             vmr_exit_kind_name(vp_exit->kind));
    if (!status)
        status = finish_exit(&parser, EXIT_ANSWER);
    if (!status)
        *vp_exit = answered;
    return status;
}
