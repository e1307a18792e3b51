/* SPDX-License-Identifier: MIT */

/* Bytes in the words of fast calls, for every convention. */

#include "lib/hv/abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_number_has_its_convention(void **state)
{
    (void)state;
    assert_ptr_equal(abi_find(VMR_HV_ABI_X64), &abi_x64);
    assert_ptr_equal(abi_find(VMR_HV_ABI_X86), &abi_x86);
    assert_ptr_equal(abi_find(VMR_HV_ABI_ARM64_HVC), &abi_arm64_hvc);
    assert_ptr_equal(abi_find(VMR_HV_ABI_ARM64_SMCCC), &abi_arm64_smccc);
    assert_null(abi_find(VMR_HV_ABI_COUNT));
    assert_null(abi_find(UINT8_MAX));
}

/* Writes one byte pattern at every place of every length, and looks at all bytes around it. */
static void try_writes(const struct abi *abi, unsigned number)
{
    size_t all = abi->pairs * 16u;
    uint8_t before[128], after[128], want[128], bytes[128];

    memset(before, 0x5a, sizeof(before));
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(0x80 + i);
    for (size_t offset = 0; offset < all; offset++) {
        for (size_t length = 0; length <= all - offset; length++) {
            struct vmr_hv_call_registers registers = {0};

            abi_write_fast(abi, &registers, 0, before, all);
            abi_write_fast(abi, &registers, offset, bytes, length);
            abi_read_fast(abi, &registers, after, all);
            memcpy(want, before, all);
            memcpy(want + offset, bytes, length);
            if (memcmp(after, want, all) != 0)
                fail_msg("convention %u: %zu bytes at %zu", number, length, offset);
        }
    }
}

static void bytes_that_were_not_written_stay(void **state)
{
    (void)state;
    for (unsigned number = 0; number < VMR_HV_ABI_COUNT; number++)
        try_writes(abi_find(number), number);
}

static void a_short_read_ends_where_it_says(void **state)
{
    (void)state;
    struct vmr_hv_call_registers registers = {0};
    uint8_t bytes[16];

    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        registers.gpr[i] = UINT64_MAX;
    for (unsigned number = 0; number < VMR_HV_ABI_COUNT; number++) {
        for (size_t length = 0; length <= 15; length++) {
            memset(bytes, 0, sizeof(bytes));
            abi_read_fast(abi_find(number), &registers, bytes, length);
            for (size_t i = 0; i < sizeof(bytes); i++)
                assert_int_equal(bytes[i], i < length ? 0xff : 0);
        }
    }
}

static void a_written_register_is_in_the_mask(void **state)
{
    (void)state;
    struct vmr_hv_call_registers registers = {0};
    const uint8_t bytes[2] = {1, 2};

    abi_write_fast(&abi_arm64_hvc, &registers, 15, bytes, 2);
    assert_int_equal(registers.gpr_modified, 1u << 2 | 1u << 3);
    assert_int_equal(registers.xmm_modified, 0);
    abi_set_gpr(&registers, 30, 7);
    assert_int_equal(registers.gpr_modified, 1u << 2 | 1u << 3 | 1u << 30);
    assert_int_equal(registers.gpr[30], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_has_its_convention),
        cmocka_unit_test(bytes_that_were_not_written_stay),
        cmocka_unit_test(a_short_read_ends_where_it_says),
        cmocka_unit_test(a_written_register_is_in_the_mask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
