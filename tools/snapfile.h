/* SPDX-License-Identifier: MIT */
#pragma once

/* A snapshot in a file, opened and checked. Errors name the file. */

#include "vmrig/snapshot.h"

struct snapfile {
    int fd;
    const char *name;
    struct vmr_snapshot *snapshot;
};

/* A zeroed one may be closed. */
VMR_MUST_CHECK enum vmr_status snapfile_open(struct snapfile *file, const char *name, struct vmr_error *err);
void snapfile_close(struct snapfile *file);
