/* SPDX-License-Identifier: MIT */
/*
 * All devices together: who is at which port, and what one poll does.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"
#include "vmrig/device_state.h"

static struct port_rig rig;
static struct vmr_platform *platform;

static struct vmr_platform_options options(void)
{
    return (struct vmr_platform_options){.host = &rig.fake.host,
                                         .rtc_epoch_s = 1700000000,
                                         .memory_below_4g = UINT64_C(64) << 20,
                                         .vp_count = 2,
                                         .irq = rig_irq(&rig),
                                         .timer = rig_timer(&rig),
                                         .console = rig_console(&rig)};
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    const struct vmr_platform_options all = options();

    return vmr_platform_create(&all, rig.ports, &platform, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_platform_destroy(platform);
    rig_finish(&rig);
    return 0;
}

static void consoles_are_told_apart(void **state)
{
    (void)state;
    rig_out(&rig, 0x402, 'd');
    rig_out(&rig, 0x3f8, 's');
    assert_string_equal(rig.console[VMR_CONSOLE_DEBUG], "d");
    assert_string_equal(rig.console[VMR_CONSOLE_SERIAL], "s");
    assert_string_equal(vmr_console_source_name(VMR_CONSOLE_SERIAL), "serial");
    assert_string_equal(vmr_console_source_name(VMR_CONSOLE_DEBUG), "debug");
    assert_string_equal(vmr_console_source_name(VMR_CONSOLE_SOURCE_COUNT), "unknown");
}

static void every_power_port_reaches_one_line(void **state)
{
    static const struct {
        const char *name;
        uint16_t port;
        uint8_t value;
        enum vmr_halt_reason reason;
    } cases[] = {
        {"keyboard controller", 0x64, 0xfe, VMR_HALT_RESET},
        {"port 92", 0x92, 0x01, VMR_HALT_RESET},
        {"reset control", 0xcf9, 0x06, VMR_HALT_RESET},
        {"debug exit", 0xf4, 0x10, VMR_HALT_POWER_OFF},
        {"the other debug exit", 0x501, 0x10, VMR_HALT_POWER_OFF},
    };
    struct vmr_power *power = vmr_platform_power(platform);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        assert_int_equal(vmr_power_get(power, NULL), VMR_HALT_NONE);
        rig_out(&rig, cases[i].port, cases[i].value);
        assert_int_equal(vmr_power_get(power, NULL), cases[i].reason);
        vmr_power_clear(power);
    }
}

static void poll_serves_both_timers_and_returns_the_earlier(void **state)
{
    uint64_t now = rig.fake.now_ns;

    (void)state;
    assert_int_equal(vmr_platform_poll(platform, now), VMR_NEVER);
    rig_out(&rig, 0x43, 0x34); /* 10 ms */
    rig_out(&rig, 0x40, 0x9c);
    rig_out(&rig, 0x40, 0x2e);
    uint64_t timer = vmr_platform_poll(platform, now);

    rig_out(&rig, 0x70, 0x0b); /* 1024 Hz */
    rig_out(&rig, 0x71, 0x42);
    uint64_t clock = vmr_platform_poll(platform, now);

    assert_true(clock < timer);
    assert_int_equal(vmr_platform_poll(platform, clock), timer);
    assert_int_equal(rig.lines[8].rises, 1);
    assert_int_equal(rig.lines[0].rises, 0);
    (void)vmr_platform_poll(platform, timer);
    assert_int_equal(rig.lines[0].rises, 1);
    assert_int_equal(rig.sooner, 2);
}

static void creation_reads_no_clock(void **state)
{
    (void)state;
    assert_int_equal(rig.fake.clock_reads, 0);
}

static void input_reaches_the_serial_line(void **state)
{
    (void)state;
    assert_int_equal(vmr_serial_receive(vmr_platform_serial(platform), (const uint8_t *)"k", 1), 1);
    assert_int_equal(rig_in(&rig, 0x3f8), 'k');
}

/* One port taken at a time: creation fails, names it, and gives back everything. */
static void any_taken_port_fails_creation_whole(void **state)
{
    static const uint16_t ports[] = {0x3f8, 0x402, 0x70, 0x41, 0x61, 0x64, 0x92, 0xcf9, 0xf4, 0x502, 0x511};

    (void)state;
    vmr_platform_destroy(platform);
    platform = NULL;
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        const struct vmr_bus_range range = {.name = "in the way", .start = ports[i], .length = 1, .ops = &rig_idle_ops};
        const struct vmr_platform_options all = options();
        struct vmr_error err = {0};

        assert_int_equal(vmr_bus_claim(rig.ports, &range, NULL), VMR_OK);
        assert_int_not_equal(vmr_platform_create(&all, rig.ports, &platform, &err), VMR_OK);
        assert_non_null(strstr(err.message, "in the way"));
        assert_null(platform);
        assert_int_equal(vmr_bus_release(rig.ports, ports[i], NULL), VMR_OK);
    }
}

/* What is left out is nowhere: its ports are free, nothing of it is saved, and the rest works. */
static void a_part_that_is_left_out_is_nowhere(void **state)
{
    static const struct {
        uint16_t port;
        const char *unit; /* NULL: holds nothing */
    } parts[VMR_PLATFORM_PART_COUNT] = {
        [VMR_PLATFORM_SERIAL] = {0x3f8, "serial"},
        [VMR_PLATFORM_DEBUG_CONSOLE] = {0x402, NULL},
        [VMR_PLATFORM_CMOS] = {0x70, "cmos"},
        [VMR_PLATFORM_PIT] = {0x40, "pit"},
        [VMR_PLATFORM_I8042] = {0x64, "keyboard-controller"},
        [VMR_PLATFORM_PCI] = {0xcf9, "pci"},
        [VMR_PLATFORM_DEBUG_EXIT] = {0xf4, NULL},
        [VMR_PLATFORM_FW_CFG] = {0x510, "fw-cfg"},
    };

    (void)state;
    for (unsigned i = 0; i < VMR_PLATFORM_PART_COUNT; i++) {
        const struct vmr_bus_range range = {
            .name = "in its place", .start = parts[i].port, .length = 1, .ops = &rig_idle_ops};
        struct vmr_platform_options some = options();
        struct vmr_state_unit units[8];

        vmr_platform_destroy(platform);
        platform = NULL;
        some.without = 1u << i;
        assert_int_equal(vmr_bus_claim(rig.ports, &range, NULL), VMR_OK);
        assert_int_equal(vmr_platform_create(&some, rig.ports, &platform, NULL), VMR_OK);
        size_t count = vmr_platform_state_units(platform, units, 8);

        assert_int_equal(count, parts[i].unit ? 6 : 7);
        for (size_t k = 0; parts[i].unit && k < count; k++)
            assert_string_not_equal(units[k].type->name, parts[i].unit);
        assert_int_equal(vmr_platform_poll(platform, rig.fake.now_ns), VMR_NEVER);
        assert_int_equal(!vmr_platform_serial(platform), i == VMR_PLATFORM_SERIAL);
        vmr_platform_reset(platform);
        rig.repeated_levels = 0; /* what is set tells its line once more */
        assert_int_equal(vmr_bus_release(rig.ports, parts[i].port, NULL), VMR_OK);
    }
}

static void parts_that_there_are_not_are_refused(void **state)
{
    struct vmr_platform_options some = options();
    struct vmr_platform *other = NULL;
    struct vmr_error err = {0};

    (void)state;
    some.without = 1u << VMR_PLATFORM_PART_COUNT;
    assert_int_equal(vmr_platform_create(&some, rig.ports, &other, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "0x100"));
    assert_null(other);
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    rig_sweep(&rig, 1, 0x600);
    rig_sweep(&rig, 0xcf0, 0x20);
    rig_sweep(&rig, 0x3f, 0x40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creation_reads_no_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(consoles_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(every_power_port_reaches_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(poll_serves_both_timers_and_returns_the_earlier, setup, teardown),
        cmocka_unit_test_setup_teardown(input_reaches_the_serial_line, setup, teardown),
        cmocka_unit_test_setup_teardown(any_taken_port_fails_creation_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_that_is_left_out_is_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_that_there_are_not_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_accesses_are_harmless, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
