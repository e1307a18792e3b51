/* SPDX-License-Identifier: MIT */
/*
 * The schema: JSON, with every field of the tables. What it accepts, a validator
 * that knows nothing of them says: test_schema.py.
 */

#include "vmrig/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/config/model.h"

static void check_type(json_t *schema, json_t *definition, const struct model_struct *type);

/* Where the struct's own schema is, if the field is of one. */
static void check_reference(json_t *schema, const struct model_field *field)
{
    if (!field->type)
        return;
    json_t *definition = json_object_get(json_object_get(schema, "$defs"), field->type->name);

    if (!definition)
        fail_msg("there is no %s", field->type->name);
    check_type(schema, definition, field->type);
}

static void check_type(json_t *schema, json_t *definition, const struct model_struct *type)
{
    json_t *properties = json_object_get(definition, "properties");

    assert_true(json_is_false(json_object_get(definition, "additionalProperties")));
    assert_int_equal(json_object_size(properties), type->field_count);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct model_field *field = &type->fields[i];
        json_t *property = json_object_get(properties, field->name);

        if (!json_is_string(json_object_get(property, "description")))
            fail_msg("%s.%s says nothing", type->name, field->name);
        check_reference(schema, field);
        if (field->element)
            check_reference(schema, field->element);
        for (size_t j = 0; j < field->alternative_count; j++)
            check_reference(schema, &field->alternatives[j]);
    }
}

static void every_field_is_described(void **state)
{
    struct vmr_config_text text;
    json_error_t error;

    (void)state;
    assert_int_equal(vmr_config_schema(&text, NULL), VMR_OK);

    json_t *schema = json_loadb(text.bytes, text.length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);

    if (!schema)
        fail_msg("%d: %s", error.line, error.text);
    check_type(schema, schema, &model_config);
    json_decref(schema);
    free(text.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
