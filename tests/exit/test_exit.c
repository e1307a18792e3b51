/* SPDX-License-Identifier: MIT */
/*
 * Names, what waits for an answer, and what a valid exit is: each rule broken once.
 */

#include "lib/exit/exit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_enumerator_has_its_own_name(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VMR_EXIT_KIND_COUNT; i++) {
        assert_string_not_equal(vmr_exit_kind_name(i), "unknown");
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(vmr_exit_kind_name(i), vmr_exit_kind_name(j));
    }
    for (uint32_t i = 1; i < VMR_SYSTEM_EVENT_COUNT; i++)
        assert_string_not_equal(vmr_system_event_name(i), vmr_system_event_name(i - 1));
    for (uint32_t i = 1; i < VMR_FAIL_CAUSE_COUNT; i++)
        assert_string_not_equal(vmr_fail_cause_name(i), vmr_fail_cause_name(i - 1));
}

static void other_numbers_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(vmr_exit_kind_name(VMR_EXIT_KIND_COUNT), "unknown");
    assert_string_equal(vmr_exit_kind_name(UINT32_MAX), "unknown");
    assert_string_equal(vmr_system_event_name(VMR_SYSTEM_EVENT_COUNT), "unknown");
    assert_string_equal(vmr_fail_cause_name(UINT32_MAX), "unknown");
}

static void what_an_instruction_waits_for_is_pending(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind <= VMR_EXIT_KIND_COUNT; kind++) {
        struct vmr_exit vp_exit = {.kind = kind};
        bool pending = kind >= VMR_EXIT_IO && kind <= VMR_EXIT_HYPERCALL;

        if (vmr_exit_is_pending(&vp_exit) != pending)
            fail_msg("%s", vmr_exit_kind_name(kind));
    }
}

static void a_write_is_pending_too(void **state)
{
    (void)state;
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_IO, .u.io.direction = VMR_WRITE};

    assert_true(vmr_exit_is_pending(&vp_exit));
    assert_false(exit_is_read(&vp_exit));
}

static uint8_t *any_bytes(void)
{
    static uint8_t bytes[1];

    return bytes;
}

/* clang-format off */
#define IO(...) {.kind = VMR_EXIT_IO, .u.io = {__VA_ARGS__}}
#define MMIO(...) {.kind = VMR_EXIT_MMIO, .u.mmio = {__VA_ARGS__}}
#define FAIL(...) {.kind = VMR_EXIT_FAIL, .u.fail = {__VA_ARGS__}}
/* clang-format on */

/* A row for each rule, and for the last value that it allows. */
static void each_field_out_of_range_is_named(void **state)
{
    static const struct {
        const char *bad_field; /* NULL: valid */
        struct vmr_exit vp_exit;
        bool has_bytes;
    } cases[] = {
        {NULL, {.kind = VMR_EXIT_NONE}, false},
        {"kind", {.kind = VMR_EXIT_KIND_COUNT}, false},
        {"kind", {.kind = UINT32_MAX}, false},
        {"vtl", {.kind = VMR_EXIT_HALT, .vtl = VMR_VTL_COUNT}, false},
        {"running-vtl", {.kind = VMR_EXIT_SHUTDOWN, .vtl = VMR_VTL_COUNT}, false},
        {"tpr", {.kind = VMR_EXIT_HALT, .tpr = 16}, false},
        {"direction", IO(.size = 1, .count = 1, .direction = 2), false},
        {"size", IO(.size = 0, .count = 1), false},
        {"size", IO(.size = 3, .count = 1), false},
        {"size", IO(.size = 8, .count = 1), false},
        {"count", IO(.size = 1, .count = 0), false},
        {"count", IO(.size = 1, .count = 2), false},
        {"value", IO(.size = 1, .count = 1, .value = 0x100), false},
        {"value", IO(.size = 4, .count = 1, .value = UINT64_C(1) << 32), false},
        {NULL, IO(.size = 4, .count = 1, .value = UINT32_MAX), false},
        {"bytes", IO(.size = 4, .count = 1), true},
        {"bytes", IO(.size = 4, .count = 1, .string = true), false},
        {NULL, IO(.size = 4, .count = 1024, .string = true), true},
        {"count", IO(.size = 4, .count = 1025, .string = true), true},
        {"count", IO(.size = 1, .count = UINT32_MAX, .string = true), true},
        {"value", IO(.size = 4, .count = 1, .string = true, .value = 1), true},
        {"direction", MMIO(.size = 1, .direction = 2), false},
        {"size", MMIO(.size = 0), false},
        {"size", MMIO(.size = 9), false},
        {"gpa", MMIO(.size = 1, .gpa = UINT64_C(1) << 52), false},
        {NULL, MMIO(.size = 8, .gpa = 0xff8), false},
        {"gpa", MMIO(.size = 8, .gpa = 0xff9), false},
        {NULL, MMIO(.size = 1, .gpa = 0xfff), false},
        {"value", MMIO(.size = 7, .value = UINT64_C(1) << 56), false},
        {NULL, MMIO(.size = 8, .value = UINT64_MAX), false},
        {"direction", {.kind = VMR_EXIT_MSR, .u.msr.direction = 2}, false},
        {"breakpoint", {.kind = VMR_EXIT_DEBUG, .u.debug = {.breakpoint = 4}}, false},
        {"breakpoint", {.kind = VMR_EXIT_DEBUG, .u.debug = {.single_step = true, .breakpoint = 1}}, false},
        {"vtl", {.kind = VMR_EXIT_SHUTDOWN, .u.shutdown.vtl = VMR_VTL_COUNT}, false},
        {"event", {.kind = VMR_EXIT_SYSTEM_EVENT, .u.system_event.event = VMR_SYSTEM_EVENT_COUNT}, false},
        {"cause", FAIL(.cause = VMR_FAIL_CAUSE_COUNT), false},
        {"bytes", FAIL(.length = VMR_EXIT_FAIL_BYTES_MAX + 1), false},
        {"bytes", FAIL(.length = 1, .bytes = {0, 1}), false},
        {NULL, FAIL(.length = VMR_EXIT_FAIL_BYTES_MAX, .bytes = {[VMR_EXIT_FAIL_BYTES_MAX - 1] = 1}), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmr_exit vp_exit = cases[i].vp_exit;

        if (cases[i].has_bytes)
            vp_exit.u.io.bytes = any_bytes();
        const char *bad_field = exit_bad_field(&vp_exit);

        if (strcmp(bad_field ? bad_field : "", cases[i].bad_field ? cases[i].bad_field : "") != 0)
            fail_msg("row %zu: %s", i, bad_field ? bad_field : "valid");
        assert_int_equal(vmr_exit_is_valid(&vp_exit), cases[i].bad_field == NULL);
    }
}

static void answers_are_compared_by_what_the_guest_sees(void **state)
{
    static const struct {
        const char *name;
        bool equal;
        struct vmr_exit a, b;
    } cases[] = {
        {"kinds", false, {.kind = VMR_EXIT_HALT}, {.kind = VMR_EXIT_CANCEL}},
        {"no answer", true, {.kind = VMR_EXIT_HALT}, {.kind = VMR_EXIT_HALT}},
        {"port read", false, IO(.size = 1, .count = 1, .value = 1), IO(.size = 1, .count = 1, .value = 2)},
        {"port write", true, IO(.size = 1, .count = 1, .value = 1, .direction = VMR_WRITE),
         IO(.size = 1, .count = 1, .value = 2, .direction = VMR_WRITE)},
        {"directions", false, IO(.size = 1, .count = 1), IO(.size = 1, .count = 1, .direction = VMR_WRITE)},
        {"mmio read", false, MMIO(.size = 8, .value = UINT64_C(1) << 63), MMIO(.size = 8)},
        {"msr value", false, {.kind = VMR_EXIT_MSR, .u.msr.value = 1}, {.kind = VMR_EXIT_MSR}},
        {"msr fault", false, {.kind = VMR_EXIT_MSR, .u.msr.fault = true}, {.kind = VMR_EXIT_MSR}},
        {"value beside a fault",
         true,
         {.kind = VMR_EXIT_MSR, .u.msr = {.fault = true, .value = 1}},
         {.kind = VMR_EXIT_MSR, .u.msr.fault = true}},
        {"fault of a write",
         false,
         {.kind = VMR_EXIT_MSR, .u.msr = {.direction = VMR_WRITE, .fault = true}},
         {.kind = VMR_EXIT_MSR, .u.msr.direction = VMR_WRITE}},
        {"cpuid edx", false, {.kind = VMR_EXIT_CPUID, .u.cpuid.edx = 1}, {.kind = VMR_EXIT_CPUID}},
        {"cpuid leaf", true, {.kind = VMR_EXIT_CPUID, .u.cpuid.leaf = 1}, {.kind = VMR_EXIT_CPUID}},
        {"hypercall", false, {.kind = VMR_EXIT_HYPERCALL, .u.hypercall.result = 1}, {.kind = VMR_EXIT_HYPERCALL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (exit_answer_equal(&cases[i].a, &cases[i].b) != cases[i].equal ||
            exit_answer_equal(&cases[i].b, &cases[i].a) != cases[i].equal)
            fail_msg("%s", cases[i].name);
    }
}

static void strings_that_were_read_are_compared_byte_by_byte(void **state)
{
    (void)state;
    uint8_t a_bytes[4] = {1, 2, 3, 4}, b_bytes[4] = {1, 2, 3, 5};
    struct vmr_exit a = IO(.size = 1, .count = 3, .string = true, .bytes = a_bytes);
    struct vmr_exit b = IO(.size = 1, .count = 3, .string = true, .bytes = b_bytes);

    assert_true(exit_answer_equal(&a, &b));
    a.u.io.count = 4;
    assert_false(exit_answer_equal(&a, &b));
    b.u.io.count = 4;
    assert_false(exit_answer_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_enumerator_has_its_own_name),
        cmocka_unit_test(other_numbers_are_unknown),
        cmocka_unit_test(what_an_instruction_waits_for_is_pending),
        cmocka_unit_test(a_write_is_pending_too),
        cmocka_unit_test(each_field_out_of_range_is_named),
        cmocka_unit_test(answers_are_compared_by_what_the_guest_sees),
        cmocka_unit_test(strings_that_were_read_are_compared_byte_by_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
