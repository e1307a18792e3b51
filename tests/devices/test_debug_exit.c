/* SPDX-License-Identifier: MIT */
/*
 * The debug exit: the first write's value reaches the embedder.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static void write_powers_off_with_its_value(void **state)
{
    static const struct {
        const char *name;
        uint16_t chosen, port;
        uint8_t size;
        uint32_t value;
    } cases[] = {
        {"a byte", 0, 0xf4, 1, 0x10},
        {"a word", 0, 0xf4, 2, 0xbeef},
        {"all 32 bits", 0, 0xf4, 4, 0xffffffff},
        {"at another port, not its first", 0x501, 0x503, 1, 0x31},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct port_rig rig;
        struct vmr_debug_exit *debug_exit;
        uint32_t value = 0;

        rig_init(&rig);
        const struct vmr_debug_exit_options options = {
            .host = &rig.fake.host, .power = rig.power, .port = cases[i].chosen};

        print_message("%s\n", cases[i].name);
        assert_int_equal(vmr_debug_exit_create(&options, rig.ports, &debug_exit, NULL), VMR_OK);
        assert_int_equal(rig_read(&rig, cases[i].port, cases[i].size), 0);
        assert_int_equal(vmr_power_get(rig.power, NULL), VMR_HALT_NONE);
        rig_write(&rig, cases[i].port, cases[i].size, cases[i].value);
        rig_write(&rig, cases[i].port, cases[i].size, 0x55);
        assert_int_equal(vmr_power_get(rig.power, &value), VMR_HALT_POWER_OFF);
        assert_int_equal(value, cases[i].value);
        rig_sweep(&rig, cases[i].chosen != 0 ? cases[i].chosen : 0xf4, 4);
        vmr_debug_exit_destroy(debug_exit);
        rig_finish(&rig);
    }
}

static void missing_power_line_is_refused(void **state)
{
    const struct vmr_debug_exit_options options = {0};
    struct vmr_debug_exit *debug_exit = NULL;

    (void)state;
    assert_int_equal(vmr_debug_exit_create(&options, NULL, &debug_exit, NULL), VMR_E_USAGE);
    assert_null(debug_exit);
    vmr_debug_exit_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_powers_off_with_its_value),
        cmocka_unit_test(missing_power_line_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
