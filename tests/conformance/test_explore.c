/* SPDX-License-Identifier: MIT */
/*
 * Orders of threads: what fails in some is found, is made simple, and can be had
 * again by what was printed of it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conformance/execute.h"

/* A scenario that hangs under the scheduler is dropped where it stands, with what it owns. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:execution_body\nleak:run_scheduled\n";
}

/* --- scenarios --- */

struct racing {
    const struct vmr_host *host;
    uint32_t value; /* an increment in two steps, with a point between them */
    unsigned turns;
};

static void increment(void *argument)
{
    struct racing *racing = argument;

    for (unsigned i = 0; i < racing->turns; i++) {
        uint32_t value = racing->value;

        racing->host->ops->schedule->point(racing->host->context, racing);
        racing->value = value + 1;
        racing->host->ops->schedule->point(racing->host->context, racing);
    }
}

static uint32_t race(struct conf *conf, unsigned turns)
{
    struct racing racing = {.host = conf->host, .turns = turns};
    struct vmr_thread *first = conf_thread(conf, increment, &racing);
    struct vmr_thread *second = conf_thread(conf, increment, &racing);

    conf_join(conf, first);
    conf_join(conf, second);
    return racing.value;
}

static void loses_an_increment(struct conf *conf)
{
    uint32_t value = race(conf, 1);

    CONF_CHECK(conf, !conf->exploring || value == 2, "%u of 2 increments", value);
}

/* In few orders of many. */
static void loses_most_increments(struct conf *conf)
{
    uint32_t value = race(conf, 4);

    CONF_CHECK(conf, value > 3, "%u of 8 increments", value);
}

static void good(struct conf *conf)
{
    CONF_PROGRAM(nothing, VMR_SET(0, 1), VMR_EXPECT(0, 1), VMR_END());

    (void)conf_run_program(conf, NULL, &nothing);
}

static struct conf_result execute(void (*run)(struct conf *conf), uint32_t flags,
                                  const struct conf_schedules *schedules)
{
    const struct conf_scenario scenario = {
        .name = "subject", .family = "test", .clauses = "", .flags = flags, .chip = CONF_CHIP_ANY, .run = run};
    const struct conf_backend backend = {
        .spec = "mock", .is_mock = true, .schedule_max = 20000, .schedules = *schedules};
    struct conf_result result;

    conf_execute(&backend, &scenario, &result);
    return result;
}

static const struct conf_schedules usual = {.mode = CONF_SCHEDULES_USUAL};

/* Has the order again that `result` tells of, and gives it back. */
static struct conf_result again(void (*run)(struct conf *conf), struct conf_result *result)
{
    struct conf_schedules schedules;
    const char *rule;

    assert_non_null(result->schedule);
    assert_true(conf_schedules_parse(result->schedule, 0, &schedules, &rule));
    struct conf_result second = execute(run, 0, &schedules);

    free(result->schedule);
    return second;
}

/* --- finding --- */

static void exploring_finds_the_order_that_fails_with_fewest_preemptions(void **state)
{
    struct conf_result explored = execute(loses_an_increment, CONF_EXPLORE, &usual);
    struct conf_result seeded = execute(loses_an_increment, 0, &usual);

    (void)state;
    assert_int_equal(explored.verdict, CONF_FAIL);
    assert_non_null(strstr(explored.reason, "1 of 2 increments"));
    assert_int_equal(strncmp(explored.schedule, "replay:1:", 9), 0); /* not with 2, though those are tried first */
    assert_int_equal(seeded.verdict, CONF_PASS);
    assert_int_equal(seeded.schedules, 0);
    struct conf_result second = again(loses_an_increment, &explored);

    assert_int_equal(second.verdict, CONF_FAIL);
    assert_non_null(strstr(second.reason, ": 1 of 2 increments"));
}

static void each_scenario_is_explored_when_that_is_asked_for(void **state)
{
    static const struct conf_schedules none = {.mode = CONF_SCHEDULES_EXHAUSTIVE, .preemptions = 0};
    static const struct conf_schedules one = {.mode = CONF_SCHEDULES_EXHAUSTIVE, .preemptions = 1};
    struct conf_result without = execute(loses_an_increment, 0, &none), with = execute(loses_an_increment, 0, &one);

    (void)state;
    assert_int_equal(without.verdict, CONF_PASS);
    assert_true(without.schedules > 0 && with.schedules > without.schedules / 2);
    assert_int_equal(with.verdict, CONF_FAIL);
    free(with.schedule);
}

static void random_orders_find_what_is_rare_and_make_it_simple(void **state)
{
    struct conf_schedules schedules = {.mode = CONF_SCHEDULES_RANDOM, .runs = 100000, .seed = 11};
    struct conf_result result = execute(loses_most_increments, 0, &schedules);
    const char *choices;
    size_t switches = 0;

    (void)state;
    assert_int_equal(result.verdict, CONF_FAIL);
    assert_non_null(strstr(result.reason, "[seed "));
    assert_int_equal(strncmp(result.schedule, "replay:any:", 11), 0);
    choices = result.schedule + 11;
    for (const char *choice = choices; *choice; choice++)
        switches += *choice != '0';
    /* Each lost pair takes a change of thread; a random order of so many points has dozens. */
    assert_in_range(switches, 1, 12);
    assert_int_not_equal(choices[strlen(choices) - 1], '0');
    struct conf_result second = again(loses_most_increments, &result);

    assert_int_equal(second.verdict, CONF_FAIL);
    assert_non_null(strstr(second.reason, "of 8 increments"));
}

static void what_never_fails_passes_in_all_modes(void **state)
{
    static const struct conf_schedules modes[] = {
        {.mode = CONF_SCHEDULES_USUAL},
        {.mode = CONF_SCHEDULES_EXHAUSTIVE, .preemptions = 3},
        {.mode = CONF_SCHEDULES_RANDOM, .runs = 20, .seed = 1},
        {.mode = CONF_SCHEDULES_REPLAY, .preemptions = CONF_PREEMPTIONS_ANY, .choices = "0102"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct conf_result result = execute(good, CONF_EXPLORE, &modes[i]);

        assert_int_equal(result.verdict, CONF_PASS);
        assert_null(result.schedule);
    }
}

static void exploring_stops_at_its_cap_and_says_so(void **state)
{
    const struct conf_scenario scenario = {
        .name = "subject", .family = "test", .clauses = "", .flags = CONF_EXPLORE, .chip = CONF_CHIP_ANY, .run = good};
    const struct conf_backend backend = {.spec = "mock", .is_mock = true, .schedule_max = 1};
    struct conf_result result;

    (void)state;
    conf_execute(&backend, &scenario, &result);
    assert_int_equal(result.verdict, CONF_PASS);
    assert_int_equal(result.schedules, 1);
}

/* --- words --- */

/* A table, and what is done with each row of it. */
static void schedules_are_read_or_refused_with_a_rule(void **state)
{
    static const struct {
        const char *text;
        enum conf_schedule_mode mode; /* USUAL: refused */
        unsigned preemptions;
        uint64_t runs;
    } cases[] = {
        {"exhaustive:0", CONF_SCHEDULES_EXHAUSTIVE, 0, 0},
        {"exhaustive:8", CONF_SCHEDULES_EXHAUSTIVE, 8, 0},
        {"random:1", CONF_SCHEDULES_RANDOM, 0, 1},
        {"random:1000000000", CONF_SCHEDULES_RANDOM, 0, 1000000000},
        {"replay:2:01", CONF_SCHEDULES_REPLAY, 2, 0},
        {"replay:any:", CONF_SCHEDULES_REPLAY, CONF_PREEMPTIONS_ANY, 0},
        {"exhaustive:9", CONF_SCHEDULES_USUAL, 0, 0},
        {"exhaustive:", CONF_SCHEDULES_USUAL, 0, 0},
        {"exhaustive:-1", CONF_SCHEDULES_USUAL, 0, 0},
        {"random:0", CONF_SCHEDULES_USUAL, 0, 0},
        {"random:1000000001", CONF_SCHEDULES_USUAL, 0, 0},
        {"random:18446744073709551617", CONF_SCHEDULES_USUAL, 0, 0},
        {"replay:9:0", CONF_SCHEDULES_USUAL, 0, 0},
        {"replay:01", CONF_SCHEDULES_USUAL, 0, 0},
        {"replay::0", CONF_SCHEDULES_USUAL, 0, 0},
        {"", CONF_SCHEDULES_USUAL, 0, 0},
        {"all", CONF_SCHEDULES_USUAL, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_schedules schedules;
        const char *rule = NULL;
        bool read = conf_schedules_parse(cases[i].text, 5, &schedules, &rule);

        if (read != (cases[i].mode != CONF_SCHEDULES_USUAL) || (!read && !rule))
            fail_msg("'%s'", cases[i].text);
        if (!read)
            continue;
        assert_int_equal(schedules.mode, cases[i].mode);
        assert_int_equal(schedules.preemptions, cases[i].preemptions);
        assert_int_equal(schedules.runs, cases[i].runs);
        assert_int_equal(schedules.seed, cases[i].runs ? 5 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exploring_finds_the_order_that_fails_with_fewest_preemptions),
        cmocka_unit_test(each_scenario_is_explored_when_that_is_asked_for),
        cmocka_unit_test(random_orders_find_what_is_rare_and_make_it_simple),
        cmocka_unit_test(what_never_fails_passes_in_all_modes),
        cmocka_unit_test(exploring_stops_at_its_cap_and_says_so),
        cmocka_unit_test(schedules_are_read_or_refused_with_a_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
