/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The machine of a recording, saved while it was recorded: a replay can begin
 * where it was saved.
 *
 *   zeroed ─> rejoin_open ─> (replay and machine are made) ─> rejoin_apply ─> the machine is started
 *   rejoin_close in any case
 */

#include "tools/snapfile.h"
#include "vmrig/machine_snapshot.h"
#include "vmrig/trace_position.h"

struct rejoin {
    struct snapfile file;
    struct vmr_trace_place place;
    struct vmr_vm_clock *clock; /* for the machine, since the saved one had one; a replay's time is in its recording */
    bool failed;                /* `err` is about the snapshot */
};

/* The snapshot is whole, and has a place. */
VMR_MUST_CHECK enum vmr_status rejoin_open(struct rejoin *rejoin, const char *name, const struct vmr_host *host,
                                           struct vmr_error *err);
/* The machine, of which no VP has run, and the replay stand where the snapshot was taken. */
VMR_MUST_CHECK enum vmr_status rejoin_apply(struct rejoin *rejoin, struct vmr_replay *replay,
                                            struct vmr_machine *machine, struct vmr_error *err);
void rejoin_close(struct rejoin *rejoin);
