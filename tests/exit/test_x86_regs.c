/* SPDX-License-Identifier: MIT */
/*
 * The register table covers the struct, and a processor starts as the manual says.
 */

#include "lib/exit/x86_regs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_unique_and_found(void **state)
{
    (void)state;
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(x86_reg_name(i), x86_reg_name(j));
    }
    assert_string_equal(x86_reg_name(0), "rax");
    assert_string_equal(x86_reg_name(VMR_X86_R15), "r15");
    assert_string_equal(x86_reg_name(16), "rip");
    assert_string_equal(x86_reg_name(x86_reg_count() - 1), "apic_base");
}

static void every_register_keeps_its_largest_value_apart_from_the_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        struct vmr_x86_regs regs = {0};
        uint64_t max = UINT64_MAX >> (64 - 8 * x86_reg_width(i));

        assert_true(x86_reg_set(&regs, i, max));
        for (unsigned j = 0; j < x86_reg_count(); j++)
            assert_true(x86_reg_get(&regs, j) == (i == j ? max : 0));
        if (max < UINT64_MAX)
            assert_false(x86_reg_set(&regs, i, max + 1));
        assert_true(x86_reg_get(&regs, i) == max);
    }
}

static void no_member_is_missing(void **state)
{
    (void)state;
    /* Each descriptor table ends in padding after its 16-bit limit; nothing else does. */
    const size_t padding = 2 * (sizeof(struct vmr_x86_table) - sizeof(uint64_t) - sizeof(uint16_t));
    size_t bytes = 0;

    for (unsigned i = 0; i < x86_reg_count(); i++)
        bytes += x86_reg_width(i);
    assert_int_equal(bytes + padding, sizeof(struct vmr_x86_regs));
}

static void numbers_above_the_last_are_harmless(void **state)
{
    (void)state;
    struct vmr_x86_regs regs = {0}, zeros = {0};
    const unsigned numbers[] = {x86_reg_count(), UINT32_MAX};

    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(x86_reg_name(numbers[i]), "unknown");
        assert_int_equal(x86_reg_width(numbers[i]), 0);
        assert_true(x86_reg_get(&regs, numbers[i]) == 0);
        assert_false(x86_reg_set(&regs, numbers[i], 0));
    }
    assert_memory_equal(&regs, &zeros, sizeof(regs));
}

static void power_up_is_sixteen_bytes_below_four_gigabytes(void **state)
{
    (void)state;
    struct vmr_x86_regs regs;

    memset(&regs, 0xee, sizeof(regs));
    vmr_x86_regs_reset(&regs);
    assert_true(regs.cs.base + regs.rip == 0xfffffff0);
    assert_int_equal(regs.cs.selector, 0xf000);
    assert_int_equal(regs.rflags, 2);
    assert_int_equal(regs.cr0, 0x60000010);
    assert_true((regs.cr2 | regs.cr3 | regs.cr4 | regs.cr8 | regs.efer) == 0);
    assert_int_equal(regs.gdtr.limit, 0xffff);
    assert_int_equal(regs.ldtr.attributes, 0x82);
    assert_int_equal(regs.ss.attributes, 0x93);
    assert_int_equal(regs.apic_base, 0xfee00900);
    assert_int_equal(regs.gpr[VMR_X86_RSP], 0);
}

static void a_start_up_ipi_names_the_page(void **state)
{
    static const uint8_t vectors[] = {0, 0x10, 0x9f, 0xff};

    (void)state;
    for (unsigned i = 0; i < sizeof(vectors); i++) {
        struct vmr_x86_regs regs;

        memset(&regs, 0xee, sizeof(regs));
        vmr_x86_regs_sipi(&regs, vectors[i]);
        assert_true(regs.cs.base == (uint64_t)vectors[i] << 12);
        assert_int_equal(regs.cs.selector, vectors[i] << 8);
        assert_int_equal(regs.rip, 0);
        assert_int_equal(regs.cr0 & 1, 0);
        assert_int_equal(regs.apic_base & 0x100, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_found),
        cmocka_unit_test(every_register_keeps_its_largest_value_apart_from_the_others),
        cmocka_unit_test(no_member_is_missing),
        cmocka_unit_test(numbers_above_the_last_are_harmless),
        cmocka_unit_test(power_up_is_sixteen_bytes_below_four_gigabytes),
        cmocka_unit_test(a_start_up_ipi_names_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
