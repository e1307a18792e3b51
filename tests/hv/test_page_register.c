/* SPDX-License-Identifier: MIT */
/* Registers that place a page, restored. [HVS-2] */

#include "lib/hv/page_register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"

#define PAGE UINT64_C(4096)

struct rig {
    struct fake_host fake;
    struct vmr_memory *memory;
    struct overlay page;
    unsigned writes;
};

static void count_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    (void)gpa, (void)bytes, (void)length;
    ((struct rig *)context)->writes++;
}

static void init(struct rig *rig)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = 4 * PAGE};
    const struct vmr_memory_observer observer = {.write = count_write, .context = rig};

    *rig = (struct rig){0};
    fake_host_init(&rig->fake, 1000);
    assert_int_equal(vmr_memory_create(&rig->fake.host, &rig->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &ram, NULL), VMR_OK);
    assert_int_equal(vmr_memory_fill(rig->memory, PAGE, 0x5a, PAGE), VMR_OK);
    vmr_memory_set_observer(rig->memory, &observer);
    overlay_init(&rig->page, rig->memory);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    static const uint64_t bad[] = {PAGE | 3, 2, UINT64_C(1) << 52 | 1, UINT64_MAX};
    struct vmr_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(page_register_check(bad[i], "synic", "simp", &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, "synic: simp: "));
    }
    assert_int_equal(page_register_check(PAGE | 1, "synic", "simp", NULL), VMR_OK);
    assert_int_equal(page_register_check(UINT64_C(1) << 60, "synic", "simp", NULL), VMR_OK); /* it is off */
}

static void content_that_is_there_is_not_written(void **state)
{
    uint8_t content[VMR_PAGE_SIZE];
    struct rig rig;

    (void)state;
    init(&rig);
    memset(content, 0x5a, sizeof(content));
    assert_int_equal(page_restore(&rig.page, PAGE | 1, content, "assist", NULL), VMR_OK);
    assert_int_equal(rig.writes, 0);
    content[7] = 1;
    assert_int_equal(page_restore(&rig.page, PAGE | 1, content, "assist", NULL), VMR_OK);
    assert_int_equal(rig.writes, 1);
    vmr_memory_destroy(rig.memory);
}

static void a_page_that_is_turned_off_has_what_it_is_given(void **state)
{
    uint8_t content[VMR_PAGE_SIZE] = {9}, seen[VMR_PAGE_SIZE];
    struct rig rig;

    (void)state;
    init(&rig);
    page_register_apply(&rig.page, PAGE | 1);
    assert_int_equal(page_restore(&rig.page, PAGE, content, "assist", NULL), VMR_OK);
    overlay_content(&rig.page, seen);
    assert_memory_equal(seen, content, sizeof(seen));
    assert_int_equal(rig.writes, 0);
    vmr_memory_destroy(rig.memory);
}

static void a_page_without_ram_holds_zeroes_alone(void **state)
{
    uint8_t content[VMR_PAGE_SIZE] = {0};
    struct vmr_error err;
    struct rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(page_restore(&rig.page, 8 * PAGE | 1, content, "assist", NULL), VMR_OK);
    content[0] = 1;
    assert_int_equal(page_content_restore(&rig.page, content, "assist", &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "assist: content"));
    vmr_memory_destroy(rig.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(content_that_is_there_is_not_written),
        cmocka_unit_test(a_page_that_is_turned_off_has_what_it_is_given),
        cmocka_unit_test(a_page_without_ram_holds_zeroes_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
