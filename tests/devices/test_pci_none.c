/* SPDX-License-Identifier: MIT */
/*
 * The configuration ports of a PCI bus with nothing on it, and reset control.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_pci_none *pci;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    const struct vmr_pci_none_options options = {.host = &rig.fake.host, .power = rig.power};

    return vmr_pci_none_create(&options, rig.ports, &pci, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_pci_none_destroy(pci);
    rig_finish(&rig);
    return 0;
}

static void address_register_reads_back(void **state)
{
    (void)state;
    rig_write(&rig, 0xcf8, 4, 0x80000000);
    assert_int_equal(rig_read(&rig, 0xcf8, 4), 0x80000000);
    rig_write(&rig, 0xcf8, 4, 0xffffffff);
    assert_int_equal(rig_read(&rig, 0xcf8, 4), 0x80fffffc); /* reserved bits are zero */
}

static void every_function_answers_ones(void **state)
{
    (void)state;
    for (unsigned function = 0; function < 65536; function += 7) {
        rig_write(&rig, 0xcf8, 4, 0x80000000u | function << 8);
        assert_int_equal(rig_read(&rig, 0xcfc, 4), 0xffffffff);
        assert_int_equal(rig_read(&rig, 0xcfc, 2), 0xffff);
        assert_int_equal(rig_read(&rig, 0xcfe, 2), 0xffff);
        assert_int_equal(rig_read(&rig, 0xcff, 1), 0xff);
    }
}

static void only_the_whole_address_register_is_written(void **state)
{
    (void)state;
    rig_write(&rig, 0xcf8, 4, 0x80001000);
    rig_write(&rig, 0xcf8, 2, 0xffff);
    rig_write(&rig, 0xcfa, 1, 0xff);
    assert_int_equal(rig_read(&rig, 0xcf8, 4), 0x80001000);
    assert_int_equal(rig_read(&rig, 0xcf8, 2), 0xffff);
}

static void reset_control_resets_on_the_rising_edge(void **state)
{
    static const struct {
        const char *name;
        uint8_t first, second;
        bool resets;
    } cases[] = {
        {"kind alone", 0x02, 0x0a, false}, {"edge after kind", 0x02, 0x06, true}, {"edge at once", 0x06, 0x06, true},
        {"full reset", 0x00, 0x0e, true},  {"other bits", 0x01, 0xf1, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)setup(state);
        print_message("%s\n", cases[i].name);
        rig_out(&rig, 0xcf9, cases[i].first);
        rig_out(&rig, 0xcf9, cases[i].second);
        assert_int_equal(vmr_power_get(rig.power, NULL), cases[i].resets ? VMR_HALT_RESET : VMR_HALT_NONE);
        assert_int_equal(rig_in(&rig, 0xcf9) & 0x04, 0);
        (void)teardown(state);
    }
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    rig_sweep(&rig, 0xcf8, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(address_register_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(every_function_answers_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_whole_address_register_is_written, setup, teardown),
        cmocka_unit_test(reset_control_resets_on_the_rising_edge),
        cmocka_unit_test_setup_teardown(hostile_accesses_are_harmless, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
