/* SPDX-License-Identifier: MIT */
#pragma once

/* What can be done with certificates that are there: checking them, comparing two, and running again what failed. */

#include <jansson.h>

#include "conformance/runner.h"

#define CERTIFICATE_BYTES_MAX (64u << 20)

/*
 * The certificate in a file, in the form that docs/certificate.schema.json
 * describes as far as the functions below depend on it. NULL, and one line on
 * `err` that names the file and what is wrong with it. json_decref gives it back.
 */
json_t *certificate_read(const char *path, FILE *err);

/*
 * Counts everything again, and holds it against what the certificate says. One
 * line on `out`: what it certifies; on `err`: what does not agree. Gives the exit status.
 */
int certificate_verify(const char *path, FILE *out, FILE *err);
/* A line for each clause and scenario of which the two say different things. Exit status 1 if there is one. */
int certificate_diff(const char *left, const char *right, FILE *out, FILE *err);

/* What failed, by certificates: `places` point into `documents`. */
struct certificate_failures {
    json_t *documents;
    struct conf_place *places;
    size_t count;
    const char **specs; /* backends, each once, without the library itself */
    size_t spec_count;
};
/* One line on `err` if a file is no certificate. */
bool certificate_failures_read(struct certificate_failures *failures, const char *const *paths, size_t count,
                               FILE *err);
void certificate_failures_free(struct certificate_failures *failures);
