/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The conformance suite as one function: scenarios times backends, a matrix, a
 * certificate for each backend. `vmrig certify` is a command line for it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct vmr_backend;

struct conf_run_options {
    /*
     * Which backends. None: the mock in every profile, and KVM with each
     * placement of its interrupt controllers; what this machine does not have is
     * then noted as "not certified", which is no failure.
     */
    const char *const *specs;
    size_t spec_count;
    /*
     * Backends beside the library's own, of which the specs may speak; they outlive the call. Without specs these are
     * judged, each with no parameters, and nothing else.
     */
    const struct vmr_backend *const *backends;
    size_t backend_count;
    const char *filter;        /* a glob on "family/scenario", "family" or "scenario"; NULL: all */
    unsigned patience;         /* how many times longer than usual to wait, on real threads; 0: once */
    unsigned attempts;         /* how often to try a scenario that hangs, on real threads; 0: once */
    bool list;                 /* only name the scenarios */
    const char *explain;       /* only explain this clause */
    const char *report_folder; /* certificates and a summary go here; NULL: none are written */
    bool json;                 /* the results on `out` as JSON, instead of the matrix */
    FILE *out, *err;
};

#define CONF_EXIT_PASSED 0
#define CONF_EXIT_FAILED 1
#define CONF_EXIT_USAGE 2

/* Gives the exit status; each error is one line on `err`. */
int conf_main(const struct conf_run_options *options);
