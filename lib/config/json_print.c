/* SPDX-License-Identifier: MIT */
/*
 * The canonical form: the tables say the order, and what is at its default is
 * left out.
 */

#include "vmrig/config_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/config/json_forms.h"
#include "lib/config/json_writer.h"
#include "lib/config/model.h"

struct printer {
    struct json_writer writer;
    struct config_path path;
    enum vmr_status status; /* of the first thing that cannot be said */
    struct vmr_error *err;
};

static void print_field(struct printer *printer, const struct model_field *field, const void *object);

static void fail(struct printer *printer, const char *message)
{
    if (printer->status == VMR_OK)
        printer->status = vmr_error_set(printer->err, VMR_E_CONFIG, "%s: %s", printer->path.text, message);
}

/* Deeper than a file may be: only what points in circles is. */
static bool too_deep(struct printer *printer)
{
    if (printer->writer.depth < VMR_CONFIG_FILE_DEPTH_MAX)
        return false;
    fail(printer, "is deeper than a file may be");
    return true;
}

static void print_text(struct printer *printer, const char *text)
{
    json_t *json = json_string(text); /* which looks whether it is UTF-8 */

    if (!json) {
        fail(printer, "the text is not in UTF-8");
        return;
    }
    json_decref(json);
    json_text(&printer->writer, text);
}

static void print_unsigned(struct printer *printer, const struct model_field *field, uint64_t number)
{
    char text[FORM_MAX];

    if (field->is_size && form_write_size(number, text)) {
        json_text(&printer->writer, text);
    } else if (field->is_hex || number > INT64_MAX) { /* which is where numbers end for many programs */
        form_write_hex(number, text);
        json_text(&printer->writer, text);
    } else {
        json_number(&printer->writer, number);
    }
}

static void print_signed(struct printer *printer, const int64_t *number)
{
    char text[FORM_MAX];

    snprintf(text, sizeof(text), "%" PRId64, *number);
    json_literal(&printer->writer, text);
}

static void print_enum(struct printer *printer, const struct model_field *field, const void *object)
{
    uint64_t number = model_number(field, object);

    if (number < field->name_count)
        json_text(&printer->writer, field->names[number]);
    else
        fail(printer, "there is no such kind");
}

static void print_bytes(struct printer *printer, const struct model_field *field, const void *object)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = *(const uint8_t *const *)model_value(field, object);
    size_t count = model_count(field, object);
    char pair[3] = "";

    json_literal(&printer->writer, "\"");
    for (size_t i = 0; i < count; i++) {
        pair[0] = digits[bytes[i] >> 4];
        pair[1] = digits[bytes[i] & 15];
        json_literal(&printer->writer, pair);
    }
    json_literal(&printer->writer, "\"");
}

static void print_blob(struct printer *printer, const struct vmr_config_blob *blob)
{
    if (blob->bytes)
        fail(printer, "bytes are in no file");
    else
        print_text(printer, blob->path);
}

static void print_range(struct printer *printer, const struct vmr_gpa_range *range)
{
    char text[FORM_MAX];

    if (form_write_range(range, text))
        json_text(&printer->writer, text);
    else
        fail(printer, "an empty range cannot be written");
}

static void print_guid(struct printer *printer, const struct vmr_guid *guid)
{
    char text[FORM_MAX];

    form_write_guid(guid, text);
    json_text(&printer->writer, text);
}

static void print_mac(struct printer *printer, const uint8_t *mac)
{
    char text[FORM_MAX];

    form_write_mac(mac, text);
    json_text(&printer->writer, text);
}

/* --- what consists of others --- */

static void print_struct(struct printer *printer, const struct model_struct *type, const void *object)
{
    if (too_deep(printer))
        return;
    json_open(&printer->writer, '{');
    for (size_t i = 0; i < type->field_count && printer->status == VMR_OK; i++) {
        if (model_is_default(&type->fields[i], object))
            continue;

        size_t before = path_key(&printer->path, type->fields[i].name);

        json_key(&printer->writer, type->fields[i].name);
        print_field(printer, &type->fields[i], object);
        path_cut(&printer->path, before);
    }
    json_close(&printer->writer, '}');
}

static void print_array(struct printer *printer, const struct model_field *field, const void *object)
{
    size_t count = model_count(field, object);

    if (field->element->type || field->element->kind == MODEL_CHOICE)
        json_open(&printer->writer, '[');
    else
        json_open_in_line(&printer->writer);
    for (size_t i = 0; i < count && printer->status == VMR_OK; i++) {
        size_t before = path_index(&printer->path, i);

        json_item(&printer->writer);
        print_field(printer, field->element, model_item(field, object, i));
        path_cut(&printer->path, before);
    }
    json_close(&printer->writer, ']');
}

static void print_choice(struct printer *printer, const struct model_field *field, const void *object)
{
    const struct model_field *chosen = model_chosen(field, object);
    const void *at = model_value(field, object);

    if (!chosen) {
        fail(printer, "there is no such kind");
        return;
    }
    if (chosen->kind == MODEL_NOTHING || (chosen->kind == MODEL_STRUCT && model_is_default(chosen, at))) {
        json_text(&printer->writer, chosen->name);
        return;
    }
    size_t before = path_key(&printer->path, chosen->name);

    json_open(&printer->writer, '{');
    json_key(&printer->writer, chosen->name);
    print_field(printer, chosen, at);
    json_close(&printer->writer, '}');
    path_cut(&printer->path, before);
}

static void print_resource(struct printer *printer, const struct vmr_resource *resource)
{
    if (resource->id)
        print_struct(printer, &model_resource, resource);
    else
        fail(printer, "the resource has no id");
}

static const struct model_field parameter_number = {.is_size = true};

static void print_parameter_text(struct printer *printer, const char *text)
{
    uint64_t number;

    if (form_read_size(text, strlen(text), &number) == FORM_BAD) {
        print_text(printer, text);
        return;
    }
    json_open(&printer->writer, '{'); /* a text that looks like a number */
    json_key_text(&printer->writer, "text", text);
    json_close(&printer->writer, '}');
}

static void print_parameter(struct printer *printer, const struct vmr_parameter *parameter)
{
    if (parameter->kind == VMR_PARAMETER_BOOL)
        json_literal(&printer->writer, parameter->flag ? "true" : "false");
    else if (parameter->kind == VMR_PARAMETER_NUMBER)
        print_unsigned(printer, &parameter_number, parameter->number);
    else if (parameter->kind == VMR_PARAMETER_TEXT && parameter->text)
        print_parameter_text(printer, parameter->text);
    else if (parameter->kind == VMR_PARAMETER_RESOURCE && parameter->resource)
        print_resource(printer, parameter->resource);
    else
        fail(printer, "the parameter has no value");
}

static void print_parameters(struct printer *printer, const struct model_field *field, const void *object)
{
    const struct vmr_parameter *parameters = *(const struct vmr_parameter *const *)model_value(field, object);
    size_t count = model_count(field, object);

    if (too_deep(printer))
        return;
    json_open(&printer->writer, '{');
    for (size_t i = 0; i < count && printer->status == VMR_OK; i++) {
        const char *name = parameters[i].name ? parameters[i].name : "";
        size_t before = path_key(&printer->path, name);

        json_item(&printer->writer);
        print_text(printer, name);
        json_literal(&printer->writer, ": ");
        print_parameter(printer, &parameters[i]);
        path_cut(&printer->path, before);
    }
    json_close(&printer->writer, '}');
}

/* Long because there are that many kinds: each is one line. */
static void print_field(struct printer *printer, const struct model_field *field, const void *object)
{
    const void *at = model_value(field, object);

    switch (field->kind) {
    case MODEL_BOOL:
        json_literal(&printer->writer, model_number(field, object) != 0 ? "true" : "false");
        return;
    case MODEL_UNSIGNED:
        print_unsigned(printer, field, model_number(field, object));
        return;
    case MODEL_SIGNED:
        print_signed(printer, at);
        return;
    case MODEL_ENUM:
        print_enum(printer, field, object);
        return;
    case MODEL_TEXT:
        print_text(printer, *(const char *const *)at);
        return;
    case MODEL_GUID:
        print_guid(printer, at);
        return;
    case MODEL_MAC:
        print_mac(printer, at);
        return;
    case MODEL_RANGE:
        print_range(printer, at);
        return;
    case MODEL_BYTES:
        print_bytes(printer, field, object);
        return;
    case MODEL_BLOB:
        print_blob(printer, at);
        return;
    case MODEL_STRUCT:
        print_struct(printer, field->type, at);
        return;
    case MODEL_POINTER:
        print_struct(printer, field->type, *(const void *const *)at);
        return;
    case MODEL_ARRAY:
    case MODEL_FIXED:
        print_array(printer, field, object);
        return;
    case MODEL_CHOICE:
        print_choice(printer, field, object);
        return;
    case MODEL_RESOURCE:
        print_resource(printer, at);
        return;
    case MODEL_PARAMETERS:
        print_parameters(printer, field, object);
        return;
    case MODEL_NOTHING:
    case MODEL_KIND_COUNT:
        break;
    }
}

static bool has_live(const struct vmr_config_live *live)
{
    return live->input || live->firmware_event || live->debugger;
}

enum vmr_status vmr_config_print(const struct vmr_config *config, struct vmr_config_text *ret_text,
                                 struct vmr_error *err)
{
    struct printer printer = {.err = err};

    if (has_live(&config->live))
        return vmr_error_set(err, VMR_E_CONFIG, "live: what an embedder gives is in no file");
    print_struct(&printer, &model_config, config);
    if (printer.status == VMR_OK && printer.writer.length >= VMR_CONFIG_FILE_BYTES_MAX)
        fail(&printer, "the text is larger than a file may be");
    if (printer.status != VMR_OK) {
        json_discard(&printer.writer);
        return printer.status;
    }
    return json_finish(&printer.writer, ret_text, err);
}
