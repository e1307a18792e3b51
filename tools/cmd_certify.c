/* SPDX-License-Identifier: MIT */
/*
 * vmrig certify: the conformance suite's command line, and what can be done with
 * the certificates that it writes.
 */

#include "tools/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conformance/lockstep/lockstep.h"
#include "conformance/runner.h"
#include "conformance/soak/soak.h"
#include "conformance/verify.h"
#include "conformance/zoo/keeper.h"
#include "tools/cmd_certify_page.h"
#include "tools/facts.h"
#include "tools/interrupt.h"
#include "tools/plugin.h"

#define PATIENCE_MAX 1000u
#define ATTEMPTS_MAX 10u

enum option {
    OPTION_HYPERVISOR,
    OPTION_FILTER,
    OPTION_LIST,
    OPTION_EXPLAIN,
    OPTION_REPORT,
    OPTION_JUNIT,
    OPTION_TAP,
    OPTION_WAIVERS,
    OPTION_RERUN,
    OPTION_PATIENCE,
    OPTION_ATTEMPTS,
    OPTION_PROGRESS,
    OPTION_JSON,
    OPTION_ZOO,
    OPTION_CLAUSES,
    OPTION_SCHEDULES,
    OPTION_SEED,
    OPTION_SOAK,
    OPTION_LEAVE_OUT,
    OPTION_LOCKSTEP,
    OPTION_GUESTS,
    OPTION_BACKEND,
    OPTION_FAIL_FAST
};

static const struct args_option options[] = {
    [OPTION_HYPERVISOR] = {.name = "hypervisor", .value = "SPEC", .repeatable = true, .help = "judge this one"},
    [OPTION_FILTER] = {.name = "filter", .value = "GLOB", .help = "only the scenarios that match, FAMILY/NAME"},
    [OPTION_LIST] = {.name = "list", .help = "only name the scenarios"},
    [OPTION_EXPLAIN] = {.name = "explain", .value = "CLAUSE", .help = "print a clause and what checks it"},
    [OPTION_REPORT] = {.name = "report", .value = "DIR", .help = "write certificates there"},
    [OPTION_JUNIT] = {.name = "junit", .value = "FILE", .help = "write the results as JUnit's XML"},
    [OPTION_TAP] = {.name = "tap", .value = "FILE", .help = "write the results as TAP 13"},
    [OPTION_WAIVERS] = {.name = "waivers", .value = "FILE", .help = "failures that are borne, with reason and date"},
    [OPTION_RERUN] = {.name = "rerun-failed",
                      .value = "CERT",
                      .repeatable = true,
                      .help = "only what failed in this certificate"},
    [OPTION_PATIENCE] = {.name = "patience", .value = "N", .help = "on a slow machine: wait N times longer"},
    [OPTION_ATTEMPTS] = {.name = "attempts", .value = "N", .help = "on an unreliable one: try N times what hangs"},
    [OPTION_PROGRESS] = {.name = "progress",
                         .help = "a line for each backend that is through; a terminal is told more without"},
    [OPTION_JSON] = {.name = "json", .help = "print the results as JSON: {\"results\": [...]}"},
    [OPTION_ZOO] = {.name = "zoo", .help = "judge the suite: it must reject hypervisors that are broken on purpose"},
    [OPTION_SCHEDULES] = {.name = "schedules",
                          .value = "ORDERS",
                          .help = "on the mock: exhaustive:K, random:N or replay:K:CHOICES"},
    [OPTION_SEED] = {.name = "seed", .value = "S", .help = "the first of random:N, of a soak or of lockstep (1)"},
    [OPTION_SOAK] = {.name = "soak",
                     .value = "TIME",
                     .help = "run random compositions on the mock for 10m, 30s or 1000x"},
    [OPTION_LOCKSTEP] = {.name = "lockstep",
                         .value = "A,B",
                         .help = "run made-up guests on two hypervisors, and compare what they do"},
    [OPTION_GUESTS] = {.name = "guests", .value = "N", .help = "with --lockstep: so many (1000)"},
    [OPTION_LEAVE_OUT] = {.name = "leave-out", .value = "BITS", .help = "with --soak: operations, as a failure tells"},
    [OPTION_CLAUSES] = {.name = "clauses", .help = "with --zoo: also list the clauses that none of them breaks"},
    [OPTION_FAIL_FAST] = {.name = "fail-fast", .help = "end with the first scenario that fails"},
    [OPTION_BACKEND] = {.name = "backend", .value = "FILE", .repeatable = true, .help = "load one: a shared object"},
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .details = "Without --hypervisor: the mock in every profile, and the hypervisors that this\n"
               "machine has; with --backend: those, of which --hypervisor may speak too. Exit status 1\n"
               "if a scenario fails, or if it was interrupted: the report is then of what was run, and\n"
               "says so.\n",
};

static bool was_interrupted(void *context)
{
    return interrupt_came(context);
}

static void attend(void *context)
{
    (void)context;
    fputs("vmrig certify: ending after this scenario; once more ends at once\n", stderr);
}

static int run_suite(const char *command, struct conf_run_options *conf)
{
    struct interrupt interrupt;
    struct facts facts;
    struct vmr_error err = {.message = ""};

    interrupt_init(&interrupt);
    if (interrupt_start(&interrupt, attend, NULL, &err))
        return tool_fail(command, "%s", err.message);
    facts_find(&facts);
    conf->facts = &facts.facts;
    conf->is_over = was_interrupted;
    conf->context = &interrupt;
    int status = conf_main(conf);

    interrupt_finish(&interrupt);
    return status;
}

static int rerun(const struct args *args, struct conf_run_options *conf)
{
    const char *paths[ARGS_GIVEN_MAX];
    struct certificate_failures failures;
    size_t count = args_values(args, OPTION_RERUN, paths);
    int status = TOOL_FAILED;

    if (certificate_failures_read(&failures, paths, count, stderr)) {
        conf->only = failures.places;
        conf->only_count = failures.count;
        if (conf->spec_count == 0) {
            conf->specs = failures.specs;
            conf->spec_count = failures.spec_count;
        }
        if (failures.count > 0) {
            status = run_suite(args->command, conf);
        } else {
            (void)printf("nothing failed there\n");
            status = TOOL_OK;
        }
    }
    certificate_failures_free(&failures);
    return status;
}

static const char *contradiction(const struct conf_run_options *conf, bool again)
{
    bool asks = conf->list || conf->explain;

    if (conf->list && conf->explain)
        return "--list and --explain are two different questions";
    if (conf->json && asks)
        return "--json is for results: --list and --explain have none";
    if (asks && (conf->junit || conf->tap || again))
        return "--junit, --tap and --rerun-failed are for results: --list and --explain have none";
    return NULL;
}

static enum conf_progress_form progress_form(const struct args *args)
{
    if (args_has(args, OPTION_PROGRESS))
        return CONF_PROGRESS_LINES;
    return isatty(STDERR_FILENO) ? CONF_PROGRESS_LINE : CONF_PROGRESS_NONE;
}

/* --filter is on animals there. */
static int run_zoo(const struct args *args)
{
    const struct zoo_options zoo = {.filter = args_value(args, OPTION_FILTER),
                                    .clauses = args_has(args, OPTION_CLAUSES),
                                    .out = stdout,
                                    .err = stderr};

    for (size_t i = 0; i < args->given_count; i++) {
        size_t option = args->given[i].option;

        if (option != OPTION_ZOO && option != OPTION_CLAUSES && option != OPTION_FILTER)
            return tool_usage(args->command, "--zoo goes with --filter and --clauses alone, not with --%s",
                              options[option].name);
    }
    return zoo_main(&zoo);
}

/* False: it is said what is wrong with them. */
static bool read_schedules(const struct args *args, struct conf_schedules *ret_schedules)
{
    const char *text = args_value(args, OPTION_SCHEDULES), *rule;
    uint64_t seed = 1;
    struct vmr_error err;

    *ret_schedules = (struct conf_schedules){.mode = CONF_SCHEDULES_USUAL};
    if (args_number(args, OPTION_SEED, 0, UINT64_MAX / 2, &seed, &err)) {
        (void)tool_usage(args->command, "%s", err.message);
        return false;
    }
    if (text && !conf_schedules_parse(text, seed, ret_schedules, &rule)) {
        (void)tool_usage(args->command, "--schedules '%s' is not %s", text, rule);
        return false;
    }
    if (args_has(args, OPTION_SEED) && ret_schedules->mode != CONF_SCHEDULES_RANDOM) {
        (void)tool_usage(args->command, "--seed goes with --schedules random:N");
        return false;
    }
    return true;
}

static bool goes_with_soak(size_t option)
{
    return option == OPTION_SOAK || option == OPTION_SEED || option == OPTION_LEAVE_OUT ||
           option == OPTION_HYPERVISOR || option == OPTION_PROGRESS;
}

static int run_soak(const struct args *args)
{
    struct soak_options soak = {.spec = args_value(args, OPTION_HYPERVISOR),
                                .seed = 1,
                                .progress = progress_form(args),
                                .is_over = was_interrupted,
                                .out = stdout,
                                .err = stderr};
    struct soak_result result;
    struct interrupt interrupt;
    uint64_t left_out = 0;
    struct vmr_error err = {.message = ""};

    for (size_t i = 0; i < args->given_count; i++) {
        if (!goes_with_soak(args->given[i].option))
            return tool_usage(args->command, "--%s does not go with --soak", options[args->given[i].option].name);
    }
    if (!soak_parse(args_value(args, OPTION_SOAK), &soak.runs, &soak.ns))
        return tool_usage(args->command, "--soak '%s' is not a time or a number of runs: 30s, 10m, 2h, 1000x",
                          args_value(args, OPTION_SOAK));
    if (args_number(args, OPTION_SEED, 0, UINT64_MAX / 2, &soak.seed, &err) ||
        args_number(args, OPTION_LEAVE_OUT, 0, UINT32_MAX, &left_out, &err))
        return tool_usage(args->command, "%s", err.message);
    soak.left_out = (uint32_t)left_out;
    interrupt_init(&interrupt);
    if (interrupt_start(&interrupt, attend, NULL, &err))
        return tool_fail(args->command, "%s", err.message);
    soak.context = &interrupt;
    int status = soak_main(&soak, &result);

    interrupt_finish(&interrupt);
    return status;
}

/* Specs hold commas as well: the second begins behind one that a hypervisor's name follows. */
static bool split_pair(char *pair, const char *ret_specs[2])
{
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    for (char *comma = strchr(pair, ','); comma; comma = strchr(comma + 1, ',')) {
        char name[VMR_SPEC_BYTES_MAX];
        size_t length = strcspn(comma + 1, ":,");

        if (length >= sizeof(name))
            continue;
        memcpy(name, comma + 1, length);
        name[length] = '\0';
        if (!vmr_backend_find(&set, name))
            continue;
        *comma = '\0';
        ret_specs[0] = pair;
        ret_specs[1] = comma + 1;
        return true;
    }
    return false;
}

static bool goes_with_lockstep(size_t option)
{
    return option == OPTION_LOCKSTEP || option == OPTION_SEED || option == OPTION_GUESTS || option == OPTION_REPORT;
}

static int run_lockstep(const struct args *args)
{
    struct lockstep_options lockstep = {.seed = 1,
                                        .runs = 1000,
                                        .folder = args_value(args, OPTION_REPORT),
                                        .is_over = was_interrupted,
                                        .out = stdout,
                                        .err = stderr};
    struct lockstep_result result;
    struct interrupt interrupt;
    char pair[2 * VMR_SPEC_BYTES_MAX];
    struct vmr_error err = {.message = ""};

    for (size_t i = 0; i < args->given_count; i++) {
        if (!goes_with_lockstep(args->given[i].option))
            return tool_usage(args->command, "--%s does not go with --lockstep", options[args->given[i].option].name);
    }
    (void)snprintf(pair, sizeof(pair), "%s", args_value(args, OPTION_LOCKSTEP));
    if (!split_pair(pair, lockstep.specs))
        return tool_usage(args->command, "--lockstep '%s' is not two hypervisors with a comma between them",
                          args_value(args, OPTION_LOCKSTEP));
    if (args_number(args, OPTION_SEED, 0, UINT64_MAX / 2, &lockstep.seed, &err) ||
        args_number(args, OPTION_GUESTS, 1, CONF_RANDOM_MAX, &lockstep.runs, &err))
        return tool_usage(args->command, "%s", err.message);
    interrupt_init(&interrupt);
    if (interrupt_start(&interrupt, attend, NULL, &err))
        return tool_fail(args->command, "%s", err.message);
    lockstep.context = &interrupt;
    int status = lockstep_main(&lockstep, &result);

    interrupt_finish(&interrupt);
    return status;
}

/* What the options say, as a table to be filled in and checked. */
static int run_scenarios(const struct args *args)
{
    const char *specs[ARGS_GIVEN_MAX], *files[ARGS_GIVEN_MAX];
    struct plugins plugins;
    uint64_t patience = 1, attempts = 1;
    struct vmr_error err;

    if (args_number(args, OPTION_PATIENCE, 1, PATIENCE_MAX, &patience, &err) ||
        args_number(args, OPTION_ATTEMPTS, 1, ATTEMPTS_MAX, &attempts, &err))
        return tool_usage(args->command, "%s", err.message);
    struct conf_schedules schedules;

    if (!read_schedules(args, &schedules))
        return TOOL_USAGE;
    if (plugins_load(files, args_values(args, OPTION_BACKEND, files), &plugins, &err))
        return tool_usage(args->command, "%s", err.message);
    struct conf_run_options conf = {
        .specs = specs,
        .spec_count = args_values(args, OPTION_HYPERVISOR, specs),
        .filter = args_value(args, OPTION_FILTER),
        .patience = (unsigned)patience,
        .attempts = (unsigned)attempts,
        .list = args_has(args, OPTION_LIST),
        .explain = args_value(args, OPTION_EXPLAIN),
        .report_folder = args_value(args, OPTION_REPORT),
        .fail_fast = args_has(args, OPTION_FAIL_FAST),
        .junit = args_value(args, OPTION_JUNIT),
        .tap = args_value(args, OPTION_TAP),
        .waivers = args_value(args, OPTION_WAIVERS),
        .progress = progress_form(args),
        .json = args_has(args, OPTION_JSON),
        .schedules = schedules,
        .out = stdout,
        .err = stderr,
        .backends = plugins.backends,
        .backend_count = plugins.count,
    };
    const char *wrong = contradiction(&conf, args_has(args, OPTION_RERUN));

    if (wrong)
        return tool_usage(args->command, "%s", wrong);
    return args_has(args, OPTION_RERUN) ? rerun(args, &conf) : run_suite(args->command, &conf);
}

static int run(const struct args *args)
{
    if (args_has(args, OPTION_ZOO))
        return run_zoo(args);
    if (args_has(args, OPTION_CLAUSES))
        return tool_usage(args->command, "--clauses goes with --zoo");
    if (args_has(args, OPTION_SOAK))
        return run_soak(args);
    if (args_has(args, OPTION_LOCKSTEP))
        return run_lockstep(args);
    if (args_has(args, OPTION_GUESTS))
        return tool_usage(args->command, "--guests goes with --lockstep");
    if (args_has(args, OPTION_LEAVE_OUT))
        return tool_usage(args->command, "--leave-out goes with --soak");
    return run_scenarios(args);
}

/* --- certificates --- */

static const struct args_spec verify_spec = {
    .operands = {"FILE"},
    .last_repeats = true,
    .details = "Counts again what each certificate says of itself, and checks its hash. A certificate\n"
               "of another suite than this vmrig's is held against itself alone.\n",
};

static int run_verify(const struct args *args)
{
    int status = TOOL_OK;

    for (size_t i = 0; i < args->operand_count; i++) {
        if (certificate_verify(args->operands[i], stdout, stderr) != CONF_EXIT_PASSED)
            status = TOOL_FAILED;
    }
    return status;
}

static const struct args_spec diff_spec = {
    .operands = {"FILE", "FILE"},
    .details = "Of two backends, or of two days: capabilities, levels, clauses, scenarios and what\n"
               "guests saw. Exit status 0 if nothing differs, else 1.\n",
};

static int run_diff(const struct args *args)
{
    return certificate_diff(args->operands[0], args->operands[1], stdout, stderr);
}

static const struct command commands[] = {
    {.name = "verify", .summary = "Checks certificates.", .spec = &verify_spec, .run = run_verify},
    {.name = "diff", .summary = "Compares two certificates, clause by clause.", .spec = &diff_spec, .run = run_diff},
    {.name = "page",
     .summary = "Shows certificates as one HTML page.",
     .spec = &certify_page_spec,
     .run = certify_page},
    {0},
};

const struct command command_certify = {.name = "certify",
                                        .summary = "Checks hypervisors against the contract, clause by clause.",
                                        .spec = &spec,
                                        .run = run,
                                        .runs_alone = true,
                                        .commands = commands};
