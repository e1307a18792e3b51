/* SPDX-License-Identifier: MIT */
/*
 * Scenarios under the mock's scheduler: in random orders, or in every order up to
 * a bound of preemptions. An order that fails is made as simple as it can be
 * before it is told, and told so that it can be had again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/execution.h"

#define SEEDS 4u
#define PREEMPTIONS 2u
/* Runs that making an order simpler may take; of one that hangs, each leaves a VM behind. */
#define SHRINK_MAX 200u
#define SHRINK_HUNG_MAX 40u

/* What is run again and again. */
struct search {
    const struct conf_backend *backend;
    const struct conf_scenario *scenario;
    bool exploring;
};

static bool scheduler_open(const struct vmr_scheduler_options *options, struct vmr_scheduler **ret_scheduler,
                           struct conf_result *ret_result)
{
    struct vmr_error err = {.message = ""};

    if (vmr_scheduler_create(options, ret_scheduler, &err) == VMR_OK)
        return true;
    execution_fail(ret_result, err.message);
    return false;
}

/* FNV-1a, with an end behind each run's choices. */
static uint64_t hash_choices(uint64_t hash, const char *choices)
{
    do
        hash = (hash ^ (uint8_t)*choices) * UINT64_C(0x100000001b3);
    while (*choices++);
    return hash;
}

/* One order. A run that hangs leaves everything where it stands: it can be neither cleaned up nor freed. */
static void run_scheduled(const struct search *search, struct vmr_scheduler *scheduler, struct conf_result *ret_result)
{
    struct execution *execution = calloc(1, sizeof(*execution));
    char reason[CONF_TEXT_MAX] = "out of memory";

    if (!execution || !execution_open(execution, search->backend, reason, sizeof(reason))) {
        execution_fail(ret_result, reason);
        free(execution);
        return;
    }
    execution->conf.scenario = search->scenario;
    execution->conf.exploring = search->exploring;
    execution->run = search->scenario->run;
    execution->state.scheduler = scheduler;
    vmr_scheduler_host(scheduler, &execution->host);
    enum vmr_schedule_end end = vmr_scheduler_run(scheduler, execution_body, execution);

    ret_result->order = hash_choices(ret_result->order ? ret_result->order : UINT64_C(0xcbf29ce484222325),
                                     vmr_scheduler_choices(scheduler));
    execution_judge(&execution->state, ret_result);
    if (end != VMR_SCHEDULE_DONE) {
        snprintf(reason, sizeof(reason), "%s%s%.300s", end == VMR_SCHEDULE_DEADLOCK ? "deadlock" : "livelock",
                 execution->state.failures ? " after: " : "", execution->state.failure);
        execution_fail(ret_result, reason);
        ret_result->hung = true;
        return;
    }
    execution_close(execution);
    free(execution);
}

/* --- an order that is said --- */

/* Runs the order. True: it fails; its choices, if it is what was asked for, are the scheduler's. */
static bool fails(const struct search *search, unsigned preemptions, const char *choices,
                  struct conf_result *ret_result)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = preemptions};
    struct vmr_scheduler *scheduler;
    struct vmr_error err = {.message = ""};

    if (!scheduler_open(&options, &scheduler, ret_result))
        return true;
    if (vmr_scheduler_replay(scheduler, choices, &err))
        execution_fail(ret_result, err.message);
    else
        run_scheduled(search, scheduler, ret_result);
    vmr_scheduler_destroy(scheduler);
    return ret_result->verdict == CONF_FAIL;
}

/* Zeros at the end say nothing: they are what is chosen where nothing is said. */
static void trim(char *choices)
{
    size_t length = strlen(choices);

    while (length > 0 && choices[length - 1] == '0')
        choices[--length] = '\0';
}

struct shrinking {
    const struct search *search;
    unsigned preemptions;
    char *choices, *candidate;
    unsigned left; /* runs */
};

/* Whether the candidate fails; then it is the choices. */
static bool try_candidate(struct shrinking *shrinking, struct conf_result *result)
{
    struct conf_result tried = {.scenario = result->scenario, .backend = result->backend};

    if (shrinking->left == 0)
        return false;
    shrinking->left--;
    trim(shrinking->candidate);
    if (!fails(shrinking->search, shrinking->preemptions, shrinking->candidate, &tried))
        return false;
    memcpy(shrinking->choices, shrinking->candidate, strlen(shrinking->candidate) + 1);
    *result = tried;
    return true;
}

/* Fewer steps: all choices from some place on are the first ones. */
static void cut_end(struct shrinking *shrinking, struct conf_result *result)
{
    size_t keep = strlen(shrinking->choices) / 2;

    for (size_t step = keep; step > 0; step /= 2) {
        memcpy(shrinking->candidate, shrinking->choices, strlen(shrinking->choices) + 1);
        keep = strlen(shrinking->choices) > step ? strlen(shrinking->choices) - step : 0;
        shrinking->candidate[keep] = '\0';
        while (try_candidate(shrinking, result) && strlen(shrinking->choices) > step)
            shrinking->candidate[strlen(shrinking->choices) - step] = '\0';
    }
}

/* Fewer changes of thread: runs of choices become the first ones, longer runs first. */
static void clear_runs(struct shrinking *shrinking, struct conf_result *result)
{
    for (size_t run = strlen(shrinking->choices) / 2; run > 0; run /= 2) {
        for (size_t at = 0; at < strlen(shrinking->choices) && shrinking->left > 0; at += run) {
            size_t length = strlen(shrinking->choices), end = at + run < length ? at + run : length;

            if (strspn(shrinking->choices + at, "0") >= end - at)
                continue;
            memcpy(shrinking->candidate, shrinking->choices, strlen(shrinking->choices) + 1);
            memset(shrinking->candidate + at, '0', end - at);
            (void)try_candidate(shrinking, result);
        }
    }
}

/* The choices that fail as well, and are fewer; for free(). NULL: out of memory. */
static char *shrink(const struct search *search, unsigned preemptions, const char *choices, struct conf_result *result)
{
    struct shrinking shrinking = {.search = search,
                                  .preemptions = preemptions,
                                  .choices = strdup(choices),
                                  .candidate = strdup(choices),
                                  .left = result->hung ? SHRINK_HUNG_MAX : SHRINK_MAX};

    if (shrinking.choices && shrinking.candidate) {
        trim(shrinking.choices);
        cut_end(&shrinking, result);
        clear_runs(&shrinking, result);
    }
    free(shrinking.candidate);
    return shrinking.choices;
}

/* How to have it again, behind the reason. */
static void tell(struct conf_result *result, unsigned preemptions, const char *choices)
{
    size_t switches = 0;
    char bound[16];

    for (const char *choice = choices; *choice; choice++)
        switches += *choice != '0';
    snprintf(bound, sizeof(bound), "%u", preemptions);
    size_t size = strlen(choices) + sizeof("replay::") + sizeof(bound);

    result->schedule = malloc(size);
    if (result->schedule)
        snprintf(result->schedule, size, "replay:%s:%s", preemptions == CONF_PREEMPTIONS_ANY ? "any" : bound, choices);
    size_t length = strlen(result->reason);

    snprintf(result->reason + length, sizeof(result->reason) - length, " [%zu choices, %zu not the first]",
             strlen(choices), switches);
}

/* --- random orders --- */

/* A random order as choices that can be said; it is the same order under no bound. */
static void tell_seeded(const struct search *search, uint64_t seed, const char *choices, struct conf_result *result)
{
    struct conf_result again = {.scenario = result->scenario, .backend = result->backend};
    char *simpler = NULL;

    if (fails(search, CONF_PREEMPTIONS_ANY, choices, &again)) {
        *result = again;
        simpler = shrink(search, CONF_PREEMPTIONS_ANY, choices, result);
    }
    size_t length = strlen(result->reason);

    snprintf(result->reason + length, sizeof(result->reason) - length, " [seed %llu]", (unsigned long long)seed);
    if (simpler)
        tell(result, CONF_PREEMPTIONS_ANY, simpler);
    free(simpler);
}

static void run_seeded(const struct search *search, uint64_t seed, struct conf_result *ret_result)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = seed};
    struct vmr_scheduler *scheduler;

    if (!scheduler_open(&options, &scheduler, ret_result))
        return;
    run_scheduled(search, scheduler, ret_result);
    if (ret_result->verdict == CONF_FAIL && !search->backend->schedules.as_found)
        tell_seeded(search, seed, vmr_scheduler_choices(scheduler), ret_result);
    vmr_scheduler_destroy(scheduler);
}

static void run_seeds(const struct search *search, uint64_t first, uint64_t count, struct conf_result *ret_result)
{
    for (uint64_t i = 0; i < count; i++) {
        run_seeded(search, first + i, ret_result);
        if (ret_result->verdict != CONF_PASS)
            return;
    }
}

/* --- every order --- */

/* False: one failed, and was told. */
static bool explore_bound(const struct search *search, unsigned preemptions, struct conf_result *ret_result)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = preemptions};
    struct vmr_scheduler *scheduler;
    bool more = true;

    ret_result->capped = false;
    if (!scheduler_open(&options, &scheduler, ret_result))
        return false;
    while (more && ret_result->verdict == CONF_PASS) {
        run_scheduled(search, scheduler, ret_result);
        if (ret_result->verdict == CONF_FAIL && !search->backend->schedules.as_found) {
            char *simpler = shrink(search, preemptions, vmr_scheduler_choices(scheduler), ret_result);

            tell(ret_result, preemptions, simpler ? simpler : "");
            free(simpler);
        }
        more = vmr_scheduler_next(scheduler);
        if (more && vmr_scheduler_explored(scheduler) >= search->backend->schedule_max) {
            ret_result->capped = true;
            more = false;
        }
    }
    ret_result->schedules = vmr_scheduler_explored(scheduler);
    vmr_scheduler_destroy(scheduler);
    return ret_result->verdict == CONF_PASS;
}

/* What fails with fewer preemptions is found with fewer: that is what one wants to look at. */
static void explore(const struct search *search, unsigned preemptions, struct conf_result *ret_result)
{
    const struct conf_result first = *ret_result;

    if (!explore_bound(search, preemptions, ret_result) && ret_result->verdict == CONF_FAIL) {
        const struct conf_result found = *ret_result;

        for (unsigned fewer = 0; fewer < preemptions; fewer++) {
            struct conf_result tried = first;

            if (explore_bound(search, fewer, &tried))
                continue;
            free(found.schedule);
            *ret_result = tried;
            ret_result->schedules += found.schedules;
            break;
        }
    }
    /* The transcript is the first execution's: an order may leave the guest less to see. */
    ret_result->notes = first.notes;
    ret_result->transcript = first.transcript;
}

void execute_scheduled(const struct conf_backend *backend, const struct conf_scenario *scenario,
                       struct conf_result *ret_result)
{
    const struct conf_schedules *schedules = &backend->schedules;
    struct search search = {.backend = backend, .scenario = scenario};
    bool usual = schedules->mode == CONF_SCHEDULES_USUAL;

    if (schedules->mode == CONF_SCHEDULES_REPLAY) {
        /* A bound comes of exploring; what a scenario leaves out then is left out again. */
        search.exploring = schedules->preemptions != CONF_PREEMPTIONS_ANY;
        (void)fails(&search, schedules->preemptions, schedules->choices, ret_result);
        return;
    }
    if (schedules->mode == CONF_SCHEDULES_RANDOM) {
        run_seeds(&search, schedules->seed, schedules->runs, ret_result);
        return;
    }
    run_seeds(&search, 1, SEEDS, ret_result);
    if (ret_result->verdict != CONF_PASS || (usual && !(scenario->flags & CONF_EXPLORE)))
        return;
    search.exploring = true;
    explore(&search, usual ? PREEMPTIONS : schedules->preemptions, ret_result);
}
