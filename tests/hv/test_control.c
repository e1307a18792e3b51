/* SPDX-License-Identifier: MIT */

/* The control word: every field, every rule, and the result value. */

#include "lib/hv/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_field_has_its_bits(void **state)
{
    (void)state;
    struct control control;

    control_decode(UINT64_C(0x0345012a01ffabcd) & ~HV_CONTROL_FAST, &control);
    assert_int_equal(control.code, 0xabcd);
    assert_false(control.fast);
    assert_int_equal(control.variable_words, 0xff);
    assert_int_equal(control.rep_count, 0x12a);
    assert_int_equal(control.rep_start, 0x345);
    assert_false(control.reserved);
    control_decode(UINT64_MAX, &control);
    assert_true(control.fast && control.reserved);
    assert_int_equal(control.variable_words, 0x3ff);
    assert_int_equal(control.rep_count, 0xfff);
    assert_int_equal(control.rep_start, 0xfff);
}

static void each_reserved_bit_counts_and_no_other(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        bool reserved = (bit >= 27 && bit <= 30) || (bit >= 44 && bit <= 47) || bit >= 60;
        struct control control;

        control_decode(UINT64_C(1) << bit, &control);
        if (control.reserved != reserved)
            fail_msg("bit %u", bit);
    }
}

static const struct {
    const char *name;
    uint8_t kind;
    bool variable;
    struct control control;
    bool right;
} rules[] = {
    {"simple", VMR_HV_CALL_SIMPLE, false, {.code = 1}, true},
    {"simple, fast", VMR_HV_CALL_SIMPLE, false, {.fast = true}, true},
    {"simple with a rep count", VMR_HV_CALL_SIMPLE, false, {.rep_count = 1}, false},
    {"simple with a rep start", VMR_HV_CALL_SIMPLE, false, {.rep_start = 1}, false},
    {"simple with a variable header", VMR_HV_CALL_SIMPLE, false, {.variable_words = 1}, false},
    {"simple, reserved bit", VMR_HV_CALL_SIMPLE, false, {.reserved = true}, false},
    {"variable without header", VMR_HV_CALL_SIMPLE, true, {.variable_words = 0}, true},
    {"variable, longest header", VMR_HV_CALL_SIMPLE, true, {.variable_words = 0x3ff}, true},
    {"variable with a rep count", VMR_HV_CALL_SIMPLE, true, {.variable_words = 1, .rep_count = 1}, false},
    {"rep", VMR_HV_CALL_REP, false, {.rep_count = 1}, true},
    {"rep without elements", VMR_HV_CALL_REP, false, {.rep_count = 0}, false},
    {"rep at its last element", VMR_HV_CALL_REP, false, {.rep_count = 0xfff, .rep_start = 0xffe}, true},
    {"rep start at count", VMR_HV_CALL_REP, false, {.rep_count = 5, .rep_start = 5}, false},
    {"rep start behind count", VMR_HV_CALL_REP, false, {.rep_count = 5, .rep_start = 0xfff}, false},
    {"rep with a variable header", VMR_HV_CALL_REP, false, {.rep_count = 1, .variable_words = 1}, false},
    {"variable rep", VMR_HV_CALL_REP, true, {.rep_count = 1, .variable_words = 1}, true},
    {"rep, reserved bit", VMR_HV_CALL_REP, true, {.rep_count = 1, .reserved = true}, false},
};

static void a_control_word_fits_its_kind_of_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct vmr_hv_call_definition definition = {.kind = rules[i].kind, .variable = rules[i].variable};
        enum hv_status want = rules[i].right ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_HYPERCALL_INPUT;

        if (control_check(&rules[i].control, &definition) != want)
            fail_msg("%s", rules[i].name);
    }
}

static void sizes_count_all_elements_wherever_the_call_starts(void **state)
{
    (void)state;
    const struct vmr_hv_call_sizes sizes = {.input = 16, .rep_input = 4, .rep_output = 16, .output = 0};
    const struct control control = {.rep_count = 10, .rep_start = 9, .variable_words = 3};
    const struct control largest = {.rep_count = 0xfff, .variable_words = 0x3ff};
    const struct vmr_hv_call_sizes widest = {UINT16_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX};

    assert_int_equal(control_measure(&control, &sizes).input, 16 + 24 + 40);
    assert_int_equal(control_measure(&control, &sizes).output, 160);
    assert_int_equal(control_measure(&largest, &widest).input, 4096u * 65535u + 8u * 1023u);
}

static void a_restart_changes_the_rep_start_alone(void **state)
{
    (void)state;
    assert_int_equal(control_restart(UINT64_MAX, 0x123), UINT64_C(0xf123ffffffffffff));
    assert_int_equal(control_restart(0, 0xfff), UINT64_C(0x0fff000000000000));
}

static void a_result_has_status_and_elements(void **state)
{
    (void)state;
    assert_int_equal(control_result(0x1234, 0xfff), UINT64_C(0x00000fff00001234));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_has_its_bits),
        cmocka_unit_test(each_reserved_bit_counts_and_no_other),
        cmocka_unit_test(a_control_word_fits_its_kind_of_call),
        cmocka_unit_test(sizes_count_all_elements_wherever_the_call_starts),
        cmocka_unit_test(a_restart_changes_the_rep_start_alone),
        cmocka_unit_test(a_result_has_status_and_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
