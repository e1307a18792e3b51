/* SPDX-License-Identifier: MIT */
/*
 * The power line: one request at a time, reason and value together.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"
#include "vmrig/platform.h"

static struct fake_host fake;
static struct vmr_power *power;
static unsigned told; /* how often the sink was called */
static enum vmr_halt_reason told_reason;
static uint32_t told_value;

static void requested(void *context, enum vmr_halt_reason reason, uint32_t value)
{
    assert_ptr_equal(context, &fake);
    told++;
    told_reason = reason;
    told_value = value;
}

static int setup(void **state)
{
    const struct vmr_power_options options = {.host = &fake.host, .sink = {.requested = requested, .context = &fake}};

    (void)state;
    fake_host_init(&fake, 0);
    told = 0;
    return vmr_power_create(&options, &power, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_power_destroy(power);
    return 0;
}

static void nothing_is_requested_at_first(void **state)
{
    (void)state;
    assert_int_equal(vmr_power_get(power, NULL), VMR_HALT_NONE);
}

static void first_request_holds(void **state)
{
    uint32_t value = 0;

    (void)state;
    assert_true(vmr_power_request(power, VMR_HALT_POWER_OFF, UINT32_MAX));
    assert_false(vmr_power_request(power, VMR_HALT_RESET, 7));
    assert_int_equal(vmr_power_get(power, &value), VMR_HALT_POWER_OFF);
    assert_int_equal(value, UINT32_MAX);
    assert_int_equal(told, 1);
    assert_int_equal(told_reason, VMR_HALT_POWER_OFF);
    assert_int_equal(told_value, UINT32_MAX);
}

static void cleared_line_takes_the_next_request(void **state)
{
    uint32_t value = 1;

    (void)state;
    assert_true(vmr_power_request(power, VMR_HALT_POWER_OFF, 5));
    vmr_power_clear(power);
    assert_int_equal(vmr_power_get(power, &value), VMR_HALT_NONE);
    assert_int_equal(value, 0);
    assert_true(vmr_power_request(power, VMR_HALT_RESET, 0));
    assert_int_equal(vmr_power_get(power, NULL), VMR_HALT_RESET);
    assert_int_equal(told, 2);
    assert_int_equal(told_reason, VMR_HALT_RESET);
}

static void no_host_is_refused(void **state)
{
    const struct vmr_power_options options = {.host = NULL};
    struct vmr_power *other = power;

    (void)state;
    assert_int_equal(vmr_power_create(&options, &other, NULL), VMR_E_USAGE);
    assert_ptr_equal(other, power);
    vmr_power_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_requested_at_first, setup, teardown),
        cmocka_unit_test_setup_teardown(first_request_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(cleared_line_takes_the_next_request, setup, teardown),
        cmocka_unit_test_setup_teardown(no_host_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
