/* SPDX-License-Identifier: MIT */
/*
 * Compression as this build has it; without zstd nothing fits.
 */

#include "lib/trace/compress.h"

#include "tests/trace/fixture.h"

static void bytes_come_back(void **state)
{
    static uint8_t raw[65536], stored[65536], back[65536];
    struct trace_compressor *compressor = trace_compressor_create();

    (void)state;
    if (!trace_compress_available()) {
        assert_null(compressor);
        print_message("skipped: this build has no zstd\n");
        skip();
    }
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)(i / 64);
    size_t length = trace_compress(compressor, stored, sizeof(stored), raw, sizeof(raw));

    assert_true(length > 0 && length < sizeof(raw) / 10);
    assert_true(trace_decompress(compressor, back, sizeof(back), stored, length));
    assert_memory_equal(raw, back, sizeof(raw));
    /* Neither fewer nor more than was said. */
    assert_false(trace_decompress(compressor, back, sizeof(back) - 1, stored, length));
    assert_false(trace_decompress(compressor, back, sizeof(back), stored, length - 1));
    assert_int_equal(trace_compress(compressor, stored, 10, raw, sizeof(raw)), 0);
    trace_compressor_destroy(compressor);
}

static void what_does_not_shrink_does_not_fit(void **state)
{
    static uint8_t raw[1000], stored[1000];
    struct trace_compressor *compressor = trace_compressor_create();
    uint32_t noise = 1;

    (void)state;
    if (!compressor) {
        print_message("skipped: this build has no zstd\n");
        skip();
    }
    for (size_t i = 0; i < sizeof(raw); i++) {
        noise = noise * 1664525u + 1013904223u;
        raw[i] = (uint8_t)(noise >> 24);
    }
    assert_int_equal(trace_compress(compressor, stored, sizeof(raw) - 1, raw, sizeof(raw)), 0);
    trace_compressor_destroy(compressor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back),
        cmocka_unit_test(what_does_not_shrink_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
