/* SPDX-License-Identifier: MIT */
/*
 * What the reader takes, as a JSON Schema, for editors and other programs.
 */

#include "vmrig/config_file.h"

#include <string.h>

#include "lib/config/json_writer.h"
#include "lib/config/model.h"

#define TYPE_MAX 64u /* structs that fields are of */

struct schema {
    struct json_writer writer;
    const struct model_struct *types[TYPE_MAX]; /* in the order in which they are met */
    size_t type_count;
};

static void write_value(struct schema *schema, const struct model_field *field);

static void write_reference(struct schema *schema, const struct model_struct *type)
{
    char reference[64] = "#/$defs/";
    size_t at = 0;

    while (at < schema->type_count && schema->types[at] != type)
        at++;
    if (at == schema->type_count && at < TYPE_MAX)
        schema->types[schema->type_count++] = type;
    strncat(reference, type->name, sizeof(reference) - strlen(reference) - 1);
    json_key_text(&schema->writer, "$ref", reference);
}

static void write_pattern(struct schema *schema, const char *pattern)
{
    json_key_text(&schema->writer, "type", "string");
    json_key_text(&schema->writer, "pattern", pattern);
}

static void write_unsigned(struct schema *schema, const struct model_field *field)
{
    struct json_writer *writer = &schema->writer;

    json_key(writer, "anyOf");
    json_open(writer, '[');
    json_item(writer);
    json_open(writer, '{');
    json_key_text(writer, "type", "integer");
    json_key_number(writer, "minimum", field->min);
    json_key_number(writer, "maximum", model_max(field));
    if (field->align != 0)
        json_key_number(writer, "multipleOf", field->align);
    json_close(writer, '}');
    json_item(writer);
    json_open(writer, '{');
    write_pattern(schema, field->is_size ? "^(0x[0-9a-fA-F]+|[0-9]+ ?[KMGT](iB)?)$" : "^0x[0-9a-fA-F]+$");
    json_close(writer, '}');
    json_close(writer, ']');
}

static void write_names(struct schema *schema, const struct model_field *field)
{
    json_key(&schema->writer, "enum");
    json_open_in_line(&schema->writer);
    for (size_t i = 0; i < field->name_count; i++) {
        json_item(&schema->writer);
        json_text(&schema->writer, field->names[i]);
    }
    json_close(&schema->writer, ']');
}

static void write_items(struct schema *schema, const struct model_field *field)
{
    json_key_text(&schema->writer, "type", "array");
    if (field->item_max != 0)
        json_key_number(&schema->writer, "maxItems", field->item_max);
    json_key(&schema->writer, "items");
    json_open(&schema->writer, '{');
    write_value(schema, field->element);
    json_close(&schema->writer, '}');
}

/* Alternatives: a name of its own, an object with the name as its one key. */
static void write_name_alternative(struct json_writer *writer, const struct model_field *one)
{
    json_item(writer);
    json_open(writer, '{');
    if (one->about)
        json_key_text(writer, "description", one->about);
    json_key_text(writer, "const", one->name);
    json_close(writer, '}');
}

static void write_object_alternative(struct schema *schema, const struct model_field *one)
{
    struct json_writer *writer = &schema->writer;

    json_item(writer);
    json_open(writer, '{');
    json_key_text(writer, "type", "object");
    json_key(writer, "properties");
    json_open(writer, '{');
    json_key(writer, one->name);
    json_open(writer, '{');
    if (one->about)
        json_key_text(writer, "description", one->about);
    write_value(schema, one);
    json_close(writer, '}');
    json_close(writer, '}');
    json_key(writer, "required");
    json_open_in_line(writer);
    json_item(writer);
    json_text(writer, one->name);
    json_close(writer, ']');
    json_key_literal(writer, "additionalProperties", "false");
    json_close(writer, '}');
}

static bool has_required(const struct model_struct *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].required)
            return true;
    }
    return false;
}

static void write_choice(struct schema *schema, const struct model_field *field)
{
    json_key(&schema->writer, "anyOf");
    json_open(&schema->writer, '[');
    for (size_t i = 0; i < field->alternative_count; i++) {
        const struct model_field *one = &field->alternatives[i];

        if (one->kind == MODEL_NOTHING || (one->kind == MODEL_STRUCT && !has_required(one->type)))
            write_name_alternative(&schema->writer, one);
        if (one->kind != MODEL_NOTHING)
            write_object_alternative(schema, one);
    }
    json_close(&schema->writer, ']');
}

/* What else a parameter may be: see json_read.c. */
static void write_parameters(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;

    json_key_text(writer, "type", "object");
    json_key(writer, "additionalProperties");
    json_open(writer, '{');
    json_key(writer, "anyOf");
    json_open(writer, '[');
    json_item(writer);
    json_literal(writer, "{\"type\": [\"boolean\", \"string\"]}");
    json_item(writer);
    json_literal(writer, "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 18446744073709551615}");
    json_item(writer);
    json_literal(writer, "{\"type\": \"object\", \"properties\": {\"text\": {\"type\": \"string\"}}, "
                         "\"required\": [\"text\"], \"additionalProperties\": false}");
    json_item(writer);
    json_open(writer, '{');
    write_reference(schema, &model_resource);
    json_close(writer, '}');
    json_close(writer, ']');
    json_close(writer, '}');
}

static void write_text(struct schema *schema, const struct model_field *field)
{
    json_key_text(&schema->writer, "type", "string");
    if (field->required)
        json_key_number(&schema->writer, "minLength", 1);
}

/* Long because there are that many kinds: each is one line. */
static void write_value(struct schema *schema, const struct model_field *field)
{
    switch (field->kind) {
    case MODEL_BOOL:
        json_key_text(&schema->writer, "type", "boolean");
        return;
    case MODEL_UNSIGNED:
        write_unsigned(schema, field);
        return;
    case MODEL_SIGNED:
        json_key_text(&schema->writer, "type", "integer");
        json_key_literal(&schema->writer, "minimum", "-9223372036854775808");
        json_key_number(&schema->writer, "maximum", INT64_MAX);
        return;
    case MODEL_ENUM:
        write_names(schema, field);
        return;
    case MODEL_TEXT:
    case MODEL_BLOB:
        write_text(schema, field);
        return;
    case MODEL_GUID:
        write_pattern(schema, "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$");
        return;
    case MODEL_MAC:
        write_pattern(schema, "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$");
        return;
    case MODEL_RANGE:
        write_pattern(schema, "^0x[0-9a-fA-F]+-0x[0-9a-fA-F]+$");
        return;
    case MODEL_BYTES:
        write_pattern(schema, "^([0-9a-fA-F]{2})*$");
        return;
    case MODEL_STRUCT:
    case MODEL_POINTER:
        write_reference(schema, field->type);
        return;
    case MODEL_ARRAY:
    case MODEL_FIXED:
        write_items(schema, field);
        return;
    case MODEL_CHOICE:
        write_choice(schema, field);
        return;
    case MODEL_RESOURCE:
        write_reference(schema, &model_resource);
        return;
    case MODEL_PARAMETERS:
        write_parameters(schema);
        return;
    case MODEL_NOTHING:
    case MODEL_KIND_COUNT:
        break;
    }
}

/* What holds if the key is missing, where there is a word for it. */
static void write_default(struct json_writer *writer, const struct model_field *field)
{
    if (field->optional)
        return;
    if (field->kind == MODEL_BOOL)
        json_key_literal(writer, "default", "false");
    else if (field->kind == MODEL_ENUM)
        json_key_text(writer, "default", field->names[0]);
    else if (field->kind == MODEL_CHOICE && field->alternatives[0].kind == MODEL_NOTHING)
        json_key_text(writer, "default", field->alternatives[0].name);
}

static void write_required(struct json_writer *writer, const struct model_struct *type)
{
    if (!has_required(type))
        return;
    json_key(writer, "required");
    json_open_in_line(writer);
    for (size_t i = 0; i < type->field_count; i++) {
        if (!type->fields[i].required)
            continue;
        json_item(writer);
        json_text(writer, type->fields[i].name);
    }
    json_close(writer, ']');
}

static void write_struct(struct schema *schema, const struct model_struct *type)
{
    struct json_writer *writer = &schema->writer;

    json_key_text(writer, "description", type->about);
    json_key_text(writer, "type", "object");
    json_key(writer, "properties");
    json_open(writer, '{');
    for (size_t i = 0; i < type->field_count; i++) {
        json_key(writer, type->fields[i].name);
        json_open(writer, '{');
        json_key_text(writer, "description", type->fields[i].about);
        if (type->fields[i].kind == MODEL_RESOURCE)
            json_key_text(writer, "$comment", vmr_resource_kind_name(type->fields[i].resource_kind));
        write_value(schema, &type->fields[i]);
        write_default(writer, &type->fields[i]);
        json_close(writer, '}');
    }
    json_close(writer, '}');
    write_required(writer, type);
    json_key_literal(writer, "additionalProperties", "false");
}

enum vmr_status vmr_config_schema(struct vmr_config_text *ret_text, struct vmr_error *err)
{
    struct schema schema = {0};

    json_open(&schema.writer, '{');
    json_key_text(&schema.writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_key_text(&schema.writer, "title", "vmrig configuration");
    write_struct(&schema, &model_config);
    json_key(&schema.writer, "$defs");
    json_open(&schema.writer, '{');
    for (size_t i = 0; i < schema.type_count; i++) { /* which goes on as types name others */
        json_key(&schema.writer, schema.types[i]->name);
        json_open(&schema.writer, '{');
        write_struct(&schema, schema.types[i]);
        json_close(&schema.writer, '}');
    }
    json_close(&schema.writer, '}');
    json_close(&schema.writer, '}');
    return json_finish(&schema.writer, ret_text, err);
}
