/* SPDX-License-Identifier: MIT */
/*
 * Looking at a configuration through its tables.
 */

#include "lib/config/model.h"

#include <string.h>

#include "vmrig/config_file.h"

const void *model_value(const struct model_field *field, const void *object)
{
    return (const char *)object + field->offset;
}

static uint64_t load(const void *at, size_t width)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (width) {
    case sizeof(one):
        memcpy(&one, at, sizeof(one));
        return one;
    case sizeof(two):
        memcpy(&two, at, sizeof(two));
        return two;
    case sizeof(four):
        memcpy(&four, at, sizeof(four));
        return four;
    default:
        memcpy(&eight, at, sizeof(eight));
        return eight;
    }
}

static const void *load_pointer(const void *at)
{
    const void *pointer;

    memcpy(&pointer, at, sizeof(pointer));
    return pointer;
}

static bool is_given(const struct model_field *field, const void *object)
{
    bool given;

    memcpy(&given, (const char *)object + field->given, sizeof(given));
    return given;
}

uint64_t model_number(const struct model_field *field, const void *object)
{
    const char *at = model_value(field, object);

    return field->kind == MODEL_CHOICE ? load(at + field->tag, field->tag_width) : load(at, field->width);
}

uint64_t model_max(const struct model_field *field)
{
    if (field->max != 0)
        return field->max;
    return field->width >= sizeof(uint64_t) ? UINT64_MAX : (UINT64_C(1) << (8 * field->width)) - 1;
}

size_t model_count(const struct model_field *field, const void *object)
{
    size_t count;

    if (field->kind != MODEL_FIXED && !load_pointer(model_value(field, object)))
        return 0;
    memcpy(&count, (const char *)object + field->count, sizeof(count));
    return field->kind == MODEL_FIXED && count > field->item_max ? field->item_max : count;
}

size_t model_count_said(const struct model_field *field, const void *object)
{
    size_t count;

    memcpy(&count, (const char *)object + field->count, sizeof(count));
    return count;
}

size_t model_item_limit(const struct model_field *field)
{
    return field->item_max != 0 ? field->item_max : VMR_CONFIG_LIST_MAX;
}

size_t model_item_size(const struct model_field *field)
{
    return field->element->type ? field->element->type->size : field->element->width;
}

const void *model_item(const struct model_field *field, const void *object, size_t index)
{
    const char *at = model_value(field, object);
    const char *items = field->kind == MODEL_FIXED ? at : load_pointer(at);

    return items + index * model_item_size(field);
}

const struct model_field *model_chosen(const struct model_field *field, const void *object)
{
    uint64_t tag = model_number(field, object);

    return tag < field->alternative_count ? &field->alternatives[tag] : NULL;
}

const struct model_field *model_find(const struct model_struct *type, const char *name, size_t length)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const char *known = type->fields[i].name;

        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return &type->fields[i];
    }
    return NULL;
}

static bool is_zero(const void *at, size_t width)
{
    const char *bytes = at;

    for (size_t i = 0; i < width; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static bool struct_is_default(const struct model_struct *type, const void *object)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (!model_is_default(&type->fields[i], object))
            return false;
    }
    return true;
}

static bool blob_is_default(const struct vmr_config_blob *blob)
{
    return !blob->path && !blob->bytes;
}

bool model_is_default(const struct model_field *field, const void *object)
{
    const void *at = model_value(field, object);

    if (field->optional)
        return !is_given(field, object);
    switch (field->kind) {
    case MODEL_NOTHING:
        return true;
    case MODEL_BOOL:
    case MODEL_UNSIGNED:
    case MODEL_SIGNED:
    case MODEL_ENUM:
    case MODEL_MAC:
    case MODEL_GUID: /* and RANGE: no padding */
    case MODEL_RANGE:
        return is_zero(at, field->width);
    case MODEL_TEXT:
    case MODEL_POINTER:
    case MODEL_RESOURCE: /* its id comes first */
        return !load_pointer(at);
    case MODEL_BLOB:
        return blob_is_default(at);
    case MODEL_STRUCT:
        return struct_is_default(field->type, at);
    case MODEL_BYTES:
    case MODEL_ARRAY:
    case MODEL_FIXED:
    case MODEL_PARAMETERS:
        return model_count(field, object) == 0;
    case MODEL_CHOICE: {
        const struct model_field *chosen = model_chosen(field, object);

        return model_number(field, object) == 0 && model_is_default(chosen, at);
    }
    case MODEL_KIND_COUNT:
        break;
    }
    return true;
}

/* --- the walk --- */

struct walk {
    model_visitor *visitor;
    void *context;
    struct config_path path;
    /* Of resources in resources: what is not in a table has no end of its own. */
    unsigned depth;
    size_t nested;
};

static void walk_field(struct walk *walk, const struct model_field *field, const void *object);

static void walk_struct(struct walk *walk, const struct model_struct *type, const void *object)
{
    for (size_t i = 0; i < type->field_count; i++) {
        size_t before = path_key(&walk->path, type->fields[i].name);

        walk_field(walk, &type->fields[i], object);
        path_cut(&walk->path, before);
    }
}

static void walk_items(struct walk *walk, const struct model_field *field, const void *object)
{
    size_t count = model_count(field, object);

    if (count > model_item_limit(field))
        return;
    for (size_t i = 0; i < count; i++) {
        size_t before = path_index(&walk->path, i);

        walk_field(walk, field->element, model_item(field, object, i));
        path_cut(&walk->path, before);
    }
}

static const struct model_field nested_resource = {
    .kind = MODEL_RESOURCE, .width = sizeof(struct vmr_resource), .resource_kind = VMR_RESOURCE_KIND_COUNT};

static void walk_resource(struct walk *walk, const struct vmr_resource *resource)
{
    if (walk->depth == VMR_CONFIG_FILE_DEPTH_MAX || !resource->parameters ||
        resource->parameter_count > VMR_CONFIG_LIST_MAX)
        return;
    walk->depth++;

    size_t before = path_key(&walk->path, "parameters");

    for (size_t i = 0; i < resource->parameter_count; i++) {
        const struct vmr_parameter *parameter = &resource->parameters[i];
        size_t inside = path_key(&walk->path, parameter->name ? parameter->name : "");

        if (parameter->kind == VMR_PARAMETER_RESOURCE && parameter->resource && walk->nested++ <= VMR_CONFIG_LIST_MAX)
            walk_field(walk, &nested_resource, parameter->resource);
        path_cut(&walk->path, inside);
    }
    path_cut(&walk->path, before);
    walk->depth--;
}

static void walk_choice(struct walk *walk, const struct model_field *field, const void *object)
{
    const struct model_field *chosen = model_chosen(field, object);

    if (!chosen || chosen->kind == MODEL_NOTHING)
        return;

    size_t before = path_key(&walk->path, chosen->name);

    walk_field(walk, chosen, model_value(field, object));
    path_cut(&walk->path, before);
}

static void walk_field(struct walk *walk, const struct model_field *field, const void *object)
{
    const void *at = model_value(field, object);

    walk->visitor(walk->context, &(struct model_visit){&walk->path, field, object});
    if (field->optional && !is_given(field, object))
        return;
    if (field->kind == MODEL_STRUCT)
        walk_struct(walk, field->type, at);
    else if (field->kind == MODEL_POINTER && load_pointer(at))
        walk_struct(walk, field->type, load_pointer(at));
    else if (field->kind == MODEL_ARRAY || field->kind == MODEL_FIXED)
        walk_items(walk, field, object);
    else if (field->kind == MODEL_CHOICE)
        walk_choice(walk, field, object);
    else if (field->kind == MODEL_RESOURCE)
        walk_resource(walk, at);
}

void model_walk(const struct vmr_config *config, model_visitor *visitor, void *context)
{
    struct walk walk = {.visitor = visitor, .context = context};

    walk_struct(&walk, &model_config, config);
}
