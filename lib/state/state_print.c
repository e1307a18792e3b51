/* SPDX-License-Identifier: MIT */
/*
 * Values as text and as JSON, by their field tables.
 *
 * Text leaves out elements of arrays that are zero, so that an empty page is a
 * line; JSON leaves out nothing but bytes' trailing zeros.
 */

#include "vmrig/state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(const struct vmr_text_sink *sink, const char *text)
{
    sink->write(sink->context, text, strlen(text));
}

VMR_PRINTF(2, 3) static void putf(const struct vmr_text_sink *sink, const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put(sink, text);
}

static void put_number(const struct vmr_text_sink *sink, const struct vmr_state_field *field, uint64_t number,
                       bool quoted)
{
    const char *quote = quoted ? "\"" : "";

    switch ((enum vmr_state_field_kind)field->kind) {
    case VMR_FIELD_HEX:
        putf(sink, "%s%#" PRIx64 "%s", quote, number, quote);
        break;
    case VMR_FIELD_FLAG:
        put(sink, number ? "true" : "false");
        break;
    case VMR_FIELD_TIME:
        if (number == VMR_NEVER)
            putf(sink, "%snever%s", quote, quote);
        else
            putf(sink, "%" PRIu64, number);
        break;
    case VMR_FIELD_DECIMAL:
    case VMR_FIELD_BYTES:
    case VMR_FIELD_KIND_COUNT:
        putf(sink, "%" PRIu64, number);
        break;
    }
}

static uint32_t without_trailing_zeros(const struct vmr_state_field *field, const void *value, uint32_t used)
{
    while (used > 0 && vmr_state_get(field, value, used - 1) == 0)
        used--;
    return used;
}

static void put_bytes(const struct vmr_text_sink *sink, const struct vmr_state_field *field, const void *value,
                      uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        putf(sink, "%02x", (unsigned)vmr_state_get(field, value, i));
}

/* --- text --- */

#define LINE_BYTES 32u

/* Lines of bytes that are all zero are left out. */
static void print_bytes(const struct vmr_state_field *field, const void *value, uint32_t used, const char *indent,
                        const struct vmr_text_sink *sink)
{
    uint32_t end = without_trailing_zeros(field, value, used);

    if (end == 0)
        putf(sink, "%s%s=zeros\n", indent, field->name);
    for (uint32_t from = 0; from < end; from += LINE_BYTES) {
        uint32_t to = from + LINE_BYTES < end ? from + LINE_BYTES : end;
        uint32_t at = from;

        while (at < to && vmr_state_get(field, value, at) == 0)
            at++;
        if (at == to)
            continue;
        putf(sink, "%s%s[%#x]=", indent, field->name, from);
        put_bytes(sink, field, value, from, to);
        put(sink, "\n");
    }
}

static void print_array(const struct vmr_state_field *field, const void *value, uint32_t used, const char *indent,
                        const struct vmr_text_sink *sink)
{
    for (uint32_t element = 0; element < used; element++) {
        uint64_t number = vmr_state_get(field, value, element);

        if (number == 0)
            continue;
        putf(sink, "%s%s[%u]=", indent, field->name, element);
        put_number(sink, field, number, false);
        put(sink, "\n");
    }
}

static void print_text(const struct vmr_state_type *type, const void *value, const char *indent,
                       const struct vmr_text_sink *sink)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        uint32_t used = vmr_state_used(type, field, value);

        if (field->kind == VMR_FIELD_BYTES) {
            print_bytes(field, value, used, indent, sink);
        } else if (field->count > 1) {
            print_array(field, value, used, indent, sink);
        } else {
            putf(sink, "%s%s=", indent, field->name);
            put_number(sink, field, vmr_state_get(field, value, 0), false);
            put(sink, "\n");
        }
    }
}

/* --- JSON --- */

static void print_json_field(const struct vmr_state_field *field, const void *value, uint32_t used,
                             const struct vmr_text_sink *sink)
{
    if (field->kind == VMR_FIELD_BYTES) {
        put(sink, "\"");
        put_bytes(sink, field, value, 0, without_trailing_zeros(field, value, used));
        put(sink, "\"");
        return;
    }
    if (field->count == 1) {
        put_number(sink, field, vmr_state_get(field, value, 0), true);
        return;
    }
    put(sink, "[");
    for (uint32_t element = 0; element < used; element++) {
        put(sink, element > 0 ? "," : "");
        put_number(sink, field, vmr_state_get(field, value, element), true);
    }
    put(sink, "]");
}

static void print_json(const struct vmr_state_type *type, const void *value, const struct vmr_text_sink *sink)
{
    put(sink, "{");
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];

        putf(sink, "%s\"%s\":", i > 0 ? "," : "", field->name);
        print_json_field(field, value, vmr_state_used(type, field, value), sink);
    }
    put(sink, "}");
}

void vmr_state_print(const struct vmr_state_type *type, const void *value, enum vmr_state_format format,
                     const char *indent, const struct vmr_text_sink *sink)
{
    if (format == VMR_STATE_JSON)
        print_json(type, value, sink);
    else
        print_text(type, value, indent, sink);
}
