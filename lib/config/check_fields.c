/* SPDX-License-Identifier: MIT */
/*
 * Each value by itself, as the model's tables say it must be: for files this
 * finds what their syntax allows, for structs also what C does.
 *
 * Violations have rules by their kind; where a field's own rule says more, it is
 * in a table by the field's place.
 */

#include "lib/config/check.h"

#include <inttypes.h>
#include <string.h>

#include "lib/config/keys.h"
#include "lib/config/model.h"

#define RULE(name) &rules_field[RULE_FIELD_##name]

#define NAME_LENGTH_MAX 1023u
#define TEXT_LENGTH_MAX 4095u

/* --- rules of certain fields --- */

static const struct {
    const char *place; /* without the numbers of elements */
    const struct vmr_config_rule *general, *special;
} special_rules[] = {
    {"custom_uefi_vars.custom_vars[].name", RULE(TEXT_LONG), &rules_uefi[RULE_UEFI_NAME_LONG]},
    {"load_mode.pcat.boot_order", RULE(LIST_MANY), &rules_load[RULE_LOAD_BOOT_ORDER_COUNT]},
    {"numa.distances[].distance", RULE(RANGE), &rules_numa[RULE_NUMA_DISTANCE_LOW]},
    {"numa.nodes[].mem.mem_size", RULE(MULTIPLE), &rules_numa[RULE_NUMA_MEMORY_PAGE]},
    {"pci_chipset_devices[].device", RULE(RANGE), &rules_chipset[RULE_CHIPSET_PCI_DEVICE_NUMBER]},
    {"pci_chipset_devices[].function", RULE(RANGE), &rules_chipset[RULE_CHIPSET_PCI_FUNCTION_NUMBER]},
    {"pcie_root_complexes[].cxl.hdm_size", RULE(MULTIPLE), &rules_pcie[RULE_PCIE_CXL_SIZE_ALIGNMENT]},
    {"pcie_root_complexes[].cxl.hdm_window_restrictions", RULE(RANGE), &rules_pcie[RULE_PCIE_CXL_RESTRICTIONS]},
    {"processor_topology.proc_count", RULE(RANGE), &rules_processor[RULE_CPU_COUNT_LARGE]},
    {"processor_topology.arm64.gic_nr_irqs", NULL, &rules_processor[RULE_CPU_NR_IRQS]},
    {"processor_topology.arm64.pmu_gsiv.gsiv", NULL, &rules_processor[RULE_CPU_PMU_PPI]},
    {"processor_topology.arm64.virt_timer_ppi", NULL, &rules_processor[RULE_CPU_TIMER_PPI]},
    {"vmgs.disk", RULE(REQUIRED), &rules_device[RULE_DEVICE_VMGS_DISK_MISSING]},
    {"vmgs.reprovision", RULE(REQUIRED), &rules_device[RULE_DEVICE_VMGS_DISK_MISSING]},
    {"vmgs.reprovision_on_failure", RULE(REQUIRED), &rules_device[RULE_DEVICE_VMGS_DISK_MISSING]},
};

/* "a[12].b" is at "a[].b". */
static bool is_at(const char *path, const char *place)
{
    for (; *path && *path == *place; path++, place++) {
        if (*path == '[')
            path += strspn(path + 1, "0123456789");
    }
    return *path == *place;
}

static const struct vmr_config_rule *rule_at(const char *path, const struct vmr_config_rule *general)
{
    for (size_t i = 0; i < sizeof(special_rules) / sizeof(special_rules[0]); i++) {
        if ((!special_rules[i].general || special_rules[i].general == general) && is_at(path, special_rules[i].place))
            return special_rules[i].special;
    }
    return general;
}

#define VIOLATES(check, rule, path, ...) FOUND(check, rule_at((path)->text, rule), path, __VA_ARGS__)

/* --- numbers --- */

static void check_number(struct check *check, const struct model_visit *visit)
{
    const struct model_field *field = visit->field;
    uint64_t value = model_number(field, visit->object);

    if (value < field->min)
        VIOLATES(check, RULE(RANGE), visit->path, "%" PRIu64 ", at least %" PRIu64, value, field->min);
    else if (value > model_max(field))
        VIOLATES(check, RULE(RANGE), visit->path, "%" PRIu64 ", at most %" PRIu64, value, model_max(field));
    else if (field->align > 1 && value % field->align != 0)
        VIOLATES(check, RULE(MULTIPLE), visit->path, "%#" PRIx64 " is no multiple of %#" PRIx64, value, field->align);
}

static void check_named(struct check *check, const struct model_visit *visit, size_t count)
{
    uint64_t value = model_number(visit->field, visit->object);

    if (value >= count)
        VIOLATES(check, RULE(ENUM), visit->path, "%" PRIu64 ", and there are %zu choices", value, count);
}

/* --- texts --- */

/* Bytes of the character that begins here; 0: none does (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *at)
{
    static const struct {
        unsigned char first, last, second_first, second_last;
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;

    while (i < sizeof(forms) / sizeof(forms[0]) && (at[0] < forms[i].first || at[0] > forms[i].last))
        i++;
    if (i == sizeof(forms) / sizeof(forms[0]) || at[1] < forms[i].second_first || at[1] > forms[i].second_last)
        return 0;
    for (size_t j = 2; j < forms[i].length; j++) {
        if (at[j] < 0x80 || at[j] > 0xbf)
            return 0;
    }
    return forms[i].length;
}

/* One finding a text. */
static void check_characters(struct check *check, const struct config_path *path, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        size_t length = utf8_length(at);

        if (length == 0 || *at < 0x20 || *at == 0x7f) {
            FOUND(check, length == 0 ? RULE(TEXT_UTF8) : RULE(TEXT_CONTROL), path, "byte %#x at %zu", *at,
                  (size_t)(at - (const unsigned char *)text));
            return;
        }
        at += length;
    }
}

static void check_text(struct check *check, const struct config_path *path, const char *text, size_t length_max)
{
    size_t length = strlen(text);

    if (length > length_max)
        VIOLATES(check, RULE(TEXT_LONG), path, "%zu bytes, at most %zu", length, length_max);
    check_characters(check, path, text);
}

static void check_text_field(struct check *check, const struct model_visit *visit)
{
    const char *text;

    memcpy(&text, model_value(visit->field, visit->object), sizeof(text));
    if (!text) {
        if (visit->field->required)
            VIOLATES(check, RULE(REQUIRED), visit->path, "there is none");
        return;
    }
    if (visit->field->required && *text == '\0')
        VIOLATES(check, RULE(TEXT_EMPTY), visit->path, "''");
    /* Others that are no names have limits of their own. */
    check_text(check, visit->path, text, visit->field->required ? NAME_LENGTH_MAX : SIZE_MAX);
}

static void check_blob(struct check *check, const struct model_visit *visit)
{
    const struct vmr_config_blob *blob = model_value(visit->field, visit->object);

    if (!blob_is_given(blob)) {
        if (visit->field->required)
            VIOLATES(check, RULE(REQUIRED), visit->path, "there is none");
    } else if (blob->bytes && blob->size == 0) {
        VIOLATES(check, RULE(BLOB_EMPTY), visit->path, "0 bytes");
    } else if (!blob->bytes && *blob->path == '\0') {
        VIOLATES(check, RULE(TEXT_EMPTY), visit->path, "''");
    } else if (!blob->bytes) {
        check_text(check, visit->path, blob->path, TEXT_LENGTH_MAX);
    }
}

/* --- lists --- */

static void check_list(struct check *check, const struct model_visit *visit)
{
    size_t said = model_count_said(visit->field, visit->object), limit = model_item_limit(visit->field);

    if (visit->field->kind != MODEL_FIXED && model_count(visit->field, visit->object) != said)
        VIOLATES(check, RULE(LIST_NULL), visit->path, "%zu elements at no address", said);
    else if (visit->field->kind != MODEL_BYTES && said > limit)
        VIOLATES(check, RULE(LIST_MANY), visit->path, "%zu elements, at most %zu", said, limit);
    else if (visit->field->required && said == 0)
        VIOLATES(check, RULE(REQUIRED), visit->path, "there are none");
}

/* --- resources --- */

/* Also for one that stands in itself: ends when `budget` does. */
static bool is_nested_too_deep(const struct vmr_resource *resource, unsigned depth, size_t *budget)
{
    size_t count =
        resource->parameters && resource->parameter_count <= VMR_CONFIG_LIST_MAX ? resource->parameter_count : 0;

    for (size_t i = 0; i < count; i++) {
        const struct vmr_parameter *parameter = &resource->parameters[i];

        if (parameter->kind != VMR_PARAMETER_RESOURCE || !parameter->resource)
            continue;
        if (depth == VMR_CONFIG_RESOURCE_DEPTH_MAX || *budget == 0)
            return true;
        --*budget;
        if (is_nested_too_deep(parameter->resource, depth + 1, budget))
            return true;
    }
    return false;
}

static void check_parameter(struct check *check, const struct config_path *path, const struct vmr_parameter *parameter)
{
    switch (parameter->kind) {
    case VMR_PARAMETER_TEXT:
        if (parameter->text)
            check_text(check, path, parameter->text, TEXT_LENGTH_MAX);
        else
            FOUND(check, RULE(PARAMETER_VALUE), path, "a text at no address");
        break;
    case VMR_PARAMETER_RESOURCE:
        if (!parameter->resource || !parameter->resource->id)
            FOUND(check, RULE(PARAMETER_VALUE), path, "a resource that is none");
        break;
    case VMR_PARAMETER_BOOL:
    case VMR_PARAMETER_NUMBER:
        break;
    case VMR_PARAMETER_KIND_COUNT:
    default:
        FOUND(check, RULE(PARAMETER_KIND), path, "kind %d", (int)parameter->kind);
    }
}

static void check_parameter_name(struct check *check, const struct config_path *path, const struct keys *names,
                                 const struct key *name)
{
    const char *text = name->bytes;

    if (name->size == 0)
        FOUND(check, RULE(PARAMETER_NAME), path, "parameter %zu", name->id);
    else if (keys_find(names, name) != name->id)
        FOUND(check, RULE(PARAMETER_TWICE), path, "'%.40s'", text);
    else
        check_text(check, path, text, NAME_LENGTH_MAX);
}

static void check_parameters(struct check *check, const struct config_path *path, const struct vmr_resource *resource)
{
    struct config_path place = *path;
    struct keys names;

    path_key(&place, "parameters");
    if (!keys_init(&names, &check->arena, resource->parameter_count)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < resource->parameter_count; i++)
        keys_add(&names, key_of_text(resource->parameters[i].name, i));
    keys_sort(&names);
    for (size_t i = 0; i < resource->parameter_count; i++) {
        const struct key name = key_of_text(resource->parameters[i].name, i);
        size_t before = place.length;

        if (name.size > 0)
            path_key(&place, resource->parameters[i].name);
        check_parameter_name(check, &place, &names, &name);
        check_parameter(check, &place, &resource->parameters[i]);
        path_cut(&place, before);
    }
}

static void check_resource(struct check *check, const struct model_visit *visit)
{
    const struct vmr_resource *resource = model_value(visit->field, visit->object);
    struct config_path place = *visit->path;

    if (!resource->id) {
        if (visit->field->required)
            VIOLATES(check, RULE(REQUIRED), visit->path, "there is none");
        else if (resource->parameter_count > 0 && visit->field->name)
            FOUND(check, RULE(RESOURCE_NAMELESS), visit->path, "%zu parameters", resource->parameter_count);
        return;
    }
    size_t budget = VMR_CONFIG_LIST_MAX;

    if (visit->field->resource_kind != VMR_RESOURCE_KIND_COUNT && is_nested_too_deep(resource, 0, &budget))
        FOUND(check, RULE(RESOURCES_NESTED), visit->path, "'%.40s'", resource->id);
    path_key(&place, "id");
    if (*resource->id == '\0')
        FOUND(check, RULE(TEXT_EMPTY), &place, "''");
    check_text(check, &place, resource->id, NAME_LENGTH_MAX);
    if (!resource->parameters && resource->parameter_count > 0)
        FOUND(check, RULE(LIST_NULL), visit->path, "%zu parameters at no address", resource->parameter_count);
    else if (resource->parameter_count > VMR_CONFIG_LIST_MAX)
        FOUND(check, RULE(LIST_MANY), visit->path, "%zu parameters, at most %u", resource->parameter_count,
              VMR_CONFIG_LIST_MAX);
    else
        check_parameters(check, visit->path, resource);
}

/* --- the walk --- */

/* A switch over all kinds. */
static void visit_field(void *context, const struct model_visit *visit)
{
    struct check *check = context;

    if (check->out_of_memory || (visit->field->optional && model_is_default(visit->field, visit->object)))
        return;
    switch (visit->field->kind) {
    case MODEL_UNSIGNED:
        check_number(check, visit);
        break;
    case MODEL_ENUM:
        check_named(check, visit, visit->field->name_count);
        break;
    case MODEL_CHOICE:
        check_named(check, visit, visit->field->alternative_count);
        break;
    case MODEL_TEXT:
        check_text_field(check, visit);
        break;
    case MODEL_BLOB:
        check_blob(check, visit);
        break;
    case MODEL_BYTES:
    case MODEL_ARRAY:
    case MODEL_FIXED:
        check_list(check, visit);
        break;
    case MODEL_RESOURCE:
        check_resource(check, visit);
        break;
    case MODEL_NOTHING:
    case MODEL_BOOL:
    case MODEL_SIGNED:
    case MODEL_GUID:
    case MODEL_MAC:
    case MODEL_RANGE:
    case MODEL_STRUCT:
    case MODEL_POINTER:
    case MODEL_PARAMETERS:
    case MODEL_KIND_COUNT:
        break;
    }
}

void check_fields(struct check *check, const struct vmr_config *config)
{
    model_walk(config, visit_field, check);
}
