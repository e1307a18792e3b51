/* SPDX-License-Identifier: MIT */
/*
 * Every scenario, with things going wrong under it: the n-th allocation, backend
 * call, state access or reset fails, once or from then on, for one n after
 * another. What a scenario makes of it is open. Nothing may crash or leak, and
 * nothing may hang but who waits for something of which it is known that it failed.
 *
 * Arguments: how many positions apart the failures lie (1: each is tried), and a
 * part of "family/scenario" to restrict it to.
 */

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conformance/execute.h"
#include "conformance/scenarios.h"
#include "tests/support/counting_host.h"

#define USUAL_STRIDE 397u
#define TURNS 40u
#define SPEC "mock:profile=strict"

enum wrong {
    WRONG_ALLOCATION,
    WRONG_CALL,
    WRONG_GET_STATE,
    WRONG_SET_STATE,
    WRONG_RESET,
    WRONG_COUNT
};

static const struct {
    const char *name;
    enum vmr_mock_fault fault;
} wrongs[WRONG_COUNT] = {
    [WRONG_ALLOCATION] = {"allocation", VMR_MOCK_FAULT_COUNT},
    [WRONG_CALL] = {"backend call", VMR_MOCK_FAIL_CALL},
    [WRONG_GET_STATE] = {"reading of a state", VMR_MOCK_FAIL_GET_STATE},
    [WRONG_SET_STATE] = {"writing of a state", VMR_MOCK_FAIL_SET_STATE},
    [WRONG_RESET] = {"reset", VMR_MOCK_FAIL_RESET},
};

/* What is going wrong, and whether it has. One test at a time. */
struct trial {
    const struct conf_scenario *scenario;
    enum wrong wrong;
    bool lasts, hit;
    uint32_t nth;
    const struct conf *conf; /* of the last run; one that hangs is never freed */
};
static struct trial trial;
static unsigned stride = USUAL_STRIDE;
static const char *only;
static unsigned complaints;

static void run_trial(struct conf *conf)
{
    struct vmr_hypervisor_handle *handle = (struct vmr_hypervisor_handle *)conf->handle;
    enum vmr_mock_fault fault = wrongs[trial.wrong].fault;

    trial.conf = conf;
    if (trial.wrong == WRONG_ALLOCATION)
        fail_allocation(trial.nth);
    else if (trial.lasts)
        assert_int_equal(vmr_mock_set_lasting_fault(handle, fault, trial.nth), VMR_OK);
    else
        assert_int_equal(vmr_mock_set_fault(handle, fault, trial.nth), VMR_OK);
    trial.scenario->run(conf);
    if (trial.wrong == WRONG_ALLOCATION)
        trial.hit |= allocation_failed();
    else
        trial.hit |= vmr_mock_fault_count(handle, fault) >= trial.nth;
    /* What the suite itself does afterwards is not on trial. */
    fail_allocation(0);
    if (trial.wrong != WRONG_ALLOCATION)
        assert_int_equal(vmr_mock_set_fault(handle, fault, 0), VMR_OK);
}

static bool hangs(const struct conf_result *result)
{
    return strncmp(result->reason, "deadlock", 8) == 0 || strncmp(result->reason, "livelock", 8) == 0;
}

/* A guest waits for another VP that is no more, or the scenario's threads wait for each other. */
static bool may_hang(const struct conf_result *result)
{
    return strstr(result->reason, " after: ") || trial.conf->state->threads > 0;
}

/* The scenario, with one thing wrong; whether it left something behind. */
static bool grows(const struct conf_backend *backend, struct conf_result *ret_result)
{
    struct conf_scenario scenario = *trial.scenario;

    scenario.flags &= ~(uint32_t)CONF_EXPLORE;
    scenario.run = run_trial;
    size_t before = mallinfo2().uordblks;

    conf_execute(backend, &scenario, ret_result);
    return mallinfo2().uordblks > before;
}

static void complain(const char *what, const struct conf_result *result)
{
    print_error("%s/%s, %s %u%s: %s: %s\n", trial.scenario->family, trial.scenario->name, wrongs[trial.wrong].name,
                trial.nth, trial.lasts ? " and all after it" : "", what, result->reason);
    complaints++;
}

/* False: it did not come to that any more. What the allocator keeps for itself grows once; a leak, each time. */
static bool try_one(const struct conf_backend *backend)
{
    struct conf_result result;
    unsigned turn = 0;

    trial.hit = false;
    while (turn < TURNS && grows(backend, &result) && !hangs(&result))
        turn++;
    fail_allocation(0);
    if (hangs(&result) && !may_hang(&result))
        complain("it hangs", &result);
    else if (!hangs(&result) && turn == TURNS)
        complain("something is left behind", &result);
    return trial.hit;
}

static bool is_wanted(const struct conf_scenario *scenario)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", scenario->family, scenario->name);
    return !only || strstr(name, only);
}

static void try_each(const struct conf_backend *backend, const struct conf_scenario *scenario, uint32_t first)
{
    struct conf_result result;

    trial.scenario = scenario;
    conf_execute(backend, scenario, &result); /* what is allocated once for all is there */
    trial.nth = first;
    while (result.verdict == CONF_PASS && try_one(backend))
        trial.nth += stride;
}

static void nothing_crashes_leaks_or_hangs(enum wrong wrong, bool lasts)
{
    struct vmr_error err = {.message = ""};
    const struct conf_schedules schedules = {.as_found = true};
    struct conf_backend backend = {
        .spec = SPEC, .is_mock = true, .patience_ns = UINT64_C(1) << 40, .schedules = schedules};
    struct conf_backend library = {.spec = "library", .is_library = true, .patience_ns = UINT64_C(1) << 40};
    struct vmr_hypervisor_handle handle;
    size_t count;
    const struct conf_family *const *families = conf_families(&count);
    uint32_t nth = 0;

    assert_int_equal(conf_backend_open(&backend, &handle, &err), VMR_OK);
    assert_int_equal(handle.backend->caps(&handle, &backend.caps, &err), VMR_OK);
    vmr_handle_close(&handle);
    trial = (struct trial){.wrong = wrong, .lasts = lasts};
    complaints = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            const struct conf_scenario *scenario = &families[i]->scenarios[j];
            bool alone = (scenario->flags & CONF_NO_BACKEND) != 0;

            if (!is_wanted(scenario) || (alone && wrong != WRONG_ALLOCATION))
                continue;
            /* Each scenario begins elsewhere, so that together they see every position. */
            try_each(alone ? &library : &backend, scenario, 1 + nth++ % stride);
        }
    }
    assert_int_equal(complaints, 0);
}

static void an_allocation_may_fail_anywhere(void **state)
{
    (void)state;
    nothing_crashes_leaks_or_hangs(WRONG_ALLOCATION, false);
}

static void a_backend_call_may_fail_anywhere(void **state)
{
    (void)state;
    nothing_crashes_leaks_or_hangs(WRONG_CALL, false);
}

static void backend_calls_may_fail_from_anywhere_on(void **state)
{
    (void)state;
    nothing_crashes_leaks_or_hangs(WRONG_CALL, true);
}

static void a_state_may_not_be_read_anywhere(void **state)
{
    (void)state;
    nothing_crashes_leaks_or_hangs(WRONG_GET_STATE, false);
    nothing_crashes_leaks_or_hangs(WRONG_GET_STATE, true);
}

static void a_state_may_not_be_written_anywhere(void **state)
{
    (void)state;
    nothing_crashes_leaks_or_hangs(WRONG_SET_STATE, false);
    nothing_crashes_leaks_or_hangs(WRONG_SET_STATE, true);
}

static void a_reset_may_fail_anywhere(void **state)
{
    (void)state;
    nothing_crashes_leaks_or_hangs(WRONG_RESET, false);
    nothing_crashes_leaks_or_hangs(WRONG_RESET, true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_may_fail_anywhere),         cmocka_unit_test(a_backend_call_may_fail_anywhere),
        cmocka_unit_test(backend_calls_may_fail_from_anywhere_on), cmocka_unit_test(a_state_may_not_be_read_anywhere),
        cmocka_unit_test(a_state_may_not_be_written_anywhere),     cmocka_unit_test(a_reset_may_fail_anywhere),
    };

    if (argc > 1)
        stride = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        only = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
