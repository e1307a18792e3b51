/* SPDX-License-Identifier: MIT */
/*
 * The firmware configuration device, read as firmware reads it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_fw_cfg *fw_cfg;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    const struct vmr_fw_cfg_options options = {.host = &rig.fake.host, .vp_count = 0x123};

    return vmr_fw_cfg_create(&options, rig.ports, &fw_cfg, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_fw_cfg_destroy(fw_cfg);
    rig_finish(&rig);
    return 0;
}

static void read_item(uint16_t key, uint8_t *ret_bytes, size_t length)
{
    rig_write(&rig, 0x510, 2, key);
    for (size_t i = 0; i < length; i++)
        ret_bytes[i] = rig_in(&rig, 0x511);
}

static void items_hold_their_bytes_and_zeros_behind(void **state)
{
    static const struct {
        const char *name;
        uint16_t key;
        uint8_t bytes[6];
    } cases[] = {
        {"signature", 0x0000, {'Q', 'E', 'M', 'U'}},
        {"interface: ports, no DMA", 0x0001, {1}},
        {"VPs", 0x0005, {0x23, 0x01}},
        {"VPs at most", 0x000f, {0x23, 0x01}},
        {"line 0 is pin 2", 0x8002, {1}},
        {"no such item", 0x0007, {0}},
        {"selected for writing, it still reads", 0x4000, {'Q', 'E', 'M', 'U'}},
        {"last of the keys", 0xffff, {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[6];

        print_message("%s\n", cases[i].name);
        read_item(cases[i].key, bytes, sizeof(bytes));
        assert_memory_equal(bytes, cases[i].bytes, sizeof(bytes));
    }
}

static void directory_leads_to_the_file(void **state)
{
    uint8_t count[4];
    uint8_t entry[4 + 64];
    uint8_t value[2] = {0xff, 0xff};

    (void)state;
    read_item(0x0019, count, sizeof(count));
    assert_memory_equal(count, ((uint8_t[]){0, 0, 0, 1}), 4);
    read_item(0x0019, entry, sizeof(entry));
    assert_memory_equal(&entry[4], ((uint8_t[]){0, 0, 0, 2}), 4);
    assert_string_equal((const char *)&entry[12], "etc/show-boot-menu");
    read_item((uint16_t)(entry[8] << 8 | entry[9]), value, sizeof(value));
    assert_int_equal(value[0] | value[1], 0);
}

static void only_a_word_selects(void **state)
{
    uint8_t byte;

    (void)state;
    read_item(0x0000, &byte, 1);
    rig_out(&rig, 0x510, 0x05);
    assert_int_equal(rig_in(&rig, 0x511), 'E');
    rig_out(&rig, 0x511, 0x00); /* data is read-only */
    assert_int_equal(rig_in(&rig, 0x511), 'M');
}

static void nothing_is_selected_at_first(void **state)
{
    (void)state;
    assert_int_equal(rig_in(&rig, 0x511), 0);
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    rig_sweep(&rig, 0x510, 2);
    rig_write(&rig, 0x510, 2, 0x0019);
    for (unsigned i = 0; i < 1000; i++)
        (void)rig_in(&rig, 0x511);
    assert_int_equal(rig_in(&rig, 0x511), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_selected_at_first, setup, teardown),
        cmocka_unit_test_setup_teardown(items_hold_their_bytes_and_zeros_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(directory_leads_to_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_word_selects, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_accesses_are_harmless, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
