/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of VP sets share: a set of three VPs over the scripted backend, on real threads. */

#include "lib/run/vp_set.h"

#include "tests/run/fixture.h"

#include "tests/support/counting_host.h"

#define SET_VPS 3u

struct set_fixture {
    struct fake fake;
    struct counting_host counting;
    struct vmr_host host;
    struct fake_rig rig;
    struct vmr_vp_io io;
    struct vmr_vp_set_options options;
    struct vmr_vp_set *set;
};

/* Without a set yet. All guests block until they are kicked, for ever. */
static inline void set_fixture_prepare(struct set_fixture *fixture)
{
    *fixture = (struct set_fixture){0};
    fake_init(&fixture->fake);
    fixture->fake.caps.vp_classes = FAKE_STATE_CLASSES;
    counting_host_init(&fixture->counting, &fixture->host);
    fake_rig_init(&fixture->rig, &fixture->fake, &fixture->host, SET_VPS);
    fixture->options.io = &fixture->io;
}

static inline void set_fixture_init(struct set_fixture *fixture)
{
    set_fixture_prepare(fixture);
    assert_int_equal(vmr_vp_set_create(fixture->rig.partition, &fixture->options, &fixture->set, NULL), VMR_OK);
}

static inline void set_fixture_finish(struct set_fixture *fixture)
{
    vmr_vp_set_destroy(fixture->set);
    fake_rig_finish(&fixture->rig);
    assert_int_equal(fixture->counting.live_threads, 0);
    assert_int_equal(fixture->counting.live_parkers, 0);
}

static inline struct vmr_vp_set_halt must_wait(struct set_fixture *fixture)
{
    struct vmr_vp_set_halt halt = {.vp = 99};

    assert_int_equal(vmr_vp_set_wait(fixture->set, VMR_NEVER, &halt), VMR_OK);
    return halt;
}
