/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The run loop's side of a stop source.
 */

#include "lib/partition/partition.h"

/* A VP in a source's list; on the stack of the run or wait, because a callback of a run may wait too. */
struct stop_link {
    struct vmr_vp *vp;
    struct stop_link *next;
};

/* From here until stop_detach a vmr_stop_set reaches the VP. NULL is fine. */
void stop_attach(struct vmr_stop_source *source, struct stop_link *link, struct vmr_vp *vp);
void stop_detach(struct vmr_stop_source *source, struct stop_link *link);
