/* SPDX-License-Identifier: MIT */
/*
 * The table of fields holds itself together: names are unique, members lie inside the
 * exit, and the codec's and parser's assumptions about it are true.
 */

#include "lib/exit/exit_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Fields of the kind, then the common ones. */
static size_t all_fields(uint32_t kind, const struct exit_field *ret_fields[16])
{
    size_t count = 0;

    for (const struct exit_field *field = exit_fields_of_kind(kind); field->name; field++)
        ret_fields[count++] = field;
    for (const struct exit_field *field = exit_fields_common(kind); field->name; field++)
        ret_fields[count++] = field;
    assert_true(count <= 16); /* the parser has a bit for each */
    return count;
}

static void names_are_unique_within_a_kind(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        const struct exit_field *fields[16];
        size_t count = all_fields(kind, fields);

        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < i; j++) {
                if (strcmp(fields[i]->name, fields[j]->name) == 0)
                    fail_msg("%s %s", vmr_exit_kind_name(kind), fields[i]->name);
            }
        }
    }
}

static void members_do_not_overlap(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        const struct exit_field *fields[16];
        size_t count = all_fields(kind, fields);
        uint8_t owners[sizeof(struct vmr_exit)] = {0};

        for (size_t i = 0; i < count; i++) {
            assert_true((size_t)fields[i]->offset + fields[i]->width <= sizeof(owners));
            for (unsigned j = 0; j < fields[i]->width; j++)
                assert_int_equal(owners[fields[i]->offset + j]++, 0);
        }
    }
}

static void numbers_have_the_width_of_a_number(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        const struct exit_field *fields[16];
        size_t count = all_fields(kind, fields);

        for (size_t i = 0; i < count; i++) {
            bool is_array = fields[i]->type == EXIT_FIELD_ARGS || fields[i]->type == EXIT_FIELD_BYTES;
            unsigned width = fields[i]->width;

            assert_true(is_array || width == 1 || width == 2 || width == 4 || width == 8);
            assert_int_equal(fields[i]->type == EXIT_FIELD_WORD, fields[i]->word != NULL);
        }
    }
}

static void a_direction_comes_first(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        const struct exit_field *fields[16];
        size_t count = all_fields(kind, fields);

        for (size_t i = 1; i < count; i++)
            assert_int_not_equal(fields[i]->type, EXIT_FIELD_DIRECTION);
    }
}

static void unknown_kinds_have_no_fields_of_their_own(void **state)
{
    (void)state;
    assert_null(exit_fields_of_kind(VMR_EXIT_KIND_COUNT)->name);
    assert_null(exit_fields_of_kind(UINT32_MAX)->name);
    assert_string_equal(exit_fields_common(UINT32_MAX)->name, "native");
}

static const struct exit_field *field_of(uint32_t kind, const char *name)
{
    const struct exit_field *field = exit_fields_of_kind(kind);

    while (field->name && strcmp(field->name, name) != 0)
        field++;
    assert_non_null(field->name);
    return field;
}

static void data_belongs_to_the_half_that_moves_it(void **state)
{
    (void)state;
    const struct exit_field *value = field_of(VMR_EXIT_MMIO, "value");
    struct vmr_exit read = {.kind = VMR_EXIT_MMIO}, write = {.kind = VMR_EXIT_MMIO, .u.mmio.direction = VMR_WRITE};

    assert_true(exit_field_applies(value, &read, EXIT_ANSWER));
    assert_false(exit_field_applies(value, &read, EXIT_INPUTS));
    assert_false(exit_field_applies(value, &write, EXIT_ANSWER));
    assert_true(exit_field_applies(value, &write, EXIT_INPUTS));
    assert_true(exit_field_applies(value, &read, EXIT_WHOLE));
}

static void a_string_has_bytes_and_an_item_has_a_value(void **state)
{
    (void)state;
    struct vmr_exit item = {.kind = VMR_EXIT_IO}, string = {.kind = VMR_EXIT_IO, .u.io.string = true};

    assert_true(exit_field_exists(field_of(VMR_EXIT_IO, "value"), &item));
    assert_false(exit_field_exists(field_of(VMR_EXIT_IO, "value"), &string));
    assert_false(exit_field_exists(field_of(VMR_EXIT_IO, "bytes"), &item));
    assert_true(exit_field_exists(field_of(VMR_EXIT_IO, "bytes"), &string));
    assert_false(exit_field_applies(field_of(VMR_EXIT_IO, "count"), &item, EXIT_WHOLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_within_a_kind),
        cmocka_unit_test(members_do_not_overlap),
        cmocka_unit_test(numbers_have_the_width_of_a_number),
        cmocka_unit_test(a_direction_comes_first),
        cmocka_unit_test(unknown_kinds_have_no_fields_of_their_own),
        cmocka_unit_test(data_belongs_to_the_half_that_moves_it),
        cmocka_unit_test(a_string_has_bytes_and_an_item_has_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
