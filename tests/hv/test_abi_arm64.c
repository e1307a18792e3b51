/* SPDX-License-Identifier: MIT */

/* Which registers an arm64 caller uses, by number. */

#include "lib/hv/abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *name;
    const struct abi *abi;
    unsigned control, first_word;
    bool output_at_end;
} conventions[] = {
    {"HVC #1", &abi_arm64_hvc, 0, 1, true},
    {"SMCCC", &abi_arm64_smccc, 1, 2, false},
};

static void values_are_where_the_convention_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(conventions) / sizeof(conventions[0]); i++) {
        const struct abi *abi = conventions[i].abi;
        unsigned first = conventions[i].first_word;
        struct vmr_hv_call_registers registers = {0};

        for (unsigned x = 0; x < VMR_HV_GPR_COUNT; x++)
            registers.gpr[x] = 0x100 + x;
        if (abi->control(abi, &registers) != 0x100 + conventions[i].control || abi->vtl_input(&registers) != 0)
            fail_msg("%s", conventions[i].name);
        for (unsigned word = 0; word < 16; word++)
            assert_int_equal(abi->word(abi, &registers, word), 0x100 + first + word);
        assert_int_equal(abi->pairs, 8);
        assert_true(abi->fast_output);
        assert_int_equal(abi->output_at_end, conventions[i].output_at_end);
    }
}

static void results_are_in_x0_and_the_control_goes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(conventions) / sizeof(conventions[0]); i++) {
        const struct abi *abi = conventions[i].abi;
        struct vmr_hv_call_registers registers = {0};

        abi->set_result(&registers, 0x42);
        assert_int_equal(registers.gpr[0], 0x42);
        assert_int_equal(registers.gpr_modified, 1);
        registers.gpr_modified = 0;
        abi->set_control(abi, &registers, 0x43);
        assert_int_equal(registers.gpr[conventions[i].control], 0x43);
        assert_int_equal(registers.gpr_modified, 1u << conventions[i].control);
        registers.gpr_modified = 0;
        abi->set_word(abi, &registers, 15, 0x44);
        assert_int_equal(registers.gpr[conventions[i].first_word + 15], 0x44);
        assert_int_equal(registers.gpr_modified, 1u << (conventions[i].first_word + 15));
        assert_int_equal(registers.xmm_modified, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_where_the_convention_says),
        cmocka_unit_test(results_are_in_x0_and_the_control_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
