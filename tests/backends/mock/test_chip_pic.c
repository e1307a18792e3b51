/* SPDX-License-Identifier: MIT */
/*
 * The pair of PICs inside the mock, through the guest's words. What other
 * hypervisors do alike is in conformance/scenarios/interrupt_pic.c.
 */

#include "tests/backends/mock/rig.h"

#include <string.h>

#define MASTER 0x20u
#define MASTER_DATA 0x21u
#define SLAVE 0xa0u
#define SLAVE_DATA 0xa1u
#define PORT 0x10u
#define STOP_HERE(n) VMR_OUT(PORT, 1, (n))
#define BEGIN(command, data, base, wires, mode)                                                                        \
    VMR_OUT((command), 1, 0x11), VMR_OUT((data), 1, (base)), VMR_OUT((data), 1, (wires)), VMR_OUT((data), 1, (mode))
#define BOTH_ON() BEGIN(MASTER, MASTER_DATA, 0x20, 4, 1), BEGIN(SLAVE, SLAVE_DATA, 0x28, 2, 1)
#define EXPECT_READ(port, value) VMR_IN(0, (port), 1), VMR_EXPECT(0, (value))
#define TAKEN(vector, n) VMR_READ_COUNT(0, (vector)), VMR_EXPECT(0, (n))
/* Whatever waits is taken. */
#define OPEN() VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_CLI()

static void pulse(struct rig *rig, uint32_t lines)
{
    for (uint32_t line = 0; line < 16; line++) {
        if ((lines >> line & 1u) == 0)
            continue;
        assert_int_equal(vmr_partition_irq(rig->partition, line, true), VMR_OK);
        assert_int_equal(vmr_partition_irq(rig->partition, line, false), VMR_OK);
    }
}

/* Runs to the end; at stop n the lines of `pulses[n - 1]` rise and fall. The vectors must come in `order`. */
static void run_with_pulses(const struct vmr_program *program, const uint16_t *pulses, uint64_t stops,
                            const char *order)
{
    struct vmr_exit vp_exit = {0};
    uint8_t vectors[8] = {0};
    struct rig rig;

    rig_init(&rig, NULL, "mock:irqchip=kernel", 1);
    rig_load(&rig, 0, program);
    (void)rig_bind(&rig, 0);
    for (uint64_t stop = 0;; stop++) {
        assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
        assert_int_equal(vp_exit.kind, VMR_EXIT_IO);
        if (vp_exit.u.io.port == VMR_PROGRAM_PORT_END) {
            assert_int_equal(stop, stops);
            break;
        }
        if (vp_exit.u.io.port != PORT)
            fail_msg("%s: a mismatch: %#llx", program->name, (unsigned long long)vp_exit.u.io.value);
        pulse(&rig, pulses[stop]);
    }
    assert_int_equal(vmr_mock_injected(rig.mock, 0, vectors, sizeof(vectors)), strlen(order));
    assert_memory_equal(vectors, order, strlen(order));
    rig_finish(&rig);
}

RIG_PROGRAM(unready, VMR_EOI_NONE, STOP_HERE(1), OPEN(), TAKEN(5, 0), VMR_OUT(MASTER, 1, 0x13),
            VMR_OUT(MASTER_DATA, 1, 0x25), STOP_HERE(2), OPEN(), TAKEN(0x25, 0), VMR_OUT(MASTER_DATA, 1, 1),
            STOP_HERE(3), OPEN(), TAKEN(0x25, 1), VMR_END());

/* The vector's low bits are the line's; a single one takes two words, or three. */
static void before_its_words_have_come_it_asks_for_nothing(void **state)
{
    static const uint16_t pulses[] = {1u << 5, 0, 1u << 5};

    (void)state;
    run_with_pulses(&unready, pulses, 3, "\x25");
}

RIG_PROGRAM(polls, VMR_EOI_NONE, BOTH_ON(), VMR_OUT(MASTER, 1, 0x0c), EXPECT_READ(MASTER, 0), STOP_HERE(1),
            VMR_OUT(MASTER, 1, 0x0c), EXPECT_READ(MASTER, 0x82), VMR_OUT(SLAVE, 1, 0x0c), EXPECT_READ(SLAVE, 0x84),
            EXPECT_READ(SLAVE, 0), VMR_OUT(SLAVE, 1, 0x0b), EXPECT_READ(SLAVE, 0x10), OPEN(), TAKEN(0x2c, 0),
            TAKEN(0x25, 0), VMR_OUT(MASTER, 1, 0x62), OPEN(), TAKEN(0x25, 1), VMR_END());

static void a_poll_acknowledges(void **state)
{
    static const uint16_t pulses[] = {1u << 12 | 1u << 5};

    (void)state;
    run_with_pulses(&polls, pulses, 1, "\x25");
}

RIG_PROGRAM(specials, VMR_EOI_NONE, BOTH_ON(), STOP_HERE(1), OPEN(), TAKEN(0x23, 1), VMR_OUT(MASTER_DATA, 1, 0x08),
            STOP_HERE(2), OPEN(), TAKEN(0x25, 0), VMR_OUT(MASTER, 1, 0x68), OPEN(), TAKEN(0x25, 1),
            VMR_OUT(MASTER, 1, 0x20), VMR_OUT(MASTER, 1, 0x0b), EXPECT_READ(MASTER, 0x08), VMR_OUT(MASTER, 1, 0x48),
            VMR_OUT(MASTER, 1, 0x20), EXPECT_READ(MASTER, 0), VMR_END());

/* A masked line in service blocks nobody, and is not what an unspecific end ends. */
static void special_mask_mode_opens_the_lower_lines(void **state)
{
    static const uint16_t pulses[] = {1u << 3, 1u << 5};

    (void)state;
    run_with_pulses(&specials, pulses, 2, "\x23\x25");
}

RIG_PROGRAM(rotates, VMR_EOI_NONE, BOTH_ON(), STOP_HERE(1), OPEN(), TAKEN(0x23, 1), VMR_OUT(MASTER, 1, 0xa0),
            STOP_HERE(2), OPEN(), TAKEN(0x25, 1), TAKEN(0x23, 1), VMR_OUT(MASTER, 1, 0xe5), OPEN(), TAKEN(0x23, 2),
            VMR_OUT(MASTER, 1, 0x20), BEGIN(MASTER, MASTER_DATA, 0x20, 4, 3), VMR_OUT(MASTER, 1, 0x80), STOP_HERE(3),
            OPEN(), STOP_HERE(4), OPEN(), VMR_END());

static void priorities_rotate_with_each_end(void **state)
{
    static const uint16_t pulses[] = {1u << 3, 1u << 3 | 1u << 5, 1u << 1, 1u << 1 | 1u << 4};

    (void)state;
    run_with_pulses(&rotates, pulses, 4, "\x23\x25\x23\x21\x24\x21");
}

RIG_PROGRAM(levels, VMR_EOI_NONE, VMR_OUT(0x4d0, 1, 0xff), EXPECT_READ(0x4d0, 0xf8), VMR_OUT(0x4d1, 1, 0xff),
            EXPECT_READ(0x4d1, 0xde), BOTH_ON(), STOP_HERE(1), OPEN(), TAKEN(0x25, 0), TAKEN(0x2c, 0), TAKEN(0x2f, 1),
            VMR_OUT(SLAVE, 1, 0x0b), EXPECT_READ(SLAVE, 0), VMR_OUT(MASTER, 1, 0x0b), EXPECT_READ(MASTER, 4),
            VMR_IN(0, MASTER, 2), VMR_EXPECT(0, 0), VMR_OUT(MASTER, 2, 0x20), EXPECT_READ(MASTER, 4), VMR_END());

/* The slave had asked by an edge, and answers with its last line; the master's own level is just gone. */
static void what_is_let_go_of_is_spurious_at_the_slave(void **state)
{
    static const uint16_t pulses[] = {1u << 12 | 1u << 5};

    (void)state;
    run_with_pulses(&levels, pulses, 1, "\x2f");
}

#define LINT0 0xfee00350u
RIG_PROGRAM(wires, VMR_EOI_NONE, BOTH_ON(), VMR_STORE(0xfee000f0, 4, 0x1ff), VMR_STORE(LINT0, 4, 0x10700), STOP_HERE(1),
            OPEN(), TAKEN(0x23, 0), VMR_STORE(0xfee00080, 4, 0xff), VMR_STORE(LINT0, 4, 0x700), OPEN(), TAKEN(0x23, 1),
            VMR_OUT(MASTER, 1, 0x20), VMR_STORE(LINT0, 4, 0x10700), STOP_HERE(2), VMR_WRMSR(0x1b, 0xfee00100), OPEN(),
            TAKEN(0x23, 2), VMR_OUT(MASTER, 1, 0x20), VMR_WRMSR(0x1b, 0xfee00900), VMR_LOAD(0, LINT0, 4),
            VMR_EXPECT(0, 0x700), VMR_END());

/* By LINT0 whatever the task priority; or past a local APIC that is off, which is reset by that. */
static void the_wire_goes_through_lint0(void **state)
{
    static const uint16_t pulses[] = {1u << 3, 1u << 3};

    (void)state;
    run_with_pulses(&wires, pulses, 2, "\x23\x23");
}

RIG_PROGRAM(deaf, VMR_EOI_NONE, BOTH_ON(), VMR_STORE(0xfee000f0, 4, 0x1ff), VMR_STORE(LINT0, 4, 0x10700), STOP_HERE(1),
            OPEN(), TAKEN(0x23, 0), VMR_END());
RIG_PROGRAM(bare, VMR_EOI_NONE, STOP_HERE(2), OPEN(), TAKEN(0x23, 0), VMR_WRMSR(0x1b, 0xfee00000), OPEN(),
            TAKEN(0x23, 1), VMR_END());

static void must_reach(struct rig *rig, vmr_vp_index vp, uint16_t port)
{
    struct vmr_exit vp_exit = {0};

    assert_int_equal(vmr_vp_step(rig->vps[vp], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_IO);
    assert_int_equal(vp_exit.u.io.port, port);
}

/* Without a local APIC that could mask it, any VP has the wire. */
static void a_vp_whose_local_apic_is_off_has_the_wire_too(void **state)
{
    const struct vmr_msi sipi = {.address = 0xfee00000 | 1u << 12, .data = 0x608};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:irqchip=kernel", 2);
    rig_load(&rig, 0, &deaf);
    rig_load(&rig, 1, &bare);
    (void)rig_bind(&rig, 0);
    (void)rig_bind(&rig, 1);
    must_reach(&rig, 0, PORT);
    assert_int_equal(vmr_partition_msi(rig.partition, &sipi), VMR_OK);
    must_reach(&rig, 1, PORT);
    pulse(&rig, 1u << 3);
    must_reach(&rig, 0, VMR_PROGRAM_PORT_END);
    must_reach(&rig, 1, VMR_PROGRAM_PORT_END);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_its_words_have_come_it_asks_for_nothing),
        cmocka_unit_test(a_poll_acknowledges),
        cmocka_unit_test(special_mask_mode_opens_the_lower_lines),
        cmocka_unit_test(priorities_rotate_with_each_end),
        cmocka_unit_test(what_is_let_go_of_is_spurious_at_the_slave),
        cmocka_unit_test(the_wire_goes_through_lint0),
        cmocka_unit_test(a_vp_whose_local_apic_is_off_has_the_wire_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
