/* SPDX-License-Identifier: MIT */
/*
 * What can be said of a record without its bytes.
 */

#include "lib/trace/record.h"

#include "tests/trace/fixture.h"

static void every_kind_has_a_name_of_its_own_and_a_sample(void **state)
{
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    (void)state;
    for (unsigned kind = 1; kind < TRACE_KIND_COUNT; kind++) {
        size_t found = 0;

        assert_non_null(trace_kind_info(kind));
        for (unsigned other = 1; other < kind; other++)
            assert_string_not_equal(trace_kind_info(kind)->name, trace_kind_info(other)->name);
        while (found < count && samples[found].kind != kind)
            found++;
        if (found == count)
            fail_msg("no sample of kind %s", trace_kind_info(kind)->name);
    }
    assert_null(trace_kind_info(TRACE_NONE));
    assert_null(trace_kind_info(TRACE_KIND_COUNT));
}

static void statuses_are_called_what_the_library_calls_them(void **state)
{
    const struct trace_field *field = &trace_kind_info(TRACE_STATUS)->fields[1];

    (void)state;
    assert_int_equal(field->max, VMR_STATUS_COUNT - 1);
    for (unsigned status = 0; status < VMR_STATUS_COUNT; status++)
        assert_string_equal(field->words[status], vmr_status_name((enum vmr_status)status));
}

static void a_record_equals_itself_and_no_other(void **state)
{
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            bool alike = i == j;

            if (trace_record_equal(&samples[i], &samples[j]) != alike)
                fail_msg("samples %zu and %zu", i, j);
        }
    }
}

static void where_a_record_stands_plays_no_part(void **state)
{
    struct trace_record a = {.kind = TRACE_NMI, .vp = 1, .sequence = 5, .exit = 3}, b = {.kind = TRACE_NMI, .vp = 1};

    (void)state;
    assert_true(trace_record_equal(&a, &b));
    b.vp = 2;
    assert_false(trace_record_equal(&a, &b));
}

static const struct {
    const char *name;
    struct vmr_exit vp_exit;
    enum trace_kind kind; /* TRACE_NONE: takes no answer */
    uint64_t value[2];
} answers[] = {
    {"port read", {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 1, .value = 7}}, TRACE_ANSWER, {7, 0}},
    {"port write", {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 1, .direction = VMR_WRITE}}, TRACE_NONE, {0}},
    {"mmio read", {.kind = VMR_EXIT_MMIO, .u.mmio = {.size = 4, .value = 9}}, TRACE_ANSWER, {9, 0}},
    {"mmio write", {.kind = VMR_EXIT_MMIO, .u.mmio = {.size = 4, .direction = VMR_WRITE}}, TRACE_NONE, {0}},
    {"msr read", {.kind = VMR_EXIT_MSR, .u.msr = {.value = 5}}, TRACE_ANSWER_MSR, {5, 0}},
    {"msr read that faults", {.kind = VMR_EXIT_MSR, .u.msr = {.value = 5, .fault = true}}, TRACE_ANSWER_MSR, {0, 1}},
    {"msr write", {.kind = VMR_EXIT_MSR, .u.msr = {.value = 5, .direction = VMR_WRITE}}, TRACE_ANSWER_MSR, {0, 0}},
    {"cpuid", {.kind = VMR_EXIT_CPUID, .u.cpuid = {.eax = 1, .ebx = 2}}, TRACE_ANSWER_CPUID, {1, 2}},
    {"hypercall", {.kind = VMR_EXIT_HYPERCALL, .u.hypercall = {.result = 3}}, TRACE_ANSWER_HYPERCALL, {3, 0}},
    {"halt", {.kind = VMR_EXIT_HALT}, TRACE_NONE, {0}},
};

static void an_answer_is_what_the_guest_can_see(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct trace_record record = {0};
        bool has = trace_record_of_answer(&answers[i].vp_exit, &record);

        if (has != (answers[i].kind != TRACE_NONE) || record.kind != answers[i].kind ||
            record.value[0] != answers[i].value[0] || record.value[1] != answers[i].value[1])
            fail_msg("%s", answers[i].name);
    }
}

static void a_long_write_is_recorded_by_its_hash(void **state)
{
    uint8_t bytes[TRACE_WRITE_MAX + 1] = {1};
    struct trace_record record, other;

    (void)state;
    trace_record_of_write(0x1000, bytes, TRACE_WRITE_MAX, &record);
    assert_int_equal(record.kind, TRACE_WRITE);
    assert_int_equal(record.length, TRACE_WRITE_MAX);
    trace_record_of_write(0x1000, bytes, TRACE_WRITE_MAX + 1, &record);
    assert_int_equal(record.kind, TRACE_WRITE_HASH);
    assert_int_equal(record.value[1], TRACE_WRITE_MAX + 1);
    bytes[TRACE_WRITE_MAX] = 1;
    trace_record_of_write(0x1000, bytes, TRACE_WRITE_MAX + 1, &other);
    assert_false(trace_record_equal(&record, &other));
}

static void what_other_threads_ask_for_becomes_a_record_of_its_kind(void **state)
{
    static const uint8_t bytes[3] = {1, 2, 3};
    const struct vmr_synic_target target = {.vp = 4, .vtl = 1, .sint = 2};
    struct vmr_async request = {
        .kind = VMR_ASYNC_MESSAGE, .a = 7, .b = 8, .target = &target, .bytes = bytes, .length = 3};
    struct trace_record record;

    (void)state;
    trace_record_of_async(&request, &record);
    assert_int_equal(record.kind, TRACE_MESSAGE);
    assert_int_equal(record.vp, TRACE_NO_VP);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(record.value[i], ((const uint64_t[]){4, 1, 2, 7, 8})[i]);
    assert_ptr_equal(record.bytes, bytes);
    assert_int_equal(record.length, 3);
    request = (struct vmr_async){.kind = VMR_ASYNC_EVENT, .a = 2047, .target = &target};
    trace_record_of_async(&request, &record);
    assert_int_equal(record.kind, TRACE_EVENT);
    assert_int_equal(record.value[3], 2047);
    request = (struct vmr_async){.kind = VMR_ASYNC_CALL, .a = VMR_CALL_TIME, .b = 5};
    trace_record_of_async(&request, &record);
    assert_int_equal(record.kind, TRACE_CALL);
    assert_int_equal(record.value[0], VMR_CALL_TIME);
    assert_int_equal(record.value[1], 5);
    for (unsigned kind = 0; kind < TRACE_KIND_COUNT; kind++)
        assert_int_equal(trace_kind_is_async(kind), kind == TRACE_ASYNC || kind == TRACE_INPUT ||
                                                        kind == TRACE_MESSAGE || kind == TRACE_EVENT ||
                                                        kind == TRACE_CALL);
}

static void xmm_registers_are_sixteen_bytes_each(void **state)
{
    struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT] = {{.low = 0x0807060504030201, .high = 9}, {.low = 1}},
                      again[VMR_HV_XMM_COUNT];
    uint8_t bytes[TRACE_XMM_BYTES];

    (void)state;
    xmm[5].high = UINT64_MAX;
    trace_put_xmm(xmm, bytes);
    assert_int_equal(bytes[0], 1);
    assert_int_equal(bytes[7], 8);
    assert_int_equal(bytes[8], 9);
    assert_int_equal(bytes[16], 1);
    assert_int_equal(bytes[95], 0xff);
    trace_get_xmm(bytes, again);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++) {
        assert_int_equal(again[i].low, xmm[i].low);
        assert_int_equal(again[i].high, xmm[i].high);
    }
}

static void each_register_of_a_first_entry_counts(void **state)
{
    struct vmr_x86_regs regs = {0};
    struct trace_record first, other, none;

    (void)state;
    trace_record_of_switch(1, &regs, &first);
    regs.cr8 = 1;
    trace_record_of_switch(1, &regs, &other);
    trace_record_of_switch(1, NULL, &none);
    assert_false(trace_record_equal(&first, &other));
    assert_false(trace_record_equal(&first, &none));
    assert_int_equal(none.value[1], 0);
    assert_int_equal(none.value[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_name_of_its_own_and_a_sample),
        cmocka_unit_test(statuses_are_called_what_the_library_calls_them),
        cmocka_unit_test(a_record_equals_itself_and_no_other),
        cmocka_unit_test(where_a_record_stands_plays_no_part),
        cmocka_unit_test(an_answer_is_what_the_guest_can_see),
        cmocka_unit_test(a_long_write_is_recorded_by_its_hash),
        cmocka_unit_test(what_other_threads_ask_for_becomes_a_record_of_its_kind),
        cmocka_unit_test(xmm_registers_are_sixteen_bytes_each),
        cmocka_unit_test(each_register_of_a_first_entry_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
