/* SPDX-License-Identifier: MIT */
/*
 * The CMOS: what firmware reads about the machine, and the clock at its ports.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"
#include "vmrig/device_state.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define SECOND UINT64_C(1000000000)

static struct port_rig rig;
static struct vmr_cmos *cmos;

static void create(uint64_t below_4g, uint64_t above_4g, uint32_t vps)
{
    rig_init(&rig);
    const struct vmr_cmos_options options = {.host = &rig.fake.host,
                                             .epoch_s = 1700000000,
                                             .memory_below_4g = below_4g,
                                             .memory_above_4g = above_4g,
                                             .vp_count = vps,
                                             .irq = rig_irq(&rig),
                                             .timer = rig_timer(&rig)};

    assert_int_equal(vmr_cmos_create(&options, rig.ports, &cmos, NULL), VMR_OK);
}

static void finish(void)
{
    vmr_cmos_destroy(cmos);
    rig_finish(&rig);
}

static uint8_t get(uint8_t index)
{
    rig_out(&rig, 0x70, index);
    return rig_in(&rig, 0x71);
}

static void set(uint8_t index, uint8_t value)
{
    rig_out(&rig, 0x70, index);
    rig_out(&rig, 0x71, value);
}

static unsigned get_word(uint8_t index)
{
    return get(index) | (unsigned)get((uint8_t)(index + 1)) << 8;
}

static void memory_sizes_are_told_in_every_unit(void **state)
{
    static const struct {
        const char *name;
        uint64_t below, above;
        unsigned extended, above_16m, above_4g;
    } cases[] = {
        {"1 MiB", MIB, 0, 0, 0, 0},
        {"16 MiB", 16 * MIB, 0, 15 * 1024, 0, 0},
        {"64 MiB", 64 * MIB, 0, 63 * 1024, 48 * 16, 0},
        {"65 MiB: the KiB no longer fit", 65 * MIB, 0, 65535, 49 * 16, 0},
        {"3 GiB and 1 GiB", 3 * GIB, GIB, 65535, 0xbf00, 0x4000},
        {"more than 24 bits can say", 3 * GIB, UINT64_C(1) << 50, 65535, 0xbf00, 0xffffff},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        create(cases[i].below, cases[i].above, 1);
        assert_int_equal(get_word(0x15), 640);
        assert_int_equal(get_word(0x17), cases[i].extended);
        assert_int_equal(get_word(0x30), cases[i].extended);
        assert_int_equal(get_word(0x34), cases[i].above_16m);
        assert_int_equal(get_word(0x5b) | (unsigned)get(0x5d) << 16, cases[i].above_4g);
        finish();
    }
}

static void processors_are_counted_from_zero(void **state)
{
    static const struct {
        uint32_t vps;
        uint8_t told;
    } cases[] = {{0, 0}, {1, 0}, {4, 3}, {256, 255}, {2048, 255}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        create(MIB, 0, cases[i].vps);
        assert_int_equal(get(0x5f), cases[i].told);
        finish();
    }
}

static void checksum_covers_the_configuration(void **state)
{
    unsigned sum = 0;

    (void)state;
    create(64 * MIB, 0, 1);
    for (uint8_t i = 0x10; i < 0x2e; i++)
        sum += get(i);
    assert_int_equal(get(0x2e), sum >> 8 & 0xff);
    assert_int_equal(get(0x2f), sum & 0xff);
    finish();
}

static void index_wraps_at_128_and_is_not_read_back(void **state)
{
    (void)state;
    create(MIB, 0, 1);
    set(0x8f, 0x5a); /* the NMI gate, and the shutdown byte */
    assert_int_equal(get(0x0f), 0x5a);
    assert_int_equal(rig_in(&rig, 0x70), 0xff);
    finish();
}

static void memory_costs_no_look_at_the_clock(void **state)
{
    (void)state;
    create(MIB, 0, 1);
    unsigned before = rig.fake.clock_reads;

    for (unsigned i = 0x0d; i < VMR_CMOS_BYTES; i++) {
        if (i != 0x32)
            (void)get((uint8_t)i);
    }
    assert_int_equal(rig.fake.clock_reads, before);
    (void)get(0x00);
    assert_int_equal(rig.fake.clock_reads, before + 1);
    finish();
}

static void clock_begins_with_its_first_access(void **state)
{
    (void)state;
    create(MIB, 0, 1);
    assert_int_equal(rig.fake.clock_reads, 0);
    rig_advance(&rig, 1000 * SECOND);
    assert_int_equal(get(0x00), 0x20);
    rig_advance(&rig, SECOND);
    assert_int_equal(get(0x00), 0x21);
    finish();
}

static void periodic_interrupt_is_polled_and_acknowledged(void **state)
{
    (void)state;
    create(MIB, 0, 1);
    assert_int_equal(vmr_cmos_poll(cmos, rig.fake.now_ns), VMR_NEVER);
    set(0x0b, 0x42);
    assert_int_equal(rig.sooner, 1);
    uint64_t deadline = vmr_cmos_poll(cmos, rig.fake.now_ns);

    assert_in_range(deadline - rig.fake.now_ns, 1, 976563);
    rig.fake.now_ns = deadline;
    assert_int_equal(vmr_cmos_poll(cmos, deadline - 1), deadline);
    assert_false(rig.lines[8].level);
    assert_int_equal(vmr_cmos_poll(cmos, deadline), VMR_NEVER);
    assert_true(rig.lines[8].level);
    assert_int_equal(get(0x0c), 0xc0);
    assert_false(rig.lines[8].level);
    assert_int_equal(rig.sooner, 2);
    assert_true(vmr_cmos_poll(cmos, deadline) > deadline);
    finish();
}

static void hostile_accesses_are_harmless(void **state)
{
    (void)state;
    create(64 * MIB, GIB, 4);
    rig_sweep(&rig, 0x70, 2);
    finish();
}

static void epoch_beyond_the_calendar_is_refused(void **state)
{
    struct vmr_error err = {0};
    struct vmr_cmos *other = NULL;

    (void)state;
    rig_init(&rig);
    const struct vmr_cmos_options options = {.host = &rig.fake.host, .epoch_s = 253402300800};

    assert_int_equal(vmr_cmos_create(&options, rig.ports, &other, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "253402300800"));
    assert_null(other);
    rig_finish(&rig);
}

static void milliseconds_beyond_a_second_are_refused(void **state)
{
    struct vmr_error err = {0};
    struct vmr_cmos *other = NULL;

    (void)state;
    rig_init(&rig);
    const struct vmr_cmos_options options = {.host = &rig.fake.host, .epoch_ms = 1000};

    assert_int_equal(vmr_cmos_create(&options, rig.ports, &other, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "epoch_ms 1000"));
    assert_null(other);
    rig_finish(&rig);
}

/* Before it is first looked at and after: what it holds can be set, and a reset keeps the part of a second. */
static void a_part_of_a_second_is_state_and_survives_reset(void **state)
{
    struct vmr_cmos_state first, second;
    struct vmr_state_unit unit;
    struct vmr_cmos *other = NULL;

    (void)state;
    rig_init(&rig);
    const struct vmr_cmos_options options = {.host = &rig.fake.host, .epoch_s = 1700000000, .epoch_ms = 999};

    assert_int_equal(vmr_cmos_create(&options, rig.ports, &other, NULL), VMR_OK);
    vmr_cmos_state_unit(other, &unit);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(unit.get(unit.object, &first, NULL), VMR_OK);
        assert_int_equal(first.shift_ns, 999000000);
        assert_int_equal(unit.set(unit.object, &first, NULL), VMR_OK);
        unit.at_reset(unit.object, &second);
        assert_int_equal(second.shift_ns, first.shift_ns);
        assert_int_equal(second.now_ns, first.now_ns);
        rig_out(&rig, 0x70, 0);
        (void)rig_in(&rig, 0x71);
        rig_advance(&rig, 5000000);
        (void)vmr_cmos_poll(other, rig.fake.now_ns);
    }
    rig_out(&rig, 0x70, 0);
    assert_int_equal(rig_in(&rig, 0x71), 0x21);
    vmr_cmos_destroy(other);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_sizes_are_told_in_every_unit),
        cmocka_unit_test(processors_are_counted_from_zero),
        cmocka_unit_test(checksum_covers_the_configuration),
        cmocka_unit_test(index_wraps_at_128_and_is_not_read_back),
        cmocka_unit_test(memory_costs_no_look_at_the_clock),
        cmocka_unit_test(clock_begins_with_its_first_access),
        cmocka_unit_test(periodic_interrupt_is_polled_and_acknowledged),
        cmocka_unit_test(hostile_accesses_are_harmless),
        cmocka_unit_test(epoch_beyond_the_calendar_is_refused),
        cmocka_unit_test(milliseconds_beyond_a_second_are_refused),
        cmocka_unit_test(a_part_of_a_second_is_state_and_survives_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
