/* SPDX-License-Identifier: MIT */
/* The tables of the classes: that they are well formed, and that no byte of a struct is forgotten. */

#include "vmrig/x86_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_MAX_OF_CLASSES 16384u

/* Fills every element of every field with ones, so that what stays zero is padding, or forgotten. */
static size_t untouched(const struct vmr_state_type *type, uint8_t *value)
{
    size_t left = 0;

    memset(value, 0, type->size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        for (uint32_t element = 0; element < type->fields[i].count; element++)
            memset(value + type->fields[i].offset + (size_t)element * type->fields[i].stride, 0xff,
                   type->fields[i].width);
    }
    for (size_t i = 0; i < type->size; i++)
        left += value[i] == 0;
    return left;
}

static void check_fields(const struct vmr_state_type *type)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];

        assert_true(field->width == 1 || field->width == 2 || field->width == 4 || field->width == 8);
        assert_true(field->count > 0 && field->stride >= field->width);
        assert_true(field->offset + (size_t)(field->count - 1) * field->stride + field->width <= type->size);
        assert_true(field->kind < VMR_FIELD_KIND_COUNT);
        assert_true(field->kind != VMR_FIELD_FLAG || field->width == 1);
        assert_true(field->used_by <= i); /* a count comes before what it counts */
        assert_true(field->used_by == 0 || field->group > 0);
        for (uint32_t other = 0; other < i; other++)
            assert_string_not_equal(field->name, type->fields[other].name);
    }
}

static void the_tables_are_well_formed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)i);

        check_fields(type);
        assert_int_equal(vmr_vp_class_find(type->name), i);
    }
    for (unsigned i = 0; i < VMR_VM_CLASS_COUNT; i++) {
        check_fields(vmr_vm_class_type((enum vmr_vm_class)i));
        assert_int_equal(vmr_vm_class_find(vmr_vm_class_type((enum vmr_vm_class)i)->name), i);
    }
    assert_null(vmr_vp_class_type(VMR_VP_CLASS_COUNT));
    assert_null(vmr_vm_class_type(VMR_VM_CLASS_COUNT));
    assert_int_equal(vmr_vp_class_find("no such class"), VMR_VP_CLASS_COUNT);
    assert_int_equal(vmr_vm_class_find(""), VMR_VM_CLASS_COUNT);
}

/* What compilers put between members is known; more than that is a member without a field. */
static void no_member_is_forgotten(void **state)
{
    static uint8_t value[SIZE_MAX_OF_CLASSES];

    (void)state;
    for (unsigned i = VMR_VP_REGISTERS; i <= VMR_VP_DEBUG_STATE; i++) {
        const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)i);
        size_t padding = i == VMR_VP_REGISTERS     ? 2 * (sizeof(struct vmr_x86_table) - 10)
                         : i == VMR_VP_DEBUG_STATE ? 7 + 4 * 5
                                                   : 0;

        assert_true(type->size <= sizeof(value));
        assert_int_equal(untouched(type, value), padding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_well_formed),
        cmocka_unit_test(no_member_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
