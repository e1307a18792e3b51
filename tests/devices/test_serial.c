/* SPDX-License-Identifier: MIT */
/*
 * The UART: what drivers do to it, in the order they do it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

#define BASE 0x3f8u

static struct port_rig rig;
static struct vmr_serial *serial;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    const struct vmr_serial_options options = {
        .host = &rig.fake.host, .irq = rig_irq(&rig), .console = rig_console(&rig)};

    return vmr_serial_create(&options, rig.ports, &serial, NULL) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    vmr_serial_destroy(serial);
    rig_finish(&rig);
    return 0;
}

static uint8_t in(uint16_t reg)
{
    return rig_in(&rig, (uint16_t)(BASE + reg));
}

static void out(uint16_t reg, uint8_t value)
{
    rig_out(&rig, (uint16_t)(BASE + reg), value);
}

static void receive(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0')
        length++;
    assert_int_equal(vmr_serial_receive(serial, (const uint8_t *)text, length), length);
}

static void bytes_are_printed_in_order(void **state)
{
    (void)state;
    for (const char *c = "vmrig\n"; *c != '\0'; c++) {
        assert_int_equal(in(5) & 0x60, 0x60);
        out(0, (uint8_t)*c);
    }
    assert_string_equal(rig.console[VMR_CONSOLE_SERIAL], "vmrig\n");
}

static void divisor_hides_behind_its_latch(void **state)
{
    (void)state;
    out(3, 0x83);
    out(0, 0x34);
    out(1, 0x12);
    assert_int_equal(in(0), 0x34);
    assert_int_equal(in(1), 0x12);
    out(3, 0x03);
    assert_int_equal(in(1), 0x00);
    assert_int_equal(rig.console_length[VMR_CONSOLE_SERIAL], 0);
}

static void registers_keep_what_they_can(void **state)
{
    static const struct {
        const char *name;
        uint16_t reg;
        uint8_t written, read;
    } cases[] = {
        {"scratch", 7, 0xa5, 0xa5},
        {"interrupt enable has four bits", 1, 0xff, 0x0f},
        {"line control", 3, 0x7f, 0x7f},
        {"modem control has five bits", 4, 0xff, 0x1f},
        {"line status is read only", 5, 0xff, 0x60},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        out(cases[i].reg, cases[i].written);
        assert_int_equal(in(cases[i].reg), cases[i].read);
    }
}

static void received_bytes_wait_in_order(void **state)
{
    (void)state;
    assert_int_equal(in(5) & 0x01, 0);
    receive("abc");
    assert_int_equal(in(5) & 0x01, 1);
    assert_int_equal(in(0), 'a');
    assert_int_equal(in(0), 'b');
    assert_int_equal(in(0), 'c');
    assert_int_equal(in(5) & 0x01, 0);
    assert_int_equal(in(0), 0);
}

static void full_queue_takes_what_fits(void **state)
{
    static const uint8_t many[5000];

    (void)state;
    assert_int_equal(vmr_serial_receive(serial, many, sizeof(many)), 4096);
    (void)in(0);
    assert_int_equal(vmr_serial_receive(serial, many, 2), 1);
}

static void interrupts_come_in_their_order(void **state)
{
    (void)state;
    out(4, 0x08); /* OUT2 lets interrupts out */
    assert_int_equal(in(2), 0x01);
    out(1, 0x02);
    assert_true(rig.lines[4].level);
    receive("x");
    out(1, 0x03);
    assert_int_equal(in(2), 0x04); /* data before the empty transmitter */
    (void)in(0);
    assert_int_equal(in(2), 0x02);
    assert_false(rig.lines[4].level); /* reading IIR took it back */
    assert_int_equal(in(2), 0x01);
    out(0, 'y');
    assert_int_equal(in(2), 0x02);
}

static void without_out2_no_interrupt_leaves(void **state)
{
    (void)state;
    out(1, 0x0f);
    receive("x");
    assert_int_equal(in(2), 0x04);
    assert_int_equal(rig.lines[4].rises, 0);
    out(4, 0x08);
    assert_true(rig.lines[4].level);
}

static void fifo_trigger_separates_data_from_timeout(void **state)
{
    (void)state;
    out(2, 0x41); /* trigger at 4 */
    out(1, 0x01);
    receive("abc");
    assert_int_equal(in(2), 0xcc);
    receive("d");
    assert_int_equal(in(2), 0xc4);
}

static void clearing_the_fifo_drops_what_was_in_the_chip(void **state)
{
    (void)state;
    out(2, 0x01);
    receive("0123456789abcdefXY");
    out(2, 0x03);
    assert_int_equal(in(0), 'X'); /* was still on the wire */
    assert_int_equal(in(0), 'Y');
    assert_int_equal(in(5) & 0x01, 0);
}

static void loopback_returns_bytes_and_modem_lines(void **state)
{
    (void)state;
    out(4, 0x1a); /* loopback, OUT2, RTS: as autodetection writes it */
    assert_int_equal(in(6) & 0xf0, 0x90);
    out(0, 'z');
    assert_int_equal(in(0), 'z');
    assert_int_equal(rig.console_length[VMR_CONSOLE_SERIAL], 0);
    out(0, '1');
    out(0, '2');
    assert_int_equal(in(5) & 0x03, 0x03); /* without FIFO the second byte overruns */
    assert_int_equal(in(5) & 0x02, 0x00); /* told once */
}

static void modem_changes_are_told_once(void **state)
{
    (void)state;
    assert_int_equal(in(6), 0xb0);
    out(1, 0x08);
    out(4, 0x18); /* CTS and DSR fall */
    assert_int_equal(in(2), 0x00);
    assert_int_equal(in(6), 0x83);
    assert_int_equal(in(6), 0x80);
    assert_int_equal(in(2), 0x01);
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    receive("some bytes");
    rig_sweep(&rig, BASE, 8);
}

static void second_uart_has_its_own_port_and_line(void **state)
{
    const struct vmr_serial_options options = {.host = &rig.fake.host, .port = 0x2f8, .gsi = 3, .irq = rig_irq(&rig)};
    struct vmr_serial *second;

    (void)state;
    assert_int_equal(vmr_serial_create(&options, rig.ports, &second, NULL), VMR_OK);
    rig_out(&rig, 0x2fc, 0x08);
    rig_out(&rig, 0x2f9, 0x02);
    rig_out(&rig, 0x2f8, 'q'); /* no sink: swallowed */
    assert_true(rig.lines[3].level);
    assert_int_equal(rig.lines[4].rises, 0);
    vmr_serial_destroy(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_printed_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(divisor_hides_behind_its_latch, setup, teardown),
        cmocka_unit_test_setup_teardown(registers_keep_what_they_can, setup, teardown),
        cmocka_unit_test_setup_teardown(received_bytes_wait_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(full_queue_takes_what_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts_come_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(without_out2_no_interrupt_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(fifo_trigger_separates_data_from_timeout, setup, teardown),
        cmocka_unit_test_setup_teardown(clearing_the_fifo_drops_what_was_in_the_chip, setup, teardown),
        cmocka_unit_test_setup_teardown(loopback_returns_bytes_and_modem_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(modem_changes_are_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_accesses_are_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(second_uart_has_its_own_port_and_line, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
