/* SPDX-License-Identifier: MIT */
/*
 * Values that are texts: what is read, what is not, and what is written.
 */

#include "lib/config/json_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Long because the table is. */
static void sizes_have_units_of_1024(void **state)
{
    static const struct {
        const char *text;
        enum form_result result;
        uint64_t value;
    } rows[] = {
        {"4GiB", FORM_OK, UINT64_C(4) << 30},
        {"4G", FORM_OK, UINT64_C(4) << 30},
        {"64 KiB", FORM_OK, 65536},
        {"64K", FORM_OK, 65536},
        {"1M", FORM_OK, 1 << 20},
        {"1 TiB", FORM_OK, UINT64_C(1) << 40},
        {"0K", FORM_OK, 0},
        {"0x10", FORM_OK, 16},
        {"0xfF", FORM_OK, 255},
        {"0XfF", FORM_BAD, 0},
        {"0xffffffffffffffff", FORM_OK, UINT64_MAX},
        {"0x1ffffffffffffffff", FORM_LARGE, 0},
        {"16777215T", FORM_OK, UINT64_C(16777215) << 40},
        {"16777216T", FORM_LARGE, 0},
        {"18446744073709551616K", FORM_LARGE, 0},
        {"", FORM_BAD, 0},
        {"K", FORM_BAD, 0},
        {"5", FORM_BAD, 0},
        {"5B", FORM_BAD, 0},
        {"5KB", FORM_BAD, 0},
        {"5k", FORM_BAD, 0},
        {"5  K", FORM_BAD, 0},
        {"5K ", FORM_BAD, 0},
        {" 5K", FORM_BAD, 0},
        {"-5K", FORM_BAD, 0},
        {"1.5G", FORM_BAD, 0},
        {"0x", FORM_BAD, 0},
        {"0x1K", FORM_BAD, 0},
        {"x1", FORM_BAD, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 0;

        if (form_read_size(rows[i].text, strlen(rows[i].text), &value) != rows[i].result || value != rows[i].value)
            fail_msg("%s", rows[i].text);
    }
}

static void what_is_written_reads_the_same(void **state)
{
    static const uint64_t numbers[] = {
        0, 1, 1023, 1024, 1025, 65536, (1u << 20) + 1024, UINT64_C(3) << 40, UINT64_C(0xfffffffffffffc00), UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char text[FORM_MAX];
        uint64_t value = 77;

        form_write_hex(numbers[i], text);
        assert_int_equal(form_read_hex(text, strlen(text), &value), FORM_OK);
        assert_true(value == numbers[i]);
        if (!form_write_size(numbers[i], text)) {
            assert_true(numbers[i] == 0 || numbers[i] % 1024 != 0);
            continue;
        }
        assert_int_equal(form_read_size(text, strlen(text), &value), FORM_OK);
        assert_true(value == numbers[i]);
    }
}

static void guids_keep_the_order_of_their_text(void **state)
{
    static const char *const bad[] = {"",
                                      "00112233-4455-6677-8899-aabbccddeef",
                                      "00112233-4455-6677-8899-aabbccddeefff",
                                      "{0112233-4455-6677-8899-aabbccddeef}",
                                      "00112233445566778899aabbccddeeff0000",
                                      "00112233-4455-6677-8899-aabbccddeefg",
                                      "0011223-34455-6677-8899-aabbccddeeff",
                                      "00112233-4455-6677-8899-aabbccdde-ff"};
    static const char good[] = "00112233-4455-6677-8899-aabbccddeeff";
    struct vmr_guid guid;
    char text[FORM_MAX];

    (void)state;
    assert_int_equal(form_read_guid("00112233-4455-6677-8899-AAbbccddeeff", 36, &guid), FORM_OK);
    assert_int_equal(guid.data1, 0x00112233);
    assert_int_equal(guid.data2, 0x4455);
    assert_int_equal(guid.data3, 0x6677);
    assert_int_equal(guid.data4[0], 0x88);
    assert_int_equal(guid.data4[7], 0xff);
    form_write_guid(&guid, text);
    assert_string_equal(text, good);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (form_read_guid(bad[i], strlen(bad[i]), &guid) != FORM_BAD)
            fail_msg("%s", bad[i]);
    }
}

static void mac_addresses_have_six_pairs(void **state)
{
    static const char *const bad[] = {
        "", "52:54:00:12:34", "52-54-00-12-34-56", "52:54:00:12:34:5g", "5:254:00:12:34:56", "52:54:00:12:34:56:78"};
    uint8_t mac[6];
    char text[FORM_MAX];

    (void)state;
    assert_int_equal(form_read_mac("52:54:00:aB:34:56", 17, mac), FORM_OK);
    form_write_mac(mac, text);
    assert_string_equal(text, "52:54:00:ab:34:56");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (form_read_mac(bad[i], strlen(bad[i]), mac) != FORM_BAD)
            fail_msg("%s", bad[i]);
    }
}

static void ranges_name_their_last_byte(void **state)
{
    static const struct {
        const char *text;
        enum form_result result;
    } bad[] = {
        {"", FORM_BAD},
        {"0x1", FORM_BAD},
        {"-", FORM_BAD},
        {"0x1-", FORM_BAD},
        {"0x2-0x1", FORM_BAD},
        {"0x1-0x2-0x3", FORM_BAD},
        {"1-2", FORM_BAD},
        {"0x1 - 0x2", FORM_BAD},
        {"0x1-0xffffffffffffffff", FORM_LARGE},
        {"0x10000000000000000-0x10000000000000001", FORM_LARGE},
    };
    struct vmr_gpa_range range;
    char text[FORM_MAX];

    (void)state;
    assert_int_equal(form_read_range("0xe0000000-0xEfffffff", 21, &range), FORM_OK);
    assert_true(range.start == 0xe0000000 && range.end == 0xf0000000);
    assert_true(form_write_range(&range, text));
    assert_string_equal(text, "0xe0000000-0xefffffff");
    assert_int_equal(form_read_range("0x0-0x0", 7, &range), FORM_OK);
    assert_true(range.start == 0 && range.end == 1);
    assert_true(form_write_range(&range, text));
    assert_string_equal(text, "0x0-0x0");
    assert_int_equal(form_read_range("0x1-0xfffffffffffffffe", 22, &range), FORM_OK);
    assert_false(form_write_range(&(struct vmr_gpa_range){5, 5}, text));
    assert_false(form_write_range(&(struct vmr_gpa_range){6, 5}, text));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (form_read_range(bad[i].text, strlen(bad[i].text), &range) != bad[i].result)
            fail_msg("%s", bad[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_units_of_1024),           cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(guids_keep_the_order_of_their_text), cmocka_unit_test(mac_addresses_have_six_pairs),
        cmocka_unit_test(ranges_name_their_last_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
