/* SPDX-License-Identifier: MIT */

/* Which registers an x86 caller uses, by name. */

#include "lib/hv/abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmrig/vp_state.h"

/* Low and high halves of all registers differ from each other. */
static void number_registers(struct vmr_hv_call_registers *ret_registers)
{
    *ret_registers = (struct vmr_hv_call_registers){0};
    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        ret_registers->gpr[i] = UINT64_C(0xa000000000) * (i + 1) + 0xb0 + i;
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        ret_registers->xmm[i] = (struct vmr_hv_xmm){.low = 0x1000 + i, .high = 0x2000 + i};
}

static void a_64_bit_caller_uses_whole_registers(void **state)
{
    (void)state;
    struct vmr_hv_call_registers registers;

    number_registers(&registers);
    assert_int_equal(abi_x64.control(&abi_x64, &registers), registers.gpr[VMR_X86_RCX]);
    assert_int_equal(abi_x64.vtl_input(&registers), registers.gpr[VMR_X86_RAX]);
    abi_x64.set_result(&registers, 0x1234567890);
    assert_int_equal(registers.gpr[VMR_X86_RAX], 0x1234567890);
    assert_int_equal(registers.gpr_modified, 1u << VMR_X86_RAX);
    abi_x64.set_control(&abi_x64, &registers, 0x9876543210);
    assert_int_equal(registers.gpr[VMR_X86_RCX], 0x9876543210);
    assert_int_equal(registers.gpr_modified, 1u << VMR_X86_RAX | 1u << VMR_X86_RCX);
}

static void a_64_bit_caller_has_seven_pairs(void **state)
{
    (void)state;
    struct vmr_hv_call_registers registers;

    number_registers(&registers);
    assert_int_equal(abi_x64.pairs, 7);
    assert_int_equal(abi_x64.word(&abi_x64, &registers, 0), registers.gpr[VMR_X86_RDX]);
    assert_int_equal(abi_x64.word(&abi_x64, &registers, 1), registers.gpr[VMR_X86_R8]);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(abi_x64.word(&abi_x64, &registers, 2 + 2 * i), 0x1000 + i);
        assert_int_equal(abi_x64.word(&abi_x64, &registers, 3 + 2 * i), 0x2000 + i);
    }
    abi_x64.set_word(&abi_x64, &registers, 13, 5);
    assert_int_equal(registers.xmm[5].high, 5);
    assert_int_equal(registers.xmm[5].low, 0x1005);
    assert_int_equal(registers.xmm_modified, 1u << 5);
    assert_int_equal(registers.gpr_modified, 0);
    abi_x64.set_word(&abi_x64, &registers, 0, 6);
    assert_int_equal(registers.gpr_modified, 1u << VMR_X86_RDX);
}

static void a_32_bit_caller_uses_low_halves(void **state)
{
    (void)state;
    struct vmr_hv_call_registers registers;

    number_registers(&registers);
    assert_int_equal(abi_x86.control(&abi_x86, &registers), UINT64_C(0xb2000000b0));
    assert_int_equal(abi_x86.vtl_input(&registers), 0xb1);
    assert_int_equal(abi_x86.word(&abi_x86, &registers, 0), UINT64_C(0xb3000000b1));
    assert_int_equal(abi_x86.word(&abi_x86, &registers, 1), UINT64_C(0xb7000000b6));
    assert_int_equal(abi_x86.pairs, 1);
    assert_false(abi_x86.fast_output);
}

static void a_32_bit_result_is_in_two_registers(void **state)
{
    (void)state;
    struct vmr_hv_call_registers registers;

    number_registers(&registers);
    abi_x86.set_result(&registers, UINT64_C(0x1122334455667788));
    assert_int_equal(registers.gpr[VMR_X86_RDX], 0x11223344);
    assert_int_equal(registers.gpr[VMR_X86_RAX], 0x55667788);
    assert_int_equal(registers.gpr_modified, 1u << VMR_X86_RDX | 1u << VMR_X86_RAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_64_bit_caller_uses_whole_registers),
        cmocka_unit_test(a_64_bit_caller_has_seven_pairs),
        cmocka_unit_test(a_32_bit_caller_uses_low_halves),
        cmocka_unit_test(a_32_bit_result_is_in_two_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
