/* SPDX-License-Identifier: MIT */
/*
 * Running the benchmarks and printing them: a table for people, JSON for
 * programs.
 */

#include "tools/bench/bench.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_table(const struct bench_report *report)
{
    printf("%-44s %14s %-12s %7s  %s\n", "figure", "median", "unit", "spread", "compared");
    for (size_t i = 0; i < report->count; i++) {
        const struct bench_figure *figure = &report->figures[i];

        printf("%-44s %14.2f %-12s %6.1f%%", figure->name, figure->value, figure->unit, figure->spread);
        if (figure->ratio > 0)
            printf("  %.3f x %s", figure->ratio, figure->compared_to);
        if (figure->aim)
            printf("  (aim: %s)", figure->aim);
        printf("\n");
    }
}

static bool print_json(const struct bench_report *report)
{
    json_t *figures = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct bench_figure *figure = &report->figures[i];
        bool compared = figure->ratio > 0;
        json_t *entry = json_pack("{s:s, s:f, s:s, s:f, s:o, s:o, s:o}", "name", figure->name, "value", figure->value,
                                  "unit", figure->unit, "spread_percent", figure->spread, "compared_to",
                                  compared ? json_string(figure->compared_to) : json_null(), "ratio",
                                  compared ? json_real(figure->ratio) : json_null(), "aim",
                                  figure->aim ? json_string(figure->aim) : json_null());

        (void)json_array_append_new(figures, entry);
    }
    json_t *root = json_pack("{s:o}", "figures", figures);
    bool printed = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0 && printf("\n") > 0;

    json_decref(root);
    return printed;
}

static const struct {
    const char *name;
    bool (*run)(struct bench_report *report);
} benchmarks[] = {
    {"exits", bench_exit_loops},     {"added", bench_prepared},          {"replay", bench_replays},
    {"kick", bench_kicks},           {"partition", bench_partitions},    {"scaling", bench_scaling},
    {"hypercall", bench_hypercalls}, {"dirty", bench_dirty_log},         {"state", bench_states},
    {"snapshot", bench_snapshots},   {"rewind", bench_rewinds},          {"config", bench_configs},
    {"config-tables", bench_tables}, {"conformance", bench_conformance},
};

bool bench_exists(const char *name)
{
    for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
        if (strcmp(benchmarks[i].name, name) == 0)
            return true;
    }
    return false;
}

int bench_main(const struct bench_options *options)
{
    struct bench_report *report;
    bool good = true;

    /* Minutes before it would be played. */
    if (options->trace && !bench_trace_is_good(options->trace))
        return 1;
    report = calloc(1, sizeof(*report));

    if (!report)
        return 1;
    report->options = options;
    for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
        if (!options->only || strcmp(benchmarks[i].name, options->only) == 0)
            good = benchmarks[i].run(report) && good;
    }
    if (options->json)
        good = print_json(report) && good;
    else
        print_table(report);
    good = fflush(stdout) == 0 && good;
    free(report);
    return good ? 0 : 1;
}
