/* SPDX-License-Identifier: MIT */
/*
 * The debug console port.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_debug_console *console;

static void create(uint16_t port, struct vmr_console_sink sink)
{
    const struct vmr_debug_console_options options = {.host = &rig.fake.host, .port = port, .console = sink};

    rig_init(&rig);
    assert_int_equal(vmr_debug_console_create(&options, rig.ports, &console, NULL), VMR_OK);
}

static void finish(void)
{
    vmr_debug_console_destroy(console);
    rig_finish(&rig);
}

static void reads_say_that_it_is_there(void **state)
{
    (void)state;
    create(0, rig_console(&rig));
    assert_int_equal(rig_in(&rig, 0x402), 0xe9);
    finish();
}

static void writes_are_printed_in_order(void **state)
{
    (void)state;
    create(0, rig_console(&rig));
    rig_out(&rig, 0x402, 'a');
    rig_out(&rig, 0x402, 'b');
    rig_write(&rig, 0x402, 4, 0x64636261); /* one byte is the console's, the rest nobody's */
    assert_string_equal(rig.console[VMR_CONSOLE_DEBUG], "aba");
    finish();
}

static void port_can_be_chosen(void **state)
{
    (void)state;
    create(0xe9, rig_console(&rig));
    assert_int_equal(rig_in(&rig, 0x402), 0xff);
    assert_int_equal(rig_in(&rig, 0xe9), 0xe9);
    finish();
}

static void console_without_a_sink_swallows(void **state)
{
    (void)state;
    create(0, (struct vmr_console_sink){0});
    rig_out(&rig, 0x402, 'x');
    rig_sweep(&rig, 0x402, 1);
    finish();
}

static void taken_port_is_refused(void **state)
{
    const struct vmr_debug_console_options options = {.port = 0x402};
    struct vmr_debug_console *other = NULL;
    struct vmr_error err = {0};

    (void)state;
    create(0, rig_console(&rig));
    assert_int_not_equal(vmr_debug_console_create(&options, rig.ports, &other, &err), VMR_OK);
    assert_null(other);
    assert_string_not_equal(err.message, "");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_say_that_it_is_there), cmocka_unit_test(writes_are_printed_in_order),
        cmocka_unit_test(port_can_be_chosen),         cmocka_unit_test(console_without_a_sink_swallows),
        cmocka_unit_test(taken_port_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
