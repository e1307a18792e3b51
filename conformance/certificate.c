/* SPDX-License-Identifier: MIT */
/*
 * Results as JSON, and the certificates. A file appears under its name only
 * when it is whole.
 */

#include "conformance/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conformance/scenarios.h"

#define JSON_FORM (JSON_INDENT(1) | JSON_PRESERVE_ORDER)
#define PATH_MAX_BYTES 4096u

static json_t *result_json(const struct conf_result *result)
{
    char transcript[24];
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "backend", result->backend, "family", result->scenario->family,
                  "scenario", result->scenario->name, "verdict", conf_verdict_name(result->verdict), "reason",
                  result->reason, "clauses", result->scenario->clauses);

    if (!object)
        return NULL;
    if (result->scenario->ids)
        (void)json_object_set_new(object, "ids", json_string(result->scenario->ids));
    if (result->schedules > 0) {
        (void)json_object_set_new(object, "schedules", json_integer((json_int_t)result->schedules));
        (void)json_object_set_new(object, "capped", json_boolean(result->capped));
    }
    if (result->attempts > 1)
        (void)json_object_set_new(object, "attempts", json_integer((json_int_t)result->attempts));
    if (result->notes > 0) {
        snprintf(transcript, sizeof(transcript), "%016llx", (unsigned long long)result->transcript);
        (void)json_object_set_new(object, "transcript", json_string(transcript));
    }
    return object;
}

/* Of one backend; NULL: of all. */
static json_t *results_json(const struct conf_report_data *data, const char *backend)
{
    json_t *results = json_array();

    for (size_t i = 0; results && i < data->result_count; i++) {
        if (!backend || strcmp(backend, data->results[i].backend) == 0)
            (void)json_array_append_new(results, result_json(&data->results[i]));
    }
    return results;
}

static json_t *totals_json(const struct conf_report_data *data, const char *backend)
{
    struct conf_totals totals;

    report_totals(data, backend, NULL, &totals);
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "pass", (json_int_t)totals.verdicts[CONF_PASS], "fail",
                     (json_int_t)totals.verdicts[CONF_FAIL], "skip", (json_int_t)totals.verdicts[CONF_SKIP],
                     "schedules", (json_int_t)totals.schedules, "capped", (json_int_t)totals.capped);
}

bool report_json(const struct conf_report_data *data, FILE *out)
{
    json_t *absent = json_array();

    for (size_t i = 0; i < data->absent_count; i++)
        (void)json_array_append_new(
            absent, json_pack("{s:s, s:s}", "backend", data->absent[i].spec, "reason", data->absent[i].reason));
    json_t *root = json_pack("{s:o, s:o, s:o}", "results", results_json(data, NULL), "totals", totals_json(data, NULL),
                             "not_certified", absent);
    bool written = root && json_dumpf(root, out, JSON_FORM) == 0 && fputc('\n', out) != EOF && fflush(out) == 0;

    json_decref(root);
    return written;
}

static json_t *certificate_json(const struct conf_report_data *data, const struct conf_backend *backend)
{
    json_t *caps = json_array(), *quirks = json_array();

    for (unsigned cap = 0; cap < VMR_CAP_COUNT; cap++) {
        if (vmr_caps_have(&backend->caps, (enum vmr_cap)cap))
            (void)json_array_append_new(caps, json_string(vmr_cap_name((enum vmr_cap)cap)));
    }
    for (uint32_t quirk = 1; quirk != 0; quirk <<= 1) {
        if (backend->quirks & quirk)
            (void)json_array_append_new(quirks, json_string(conf_quirk_name(quirk)));
    }
    return json_pack("{s:s, s:i, s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "kind", "vmrig certificate", "format", 1, "vmrig",
                     vmr_version(), "backend", backend->spec, "capabilities", caps, "enlightenments",
                     conf_enlightenments(backend), "quirks", quirks, "totals", totals_json(data, backend->spec),
                     "results", results_json(data, backend->spec));
}

/* --- files --- */

/* What a file name cannot hold, or a shell minds, becomes '-'. */
static void safe_name(const char *spec, char *ret_name, size_t size)
{
    size_t i;

    for (i = 0; i + 1 < size && spec[i]; i++) {
        bool plain = (spec[i] >= 'a' && spec[i] <= 'z') || (spec[i] >= 'A' && spec[i] <= 'Z') ||
                     (spec[i] >= '0' && spec[i] <= '9') || spec[i] == '_';

        ret_name[i] = spec[i];
        if (!plain)
            ret_name[i] = '-';
    }
    ret_name[i] = '\0';
}

static bool complain(FILE *err, const char *what, const char *path)
{
    fprintf(err, "vmrig certify: report folder: %s '%s': %s\n", what, path, strerror(errno));
    return false;
}

/* A file on its way: written under `temporary`, then renamed. */
struct output {
    char path[PATH_MAX_BYTES], temporary[PATH_MAX_BYTES + 8];
    FILE *file;
};

static bool output_open(struct output *output, const char *folder, const char *name, const char *ending, FILE *err)
{
    int length = snprintf(output->path, sizeof(output->path), "%s/%s%s", folder, name, ending);

    if (length < 0 || (size_t)length >= sizeof(output->path)) {
        errno = ENAMETOOLONG;
        return complain(err, "cannot write", folder);
    }
    snprintf(output->temporary, sizeof(output->temporary), "%s.tmp", output->path);
    output->file = fopen(output->temporary, "w");
    return output->file || complain(err, "cannot write", output->temporary);
}

static bool output_close(struct output *output, bool written, FILE *err)
{
    bool closed = fclose(output->file) == 0;

    if (written && closed && rename(output->temporary, output->path) == 0)
        return true;
    (void)complain(err, "cannot write", output->path);
    (void)remove(output->temporary);
    return false;
}

bool report_folder_open(const char *folder, FILE *err)
{
    struct output output;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return complain(err, "cannot make", folder);
    if (!output_open(&output, folder, "summary", ".txt", err))
        return false;
    fclose(output.file);
    (void)remove(output.temporary);
    return true;
}

static bool write_certificate(const struct conf_report_data *data, const struct conf_backend *backend,
                              const char *folder, FILE *err)
{
    struct output output;
    char name[128];

    safe_name(backend->spec, name, sizeof(name));
    if (!output_open(&output, folder, name, ".json", err))
        return false;
    json_t *root = certificate_json(data, backend);
    bool written = root && json_dumpf(root, output.file, JSON_FORM) == 0 && fputc('\n', output.file) != EOF;

    json_decref(root);
    return output_close(&output, written, err);
}

bool report_write(const struct conf_report_data *data, const char *folder, FILE *err)
{
    struct output summary;

    for (size_t i = 0; i < data->backend_count; i++) {
        if (!write_certificate(data, &data->backends[i], folder, err))
            return false;
    }
    if (!output_open(&summary, folder, "summary", ".txt", err))
        return false;
    report_matrix(data, summary.file);
    return output_close(&summary, ferror(summary.file) == 0, err);
}
