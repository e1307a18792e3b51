/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a run of the suite leaves behind: matrix, JSON, certificates.
 */

#include <stdio.h>

#include "conformance/execute.h"

/* A backend that could not be opened. */
struct conf_absent {
    const char *spec;
    char reason[VMR_ERROR_MESSAGE_MAX];
};

struct conf_report_data {
    const struct conf_backend *backends;
    size_t backend_count;
    const struct conf_absent *absent;
    size_t absent_count;
    const struct conf_result *results;
    size_t result_count;
};

struct conf_totals {
    size_t verdicts[CONF_VERDICT_COUNT];
    uint64_t schedules;
    size_t explored, capped; /* scenarios */
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
/* A certificate for each backend, and summary.txt. Each is written under another name first. One line on `err`. */
bool report_write(const struct conf_report_data *data, const char *folder, FILE *err);
