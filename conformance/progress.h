/* SPDX-License-Identifier: MIT */
#pragma once

/* What is running and how long it may take, while a run of the suite goes on. */

#include <stdio.h>

#include "conformance/execute.h"

enum conf_progress_form {
    CONF_PROGRESS_NONE,
    CONF_PROGRESS_LINE,  /* one line of a terminal, written over and over */
    CONF_PROGRESS_LINES, /* a line for each backend that is through */
};

struct progress {
    enum conf_progress_form form;
    FILE *out;
    struct vmr_host host; /* whose clock it goes by */
    size_t total, done, failed;
    uint64_t begin_ns, shown_ns;
    size_t backend_done, backend_failed; /* of the backend in progress */
    uint64_t backend_ns;
};

void progress_begin(struct progress *progress, enum conf_progress_form form, FILE *out, size_t total);
uint64_t progress_now_ns(const struct progress *progress);
void progress_backend(struct progress *progress);
/* `name` is about to run on `backend`. */
void progress_scenario(struct progress *progress, const char *backend, const struct conf_scenario *scenario);
void progress_result(struct progress *progress, const struct conf_result *result);
void progress_backend_end(struct progress *progress, const char *backend);
/* Leaves a terminal's line empty. */
void progress_end(struct progress *progress);
