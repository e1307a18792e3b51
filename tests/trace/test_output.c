/* SPDX-License-Identifier: MIT */
/*
 * Text on its way to a sink.
 */

#include "lib/trace/output.h"

#include "tests/trace/fixture.h"

static enum vmr_status refuse(void *context, const void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    ++*(unsigned *)context;
    return VMR_E_HOST;
}

static void lines_arrive_whole_and_in_pieces(void **state)
{
    struct writer bytes;
    struct vmr_trace_sink sink;
    struct output output;

    (void)state;
    bytes_sink(&bytes, &sink);
    output_init(&output, &sink);
    for (unsigned i = 0; i < 20000; i++) {
        output_print(&output, "line %05u", i);
        output_line_end(&output);
    }
    assert_true(bytes.length > 0); /* some went out before the end */
    CHECK_OK(output_finish(&output, NULL));
    assert_int_equal(bytes.length, 20000 * 11);
    assert_memory_equal(bytes.bytes + 19999 * 11, "line 19999\n", 11);
    writer_finish(&bytes);
}

static void a_sink_that_failed_is_not_asked_again(void **state)
{
    unsigned calls = 0;
    struct vmr_trace_sink sink = {.write = refuse, .context = &calls};
    struct output output;

    (void)state;
    output_init(&output, &sink);
    output_print(&output, "x");
    output_flush(&output);
    output_print(&output, "y");
    CHECK_STATUS(output_finish(&output, NULL), VMR_E_HOST);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_arrive_whole_and_in_pieces),
        cmocka_unit_test(a_sink_that_failed_is_not_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
