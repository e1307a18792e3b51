/* SPDX-License-Identifier: MIT */
/*
 * The report that the benchmarks fill. The statistics are the median and the
 * quartiles, because a shared machine makes single samples wrong upwards.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/bench/bench.h"

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

void bench_sort(double *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), by_value);
}

double bench_add(struct bench_report *report, const char *name, const char *unit, double *samples, size_t count)
{
    bench_sort(samples, count);
    double median = samples[count / 2];
    double spread = (samples[count * 3 / 4] - samples[count / 4]) / 2;
    double size = median < 0 ? -median : median;

    if (report->count < BENCH_FIGURE_MAX) {
        struct bench_figure *figure = &report->figures[report->count++];

        *figure = (struct bench_figure){.value = median, .unit = unit};
        figure->spread = size > 0 ? 100 * spread / size : 0;
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

static void set_ratio(struct bench_figure *figure, const char *compared_to, double ratio)
{
    figure->ratio = ratio;
    (void)snprintf(figure->compared_to, sizeof(figure->compared_to), "%s", compared_to);
}

void bench_compare(struct bench_report *report, const char *name, const char *compared_to, const char *aim)
{
    struct bench_figure *figure = find(report, name);
    const struct bench_figure *other = compared_to ? find(report, compared_to) : NULL;

    if (!figure)
        return;
    figure->aim = aim;
    if (other && other->value > 0)
        set_ratio(figure, compared_to, figure->value / other->value);
}

void bench_compare_turns(struct bench_report *report, const char *name, const char *compared_to, double *ratios,
                         size_t count)
{
    struct bench_figure *figure = find(report, name);

    if (!figure || count == 0)
        return;
    bench_sort(ratios, count);
    set_ratio(figure, compared_to, ratios[count / 2]);
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
