/* SPDX-License-Identifier: MIT */
/*
 * Each capability has a name of its own.
 */

#include "vmrig/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_capability_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < VMR_CAP_COUNT; i++) {
        assert_non_null(vmr_cap_name((enum vmr_cap)i));
        assert_string_not_equal(vmr_cap_name((enum vmr_cap)i), "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(vmr_cap_name((enum vmr_cap)i), vmr_cap_name((enum vmr_cap)j));
    }
}

static void other_numbers_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(vmr_cap_name(VMR_CAP_COUNT), "unknown");
    assert_string_equal(vmr_cap_name((enum vmr_cap) - 1), "unknown");
}

static void a_bit_is_a_capability(void **state)
{
    (void)state;
    struct vmr_caps caps = {.bits = UINT64_C(1) << VMR_CAP_RECORDABLE};

    assert_true(vmr_caps_have(&caps, VMR_CAP_RECORDABLE));
    assert_false(vmr_caps_have(&caps, VMR_CAP_MACHINE_CODE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_capability_has_its_own_name),
        cmocka_unit_test(other_numbers_are_unknown),
        cmocka_unit_test(a_bit_is_a_capability),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
