/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One scenario on one backend: under the mock's scheduler, or on real threads
 * under a watchdog.
 */

#include "conformance/harness.h"
#include "conformance/schedules.h"

enum conf_verdict {
    CONF_PASS,
    CONF_FAIL,
    CONF_SKIP,
    CONF_WAIVED, /* it fails, and somebody has said why that is borne: waivers.h */
    CONF_VERDICT_COUNT
};
const char *conf_verdict_name(enum conf_verdict verdict);

struct conf_waiver;

struct conf_result {
    const struct conf_scenario *scenario;
    const char *backend; /* the spec, or "library" */
    enum conf_verdict verdict;
    char reason[CONF_TEXT_MAX + 128];
    const char *missing;              /* CONF_SKIP: the capability that the backend lacks; NULL: another reason */
    const struct conf_waiver *waiver; /* that speaks of it here; NULL: none */
    uint64_t elapsed_ns;              /* by the clock of the machine; 0: nobody looked at it */
    uint32_t resets;                  /* VMs that were as fresh ones after a reset, at its end */
    uint32_t notes;
    uint64_t transcript;
    uint64_t order;     /* on the mock: a hash over who ran when, in every run; 0: real threads */
    uint64_t schedules; /* orders tried; 0: not explored */
    bool capped;        /* there are more than were tried */
    char *schedule;     /* of a failure: how to have it again, for --schedules; for free(). NULL: there is none */
    bool hung;          /* it failed because something did not come, or did not end */
    uint32_t attempts;  /* on real threads */
};

/* A backend, as the runner found it. */
struct conf_backend {
    const char *spec;
    const char *description;           /* one line; NULL: none */
    const struct vmr_backend_set *set; /* what the spec is looked up in; NULL: the library's own */
    bool is_mock;                      /* or a copy of its table with other operations */
    bool is_library;                   /* none: for CONF_NO_BACKEND */
    struct vmr_caps caps;
    enum vmr_irqchip irqchip;
    uint32_t quirks;
    uint64_t schedule_max;           /* orders tried of one scenario */
    struct conf_schedules schedules; /* of the mock */
    struct conf_composed composed;   /* of a soak */
    uint64_t patience_ns;            /* of the watchdog, on real threads */
    uint32_t attempts;               /* of a scenario that hangs, on real threads; 0: one */
    bool free_threads;               /* the mock on real threads, for race detectors */
};

/* The backend's handle: whoever calls this closes it. */
enum vmr_status conf_backend_open(const struct conf_backend *backend, struct vmr_hypervisor_handle *ret_handle,
                                  struct vmr_error *err);

/* Why the scenario does not run there; false if it does. */
bool conf_is_skipped(const struct conf_backend *backend, const struct conf_scenario *scenario, char *ret_reason,
                     size_t size);
void conf_execute(const struct conf_backend *backend, const struct conf_scenario *scenario,
                  struct conf_result *ret_result);
/* The same, on real threads, for a function that is no scenario and need not check anything; `ret_reason` says why not
 * CONF_PASS. */
enum conf_verdict conf_execute_probe(const struct conf_backend *backend, void (*run)(struct conf *conf),
                                     char *ret_reason, size_t size);

/* quirks.c: measures the quirks of the host behind a real backend; false, and a reason, if that failed. */
bool conf_quirks_measure(struct conf_backend *backend, char *ret_reason, size_t size);
const char *conf_quirk_name(uint32_t quirk);
/* Who serves the Hyper-V interface's offloadable part there, in words. */
const char *conf_enlightenments(const struct conf_backend *backend);
