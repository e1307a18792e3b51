/* SPDX-License-Identifier: MIT */
/*
 * vmrig certify: the conformance suite's command line.
 */

#include "tools/command.h"

#include <stdio.h>

#include "conformance/runner.h"
#include "tools/plugin.h"

#define PATIENCE_MAX 1000u
#define ATTEMPTS_MAX 10u

enum option {
    OPTION_HYPERVISOR,
    OPTION_FILTER,
    OPTION_LIST,
    OPTION_EXPLAIN,
    OPTION_REPORT,
    OPTION_PATIENCE,
    OPTION_ATTEMPTS,
    OPTION_JSON,
    OPTION_BACKEND
};

static const struct args_option options[] = {
    [OPTION_HYPERVISOR] = {.name = "hypervisor", .value = "SPEC", .repeatable = true, .help = "judge this one"},
    [OPTION_FILTER] = {.name = "filter", .value = "GLOB", .help = "only the scenarios that match, FAMILY/NAME"},
    [OPTION_LIST] = {.name = "list", .help = "only name the scenarios"},
    [OPTION_EXPLAIN] = {.name = "explain", .value = "CLAUSE", .help = "print a clause and what checks it"},
    [OPTION_REPORT] = {.name = "report", .value = "DIR", .help = "write certificates there"},
    [OPTION_PATIENCE] = {.name = "patience", .value = "N", .help = "on a slow machine: wait N times longer"},
    [OPTION_ATTEMPTS] = {.name = "attempts", .value = "N", .help = "on an unreliable one: try N times what hangs"},
    [OPTION_JSON] = {.name = "json", .help = "print the results as JSON: {\"results\": [...]}"},
    [OPTION_BACKEND] = {.name = "backend", .value = "FILE", .repeatable = true, .help = "load one: a shared object"},
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .details =
        "Without --hypervisor: the mock in every profile, and the hypervisors that this\n"
        "machine has; with --backend: those, of which --hypervisor may speak too. Exit status 1 if a scenario fails.\n",
};

static int run(const struct args *args)
{
    const char *specs[ARGS_GIVEN_MAX], *files[ARGS_GIVEN_MAX];
    struct plugins plugins;
    uint64_t patience = 1, attempts = 1;
    struct vmr_error err;

    if (args_number(args, OPTION_PATIENCE, 1, PATIENCE_MAX, &patience, &err) ||
        args_number(args, OPTION_ATTEMPTS, 1, ATTEMPTS_MAX, &attempts, &err))
        return tool_usage(args->command, "%s", err.message);
    if (plugins_load(files, args_values(args, OPTION_BACKEND, files), &plugins, &err))
        return tool_usage(args->command, "%s", err.message);
    const struct conf_run_options conf = {
        .specs = specs,
        .spec_count = args_values(args, OPTION_HYPERVISOR, specs),
        .filter = args_value(args, OPTION_FILTER),
        .patience = (unsigned)patience,
        .attempts = (unsigned)attempts,
        .list = args_has(args, OPTION_LIST),
        .explain = args_value(args, OPTION_EXPLAIN),
        .report_folder = args_value(args, OPTION_REPORT),
        .json = args_has(args, OPTION_JSON),
        .out = stdout,
        .err = stderr,
        .backends = plugins.backends,
        .backend_count = plugins.count,
    };

    if (conf.list && conf.explain)
        return tool_usage(args->command, "--list and --explain are two different questions");
    if (conf.json && (conf.list || conf.explain))
        return tool_usage(args->command, "--json is for results: --list and --explain have none");
    return conf_main(&conf);
}

const struct command command_certify = {.name = "certify",
                                        .summary = "Checks hypervisors against the contract, clause by clause.",
                                        .spec = &spec,
                                        .run = run};
