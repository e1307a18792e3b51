/* SPDX-License-Identifier: MIT */
/*
 * The results in the two forms that CI systems read: JUnit's XML, as Jenkins and
 * GitLab take it, and TAP 13. A waived failure is a skip there, with its reason.
 */

#include "conformance/report.h"

#include <string.h>

#include "conformance/waivers.h"

#define NS_PER_S 1e9

/* Escaped for an attribute or text; what XML 1.0 has no character for becomes '?'. */
static void print_xml(const char *text, FILE *out)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '<')
            fputs("&lt;", out);
        else if (byte == '>')
            fputs("&gt;", out);
        else if (byte == '&')
            fputs("&amp;", out);
        else if (byte == '"')
            fputs("&quot;", out);
        else
            fputc(byte < 0x20 && byte != '\t' && byte != '\n' ? '?' : byte, out);
    }
}

static void print_case(const struct conf_result *result, FILE *out)
{
    fprintf(out, "  <testcase classname=\"");
    print_xml(result->scenario->family, out);
    fprintf(out, "\" name=\"");
    print_xml(result->scenario->name, out);
    fprintf(out, "\" time=\"%.6f\"", (double)result->elapsed_ns / NS_PER_S);
    if (result->verdict == CONF_PASS) {
        fprintf(out, "/>\n");
        return;
    }
    const char *kind = result->verdict == CONF_FAIL ? "failure" : "skipped";

    fprintf(out, ">\n   <%s message=\"", kind);
    if (result->waiver && result->verdict == CONF_WAIVED) {
        fprintf(out, "waived since %s: ", result->waiver->date);
        print_xml(result->waiver->reason, out);
    } else {
        fprintf(out, "[");
        print_xml(result->scenario->clauses, out);
        fprintf(out, "] ");
        print_xml(result->reason, out);
    }
    fprintf(out, "\"/>\n  </testcase>\n");
}

static void print_suite(const struct conf_report_data *data, const struct conf_backend *backend, FILE *out)
{
    struct conf_totals totals;

    report_totals(data, backend->spec, NULL, &totals);
    size_t all = 0;

    for (unsigned i = 0; i < CONF_VERDICT_COUNT; i++)
        all += totals.verdicts[i];
    fprintf(out, " <testsuite name=\"");
    print_xml(backend->spec, out);
    fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.6f\">\n", all,
            totals.verdicts[CONF_FAIL], totals.verdicts[CONF_SKIP] + totals.verdicts[CONF_WAIVED],
            (double)totals.elapsed_ns / NS_PER_S);
    for (size_t i = 0; i < data->result_count; i++) {
        if (strcmp(data->results[i].backend, backend->spec) == 0)
            print_case(&data->results[i], out);
    }
    fprintf(out, " </testsuite>\n");
}

bool report_write_junit(const struct conf_report_data *data, const char *path, FILE *err)
{
    struct output output;

    if (!output_open(&output, NULL, path, "", err))
        return false;
    fprintf(output.file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vmrig certify\">\n");
    for (size_t i = 0; i < data->backend_count; i++)
        print_suite(data, &data->backends[i], output.file);
    fprintf(output.file, "</testsuites>\n");
    return output_close(&output, ferror(output.file) == 0, err);
}

/* One line; '#' begins a directive. */
static void print_tap(const char *text, FILE *out)
{
    for (; *text; text++)
        fputc(*text == '\n' || *text == '#' ? ' ' : *text, out);
}

static void print_test(const struct conf_result *result, size_t number, FILE *out)
{
    fprintf(out, "%s %zu - ", result->verdict == CONF_FAIL ? "not ok" : "ok", number);
    print_tap(result->backend, out);
    fprintf(out, " %s/%s", result->scenario->family, result->scenario->name);
    if (result->verdict == CONF_SKIP || result->verdict == CONF_WAIVED) {
        fprintf(out, " # SKIP %s", result->verdict == CONF_WAIVED ? "waived: " : "");
        print_tap(result->verdict == CONF_WAIVED ? result->waiver->reason : result->reason, out);
    }
    fputc('\n', out);
    if (result->verdict == CONF_FAIL) {
        fprintf(out, "# [%s] ", result->scenario->clauses);
        print_tap(result->reason, out);
        fputc('\n', out);
    }
}

bool report_write_tap(const struct conf_report_data *data, const char *path, FILE *err)
{
    struct output output;

    if (!output_open(&output, NULL, path, "", err))
        return false;
    fprintf(output.file, "TAP version 13\n1..%zu\n", data->result_count);
    for (size_t i = 0; i < data->result_count; i++)
        print_test(&data->results[i], i + 1, output.file);
    if (data->partial)
        fprintf(output.file, "Bail out! %s\n", data->partial);
    return output_close(&output, ferror(output.file) == 0, err);
}
