/* SPDX-License-Identifier: MIT */
/*
 * The matrix for people. Failures come first, each on a line of its own with
 * the clauses it breaks: that is what one looks for.
 */

#include "conformance/report.h"

#include <string.h>

#include "conformance/levels.h"
#include "conformance/scenarios.h"
#include "conformance/waivers.h"

#define FAMILY_MAX 64u
#define CELL "%-11s"
#define BACKEND "%-38s"

void report_totals(const struct conf_report_data *data, const char *backend, const char *family,
                   struct conf_totals *ret_totals)
{
    *ret_totals = (struct conf_totals){0};
    for (size_t i = 0; i < data->result_count; i++) {
        const struct conf_result *result = &data->results[i];

        if ((backend && strcmp(result->backend, backend) != 0) ||
            (family && strcmp(result->scenario->family, family) != 0))
            continue;
        ret_totals->verdicts[result->verdict]++;
        ret_totals->schedules += result->schedules;
        ret_totals->explored += result->schedules > 0;
        ret_totals->capped += result->capped;
        ret_totals->elapsed_ns += result->elapsed_ns;
    }
}

/* The families that occur, in the order they first do. */
static size_t collect_families(const struct conf_report_data *data, const char *ret_families[FAMILY_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < data->result_count; i++) {
        const char *family = data->results[i].scenario->family;
        size_t known = 0;

        while (known < count && strcmp(ret_families[known], family) != 0)
            known++;
        if (known == count && count < FAMILY_MAX)
            ret_families[count++] = family;
    }
    return count;
}

static void print_failures(const struct conf_report_data *data, FILE *out)
{
    for (size_t i = 0; i < data->result_count; i++) {
        const struct conf_result *result = &data->results[i];

        if (result->verdict != CONF_FAIL)
            continue;
        fprintf(out, "FAIL %s: %s/%s [%s]: %s\n", result->backend, result->scenario->family, result->scenario->name,
                result->scenario->clauses, result->reason);
        if (result->schedule)
            fprintf(out, "     again: vmrig certify --hypervisor %s --filter %s/%s --schedules %s\n", result->backend,
                    result->scenario->family, result->scenario->name, result->schedule);
    }
}

static void print_cell(const struct conf_totals *totals, bool last, FILE *out)
{
    char text[64];

    size_t waived = totals->verdicts[CONF_WAIVED];

    if (totals->verdicts[CONF_PASS] + totals->verdicts[CONF_FAIL] + totals->verdicts[CONF_SKIP] + waived == 0)
        snprintf(text, sizeof(text), "-");
    else if (waived == 0)
        snprintf(text, sizeof(text), "%zu/%zu/%zu", totals->verdicts[CONF_PASS], totals->verdicts[CONF_FAIL],
                 totals->verdicts[CONF_SKIP]);
    else
        snprintf(text, sizeof(text), "%zu/%zu/%zu+%zu", totals->verdicts[CONF_PASS], totals->verdicts[CONF_FAIL],
                 totals->verdicts[CONF_SKIP], waived);
    if (last)
        fprintf(out, "%s\n", text);
    else
        fprintf(out, CELL, text);
}

static void print_row(const struct conf_report_data *data, const char *backend, const char *const *families,
                      size_t family_count, FILE *out)
{
    struct conf_totals totals;

    fprintf(out, BACKEND, backend ? backend : "all");
    for (size_t i = 0; i < family_count; i++) {
        report_totals(data, backend, families[i], &totals);
        print_cell(&totals, false, out);
    }
    report_totals(data, backend, NULL, &totals);
    print_cell(&totals, true, out);
}

const char *conf_enlightenments(const struct conf_backend *backend)
{
    return vmr_caps_have(&backend->caps, VMR_CAP_HV_OFFLOAD) ? "offloaded to the hypervisor" : "in the library";
}

/* For what can be either: the mock has them in the library. */
static void print_enlightenments(const struct conf_report_data *data, FILE *out)
{
    for (size_t i = 0; i < data->backend_count; i++) {
        const struct conf_backend *backend = &data->backends[i];

        if (!backend->is_mock && !backend->is_library)
            fprintf(out, "%s: enlightenments: %s\n", backend->spec, conf_enlightenments(backend));
    }
}

static void print_quirks(const struct conf_report_data *data, FILE *out)
{
    for (size_t i = 0; i < data->backend_count; i++) {
        for (uint32_t quirk = 1; quirk != 0; quirk <<= 1) {
            if (data->backends[i].quirks & quirk)
                fprintf(out, "%s: host quirk, measured: %s\n", data->backends[i].spec, conf_quirk_name(quirk));
        }
    }
}

static void print_attempts(const struct conf_report_data *data, FILE *out)
{
    for (size_t i = 0; i < data->result_count; i++) {
        const struct conf_result *result = &data->results[i];

        if (result->attempts > 1)
            fprintf(out, "%s: hung before: %s/%s: attempt %u: %s\n", result->backend, result->scenario->family,
                    result->scenario->name, (unsigned)result->attempts, conf_verdict_name(result->verdict));
    }
}

static void print_waivers(const struct conf_report_data *data, FILE *out)
{
    for (size_t i = 0; i < data->result_count; i++) {
        const struct conf_result *result = &data->results[i];

        if (result->verdict == CONF_WAIVED)
            fprintf(out, "waived %s: %s/%s: since %s: %s\n", result->backend, result->scenario->family,
                    result->scenario->name, result->waiver->date, result->waiver->reason);
    }
    for (size_t i = 0; data->waivers && i < data->waivers->count; i++) {
        const struct conf_waiver *waiver = &data->waivers->rows[i];
        const char *why = conf_waiver_staleness(waiver);

        if (why)
            fprintf(out, "stale waiver: %s of %s: %s: %s\n", waiver->scenario, waiver->date, why, waiver->reason);
    }
}

static void print_levels(const struct conf_report_data *data, const struct conf_backend *backend, FILE *out)
{
    size_t below = 0;

    fprintf(out, "%s: levels:", backend->spec);
    for (size_t i = 0; i < conf_level_count; i++) {
        struct conf_totals totals;

        conf_level_totals(data, backend, &conf_levels[i], &totals);
        enum conf_level_status status = conf_level_judge(&conf_levels[i], backend->caps.bits, backend->caps.vp_classes,
                                                         totals.verdicts, data->partial != NULL, below);

        below += status != CONF_LEVEL_REACHED;
        fprintf(out, "%s %s %s", i > 0 ? "," : "", conf_levels[i].name, conf_level_status_name(status));
    }
    fprintf(out, "\n");
}

void report_matrix(const struct conf_report_data *data, FILE *out)
{
    const char *families[FAMILY_MAX];
    size_t family_count = collect_families(data, families);
    struct conf_totals totals;

    print_failures(data, out);
    fprintf(out, BACKEND, "pass/fail/skip");
    for (size_t i = 0; i < family_count; i++)
        fprintf(out, CELL, families[i]);
    fprintf(out, "all\n");
    for (size_t i = 0; i < data->backend_count; i++)
        print_row(data, data->backends[i].spec, families, family_count, out);
    print_row(data, NULL, families, family_count, out);
    print_enlightenments(data, out);
    print_quirks(data, out);
    print_attempts(data, out);
    print_waivers(data, out);
    for (size_t i = 0; i < data->backend_count && !data->partial; i++) {
        if (!data->backends[i].is_library)
            print_levels(data, &data->backends[i], out);
    }
    for (size_t i = 0; i < data->absent_count; i++)
        fprintf(out, "%s: not certified: %s\n", data->absent[i].spec, data->absent[i].reason);
    report_totals(data, NULL, NULL, &totals);
    fprintf(out, "%llu schedules explored in %zu scenarios, %zu of them capped\n", (unsigned long long)totals.schedules,
            totals.explored, totals.capped);
    if (data->partial)
        fprintf(out, "partial: %s\n", data->partial);
    fprintf(out, "%zu passed, %zu failed, %zu skipped", totals.verdicts[CONF_PASS], totals.verdicts[CONF_FAIL],
            totals.verdicts[CONF_SKIP]);
    if (totals.verdicts[CONF_WAIVED] > 0)
        fprintf(out, ", %zu waived", totals.verdicts[CONF_WAIVED]);
    fprintf(out, "\n");
}
