/* SPDX-License-Identifier: MIT */
/* Waivers: read with jansson, strictly, since a waiver with a typing error would waive nothing and say so nowhere. */

#include "conformance/waivers.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_date(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    unsigned month, day;

    for (size_t i = 0; i < sizeof(form); i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';

        if (form[i] == 'd' ? !digit : text[i] != form[i])
            return false;
    }
    month = (unsigned)(text[5] - '0') * 10u + (unsigned)(text[6] - '0');
    day = (unsigned)(text[8] - '0') * 10u + (unsigned)(text[9] - '0');
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool refuse(FILE *err, const char *path, size_t row, const char *rule)
{
    fprintf(err, "vmrig certify: waivers '%s': entry %zu: %s\n", path, row + 1, rule);
    return false;
}

static bool read_row(struct conf_waiver *waiver, json_t *row, const char *path, size_t index, FILE *err)
{
    json_error_t error;

    waiver->backend = "*";
    if (json_unpack_ex(row, &error, JSON_STRICT, "{s:s, s:s, s:s, s?:s, s?:s}", "scenario", &waiver->scenario, "reason",
                       &waiver->reason, "date", &waiver->date, "backend", &waiver->backend, "until",
                       &waiver->until) != 0)
        return refuse(err, path, index, error.text);
    if (!strchr(waiver->scenario, '/'))
        return refuse(err, path, index, "\"scenario\" is a glob on family/scenario");
    if (waiver->reason[0] == '\0')
        return refuse(err, path, index, "\"reason\" is empty");
    if (!is_date(waiver->date) || (waiver->until && !is_date(waiver->until)))
        return refuse(err, path, index, "a date is written year-month-day, as 2026-01-31");
    return true;
}

bool conf_waivers_read(struct conf_waivers *waivers, const char *path, const char *today, FILE *err)
{
    json_error_t error;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    *waivers = (struct conf_waivers){.document = document};
    if (!document) {
        fprintf(err, "vmrig certify: waivers '%s': line %d, column %d: %s\n", path, error.line, error.column,
                error.text);
        return false;
    }
    if (!json_is_array(document) || json_array_size(document) > CONF_WAIVER_MAX) {
        fprintf(err, "vmrig certify: waivers '%s': it is no list of at most %u\n", path, CONF_WAIVER_MAX);
        return false;
    }
    waivers->count = json_array_size(document);
    waivers->rows = calloc(waivers->count + 1, sizeof(*waivers->rows));
    if (!waivers->rows) {
        fprintf(err, "vmrig certify: out of memory\n");
        return false;
    }
    for (size_t i = 0; i < waivers->count; i++) {
        if (!read_row(&waivers->rows[i], json_array_get(document, i), path, i, err))
            return false;
        waivers->rows[i].expired = waivers->rows[i].until && strcmp(waivers->rows[i].until, today) < 0;
    }
    return true;
}

void conf_waivers_free(struct conf_waivers *waivers)
{
    free(waivers->rows);
    json_decref(waivers->document);
    *waivers = (struct conf_waivers){0};
}

static bool names(const struct conf_waiver *waiver, const struct conf_scenario *scenario)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", scenario->family, scenario->name);
    return fnmatch(waiver->scenario, name, 0) == 0;
}

void conf_waivers_meet(struct conf_waivers *waivers, const struct conf_scenario *scenario)
{
    for (size_t i = 0; i < waivers->count; i++)
        waivers->rows[i].named += names(&waivers->rows[i], scenario);
}

void conf_waivers_judge(struct conf_waivers *waivers, struct conf_result *result)
{
    for (size_t i = 0; i < waivers->count; i++) {
        struct conf_waiver *waiver = &waivers->rows[i];

        if (waiver->expired || !names(waiver, result->scenario) || fnmatch(waiver->backend, result->backend, 0) != 0 ||
            result->verdict == CONF_SKIP)
            continue;
        result->waiver = waiver;
        waiver->ran++;
        if (result->verdict == CONF_FAIL) {
            waiver->failed++;
            result->verdict = CONF_WAIVED;
        } else {
            result->verdict = CONF_FAIL;
            snprintf(result->reason, sizeof(result->reason), "an unexpected pass: it is waived since %s: %.300s",
                     waiver->date, waiver->reason);
        }
        return;
    }
}

const char *conf_waiver_staleness(const struct conf_waiver *waiver)
{
    if (waiver->named == 0)
        return "unknown scenario";
    if (waiver->expired)
        return "expired";
    if (waiver->ran == 0)
        return "did not run";
    return waiver->failed == 0 ? "passed" : NULL;
}
