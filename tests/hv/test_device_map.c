/* SPDX-License-Identifier: MIT */
/* The table of devices' interrupts. [HC-15] */

#include "lib/hv/device_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/counting_host.h"
#include "tests/support/fake_host.h"

static struct device_map map; /* 16 KiB: not for a stack */

static void begin(struct fake_host *fake)
{
    map = (struct device_map){0};
    fake_host_init(fake, 0);
    assert_int_equal(device_map_init(&map, &fake->host), 0);
}

static void an_interrupt_is_its_devices_alone(void **state)
{
    (void)state;
    struct fake_host fake;
    struct vmr_hv_interrupt interrupt = {.vector = 0x40}, found = {0};
    struct vmr_msi first, second, wrong;

    begin(&fake);
    assert_true(device_map_add(&map, 1, &interrupt, &first));
    assert_true(device_map_add(&map, 2, &interrupt, &second));
    assert_int_not_equal(first.data, second.data);
    assert_true(device_map_get(&map, 1, &first, &found));
    assert_int_equal(found.vector, 0x40);
    assert_false(device_map_get(&map, 1, &second, &found));
    wrong = (struct vmr_msi){.address = first.address + 4096, .data = first.data};
    assert_false(device_map_get(&map, 1, &wrong, &found));
    interrupt.vector = 0x50;
    assert_false(device_map_retarget(&map, 2, &first, &interrupt));
    assert_true(device_map_retarget(&map, 1, &first, &interrupt));
    assert_true(device_map_get(&map, 1, &first, &found));
    assert_int_equal(found.vector, 0x50);
    device_map_remove(&map, 2, &first);
    assert_true(device_map_get(&map, 1, &first, &found));
    device_map_remove(&map, 1, &first);
    assert_false(device_map_get(&map, 1, &first, &found));
    device_map_finish(&map);
}

static void the_table_is_bounded_and_places_are_used_again(void **state)
{
    (void)state;
    struct fake_host fake;
    const struct vmr_hv_interrupt interrupt = {.vector = 0x40};
    struct vmr_msi msi, last = {0};

    begin(&fake);
    for (unsigned i = 0; i < VMR_HV_DEVICE_INTERRUPT_MAX; i++)
        assert_true(device_map_add(&map, 1, &interrupt, &last));
    assert_int_equal(last.data, VMR_HV_DEVICE_INTERRUPT_MAX - 1);
    assert_false(device_map_add(&map, 1, &interrupt, &msi));
    device_map_remove(&map, 1, &last);
    assert_true(device_map_add(&map, 1, &interrupt, &msi));
    assert_int_equal(msi.data, last.data);
    device_map_finish(&map);
}

static void without_memory_nothing_is_added(void **state)
{
    (void)state;
    struct fake_host fake;
    const struct vmr_hv_interrupt interrupt = {.vector = 0x40};
    struct vmr_msi msi = {0};

    begin(&fake);
    fail_allocation(1);
    assert_false(device_map_add(&map, 1, &interrupt, &msi));
    fail_allocation(0);
    assert_int_equal(msi.address, 0);
    device_map_finish(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupt_is_its_devices_alone),
        cmocka_unit_test(the_table_is_bounded_and_places_are_used_again),
        cmocka_unit_test(without_memory_nothing_is_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
