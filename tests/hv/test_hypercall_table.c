/* SPDX-License-Identifier: MIT */

/* The table of calls: found by code, complete, and in keeping with itself. */

#include "lib/hv/hypercall_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_code_of_16_bits_finds_its_row_or_none(void **state)
{
    (void)state;
    size_t found = 0;

    for (uint64_t code = 0; code <= UINT16_MAX; code++) {
        const struct vmr_hv_call_definition *definition = vmr_hv_call_find(code);
        size_t row = hypercall_table_find(code);

        if (!definition) {
            assert_true(row == HYPERCALL_NONE);
            continue;
        }
        assert_int_equal(definition->code, code);
        assert_int_equal(row, found);
        assert_ptr_equal(definition, vmr_hv_call_at(found++));
    }
    assert_int_equal(found, vmr_hv_call_count());
    assert_null(vmr_hv_call_at(found));
    assert_null(vmr_hv_call_find(UINT64_C(0x1005d)));
    assert_null(vmr_hv_call_find(UINT64_MAX));
}

/* Known to the specification, never answered here. */
static const uint16_t undefined[] = {
    HV_CALL_SWITCH_VIRTUAL_ADDRESS_SPACE,
    HV_CALL_NOTIFY_LONG_SPIN_WAIT,
    HV_CALL_INVOKE_HYPERVISOR_DEBUGGER,
    HV_CALL_OUTPUT_DEBUG_CHARACTER,
    HV_CALL_GET_SYSTEM_PROPERTY,
    HV_CALL_NOTIFY_PARTITION_EVENT,
    HV_CALL_REGISTER_INTERCEPT_RESULT,
    HV_CALL_CHECK_FOR_IO_INTERCEPT,
    HV_CALL_FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE,
    HV_CALL_FLUSH_GUEST_PHYSICAL_ADDRESS_LIST,
    HV_CALL_CHECK_SPARSE_GPA_PAGE_VTL_ACCESS,
    HV_CALL_GET_VP_CPUID_VALUES,
    HV_CALL_MEMORY_MAPPED_IO_READ,
    HV_CALL_MEMORY_MAPPED_IO_WRITE,
    HV_CALL_PIN_GPA_PAGE_RANGES,
    HV_CALL_UNPIN_GPA_PAGE_RANGES,
};

static void calls_that_nobody_answers_have_no_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(undefined) / sizeof(undefined[0]); i++)
        assert_null(vmr_hv_call_find(undefined[i]));
}

static void check_sizes(const struct vmr_hv_call_definition *definition, const struct vmr_hv_call_sizes *sizes)
{
    bool rep = definition->kind == VMR_HV_CALL_REP;

    if (rep != (sizes->rep_input != 0) || (!rep && sizes->rep_output != 0) || (rep && sizes->output != 0) ||
        sizes->input > VMR_PAGE_SIZE || sizes->output > VMR_PAGE_SIZE)
        fail_msg("%s", definition->name);
}

static void every_definition_makes_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < vmr_hv_call_count(); i++) {
        const struct vmr_hv_call_definition *definition = vmr_hv_call_at(i);

        if (definition->name[0] == '\0' || definition->kind > VMR_HV_CALL_VTL_SWITCH ||
            (definition->privilege & (definition->privilege - 1)) != 0)
            fail_msg("%s", definition->name);
        check_sizes(definition, &definition->x86);
        if (!definition->x86_only)
            check_sizes(definition, &definition->arm64);
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(definition->name, vmr_hv_call_at(other)->name);
    }
}

static enum hv_status succeed(void *context, struct vmr_hv_call *call)
{
    (void)context, (void)call;
    return HV_STATUS_SUCCESS;
}

static void handlers_are_set_only_for_calls_that_take_one(void **state)
{
    (void)state;
    struct vmr_hv_calls calls = {0}, empty = {0};
    int context = 0;
    const struct vmr_hv_call_handler handler = {succeed, &context};

    assert_int_equal(vmr_hv_calls_set(&calls, 0x7777, &handler), VMR_E_USAGE);
    assert_int_equal(vmr_hv_calls_set(&calls, HV_CALL_VTL_CALL, &handler), VMR_E_USAGE);
    assert_int_equal(vmr_hv_calls_set(&calls, HV_CALL_VTL_RETURN, &handler), VMR_E_USAGE);
    assert_int_equal(vmr_hv_calls_set(&calls, HV_CALL_SIGNAL_EVENT | 0x10000, &handler), VMR_E_USAGE);
    assert_memory_equal(&calls, &empty, sizeof(calls));
    assert_int_equal(vmr_hv_calls_set(&calls, HV_CALL_SIGNAL_EVENT, &handler), VMR_OK);
    assert_memory_not_equal(&calls, &empty, sizeof(calls));
    assert_int_equal(vmr_hv_calls_set(&calls, HV_CALL_SIGNAL_EVENT, NULL), VMR_OK);
    assert_memory_equal(&calls, &empty, sizeof(calls));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_16_bits_finds_its_row_or_none),
        cmocka_unit_test(calls_that_nobody_answers_have_no_definition),
        cmocka_unit_test(every_definition_makes_sense),
        cmocka_unit_test(handlers_are_set_only_for_calls_that_take_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
