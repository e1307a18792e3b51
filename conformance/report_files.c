/* SPDX-License-Identifier: MIT */
/* Results as JSON on a stream, and a folder of certificates. */

#include "conformance/report.h"

#include "conformance/page.h"

#define JSON_FORM (JSON_INDENT(1) | JSON_PRESERVE_ORDER)
#define NAME_MAX_BYTES 128u

bool report_json(const struct conf_report_data *data, FILE *out)
{
    json_t *absent = json_array();

    for (size_t i = 0; i < data->absent_count; i++)
        (void)json_array_append_new(
            absent, json_pack("{s:s, s:s}", "backend", data->absent[i].spec, "reason", data->absent[i].reason));
    json_t *root = json_pack("{s:o, s:o, s:o}", "results", certificate_results_json(data, NULL), "totals",
                             certificate_totals_json(data, NULL), "not_certified", absent);

    if (root && data->partial)
        (void)json_object_set_new(root, "partial", json_string(data->partial));
    bool written = root && json_dumpf(root, out, JSON_FORM) == 0 && fputc('\n', out) != EOF && fflush(out) == 0;

    json_decref(root);
    return written;
}

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

/* Takes `certificate`, and adds it to `certificates`. */
static bool write_certificate(json_t *certificate, const char *spec, const char *folder, json_t *certificates,
                              FILE *err)
{
    struct output output;
    char name[NAME_MAX_BYTES];

    safe_name(spec, name, sizeof(name));
    bool written = output_open(&output, folder, name, ".json", err);

    if (written) {
        bool whole =
            certificate && json_dumpf(certificate, output.file, JSON_FORM) == 0 && fputc('\n', output.file) != EOF;

        written = output_close(&output, whole, err);
    }
    (void)json_array_append_new(certificates, certificate);
    return written;
}

static bool write_certificates(const struct conf_report_data *data, const char *folder, json_t *certificates, FILE *err)
{
    bool written = true;

    for (size_t i = 0; written && i < data->backend_count; i++)
        written = write_certificate(certificate_json(data, &data->backends[i]), data->backends[i].spec, folder,
                                    certificates, err);
    for (size_t i = 0; written && i < data->absent_count; i++)
        written = write_certificate(certificate_absent_json(data, &data->absent[i]), data->absent[i].spec, folder,
                                    certificates, err);
    return written;
}

/* For people: the same as a page. */
static bool write_page(const json_t *certificates, const char *folder, FILE *err)
{
    struct output output;

    return output_open(&output, folder, "index", ".html", err) &&
           output_close(&output, certificates && page_write(certificates, output.file), err);
}

bool report_write(const struct conf_report_data *data, const char *folder, FILE *err)
{
    struct output summary;
    json_t *certificates = json_array();
    bool written =
        write_certificates(data, folder, certificates, err) && output_open(&summary, folder, "summary", ".txt", err);

    if (written) {
        report_matrix(data, summary.file);
        written = output_close(&summary, ferror(summary.file) == 0, err) && write_page(certificates, folder, err);
    }
    json_decref(certificates);
    return written;
}
