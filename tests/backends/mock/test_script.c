/* SPDX-License-Identifier: MIT */
/*
 * Scripts: what is accepted, what is refused with line and column, and how a
 * departure of the library is told. [MOCK-3]
 */

#include "tests/backends/mock/rig.h"

#include <string.h>

static void texts_that_are_no_script_are_refused_with_line_and_column(void **state)
{
    static const struct {
        const char *text;
        const char *where;
    } cases[] = {
        {"halt\nfly gpa=0x1\n", "line 2, column 1"},
        {"# a comment\n\n  io read port=0x71 size=3\n", "line 3, column"},
        {"io read port=0x71 size=1 -> colour=0x1\n", "line 1, column 29"},
        {"io read port=0x71 size=1 size=1\n", "line 1, column 26"},
        {"mmio read gpa=0x10 size=9", "line 1, column"},
        {"halt -> value=0x1", "line 1, column"},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    for (size_t i = 0; i < RIG_COUNT_OF(cases); i++) {
        struct vmr_error err = {0};
        enum vmr_status status = vmr_mock_load_script(rig.mock, 0, cases[i].text, strlen(cases[i].text), &err);

        if (status != VMR_E_CORRUPT || !strstr(err.message, cases[i].where))
            fail_msg("'%s': %s '%s'", cases[i].text, vmr_status_name(status), err.message);
    }
    rig_finish(&rig);
}

static void must_load(struct rig *rig, const char *text)
{
    struct vmr_error err = {0};

    if (vmr_mock_load_script(rig->mock, 0, text, strlen(text), &err))
        fail_msg("%s", err.message);
}

static void a_script_is_played_and_the_right_answers_pass(void **state)
{
    static const char text[] = "# CMOS\r\n"
                               "io read port=0x71 size=1 -> value=0x26\r\n"
                               "io read port=0x80 size=1 count=2 string -> bytes=0102\n"
                               "\tio write port=0x80 size=1 count=2 string bytes=0304\n"
                               "msr read index=0x1234 -> fault\n"
                               "mmio read gpa=0x1000 size=4\n"
                               "system-event event=power-off";
    static const char *const lines[] = {"io read port=0x71 size=1 -> value=0x26",
                                        "io read port=0x80 size=1 count=2 string -> bytes=0102",
                                        "io write port=0x80 size=1 count=2 string bytes=0304",
                                        "msr read index=0x1234 -> fault",
                                        "mmio read gpa=0x1000 size=4 -> value=0x99",
                                        "system-event event=power-off detail=0x0"};
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    must_load(&rig, text);
    (void)rig_bind(&rig, 0);
    rig_expect(&rig, "script", lines, RIG_COUNT_OF(lines));
    assert_null(vmr_mock_script_error(rig.mock, 0));
    /* The script ends, a surplus step does not pass. */
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_FAIL);
    assert_int_equal(vp_exit.u.fail.bytes[0], 7);
    assert_non_null(strstr(vmr_mock_script_error(rig.mock, 0), "line 7: the script ends here"));
    rig_finish(&rig);
}

static void a_wrong_answer_is_told_with_both_sides_and_ends_the_run(void **state)
{
    struct vmr_run_result result = {0};
    const struct vmr_vp_io io = {0}; /* no devices: all ones */
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    must_load(&rig, "io read port=0x70 size=1 -> value=0xff\nio read port=0x71 size=1 -> value=0x26\nhalt\n");
    assert_int_equal(vmr_vp_run(rig_bind(&rig, 0), NULL, &io, &result), VMR_OK);
    assert_int_equal(result.reason, VMR_HALT_FATAL);
    assert_int_equal(result.exit.u.fail.bytes[0], 2);
    const char *error = vmr_mock_script_error(rig.mock, 0);

    assert_non_null(strstr(error, "line 2"));
    assert_non_null(strstr(error, "0xff"));
    assert_non_null(strstr(error, "0x26"));
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_no_script_are_refused_with_line_and_column),
        cmocka_unit_test(a_script_is_played_and_the_right_answers_pass),
        cmocka_unit_test(a_wrong_answer_is_told_with_both_sides_and_ends_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
