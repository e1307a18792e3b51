/* SPDX-License-Identifier: MIT */
/* Interrupts by hypercall: whom they reach, and as what. [HC-14] [HC-17] */

#include "lib/hv/calls.h"

#include "tests/hv/calls_rig.h"

static void put_ipi(struct calls_rig *rig, uint64_t first, uint64_t second)
{
    store_le64(rig->input, first);
    store_le64(rig->input + 8, second);
}

static void a_mask_reaches_those_that_exist(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    put_ipi(&rig, 0x40, UINT64_MAX);
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_SUCCESS);
    assert_int_equal(rig.interrupted, 3);
    assert_int_equal(rig.vector, 0x40);
    put_ipi(&rig, 16, 2);
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_SUCCESS);
    assert_int_equal(rig.interrupted, 2);
    put_ipi(&rig, 255, 0);
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_SUCCESS);
    assert_int_equal(rig.interrupted, 0);
    calls_rig_finish(&rig);
}

static void put_assert(struct calls_rig *rig, uint64_t control, uint64_t destination, uint64_t vector)
{
    store_le64(rig->input + 8, control);
    store_le64(rig->input + 16, destination);
    store_le64(rig->input + 24, vector);
}

/* What is for another VTL than 0 is nothing to the local APICs. */
static void only_vtl0_has_local_apics(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    rig.caller.vtl = 2;
    put_ipi(&rig, 0x40 | UINT64_C(0x11) << 32, 1);
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_SUCCESS);
    put_ipi(&rig, 0x40, 1);
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_SUCCESS);
    assert_int_equal(rig.interrupted, 0);
    put_ipi(&rig, 0x40 | UINT64_C(0x10) << 32, 1);
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_SUCCESS);
    assert_int_equal(rig.interrupted, 1);
    store_le64(rig.input, HV_PARTITION_ID_SELF);
    put_assert(&rig, 0, 0, 0x40 | UINT64_C(1) << 32);
    assert_int_equal(calls_rig_run(&rig, calls_assert_interrupt), HV_STATUS_INVALID_VTL_STATE);
    assert_int_equal(rig.messages, 0);
    calls_rig_finish(&rig);
}

static void bad_ones_reach_nobody(void **state)
{
    (void)state;
    static const uint64_t firsts[] = {15, 256, UINT64_C(1) << 40 | 0x40, UINT64_C(0x20) << 32 | 0x40};
    struct calls_rig rig;

    calls_rig_init(&rig);
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        put_ipi(&rig, firsts[i], 3);
        assert_int_equal(calls_rig_run(&rig, calls_send_ipi), HV_STATUS_INVALID_PARAMETER);
        assert_int_equal(rig.interrupted, 0);
    }
    put_ipi(&rig, 0x40, 2); /* no such format */
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi_ex), HV_STATUS_INVALID_PARAMETER);
    put_ipi(&rig, 0x40, HV_GENERIC_SET_SPARSE_4K);
    store_le64(rig.input + 16, 1); /* a bank without its word */
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi_ex), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(rig.interrupted, 0);
    calls_rig_finish(&rig);
}

/* CVE-2025-58147, CVE-2025-58148, CVE-2021-47390: banks and processors far beyond what there is. */
static void banks_beyond_the_partition_are_passed_over(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    put_ipi(&rig, 0x40, HV_GENERIC_SET_SPARSE_4K);
    store_le64(rig.input + 16, UINT64_MAX);
    memset(rig.output, 0xff, sizeof(rig.output));
    rig.call.variable = rig.output;
    rig.call.variable_words = 64;
    assert_int_equal(calls_rig_run(&rig, calls_send_ipi_ex), HV_STATUS_SUCCESS);
    assert_int_equal(rig.interrupted, 3);
    calls_rig_finish(&rig);
}

static void an_asserted_interrupt_is_a_message(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    rig.caller.vtl = 1;
    put_assert(&rig, UINT64_C(1) << 33 | 1, 0x123, 0x40);
    assert_int_equal(calls_rig_run(&rig, calls_assert_interrupt), HV_STATUS_SUCCESS);
    assert_int_equal(rig.messages, 1);
    assert_int_equal(rig.msi.address, UINT64_C(0x10000000000) | 0xfee23004);
    assert_int_equal(rig.msi.data, 0x140);
    put_assert(&rig, 4, 1, 0); /* NMI: its vector is its own */
    assert_int_equal(calls_rig_run(&rig, calls_assert_interrupt), HV_STATUS_SUCCESS);
    assert_int_equal(rig.msi.data, 0x400);
    rig.deaf = true;
    assert_int_equal(calls_rig_run(&rig, calls_assert_interrupt), HV_STATUS_INVALID_PARAMETER);
    calls_rig_finish(&rig);
}

static void what_cannot_be_asserted_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t control, destination, vector;
        enum hv_status status;
    } rows[] = {
        {0, 0, 15, HV_STATUS_INVALID_PARAMETER},
        {0, 0, 256, HV_STATUS_INVALID_PARAMETER},
        {2, 0, 0x40, HV_STATUS_INVALID_PARAMETER},
        {5, 0, 0x40, HV_STATUS_INVALID_PARAMETER},
        {UINT64_C(1) << 32, 0, 0x40, HV_STATUS_INVALID_PARAMETER},
        {UINT64_C(1) << 34, 0, 0x40, HV_STATUS_INVALID_PARAMETER},
        {0, UINT64_C(1) << 32, 0x40, HV_STATUS_INVALID_PARAMETER},
        {0, 0, 0x40 | UINT64_C(1) << 40, HV_STATUS_INVALID_PARAMETER},
        {0, 0, 0x40 | UINT64_C(1) << 32, HV_STATUS_ACCESS_DENIED}, /* the caller's own */
        {0, 0, 0x40 | UINT64_C(2) << 32, HV_STATUS_ACCESS_DENIED},
    };
    struct calls_rig rig;

    calls_rig_init(&rig);
    rig.caller.vtl = 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_assert(&rig, rows[i].control, rows[i].destination, rows[i].vector);
        assert_int_equal(calls_rig_run(&rig, calls_assert_interrupt), rows[i].status);
    }
    assert_int_equal(rig.messages, 0);
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_reaches_those_that_exist),
        cmocka_unit_test(only_vtl0_has_local_apics),
        cmocka_unit_test(bad_ones_reach_nobody),
        cmocka_unit_test(banks_beyond_the_partition_are_passed_over),
        cmocka_unit_test(an_asserted_interrupt_is_a_message),
        cmocka_unit_test(what_cannot_be_asserted_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
