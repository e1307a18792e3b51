/* SPDX-License-Identifier: MIT */
/*
 * The keyboard controller: as firmware brings it up, and the reset lines.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_i8042 *i8042;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    const struct vmr_i8042_options options = {.host = &rig.fake.host, .power = rig.power, .irq = rig_irq(&rig)};

    return vmr_i8042_create(&options, rig.ports, &i8042, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_i8042_destroy(i8042);
    rig_finish(&rig);
    return 0;
}

static void assert_answer(uint8_t value)
{
    assert_int_equal(rig_in(&rig, 0x64) & 0x01, 0x01);
    assert_int_equal(rig_in(&rig, 0x60), value);
}

static void firmware_brings_up_controller_and_keyboard(void **state)
{
    (void)state;
    assert_int_equal(rig_in(&rig, 0x64) & 0x03, 0); /* nothing to read, ready for a command */
    rig_out(&rig, 0x64, 0xaa);
    assert_answer(0x55);
    assert_int_equal(rig_in(&rig, 0x64) & 0x05, 0x04); /* buffer empty again; self test passed */
    rig_out(&rig, 0x64, 0xab);
    assert_answer(0x00);
    rig_out(&rig, 0x60, 0xff);
    assert_answer(0xfa);
    assert_answer(0xaa);
    rig_out(&rig, 0x64, 0x60);
    rig_out(&rig, 0x60, 0x61);
    rig_out(&rig, 0x64, 0x20);
    assert_answer(0x61);
}

static void commands_change_what_they_say(void **state)
{
    static const struct {
        const char *name;
        uint8_t command, parameter; /* 0: none */
        uint8_t query, answer;
    } cases[] = {
        {"keyboard off", 0xad, 0, 0x20, 0x10},
        {"aux off", 0xa7, 0, 0x20, 0x20},
        {"input port", 0, 0, 0xc0, 0x80},
        {"aux test: nothing there", 0, 0, 0xa9, 0x01},
        {"A20 off by the output port", 0xd1, 0x01, 0xd0, 0x01},
        {"A20 on by the output port", 0xd1, 0x03, 0xd0, 0x03},
        {"A20 off by command", 0xdd, 0, 0xd0, 0x01},
        {"A20 on by command", 0xdf, 0, 0xd0, 0x03},
        {"reserved bit of the configuration", 0x60, 0xff, 0x20, 0x7f},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)setup(state);
        print_message("%s\n", cases[i].name);
        if (cases[i].command != 0)
            rig_out(&rig, 0x64, cases[i].command);
        if (cases[i].parameter != 0)
            rig_out(&rig, 0x60, cases[i].parameter);
        rig_out(&rig, 0x64, cases[i].query);
        assert_answer(cases[i].answer);
        (void)teardown(state);
    }
}

static void keyboard_interrupt_follows_the_buffer(void **state)
{
    (void)state;
    rig_out(&rig, 0x60, 0xee);
    assert_false(rig.lines[1].level); /* not enabled */
    rig_out(&rig, 0x64, 0x60);
    rig_out(&rig, 0x60, 0x01);
    assert_true(rig.lines[1].level);
    assert_int_equal(rig_in(&rig, 0x60), 0xee);
    assert_false(rig.lines[1].level);
    rig_out(&rig, 0x60, 0xf2);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rig.lines[1].level);
        assert_int_equal(rig.lines[1].rises, 2 + i); /* one edge a byte */
        (void)rig_in(&rig, 0x60);
    }
    assert_false(rig.lines[1].level);
}

static void aux_bytes_are_marked_and_raise_no_keyboard_interrupt(void **state)
{
    (void)state;
    rig_out(&rig, 0x64, 0x60);
    rig_out(&rig, 0x60, 0x03);
    rig_out(&rig, 0x64, 0xd3);
    rig_out(&rig, 0x60, 0x42);
    assert_int_equal(rig_in(&rig, 0x64) & 0x21, 0x21);
    assert_int_equal(rig_in(&rig, 0x60), 0x42);
    rig_out(&rig, 0x64, 0xd4);
    rig_out(&rig, 0x60, 0xf4);
    assert_int_equal(rig_in(&rig, 0x60), 0xfe); /* no mouse */
    assert_int_equal(rig.lines[1].rises, 0);
}

static void each_way_to_reset_resets(void **state)
{
    static const struct {
        const char *name;
        uint16_t ports[2];
        uint8_t values[2];
        bool resets;
    } cases[] = {
        {"pulse all", {0x64, 0}, {0xfe, 0}, true},
        {"pulse without line 0", {0x64, 0}, {0xff, 0}, false},
        {"pulse line 0 among others", {0x64, 0}, {0xf0, 0}, true},
        {"output port low", {0x64, 0x60}, {0xd1, 0x02}, true},
        {"output port high", {0x64, 0x60}, {0xd1, 0x03}, false},
        {"fast reset", {0x92, 0}, {0x01, 0}, true},
        {"fast A20 alone", {0x92, 0}, {0x02, 0}, false},
        {"the byte is the keyboard's", {0x60, 0}, {0xfe, 0}, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)setup(state);
        print_message("%s\n", cases[i].name);
        for (size_t j = 0; j < 2 && cases[i].ports[j] != 0; j++)
            rig_out(&rig, cases[i].ports[j], cases[i].values[j]);
        assert_int_equal(vmr_power_get(rig.power, NULL), cases[i].resets ? VMR_HALT_RESET : VMR_HALT_NONE);
        (void)teardown(state);
    }
}

static void port_92_and_controller_share_a20(void **state)
{
    (void)state;
    assert_int_equal(rig_in(&rig, 0x92), 0x02);
    rig_out(&rig, 0x92, 0x00);
    rig_out(&rig, 0x64, 0xd0);
    assert_answer(0x01);
    rig_out(&rig, 0x64, 0xdf);
    assert_int_equal(rig_in(&rig, 0x92), 0x02);
}

static void full_buffer_loses_what_comes(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        rig_out(&rig, 0x60, 0xee);
    for (; (rig_in(&rig, 0x64) & 0x01) != 0; count++)
        assert_int_equal(rig_in(&rig, 0x60), 0xee);
    assert_int_equal(count, 16);
    assert_int_equal(rig_in(&rig, 0x60), 0xee); /* an empty buffer keeps its last byte */
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    rig_sweep(&rig, 0x60, 5);
    rig_sweep(&rig, 0x92, 1);
}

static void taken_port_is_refused_without_trace(void **state)
{
    const struct vmr_i8042_options options = {.host = &rig.fake.host, .power = rig.power};
    const struct vmr_debug_exit_options other = {.host = &rig.fake.host, .power = rig.power, .port = 0x92};
    struct vmr_debug_exit *debug_exit;
    struct vmr_i8042 *second = NULL;

    (void)state;
    vmr_i8042_destroy(i8042);
    assert_int_equal(vmr_debug_exit_create(&other, rig.ports, &debug_exit, NULL), VMR_OK);
    assert_int_not_equal(vmr_i8042_create(&options, rig.ports, &second, NULL), VMR_OK);
    assert_null(second);
    vmr_debug_exit_destroy(debug_exit);
    assert_int_equal(vmr_i8042_create(&options, rig.ports, &i8042, NULL), VMR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(firmware_brings_up_controller_and_keyboard, setup, teardown),
        cmocka_unit_test(commands_change_what_they_say),
        cmocka_unit_test_setup_teardown(keyboard_interrupt_follows_the_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(aux_bytes_are_marked_and_raise_no_keyboard_interrupt, setup, teardown),
        cmocka_unit_test(each_way_to_reset_resets),
        cmocka_unit_test_setup_teardown(port_92_and_controller_share_a20, setup, teardown),
        cmocka_unit_test_setup_teardown(full_buffer_loses_what_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_accesses_are_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(taken_port_is_refused_without_trace, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
