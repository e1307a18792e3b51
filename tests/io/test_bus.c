/* SPDX-License-Identifier: MIT */

/* Claiming and releasing: what is refused, in which words, and what that leaves behind. [IO-5] */

#include "tests/io/fixture.h"

#define MMIO_END (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

static const struct {
    const char *name;
    enum vmr_bus_space space;
    uint64_t start, length;
    unsigned sizes;
    enum vmr_status status;
    const char *said;
} claims[] = {
    {"the last port", VMR_BUS_PORTS, 0xffff, 1, 0, VMR_OK, ""},
    {"all ports but one device", VMR_BUS_PORTS, 0x108, 0xfef8, 0, VMR_OK, ""},
    {"below the device, touching", VMR_BUS_PORTS, 0, 0x100, 0, VMR_OK, ""},
    {"past the last port", VMR_BUS_PORTS, 0xffff, 2, 0, VMR_E_CONFIG, "newcomer at 0xffff"},
    {"port 0x10000", VMR_BUS_PORTS, 0x10000, 1, 0, VMR_E_CONFIG, "newcomer at 0x10000"},
    {"a length that wraps", VMR_BUS_PORTS, 0x200, UINT64_MAX - 0xff, 0, VMR_E_CONFIG, "leaves the space"},
    {"empty", VMR_BUS_PORTS, 0x200, 0, 0, VMR_E_CONFIG, "newcomer at 0x200: it is empty"},
    {"the same", VMR_BUS_PORTS, 0x100, 8, 0, VMR_E_CONFIG, "newcomer at 0x100, length 0x8, overlaps resident at 0x100"},
    {"its last port", VMR_BUS_PORTS, 0x107, 1, 0, VMR_E_CONFIG, "overlaps resident"},
    {"into its first port", VMR_BUS_PORTS, 0xff, 2, 0, VMR_E_CONFIG, "overlaps resident"},
    {"around it", VMR_BUS_PORTS, 0, 0x10000, 0, VMR_E_CONFIG, "overlaps resident"},
    {"sizes without 1", VMR_BUS_PORTS, 0x200, 8, VMR_SIZE_4, VMR_E_CONFIG, "sizes 0x4"},
    {"sizes that are none", VMR_BUS_PORTS, 0x200, 8, 0x11, VMR_E_CONFIG, "sizes 0x11"},
    {"the last byte below 2^52", VMR_BUS_MMIO, MMIO_END - 1, 1, 0, VMR_OK, ""},
    {"across 2^52", VMR_BUS_MMIO, MMIO_END - 1, 2, 0, VMR_E_CONFIG, "leaves the space"},
    {"at the end of 2^64", VMR_BUS_MMIO, UINT64_MAX, 1, 0, VMR_E_CONFIG, "leaves the space"},
};

static struct vmr_bus_range range_of(struct device *device, const char *name, uint64_t start, uint64_t length)
{
    return (struct vmr_bus_range){.name = name, .start = start, .length = length, .ops = &noting_ops, .device = device};
}

static void a_claim_is_whole_or_named(void **state)
{
    (void)state;
    struct notes notes = {0};
    struct device device = {'A', &notes};

    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct fixture fixture;
        struct vmr_error err = {0};
        struct vmr_bus_range resident = range_of(&device, "resident", 0x100, 8);
        struct vmr_bus_range newcomer = range_of(&device, "newcomer", claims[i].start, claims[i].length);

        fixture_init(&fixture, claims[i].space);
        newcomer.sizes = (uint8_t)claims[i].sizes;
        assert_int_equal(vmr_bus_claim(fixture.bus, &resident, NULL), VMR_OK);
        enum vmr_status status = vmr_bus_claim(fixture.bus, &newcomer, &err);

        if (status != claims[i].status || !strstr(err.message, claims[i].said))
            fail_msg("%s: %s \"%s\"", claims[i].name, vmr_status_name(status), err.message);
        bool claimed = vmr_bus_release(fixture.bus, claims[i].start, NULL) == VMR_OK;

        assert_int_equal(claimed, status == VMR_OK || claims[i].start == 0x100);
        fixture_finish(&fixture);
    }
}

static void a_released_range_answers_no_more_and_can_be_claimed_again(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes = {0};
    struct device a = {'A', &notes}, b = {'B', &notes};
    struct vmr_error err = {0};

    fixture_init(&fixture, VMR_BUS_PORTS);
    must_claim(&fixture, &a, 0x60, 5, 0);
    assert_int_equal(bus_read(&fixture, 0x64, 1), 4);
    assert_int_equal(vmr_bus_release(fixture.bus, 0x64, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "0x64"));
    assert_int_equal(vmr_bus_release(fixture.bus, 0x60, NULL), VMR_OK);
    assert_int_equal(bus_read(&fixture, 0x64, 1), 0xff);
    assert_int_equal(vmr_bus_release(fixture.bus, 0x60, NULL), VMR_E_USAGE);
    must_claim(&fixture, &b, 0x64, 1, 0);
    assert_int_equal(bus_read(&fixture, 0x64, 1), 0);
    assert_string_equal(notes.text, "rA4.1 rB0.1 ");
    fixture_finish(&fixture);
}

static void a_full_bus_refuses_one_more(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes = {0};
    struct device device = {'A', &notes};

    fixture_init(&fixture, VMR_BUS_MMIO);
    /* From the top down and in ascending order in turn: insertion at both ends. */
    for (uint64_t i = 0; i < VMR_BUS_RANGE_MAX; i++)
        must_claim(&fixture, &device, (i % 64 == 0 ? VMR_BUS_RANGE_MAX - i : VMR_BUS_RANGE_MAX + i) * 16, 16, 0);
    assert_int_equal(claim(&fixture, &device, 0, 16, 0), VMR_E_CONFIG);
    assert_int_equal(vmr_bus_release(fixture.bus, VMR_BUS_RANGE_MAX * 16, NULL), VMR_OK);
    assert_int_equal(claim(&fixture, &device, 0, 16, 0), VMR_OK);
    assert_int_equal(bus_read(&fixture, 3, 1), 3);
    fixture_finish(&fixture);
}

static void ranges_are_told_in_order_with_their_names(void **state)
{
    static const char *const names[] = {"low", "a name that is much longer than anybody would want it to be told",
                                        NULL};
    (void)state;
    struct fixture fixture;
    struct notes notes = {0};
    struct device device = {'A', &notes};
    struct vmr_bus_range_info info;

    fixture_init(&fixture, VMR_BUS_MMIO);
    for (size_t i = 3; i-- > 0;) {
        struct vmr_bus_range range = range_of(&device, names[i], 0x1000 * i, 8 + i);

        range.sizes = VMR_SIZE_1 | VMR_SIZE_4;
        assert_int_equal(vmr_bus_claim(fixture.bus, &range, NULL), VMR_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(vmr_bus_range_get(fixture.bus, i, &info));
        assert_int_equal(info.start, 0x1000 * i);
        assert_int_equal(info.length, 8 + i);
        assert_int_equal(info.sizes, VMR_SIZE_1 | VMR_SIZE_4);
        assert_int_equal(strlen(info.name) < VMR_BUS_NAME_MAX, i != 1);
        assert_true(!names[i] || strncmp(info.name, names[i], strlen(info.name)) == 0);
    }
    assert_false(vmr_bus_range_get(fixture.bus, 3, &info));
    assert_int_equal(vmr_bus_release(fixture.bus, 0, NULL), VMR_OK);
    assert_true(vmr_bus_range_get(fixture.bus, 0, &info) && info.start == 0x1000);
    assert_false(vmr_bus_range_get(fixture.bus, SIZE_MAX, &info));
    fixture_finish(&fixture);
}

static void wrong_calls_are_told_so(void **state)
{
    (void)state;
    struct fixture fixture;
    struct notes notes = {0};
    struct device device = {'A', &notes};
    struct vmr_bus *bus = NULL;
    const struct vmr_device_ops half = {.read = noting_read};
    struct vmr_bus_range range = range_of(&device, NULL, 0x100, 8);

    vmr_bus_destroy(NULL);
    fixture_init(&fixture, VMR_BUS_PORTS);
    assert_int_equal(vmr_bus_create(NULL, VMR_BUS_PORTS, &bus, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_bus_create(&fixture.host, (enum vmr_bus_space)2, &bus, NULL), VMR_E_USAGE);
    assert_null(bus);
    range.ops = &half;
    assert_int_equal(vmr_bus_claim(fixture.bus, &range, NULL), VMR_E_USAGE);
    range.ops = NULL;
    assert_int_equal(vmr_bus_claim(fixture.bus, &range, NULL), VMR_E_USAGE);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_is_whole_or_named),
        cmocka_unit_test(a_released_range_answers_no_more_and_can_be_claimed_again),
        cmocka_unit_test(a_full_bus_refuses_one_more),
        cmocka_unit_test(ranges_are_told_in_order_with_their_names),
        cmocka_unit_test(wrong_calls_are_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
