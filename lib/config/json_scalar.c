/* SPDX-License-Identifier: MIT */
/*
 * Values that consist of nothing else: numbers, names, texts.
 */

#include "lib/config/json_reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/config/json_forms.h"
#include "lib/config/nearest.h"

/* --- what the reader's parts share --- */

void *json_alloc(struct json_reader *reader, size_t count, size_t size)
{
    void *memory = arena_alloc(reader->arena, count, size);

    reader->no_memory |= !memory;
    return memory;
}

void json_add_unread(struct json_reader *reader, const char *path)
{
    size_t length = strlen(path) + 1;
    struct unread *unread = json_alloc(reader, 1, sizeof(*unread) + length);

    if (!unread)
        return;
    memcpy(unread->path, path, length);
    unread->next = reader->unread;
    reader->unread = unread;
}

void json_refuse(struct json_reader *reader, enum rule_file rule, const struct doc_value *value, const char *format,
                 ...)
{
    const struct report_place place = {reader->path.text, value->place.line, value->place.column};
    char message[VMR_CONFIG_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    report_add_at(reader->report, &rules_file[rule], &place, "%s", message);
    if (reader->report->count < VMR_CONFIG_FINDING_MAX) /* else nobody will ask */
        json_add_unread(reader, reader->path.text);
}

void json_show(const struct doc_value *value, char shown[JSON_SHOWN_MAX])
{
    const bool is_long = value->length > 32;
    const int length = is_long ? 32 : (int)value->length;
    const char *more = is_long ? "..." : "";

    switch (value->kind) {
    case DOC_ARRAY:
        snprintf(shown, JSON_SHOWN_MAX, "an array");
        return;
    case DOC_OBJECT:
        snprintf(shown, JSON_SHOWN_MAX, "an object");
        return;
    case DOC_TEXT:
        snprintf(shown, JSON_SHOWN_MAX, "\"%.*s%s\"", length, value->text, more);
        return;
    case DOC_NULL:
    case DOC_BOOL:
    case DOC_NUMBER:
        snprintf(shown, JSON_SHOWN_MAX, "%.*s%s", length, value->text, more);
        return;
    }
}

void json_show_nearest(const struct nearest *nearest, char shown[JSON_SHOWN_MAX])
{
    shown[0] = '\0';
    if (nearest->found)
        snprintf(shown, JSON_SHOWN_MAX, "; did you mean \"%s\"?", nearest->found);
}

static void refuse_type(struct json_reader *reader, const struct doc_value *value, const char *expected)
{
    char shown[JSON_SHOWN_MAX];

    json_show(value, shown);
    json_refuse(reader, RULE_FILE_TYPE, value, "%s is not %s", shown, expected);
}

/* --- numbers --- */

static void store(void *at, size_t width, uint64_t number)
{
    const uint8_t one = (uint8_t)number;
    const uint16_t two = (uint16_t)number;
    const uint32_t four = (uint32_t)number;

    switch (width) {
    case sizeof(one):
        memcpy(at, &one, sizeof(one));
        return;
    case sizeof(two):
        memcpy(at, &two, sizeof(two));
        return;
    case sizeof(four):
        memcpy(at, &four, sizeof(four));
        return;
    default:
        memcpy(at, &number, sizeof(number));
        return;
    }
}

static bool is_integer(const struct doc_value *value)
{
    return value->kind == DOC_NUMBER && !memchr(value->text, '.', value->length) &&
           !memchr(value->text, 'e', value->length) && !memchr(value->text, 'E', value->length);
}

static enum form_result read_digits(const char *text, size_t length, uint64_t *ret_number)
{
    return text_parse_number(text, length, ret_number) ? FORM_OK : FORM_LARGE;
}

static bool read_number_text(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                             uint64_t *ret_number)
{
    char shown[JSON_SHOWN_MAX];
    enum form_result result = field->is_size ? form_read_size(value->text, value->length, ret_number)
                                             : form_read_hex(value->text, value->length, ret_number);

    if (result == FORM_OK)
        return true;
    json_show(value, shown);
    if (result == FORM_LARGE)
        json_refuse(reader, RULE_FILE_NUMBER_FIT, value, "%s is more than 64 bits", shown);
    else if (field->is_size)
        json_refuse(reader, RULE_FILE_NUMBER_TEXT, value,
                    "%s is no size: a number of bytes, \"64KiB\", \"4GiB\" and \"0x10000\" are", shown);
    else
        json_refuse(reader, RULE_FILE_NUMBER_TEXT, value,
                    "%s is no number: a number without quotes, or one as \"0x1f\" are", shown);
    return false;
}

static void refuse_number(struct json_reader *reader, const struct doc_value *value, const char *least, uint64_t most)
{
    char shown[JSON_SHOWN_MAX];

    json_show(value, shown);
    json_refuse(reader, RULE_FILE_NUMBER_FIT, value, "%s is not a number from %s to %" PRIu64, shown, least, most);
}

static void read_unsigned(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                          void *at)
{
    const uint64_t most = field->width < 8 ? (UINT64_C(1) << (8 * field->width)) - 1 : UINT64_MAX;
    char shown[JSON_SHOWN_MAX];
    uint64_t number;

    if (value->kind == DOC_TEXT) {
        if (!read_number_text(reader, field, value, &number))
            return;
    } else if (value->kind != DOC_NUMBER) {
        refuse_type(reader, value, field->is_size ? "a size" : "a number");
        return;
    } else if (!is_integer(value)) {
        json_show(value, shown);
        json_refuse(reader, RULE_FILE_INTEGER, value, "%s is no integer", shown);
        return;
    } else if (read_digits(value->text, value->length, &number) != FORM_OK) {
        refuse_number(reader, value, "0", most);
        return;
    }
    if (number > most)
        refuse_number(reader, value, "0", most);
    else
        store(at, field->width, number);
}

static void read_signed(struct json_reader *reader, const struct doc_value *value, int64_t *at)
{
    const bool negative = value->length > 0 && value->text[0] == '-';
    const uint64_t most = (uint64_t)INT64_MAX + negative;
    char shown[JSON_SHOWN_MAX];
    uint64_t number;

    if (value->kind != DOC_NUMBER) {
        refuse_type(reader, value, "a number");
    } else if (!is_integer(value)) {
        json_show(value, shown);
        json_refuse(reader, RULE_FILE_INTEGER, value, "%s is no integer", shown);
    } else if (read_digits(value->text + negative, value->length - negative, &number) != FORM_OK || number > most) {
        refuse_number(reader, value, "-9223372036854775808", INT64_MAX);
    } else {
        *at = negative && number > 0 ? -(int64_t)(number - 1) - 1 : (int64_t)number;
    }
}

/* --- names and texts --- */

void json_list(char list[JSON_LIST_MAX], const char *name)
{
    size_t length = strlen(list);

    snprintf(list + length, JSON_LIST_MAX - length, "%s%s", length > 0 ? ", " : "", name);
}

void json_refuse_name(struct json_reader *reader, const struct doc_value *value, const struct nearest *nearest,
                      const char *list)
{
    char meant[JSON_SHOWN_MAX];

    json_show_nearest(nearest, meant);
    json_refuse(reader, RULE_FILE_NAME_UNKNOWN, value, "\"%.*s\" is none of %s%s",
                nearest->length < 32 ? (int)nearest->length : 32, nearest->name, list, meant);
}

static void read_enum(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                      void *at)
{
    struct nearest nearest = {.name = value->text, .length = value->length};
    char list[JSON_LIST_MAX] = "";

    if (value->kind != DOC_TEXT) {
        refuse_type(reader, value, "a name");
        return;
    }
    for (size_t i = 0; i < field->name_count; i++) {
        if (strlen(field->names[i]) == value->length && memcmp(field->names[i], value->text, value->length) == 0) {
            store(at, field->width, i);
            return;
        }
        nearest_look(&nearest, field->names[i]);
        json_list(list, field->names[i]);
    }
    json_refuse_name(reader, value, &nearest, list);
}

const char *json_copy_text(struct json_reader *reader, const struct doc_value *value)
{
    if (value->kind != DOC_TEXT) {
        refuse_type(reader, value, "a text");
        return NULL;
    }
    if (memchr(value->text, '\0', value->length)) {
        json_refuse(reader, RULE_FILE_TEXT_NUL, value, "the text has a zero byte (\\u0000) in it");
        return NULL;
    }

    char *copy = arena_text(reader->arena, value->text, value->length);

    reader->no_memory |= !copy;
    return copy;
}

void json_read_bytes(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                     void *object)
{
    const size_t count = value->length / 2;
    uint8_t *bytes = NULL;

    if (value->kind != DOC_TEXT) {
        refuse_type(reader, value, "a text of hexadecimal digits");
        return;
    }
    if (value->length > 0) {
        bytes = json_alloc(reader, count + 1, 1);
        if (bytes && !text_parse_hex(value->text, value->length, bytes, count)) {
            json_refuse(reader, RULE_FILE_BYTES, value, "these are not pairs of hexadecimal digits");
            bytes = NULL;
        }
    }
    if (bytes) {
        memcpy((char *)object + field->offset, &bytes, sizeof(bytes));
        memcpy((char *)object + field->count, &count, sizeof(count));
    }
}

static void refuse_form(struct json_reader *reader, enum rule_file rule, const struct doc_value *value,
                        const char *form)
{
    char shown[JSON_SHOWN_MAX];

    json_show(value, shown);
    json_refuse(reader, rule, value, "%s is not of the form %s", shown, form);
}

static void read_form(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                      void *at)
{
    const bool is_text = value->kind == DOC_TEXT;

    if (field->kind == MODEL_GUID) {
        if (!is_text || form_read_guid(value->text, value->length, at) != FORM_OK)
            refuse_form(reader, RULE_FILE_GUID, value, "\"00112233-4455-6677-8899-aabbccddeeff\"");
    } else if (field->kind == MODEL_MAC) {
        if (!is_text || form_read_mac(value->text, value->length, at) != FORM_OK)
            refuse_form(reader, RULE_FILE_MAC, value, "\"52:54:00:12:34:56\"");
    } else if (!is_text || form_read_range(value->text, value->length, at) != FORM_OK) {
        refuse_form(reader, RULE_FILE_RANGE, value, "\"0xe0000000-0xefffffff\", first and last byte");
    }
}

static void read_bool(struct json_reader *reader, const struct doc_value *value, bool *at)
{
    if (value->kind == DOC_BOOL)
        *at = value->flag;
    else
        refuse_type(reader, value, "true or false");
}

void json_read_scalar(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                      void *at)
{
    if (field->kind == MODEL_BOOL)
        read_bool(reader, value, at);
    else if (field->kind == MODEL_UNSIGNED)
        read_unsigned(reader, field, value, at);
    else if (field->kind == MODEL_SIGNED)
        read_signed(reader, value, at);
    else if (field->kind == MODEL_ENUM)
        read_enum(reader, field, value, at);
    else if (field->kind == MODEL_TEXT)
        *(const char **)at = json_copy_text(reader, value);
    else if (field->kind == MODEL_BLOB)
        ((struct vmr_config_blob *)at)->path = json_copy_text(reader, value);
    else
        read_form(reader, field, value, at);
}
