/* SPDX-License-Identifier: MIT */
/*
 * Guest programs are judged step by step: each rule of the table is broken once, and the
 * message names program, step and value.
 */

#include "vmrig/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct vmr_program program_of(const struct vmr_step *steps, uint32_t count)
{
    return (struct vmr_program){.name = "p", .steps = steps, .count = count};
}

static void every_operation_has_its_own_name(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VMR_STEP_OP_COUNT; i++) {
        assert_non_null(vmr_step_op_name(i));
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(vmr_step_op_name(i), vmr_step_op_name(j));
    }
    assert_string_equal(vmr_step_op_name(VMR_STEP_WAIT_VECTOR), "wait-vector");
    assert_string_equal(vmr_step_op_name(VMR_STEP_OP_COUNT), "unknown");
}

/* One step of every operation, most of them at the edge of what is allowed. */
static void a_program_of_every_step_is_accepted(void **state)
{
    static const struct vmr_step steps[] = {
        VMR_SET(0, UINT64_MAX),
        VMR_ADD(7, 1),
        VMR_OUT(0xffff, 4, UINT32_MAX),
        VMR_OUT_VAR(1, 2, 7),
        VMR_IN(0, 0, 1),
        VMR_OUTS(1, 4, 1024, 0x100000),
        VMR_OUTS(1, 1, 0, 0),
        VMR_INS(1, 1, 1, 0xffffffff),
        VMR_STORE(0xfffffff8, 8, UINT64_MAX),
        VMR_STORE_VAR(0x7fff, 1, 0),
        VMR_LOAD(0, VMR_PROGRAM_COUNTS, 4),
        VMR_OR(VMR_PROGRAM_END, 1, 0xff),
        VMR_RDMSR(6, UINT32_MAX),
        VMR_WRMSR(0x10, UINT64_MAX),
        VMR_CPUID(UINT32_MAX, UINT32_MAX),
        VMR_EXPECT(0, UINT64_MAX),
        VMR_EXPECT_MASK(0, UINT64_MAX, 0),
        VMR_JUMP_EQ(0, 5, 0),
        VMR_LOOP(0, 0),
        VMR_SPIN_UNTIL(0x100000, 8, 1),
        VMR_CLI(),
        VMR_STI(),
        VMR_HLT(),
        VMR_WAIT_VECTOR(0xff, 1),
        VMR_READ_COUNT(0, 0xff),
        VMR_START_VP(1),
        VMR_SEND_IPI(1, 0xff),
        VMR_CHECKPOINT(UINT32_MAX),
        VMR_HYPERCALL(0, UINT64_MAX),
        VMR_HV_CALL_XMM(6, 0xfffff000, UINT64_MAX, VMR_PROGRAM_DATA),
        VMR_POWER_OFF(),
        VMR_RESET(),
        VMR_NOP(),
        VMR_VTL_CALL(0xfffff000),
        VMR_VTL_RETURN(0xfffff000, UINT64_MAX),
        VMR_SPIN(),
        VMR_TRIPLE_FAULT(),
        VMR_END(),
        VMR_JUMP(38),
    };
    const struct vmr_program program = program_of(steps, sizeof(steps) / sizeof(steps[0]));
    struct vmr_error err = {0};

    (void)state;
    if (vmr_program_check(&program, &err))
        fail_msg("%s", err.message);
}

/* A row for each way in which a step can be wrong. */
static void a_step_out_of_range_is_named(void **state)
{
    static const struct {
        const char *message;
        struct vmr_step step;
    } cases[] = {
        {"program 'p', step 1 (unknown): operation 0x26 is out of range", {.op = VMR_STEP_OP_COUNT}},
        {"program 'p', step 1 (out): size 0x8 is out of range", VMR_OUT(1, 8, 0)},
        {"program 'p', step 1 (in): size 0 is out of range", VMR_IN(0, 1, 0)},
        {"program 'p', step 1 (store): size 0x3 is out of range", VMR_STORE(0, 3, 0)},
        {"program 'p', step 1 (load): size 0xff is out of range", VMR_LOAD(0, 0, 255)},
        {"program 'p', step 1 (set): variable 0x8 is out of range", VMR_SET(8, 0)},
        {"program 'p', step 1 (rdmsr): variable 0x7 is out of range", VMR_RDMSR(VMR_PROGRAM_FAULT_VAR, 0x10)},
        {"program 'p', step 1 (jump): target 0x3 is out of range", VMR_JUMP(3)},
        {"program 'p', step 1 (loop): target 0xffffffff is out of range", VMR_LOOP(0, UINT32_MAX)},
        {"program 'p', step 1 (wait-vector): count 0 is out of range", VMR_WAIT_VECTOR(0x30, 0)},
        {"program 'p', step 1 (out): address 0x10000 is out of range", VMR_OUT(0x10000, 1, 0)},
        {"program 'p', step 1 (out): value 0x100 is out of range", VMR_OUT(1, 1, 0x100)},
        {"program 'p', step 1 (store): address 0xfffffff9 is out of range", VMR_STORE(0xfffffff9, 8, 0)},
        {"program 'p', step 1 (load): address 0xffffffffffffffff is out of range", VMR_LOAD(0, UINT64_MAX, 1)},
        {"program 'p', step 1 (store): address 0x7fff is out of range", VMR_STORE(0x7fff, 2, 0)},
        {"program 'p', step 1 (or): address 0x7ffff is out of range", VMR_OR(0x7ffff, 1, 1)},
        {"program 'p', step 1 (ins): value 0x7000 is out of range", VMR_INS(1, 1, 0x1001, 0x7000)},
        {"program 'p', step 1 (outs): value 0x100000 is out of range", VMR_OUTS(1, 4, UINT32_MAX, 0x100000)},
        {"program 'p', step 1 (outs): value 0xb is out of range",
         {.op = VMR_STEP_OUTS, .size = 4, .count = 4, .value = 0xb, .backward = true}},
        {"program 'p', step 1 (ins): value 0x80002 is out of range",
         {.op = VMR_STEP_INS, .size = 1, .count = 4, .value = 0x80002, .backward = true}},
        {"program 'p', step 1 (wrmsr): address 0x100000000 is out of range", VMR_WRMSR(UINT64_C(1) << 32, 0)},
        {"program 'p', step 1 (read-count): value 0x100 is out of range", VMR_READ_COUNT(0, 0x100)},
        {"program 'p', step 1 (hv-call): address 0x100001 is out of range", VMR_HV_CALL(0, 0x100001, 0)},
        {"program 'p', step 1 (hv-call): count 0x7fff0 is out of range", VMR_HV_CALL_XMM(0, 0x100000, 0, 0x7fff0)},
        {"program 'p', step 1 (vtl-call): address 0x1001 is out of range", VMR_VTL_CALL(0x1001)},
        {"program 'p', step 1 (hv-call): variable 0x7 is out of range", VMR_HV_CALL(7, 0x100000, 0)},
        {"program 'p', step 1 (hv-call): size 0x2 is out of range",
         {.op = VMR_STEP_HV_CALL, .size = 2, .address = 0x100000}},
        {"program 'p', step 1 (start-vp): value 0xff is out of range", VMR_START_VP(0xff)},
        {"program 'p', step 1 (checkpoint): value 0x100000000 is out of range", VMR_CHECKPOINT(UINT64_C(1) << 32)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct vmr_step steps[] = {VMR_NOP(), cases[i].step, VMR_END()};
        const struct vmr_program program = program_of(steps, 3);
        struct vmr_error err = {0};

        assert_int_equal(vmr_program_check(&program, &err), VMR_E_CONFIG);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void strings_may_go_down_to_the_first_byte(void **state)
{
    static const struct vmr_step steps[] = {
        {.op = VMR_STEP_OUTS, .size = 4, .count = 4, .value = 0xc, .backward = true},
        {.op = VMR_STEP_INS, .size = 1, .count = 4, .value = 0x80003, .backward = true},
        {.op = VMR_STEP_INS, .size = 1, .count = 0, .value = 0x100000, .backward = true},
        VMR_END(),
    };
    const struct vmr_program program = program_of(steps, 4);

    (void)state;
    assert_int_equal(vmr_program_check(&program, NULL), VMR_OK);
}

static void x2apic_ids_are_wider(void **state)
{
    static const struct vmr_step steps[] = {VMR_START_VP(0x1000), VMR_END()};
    struct vmr_program program = program_of(steps, 2);

    (void)state;
    assert_int_equal(vmr_program_check(&program, NULL), VMR_E_CONFIG);
    program.eoi = VMR_EOI_X2APIC;
    assert_int_equal(vmr_program_check(&program, NULL), VMR_OK);
}

static void a_program_must_not_run_past_its_end(void **state)
{
    static const struct vmr_step steps[] = {VMR_NOP(), VMR_HLT()};
    const struct vmr_program program = program_of(steps, 2);
    struct vmr_error err = {0};

    (void)state;
    assert_int_equal(vmr_program_check(&program, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "program 'p', step 1 (hlt): the program runs past its end");
}

static void a_program_is_judged_as_a_whole_first(void **state)
{
    static const struct vmr_step steps[] = {VMR_END()};
    static const struct {
        const char *message;
        struct vmr_program program;
    } cases[] = {
        {"program: name is missing", {.steps = steps, .count = 1}},
        {"program 'p': 0 steps are not 1 to 4096", {.name = "p", .steps = steps}},
        {"program 'p': 0 steps are not 1 to 4096", {.name = "p", .count = 1}},
        {"program 'p': 4097 steps are not 1 to 4096", {.name = "p", .steps = steps, .count = 4097}},
        {"program 'p': start 2 is out of range", {.name = "p", .steps = steps, .count = 1, .start = 2}},
        {"program 'p': eoi 4 is out of range", {.name = "p", .steps = steps, .count = 1, .eoi = 4}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_error err = {0};

        assert_int_equal(vmr_program_check(&cases[i].program, &err), VMR_E_CONFIG);
        assert_string_equal(err.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_its_own_name),
        cmocka_unit_test(a_program_of_every_step_is_accepted),
        cmocka_unit_test(a_step_out_of_range_is_named),
        cmocka_unit_test(strings_may_go_down_to_the_first_byte),
        cmocka_unit_test(x2apic_ids_are_wider),
        cmocka_unit_test(a_program_must_not_run_past_its_end),
        cmocka_unit_test(a_program_is_judged_as_a_whole_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
