/* SPDX-License-Identifier: MIT */
/* The monitor page's own rules: ids, and what each kind of write signals. */

#include "tests/hv/synic_rig.h"

#define AT (5 * PAGE)

struct heard {
    char text[512];
};

static void hear(void *context, uint32_t connection_id)
{
    struct heard *heard = context;
    size_t length = strlen(heard->text);

    assert_true(snprintf(heard->text + length, sizeof(heard->text) - length, "%x ", (unsigned)connection_id) > 0);
}

/* Ids 0, 5, 31, 32 and 127 are registered, for connections 0x100 above them. */
static void must_register_some(struct monitor *monitor, struct fake_host *fake)
{
    static const uint32_t ids[] = {0, 5, 31, 32, 127};

    fake_host_init(fake, 0);
    monitor_init(monitor, &fake->host);
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_int_equal(monitor_register(monitor, ids[i], 0x100 + ids[i], NULL), VMR_OK);
}

static void ids_are_taken_once_and_end_at_127(void **state)
{
    (void)state;
    struct monitor monitor = {0};
    struct fake_host fake;
    struct vmr_error err = {0};

    must_register_some(&monitor, &fake);
    assert_int_equal(monitor_register(&monitor, 5, 7, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "monitor id 5: connection 0x105 has it already");
    assert_int_equal(monitor_register(&monitor, 128, 7, &err), VMR_E_CONFIG);
    assert_string_equal(err.message, "monitor id 128: there are only 128");
    assert_int_equal(monitor_register(&monitor, 255, 7, NULL), VMR_E_CONFIG);
    assert_int_equal(monitor_register(&monitor, UINT32_MAX, 7, NULL), VMR_E_CONFIG);
    monitor_unregister(&monitor, 5);
    assert_int_equal(monitor_register(&monitor, 5, 0, NULL), VMR_OK);
    assert_int_equal(monitor_register(&monitor, 5, 0, &err), VMR_E_CONFIG); /* connection 0 is one too */
}

/* `bytes` at `offset` of the page, which is at AT. */
static const struct {
    const char *name;
    uint64_t offset;
    size_t length;
    uint8_t bytes[48];
    bool mine;
    const char *signals;
} stores[] = {
    {"a registered bit", 8, 4, {0x20}, true, "105 "},
    {"two bits, lowest id first", 8, 4, {0x21}, true, "100 105 "},
    {"an unregistered bit is skipped", 8, 4, {0x22}, true, "105 "},
    {"only an unregistered bit", 8, 4, {0x02}, true, ""},
    {"no bit", 8, 4, {0}, true, ""},
    {"the highest bit of group 0", 11, 1, {0x80}, true, "11f "},
    {"the lowest bit of group 1", 16, 1, {0x01}, true, "120 "},
    {"the highest id of all", 35, 1, {0x80}, true, "17f "},
    {"the armed half of group 0", 12, 4, {0xff, 0xff, 0xff, 0xff}, true, ""},
    {"pending and armed together", 8, 8, {0x01, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, true, "100 "},
    {"two groups in one store", 11, 8, {0x80, 0xff, 0xff, 0xff, 0xff, 0x01}, true, "11f 120 "},
    {"the armed half of the last group", 36, 4, {0xff, 0xff, 0xff, 0xff}, true, ""},
    {"past the groups by four", 36, 8, {0xff, 0xff, 0xff, 0xff}, true, ""},
    {"past the groups, from pending bits", 32, 16, {0xff, 0xff, 0xff, 0xff}, true, ""},
    {"all groups", 8, 32, {0x01}, true, "100 "},
    {"one byte more than all groups", 8, 33, {0x01}, true, ""},
    {"the group enables", 0, 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, true, ""},
    {"enables and group 0 together", 0, 12, {0xf, 0, 0, 0, 0, 0, 0, 0, 0x20}, true, "105 "},
    {"right behind the groups", 40, 1, {0xff}, true, ""},
    {"the parameters", 1088, 8, {0xff}, true, ""},
    {"the last byte of the page", 4095, 1, {0xff}, true, ""},
    {"over the end of the page", 4092, 8, {0xff}, true, ""},
    {"nothing at all", 8, 0, {0}, true, ""},
    {"the page behind", 4096 + 8, 4, {0xff}, false, ""},
};

static void each_pending_bit_of_a_store_is_a_signal(void **state)
{
    (void)state;
    struct monitor monitor = {0};
    struct fake_host fake;

    must_register_some(&monitor, &fake);
    (void)monitor_exchange_page(&monitor, AT);
    for (size_t i = 0; i < COUNT_OF(stores); i++) {
        struct heard heard = {0};
        const struct monitor_sink sink = {hear, &heard};

        print_message("%s\n", stores[i].name);
        assert_int_equal(monitor_check_write(&monitor, AT + stores[i].offset, stores[i].bytes, stores[i].length, &sink),
                         stores[i].mine);
        assert_string_equal(heard.text, stores[i].signals);
    }
}

static void a_bit_never_stays_set(void **state)
{
    (void)state;
    struct monitor monitor = {0};
    struct fake_host fake;
    struct heard heard = {0};
    const struct monitor_sink sink = {hear, &heard};
    uint8_t bytes[8] = {0x20};

    must_register_some(&monitor, &fake);
    (void)monitor_exchange_page(&monitor, AT);
    assert_true(monitor_check_write(&monitor, AT + 8, bytes, 4, &sink));
    assert_true(monitor_check_write(&monitor, AT + 8, bytes, 4, &sink));
    assert_string_equal(heard.text, "105 105 ");
    assert_true(monitor_check_read(&monitor, AT + 8, bytes, sizeof(bytes)));
    assert_int_equal(load_le64(bytes), 0);
}

static void without_a_page_nothing_is_mine(void **state)
{
    (void)state;
    struct monitor monitor = {0};
    struct fake_host fake;
    struct heard heard = {0};
    const struct monitor_sink sink = {hear, &heard};
    uint8_t bytes[4] = {0x20, 7, 7, 7};
    static const uint64_t places[] = {8, AT + 8, UINT64_MAX - 4087, UINT64_MAX};

    must_register_some(&monitor, &fake);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        assert_false(monitor_check_write(&monitor, places[i], bytes, 1, &sink));
        assert_false(monitor_check_read(&monitor, places[i], bytes, 1));
    }
    assert_int_equal(bytes[0], 0x20);
    assert_int_equal(monitor_exchange_page(&monitor, AT), MONITOR_NO_PAGE);
    assert_int_equal(monitor_exchange_page(&monitor, 7 * PAGE), AT);
    assert_false(monitor_check_write(&monitor, AT + 8, bytes, 4, &sink));
    assert_true(monitor_check_write(&monitor, 7 * PAGE + 8, bytes, 4, &sink));
    assert_string_equal(heard.text, "105 ");
    assert_int_equal(monitor_exchange_page(&monitor, MONITOR_NO_PAGE), 7 * PAGE);
    assert_int_equal(monitor_exchange_page(&monitor, MONITOR_NO_PAGE), MONITOR_NO_PAGE);
    assert_false(monitor_check_read(&monitor, 7 * PAGE, bytes, 1));
}

static const struct {
    const char *name;
    uint32_t bit;
    const char *signals;
} bits[] = {
    {"before the groups", 63, ""},
    {"id 0", 64, "100 "},
    {"id 31", 95, "11f "},
    {"the first armed bit", 96, ""},
    {"the last armed bit of group 0", 127, ""},
    {"id 32", 128, "120 "},
    {"id 127", 64 + 3 * 64 + 31, "17f "},
    {"armed, group 3", 64 + 3 * 64 + 32, ""},
    {"behind the groups", 64 + 4 * 64, ""},
    {"an unregistered id", 65, ""},
    {"the first bit", 0, ""},
    {"the largest number", UINT32_MAX, ""},
};

static void a_single_bit_signals_its_id(void **state)
{
    (void)state;
    struct monitor monitor = {0};
    struct fake_host fake;

    must_register_some(&monitor, &fake);
    for (size_t i = 0; i < COUNT_OF(bits); i++) {
        struct heard heard = {0};
        const struct monitor_sink sink = {hear, &heard};

        print_message("%s\n", bits[i].name);
        monitor_write_bit(&monitor, bits[i].bit, &sink);
        assert_string_equal(heard.text, bits[i].signals);
    }
}

static void what_a_guest_can_repeat_does_not_fill_the_log(void **state)
{
    (void)state;
    struct monitor monitor = {0};
    struct fake_host fake;
    struct heard heard = {0};
    const struct monitor_sink sink = {hear, &heard};
    const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    fake_host_init(&fake, 0);
    monitor_init(&monitor, &fake.host);
    (void)monitor_exchange_page(&monitor, AT);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(monitor_check_write(&monitor, AT + 8, ones, 4, &sink));
        assert_true(monitor_check_write(&monitor, AT + 40, ones, 8, &sink));
    }
    assert_true(fake.log_lines >= 16 && fake.log_lines < 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_taken_once_and_end_at_127),
        cmocka_unit_test(each_pending_bit_of_a_store_is_a_signal),
        cmocka_unit_test(a_bit_never_stays_set),
        cmocka_unit_test(without_a_page_nothing_is_mine),
        cmocka_unit_test(a_single_bit_signals_its_id),
        cmocka_unit_test(what_a_guest_can_repeat_does_not_fill_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
