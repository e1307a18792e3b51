/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The conformance suite as one function: scenarios times backends, a matrix, a
 * certificate for each backend. `vmrig certify` is a command line for it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "conformance/progress.h"
#include "conformance/schedules.h"

struct vmr_backend;

/* What the caller knows of the machine and the day; the suite asks for neither. No member is NULL. */
struct conf_facts {
    const char *system, *release, *machine, *cpu;
    const char *taken; /* 2026-01-31T12:00:00Z; its first ten characters are what waivers are held against */
};

/* One scenario on one backend. */
struct conf_place {
    const char *backend, *family, *scenario;
};

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
    const char *filter;              /* a glob on "family/scenario", "family" or "scenario"; NULL: all */
    unsigned patience;               /* how many times longer than usual to wait, on real threads; 0: once */
    unsigned attempts;               /* how often to try a scenario that hangs, on real threads; 0: once */
    struct conf_schedules schedules; /* of scenarios on the mock */
    bool list;                       /* only name the scenarios */
    const char *explain;             /* only explain this clause */
    const char *report_folder;       /* certificates and a summary go here; NULL: none are written */
    bool json;                       /* the results on `out` as JSON, instead of the matrix */
    bool fail_fast;                  /* nothing more is run once a scenario has failed: a partial report */
    const char *junit, *tap;         /* files in the forms of CI systems; NULL: none */
    const char *waivers;             /* a file: waivers.h; NULL: nothing is waived */
    /* Only these, on their backends, which are the specs unless these are given. NULL: all. */
    const struct conf_place *only;
    size_t only_count;
    enum conf_progress_form progress; /* on `err` */
    const struct conf_facts *facts;   /* NULL: nothing is known */
    /* Whether to end after the scenario in flight, and to write what there is, marked as partial. NULL: never. */
    bool (*is_over)(void *context);
    void *context;
    FILE *out, *err;
};

#define CONF_EXIT_PASSED 0
#define CONF_EXIT_FAILED 1
#define CONF_EXIT_USAGE 2

/* Gives the exit status; each error is one line on `err`. */
int conf_main(const struct conf_run_options *options);
