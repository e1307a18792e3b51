/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The run loop's side of a stop source.
 */

#include "lib/partition/partition.h"

/* From here until stop_detach a vmr_stop_set reaches the VP. NULL is fine. */
void stop_attach(struct vmr_stop_source *source, struct vmr_vp *vp);
void stop_detach(struct vmr_stop_source *source, struct vmr_vp *vp);
