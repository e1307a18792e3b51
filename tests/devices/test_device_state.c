/* SPDX-License-Identifier: MIT */
/*
 * The state of a platform's devices, one table over all units: complete, refused
 * where no device could hold it, and as good as the device it came from.
 */

#include "vmrig/device_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"
#include "tests/support/state_rig.h"

#define UNITS 7u
enum unit_index {
    POWER,
    SERIAL,
    CMOS,
    PIT,
    I8042,
    PCI,
    FW_CFG
};

struct machine {
    struct port_rig rig;
    struct vmr_platform *platform;
    struct vmr_state_unit units[UNITS];
};

static struct machine first, second;

static void machine_init(struct machine *machine)
{
    rig_init(&machine->rig);
    const struct vmr_platform_options options = {.host = &machine->rig.fake.host,
                                                 .rtc_epoch_s = 1700000000,
                                                 .memory_below_4g = UINT64_C(64) << 20,
                                                 .vp_count = 2,
                                                 .irq = rig_irq(&machine->rig),
                                                 .timer = rig_timer(&machine->rig),
                                                 .console = rig_console(&machine->rig)};

    assert_int_equal(vmr_platform_create(&options, machine->rig.ports, &machine->platform, NULL), VMR_OK);
    assert_int_equal(vmr_platform_state_units(machine->platform, machine->units, UNITS), UNITS);
}

static void machine_finish(struct machine *machine)
{
    machine->rig.repeated_levels = 0; /* setting a state tells levels again */
    vmr_platform_destroy(machine->platform);
    rig_finish(&machine->rig);
}

static int setup(void **state)
{
    (void)state;
    machine_init(&first);
    machine_init(&second);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_finish(&second);
    machine_finish(&first);
    return 0;
}

/* --- values that differ from power-up in every field --- */

static const struct vmr_power_state power_driven = {.reason = VMR_HALT_POWER_OFF, .value = 0x10};
static const struct vmr_serial_state serial_driven = {
    .interrupt_enable = 0x05,
    .line_control = 0x83,
    .modem_control = 0x0b,
    .fifo_control = 0xc1,
    .scratch = 0x5a,
    .divisor = 1,
    .thr_empty = false,
    .overrun = true,
    .modem_delta = 0x01,
    .queued = 3,
    .queue = {'a', 'b', 'c'},
};
static struct vmr_cmos_state cmos_driven = {
    .index = 0x0c,
    .bytes = {[0x00] = 0x12, [0x0a] = 0x26, [0x0b] = 0x42, [0x0c] = 0xc0, [0x0d] = 0x80, [0x38] = 0x33},
    .started = true,
    .phase_ns = 6000000000000,
    .now_ns = 3600000000000,
    .shift_ns = 500000000,
    .set_s = 1000000000,
    .set_at_s = 3000,
};
#define CHANNEL_DRIVEN                                                                                                 \
    {                                                                                                                  \
        .mode = 2, .access = 1, .bcd = true, .counting = true, .reload = 1000, .next_reload = 2000, .start = 5500,     \
        .paused = 4000, .high_byte_next = true, .low_byte = 0x12, .read_high_next = true, .count_latched = true,       \
        .status_latched = true, .latched_count = 0x3456, .latched_status = 0x78                                        \
    }
static const struct vmr_pit_state pit_driven = {
    .channels = {CHANNEL_DRIVEN, CHANNEL_DRIVEN, CHANNEL_DRIVEN},
    .speaker = 0x03,
    .line = true,
    .started = true,
    .base_ns = 6000000000000,
    .tick = 6000,
};
static const struct vmr_i8042_state i8042_driven = {
    .config = 0x47,
    .parameter_of = 0x60,
    .last_was_command = true,
    .a20 = false,
    .count = 0,
    .last_byte = 0xfa,
    .keyboard_parameter_of = 0xed,
    .scan_set = 1,
};
static const struct vmr_i8042_state i8042_waiting = {
    .config = 0x47, .count = 2, .bytes = {0x55, 0xfe}, .aux = {false, true}, .scan_set = 3};
static const struct vmr_pci_none_state pci_driven = {.address = 0x80001234, .reset = 0x02};
static const struct vmr_fw_cfg_state fw_cfg_driven = {.selected = true, .key = 0x8002, .offset = 1};

static const struct {
    enum unit_index unit;
    const void *value;
    bool whole; /* every field is off its value at reset */
} driven[] = {
    {POWER, &power_driven, true}, {SERIAL, &serial_driven, true}, {CMOS, &cmos_driven, true},
    {PIT, &pit_driven, true},     {I8042, &i8042_driven, false},  {I8042, &i8042_waiting, false},
    {PCI, &pci_driven, true},     {FW_CFG, &fw_cfg_driven, true},
};
#define DRIVEN (sizeof(driven) / sizeof(driven[0]))

static void drive_all(struct machine *machine)
{
    for (size_t i = 0; i < DRIVEN; i++) {
        const struct vmr_state_unit *unit = &machine->units[driven[i].unit];

        assert_int_equal(unit->set(unit->object, driven[i].value, NULL), VMR_OK);
    }
}

static void units_come_in_declared_order(void **state)
{
    static const char *const names[UNITS] = {"power", "serial", "cmos", "pit", "keyboard-controller", "pci", "fw-cfg"};
    struct vmr_state_unit units[2] = {0};

    (void)state;
    for (size_t i = 0; i < UNITS; i++)
        assert_string_equal(first.units[i].type->name, names[i]);
    assert_int_equal(vmr_platform_state_units(first.platform, units, 1), UNITS);
    assert_ptr_equal(units[0].type, first.units[0].type);
    assert_null(units[1].type);
    assert_int_equal(vmr_platform_state_units(first.platform, NULL, 0), UNITS);
}

static void every_field_is_kept_and_counts(void **state)
{
    (void)state;
    memset(&cmos_driven.bytes[0x39], 0x77, 4);
    for (size_t i = 0; i < DRIVEN; i++) {
        const struct vmr_state_unit *unit = &first.units[driven[i].unit];

        if (driven[i].whole) {
            state_expect_off_reset(unit, driven[i].value);
            state_expect_hash_of_each_field(unit, driven[i].value);
        }
        state_expect_round_trip(unit, driven[i].value);
    }
}

/* A buffer with bytes in it and one without are two values: together they are off reset everywhere. */
static void the_keyboard_controller_is_complete_in_two_values(void **state)
{
    struct vmr_i8042_state both = i8042_driven;

    (void)state;
    both.count = i8042_waiting.count;
    memcpy(both.bytes, i8042_waiting.bytes, sizeof(both.bytes));
    memcpy(both.aux, i8042_waiting.aux, sizeof(both.aux));
    state_expect_off_reset(&first.units[I8042], &both);
    state_expect_hash_of_each_field(&first.units[I8042], &both);
    state_expect_refused(&first.units[I8042], &both, "last-byte");
}

static void reset_is_power_up(void **state)
{
    union state_value fresh;

    (void)state;
    drive_all(&first);
    assert_true(first.rig.lines[0].level && first.rig.lines[4].level && first.rig.lines[8].level);
    vmr_platform_reset(first.platform);
    for (size_t i = 0; i < UNITS; i++) {
        assert_int_equal(second.units[i].get(second.units[i].object, &fresh, NULL), VMR_OK);
        state_expect(&first.units[i], &fresh, i != CMOS);
        first.units[i].at_reset(first.units[i].object, &fresh);
        state_expect(&first.units[i], &fresh, true);
    }
    for (size_t i = 0; i < RIG_LINE_COUNT; i++)
        assert_false(first.rig.lines[i].level);
    assert_int_equal(vmr_power_get(vmr_platform_power(first.platform), NULL), VMR_HALT_NONE);
    assert_int_equal(vmr_platform_poll(first.platform, first.rig.fake.now_ns), VMR_NEVER);
}

/* --- refusals --- */

static const struct {
    enum unit_index unit;
    const char *field;
    uint32_t element;
    uint64_t number;
} hostile[] = {
    {POWER, "reason", 0, VMR_HALT_STOP},
    {POWER, "reason", 0, UINT32_MAX},
    {SERIAL, "queued", 0, 4097},
    {SERIAL, "interrupt-enable", 0, 0x10},
    {SERIAL, "modem-control", 0, 0x20},
    {SERIAL, "fifo-control", 0, 0xc0},
    {SERIAL, "modem-delta", 0, 0x10},
    {CMOS, "index", 0, 128},
    {CMOS, "bytes", 0x0a, 0xa6},
    {CMOS, "bytes", 0x0c, 0x40},
    {CMOS, "bytes", 0x0c, 0xc1},
    {CMOS, "bytes", 0x0d, 0},
    {CMOS, "now-ns", 0, UINT64_MAX},
    {CMOS, "now-ns", 0, 499999999}, /* below what it was shifted */
    {CMOS, "shift-ns", 0, (UINT64_C(1) << 61) + 1},
    {CMOS, "set-s", 0, UINT64_MAX},
    {CMOS, "set-at-s", 0, 3601},
    {PIT, "channel.mode", 1, 6},
    {PIT, "channel.access", 0, 0},
    {PIT, "channel.access", 2, 4},
    {PIT, "channel.reload", 0, 10001}, /* BCD */
    {PIT, "channel.next-reload", 1, 10001},
    {PIT, "channel.counting", 2, 1}, /* with a reload of 0 */
    {PIT, "channel.start", 0, 6001},
    {PIT, "channel.paused", 0, 6001},
    {PIT, "channel.paused", 2, 5499}, /* before the start, with the gate low */
    {PIT, "speaker", 0, 0x10},
    {PIT, "tick", 0, UINT64_MAX},
    {I8042, "count", 0, 17},
    {I8042, "config", 0, 0x80},
    {I8042, "parameter-of", 0, 0x20},
    {I8042, "keyboard-parameter-of", 0, 0xf4},
    {I8042, "scan-set", 0, 0},
    {I8042, "scan-set", 0, 4},
    {PCI, "address", 0, 1},
    {PCI, "reset", 0, 0x04},
    {FW_CFG, "key", 0, 0x1234},
    {FW_CFG, "offset", 0, 2},
};

static void what_no_device_holds_is_refused(void **state)
{
    (void)state;
    drive_all(&first);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const struct vmr_state_unit *unit = &first.units[hostile[i].unit];
        union state_value value;

        assert_int_equal(unit->get(unit->object, &value, NULL), VMR_OK);
        if (strcmp(hostile[i].field, "channel.counting") == 0)
            state_put(unit->type, &value, "channel.reload", hostile[i].element, 0);
        if (strcmp(hostile[i].field, "channel.paused") == 0)
            state_put(unit->type, &value, "speaker", 0, 0);
        state_put(unit->type, &value, hostile[i].field, hostile[i].element, hostile[i].number);
        state_expect_refused(unit, &value, hostile[i].field);
    }
}

static void a_clock_that_has_not_begun_has_no_times(void **state)
{
    static const struct {
        enum unit_index unit;
        const char *field;
        uint64_t number;
    } cases[] = {{CMOS, "phase-ns", 1}, {CMOS, "now-ns", 1}, {CMOS, "shift-ns", 1000000000}, {CMOS, "set-at-s", 1},
                 {PIT, "base-ns", 1},   {PIT, "tick", 1},    {PIT, "channel.start", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct vmr_state_unit *unit = &first.units[cases[i].unit];
        union state_value value;

        unit->at_reset(unit->object, &value);
        state_put(unit->type, &value, cases[i].field, 0, cases[i].number);
        state_expect_refused(unit, &value, cases[i].field);
    }
}

/* --- a device that took a state is the one it came from --- */

static const uint16_t ports[] = {0x20,  0x40,  0x41,  0x42,  0x43,  0x60,  0x61,  0x64,  0x70,  0x71,  0x92,
                                 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0xcf8, 0xcf9, 0xcfc,
                                 0xf4,  0x402, 0x510, 0x511, 0x43,  0x43,  0x40,  0x70,  0x71,  0x3f8};

/* One thing that a guest, the host or time does. Returns what the guest sees. */
static uint64_t disturb(struct machine *machine, uint32_t number, uint32_t more)
{
    uint16_t port = ports[number % (sizeof(ports) / sizeof(ports[0]))];
    uint8_t size = port == 0xcf8 ? 4 : port == 0x510 ? 2 : 1;
    uint8_t byte = (uint8_t)more;

    switch (number >> 5 & 7u) {
    case 0:
        rig_advance(&machine->rig, (uint64_t)more << (number >> 8 & 15u));
        return vmr_platform_poll(machine->platform, machine->rig.fake.now_ns);
    case 1:
        return vmr_serial_receive(vmr_platform_serial(machine->platform), &byte, 1);
    case 2:
    case 3:
    case 4:
        return rig_read(&machine->rig, port, size);
    case 5:
        /* Often a register of the clock, a key that is there, a count that is written low byte first. */
        rig_write(&machine->rig, port, size, more & (port == 0x70 || port == 0x510 ? 0x0fu : 0x33u));
        return 0;
    default:
        rig_write(&machine->rig, port, size, more & (0xffffffffu >> (32 - 8 * size)));
        return 0;
    }
}

static void expect_alike(void)
{
    for (size_t i = 0; i < UNITS; i++) {
        union state_value value;

        assert_int_equal(first.units[i].get(first.units[i].object, &value, NULL), VMR_OK);
        state_expect(&second.units[i], &value, true);
    }
    for (size_t i = 0; i < RIG_LINE_COUNT; i++)
        assert_int_equal(first.rig.lines[i].level, second.rig.lines[i].level);
}

static void hand_over(void)
{
    second.rig.fake.now_ns = first.rig.fake.now_ns;
    for (size_t i = 0; i < UNITS; i++) {
        union state_value value;

        assert_int_equal(first.units[i].get(first.units[i].object, &value, NULL), VMR_OK);
        state_expect_round_trip(&second.units[i], &value);
    }
    expect_alike();
}

static void what_was_saved_goes_on_as_if_nothing_had_happened(void **state)
{
    uint32_t numbers = 7;

    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = 0; i < 100; i++) {
            uint32_t number = state_next_number(&numbers);

            (void)disturb(&first, number, state_next_number(&numbers));
        }
        hand_over();
        unsigned rises = first.rig.lines[0].rises;
        unsigned others = second.rig.lines[0].rises;

        for (unsigned i = 0; i < 100; i++) {
            uint32_t number = state_next_number(&numbers), more = state_next_number(&numbers);

            assert_int_equal(disturb(&first, number, more), disturb(&second, number, more));
        }
        expect_alike();
        assert_int_equal(first.rig.lines[0].rises - rises, second.rig.lines[0].rises - others);
    }
}

/* --- lines and deadlines of a state that was set --- */

static void lines_are_told_once_and_timers_armed_again(void **state)
{
    struct vmr_pit_state pit;
    uint64_t deadline_ns;

    (void)state;
    rig_out(&first.rig, 0x43, 0x34); /* 10 ms */
    rig_out(&first.rig, 0x40, 0x9c);
    rig_out(&first.rig, 0x40, 0x2e);
    rig_advance(&first.rig, 10100000);
    deadline_ns = vmr_platform_poll(first.platform, first.rig.fake.now_ns);
    assert_true(first.rig.lines[0].level);

    second.rig.fake.now_ns = first.rig.fake.now_ns;
    assert_int_equal(vmr_platform_poll(second.platform, second.rig.fake.now_ns), VMR_NEVER);
    assert_int_equal(first.units[PIT].get(first.units[PIT].object, &pit, NULL), VMR_OK);
    /* Not even of a line that claims to have missed its edge. */
    pit.line = false;
    assert_int_equal(second.units[PIT].set(second.units[PIT].object, &pit, NULL), VMR_OK);
    assert_int_equal(second.rig.lines[0].rises, 0);
    second.rig.sooner = 0;
    second.rig.repeated_levels = 0;
    pit.line = true;
    assert_int_equal(second.units[PIT].set(second.units[PIT].object, &pit, NULL), VMR_OK);
    assert_int_equal(second.rig.lines[0].rises, 1); /* the level: its edge was the first one's */
    assert_int_equal(second.rig.sooner, 1);
    assert_int_equal(vmr_platform_poll(second.platform, second.rig.fake.now_ns), deadline_ns);
    assert_int_equal(second.rig.lines[0].rises, 1);
    /* Told again though it is high already, for a controller that was set in between. */
    assert_int_equal(second.units[PIT].set(second.units[PIT].object, &pit, NULL), VMR_OK);
    assert_int_equal(second.rig.repeated_levels, 1);
    rig_advance(&second.rig, deadline_ns - second.rig.fake.now_ns);
    (void)vmr_platform_poll(second.platform, second.rig.fake.now_ns);
    assert_int_equal(second.rig.lines[0].rises, 3);
    assert_int_equal(second.rig.lines[0].level, 1);
}

static void time_that_has_passed_raises_no_flags_again(void **state)
{
    (void)state;
    rig_out(&first.rig, 0x70, 0x0c);
    (void)rig_in(&first.rig, 0x71);
    rig_advance(&first.rig, 5100000000);
    assert_int_equal(rig_in(&first.rig, 0x71), 0x50); /* seconds and periods have passed */
    hand_over();
    assert_int_equal(rig_in(&second.rig, 0x71), 0);
    vmr_platform_reset(second.platform);
    rig_out(&second.rig, 0x70, 0x0c);
    assert_int_equal(rig_in(&second.rig, 0x71), 0);
}

static void the_clock_runs_on_through_a_reset(void **state)
{
    (void)state;
    rig_out(&first.rig, 0x70, 0x00);
    assert_int_equal(rig_in(&first.rig, 0x71), 0x20); /* 22:13:20 */
    rig_out(&first.rig, 0x71, 0x05);                  /* the guest sets another second... */
    rig_advance(&first.rig, 7000000000);
    vmr_platform_reset(first.platform);
    rig_advance(&first.rig, 2000000000);
    rig_out(&first.rig, 0x70, 0x00);
    assert_int_equal(rig_in(&first.rig, 0x71), 0x29); /* ...which is gone, and the nine seconds are not */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(units_come_in_declared_order, setup, teardown),
        cmocka_unit_test_setup_teardown(every_field_is_kept_and_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_keyboard_controller_is_complete_in_two_values, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_is_power_up, setup, teardown),
        cmocka_unit_test_setup_teardown(what_no_device_holds_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_has_not_begun_has_no_times, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_saved_goes_on_as_if_nothing_had_happened, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_are_told_once_and_timers_armed_again, setup, teardown),
        cmocka_unit_test_setup_teardown(time_that_has_passed_raises_no_flags_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_clock_runs_on_through_a_reset, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
