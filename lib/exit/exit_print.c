/* SPDX-License-Identifier: MIT */
/*
 * An exit to one line of text. Prints whatever it is given: an exit that is not
 * valid comes out as well as its fields allow, because it is most wanted in the
 * report that says so. No host pointer is ever shown. The way back is in
 * exit_text.c.
 */

#include "lib/exit/exit_text.h"

#include "lib/base/field.h"
#include "lib/exit/exit_fields.h"

/* Counts on after the buffer is full, so that the caller learns what it takes. */
struct sink {
    char *buffer;
    size_t size;
    size_t length;
};

static void put_char(struct sink *sink, char c)
{
    if (sink->length < sink->size)
        sink->buffer[sink->length] = c;
    sink->length++;
}

static void put_text(struct sink *sink, const char *text)
{
    while (*text != '\0')
        put_char(sink, *text++);
}

/* Fields are parted by one space. */
static void put_name(struct sink *sink, const char *name)
{
    if (sink->length > 0)
        put_char(sink, ' ');
    put_text(sink, name);
}

static void put_digits(struct sink *sink, uint64_t value, unsigned base)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (count > 0)
        put_char(sink, digits[--count]);
}

static void put_number(struct sink *sink, uint64_t value, bool hex)
{
    if (hex)
        put_text(sink, "0x");
    put_digits(sink, value, hex ? 16 : 10);
}

static void put_bytes(struct sink *sink, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        put_digits(sink, bytes[i] >> 4, 16);
        put_digits(sink, bytes[i] & 15u, 16);
    }
}

/* Up to the last one that is not zero. */
static void print_args(struct sink *sink, const struct exit_field *field, const uint64_t *args, unsigned count)
{
    while (count > 0 && args[count - 1] == 0)
        count--;
    if (count == 0)
        return;
    put_name(sink, field->name);
    for (unsigned i = 0; i < count; i++) {
        put_char(sink, i == 0 ? '=' : ',');
        put_number(sink, args[i], true);
    }
}

static void print_bytes(struct sink *sink, const struct exit_field *field, const uint8_t *bytes, size_t length,
                        size_t length_max)
{
    if (!bytes || length == 0 || length > length_max)
        return;
    put_name(sink, field->name);
    put_char(sink, '=');
    put_bytes(sink, bytes, length);
}

static void print_word(struct sink *sink, const struct exit_field *field, uint64_t value)
{
    put_name(sink, field->name);
    put_char(sink, '=');
    if (value < field->word_count)
        put_text(sink, field->word((uint32_t)value));
    else
        put_number(sink, value, false);
}

static void print_field(struct sink *sink, const struct exit_field *field, const struct vmr_exit *vp_exit)
{
    const struct vmr_exit_io *io = &vp_exit->u.io;

    switch ((enum exit_field_type)field->type) {
    case EXIT_FIELD_HEX:
    case EXIT_FIELD_DECIMAL:
    case EXIT_FIELD_DATA:
        put_name(sink, field->name);
        put_char(sink, '=');
        put_number(sink, field_get(vp_exit, field->offset, field->width), field->type != EXIT_FIELD_DECIMAL);
        break;
    case EXIT_FIELD_FLAG:
        if (field_get(vp_exit, field->offset, field->width) != 0)
            put_name(sink, field->name);
        break;
    case EXIT_FIELD_DIRECTION:
        put_name(sink, field_get(vp_exit, field->offset, field->width) == VMR_READ ? "read" : "write");
        break;
    case EXIT_FIELD_WORD:
        print_word(sink, field, field_get(vp_exit, field->offset, field->width));
        break;
    case EXIT_FIELD_ARGS:
        print_args(sink, field, vp_exit->u.hypercall.args, EXIT_ARG_COUNT);
        break;
    case EXIT_FIELD_STRING:
        print_bytes(sink, field, io->bytes, (size_t)io->count * io->size, VMR_STRING_IO_BYTES_MAX);
        break;
    case EXIT_FIELD_BYTES:
        print_bytes(sink, field, vp_exit->u.fail.bytes, vp_exit->u.fail.length, VMR_EXIT_FAIL_BYTES_MAX);
        break;
    }
}

static void print_fields(struct sink *sink, const struct exit_field *field, const struct vmr_exit *vp_exit,
                         enum exit_part part)
{
    for (; field->name; field++) {
        if (!exit_field_applies(field, vp_exit, part))
            continue;
        if (field->when == EXIT_FIELD_NOT_ZERO && field_get(vp_exit, field->offset, field->width) == 0)
            continue;
        print_field(sink, field, vp_exit);
    }
}

size_t exit_text_print(const struct vmr_exit *vp_exit, enum exit_part part, char *buffer, size_t size)
{
    struct sink sink = {.buffer = buffer, .size = size};

    if (part & EXIT_INPUTS)
        put_text(&sink, vmr_exit_kind_name(vp_exit->kind));
    if (part & EXIT_INPUTS && vp_exit->kind >= VMR_EXIT_KIND_COUNT) {
        put_text(&sink, " kind=");
        put_number(&sink, vp_exit->kind, false);
    }
    print_fields(&sink, exit_fields_of_kind(vp_exit->kind), vp_exit, part);
    print_fields(&sink, exit_fields_common(vp_exit->kind), vp_exit, part);
    if (size > 0)
        buffer[sink.length < size ? sink.length : size - 1] = '\0';
    return sink.length;
}

size_t vmr_exit_print(const struct vmr_exit *vp_exit, char *buffer, size_t size)
{
    return exit_text_print(vp_exit, EXIT_WHOLE, buffer, size);
}
