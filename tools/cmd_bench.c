/* SPDX-License-Identifier: MIT */
/*
 * vmrig bench: the benchmarks' command line.
 */

#include "tools/command.h"

#include <string.h>

#include "tools/bench/bench.h"

enum option {
    OPTION_JSON,
    OPTION_QUICK,
    OPTION_TRACE,
    OPTION_ONLY
};

static const struct args_option options[] = {
    [OPTION_JSON] = {.name = "json", .help = "print JSON: {\"figures\": [...]}"},
    [OPTION_QUICK] = {.name = "quick", .help = "few rounds: only shows that it runs"},
    [OPTION_TRACE] = {.name = "trace", .value = "FILE", .help = "a recorded boot, to measure its replay"},
    [OPTION_ONLY] = {.name = "only", .value = "NAME", .help = "one part: " BENCH_NAMES},
};

static const struct args_spec spec = {.options = options, .option_count = sizeof(options) / sizeof(options[0])};

static int run(const struct args *args)
{
    const struct bench_options bench = {
        .json = args_has(args, OPTION_JSON),
        .quick = args_has(args, OPTION_QUICK),
        .trace = args_value(args, OPTION_TRACE),
        .only = args_value(args, OPTION_ONLY),
    };

    if (bench.trace && strcmp(bench.trace, "-") == 0)
        return tool_usage(args->command, "--trace needs a file: it is read many times");
    if (bench.only && !bench_exists(bench.only))
        return tool_usage(args->command, "--only '%s': the parts are " BENCH_NAMES, bench.only);
    return bench_main(&bench);
}

const struct command command_bench = {
    .name = "bench", .summary = "Measures what the library costs.", .spec = &spec, .run = run};
