/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A run's recording: the recorder around its hypervisor and host, and the file
 * it streams to. The file is touched by recording_begin, when nothing that can
 * be refused is left.
 */

#include "tools/outfile.h"
#include "tools/plan.h"

struct recording {
    struct outfile output;
    struct vmr_recorder *recorder;
    struct vmr_hypervisor_handle handle; /* to make the machine with */
    struct vmr_host host;
};

/* `handle` and `host` must outlive it. After a failure recording_destroy is still to be called. */
VMR_MUST_CHECK enum vmr_status recording_init(struct recording *recording, const char *name, const struct plan *plan,
                                              const struct vmr_hypervisor_handle *handle, const struct vmr_host *host,
                                              struct vmr_error *err);
/* Creates the file. Before the VPs run. */
VMR_MUST_CHECK enum vmr_status recording_begin(struct recording *recording, struct vmr_error *err);
/* Whether all so far was written; true of a zeroed one. Any thread. */
bool recording_is_sound(struct recording *recording);
/* VPs stopped. */
VMR_MUST_CHECK enum vmr_status recording_finish(struct recording *recording, struct vmr_error *err);
/* The machine destroyed. */
void recording_destroy(struct recording *recording);
