/* SPDX-License-Identifier: MIT */
/* The numbers of registers, their bytes, and the description that says both. */

#include "lib/debug/registers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REGISTERS 48u
#define RIP 16u
#define EFLAGS 17u
#define CS 18u
#define ST0 24u
#define FS_BASE 40u
#define EFER 47u

static const char *get(const struct vmr_x86_regs *regs, uint64_t number, struct reply *reply)
{
    reply_begin(reply);
    if (!registers_get(regs, number, reply))
        return NULL;
    reply->bytes[reply->length] = '\0';
    return reply->bytes + 1;
}

static const struct vmr_x86_regs some = {
    .gpr = {[VMR_X86_RAX] = 0x1122334455667788, [VMR_X86_RBX] = 3, [VMR_X86_R15] = 15},
    .rip = 0xfff0,
    .rflags = 0x246,
    .cs = {.selector = 0xf000, .base = 0xffff0000},
    .fs = {.base = 0xffff800000000000},
    .efer = 0xd01,
};

static void each_is_where_gdb_expects_it(void **state)
{
    static const struct {
        uint64_t number;
        const char *digits;
    } cases[] = {
        {0, "8877665544332211"},
        {1, "0300000000000000"},
        {15, "0f00000000000000"},
        {RIP, "f0ff000000000000"},
        {EFLAGS, "46020000"},
        {CS, "00f00000"},
        {ST0, "xxxxxxxxxxxxxxxxxxxx"},
        {FS_BASE, "000000000080ffff"},
        {EFER, "010d000000000000"},
        {REGISTERS, NULL},
        {UINT64_MAX, NULL},
    };
    struct reply reply;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *digits = get(&some, cases[i].number, &reply);

        if (!digits != !cases[i].digits || (digits && strcmp(digits, cases[i].digits) != 0))
            fail_msg("register %llu: %s", (unsigned long long)cases[i].number, digits ? digits : "none");
    }
}

/* The description names as many registers, of as many bits, as there are bytes. */
static void the_description_is_of_these_registers(void **state)
{
    const char *at = registers_target();
    struct reply one, all;
    unsigned number = 0;

    (void)state;
    assert_null(strpbrk(at, "$#}*"));
    reply_begin(&all);
    registers_get_all(&some, &all);
    size_t length = 1;

    while ((at = strstr(at, "bitsize=\"")) != NULL) {
        const char *digits = get(&some, number, &one);

        at += strlen("bitsize=\"");
        assert_non_null(digits);
        assert_int_equal(strlen(digits) * 4, strtoul(at, NULL, 10));
        assert_memory_equal(all.bytes + length, digits, strlen(digits));
        length += strlen(digits);
        number++;
    }
    assert_int_equal(number, REGISTERS);
    assert_int_equal(length, all.length);
}

static void one_can_be_changed(void **state)
{
    static const struct {
        uint64_t number;
        const char *digits;
        bool taken;
    } cases[] = {
        {0, "0100000000000000", true},
        {RIP, "ffffffffffffffff", true},
        {EFLAGS, "02000000", true},
        {EFLAGS, "0200000000000000", false},
        {0, "01", false},
        {0, "", false},
        {0, "010000000000000g", false},
        {CS, "00f00000", true}, /* what it is */
        {CS, "10000000", false},
        {ST0, "00000000000000000000", false},
        {REGISTERS, "0100000000000000", false},
        {UINT64_MAX, "0100000000000000", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_x86_regs regs = some;
        struct reply reply;

        if (registers_set(&regs, cases[i].number, cases[i].digits, strlen(cases[i].digits)) != cases[i].taken)
            fail_msg("case %zu", i);
        if (cases[i].taken)
            assert_string_equal(get(&regs, cases[i].number, &reply), cases[i].digits);
        else
            assert_memory_equal(&regs, &some, sizeof(regs));
    }
}

static void all_can_be_changed_or_none(void **state)
{
    struct vmr_x86_regs regs = some, other = some;
    struct reply reply;

    (void)state;
    other.gpr[VMR_X86_RAX] = 1;
    other.efer = 0x500;
    reply_begin(&reply);
    registers_get_all(&other, &reply);
    char *digits = reply.bytes + 1;
    size_t length = reply.length - 1;

    assert_false(registers_set_all(&regs, digits, length - 1));
    assert_false(registers_set_all(&regs, digits, length - 2));
    assert_false(registers_set_all(&regs, digits, length + 2));
    assert_false(registers_set_all(&regs, digits, 0));
    digits[length - 1] = 'g'; /* in the last of them */
    assert_false(registers_set_all(&regs, digits, length));
    assert_memory_equal(&regs, &some, sizeof(regs));
    digits[length - 1] = '0';
    assert_true(registers_set_all(&regs, digits, length));
    assert_memory_equal(&regs, &other, sizeof(regs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_where_gdb_expects_it),
        cmocka_unit_test(the_description_is_of_these_registers),
        cmocka_unit_test(one_can_be_changed),
        cmocka_unit_test(all_can_be_changed_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
