/* SPDX-License-Identifier: MIT */
/*
 * Running the benchmarks and printing them: a table for people, JSON for
 * programs. The statistics are the median and the quartiles, because a shared
 * machine makes single samples wrong upwards.
 */

#include "tools/bench/bench.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t bench_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint32_t bench_rounds(const struct bench_report *report, uint32_t rounds)
{
    uint32_t few = rounds / 50;

    return !report->options->quick ? rounds : few > 0 ? few : 1;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double bench_add(struct bench_report *report, const char *name, const char *unit, double *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), by_value);
    double median = samples[count / 2];
    double spread = (samples[count * 3 / 4] - samples[count / 4]) / 2;

    if (report->count < BENCH_FIGURE_MAX) {
        struct bench_figure *figure = &report->figures[report->count++];

        *figure = (struct bench_figure){.value = median, .unit = unit};
        figure->spread = median > 0 ? 100 * spread / median : 0;
        (void)snprintf(figure->name, sizeof(figure->name), "%s", name);
    }
    return median;
}

static struct bench_figure *find(struct bench_report *report, const char *name)
{
    for (size_t i = report->count; i > 0; i--) {
        if (strcmp(report->figures[i - 1].name, name) == 0)
            return &report->figures[i - 1];
    }
    return NULL;
}

void bench_compare(struct bench_report *report, const char *name, const char *compared_to, const char *aim)
{
    struct bench_figure *figure = find(report, name);
    const struct bench_figure *other = compared_to ? find(report, compared_to) : NULL;

    if (!figure)
        return;
    figure->aim = aim;
    if (!other || other->value <= 0)
        return;
    figure->ratio = figure->value / other->value;
    (void)snprintf(figure->compared_to, sizeof(figure->compared_to), "%s", compared_to);
}

void bench_skip(const char *what, const char *why)
{
    fprintf(stderr, "vmrig bench: %s: not measured: %s\n", what, why);
}

bool bench_failed(const char *what, enum vmr_status status, const struct vmr_error *err)
{
    fprintf(stderr, "vmrig bench: %s: %s%s%s\n", what, vmr_status_name(status), err && err->message[0] ? ": " : "",
            err ? err->message : "");
    return false;
}

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

int bench_main(const struct bench_options *options)
{
    static bool (*const benchmarks[])(struct bench_report * report) = {
        bench_exit_loops, bench_replays, bench_kicks, bench_partitions, bench_scaling,
    };
    struct bench_report *report = calloc(1, sizeof(*report));
    bool good = report != NULL;

    if (!report)
        return 1;
    report->options = options;
    for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++)
        good = benchmarks[i](report) && good;
    if (options->json)
        good = print_json(report) && good;
    else
        print_table(report);
    good = fflush(stdout) == 0 && good;
    free(report);
    return good ? 0 : 1;
}
