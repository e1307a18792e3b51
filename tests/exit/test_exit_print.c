/* SPDX-License-Identifier: MIT */
/*
 * What an exit looks like in text, in whole and by halves, cut, and when it is not valid.
 */

#include "lib/exit/exit_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/exit/exit_samples.h"

static void every_kind_prints_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t storage[VMR_STRING_IO_BYTES_MAX];
        struct vmr_exit vp_exit = sample_exit(i, storage);
        char line[256];

        assert_int_equal(vmr_exit_print(&vp_exit, line, sizeof(line)), strlen(samples[i].whole));
        assert_string_equal(line, samples[i].whole);
        exit_text_print(&vp_exit, EXIT_INPUTS, line, sizeof(line));
        assert_string_equal(line, sample_inputs(i));
        exit_text_print(&vp_exit, EXIT_ANSWER, line, sizeof(line));
        assert_string_equal(line, samples[i].answer);
    }
}

static void samples_cover_every_kind(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        size_t i = 0;

        while (i < SAMPLE_COUNT && samples[i].vp_exit.kind != kind)
            i++;
        if (i == SAMPLE_COUNT)
            fail_msg("%s", vmr_exit_kind_name(kind));
    }
}

static void a_line_is_cut_to_its_buffer(void **state)
{
    static const char whole[] = "eoi vector=0x30";
    const struct vmr_exit vp_exit = {.kind = VMR_EXIT_EOI, .u.eoi.vector = 0x30};

    (void)state;
    for (size_t size = 0; size <= sizeof(whole) + 1; size++) {
        char buffer[sizeof(whole) + 2];

        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(vmr_exit_print(&vp_exit, buffer, size), sizeof(whole) - 1);
        size_t shown = size < sizeof(whole) ? size : sizeof(whole);

        assert_int_equal(buffer[shown], '#');
        if (size > 0) {
            assert_memory_equal(buffer, whole, shown - 1);
            assert_int_equal(buffer[shown - 1], '\0');
        }
    }
    assert_int_equal(vmr_exit_print(&vp_exit, NULL, 0), sizeof(whole) - 1);
}

static void the_longest_line_fits_its_limit(void **state)
{
    (void)state;
    uint8_t storage[VMR_STRING_IO_BYTES_MAX];
    struct vmr_exit vp_exit = {
        .kind = VMR_EXIT_IO,
        .native_reason = UINT32_MAX,
        .vtl = 2,
        .interrupt_ready = true,
        .tpr = 15,
        .u.io = {.port = 0xffff, .size = 1, .count = 4096, .direction = VMR_WRITE, .string = true, .bytes = storage}};

    memset(storage, 0xff, sizeof(storage));
    assert_true(vmr_exit_is_valid(&vp_exit));
    assert_in_range(vmr_exit_print(&vp_exit, NULL, 0), 2 * VMR_STRING_IO_BYTES_MAX, EXIT_TEXT_MAX - 1);
}

static void what_is_not_valid_prints_without_harm(void **state)
{
    static const struct {
        const char *line;
        struct vmr_exit vp_exit;
    } cases[] = {
        {"unknown kind=99 native=0x5", {.kind = 99, .native_reason = 5}},
        {"unknown kind=4294967295", {.kind = UINT32_MAX}},
        {"io read port=0x1 size=4 count=4294967295 string",
         {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 4, .count = UINT32_MAX, .string = true}}},
        {"io write port=0x1 size=255 value=0xffffffffffffffff",
         {.kind = VMR_EXIT_IO, .u.io = {.port = 1, .size = 255, .direction = 255, .value = UINT64_MAX}}},
        {"system-event event=200 detail=0x0", {.kind = VMR_EXIT_SYSTEM_EVENT, .u.system_event.event = 200}},
        {"fail cause=200 code=0x0", {.kind = VMR_EXIT_FAIL, .u.fail = {.cause = 200, .length = 255}}},
        {"halt vtl=255 tpr=255", {.kind = VMR_EXIT_HALT, .vtl = 255, .tpr = 255}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[256];

        vmr_exit_print(&cases[i].vp_exit, line, sizeof(line));
        assert_string_equal(line, cases[i].line);
    }
}

static void too_many_bytes_are_not_followed(void **state)
{
    (void)state;
    uint8_t byte = 0;
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_IO,
                               .u.io = {.size = 4, .count = UINT32_MAX, .string = true, .bytes = &byte}};
    char line[256];

    vmr_exit_print(&vp_exit, line, sizeof(line));
    assert_string_equal(line, "io read port=0x0 size=4 count=4294967295 string");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_prints_as_written),          cmocka_unit_test(samples_cover_every_kind),
        cmocka_unit_test(a_line_is_cut_to_its_buffer),           cmocka_unit_test(the_longest_line_fits_its_limit),
        cmocka_unit_test(what_is_not_valid_prints_without_harm), cmocka_unit_test(too_many_bytes_are_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
