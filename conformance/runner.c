/* SPDX-License-Identifier: MIT */
/*
 * Which scenarios on which backends, and what comes of it. What is wrong with
 * the arguments is said before anything runs.
 */

#include "conformance/runner.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/operations.h"
#include "conformance/report.h"
#include "conformance/scenarios.h"
#include "conformance/waivers.h"

/* Enough for every program of the suite; what is above is reported as capped. */
#define SCHEDULE_MAX 20000u
#define PATIENCE_NS UINT64_C(10000000000)
#define SCENARIO_NAME_MAX 256u
#define PARTIAL_MAX 256u
#define LIBRARY "library"

static const char *const default_specs[] = {
    "mock:profile=strict",
    "mock:profile=kvm-like",
    "mock:profile=hvf-like",
    "mock:profile=mshv-like",
    "mock:profile=whp-like",
    "mock:profile=kvm-like,irqchip=split",
    "mock:profile=kvm-like,irqchip=kernel",
    "mock:managed=true",
    "kvm",
    "kvm:irqchip=split",
    "kvm:irqchip=kernel",
};
#define DEFAULT_SPEC_COUNT (sizeof(default_specs) / sizeof(default_specs[0]))

struct runner {
    const struct conf_run_options *options;
    struct vmr_backend_set set;
    const struct conf_scenario **scenarios; /* those the filter lets through */
    size_t scenario_count;
    struct conf_backend *backends;
    size_t backend_count;
    struct conf_absent *absent;
    size_t absent_count;
    struct conf_result *results;
    size_t result_count;
    struct conf_waivers waivers;
    struct progress progress;
    bool is_over;
    char partial[PARTIAL_MAX]; /* why not everything is run; empty: it is */
};

/* --- which scenarios --- */

static bool matches(const struct conf_scenario *scenario, const char *filter)
{
    char name[SCENARIO_NAME_MAX];

    if (!filter)
        return true;
    snprintf(name, sizeof(name), "%s/%s", scenario->family, scenario->name);
    return fnmatch(filter, name, 0) == 0 || fnmatch(filter, scenario->family, 0) == 0 ||
           fnmatch(filter, scenario->name, 0) == 0;
}

/* Whether the scenario is among those that were asked for one by one; `backend` NULL: on any. */
static bool is_asked_for(const struct conf_run_options *options, const struct conf_scenario *scenario,
                         const char *backend)
{
    if (!options->only)
        return true;
    for (size_t i = 0; i < options->only_count; i++) {
        const struct conf_place *place = &options->only[i];

        if (strcmp(place->family, scenario->family) == 0 && strcmp(place->scenario, scenario->name) == 0 &&
            (!backend || strcmp(place->backend, backend) == 0))
            return true;
    }
    return false;
}

static bool select_scenarios(struct runner *runner)
{
    size_t family_count, all = 0;
    const struct conf_family *const *families = conf_families(&family_count);

    for (size_t i = 0; i < family_count; i++)
        all += families[i]->count;
    runner->scenarios = calloc(all, sizeof(*runner->scenarios));
    for (size_t i = 0; runner->scenarios && i < family_count; i++) {
        for (size_t j = 0; j < families[i]->count; j++) {
            if (matches(&families[i]->scenarios[j], runner->options->filter) &&
                is_asked_for(runner->options, &families[i]->scenarios[j], NULL))
                runner->scenarios[runner->scenario_count++] = &families[i]->scenarios[j];
        }
    }
    if (runner->scenario_count > 0)
        return true;
    fprintf(runner->options->err, "vmrig certify: no scenario matches '%s'\n",
            runner->options->filter ? runner->options->filter : "*");
    return false;
}

static int list_scenarios(const struct runner *runner)
{
    for (size_t i = 0; i < runner->scenario_count; i++) {
        const struct conf_scenario *scenario = runner->scenarios[i];

        fprintf(runner->options->out, "%s/%s [%s]%s%s\n", scenario->family, scenario->name, scenario->clauses,
                scenario->ids ? " " : "", scenario->ids ? scenario->ids : "");
    }
    return CONF_EXIT_PASSED;
}

static int explain(const struct runner *runner)
{
    const struct conf_run_options *options = runner->options;
    size_t clause = 0;

    while (clause < conf_clause_count && strcmp(conf_clauses[clause].id, options->explain) != 0)
        clause++;
    if (clause == conf_clause_count) {
        fprintf(options->err, "vmrig certify: '%s' is no clause of the contract\n", options->explain);
        return CONF_EXIT_USAGE;
    }
    fprintf(options->out, "%s: %s\n", conf_clauses[clause].id, conf_clauses[clause].text);
    for (size_t i = 0; i < runner->scenario_count; i++) {
        if (conf_words_hold(runner->scenarios[i]->clauses, options->explain))
            fprintf(options->out, "  %s/%s\n", runner->scenarios[i]->family, runner->scenarios[i]->name);
    }
    return CONF_EXIT_PASSED;
}

/* --- which backends --- */

static uint64_t patience_ns(const struct conf_run_options *options)
{
    return PATIENCE_NS * (options->patience ? options->patience : 1);
}

static enum vmr_status describe(const struct runner *runner, const char *spec, struct conf_backend *ret_backend,
                                struct vmr_error *err)
{
    struct vmr_hypervisor_handle handle;

    *ret_backend = (struct conf_backend){.spec = spec,
                                         .set = &runner->set,
                                         .schedule_max = SCHEDULE_MAX,
                                         .schedules = runner->options->schedules,
                                         .patience_ns = patience_ns(runner->options),
                                         .attempts = runner->options->attempts};
    enum vmr_status status = conf_backend_open(ret_backend, &handle, err);

    if (status)
        return status;
    ret_backend->description = handle.backend->description;
    ret_backend->is_mock = vmr_backend_is(handle.backend, vmr_mock_backend());
    ret_backend->irqchip = handle.irqchip;
    status = handle.backend->caps(&handle, &ret_backend->caps, err);
    if (!status)
        status = conf_operations_check(handle.backend, &ret_backend->caps, err);
    vmr_handle_close(&handle);
    return status;
}

/* A backend that the caller asked for by name must be there. */
static int add_backend(struct runner *runner, const char *spec, bool required)
{
    struct conf_backend *backend = &runner->backends[runner->backend_count];
    struct vmr_error err = {.message = ""};
    enum vmr_status status = describe(runner, spec, backend, &err);

    if (status == VMR_OK) {
        runner->backend_count++;
        return CONF_EXIT_PASSED;
    }
    if (!required && (status == VMR_E_UNAVAILABLE || status == VMR_E_HOST)) {
        struct conf_absent *absent = &runner->absent[runner->absent_count++];

        absent->spec = spec;
        memcpy(absent->reason, err.message, sizeof(absent->reason));
        return CONF_EXIT_PASSED;
    }
    fprintf(runner->options->err, "vmrig certify: %s\n", err.message);
    return status == VMR_E_CONFIG ? CONF_EXIT_USAGE : CONF_EXIT_FAILED;
}

/* A second row of one name could not be told from the first: results are counted by name. */
static bool is_repeated(const char *const *specs, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(specs[i], specs[index]) == 0)
            return true;
    }
    return false;
}

/* The backends beside the library's own; `ret_names` holds as many as the options do. */
static int find_backends(struct runner *runner, const char **ret_names)
{
    const struct conf_run_options *options = runner->options;
    struct vmr_error err = {.message = ""};

    vmr_backend_set_init(&runner->set);
    for (size_t i = 0; i < options->backend_count; i++) {
        if (vmr_backend_set_add(&runner->set, options->backends[i], &err)) {
            fprintf(options->err, "vmrig certify: %s\n", err.message);
            return CONF_EXIT_USAGE;
        }
        ret_names[i] = options->backends[i]->name;
    }
    return CONF_EXIT_PASSED;
}

static int add_backends(struct runner *runner)
{
    const struct conf_run_options *options = runner->options;
    const char *names[VMR_BACKEND_MAX];
    bool required = options->spec_count > 0 || options->backend_count > 0;
    size_t count = options->spec_count;
    const char *const *specs = options->specs;
    int status = find_backends(runner, names);

    if (status != CONF_EXIT_PASSED)
        return status;
    if (count == 0) {
        specs = required ? names : default_specs;
        count = required ? options->backend_count : DEFAULT_SPEC_COUNT;
    }
    runner->backends = calloc(count + 1, sizeof(*runner->backends));
    runner->absent = calloc(count, sizeof(*runner->absent));
    if (!runner->backends || !runner->absent) {
        fprintf(options->err, "vmrig certify: out of memory\n");
        return CONF_EXIT_FAILED;
    }
    for (size_t i = 0; status == CONF_EXIT_PASSED && i < count; i++) {
        if (is_repeated(specs, i)) {
            fprintf(options->err, "vmrig certify: hypervisor '%s' is given twice\n", specs[i]);
            return CONF_EXIT_USAGE;
        }
        status = add_backend(runner, specs[i], required);
    }
    return status;
}

/* The row of the scenarios that are about the library alone. */
static void add_library(struct runner *runner)
{
    for (size_t i = 0; i < runner->scenario_count; i++) {
        if (runner->scenarios[i]->flags & CONF_NO_BACKEND) {
            runner->backends[runner->backend_count++] =
                (struct conf_backend){.spec = LIBRARY,
                                      .description = "the library itself",
                                      .is_library = true,
                                      .patience_ns = patience_ns(runner->options)};
            return;
        }
    }
}

/* --- running --- */

static bool belongs(const struct runner *runner, const struct conf_backend *backend,
                    const struct conf_scenario *scenario)
{
    if (!is_asked_for(runner->options, scenario, backend->spec))
        return false;
    if (backend->is_library || (scenario->flags & CONF_NO_BACKEND))
        return backend->is_library && (scenario->flags & CONF_NO_BACKEND);
    return backend->is_mock || !(scenario->flags & CONF_MOCK_ONLY);
}

static void run_one(struct runner *runner, const struct conf_backend *backend, const struct conf_scenario *scenario)
{
    const struct conf_run_options *options = runner->options;
    struct conf_result *result = &runner->results[runner->result_count++];

    progress_scenario(&runner->progress, backend->spec, scenario);
    uint64_t begin_ns = progress_now_ns(&runner->progress);

    conf_execute(backend, scenario, result);
    result->elapsed_ns = progress_now_ns(&runner->progress) - begin_ns;
    progress_result(&runner->progress, result);
    runner->is_over = (options->is_over && options->is_over(options->context)) ||
                      (options->fail_fast && result->verdict == CONF_FAIL);
}

static bool run_backend(struct runner *runner, struct conf_backend *backend)
{
    char reason[CONF_TEXT_MAX];

    if (!backend->is_mock && !backend->is_library && !conf_quirks_measure(backend, reason, sizeof(reason))) {
        fprintf(runner->options->err, "vmrig certify: %s: %s\n", backend->spec, reason);
        return false;
    }
    progress_backend(&runner->progress);
    for (size_t i = 0; i < runner->scenario_count && !runner->is_over; i++) {
        if (belongs(runner, backend, runner->scenarios[i]))
            run_one(runner, backend, runner->scenarios[i]);
    }
    progress_backend_end(&runner->progress, backend->spec);
    return true;
}

static size_t count_runs(const struct runner *runner)
{
    size_t count = 0;

    for (size_t i = 0; i < runner->backend_count; i++) {
        for (size_t j = 0; j < runner->scenario_count; j++)
            count += belongs(runner, &runner->backends[i], runner->scenarios[j]);
    }
    return count;
}

static bool run_all(struct runner *runner)
{
    const struct conf_run_options *options = runner->options;
    bool fine = true;

    runner->results = calloc(runner->backend_count * runner->scenario_count + 1, sizeof(*runner->results));
    if (!runner->results) {
        fprintf(options->err, "vmrig certify: out of memory\n");
        return false;
    }
    progress_begin(&runner->progress, options->progress, options->err, count_runs(runner));
    for (size_t i = 0; fine && i < runner->backend_count && !runner->is_over; i++)
        fine = run_backend(runner, &runner->backends[i]);
    progress_end(&runner->progress);
    if (runner->is_over)
        snprintf(runner->partial, sizeof(runner->partial), "ended after %zu of %zu scenarios", runner->progress.done,
                 runner->progress.total);
    return fine;
}

/* What the guest saw must not depend on the backend. [PROG-1] */
static void compare_transcripts(struct runner *runner)
{
    for (size_t i = 0; i < runner->result_count; i++) {
        struct conf_result *result = &runner->results[i];

        if (result->verdict != CONF_PASS || result->notes == 0)
            continue;
        for (size_t j = 0; j < i; j++) {
            const struct conf_result *other = &runner->results[j];

            if (other->scenario != result->scenario || other->verdict != CONF_PASS ||
                other->transcript == result->transcript)
                continue;
            result->verdict = CONF_FAIL;
            snprintf(result->reason, sizeof(result->reason), "PROG-1: the guest's transcript differs from that on %s",
                     other->backend);
            break;
        }
    }
}

static void judge_waivers(struct runner *runner)
{
    for (size_t i = 0; i < runner->scenario_count; i++)
        conf_waivers_meet(&runner->waivers, runner->scenarios[i]);
    for (size_t i = 0; i < runner->result_count; i++)
        conf_waivers_judge(&runner->waivers, &runner->results[i]);
}

static bool write_files(const struct runner *runner, const struct conf_report_data *data)
{
    const struct conf_run_options *options = runner->options;
    bool written = true;

    if (options->report_folder)
        written &= report_write(data, options->report_folder, options->err);
    if (options->junit)
        written &= report_write_junit(data, options->junit, options->err);
    if (options->tap)
        written &= report_write_tap(data, options->tap, options->err);
    return written;
}

static int report(struct runner *runner)
{
    static const struct conf_facts nothing = {.system = "", .release = "", .machine = "", .cpu = "", .taken = ""};
    const struct conf_run_options *options = runner->options;
    const struct conf_report_data data = {.backends = runner->backends,
                                          .backend_count = runner->backend_count,
                                          .absent = runner->absent,
                                          .absent_count = runner->absent_count,
                                          .results = runner->results,
                                          .result_count = runner->result_count,
                                          .waivers = &runner->waivers,
                                          .facts = options->facts ? options->facts : &nothing,
                                          .partial = runner->partial[0] ? runner->partial : NULL};
    struct conf_totals totals;
    bool written = true;

    if (options->json)
        written = report_json(&data, options->out);
    else
        report_matrix(&data, options->out);
    if (!written || ferror(options->out))
        fprintf(options->err, "vmrig certify: the results could not be written\n");
    written &= write_files(runner, &data);
    report_totals(&data, NULL, NULL, &totals);
    return written && !runner->is_over && totals.verdicts[CONF_FAIL] == 0 ? CONF_EXIT_PASSED : CONF_EXIT_FAILED;
}

static int run_suite(struct runner *runner)
{
    const struct conf_run_options *options = runner->options;

    if (!select_scenarios(runner))
        return CONF_EXIT_USAGE;
    if (options->list)
        return list_scenarios(runner);
    if (options->explain)
        return explain(runner);
    if (options->waivers && !conf_waivers_read(&runner->waivers, options->waivers,
                                               options->facts ? options->facts->taken : "", options->err))
        return CONF_EXIT_USAGE;
    if (options->filter)
        snprintf(runner->partial, sizeof(runner->partial), "only scenarios that match '%.200s'", options->filter);
    else if (options->only)
        snprintf(runner->partial, sizeof(runner->partial), "only what failed before");
    int status = add_backends(runner);

    if (status != CONF_EXIT_PASSED)
        return status;
    add_library(runner);
    if ((options->report_folder && !report_folder_open(options->report_folder, options->err)) ||
        (options->junit && !output_can_open(options->junit, options->err)) ||
        (options->tap && !output_can_open(options->tap, options->err)))
        return CONF_EXIT_FAILED;
    if (!run_all(runner))
        return CONF_EXIT_FAILED;
    compare_transcripts(runner);
    judge_waivers(runner);
    return report(runner);
}

int conf_main(const struct conf_run_options *options)
{
    struct runner runner = {.options = options};
    int status = run_suite(&runner);

    conf_waivers_free(&runner.waivers);
    for (size_t i = 0; i < runner.result_count; i++)
        free(runner.results[i].schedule);
    free(runner.results);
    free(runner.absent);
    free(runner.backends);
    free(runner.scenarios);
    return status;
}
