/* SPDX-License-Identifier: MIT */
/*
 * Two traces compared.
 */

#include "vmrig/trace.h"

#include "tests/trace/fixture.h"

#define HEAD "vmtx 1.0 min=1.0 codec=none\n"
#define BASE "0 vp0 enter\n1 vp0 exit io read port=0x71 size=1\n2 vp0 time ns=5\n3 vp0 ~ answer value=0x26\n"

static const struct {
    const char *name, *left, *right;
    struct vmr_trace_diff_options options;
    bool equal;
    const char *lines[3]; /* parts of what is printed */
} cases[] = {
    {"the same", HEAD BASE "end\n", HEAD BASE "end\n", {0}, true, {NULL}},
    {"metadata and codec do not count",
     HEAD "meta a=b\n" BASE "end\n",
     "vmtx 1.0 min=1.0 codec=zstd\n" BASE,
     {0},
     true,
     {NULL}},
    {"another answer",
     HEAD BASE,
     HEAD "0 vp0 enter\n1 vp0 exit io read port=0x71 size=1\n2 vp0 time ns=5\n"
          "3 vp0 ~ answer value=0x27\n",
     {0},
     false,
     {"first difference at record 3, exit 1\n", "exit before: exit io read port=0x71 size=1\n",
      "left: 3 vp0 ~ answer value=0x26\nright: 3 vp0 ~ answer value=0x27\n"}},
    {"one is shorter",
     HEAD BASE,
     HEAD "0 vp0 enter\n",
     {0},
     false,
     {"first difference at record 1", "left: 1 vp0 exit io", "right: ends here"}},
    {"another time", HEAD "0 vp0 time ns=5\n", HEAD "0 vp0 time ns=6\n", {0}, false, {"ns=5", "ns=6", NULL}},
    {"another time, which does not matter",
     HEAD "0 vp0 time ns=5\n",
     HEAD "0 vp0 time ns=6\n",
     {.skip_time = true},
     true,
     {NULL}},
    {"all of them",
     HEAD "0 vp0 time ns=5\n1 vp0 ~ tpr value=1\n2 vp0 ~ tpr value=2\n",
     HEAD "0 vp0 time ns=6\n1 vp0 ~ tpr value=3\n2 vp0 ~ tpr value=4\n",
     {.all = true},
     false,
     {"3 records differ\n", "  time 1\n", "  tpr 2\n"}},
    {"another VP", HEAD "0 vp0 ~ nmi\n", HEAD "0 vp1 ~ nmi\n", {0}, false, {"left: 0 vp0", "right: 0 vp1", NULL}},
};

static void check_case(size_t i)
{
    struct vmr_trace_memory memories[2];
    struct vmr_trace_source left = bytes_source(&memories[0], cases[i].left, strlen(cases[i].left));
    struct vmr_trace_source right = bytes_source(&memories[1], cases[i].right, strlen(cases[i].right));
    struct vmr_trace_sink sink;
    struct writer text;
    bool equal = !cases[i].equal;

    bytes_sink(&text, &sink);
    CHECK_OK(vmr_trace_diff(&left, &right, &cases[i].options, &sink, &equal, NULL));
    writer_u8(&text, 0);
    if (equal != cases[i].equal || (equal && text.length > 1))
        fail_msg("%s: %s", cases[i].name, (const char *)text.bytes);
    for (size_t line = 0; line < 3 && cases[i].lines[line]; line++) {
        if (!strstr((const char *)text.bytes, cases[i].lines[line]))
            fail_msg("%s: %s", cases[i].name, (const char *)text.bytes);
    }
    writer_finish(&text);
}

static void differences_are_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_case(i);
}

static void a_side_that_cannot_be_read_is_an_error(void **state)
{
    struct vmr_trace_memory memories[2];
    struct vmr_trace_sink sink;
    struct writer text;
    struct vmr_error err = {0};
    bool equal = true;
    struct vmr_trace_source good = bytes_source(&memories[0], HEAD, strlen(HEAD));
    struct vmr_trace_source bad = bytes_source(&memories[1], "no trace", 8);

    (void)state;
    bytes_sink(&text, &sink);
    CHECK_STATUS(vmr_trace_diff(&good, &bad, NULL, &sink, &equal, &err), VMR_E_CORRUPT);
    assert_true(equal); /* untouched */
    writer_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_shown),
        cmocka_unit_test(a_side_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
