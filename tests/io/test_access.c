/* SPDX-License-Identifier: MIT */

/* How one access of a guest becomes calls of devices. [IO-1] [IO-2] [IO-3] [IO-4] */

#include "tests/io/fixture.h"

#define ALL (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4 | VMR_SIZE_8)
#define END (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

/*
 * MMIO:  A [0x1000, +0x10) takes every size     B [0x1010, +0x10) takes 1     hole
 *        C [0x1030, +6) takes 1, 2, 4           D [0x2001, +0x10) takes 1, 2  E [2^52 - 4, +4) takes 1, 4
 *        Z [0, +8) takes 1: nothing may wrap to it
 */
static const struct {
    const char *name;
    uint64_t address;
    unsigned size;
    uint64_t value; /* read */
    const char *calls;
} accesses[] = {
    {"taken whole", 0x1000, 8, 0x0706050403020100, "A0.8 "},
    {"one byte", 0x100f, 1, 0x0f, "Af.1 "},
    {"taken whole, not aligned", 0x1003, 4, 0x06050403, "A3.4 "},
    {"taken whole up to the end", 0x100e, 2, 0x0f0e, "Ae.2 "},
    {"an odd size", 0x1001, 7, 0x07060504030201, "A1.1 A2.2 A4.4 "},
    {"an odd size from an even address", 0x1000, 3, 0x020100, "A0.2 A2.1 "},
    {"five", 0x1008, 5, 0x0c0b0a0908, "A8.4 Ac.1 "},
    {"across to the neighbour", 0x100c, 8, 0x030201000f0e0d0c, "Ac.4 B0.1 B1.1 B2.1 B3.1 "},
    {"across to the neighbour, not aligned", 0x100d, 4, 0x000f0e0d, "Ad.1 Ae.2 B0.1 "},
    {"in bytes", 0x1010, 4, 0x03020100, "B0.1 B1.1 B2.1 B3.1 "},
    {"over the end into a hole", 0x101e, 4, 0xffff0f0e, "Be.1 Bf.1 "},
    {"in a hole", 0x1020, 8, UINT64_MAX, ""},
    {"in a hole, one byte", 0x102f, 1, 0xff, ""},
    {"in a hole, odd", 0x1021, 3, 0xffffff, ""},
    {"from a hole into a range", 0x102e, 4, 0x0100ffff, "C0.2 "},
    {"from a hole over the whole of a range", 0x102f, 8, 0xff050403020100ff, "C0.4 C4.2 "},
    {"cut to what is taken", 0x1030, 8, 0xffff050403020100, "C0.4 C4.2 "},
    {"cut where the range ends", 0x1034, 4, 0xffff0504, "C4.2 "},
    {"aligned on the bus, not in the range", 0x2001, 4, 0x03020100, "D0.1 D1.2 D3.1 "},
    {"two, taken whole though not aligned", 0x2003, 2, 0x0302, "D2.2 "},
    {"before everything but Z", 0x7, 2, 0xff07, "Z7.1 "},
    {"over 2^52", END - 4, 8, 0xffffffff03020100, "E0.4 "},
    {"over 2^52, not aligned", END - 2, 4, 0xffff0302, "E2.1 E3.1 "},
    {"above 2^52", END, 4, 0xffffffff, ""},
    {"over 2^64", UINT64_MAX - 3, 8, UINT64_MAX, ""},
    {"over 2^64 by all but a byte", UINT64_MAX, 8, UINT64_MAX, ""},
};

struct platform {
    struct fixture fixture;
    struct notes notes;
    struct device devices[6];
};

static void platform_init(struct platform *platform)
{
    static const struct {
        char name;
        uint64_t start, length;
        unsigned sizes;
    } ranges[] = {
        {'A', 0x1000, 0x10, ALL},
        {'B', 0x1010, 0x10, 0},
        {'C', 0x1030, 6, ALL & ~VMR_SIZE_8},
        {'D', 0x2001, 0x10, VMR_SIZE_1 | VMR_SIZE_2},
        {'E', END - 4, 4, VMR_SIZE_1 | VMR_SIZE_4},
        {'Z', 0, 8, 0},
    };

    *platform = (struct platform){0};
    fixture_init(&platform->fixture, VMR_BUS_MMIO);
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        platform->devices[i] = (struct device){ranges[i].name, &platform->notes};
        must_claim(&platform->fixture, &platform->devices[i], ranges[i].start, ranges[i].length, ranges[i].sizes);
    }
}

static void check_notes(struct platform *platform, const char *name, const char *want)
{
    if (strcmp(platform->notes.text, want) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", name, platform->notes.text, want);
    memset(&platform->notes, 0, sizeof(platform->notes));
}

static void reads_are_cut_by_the_rules(void **state)
{
    (void)state;
    struct platform platform;

    platform_init(&platform);
    for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
        struct notes want = {0};
        uint64_t value = bus_read(&platform.fixture, accesses[i].address, accesses[i].size);

        if (value != accesses[i].value)
            fail_msg("%s: %llx", accesses[i].name, (unsigned long long)value);
        for (const char *call = accesses[i].calls; *call; call++) {
            if (call == accesses[i].calls || call[-1] == ' ')
                want.text[want.length++] = 'r';
            want.text[want.length++] = *call;
        }
        check_notes(&platform, accesses[i].name, want.text);
    }
    fixture_finish(&platform.fixture);
}

static const struct {
    const char *name;
    uint64_t address;
    unsigned size;
    uint64_t value;
    const char *calls;
} writes[] = {
    {"whole", 0x1000, 8, 0x8877665544332211, "wA0.8=8877665544332211 "},
    {"only as many bits as the size", 0x1000, 2, 0x8877665544332211, "wA0.2=2211 "},
    {"lowest address first", 0x100e, 4, 0x44332211, "wAe.2=2211 wB0.1=33 wB1.1=44 "},
    {"the rest vanishes", 0x101f, 4, 0x44332211, "wBf.1=11 "},
    {"all vanishes", 0x1020, 8, 1, ""},
    {"from a hole", 0x102f, 8, 0x8877665544332211, "wC0.4=55443322 wC4.2=7766 "},
    {"seven", 0x1001, 7, 0x77665544332211, "wA1.1=11 wA2.2=3322 wA4.4=77665544 "},
    {"over 2^64", UINT64_MAX, 8, 0x8877665544332211, ""},
};

static void writes_are_cut_by_the_same_rules(void **state)
{
    (void)state;
    struct platform platform;

    platform_init(&platform);
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        bus_write(&platform.fixture, writes[i].address, writes[i].size, writes[i].value);
        check_notes(&platform, writes[i].name, writes[i].calls);
    }
    fixture_finish(&platform.fixture);
}

static void ports_end_at_ffff_and_do_not_wrap(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes = {0};
    struct device last = {'L', &notes}, first = {'F', &notes};

    fixture_init(&fixture, VMR_BUS_PORTS);
    must_claim(&fixture, &last, 0xfffe, 2, ALL);
    must_claim(&fixture, &first, 0, 8, ALL);
    assert_int_equal(bus_read(&fixture, 0xffff, 2), 0xff01);
    assert_int_equal(bus_read(&fixture, 0xfffe, 4), 0xffff0100);
    assert_int_equal(bus_read(&fixture, 0xfffd, 4), 0xff0100ff);
    bus_write(&fixture, 0xffff, 4, 0x44332211);
    assert_string_equal(notes.text, "rL1.1 rL0.2 rL0.2 wL1.1=11 ");
    fixture_finish(&fixture);
}

static void a_size_that_is_none_reaches_no_device(void **state)
{
    (void)state;
    struct platform platform;

    platform_init(&platform);
    assert_int_equal(bus_read(&platform.fixture, 0x1000, 0), UINT64_MAX);
    assert_int_equal(bus_read(&platform.fixture, 0x1000, 9), UINT64_MAX);
    assert_int_equal(bus_read(&platform.fixture, 0x1000, 255), UINT64_MAX);
    bus_write(&platform.fixture, 0x1000, 0, 1);
    bus_write(&platform.fixture, 0x1000, 9, 1);
    check_notes(&platform, "sizes 0 and 9", "");
    fixture_finish(&platform.fixture);
}

struct witness {
    struct vmr_access seen[2];
    unsigned count;
};

static uint64_t witness_read(void *context, const struct vmr_access *access)
{
    struct witness *witness = context;

    witness->seen[witness->count++] = *access;
    return 0;
}

static void witness_write(void *context, const struct vmr_access *access, uint64_t value)
{
    (void)value;
    (void)witness_read(context, access);
}

static void a_device_learns_address_vp_and_vtl_of_each_piece(void **state)
{
    (void)state;
    struct fixture fixture;
    struct witness witness = {0};
    const struct vmr_device_ops ops = {witness_read, witness_write};
    const struct vmr_bus_range range = {.name = "w", .start = 0x20, .length = 4, .ops = &ops, .device = &witness};
    const struct vmr_access access = {.address = 0x21, .offset = 77, .size = 2, .vtl = 2, .vp = 5};

    fixture_init(&fixture, VMR_BUS_PORTS);
    assert_int_equal(vmr_bus_claim(fixture.bus, &range, NULL), VMR_OK);
    assert_int_equal(vmr_bus_read(fixture.bus, &access), 0);
    assert_int_equal(witness.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(witness.seen[i].address, 0x21 + i);
        assert_int_equal(witness.seen[i].offset, 1 + i);
        assert_int_equal(witness.seen[i].size, 1);
        assert_int_equal(witness.seen[i].vtl, 2);
        assert_int_equal(witness.seen[i].vp, 5);
    }
    fixture_finish(&fixture);
}

/* A device that releases its own range in the middle of an access: a BAR that moves itself. */
struct mover {
    struct vmr_bus *bus;
    unsigned calls;
};

static void mover_write(void *context, const struct vmr_access *access, uint64_t value)
{
    struct mover *mover = context;

    (void)value;
    if (mover->calls++ == 0)
        assert_int_equal(vmr_bus_release(mover->bus, access->address - access->offset, NULL), VMR_OK);
}

static void a_device_may_release_its_range_while_it_is_called(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct vmr_device_ops ops = {noting_read, mover_write};

    fixture_init(&fixture, VMR_BUS_MMIO);
    struct mover mover = {.bus = fixture.bus};
    const struct vmr_bus_range range = {.name = "m", .start = 0x400, .length = 8, .ops = &ops, .device = &mover};

    assert_int_equal(vmr_bus_claim(fixture.bus, &range, NULL), VMR_OK);
    bus_write(&fixture, 0x400, 1, 0);
    bus_write(&fixture, 0x400, 1, 0);
    assert_int_equal(mover.calls, 1);
    fixture_finish(&fixture);
}

static void every_range_of_thousands_is_found(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes;
    static struct device devices[4096];

    fixture_init(&fixture, VMR_BUS_MMIO);
    for (unsigned i = 0; i < 4096; i++) {
        devices[i] = (struct device){(char)('A' + i % 26), &notes};
        must_claim(&fixture, &devices[i], i * 0x40ull, 0x20, ALL);
    }
    /* Twice: once without hints, once with what the first round left behind. */
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 4096; i++) {
            char want[] = {'r', (char)('A' + i % 26), '0', '.', '8', ' ', 0};

            memset(&notes, 0, sizeof(notes));
            assert_int_equal(bus_read(&fixture, i * 0x40ull, 8), 0x0706050403020100);
            assert_string_equal(notes.text, want);
            assert_int_equal(bus_read(&fixture, i * 0x40ull + 0x20, 8), UINT64_MAX);
        }
    }
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_cut_by_the_rules),
        cmocka_unit_test(writes_are_cut_by_the_same_rules),
        cmocka_unit_test(ports_end_at_ffff_and_do_not_wrap),
        cmocka_unit_test(a_size_that_is_none_reaches_no_device),
        cmocka_unit_test(a_device_learns_address_vp_and_vtl_of_each_piece),
        cmocka_unit_test(a_device_may_release_its_range_while_it_is_called),
        cmocka_unit_test(every_range_of_thousands_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
