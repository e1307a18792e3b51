/* SPDX-License-Identifier: MIT */
/*
 * The timer at its ports: interrupts, deadlines, and the calibration loops that
 * guests run on it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_pit *pit;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    const struct vmr_pit_options options = {.host = &rig.fake.host, .irq = rig_irq(&rig), .timer = rig_timer(&rig)};

    return vmr_pit_create(&options, rig.ports, &pit, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_pit_destroy(pit);
    rig_finish(&rig);
    return 0;
}

static void program(uint8_t control, uint16_t port, uint16_t count)
{
    rig_out(&rig, 0x43, control);
    rig_out(&rig, port, (uint8_t)count);
    rig_out(&rig, port, (uint8_t)(count >> 8));
}

static void idle_timer_never_asks_and_never_looks(void **state)
{
    (void)state;
    assert_int_equal(vmr_pit_poll(pit, rig.fake.now_ns), VMR_NEVER);
    assert_int_equal(rig.fake.clock_reads, 0);
}

static void rate_generator_ticks_18_times_a_second(void **state)
{
    uint64_t begin = rig.fake.now_ns;
    unsigned polls = 0;

    (void)state;
    program(0x34, 0x40, 0);
    assert_int_equal(rig.sooner, 1);
    for (uint64_t deadline = vmr_pit_poll(pit, begin); deadline <= begin + 1000000000u; polls++)
        deadline = vmr_pit_poll(pit, deadline);
    assert_int_equal(polls, 18);
    assert_int_equal(rig.lines[0].rises, 18);
}

static void deadlines_are_exact_and_do_not_drift(void **state)
{
    uint64_t begin = rig.fake.now_ns;

    (void)state;
    program(0x34, 0x40, 1193); /* about a millisecond */
    for (uint64_t n = 1; n <= 1000; n++) {
        uint64_t deadline = vmr_pit_poll(pit, rig.fake.now_ns);
        uint64_t exact = (n * 1193 * 1000000000u + VMR_PIT_HZ - 1) / VMR_PIT_HZ;

        assert_int_equal(deadline, begin + exact);
        assert_int_equal(vmr_pit_poll(pit, deadline - 1), deadline);
        assert_int_equal(rig.lines[0].rises, n - 1);
        rig.fake.now_ns = deadline;
        (void)vmr_pit_poll(pit, deadline);
        assert_int_equal(rig.lines[0].rises, n);
    }
}

static void missed_periods_give_one_interrupt(void **state)
{
    (void)state;
    program(0x34, 0x40, 1193);
    rig_advance(&rig, 50500000);
    assert_true(vmr_pit_poll(pit, rig.fake.now_ns) > rig.fake.now_ns);
    assert_int_equal(rig.lines[0].rises, 1);
}

static void one_shot_raises_its_line_once(void **state)
{
    (void)state;
    program(0x30, 0x40, 1000);
    uint64_t deadline = vmr_pit_poll(pit, rig.fake.now_ns);

    assert_int_equal(vmr_pit_poll(pit, deadline), VMR_NEVER);
    assert_int_equal(rig.lines[0].rises, 1);
    assert_true(rig.lines[0].level);
    rig.fake.now_ns = deadline;
    rig_out(&rig, 0x43, 0x30); /* pulls the output down */
    assert_false(rig.lines[0].level);
}

static void older_look_at_the_clock_does_not_turn_time_back(void **state)
{
    (void)state;
    program(0x34, 0x40, 1193);
    uint64_t early = rig.fake.now_ns;

    rig_advance(&rig, 1500000);
    (void)rig_in(&rig, 0x40);
    assert_int_equal(rig.lines[0].rises, 1); /* an access tells what is due, too */
    (void)vmr_pit_poll(pit, early);
    assert_int_equal(rig.lines[0].rises, 1);
}

static void speaker_gate_times_channel_2(void **state)
{
    (void)state;
    /* As firmware calibrates: gate off, mode 0, gate on, wait for the output. */
    rig_out(&rig, 0x61, 0x00);
    program(0xb0, 0x42, 0x2e9c);
    rig_advance(&rig, 1000000000);
    assert_int_equal(rig_in(&rig, 0x61) & 0x20, 0);
    rig_out(&rig, 0x61, 0x01);
    rig_advance(&rig, 9999000);
    assert_int_equal(rig_in(&rig, 0x61) & 0x21, 0x01);
    rig_advance(&rig, 2000);
    assert_int_equal(rig_in(&rig, 0x61) & 0x21, 0x21);
    assert_int_equal(rig.lines[0].rises, 0);
}

static void refresh_bit_toggles(void **state)
{
    unsigned toggles = 0;
    uint8_t last = rig_in(&rig, 0x61) & 0x10;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        rig_advance(&rig, 1000);
        uint8_t now = rig_in(&rig, 0x61) & 0x10;

        toggles += now != last;
        last = now;
    }
    assert_in_range(toggles, 64, 67); /* a millisecond of 15 us halves */
}

static void read_back_latches_what_it_names(void **state)
{
    (void)state;
    program(0x34, 0x40, 1000);
    program(0x56, 0x41, 0x10); /* low byte only: the second write is another count */
    rig_out(&rig, 0x43, 0xe2); /* status of counter 0 alone */
    assert_int_equal(rig_in(&rig, 0x40), 0xb4);
    rig_out(&rig, 0x43, 0xde); /* counts of all three */
    rig_advance(&rig, 100000);
    assert_int_equal(rig_in(&rig, 0x40), 1000 & 0xff);
    assert_int_equal(rig_in(&rig, 0x40), 1000 >> 8);
    rig_out(&rig, 0x43, 0x00); /* the old latch command */
    assert_int_equal(rig_in(&rig, 0x40), (1000 - 119) & 0xff);
    assert_int_equal(rig_in(&rig, 0x40), (1000 - 119) >> 8);
}

static void control_port_is_write_only(void **state)
{
    (void)state;
    assert_int_equal(rig_in(&rig, 0x43), 0xff);
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    rig_sweep(&rig, 0x40, 4);
    rig_sweep(&rig, 0x61, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(idle_timer_never_asks_and_never_looks, setup, teardown),
        cmocka_unit_test_setup_teardown(rate_generator_ticks_18_times_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(deadlines_are_exact_and_do_not_drift, setup, teardown),
        cmocka_unit_test_setup_teardown(missed_periods_give_one_interrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(one_shot_raises_its_line_once, setup, teardown),
        cmocka_unit_test_setup_teardown(older_look_at_the_clock_does_not_turn_time_back, setup, teardown),
        cmocka_unit_test_setup_teardown(speaker_gate_times_channel_2, setup, teardown),
        cmocka_unit_test_setup_teardown(refresh_bit_toggles, setup, teardown),
        cmocka_unit_test_setup_teardown(read_back_latches_what_it_names, setup, teardown),
        cmocka_unit_test_setup_teardown(control_port_is_write_only, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_accesses_are_harmless, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
