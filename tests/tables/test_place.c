/* SPDX-License-Identifier: MIT */
/*
 * Places by default: which, and when another.
 */

#include "lib/tables/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tables/machines.h"

static uint8_t byte;

/* One table of `size` in the area, one of each that has a place of its own. */
static struct table_set set_of(size_t size)
{
    static const char names[][8] = {"FIRST", "SECOND", "RSDP", "SMBIOS3", "DTB"};
    struct table_set set = {.count = 5, .area_count = 2};

    for (unsigned i = 0; i < 5; i++) {
        strcpy(set.tables[i].name, names[i]);
        set.tables[i].size = i == 0 ? size : 20;
        set.bytes[i] = &byte;
    }
    return set;
}

static vmr_gpa place_of(const struct table_set *set, const char *name)
{
    size_t at;

    assert_ptr_equal(table_set_find(set, name, &at), &byte);
    return set->tables[at].gpa;
}

static void check(const struct machine_shape *shape, size_t size, const vmr_gpa expected[5])
{
    static const char *const names[] = {"FIRST", "SECOND", "RSDP", "SMBIOS3", "DTB"};
    struct machine *machine = machine_create(shape);
    struct vmr_firmware_tables_options options = {.base = 0};
    struct vmr_config_report report = {0};
    struct table_set set = set_of(size);
    struct tables_input input;

    tables_input_init(&input, machine_resolved(machine), &options);
    place_tables(&set, &input, &options, &report);
    assert_int_equal(report.count, 0);
    for (unsigned i = 0; i < 5; i++) {
        if (place_of(&set, names[i]) != expected[i])
            fail_msg("%s at 0x%llx", names[i], (unsigned long long)place_of(&set, names[i]));
        assert_true(i == 0 || set.tables[i].gpa > set.tables[i - 1].gpa);
    }
    machine_destroy(machine);
}

static void of_a_pc(void **state)
{
    static const struct machine_shape one = {.vps = 1}, two = {.nodes = 2, .node_memory = 2 * MACHINE_GIB};
    static const vmr_gpa low[] = {0xe1000, 0xe1080, 0xe0000, 0xf0000, 0xf1000};
    static const vmr_gpa full[] = {0xe1000, 0xeffc0, 0xe0000, 0xf0000, 0xf1000};
    static const vmr_gpa high[] = {0x3fff0000, 0x3ffffb00, 0xe0000, 0xf0000, 0xf1000};
    static const vmr_gpa below_the_hole[] = {0xbfff0000, 0xbffffb00, 0xe0000, 0xf0000, 0xf1000};

    (void)state;
    check(&one, 65, low);
    check(&one, 0xefc0 - 64 + 64, full);
    check(&one, 0xfb00, high);
    check(&two, 0xfb00, below_the_hole);
}

static void of_an_arm_machine(void **state)
{
    static const struct machine_shape one = {.arch = VMR_ARCH_ARM64};
    static const vmr_gpa expected[] = {0x40200000, 0x40200040, 0x401ff000, 0x40201000, 0x40202000};

    (void)state;
    check(&one, 64, expected);
}

static void a_name_that_is_not_there_is_not_found(void **state)
{
    struct table_set set = set_of(1);

    (void)state;
    assert_null(table_set_find(&set, "SSDT", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_pc),
        cmocka_unit_test(of_an_arm_machine),
        cmocka_unit_test(a_name_that_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
