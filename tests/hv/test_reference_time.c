/* SPDX-License-Identifier: MIT */
/* Reference time: its unit, standing still, being set, and when a count will be reached. */

#include "tests/hv/synic_rig.h"

struct fixture {
    struct fake_host fake;
    struct reference_time time;
};

static void fixture_init(struct fixture *fixture, uint64_t now_ns)
{
    fake_host_init(&fixture->fake, now_ns);
    assert_int_equal(reference_time_init(&fixture->time, &fixture->fake.host), VMR_OK);
}

static void it_counts_units_of_100_ns_from_its_creation(void **state)
{
    (void)state;
    static const struct {
        uint64_t after_ns, count;
    } rows[] = {{0, 0}, {99, 0}, {100, 1}, {199, 1}, {1000000000, 10000000}};
    struct fixture fixture;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fixture_init(&fixture, 12345);
        fixture.fake.now_ns += rows[i].after_ns;
        assert_int_equal(reference_time_now(&fixture.time), rows[i].count);
        assert_int_equal(reference_time_at(&fixture.time, 12345 + rows[i].after_ns), rows[i].count);
        reference_time_finish(&fixture.time);
    }
}

static void it_stands_still_while_paused_and_goes_on_where_it_was(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture, 1000);
    fixture.fake.now_ns += 5000;
    reference_time_pause(&fixture.time);
    fixture.fake.now_ns += 70000;
    reference_time_pause(&fixture.time); /* again */
    assert_int_equal(reference_time_now(&fixture.time), 50);
    assert_int_equal(reference_time_deadline_ns(&fixture.time, 51), VMR_NEVER);
    reference_time_resume(&fixture.time);
    assert_int_equal(reference_time_now(&fixture.time), 50);
    fixture.fake.now_ns += 300;
    reference_time_resume(&fixture.time); /* again: no jump */
    assert_int_equal(reference_time_now(&fixture.time), 53);
    /* A host time read before the pause is not before the count. */
    assert_int_equal(reference_time_at(&fixture.time, 1000), 50);
    reference_time_finish(&fixture.time);
}

static void it_never_goes_back_over_pauses(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t seed = 3, last = 0;

    fixture_init(&fixture, 0);
    for (unsigned i = 0; i < 2000; i++) {
        switch (rig_pick(&seed, 3)) {
        case 0:
            reference_time_pause(&fixture.time);
            break;
        case 1:
            reference_time_resume(&fixture.time);
            break;
        default:
            fixture.fake.now_ns += rig_pick(&seed, 250);
        }
        uint64_t now = reference_time_now(&fixture.time);

        assert_true(now >= last);
        last = now;
    }
    assert_true(last > 100);
    reference_time_finish(&fixture.time);
}

static void it_can_be_set_running_and_paused(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture, 0);
    fixture.fake.now_ns = 777;
    reference_time_set(&fixture.time, 1000000);
    assert_int_equal(reference_time_now(&fixture.time), 1000000);
    fixture.fake.now_ns += 100;
    assert_int_equal(reference_time_now(&fixture.time), 1000001);
    reference_time_pause(&fixture.time);
    reference_time_set(&fixture.time, 5);
    fixture.fake.now_ns += 1000;
    assert_int_equal(reference_time_now(&fixture.time), 5);
    reference_time_finish(&fixture.time);
}

static void at_its_deadline_a_count_has_been_reached_and_not_before(void **state)
{
    (void)state;
    struct fixture fixture;
    static const uint64_t counts[] = {1, 2, 7, 12345678, UINT64_C(1) << 50};

    fixture_init(&fixture, 1033);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        uint64_t ns = reference_time_deadline_ns(&fixture.time, counts[i]);

        assert_int_equal(reference_time_at(&fixture.time, ns), counts[i]);
        assert_int_equal(reference_time_at(&fixture.time, ns - 1), counts[i] - 1);
    }
    assert_int_equal(reference_time_deadline_ns(&fixture.time, UINT64_MAX), VMR_NEVER);
    assert_int_equal(reference_time_deadline_ns(&fixture.time, UINT64_MAX / 100), VMR_NEVER);
    assert_int_equal(reference_time_deadline_ns(&fixture.time, 0), 1033);
    /* Across the wrap of the count: not at once. */
    reference_time_set(&fixture.time, UINT64_MAX - 1);
    assert_int_equal(reference_time_deadline_ns(&fixture.time, 3), 1033 + 500);
    assert_int_equal(reference_time_at(&fixture.time, 1033 + 500), 3);
    reference_time_finish(&fixture.time);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_units_of_100_ns_from_its_creation),
        cmocka_unit_test(it_stands_still_while_paused_and_goes_on_where_it_was),
        cmocka_unit_test(it_never_goes_back_over_pauses),
        cmocka_unit_test(it_can_be_set_running_and_paused),
        cmocka_unit_test(at_its_deadline_a_count_has_been_reached_and_not_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
