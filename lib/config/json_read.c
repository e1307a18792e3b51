/* SPDX-License-Identifier: MIT */
/*
 * Values that consist of others: objects, arrays, choices.
 */

#include "lib/config/json_reader.h"

#include <stdlib.h>
#include <string.h>

#include "lib/config/json_forms.h"
#include "lib/config/nearest.h"

static void read_field(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                       void *object);
static void read_resource(struct json_reader *reader, const struct doc_value *value, struct vmr_resource *resource);

/* Whether it is of that kind; if not, that is refused. */
static bool is_kind(struct json_reader *reader, const struct doc_value *value, enum doc_kind kind, const char *expected)
{
    char shown[JSON_SHOWN_MAX];

    if (value->kind == kind)
        return true;
    json_show(value, shown);
    json_refuse(reader, RULE_FILE_TYPE, value, "%s is not %s", shown, expected);
    return false;
}

/* --- keys --- */

static int compare_keys(const void *a, const void *b)
{
    const struct doc_value *left = *(const struct doc_value *const *)a;
    const struct doc_value *right = *(const struct doc_value *const *)b;
    int order = strcmp(left->key, right->key);

    if (order != 0)
        return order;
    if (left->key_place.line != right->key_place.line)
        return left->key_place.line < right->key_place.line ? -1 : 1;
    return left->key_place.column < right->key_place.column ? -1 : left->key_place.column > right->key_place.column;
}

static void refuse_key(struct json_reader *reader, enum rule_file rule, const struct doc_value *value,
                       const char *message)
{
    struct doc_value at_key = *value;
    size_t before = path_key(&reader->path, value->key);

    at_key.place = value->key_place;
    json_refuse(reader, rule, &at_key, "%s", message);
    path_cut(&reader->path, before);
}

/* In the order of keys, so that equal ones are neighbours. */
static void refuse_doubles(struct json_reader *reader, const struct doc_value *object)
{
    const struct doc_value **sorted = json_alloc(reader, object->count, sizeof(struct doc_value *));
    size_t count = 0;

    if (!sorted)
        return;
    for (const struct doc_value *item = object->first; item; item = item->next)
        sorted[count++] = item;
    qsort(sorted, count, sizeof(struct doc_value *), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            refuse_key(reader, RULE_FILE_KEY_TWICE, sorted[i], "this key comes a second time");
    }
}

/* What was meant counts as unread too: that it is missing was then said. */
static void refuse_unknown(struct json_reader *reader, const struct model_struct *type, const struct doc_value *value)
{
    struct nearest nearest = {.name = value->key, .length = value->key_length};
    char shown[JSON_SHOWN_MAX], message[2 * JSON_SHOWN_MAX] = "this key is not known";

    if (reader->report->count < VMR_CONFIG_FINDING_MAX) {
        for (size_t i = 0; i < type->field_count; i++)
            nearest_look(&nearest, type->fields[i].name);
    }
    json_show_nearest(&nearest, shown);
    strcat(message, shown);
    refuse_key(reader, RULE_FILE_KEY_UNKNOWN, value, message);
    if (nearest.found) {
        size_t before = path_key(&reader->path, nearest.found);

        json_add_unread(reader, reader->path.text);
        path_cut(&reader->path, before);
    }
}

void json_read_struct(struct json_reader *reader, const struct model_struct *type, const struct doc_value *value,
                      void *object)
{
    if (!is_kind(reader, value, DOC_OBJECT, "an object"))
        return;
    refuse_doubles(reader, value);
    for (const struct doc_value *item = value->first; item && !reader->no_memory; item = item->next) {
        const struct model_field *field = model_find(type, item->key, item->key_length);

        if (!field) {
            refuse_unknown(reader, type, item);
            continue;
        }

        size_t before = path_key(&reader->path, field->name);

        read_field(reader, field, item, object);
        path_cut(&reader->path, before);
    }
}

/* --- arrays --- */

static char *place_for_items(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                             void *object)
{
    char *at = (char *)object + field->offset;

    if (field->kind == MODEL_FIXED) {
        if (value->count <= field->item_max)
            return at;
        json_refuse(reader, RULE_FILE_ITEMS, value, "there are %zu, at most %zu", value->count, field->item_max);
        return NULL;
    }
    char *items = json_alloc(reader, value->count, model_item_size(field));

    if (items && value->count > 0)
        memcpy(at, &items, sizeof(items));
    return items;
}

static void read_array(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                       void *object)
{
    const size_t size = model_item_size(field);
    size_t index = 0;

    if (!is_kind(reader, value, DOC_ARRAY, "an array"))
        return;

    char *items = place_for_items(reader, field, value, object);

    if (!items)
        return;
    memcpy((char *)object + field->count, &value->count, sizeof(value->count));
    for (const struct doc_value *item = value->first; item && !reader->no_memory; item = item->next, index++) {
        size_t before = path_index(&reader->path, index);

        read_field(reader, field->element, item, items + index * size);
        path_cut(&reader->path, before);
    }
}

/* --- one of several --- */

static bool find_alternative(const struct model_field *field, const char *name, size_t length, size_t *ret_tag)
{
    for (size_t i = 0; i < field->alternative_count; i++) {
        const char *known = field->alternatives[i].name;

        if (strlen(known) == length && memcmp(known, name, length) == 0) {
            *ret_tag = i;
            return true;
        }
    }
    return false;
}

static void refuse_alternative(struct json_reader *reader, const struct model_field *field,
                               const struct doc_value *value, const char *name, size_t length)
{
    struct nearest nearest = {.name = name, .length = length};
    char list[JSON_LIST_MAX] = "";

    for (size_t i = 0; i < field->alternative_count; i++) {
        nearest_look(&nearest, field->alternatives[i].name);
        json_list(list, field->alternatives[i].name);
    }
    json_refuse_name(reader, value, &nearest, list);
}

/* A kind by its name alone: it has no value, or one whose parts may all be missing. */
static bool may_be_bare(const struct model_field *chosen)
{
    return chosen->kind == MODEL_NOTHING || chosen->kind == MODEL_STRUCT;
}

static void read_choice(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                        char *at)
{
    const bool is_bare = value->kind == DOC_TEXT;
    const struct doc_value *payload = value->kind == DOC_OBJECT && value->count == 1 ? value->first : NULL;
    size_t tag;

    if (!is_bare && !payload) {
        json_refuse(reader, RULE_FILE_CHOICE, value, "neither a kind's name nor an object with that name as its key");
        return;
    }
    const char *name = is_bare ? value->text : payload->key;
    const size_t length = is_bare ? value->length : payload->key_length;

    if (!find_alternative(field, name, length, &tag)) {
        refuse_alternative(reader, field, value, name, length);
        return;
    }
    const struct model_field *chosen = &field->alternatives[tag];

    if (is_bare ? !may_be_bare(chosen) : chosen->kind == MODEL_NOTHING) {
        if (is_bare)
            json_refuse(reader, RULE_FILE_CHOICE, value, "it needs a value: {\"%s\": ...}", chosen->name);
        else
            json_refuse(reader, RULE_FILE_CHOICE, value, "it takes no value: \"%s\"", chosen->name);
        return;
    }
    const uint32_t number = (uint32_t)tag;
    const bool flag = tag != 0;

    memcpy(at + field->tag, field->tag_width == sizeof(flag) ? (const void *)&flag : (const void *)&number,
           field->tag_width);
    if (is_bare)
        return;

    size_t before = path_key(&reader->path, chosen->name);

    read_field(reader, chosen, payload, at);
    path_cut(&reader->path, before);
}

/* --- resources --- */

static const struct model_field parameter_number = {.kind = MODEL_UNSIGNED, .is_size = true, .width = sizeof(uint64_t)};

/* A text that looks like a number is one; {"text": "64K"} is a text in any case. */
static bool is_number(const struct doc_value *value)
{
    uint64_t number;

    return value->kind == DOC_NUMBER ||
           (value->kind == DOC_TEXT && form_read_size(value->text, value->length, &number) != FORM_BAD);
}

static void read_object_parameter(struct json_reader *reader, const struct doc_value *value,
                                  struct vmr_parameter *parameter)
{
    if (value->count == 1 && strcmp(value->first->key, "text") == 0) {
        parameter->kind = VMR_PARAMETER_TEXT;
        parameter->text = json_copy_text(reader, value->first);
        return;
    }
    struct vmr_resource *resource = json_alloc(reader, 1, sizeof(*resource));

    parameter->kind = VMR_PARAMETER_RESOURCE;
    parameter->resource = resource;
    if (resource)
        read_resource(reader, value, resource);
}

static void read_parameter(struct json_reader *reader, const struct doc_value *value, struct vmr_parameter *parameter)
{
    if (value->kind == DOC_BOOL) {
        parameter->kind = VMR_PARAMETER_BOOL;
        parameter->flag = value->flag;
    } else if (is_number(value)) {
        parameter->kind = VMR_PARAMETER_NUMBER;
        json_read_scalar(reader, &parameter_number, value, &parameter->number);
    } else if (value->kind == DOC_TEXT) {
        parameter->kind = VMR_PARAMETER_TEXT;
        parameter->text = json_copy_text(reader, value);
    } else if (is_kind(reader, value, DOC_OBJECT, "true, false, a number, a text or a resource")) {
        read_object_parameter(reader, value, parameter);
    }
}

static void read_parameters(struct json_reader *reader, const struct doc_value *value, struct vmr_resource *resource)
{
    if (!is_kind(reader, value, DOC_OBJECT, "an object"))
        return;
    refuse_doubles(reader, value);

    struct vmr_parameter *parameters = json_alloc(reader, value->count, sizeof(*parameters));

    if (!parameters)
        return;
    resource->parameters = value->count > 0 ? parameters : NULL;
    resource->parameter_count = value->count;
    for (const struct doc_value *item = value->first; item && !reader->no_memory; item = item->next, parameters++) {
        size_t before = path_key(&reader->path, item->key);

        parameters->name = item->key;
        read_parameter(reader, item, parameters);
        path_cut(&reader->path, before);
    }
}

static void read_resource(struct json_reader *reader, const struct doc_value *value, struct vmr_resource *resource)
{
    const struct doc_value *item = value->kind == DOC_OBJECT ? value->first : NULL;

    json_read_struct(reader, &model_resource, value, resource);
    while (item && strcmp(item->key, "id") != 0)
        item = item->next;
    if (!item && value->kind == DOC_OBJECT)
        json_refuse(reader, RULE_FILE_RESOURCE, value, "the resource has no \"id\"");
}

/* --- all kinds --- */

static void read_pointer(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                         char *at)
{
    void *target = json_alloc(reader, 1, field->type->size);

    if (!target)
        return;
    memcpy(at, &target, sizeof(target));
    json_read_struct(reader, field->type, value, target);
}

static void read_field(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                       void *object)
{
    char *at = (char *)object + field->offset;
    const bool given = true;

    if (field->optional)
        memcpy((char *)object + field->given, &given, sizeof(given));
    if (field->kind == MODEL_STRUCT)
        json_read_struct(reader, field->type, value, at);
    else if (field->kind == MODEL_POINTER)
        read_pointer(reader, field, value, at);
    else if (field->kind == MODEL_ARRAY || field->kind == MODEL_FIXED)
        read_array(reader, field, value, object);
    else if (field->kind == MODEL_CHOICE)
        read_choice(reader, field, value, at);
    else if (field->kind == MODEL_RESOURCE)
        read_resource(reader, value, (void *)at);
    else if (field->kind == MODEL_PARAMETERS)
        read_parameters(reader, value, object);
    else if (field->kind == MODEL_BYTES)
        json_read_bytes(reader, field, value, object);
    else
        json_read_scalar(reader, field, value, at);
}
