/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of the run loop share: one bound VP over a scripted backend, and runs that must succeed. */

#include "lib/run/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- steps --- */

#define STEP_READ(p)                                                                                                   \
    {                                                                                                                  \
        .exit = {.kind = VMR_EXIT_IO, .u.io = {.port = (p), .size = 1, .count = 1} }                                   \
    }
#define STEP_WRITE(p, v)                                                                                               \
    {                                                                                                                  \
        .exit = {                                                                                                      \
            .kind = VMR_EXIT_IO,                                                                                       \
            .u.io = {.port = (p), .size = 1, .direction = VMR_WRITE, .count = 1, .value = (v)}                         \
        }                                                                                                              \
    }
#define STEP_OF(k)                                                                                                     \
    {                                                                                                                  \
        .exit = {.kind = (k) }                                                                                         \
    }
#define STEP_POWER_OFF STEP_OF(VMR_EXIT_SYSTEM_EVENT) /* event 0 */
#define STEP_BLOCK                                                                                                     \
    {                                                                                                                  \
        .block = true                                                                                                  \
    }

struct fixture {
    struct fake fake;
    struct fake_rig rig;
    struct vmr_vp *vp;
    struct vmr_vp_io io;
    struct vmr_run_result result;
    unsigned io_calls; /* for a test's callbacks */
};

static inline void fixture_bind(struct fixture *fixture)
{
    fake_rig_init(&fixture->rig, &fixture->fake, NULL, 1);
    assert_int_equal(vmr_partition_bind(fixture->rig.partition, 0, &fixture->vp, NULL), VMR_OK);
}

static inline void fixture_init(struct fixture *fixture, const struct fake_step *steps, size_t count)
{
    *fixture = (struct fixture){0};
    fake_init(&fixture->fake);
    fake_script(&fixture->fake, 0, steps, count);
    fixture_bind(fixture);
}

static inline void fixture_finish(struct fixture *fixture)
{
    vmr_vp_unbind(fixture->vp);
    fake_rig_finish(&fixture->rig);
}

/* Runs once and gives the reason, VMR_HALT_NONE for a yield. */
static inline enum vmr_halt_reason must_run(struct fixture *fixture, struct vmr_stop_source *stop)
{
    memset(&fixture->result, 0x5a, sizeof(fixture->result));
    assert_int_equal(vmr_vp_run(fixture->vp, stop, &fixture->io, &fixture->result), VMR_OK);
    assert_int_equal(fixture->result.kind == VMR_RUN_YIELDED, fixture->result.reason == VMR_HALT_NONE);
    return fixture->result.reason;
}
