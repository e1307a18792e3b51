/* SPDX-License-Identifier: MIT */
/* State sections, and the words for a state in messages. */

#include "lib/snapshot/states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const struct vmr_debug_state value = {.single_step = true};

static void encode(struct writer *writer)
{
    const struct vmr_snapshot_state state = {.scope = VMR_SNAPSHOT_VP,
                                             .vp = 3,
                                             .vtl = 1,
                                             .instance = 2,
                                             .type = vmr_vp_class_type(VMR_VP_DEBUG_STATE),
                                             .value = &value};

    writer_init(writer, SIZE_MAX);
    state_section_encode(writer, &state);
    assert_true(writer_ok(writer));
}

static void a_section_survives(void **state)
{
    struct state_section section;
    struct vmr_debug_state back;
    struct writer writer;

    (void)state;
    encode(&writer);
    assert_true(state_section_decode(writer.bytes, writer.length, &section));
    assert_int_equal(section.scope, VMR_SNAPSHOT_VP);
    assert_int_equal(section.vp, 3);
    assert_int_equal(section.vtl, 1);
    assert_int_equal(section.instance, 2);
    assert_string_equal(section.name, "debug-state");
    assert_int_equal(vmr_state_decode(state_type_find(section.scope, section.name), section.version, section.bytes,
                                      section.length, &back, NULL),
                     VMR_OK);
    assert_true(back.single_step);
    writer_finish(&writer);
}

static void malformed_sections_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } rows[] = {{0, VMR_SNAPSHOT_SCOPE_COUNT}, {1, 0}, {1, STATE_NAME_MAX + 1}, {1, 255}, {16, 'D'}, {17, 0}};
    struct state_section section;
    struct writer writer;

    (void)state;
    encode(&writer);
    for (size_t length = 0; length < 16 + strlen("debug-state"); length++)
        assert_false(state_section_decode(writer.bytes, length, &section));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t old = writer.bytes[rows[i].at];

        writer.bytes[rows[i].at] = rows[i].byte;
        assert_false(state_section_decode(writer.bytes, writer.length, &section));
        writer.bytes[rows[i].at] = old;
    }
    writer_finish(&writer);
}

static void types_are_found_by_scope_and_name(void **state)
{
    (void)state;
    assert_ptr_equal(state_type_find(VMR_SNAPSHOT_VP, "registers"), vmr_vp_class_type(VMR_VP_REGISTERS));
    assert_ptr_equal(state_type_find(VMR_SNAPSHOT_VM, "clock"), vmr_vm_class_type(VMR_VM_CLOCK));
    assert_non_null(state_type_find(VMR_SNAPSHOT_DEVICE, "serial"));
    assert_null(state_type_find(VMR_SNAPSHOT_DEVICE, "registers"));
    assert_null(state_type_find(VMR_SNAPSHOT_VP, "serial"));
    assert_null(state_type_find(VMR_SNAPSHOT_SCOPE_COUNT, "registers"));
}

static void a_title_says_whose_it_is(void **state)
{
    char title[STATE_TITLE_MAX];

    (void)state;
    assert_string_equal(state_title(VMR_SNAPSHOT_VM, 0, 0, 0, "clock", title), "vm 'clock'");
    assert_string_equal(state_title(VMR_SNAPSHOT_DEVICE, 0, 0, 2, "lapic", title), "device 'lapic' number 2");
    assert_string_equal(state_title(VMR_SNAPSHOT_VP, 3, 1, 0, "registers", title), "vp 3 'registers' vtl 1");
    assert_string_equal(state_title(VMR_SNAPSHOT_VP, 3, 1, 5, "x", title), "vp 3 'x' vtl 1 number 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_survives),
        cmocka_unit_test(malformed_sections_are_refused),
        cmocka_unit_test(types_are_found_by_scope_and_name),
        cmocka_unit_test(a_title_says_whose_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
