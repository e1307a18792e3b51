/* SPDX-License-Identifier: MIT */
/* Each device's type is found by its name, and has another one. */

#include "lib/devices/state_types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmrig/device_state.h"

static void names_find_their_types(void **state)
{
    static const struct vmr_state_type *const types[] = {
        &power_state_type, &serial_state_type,   &cmos_state_type,   &pit_state_type,
        &i8042_state_type, &pci_none_state_type, &fw_cfg_state_type, &irqchip_lines_state_type,
        &pic_state_type,   &ioapic_state_type,   &lapic_state_type,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        assert_ptr_equal(vmr_device_state_type_find(types[i]->name), types[i]);
    assert_null(vmr_device_state_type_find("registers"));
    assert_null(vmr_device_state_type_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_find_their_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
