/* SPDX-License-Identifier: MIT */
/*
 * The reference TSC page: what a guest computes from it is the reference time,
 * to within a unit. The guest's multiplication is done here digit by digit.
 */

#include "tests/hv/synic_rig.h"

/* (a * b) >> 64 in digits of 16 bits. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
    uint32_t digits[9] = {0};

    for (unsigned i = 0; i < 4; i++) {
        uint64_t carry = 0;

        for (unsigned j = 0; j < 4; j++) {
            uint64_t sum = digits[i + j] + carry + (a >> 16 * i & 0xffff) * (b >> 16 * j & 0xffff);

            digits[i + j] = sum & 0xffff;
            carry = sum >> 16;
        }
        digits[i + 4] += (uint32_t)carry;
    }
    return digits[4] | (uint64_t)digits[5] << 16 | (uint64_t)digits[6] << 32 | (uint64_t)digits[7] << 48;
}

static uint64_t guest_time(const uint8_t *page, uint64_t tsc)
{
    return high_product(tsc, load_le64(page + HV_TSC_SCALE_OFFSET)) + load_le64(page + HV_TSC_OFFSET_OFFSET);
}

static const struct {
    const char *name;
    uint64_t hz;
    bool valid;
    uint64_t scale;
} speeds[] = {
    {"no TSC", 0, false, 0},
    {"as fast as the counter", 10000000, false, 0},
    {"twice as fast", 20000000, true, UINT64_C(1) << 63},
    {"16 times as fast", 160000000, true, UINT64_C(1) << 60},
    {"1 GHz", 1000000000, true, UINT64_C(184467440737095517)},
    {"the fastest", UINT64_MAX, true, 10000001},
};

static void the_scale_is_the_ratio_of_the_clocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(speeds); i++) {
        uint8_t page[HV_TSC_PAGE_BYTES];

        print_message("%s\n", speeds[i].name);
        assert_int_equal(reference_tsc_encode(speeds[i].hz, 0, 0, 9, page), speeds[i].valid);
        assert_int_equal(load_le32(page + HV_TSC_SEQUENCE_OFFSET), speeds[i].valid ? 9 : HV_TSC_SEQUENCE_INVALID);
        assert_int_equal(load_le64(page + HV_TSC_SCALE_OFFSET), speeds[i].scale);
        assert_int_equal(load_le32(page + 4), 0);
    }
}

static void a_guest_computes_the_reference_time(void **state)
{
    (void)state;
    static const uint64_t hertz[] = {10000001, 999999937, UINT64_C(2893439123), UINT64_C(5000000000)};
    static const uint64_t starts[] = {0, 123456789, UINT64_C(1) << 45, UINT64_MAX - 5};

    for (size_t i = 0; i < COUNT_OF(hertz) * COUNT_OF(starts); i++) {
        uint64_t hz = hertz[i % COUNT_OF(hertz)], tsc = starts[i / COUNT_OF(hertz)] / 4, count = 77000000;
        uint8_t page[HV_TSC_PAGE_BYTES];

        assert_true(reference_tsc_encode(hz, tsc, count, 1, page));
        assert_int_equal(guest_time(page, tsc), count);
        for (uint64_t second = 1; second < 5000000; second *= 3) {
            uint64_t time = guest_time(page, tsc + second * hz), right = count + second * 10000000;

            assert_true(time - right + 2 <= 4); /* the scale is cut: 2^-64 of the TSC, and one unit */
        }
    }
}

static void sequences_skip_the_one_that_means_nothing(void **state)
{
    (void)state;
    assert_int_equal(reference_tsc_sequence_after(0), 1);
    assert_int_equal(reference_tsc_sequence_after(1), 2);
    assert_int_equal(reference_tsc_sequence_after(UINT32_MAX), 1);
}

struct fixture {
    struct rig rig; /* its memory alone */
    struct reference_tsc tsc;
};

static void fixture_init(struct fixture *fixture, uint64_t hz)
{
    *fixture = (struct fixture){0};
    fake_host_init(&fixture->rig.fake, 0);
    rig_add_ram(&fixture->rig);
    assert_int_equal(reference_tsc_init(&fixture->tsc, &fixture->rig.fake.host, fixture->rig.memory, hz), VMR_OK);
}

static void fixture_finish(struct fixture *fixture)
{
    reference_tsc_finish(&fixture->tsc);
    vmr_memory_destroy(fixture->rig.memory);
}

static uint32_t sequence_at(struct fixture *fixture, vmr_gpa gpa)
{
    uint8_t page[HV_TSC_PAGE_BYTES];

    assert_int_equal(vmr_memory_read(fixture->rig.memory, gpa, page, sizeof(page)), VMR_OK);
    return load_le32(page);
}

static const struct {
    const char *name;
    uint64_t value;
    bool accepted;
} writes[] = {
    {"off", 0, true},
    {"off, with a page number that is none", RIG_HOLE, true},
    {"on", 3 * PAGE | 1, true},
    {"bit 1", 3 * PAGE | 3, false},
    {"bit 11", 3 * PAGE | 0x801, false},
    {"bit 11, off", 0x800, false},
    {"a page outside RAM", RIG_HOLE | 1, false},
    {"a read-only page", RIG_READ_ONLY | 1, false},
    {"a page number of all ones", ~UINT64_C(0xffe), false},
};

static void the_register_refuses_reserved_bits_and_bad_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(writes); i++) {
        struct fixture fixture;

        print_message("%s\n", writes[i].name);
        fixture_init(&fixture, 1000000000);
        assert_int_equal(reference_tsc_write(&fixture.tsc, writes[i].value), writes[i].accepted);
        assert_int_equal(reference_tsc_read(&fixture.tsc), writes[i].accepted ? writes[i].value : 0);
        assert_int_equal(reference_tsc_is_stale(&fixture.tsc), writes[i].accepted && (writes[i].value & 1));
        fixture_finish(&fixture);
    }
}

static void each_change_has_a_sequence_of_its_own(void **state)
{
    (void)state;
    const struct reference_pair pair = {.tsc = 1000, .count = 10};
    struct fixture fixture;

    fixture_init(&fixture, 1000000000);
    reference_tsc_invalidate(&fixture.tsc); /* no page: nothing to write */
    assert_false(reference_tsc_is_stale(&fixture.tsc));
    assert_true(reference_tsc_write(&fixture.tsc, PAGE | 1));
    assert_int_equal(sequence_at(&fixture, PAGE), HV_TSC_SEQUENCE_INVALID);
    reference_tsc_update(&fixture.tsc, &pair);
    assert_int_equal(sequence_at(&fixture, PAGE), 1);
    reference_tsc_update(&fixture.tsc, &pair); /* another VP was first */
    assert_int_equal(sequence_at(&fixture, PAGE), 1);
    reference_tsc_invalidate(&fixture.tsc);
    assert_int_equal(sequence_at(&fixture, PAGE), HV_TSC_SEQUENCE_INVALID);
    assert_true(reference_tsc_is_stale(&fixture.tsc));
    reference_tsc_update(&fixture.tsc, &pair);
    assert_int_equal(sequence_at(&fixture, PAGE), 2);
    fixture.tsc.sequence = UINT32_MAX;
    assert_true(reference_tsc_write(&fixture.tsc, 2 * PAGE | 1));
    reference_tsc_update(&fixture.tsc, &pair);
    assert_int_equal(sequence_at(&fixture, 2 * PAGE), 1);
    reference_tsc_reset(&fixture.tsc);
    assert_int_equal(reference_tsc_read(&fixture.tsc), 0);
    reference_tsc_invalidate(&fixture.tsc);
    assert_int_equal(sequence_at(&fixture, 2 * PAGE), 1); /* the guest's own now */
    fixture_finish(&fixture);
}

static void a_page_that_was_lost_or_turned_off_is_not_written(void **state)
{
    (void)state;
    const struct reference_pair pair = {.tsc = 1000, .count = 10};
    struct fixture fixture;

    fixture_init(&fixture, 1000000000);
    assert_true(reference_tsc_write(&fixture.tsc, PAGE | 1));
    assert_true(reference_tsc_write(&fixture.tsc, 0));
    assert_false(reference_tsc_is_stale(&fixture.tsc));
    reference_tsc_update(&fixture.tsc, &pair);
    assert_int_equal(sequence_at(&fixture, PAGE), HV_TSC_SEQUENCE_INVALID);
    assert_true(reference_tsc_write(&fixture.tsc, PAGE | 1));
    assert_int_equal(vmr_memory_region_remove(fixture.rig.memory, 0, NULL), VMR_OK);
    reference_tsc_update(&fixture.tsc, &pair);
    assert_false(reference_tsc_is_stale(&fixture.tsc)); /* nobody tries for ever */
    fixture_finish(&fixture);
}

static void a_tsc_that_cannot_be_read_leaves_the_page_invalid(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture, 1000000000);
    assert_true(reference_tsc_write(&fixture.tsc, PAGE | 1));
    reference_tsc_update(&fixture.tsc, NULL);
    assert_int_equal(sequence_at(&fixture, PAGE), HV_TSC_SEQUENCE_INVALID);
    assert_false(reference_tsc_is_stale(&fixture.tsc));
    fixture_finish(&fixture);
}

static void without_a_tsc_the_page_says_so(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture, 0);
    assert_int_equal(vmr_memory_fill(fixture.rig.memory, PAGE, 0xff, PAGE), VMR_OK);
    assert_true(reference_tsc_write(&fixture.tsc, PAGE | 1));
    assert_int_equal(sequence_at(&fixture, PAGE), HV_TSC_SEQUENCE_INVALID);
    assert_false(reference_tsc_is_stale(&fixture.tsc));
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scale_is_the_ratio_of_the_clocks),
        cmocka_unit_test(a_guest_computes_the_reference_time),
        cmocka_unit_test(sequences_skip_the_one_that_means_nothing),
        cmocka_unit_test(the_register_refuses_reserved_bits_and_bad_pages),
        cmocka_unit_test(each_change_has_a_sequence_of_its_own),
        cmocka_unit_test(a_page_that_was_lost_or_turned_off_is_not_written),
        cmocka_unit_test(a_tsc_that_cannot_be_read_leaves_the_page_invalid),
        cmocka_unit_test(without_a_tsc_the_page_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
