/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a run of the suite leaves behind: matrix, JSON, certificates, and the
 * forms that CI systems read.
 */

#include <jansson.h>
#include <stdio.h>

#include "conformance/execute.h"
#include "conformance/runner.h"

/* A backend that could not be opened. */
struct conf_absent {
    const char *spec;
    char reason[VMR_ERROR_MESSAGE_MAX];
};

struct conf_waivers;

struct conf_report_data {
    const struct conf_backend *backends;
    size_t backend_count;
    const struct conf_absent *absent;
    size_t absent_count;
    const struct conf_result *results;
    size_t result_count;
    const struct conf_waivers *waivers; /* NULL: none */
    const struct conf_facts *facts;
    const char *partial; /* why not everything was run; NULL: it was */
};

struct conf_totals {
    size_t verdicts[CONF_VERDICT_COUNT];
    uint64_t schedules;
    size_t explored, capped; /* scenarios */
    uint64_t elapsed_ns;
};
/* Of one backend and family; NULL: of all. */
void report_totals(const struct conf_report_data *data, const char *backend, const char *family,
                   struct conf_totals *ret_totals);

/* Failures first, then the matrix, then the totals. */
void report_matrix(const struct conf_report_data *data, FILE *out);
/* The results as JSON; false: it could not be written. */
bool report_json(const struct conf_report_data *data, FILE *out);

/* Makes the folder if need be, and sees whether a file can be written there. One line on `err` if not. */
bool report_folder_open(const char *folder, FILE *err);
/* A certificate for each backend, summary.txt, and index.html, which shows them. Each is written under another name
 * first. One line on `err`. */
bool report_write(const struct conf_report_data *data, const char *folder, FILE *err);

/* junit.c: JUnit's XML, a suite for each backend, and TAP 13. False, and one line on `err`: not written. */
bool report_write_junit(const struct conf_report_data *data, const char *path, FILE *err);
bool report_write_tap(const struct conf_report_data *data, const char *path, FILE *err);

/* --- certificate.c: docs/certificate.md. NULL: out of memory --- */

#define CERTIFICATE_KIND "vmrig certificate"
#define CERTIFICATE_FORMAT 2

json_t *certificate_json(const struct conf_report_data *data, const struct conf_backend *backend);
/* Of one that could not be opened. */
json_t *certificate_absent_json(const struct conf_report_data *data, const struct conf_absent *absent);
json_t *certificate_results_json(const struct conf_report_data *data, const char *backend);
json_t *certificate_totals_json(const struct conf_report_data *data, const char *backend);
/* Over everything but "hash", in one form whatever the file's; 16 digits and a NUL. False: out of memory. */
#define CERTIFICATE_HASH_CHARS 17u
bool certificate_hash(json_t *certificate, char ret_hash[CERTIFICATE_HASH_CHARS]);
/* Over all scenarios and clauses of this suite. */
void certificate_suite_hash(char ret_hash[CERTIFICATE_HASH_CHARS]);
/* What the counts of a clause's scenarios say of it. */
const char *certificate_clause_verdict(const size_t verdicts[CONF_VERDICT_COUNT]);

/* --- output.c: a file on its way, written under another name, then renamed --- */

#define OUTPUT_PATH_MAX 4096u
struct output {
    char path[OUTPUT_PATH_MAX], temporary[OUTPUT_PATH_MAX + 8];
    FILE *file;
};
/* `folder` NULL: `name` is a path. One line on `err` if not. */
bool output_open(struct output *output, const char *folder, const char *name, const char *ending, FILE *err);
/* Whether it could be opened, before anything is run. One line on `err` if not. */
bool output_can_open(const char *path, FILE *err);
/* With `written` false the file is removed. */
bool output_close(struct output *output, bool written, FILE *err);
