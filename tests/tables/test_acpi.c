/* SPDX-License-Identifier: MIT */
/*
 * Headers, checksums, registers: known bytes.
 */

#include "lib/tables/acpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_table_has_its_header_length_and_sum(void **state)
{
    static const uint8_t expected[38] = {'T', 'E', 'S', 'T', 38,  0,   0,   0,   7,   0x00, 'V',  'M', 'R',
                                         'I', 'G', ' ', 'V', 'M', 'R', 'I', 'G', ' ', ' ',  ' ',  1,   0,
                                         0,   0,   'V', 'M', 'R', 'G', 1,   0,   0,   0,    0xab, 0xcd};
    uint8_t sealed[38];
    unsigned sum = 0;
    struct writer writer;

    (void)state;
    writer_init(&writer, 100);
    acpi_begin(&writer, "TEST", 7);
    writer_u8(&writer, 0xab);
    writer_u8(&writer, 0xcd);
    acpi_end(&writer);
    assert_true(writer_ok(&writer));
    assert_int_equal(writer.length, sizeof(expected));
    memcpy(sealed, expected, sizeof(sealed));
    for (unsigned i = 0; i < sizeof(expected); i++)
        sum += expected[i];
    sealed[9] = (uint8_t)(256 - sum % 256);
    assert_memory_equal(writer.bytes, sealed, sizeof(sealed));
    writer.bytes[37]++;
    acpi_seal(writer.bytes, writer.length);
    assert_int_equal(writer.bytes[9], (uint8_t)(sealed[9] - 1));
    writer_finish(&writer);
}

static void a_table_that_found_no_room_has_failed(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, 30);
    acpi_begin(&writer, "TEST", 1);
    acpi_end(&writer);
    assert_false(writer_ok(&writer));
    writer_finish(&writer);
}

static void registers_are_ports_or_nothing(void **state)
{
    static const uint8_t expected[24] = {1, 16, 0, 0, 0x04, 0x04, 0, 0, 0, 0, 0, 0, 0};
    struct writer writer;

    (void)state;
    writer_init(&writer, 100);
    acpi_io_register(&writer, 0x404, 16);
    acpi_io_register(&writer, 0x404, 0);
    assert_int_equal(writer.length, 24);
    assert_memory_equal(writer.bytes, expected, 24);
    writer_finish(&writer);
}

static void texts_are_filled_and_zeros_counted(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, 1000);
    acpi_text(&writer, "ab", 4, '.');
    acpi_zeros(&writer, 200);
    acpi_text(&writer, "abcdef", 3, '.');
    assert_int_equal(writer.length, 207);
    assert_memory_equal(writer.bytes, "ab..", 4);
    for (unsigned i = 4; i < 204; i++)
        assert_int_equal(writer.bytes[i], 0);
    assert_memory_equal(writer.bytes + 204, "abc", 3);
    writer_finish(&writer);
}

static void the_anchor_has_two_sums(void **state)
{
    uint8_t rsdp[ACPI_RSDP_BYTES];

    (void)state;
    acpi_rsdp(rsdp, UINT64_C(0x1122334455667788));
    assert_memory_equal(rsdp, "RSD PTR ", 8);
    assert_int_equal(acpi_checksum(rsdp, 20), 0);
    assert_int_equal(acpi_checksum(rsdp, 36), 0);
    assert_int_equal(rsdp[15], 2);
    assert_int_equal(rsdp[24], 0x88);
    assert_int_equal(rsdp[31], 0x11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_its_header_length_and_sum),
        cmocka_unit_test(a_table_that_found_no_room_has_failed),
        cmocka_unit_test(registers_are_ports_or_nothing),
        cmocka_unit_test(texts_are_filled_and_zeros_counted),
        cmocka_unit_test(the_anchor_has_two_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
