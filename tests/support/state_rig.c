/* SPDX-License-Identifier: MIT */
/* Units of state by their tables, so that a field that is added is tested with the rest. */

#include "tests/support/state_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct vmr_state_field *field_named(const struct vmr_state_type *type, const char *name)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    }
    fail_msg("state '%s' has no field '%s'", type->name, name);
    return NULL;
}

void state_put(const struct vmr_state_type *type, void *value, const char *field, uint32_t element, uint64_t number)
{
    assert_true(vmr_state_put(field_named(type, field), value, element, number));
}

static bool field_differs(const struct vmr_state_type *type, const struct vmr_state_field *field, const void *left,
                          const void *right)
{
    uint32_t used = vmr_state_used(type, field, left);

    if (used != vmr_state_used(type, field, right))
        return true;
    for (uint32_t i = 0; i < used; i++) {
        if (vmr_state_get(field, left, i) != vmr_state_get(field, right, i))
            return true;
    }
    return false;
}

void state_expect_off_reset(const struct vmr_state_unit *unit, const void *value)
{
    union state_value at_reset;

    assert_true(unit->type->size <= sizeof(at_reset));
    unit->at_reset(unit->object, &at_reset);
    for (uint32_t i = 0; i < unit->type->field_count; i++) {
        if (!field_differs(unit->type, &unit->type->fields[i], value, &at_reset))
            fail_msg("state '%s': field '%s' is as at reset", unit->type->name, unit->type->fields[i].name);
    }
}

void state_expect_hash_of_each_field(const struct vmr_state_unit *unit, const void *value)
{
    const struct vmr_state_type *type = unit->type;
    uint64_t hash[2] = {vmr_state_hash(type, value, false, 0), vmr_state_hash(type, value, true, 0)};

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        union state_value changed;

        memcpy(&changed, value, type->size);
        assert_true(vmr_state_used(type, field, value) > 0);
        assert_true(vmr_state_put(field, &changed, 0, vmr_state_get(field, value, 0) ^ 1));
        print_message("%s: %s\n", type->name, field->name);
        assert_int_equal(vmr_state_hash(type, &changed, false, 0) != hash[0], !field->moves);
        assert_int_not_equal(vmr_state_hash(type, &changed, true, 0), hash[1]);
    }
}

void state_expect(const struct vmr_state_unit *unit, const void *value, bool with_moving)
{
    struct vmr_state_difference difference;
    union state_value now;

    memset(&now, 0xa5, sizeof(now));
    assert_int_equal(unit->get(unit->object, &now, NULL), VMR_OK);
    if (!vmr_state_equal(unit->type, &now, value, with_moving, &difference))
        fail_msg("state '%s': field '%s'[%u] is 0x%llx, not 0x%llx", unit->type->name, difference.field->name,
                 difference.element, (unsigned long long)difference.left, (unsigned long long)difference.right);
}

void state_expect_round_trip(const struct vmr_state_unit *unit, const void *value)
{
    uint8_t bytes[STATE_RIG_BYTES];
    struct vmr_error err = {0};
    union state_value decoded;
    size_t length = vmr_state_encode(unit->type, value, bytes, sizeof(bytes));

    assert_int_equal(vmr_state_decode(unit->type, unit->type->version, bytes, length, &decoded, &err), VMR_OK);
    if (unit->set(unit->object, &decoded, &err) != VMR_OK)
        fail_msg("refused: %s", err.message);
    state_expect(unit, value, true);
}

void state_expect_refused(const struct vmr_state_unit *unit, const void *value, const char *field)
{
    struct vmr_error err = {0};
    char expected[128];
    union state_value before;

    assert_int_equal(unit->get(unit->object, &before, NULL), VMR_OK);
    print_message("%s: %s\n", unit->type->name, field);
    assert_int_equal(unit->set(unit->object, value, &err), VMR_E_CONFIG);
    (void)snprintf(expected, sizeof(expected), "state '%s': field '%s'", unit->type->name, field);
    assert_non_null(strstr(err.message, expected));
    state_expect(unit, &before, true);
}
