/* SPDX-License-Identifier: MIT */
/* Synthetic timers: when they expire, what they say, and what an expired one becomes. */

#include "tests/hv/synic_rig.h"

#define ENABLE HV_STIMER_ENABLE
#define PERIODIC HV_STIMER_PERIODIC
#define AUTO HV_STIMER_AUTO_ENABLE
#define DIRECT (HV_STIMER_DIRECT | UINT64_C(0x40) << HV_STIMER_VECTOR_SHIFT)
#define SINT(sint) ((uint64_t)(sint) << HV_STIMER_SINT_SHIFT)

struct sink {
    bool refuses;
    unsigned directs, messages;
    uint8_t vector;
    unsigned sint;
    uint32_t index;
    uint64_t expiration, delivery;
};

static void take_direct(void *context, uint8_t vector)
{
    struct sink *sink = context;

    sink->directs++;
    sink->vector = vector;
}

static bool take_message(void *context, unsigned sint, const uint8_t *payload)
{
    struct sink *sink = context;

    if (sink->refuses)
        return false;
    sink->messages++;
    sink->sint = sint;
    sink->index = load_le32(payload + HV_TIMER_INDEX_OFFSET);
    sink->expiration = load_le64(payload + HV_TIMER_EXPIRATION_OFFSET);
    sink->delivery = load_le64(payload + HV_TIMER_DELIVERY_OFFSET);
    assert_int_equal(load_le32(payload + 4), 0);
    return true;
}

static uint64_t scan(struct stimers *timers, uint64_t now, struct sink *sink)
{
    const struct stimer_sink calls = {take_direct, take_message, sink};

    return stimers_scan(timers, now, &calls);
}

/* One timer, written at 1000 and scanned then, and once more at `later`. */
static const struct {
    const char *name;
    uint64_t config, count;
    uint64_t first_next; /* what the first scan answers */
    unsigned first_messages;
    uint64_t later, later_next;
    unsigned messages; /* in all */
    uint64_t expiration;
    uint64_t config_after;
} timelines[] = {
    {"one-shot in the future", ENABLE, 1500, 1500, 0, 1500, VMR_NEVER, 1, 1500, 0},
    {"one-shot a moment early", ENABLE, 1500, 1500, 0, 1499, 1500, 0, 0, ENABLE},
    {"one-shot in the past fires at once", ENABLE, 10, VMR_NEVER, 1, 2000, VMR_NEVER, 1, 10, 0},
    {"one-shot now", ENABLE, 1000, VMR_NEVER, 1, 2000, VMR_NEVER, 1, 1000, 0},
    {"one-shot seen late", ENABLE, 1500, 1500, 0, 9000, VMR_NEVER, 1, 1500, 0},
    {"half the range ahead is the past", ENABLE, 1000 + (UINT64_C(1) << 63), VMR_NEVER, 1, 2000, VMR_NEVER, 1,
     1000 + (UINT64_C(1) << 63), 0},
    {"just below half the range is the future", ENABLE, 999 + (UINT64_C(1) << 63), 999 + (UINT64_C(1) << 63), 0, 2000,
     999 + (UINT64_C(1) << 63), 0, 0, ENABLE},
    {"count 0 never fires and stays enabled", ENABLE, 0, VMR_NEVER, 0, 9000, VMR_NEVER, 0, 0, ENABLE},
    {"periodic count 0", ENABLE | PERIODIC, 0, VMR_NEVER, 0, 9000, VMR_NEVER, 0, 0, ENABLE | PERIODIC},
    {"not enabled", 0, 1500, VMR_NEVER, 0, 9000, VMR_NEVER, 0, 0, 0},
    {"enabled by its count", AUTO, 1500, 1500, 0, 1500, VMR_NEVER, 1, 1500, AUTO},
    {"not enabled by a count of 0", AUTO, 0, VMR_NEVER, 0, 1500, VMR_NEVER, 0, 0, AUTO},
    {"periodic, on time", ENABLE | PERIODIC, 100, 1100, 0, 1100, 1200, 1, 1100, ENABLE | PERIODIC},
    {"periodic, one message for what was missed, in phase", ENABLE | PERIODIC, 100, 1100, 0, 1555, 1600, 1, 1100,
     ENABLE | PERIODIC},
    {"periodic, late by whole periods", ENABLE | PERIODIC, 100, 1100, 0, 1500, 1600, 1, 1100, ENABLE | PERIODIC},
    {"the longest period lies ahead", ENABLE | PERIODIC, UINT64_MAX, 999 + (UINT64_C(1) << 63), 0, 2000,
     999 + (UINT64_C(1) << 63), 0, 0, ENABLE | PERIODIC},
    {"a period of half the range lies ahead", ENABLE | PERIODIC, UINT64_C(1) << 63, 999 + (UINT64_C(1) << 63), 0, 2000,
     999 + (UINT64_C(1) << 63), 0, 0, ENABLE | PERIODIC},
    {"lazy is ignored", ENABLE | HV_STIMER_LAZY, 1500, 1500, 0, 1500, VMR_NEVER, 1, 1500, HV_STIMER_LAZY},
};

static void timers_expire_when_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(timelines); i++) {
        struct stimers timers = {0};
        struct sink sink = {0};

        print_message("%s\n", timelines[i].name);
        assert_true(stimer_set_config(&timers.timers[2], timelines[i].config | SINT(5)));
        stimer_set_count(&timers.timers[2], timelines[i].count);
        assert_int_equal(scan(&timers, 1000, &sink), timelines[i].first_next);
        assert_int_equal(sink.messages, timelines[i].first_messages);
        assert_int_equal(scan(&timers, timelines[i].later, &sink), timelines[i].later_next);
        assert_int_equal(sink.messages, timelines[i].messages);
        assert_int_equal(timers.timers[2].config, timelines[i].config_after | SINT(5));
        assert_int_equal(timers.timers[2].count, timelines[i].count);
        if (sink.messages == 0)
            continue;
        assert_int_equal(sink.expiration, timelines[i].expiration);
        assert_int_equal(sink.delivery, timelines[i].first_messages ? 1000 : timelines[i].later);
        assert_int_equal(sink.index, 2);
        assert_int_equal(sink.sint, 5);
    }
}

static void a_periodic_timer_keeps_its_phase(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {0};
    uint64_t seed = 7, now = 50, next;

    assert_true(stimer_set_config(&timers.timers[0], ENABLE | PERIODIC));
    stimer_set_count(&timers.timers[0], 1000);
    next = scan(&timers, now, &sink);
    for (unsigned i = 0; i < 1000; i++) {
        unsigned before = sink.messages;

        now += rig_pick(&seed, 3500);
        bool due = now >= next;

        next = scan(&timers, now, &sink);
        assert_int_equal(sink.messages - before, due);
        assert_int_equal(next % 1000, 50);
        assert_true(next > now && next - now <= 1000);
    }
}

/* Near the end of the count the next due time is a small number: no reason to look at once, and again and again. */
static void a_due_time_behind_the_wrap_is_no_deadline(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {0};

    assert_true(stimer_set_config(&timers.timers[0], ENABLE | PERIODIC));
    stimer_set_count(&timers.timers[0], 100);
    assert_int_equal(scan(&timers, UINT64_MAX - 50, &sink), VMR_NEVER);
    assert_int_equal(sink.messages, 0);
    assert_int_equal(scan(&timers, 49, &sink), 149);
    assert_int_equal(sink.messages, 1);
}

static void a_config_write_restarts_a_period_from_now(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {0};

    assert_true(stimer_set_config(&timers.timers[0], ENABLE | PERIODIC));
    stimer_set_count(&timers.timers[0], 1000);
    assert_int_equal(scan(&timers, 0, &sink), 1000);
    assert_true(stimer_set_config(&timers.timers[0], ENABLE | PERIODIC));
    assert_int_equal(scan(&timers, 600, &sink), 1600);
    assert_int_equal(sink.messages, 0);
}

static void direct_mode_raises_its_vector_and_ignores_the_sint(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {.refuses = true};

    assert_true(stimer_set_config(&timers.timers[3], ENABLE | DIRECT | SINT(7)));
    stimer_set_count(&timers.timers[3], 10);
    assert_int_equal(scan(&timers, 10, &sink), VMR_NEVER);
    assert_int_equal(sink.directs, 1);
    assert_int_equal(sink.vector, 0x40);
    assert_int_equal(timers.timers[3].config & ENABLE, 0);
}

static void an_undeliverable_timer_stays_due_without_a_deadline(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {.refuses = true};

    assert_true(stimer_set_config(&timers.timers[0], ENABLE));
    stimer_set_count(&timers.timers[0], 10);
    assert_true(stimer_set_config(&timers.timers[1], ENABLE));
    stimer_set_count(&timers.timers[1], 500);
    assert_int_equal(scan(&timers, 20, &sink), 500); /* the other's */
    assert_true(stimers_are_stalled(&timers));
    assert_int_equal(timers.timers[0].config, ENABLE);
    sink.refuses = false;
    assert_int_equal(scan(&timers, 30, &sink), 500);
    assert_false(stimers_are_stalled(&timers));
    assert_int_equal(sink.expiration, 10);
    assert_int_equal(sink.delivery, 30);
}

static void a_stalled_periodic_timer_sends_one_message_when_it_can(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {.refuses = true};

    assert_true(stimer_set_config(&timers.timers[0], ENABLE | PERIODIC));
    stimer_set_count(&timers.timers[0], 100);
    assert_int_equal(scan(&timers, 0, &sink), 100);
    assert_int_equal(scan(&timers, 130, &sink), VMR_NEVER);
    assert_int_equal(scan(&timers, 750, &sink), VMR_NEVER);
    sink.refuses = false;
    assert_int_equal(scan(&timers, 760, &sink), 800);
    assert_int_equal(sink.messages, 1);
    assert_int_equal(sink.expiration, 100);
}

static void disabling_takes_an_expired_timer_back(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {.refuses = true};

    assert_true(stimer_set_config(&timers.timers[0], ENABLE));
    stimer_set_count(&timers.timers[0], 10);
    (void)scan(&timers, 20, &sink);
    assert_true(stimer_set_config(&timers.timers[0], 0));
    sink.refuses = false;
    assert_int_equal(scan(&timers, 30, &sink), VMR_NEVER);
    assert_int_equal(sink.messages, 0);
    assert_false(stimers_are_stalled(&timers));
}

static const struct {
    const char *name;
    uint64_t config;
    bool accepted;
} configs[] = {
    {"nothing", 0, true},
    {"all that is defined", HV_STIMER_DEFINED, true},
    {"bit 13", UINT64_C(1) << 13, false},
    {"bit 15", UINT64_C(1) << 15, false},
    {"bit 20", UINT64_C(1) << 20, false},
    {"bit 63", UINT64_C(1) << 63, false},
    {"direct with vector 15", HV_STIMER_DIRECT | 15u << HV_STIMER_VECTOR_SHIFT, false},
    {"direct with vector 16", HV_STIMER_DIRECT | 16u << HV_STIMER_VECTOR_SHIFT, true},
    {"direct with vector 255", HV_STIMER_DIRECT | 255u << HV_STIMER_VECTOR_SHIFT, true},
    {"vector 0 without direct", ENABLE, true},
};

static void reserved_bits_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(configs); i++) {
        struct stimer timer = {.config = PERIODIC};

        print_message("%s\n", configs[i].name);
        assert_int_equal(stimer_set_config(&timer, configs[i].config), configs[i].accepted);
        assert_int_equal(timer.config, configs[i].accepted ? configs[i].config : PERIODIC);
        assert_int_equal(timer.changed, configs[i].accepted);
    }
}

static struct vmr_hv_stimer_state saved(const struct stimer *timer)
{
    struct vmr_hv_stimer_state state;

    stimer_save(timer, &state);
    return state;
}

static void a_restored_timer_keeps_its_deadline(void **state)
{
    (void)state;
    struct stimers timers = {0}, others = {0};
    struct sink sink = {0};

    assert_true(stimer_set_config(&timers.timers[0], ENABLE | PERIODIC));
    stimer_set_count(&timers.timers[0], 1000);
    assert_true(stimer_set_config(&timers.timers[1], ENABLE));
    stimer_set_count(&timers.timers[1], 800);
    assert_int_equal(scan(&timers, 200, &sink), 800);
    assert_true(stimer_set_config(&timers.timers[2], ENABLE)); /* armed when it is looked at */
    stimer_set_count(&timers.timers[2], 750);
    for (unsigned i = 0; i < HV_STIMER_COUNT; i++) {
        const struct vmr_hv_stimer_state timer = saved(&timers.timers[i]);

        assert_true(stimer_restore(&others.timers[i], &timer));
    }
    assert_int_equal(scan(&others, 700, &sink), 750);
    assert_int_equal(sink.messages, 0);
    assert_int_equal(scan(&others, 750, &sink), 800);
    assert_int_equal(scan(&others, 800, &sink), 1200);
    assert_int_equal(sink.messages, 2);
}

static void a_timer_that_cannot_be_is_not_restored(void **state)
{
    static const struct vmr_hv_stimer_state bad[] = {
        {.config = ~HV_STIMER_DEFINED},
        {.config = HV_STIMER_DIRECT | 15u << HV_STIMER_VECTOR_SHIFT},
        {.config = ENABLE, .count = 5, .due = 6},
        {.config = ENABLE, .due = 1},
        {.count = 5, .due = 5},
        {.stalled = true},
        {.config = ENABLE, .count = 5, .changed = true, .stalled = true},
        {.config = ENABLE, .count = 5, .changed = true, .due = 5},
    };
    const struct stimer untouched = {.config = ENABLE, .count = 7, .due = 7, .armed = true};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stimer timer = untouched;

        assert_false(stimer_restore(&timer, &bad[i]));
        assert_memory_equal(&timer, &untouched, sizeof(timer));
    }
}

static void what_means_nothing_is_not_saved(void **state)
{
    const struct stimer off = {.config = 0, .count = 7, .due = 9, .stalled = true};
    const struct stimer changed = {.config = ENABLE, .count = 7, .due = 9, .armed = true, .changed = true};

    (void)state;
    assert_int_equal(saved(&off).due, 0);
    assert_false(saved(&off).stalled);
    assert_int_equal(saved(&changed).due, 0);
    assert_true(saved(&changed).changed);
}

static void the_earliest_of_four_is_the_deadline(void **state)
{
    (void)state;
    struct stimers timers = {0};
    struct sink sink = {0};
    static const uint64_t counts[] = {900, 300, 700, 500};

    for (unsigned i = 0; i < 4; i++) {
        assert_true(stimer_set_config(&timers.timers[i], ENABLE));
        stimer_set_count(&timers.timers[i], counts[i]);
    }
    assert_int_equal(scan(&timers, 0, &sink), 300);
    assert_int_equal(scan(&timers, 300, &sink), 500);
    assert_int_equal(scan(&timers, 701, &sink), 900);
    assert_int_equal(sink.messages, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_expire_when_they_should),
        cmocka_unit_test(a_periodic_timer_keeps_its_phase),
        cmocka_unit_test(a_due_time_behind_the_wrap_is_no_deadline),
        cmocka_unit_test(a_config_write_restarts_a_period_from_now),
        cmocka_unit_test(direct_mode_raises_its_vector_and_ignores_the_sint),
        cmocka_unit_test(an_undeliverable_timer_stays_due_without_a_deadline),
        cmocka_unit_test(a_stalled_periodic_timer_sends_one_message_when_it_can),
        cmocka_unit_test(disabling_takes_an_expired_timer_back),
        cmocka_unit_test(reserved_bits_are_refused),
        cmocka_unit_test(a_restored_timer_keeps_its_deadline),
        cmocka_unit_test(a_timer_that_cannot_be_is_not_restored),
        cmocka_unit_test(what_means_nothing_is_not_saved),
        cmocka_unit_test(the_earliest_of_four_is_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
