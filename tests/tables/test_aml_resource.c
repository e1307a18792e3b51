/* SPDX-License-Identifier: MIT */
/*
 * Resource descriptors in bytes.
 */

#include "lib/tables/aml_resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)

static void is(struct writer *writer, const char *what, const uint8_t *expected, size_t size)
{
    assert_true(writer_ok(writer));
    if (writer->length != size || memcmp(writer->bytes, expected, size) != 0)
        fail_msg("%s: %zu bytes", what, writer->length);
    writer_clear(writer);
}
#define IS(writer, what, ...)                                                                                          \
    do {                                                                                                               \
        static const uint8_t expected[] = {__VA_ARGS__};                                                               \
                                                                                                                       \
        is(writer, what, expected, sizeof(expected));                                                                  \
    } while (0)

static void descriptors(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, 1000);
    aml_io(&writer, 0x3f8, 8);
    IS(&writer, "io", 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8);
    aml_irq(&writer, 9);
    IS(&writer, "irq", 0x22, 0x00, 0x02);
    aml_dma(&writer, 4);
    IS(&writer, "dma", 0x2a, 0x10, 0);
    aml_interrupt(&writer, 0x123, true);
    IS(&writer, "edge", 0x89, 6, 0, 0x03, 1, 0x23, 1, 0, 0);
    aml_interrupt(&writer, 40, false);
    IS(&writer, "level", 0x89, 6, 0, 0x01, 1, 40, 0, 0, 0);
    aml_buses(&writer, 0x10, 0x1f);
    IS(&writer, "buses", 0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0x10, 0, 0x1f, 0, 0, 0, 0x10, 0);
    aml_buses(&writer, 0, 255);
    IS(&writer, "all buses", 0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1);
    aml_registers(&writer, 0xd0001000, 0x1000);
    IS(&writer, "registers", 0x86, 9, 0, 1, 0x00, 0x10, 0x00, 0xd0, 0x00, 0x10, 0, 0);
    writer_finish(&writer);
}

static void windows_are_as_wide_as_they_must_be(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, 1000);
    aml_window(&writer, &(struct vmr_gpa_range){3 * GIB, 4 * GIB});
    IS(&writer, "below 4 GiB", 0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
       0, 0, 0, 0x40);
    aml_taken(&writer, &(struct vmr_gpa_range){4 * GIB, 5 * GIB});
    IS(&writer, "above", 0x8a, 43, 0, 0, 0x0d, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff,
       0x3f, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0);
    aml_window(&writer, &(struct vmr_gpa_range){0, 4 * GIB});
    assert_int_equal(writer.bytes[0], 0x8a);
    writer_clear(&writer);
    aml_window(&writer, &(struct vmr_gpa_range){GIB, GIB});
    assert_int_equal(writer.length, 0);
    aml_registers(&writer, 4 * GIB - 0x1000, 0x2000);
    assert_int_equal(writer.bytes[0], 0x8a);
    writer_finish(&writer);
}

static void a_template_has_its_size_and_its_end(void **state)
{
    struct writer writer;
    size_t mark;

    (void)state;
    writer_init(&writer, 1000);
    mark = aml_resources(&writer);
    aml_irq(&writer, 4);
    aml_resources_close(&writer, mark);
    IS(&writer, "one", 0x08, '_', 'C', 'R', 'S', 0x11, 0x08, 0x0a, 5, 0x22, 0x10, 0, 0x79, 0);
    writer_finish(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors),
        cmocka_unit_test(windows_are_as_wide_as_they_must_be),
        cmocka_unit_test(a_template_has_its_size_and_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
