/* SPDX-License-Identifier: MIT */
/* The arm64 classes: no member is forgotten, and the reset value. */

#include "vmrig/x86_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_member_has_a_field(void **state)
{
    (void)state;
    assert_int_equal(vmr_state_encoded_max(vmr_arm64_register_type()), sizeof(struct vmr_arm64_register_state));
    assert_int_equal(vmr_state_encoded_max(vmr_arm64_system_type()), sizeof(struct vmr_arm64_system_state));
}

static void reset_is_el1h_with_interrupts_masked(void **state)
{
    struct vmr_arm64_register_state registers;

    (void)state;
    vmr_arm64_registers_reset(&registers);
    assert_int_equal(registers.cpsr, 0x3c5);
    assert_int_equal(registers.pc, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_has_a_field),
        cmocka_unit_test(reset_is_el1h_with_interrupts_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
