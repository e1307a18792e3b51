/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What lies behind `conf->state`: the judgement of one execution of one
 * scenario, and what has to be cleaned up after it. Scenarios do not look here.
 *
 * `lock` is a leaf: nothing is called with it held that can wait, because under
 * a scheduling host whoever waits with it would stop everyone.
 */

#include <pthread.h>

#include "conformance/conformance.h"

#define CONF_TEXT_MAX 512u

struct conf_claim;
struct conf_origin;

struct conf_vm_state {
    struct conf_vm vm;
    struct conf_vm_state *next;
    struct vmr_vp_io scenario_io; /* what vm.io calls on to */
    const struct vmr_program *programs[CONF_VP_MAX];
    const struct vmr_program *vtl_programs[CONF_VP_MAX][VMR_VTL_COUNT]; /* of those that conf_load_vtl has loaded */
    bool image_is_written;                                              /* what all VPs' machine code shares */
    enum vmr_halt_reason halts[CONF_VP_MAX]; /* asked for by the program, not reported yet; the VP's thread */
    uint32_t mismatch_words[CONF_VP_MAX];    /* how many of the three have come */
    struct conf_claim *claims;
    struct conf_origin *origin; /* what it was built from */
};

struct conf_worker {
    struct conf *conf;
    struct conf_worker *next;
    struct vmr_thread *thread;
    void (*body)(void *argument);
    void *argument;
    bool done; /* state->lock */
};

struct conf_deferred {
    struct conf_deferred *next;
    void (*function)(void *object);
    void *object;
};

struct conf_state {
    pthread_mutex_t lock; /* guards all below */
    uint32_t checks, failures;
    char failure[CONF_TEXT_MAX]; /* the first */
    bool skipped;
    char skip[CONF_TEXT_MAX];
    uint32_t notes;
    uint64_t transcript; /* FNV-1a over the lines */
    struct conf_vm_state *vms;
    struct conf_worker *workers;
    uint32_t threads;                /* that it has started in all */
    struct conf_deferred *deferred;  /* the scenario's thread */
    uint32_t resets;                 /* VMs that were reset at the end, and held against fresh ones */
    struct vmr_scheduler *scheduler; /* the mock's; NULL: real threads */
    uint64_t patience_ns;            /* of the watchdog, on real threads */
    bool hung;                       /* what was waited for did not come, or the watchdog bit */
    bool over;
    bool timed_out;
};

/* False: out of memory. */
bool conf_state_init(struct conf *conf, struct conf_state *state);
void conf_state_finish(struct conf_state *state);
/* After the scenario: ends and joins its threads, destroys its VMs, and does what was left for then. */
void conf_state_clean(struct conf *conf);
/* conf_reset.c: a copy of `options`, which may be gone when the scenario has ended. NULL: out of memory. */
struct conf_origin *conf_origin_create(const struct conf_vm_options *options, bool has_chip);
void conf_origin_destroy(struct conf_origin *origin);
/*
 * After the scenario and its threads: resets each VM that can be, and holds it
 * against a fresh one. The oracle of every scenario.
 */
void conf_check_resets(struct conf *conf);
/* For a watchdog, on a real host: kicks every VP there is, and lets no wait go on. */
void conf_state_give_up(struct conf *conf);

/* conf_device.c: frees what conf_device_claim made. */
void conf_claims_destroy(struct conf_claim *claims);
/* conf_thread.c: makes the scenario's threads end, and joins them. */
void conf_workers_finish(struct conf *conf);
/* conf_thread.c: kicks every VP of every VM. */
void conf_kick_all(struct conf *conf);
