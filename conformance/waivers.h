/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Waivers: failures that somebody bears, each with a reason and a date. What is
 * waived runs all the same; when it passes, the waiver is wrong, and that fails.
 *
 *   [{"scenario": "stop/a_*", "backend": "kvm*", "reason": "...", "date": "2026-01-31", "until": "2026-06-30"}]
 *
 * Globs; "backend" and "until" may be left out.
 */

#include <stdio.h>

#include "conformance/execute.h"

#define CONF_WAIVER_MAX 1024u

struct conf_waiver {
    const char *scenario, *backend, *reason;
    const char *date, *until; /* year-month-day; `until` NULL: for ever */
    uint32_t named;           /* scenarios of the suite that it names */
    uint32_t ran, failed;     /* of these, those that it met */
    bool expired;
};

struct conf_waivers {
    struct conf_waiver *rows;
    size_t count;
    void *document; /* holds the strings */
};

/* One line on `err` for a file that is none, naming the place and the rule; `today`: what "until" is held against. */
bool conf_waivers_read(struct conf_waivers *waivers, const char *path, const char *today, FILE *err);
/* A zeroed one is fine. */
void conf_waivers_free(struct conf_waivers *waivers);

/* Notes which waivers speak of scenarios that exist. */
void conf_waivers_meet(struct conf_waivers *waivers, const struct conf_scenario *scenario);
/* What the waivers make of a result: a failure that is borne, or a pass that nobody expected. */
void conf_waivers_judge(struct conf_waivers *waivers, struct conf_result *result);
/* What is wrong with the waiver, once everything has run; NULL: nothing. */
const char *conf_waiver_staleness(const struct conf_waiver *waiver);
